//! Collects what the stages find, stops where OPA stops, and puts the result in the order of the sources.

use crate::diagnostic::{Code, Diagnostic, Label};
use crate::source::{FileId, SourceMap, Span};
use std::collections::{BTreeMap, HashSet};

/// Findings of one analysis.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Diagnostic>,
    limit: Option<usize>,
    stopped: bool,
    /// Places that OPA does not know: what is found there has no position, only a label.
    placeless: HashSet<Span>,
    /// Texts of which OPA gives one place for all that is found in them, by file and start.
    moved: BTreeMap<(FileId, u32), (Span, Span)>,
}

impl Findings {
    /// `limit`: errors after which no more are taken.
    pub(super) fn new(limit: Option<usize>) -> Findings {
        Findings {
            list: Vec::new(),
            limit: limit.filter(|limit| *limit > 0),
            stopped: false,
            placeless: HashSet::new(),
            moved: BTreeMap::new(),
        }
    }

    /// An error after which later stages make no sense: the analysis ends with this stage.
    pub(super) fn fatal(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.add(Diagnostic::error(code, span, message));
        self.stopped = true;
    }

    /// An error that leaves the program in a state that later stages can judge.
    pub(super) fn recoverable(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.add(Diagnostic::error(code, span, message));
    }

    /// Takes fatal diagnostics.
    pub(super) fn fatal_all(&mut self, found: Vec<Diagnostic>) {
        self.stopped |= !found.is_empty();
        self.recoverable_all(found);
    }

    /// Takes recoverable diagnostics.
    pub(super) fn recoverable_all(&mut self, found: Vec<Diagnostic>) {
        for diagnostic in found {
            self.add(diagnostic);
        }
    }

    /// Takes the position from everything that will be found at a place.
    pub(super) fn hide_place(&mut self, span: Span) {
        self.placeless.insert(span);
    }

    /// What will be found within a text stands at another place. No two such texts overlap.
    pub(super) fn move_place(&mut self, within: Span, to: Span) {
        self.moved.insert((within.file, within.start), (within, to));
    }

    fn moved(&self, span: Span) -> Option<Span> {
        let before = self
            .moved
            .range((span.file, 0)..=(span.file, span.start))
            .next_back();
        let (within, to) = before.map(|(_, moved)| *moved)?;
        (span.end <= within.end).then_some(to)
    }

    fn add(&mut self, mut diagnostic: Diagnostic) {
        if self.is_full() {
            return;
        }
        if let Some((span, to)) = diagnostic.span.and_then(|span| Some((span, self.moved(span)?))) {
            diagnostic.span = Some(to);
            diagnostic.labels.insert(
                0,
                Label {
                    span,
                    text: String::new(),
                },
            );
        }
        if let Some(span) = diagnostic.span.filter(|span| self.placeless.contains(span)) {
            diagnostic.span = None;
            diagnostic = diagnostic.label(span, "");
        }
        self.list.push(diagnostic);
        self.stopped |= self.is_full();
    }

    /// Whether no more findings are taken.
    pub(super) fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.list.len() >= limit)
    }

    /// Whether anything was found yet.
    pub(super) fn found_any(&self) -> bool {
        !self.list.is_empty()
    }

    /// Whether the next stage must not run.
    pub(super) fn stopped(&self) -> bool {
        self.stopped
    }

    /// All findings by place, those without one last, the limit marker behind them; `Ok` when there are none.
    pub(super) fn finish(mut self, sources: &SourceMap) -> Result<(), Vec<Diagnostic>> {
        if self.list.is_empty() {
            return Ok(());
        }
        let full = self.is_full();
        self.list.sort_by(|a, b| {
            let place = |d: &Diagnostic| {
                let place = d
                    .span
                    .map(|span| (sources.source(span.file).name.as_ref(), span.start));
                (place.is_none(), place)
            };
            let text = |d: &Diagnostic| (d.code.as_str(), d.message.clone());
            place(a).cmp(&place(b)).then_with(|| text(a).cmp(&text(b)))
        });
        if full {
            self.list
                .push(Diagnostic::global(Code::RegoCompile, "error limit reached"));
        }
        Err(self.list)
    }
}
