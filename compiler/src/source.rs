//! Where text came from: files, Rego modules embedded in YAML, and spans into both.
//!
//! A [`Span`] is a byte range of one *text*: a whole file, or a Rego module cut out of a YAML scalar. For the latter the
//! map knows which byte of the YAML file each piece of module text stood at, so a diagnostic can name the line and column
//! that the author edits. No files are read here.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// One text of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A byte range `start..end` of one text. `end == start` marks a place between two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The text the offsets count in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from the start of `self` to the end of `other`; both must be of one text.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            file: self.file,
            start: self.start,
            end: other.end.max(self.start),
        }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether the span covers no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// How a text relates to the file on disk.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The text is the file.
    Whole,
    /// The text was decoded from a scalar of `yaml`.
    Embedded {
        /// The YAML file.
        yaml: FileId,
        /// `(offset in the module text, offset in the YAML text)` of the first byte of each run that was copied
        /// unchanged, in increasing order; at least one for each line of the module.
        runs: Vec<(u32, u32)>,
    },
    /// The text was put together from several files, as a PolicyDomain whose `.rego` files were written into it.
    Inlined {
        /// `(offset in this text, file, offset in that file)` of the first byte of each piece, in increasing order.
        pieces: Vec<(u32, FileId, u32)>,
    },
}

/// One text with its name.
#[derive(Clone, Debug)]
pub struct Source {
    /// What a user calls it: a path as given, or the MRN of an embedded module.
    pub name: Arc<str>,
    /// The text, UTF-8.
    pub text: Arc<str>,
    /// Where it stands on disk.
    pub origin: Origin,
    /// First byte of each line, made when first asked for.
    lines: OnceLock<Vec<u32>>,
    /// Characters in front of each [`STRIDE`]th byte, made when first asked for: a file of one line may have as many
    /// findings as characters.
    characters: OnceLock<Vec<u32>>,
}

/// Bytes between two counts of characters.
const STRIDE: usize = 4096;

impl Source {
    /// First byte of each line.
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = self.text.bytes().zip(1u32..).filter(|(byte, _)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(_, next)| next)).collect()
        })
    }

    /// How many characters begin in front of a byte. O(1) once it was asked for.
    fn characters_before(&self, offset: usize) -> u32 {
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        let bytes = self.text.as_bytes();
        let counts = self.characters.get_or_init(|| {
            let mut before = 0;
            let chunks = bytes.chunks(STRIDE).map(|chunk| {
                let here = before;
                before += u32::try_from(count(chunk)).unwrap_or(u32::MAX);
                here
            });
            chunks.collect()
        });
        let chunk = offset / STRIDE;
        let rest = bytes.get(chunk * STRIDE..offset).unwrap_or_default();
        let before = counts.get(chunk).copied().unwrap_or(0);
        before + u32::try_from(count(rest)).unwrap_or(u32::MAX)
    }

    /// The lines around a byte range, without the last line end. O(log lines).
    pub(crate) fn whole_lines(&self, first: usize, last: usize) -> Range<usize> {
        let line_of = |at: usize| self.row(u32::try_from(at).unwrap_or(u32::MAX)) as usize;
        let start_of = |row: usize| self.lines().get(row).map(|start| *start as usize);
        let start = line_of(first).checked_sub(1).and_then(start_of).unwrap_or(0);
        let end = start_of(line_of(last.max(first))).map_or(self.text.len(), |next| next - 1);
        start..end
    }

    /// Line of a byte, from 1. O(log lines).
    fn row(&self, offset: u32) -> u32 {
        let row = self.lines().partition_point(|start| *start <= offset);
        u32::try_from(row).unwrap_or(u32::MAX)
    }
}

/// Row and column as people count them: both from 1, columns in code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub row: u32,
    /// Column in code points, from 1.
    pub col: u32,
}

/// All texts of one compilation. Append only.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// Adds a file as it is on disk.
    pub fn add_file(&mut self, name: &str, text: &str) -> FileId {
        self.push(Source {
            name: name.into(),
            text: text.into(),
            origin: Origin::Whole,
            lines: OnceLock::new(),
            characters: OnceLock::new(),
        })
    }

    /// Adds module text that was decoded from a scalar of `yaml`; see [`Origin::Embedded`] for `runs`.
    pub fn add_embedded(&mut self, name: &str, text: &str, yaml: FileId, runs: Vec<(u32, u32)>) -> FileId {
        self.push(Source {
            name: name.into(),
            text: text.into(),
            origin: Origin::Embedded { yaml, runs },
            lines: OnceLock::new(),
            characters: OnceLock::new(),
        })
    }

    /// Adds a text that was put together from others; see [`Origin::Inlined`] for `pieces`.
    pub fn add_inlined(&mut self, name: &str, text: &str, pieces: Vec<(u32, FileId, u32)>) -> FileId {
        self.push(Source {
            name: name.into(),
            text: text.into(),
            origin: Origin::Inlined { pieces },
            lines: OnceLock::new(),
            characters: OnceLock::new(),
        })
    }

    /// How many texts there are; ids count from 0.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    fn push(&mut self, source: Source) -> FileId {
        let id = FileId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(source);
        id
    }

    /// The text behind an id that this map handed out.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "ids are only made by the map that holds the texts"
    )]
    pub fn source(&self, file: FileId) -> &Source {
        &self.sources[file.0 as usize]
    }

    /// The bytes a span covers; empty where the span does not fit its text.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.source(span.file)
            .text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }

    /// Row and column of a span's start inside its own text: OPA's positions. O(log lines).
    #[must_use]
    pub fn position(&self, span: Span) -> Position {
        let source = self.source(span.file);
        let row = source.row(span.start);
        let start = row
            .checked_sub(1)
            .and_then(|at| source.lines().get(at as usize))
            .map_or(0, |start| *start);
        let mut at = (span.start as usize).min(source.text.len());
        while !source.text.is_char_boundary(at) {
            at -= 1;
        }
        let before_line = source.characters_before(start as usize);
        Position {
            row,
            col: source.characters_before(at).saturating_sub(before_line) + 1,
        }
    }

    /// Row of a span's start inside its own text, from 1.
    #[must_use]
    pub fn row(&self, span: Span) -> u32 {
        self.source(span.file).row(span.start)
    }

    /// The span in the YAML text that a module was cut out of; other spans stay as they are.
    #[must_use]
    pub fn in_yaml(&self, span: Span) -> Span {
        let Origin::Embedded { yaml, runs } = &self.source(span.file).origin else {
            return span;
        };
        let start = map_offset(runs, span.start);
        let end = if span.is_empty() {
            start
        } else {
            map_offset(runs, span.end - 1) + 1
        };
        Span {
            file: *yaml,
            start,
            end: end.max(start),
        }
    }

    /// The span in the file on disk: a span of an embedded module moves to its YAML file, one of an inlined text to the
    /// file that its start came from.
    #[must_use]
    pub fn on_disk(&self, span: Span) -> Span {
        match &self.source(span.file).origin {
            Origin::Whole => span,
            Origin::Embedded { .. } => self.on_disk(self.in_yaml(span)),
            Origin::Inlined { pieces } => {
                let next = pieces.partition_point(|piece| piece.0 <= span.start);
                let Some(&(at, file, from)) = next.checked_sub(1).and_then(|at| pieces.get(at)) else {
                    return span;
                };
                let limit = pieces.get(next).map_or(span.end, |piece| piece.0.min(span.end));
                let start = from + (span.start - at);
                Span {
                    file,
                    start,
                    end: start + limit.saturating_sub(span.start),
                }
            }
        }
    }
}

fn map_offset(runs: &[(u32, u32)], offset: u32) -> u32 {
    let next = runs.partition_point(|run| run.0 <= offset);
    match next.checked_sub(1).and_then(|at| runs.get(at)) {
        Some(&(from, to)) => to + (offset - from),
        None => runs.first().map_or(0, |run| run.1),
    }
}

/// Row and column of a byte offset of `text`. O(offset).
#[must_use]
pub fn position_in(text: &str, offset: u32) -> Position {
    let mut at = (offset as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |nl| nl + 1);
    let row = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let col = before[line_start..].chars().count() + 1;
    Position {
        row: u32::try_from(row).unwrap_or(u32::MAX),
        col: u32::try_from(col).unwrap_or(u32::MAX),
    }
}
