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
    /// A policy without a value where none of its rules apply.
    MissingDefault = "missing-default", Warning;
    /// A value of `allow` that the phase does not take.
    AllowType = "allow-type", Warning;
    /// A policy or mapper that never defines what it is asked for.
    NoDecision = "no-decision", Warning;
    /// A library that adds to the `allow` of every policy that depends on it.
    LibraryAllow = "library-allow", Warning;
    /// A reference to data that nothing defines.
    UndefinedData = "undefined-data", Warning;
    /// A field that no request has.
    UnknownField = "unknown-field", Warning;
    /// A body that cannot hold.
    NeverTrue = "never-true", Warning;
    /// A comparison whose outcome is fixed.
    FixedComparison = "fixed-comparison", Warning;
    /// A negation that holds, or fails, otherwise than it reads.
    NegationTrap = "negation-trap", Warning;
    /// `import future.keywords` where newer engines take `not` otherwise.
    BlanketImport = "blanket-import", Warning;
    /// An `else` that is never reached.
    UnreachableElse = "unreachable-else", Warning;
    /// A rule that stands twice.
    DuplicateRule = "duplicate-rule", Warning;
    /// A regular expression that matches more names than it looks.
    UnanchoredRegex = "unanchored-regex", Warning;
    /// A secret in the text of a policy.
    LiteralSecret = "literal-secret", Warning;
    /// A name of an annotation that is nearly one that exists.
    AnnotationTypo = "annotation-typo", Warning;
    /// A key of a METADATA block that is nearly one that exists.
    MetadataTypo = "metadata-typo", Warning;
    /// A selector that matches every text.
    CatchAllSelector = "catch-all-selector", Note;
    /// A selector that an earlier one leaves nothing to match.
    ShadowedSelector = "shadowed-selector", Warning;
    /// An operation that is refused because two domains claim it.
    AmbiguousOperation = "ambiguous-operation", Warning;
    /// A selector of a mapper, which nothing reads.
    MapperSelector = "mapper-selector", Warning;
    /// A policy that nothing refers to.
    UnusedPolicy = "unused-policy", Warning;
    /// A library that nothing depends on.
    UnusedLibrary = "unused-library", Note;
    /// A role that is in no group.
    UnusedRole = "unused-role", Note;
    /// A resource group that no resource is in.
    UnusedResourceGroup = "unused-resource-group", Note;
    /// A group that gives nothing.
    EmptyGroup = "empty-group", Warning;
    /// A builtin that newer Rego no longer has.
    DeprecatedBuiltin = "deprecated-builtin", Warning;
    /// A call of `print` or `trace`.
    LeftoverPrint = "leftover-print", Warning;
    /// An import that nothing in the module reads.
    UnusedImport = "unused-import", Warning;
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
