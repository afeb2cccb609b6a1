//! Findings as the rules make them.

use super::rule::Rule;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// Collects findings; the severity is the rule's.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Diagnostic>,
}

impl Findings {
    /// Adds one with a line of advice. The caller may add places to what is returned.
    pub(super) fn add(
        &mut self,
        rule: Rule,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(finding(rule, span, message, help));
    }

    /// Adds one that was made by [`finding`].
    pub(super) fn push(&mut self, finding: Diagnostic) {
        self.list.push(finding);
    }

    pub(super) fn into_list(self) -> Vec<Diagnostic> {
        self.list
    }
}

/// A finding, to add places to.
pub(super) fn finding(
    rule: Rule,
    span: Span,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Diagnostic {
    Diagnostic {
        severity: rule.severity(),
        ..Diagnostic::error(Code::Lint(rule), span, message).help(help)
    }
}
