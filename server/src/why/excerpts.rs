//! The texts that bodies of rules stand in, each shown once, with the rows of those bodies.

use gavel_compiler::source::{FileId, SourceMap, Span};
use gavel_runtime::bytecode::Extent;
use serde_json::{Value, json};

use super::bodies::Body;
use crate::limits;
use crate::trace::Texts;

/// Texts in the order in which they were asked for.
pub(super) struct Excerpts<'t> {
    sources: &'t SourceMap,
    shown: Vec<Shown>,
}

struct Shown {
    file: FileId,
    /// Rows of bodies, from 1.
    rows: (u32, u32),
}

/// In place of why a statement failed, where something of requests may not be shown: it has values of theirs.
const NOT_SHOWN: &str = "[redacted]";

/// Rows around bodies where a text is too long to be shown whole.
const AROUND: u32 = 10;

/// Where something stands in the texts.
pub(super) struct Place {
    /// Which of the texts.
    pub(super) text: usize,
    /// First and last row, from 1.
    pub(super) rows: (u32, u32),
    /// `FILE:ROW` in the file that the author edits.
    pub(super) on_disk: Option<String>,
}

impl<'t> Excerpts<'t> {
    /// Of these texts.
    pub(super) fn new(sources: &'t SourceMap) -> Excerpts<'t> {
        Excerpts {
            sources,
            shown: Vec::new(),
        }
    }

    /// Where this place of a program is, which was made from these texts; its text will be shown.
    pub(super) fn place(&mut self, texts: Texts<'_>, extent: Extent) -> Option<Place> {
        let span = texts.span(extent)?;
        let rows = self.rows(span);
        let known = self.shown.iter().position(|shown| shown.file == span.file);
        let text = known.unwrap_or(self.shown.len());
        match self.shown.get_mut(text) {
            Some(shown) => shown.rows = (shown.rows.0.min(rows.0), shown.rows.1.max(rows.1)),
            None => self.shown.push(Shown {
                file: span.file,
                rows,
            }),
        }
        Some(Place {
            text,
            rows,
            on_disk: texts.place_on_disk(extent),
        })
    }

    /// A body that ran, with where it stands; `is_deciding`: what it says decides, if it held. `shows_values`: why a statement
    /// failed is told with the values in it.
    pub(super) fn body(
        &mut self,
        texts: Texts<'_>,
        body: &Body,
        is_deciding: bool,
        shows_values: bool,
    ) -> Option<Value> {
        let place = self.place(texts, body.extent)?;
        let failure = body.failure.as_ref().and_then(|(extent, why)| {
            let rows = self.place(texts, *extent)?.rows;
            let why = if shows_values { why } else { NOT_SHOWN };
            Some(json!({"rows": [rows.0, rows.1], "why": why}))
        });
        Some(json!({
            "rule": body.rule,
            "source": place.text,
            "rows": [place.rows.0, place.rows.1],
            "file": place.on_disk,
            "held": body.held,
            "decided": body.held && is_deciding,
            "failure": failure,
        }))
    }

    fn rows(&self, span: Span) -> (u32, u32) {
        let last = Span {
            start: span.end.saturating_sub(1).max(span.start),
            ..span
        };
        (self.sources.row(span), self.sources.row(last))
    }

    /// The texts, as far as they are shown.
    pub(super) fn json(&self) -> Value {
        self.shown.iter().map(|shown| self.excerpt(shown)).collect()
    }

    fn excerpt(&self, shown: &Shown) -> Value {
        let source = self.sources.source(shown.file);
        let first_row = if source.text.len() <= limits::WHY_TEXT_BYTES_MAX {
            1
        } else {
            shown.rows.0.saturating_sub(AROUND).max(1)
        };
        let mut room = limits::WHY_TEXT_BYTES_MAX;
        let skipped = usize::try_from(first_row).unwrap_or(usize::MAX) - 1;
        let lines: Vec<&str> = source
            .text
            .lines()
            .skip(skipped)
            .take_while(|line| {
                let fits = line.len() < room;
                room = room.saturating_sub(line.len() + 1);
                fits
            })
            .collect();
        json!({"name": &*source.name, "firstRow": first_row, "text": lines.join("\n")})
    }
}
