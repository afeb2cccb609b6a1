//! The trace of one decision: a heading for each policy that is asked and wanted, then what happens in it.

use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::decision::{Asked, Watcher};
use gavel_runtime::vm::{Event, Observer};

use super::{Filter, Lines, Texts};

/// What a service needs to trace its decisions.
#[derive(Debug)]
pub struct Tracing {
    /// The texts of the domains.
    pub sources: SourceMap,
    /// Which of them each source of the image's program is.
    pub files: Vec<FileId>,
    /// What is traced.
    pub filter: Filter,
}

impl Tracing {
    /// The trace of the next decision.
    pub(crate) fn decision(&self) -> DecisionTrace<'_> {
        let texts = Texts {
            sources: &self.sources,
            files: &self.files,
        };
        DecisionTrace::new(texts, &self.filter)
    }
}

/// Writes the trace of one decision.
pub(crate) struct DecisionTrace<'t> {
    filter: &'t Filter,
    lines: Lines<'t>,
}

impl<'t> DecisionTrace<'t> {
    /// For a program that was made from these texts.
    pub(crate) fn new(texts: Texts<'t>, filter: &'t Filter) -> DecisionTrace<'t> {
        DecisionTrace {
            filter,
            lines: Lines::new(texts),
        }
    }

    /// Writes what is left.
    pub(crate) fn finish(&mut self) {
        self.lines.finish();
    }
}

impl Watcher for DecisionTrace<'_> {
    fn asks(&mut self, asked: &Asked<'_>) -> Option<&mut dyn Observer> {
        if !self.filter.wants(asked.policy) {
            return None;
        }
        let (phase, id, policy) = (asked.phase.word(), asked.id, asked.policy);
        let named = if id.is_empty() {
            String::new()
        } else {
            format!(" {id}")
        };
        self.lines
            .heading(&format!("--- {phase}{named} asks policy {policy}"));
        Some(&mut self.lines)
    }
}

impl Observer for DecisionTrace<'_> {
    /// Of the policy that was asked last.
    fn event(&mut self, event: &Event<'_>) {
        self.lines.event(event);
    }
}
