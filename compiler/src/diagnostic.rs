//! What a stage found wrong, as values: a code, a headline, labelled spans, help. Text is made in `render.rs`.

use crate::lint::Rule;
use crate::source::Span;

/// Kind of a diagnostic. The `rego_*` codes are OPA's, because users and tests know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// `rego_parse_error`
    RegoParse,
    /// `rego_compile_error`
    RegoCompile,
    /// `rego_type_error`
    RegoType,
    /// `rego_unsafe_var_error`
    RegoUnsafeVar,
    /// `rego_recursion_error`
    RegoRecursion,
    /// `unsupported`: valid Rego that this version refuses by name; never accepted and wrong.
    Unsupported,
    /// `yaml`: the file is not YAML.
    Yaml,
    /// `domain`: the YAML is not a PolicyDomain (kind, version, types, missing members).
    Domain,
    /// `reference`: a name that points to nothing.
    Reference,
    /// `cycle`: libraries that depend on each other in a circle.
    Cycle,
    /// `duplicate`: one name defined twice.
    Duplicate,
    /// `selector`: a selector that is not a regular expression.
    Selector,
    /// `limit`: an input over one of the bounds of `limits.rs`.
    Limit,
    /// A lint; the code is the rule's.
    Lint(Rule),
}

impl Code {
    /// The code as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Code::RegoParse => "rego_parse_error",
            Code::RegoCompile => "rego_compile_error",
            Code::RegoType => "rego_type_error",
            Code::RegoUnsafeVar => "rego_unsafe_var_error",
            Code::RegoRecursion => "rego_recursion_error",
            Code::Unsupported => "unsupported",
            Code::Yaml => "yaml",
            Code::Domain => "domain",
            Code::Reference => "reference",
            Code::Cycle => "cycle",
            Code::Duplicate => "duplicate",
            Code::Selector => "selector",
            Code::Limit => "limit",
            Code::Lint(rule) => rule.code(),
        }
    }
}

/// How grave a diagnostic is. Only an error stops a compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The input is refused.
    Error,
    /// The input is taken; the user should know.
    Warning,
    /// The input is taken and may well be meant; worth a look.
    Note,
}

/// A span that helps to understand a diagnostic, with a short text (may be empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What to underline.
    pub span: Span,
    /// What is said there.
    pub text: String,
}

/// The entry of a PolicyDomain that a diagnostic is about. What is unknown is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entity {
    /// Name of the domain.
    pub domain: String,
    /// Kind of the entry: `policy`, `library`, `role`, …
    pub kind: &'static str,
    /// Its MRN, name or position.
    pub id: String,
    /// The field.
    pub field: String,
}

/// One finding. The headline must stand alone: lower case, no full stop, user text in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Kind.
    pub code: Code,
    /// Headline.
    pub message: String,
    /// Where. `None` only for findings about a whole set of files.
    pub span: Option<Span>,
    /// Further places.
    pub labels: Vec<Label>,
    /// What the user can do.
    pub help: Vec<String>,
    /// The entry of a PolicyDomain that it is about.
    pub entity: Option<Box<Entity>>,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: Some(span),
            labels: Vec::new(),
            help: Vec::new(),
            entity: None,
        }
    }

    /// A warning at a place.
    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, span, message)
        }
    }

    /// An error that belongs to no single place.
    #[must_use]
    pub fn global(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: None,
            labels: Vec::new(),
            help: Vec::new(),
            entity: None,
        }
    }

    /// Code and message. Messages of YAML files begin with their code, as users of the reference engine know them.
    #[must_use]
    pub fn headline(&self) -> String {
        let code = self.code.as_str();
        match self.message.strip_prefix(code) {
            Some(rest) if rest.starts_with(": ") => self.message.clone(),
            _ => format!("{code}: {}", self.message),
        }
    }

    /// Adds a labelled place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says which entry it is about.
    #[must_use]
    pub fn about(mut self, entity: Entity) -> Diagnostic {
        self.entity = Some(Box::new(entity));
        self
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }
}
