//! The texts of problems that concern an entry of a domain, and the summary line over many.

use crate::diagnostic::{Code, Diagnostic, Entity, Severity};
use crate::source::Span;

/// The entry a problem is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Name of the domain; may be empty.
    pub(super) domain: &'a str,
    /// Kind of the entry.
    pub(super) kind: &'static str,
    /// Its MRN, name or position; may be empty.
    pub(super) id: &'a str,
}

impl Place<'_> {
    /// An error at `span`: `in domain 'D' role 'ID' field 'F': MESSAGE`, without what is unknown.
    pub(super) fn error(&self, code: Code, span: Span, field: &str, message: &str) -> Diagnostic {
        let mut text = String::new();
        let mut part = |word: &str, name: &str| {
            if !name.is_empty() {
                let space = if text.is_empty() { "" } else { " " };
                text.push_str(&format!("{space}{word} '{name}'"));
            }
        };
        part("in domain", self.domain);
        part(self.kind, self.id);
        part("field", field);
        Diagnostic::error(code, span, format!("{text}: {message}")).about(self.entity(field))
    }

    /// The entry with a field of it.
    pub(super) fn entity(&self, field: &str) -> Entity {
        Entity {
            domain: self.domain.to_owned(),
            kind: self.kind,
            id: self.id.to_owned(),
            field: field.to_owned(),
        }
    }
}

/// The message of a problem without the `in domain …:` in front, for reports that name the place themselves.
#[must_use]
pub fn without_place(message: &str) -> &str {
    let after_field = message
        .strip_prefix("in domain '")
        .and_then(|rest| rest.split_once("' field '"));
    after_field
        .and_then(|(_, rest)| rest.split_once("': "))
        .map_or(message, |(_, bare)| bare)
}

/// The kind of a problem in a summary.
#[must_use]
pub fn kind_of(code: Code) -> &'static str {
    match code {
        Code::RegoParse | Code::RegoCompile | Code::RegoType | Code::RegoUnsafeVar | Code::RegoRecursion => {
            "rego"
        }
        other => other.as_str(),
    }
}

/// All errors of a failed load as one text: the message alone if there is one, else a numbered list under
/// `validation failed with N errors:`. Warnings are left out.
#[must_use]
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors: Vec<_> = diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .collect();
    if let [only] = errors.as_slice() {
        return only.message.clone();
    }
    let mut text = format!("validation failed with {} errors:", errors.len());
    for (nth, error) in errors.iter().enumerate() {
        text.push_str(&format!(
            "\n  {}. [{}] {}",
            nth + 1,
            kind_of(error.code),
            error.message
        ));
    }
    text
}
