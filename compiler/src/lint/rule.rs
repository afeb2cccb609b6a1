//! The one table of lints: name, code, severity.

use crate::diagnostic::Severity;

macro_rules! rules {
    ($( $(#[$doc:meta])* $name:ident = $code:literal, $severity:ident; )*) => {
        /// A lint. Its code is stable; `docs/lints.md` has a section for each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $( $(#[$doc])* $name, )*
        }

        impl Rule {
            /// Every lint.
            pub const ALL: &[Rule] = &[$( Rule::$name, )*];

            /// The name that findings carry and that comments silence.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $( Rule::$name => $code, )* }
            }

            /// How grave its findings are.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $( Rule::$name => Severity::$severity, )* }
            }

            /// The lint of a code.
            #[must_use]
            pub fn find(code: &str) -> Option<Rule> {
                match code { $( $code => Some(Rule::$name), )* _ => None }
            }
        }
    };
}

rules! {
    /// A policy that grants when none of its rules apply, or always.
    GrantsByDefault = "grants-by-default", Warning;
    /// An import that nothing in the module reads.
    UnusedImport = "unused-import", Warning;
    /// A negation that holds, or fails, otherwise than it reads.
    NegationTrap = "negation-trap", Warning;
    /// A variable or parameter that nothing reads.
    UnusedVariable = "unused-variable", Warning;
    /// A variable that hides another one around it.
    ShadowedVariable = "shadowed-variable", Warning;
    /// A variable or import that hides a rule or an import.
    ShadowedRule = "shadowed-rule", Warning;
    /// A variable or rule called like a builtin, `input` or `data`.
    ShadowedBuiltin = "shadowed-builtin", Warning;
    /// A comment that silences a lint that does not exist.
    UnknownLint = "unknown-lint", Warning;
    /// A comment that silences nothing.
    UnusedSilence = "unused-silence", Warning;
}
