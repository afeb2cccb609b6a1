//! Rows of source text for the line table.

use crate::source::{FileId, SourceMap, Span};
use std::collections::HashMap;

/// Finds rows of spans; remembers where the lines of each text start.
#[derive(Debug, Default)]
pub(super) struct Rows {
    starts: HashMap<FileId, Vec<u32>>,
}

impl Rows {
    /// The row of a span's start in its own text, from 1.
    pub(super) fn row(&mut self, sources: &SourceMap, span: Span) -> u32 {
        let starts = self.starts.entry(span.file).or_insert_with(|| {
            let text = &sources.source(span.file).text;
            let ends = text.bytes().zip(1u32..).filter(|(byte, _)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(_, next)| next)).collect()
        });
        let row = starts.partition_point(|start| *start <= span.start);
        u32::try_from(row).unwrap_or(u32::MAX)
    }
}
