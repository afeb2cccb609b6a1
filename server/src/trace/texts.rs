//! What the places of a traced program mean: texts, names and rows.

use gavel_compiler::source::{FileId, SourceMap, Span};
use gavel_runtime::bytecode::Extent;

/// The texts that a program was made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'s> {
    /// All texts.
    pub(crate) sources: &'s SourceMap,
    /// Which of them each source of the program is.
    pub(crate) files: &'s [FileId],
}

impl<'s> Texts<'s> {
    /// A place in the text that it counts in.
    pub(crate) fn span(self, extent: Extent) -> Option<Span> {
        let file = self.files.get(usize::try_from(extent.source).ok()?)?;
        Some(Span {
            file: *file,
            start: extent.start,
            end: extent.end,
        })
    }

    /// `NAME:ROW` in the module.
    pub(crate) fn place(self, extent: Extent) -> Option<String> {
        let span = self.span(extent)?;
        let name = &self.sources.source(span.file).name;
        Some(format!("{name}:{}", self.sources.row(span)))
    }

    /// `FILE:ROW` in the file that the author edits.
    pub(crate) fn place_on_disk(self, extent: Extent) -> Option<String> {
        let span = self.sources.on_disk(self.span(extent)?);
        let name = &self.sources.source(span.file).name;
        Some(format!("{name}:{}", self.sources.row(span)))
    }

    /// What stands there, on one line.
    pub(crate) fn text(self, extent: Extent) -> String {
        let text = self.span(extent).map_or("", |span| self.sources.slice(span));
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ")
    }

    /// Length of the longest name of a source of the program.
    pub(crate) fn name_chars(self) -> usize {
        let names = self.files.iter().map(|file| &self.sources.source(*file).name);
        names.map(|name| name.chars().count()).max().unwrap_or(0)
    }
}
