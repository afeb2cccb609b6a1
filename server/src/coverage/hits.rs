//! Counts what decisions ran. Sees events of an image that was compiled for tracing; other images tell nothing.

use std::collections::HashMap;

use gavel_runtime::bytecode::Extent;
use gavel_runtime::decision::{Asked, Watcher};
use gavel_runtime::vm::{Event, Observer};

use crate::trace::DecisionTrace;

/// How often something ran, by its place.
#[derive(Default)]
pub(crate) struct Hits {
    /// Bodies of rules whose statements all held.
    pub(crate) bodies: HashMap<Key, u64>,
    /// Statements that were asked.
    pub(crate) statements: HashMap<Key, u64>,
    /// Parts of statements that failed before the statement itself was reached.
    pub(crate) failures: HashMap<Key, u64>,
}

/// Source of the program, first byte, one past the last.
pub(crate) type Key = (u32, u32, u32);

fn key(extent: Extent) -> Key {
    (extent.source, extent.start, extent.end)
}

impl Observer for Hits {
    fn event(&mut self, event: &Event<'_>) {
        let (counts, extent) = match event {
            Event::Yields(extent) => (&mut self.bodies, extent),
            Event::Stmt(extent) => (&mut self.statements, extent),
            Event::Fails(extent, _) => (&mut self.failures, extent),
            Event::Enter { .. }
            | Event::Leave(_)
            | Event::Known { .. }
            | Event::Body(_)
            | Event::Holds(_)
            | Event::Bound { .. } => return,
        };
        let count = counts.entry(key(*extent)).or_default();
        *count = count.saturating_add(1);
    }
}

/// Counts what one decision runs, and traces it if that was asked for, too.
pub(crate) struct CountedDecision<'c, 't> {
    hits: &'c mut Hits,
    trace: Option<&'c mut DecisionTrace<'t>>,
    /// The policy that is asked now is traced.
    is_traced: bool,
}

impl<'c, 't> CountedDecision<'c, 't> {
    /// Adds to `hits`.
    pub(crate) fn new(
        hits: &'c mut Hits,
        trace: Option<&'c mut DecisionTrace<'t>>,
    ) -> CountedDecision<'c, 't> {
        CountedDecision {
            hits,
            trace,
            is_traced: false,
        }
    }
}

impl Watcher for CountedDecision<'_, '_> {
    fn asks(&mut self, asked: &Asked<'_>) -> Option<&mut dyn Observer> {
        self.is_traced = self
            .trace
            .as_mut()
            .is_some_and(|trace| trace.asks(asked).is_some());
        Some(self)
    }
}

impl Observer for CountedDecision<'_, '_> {
    fn event(&mut self, event: &Event<'_>) {
        self.hits.event(event);
        if let Some(trace) = self.trace.as_mut().filter(|_| self.is_traced) {
            trace.event(event);
        }
    }
}
