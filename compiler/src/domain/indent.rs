//! Lines of flow collections and quoted scalars that stand further left than YAML 1.2 wants.
//!
//! A closing bracket below its key is common, yaml.v3 reads it, the parser refuses it. White space at the start of such
//! lines means nothing, so the line that the parser stopped at is moved to the right and the text is read again. Only lines
//! that are known to be inside of a flow collection or a quoted scalar are touched; places are those of the file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Marker, ScanError};

use super::limits;
use super::text::Lines;

/// Spaces put in front of a line; a line that needs more is moved again.
const STEP: usize = 128;

/// A text with lines moved to the right.
pub(super) struct Indents<'t> {
    text: &'t str,
    lines: Lines,
    /// Spaces in front of a line, by row.
    added: BTreeMap<usize, usize>,
    /// Bytes that were read again.
    read_again: usize,
}

impl<'t> Indents<'t> {
    pub(super) fn new(text: &'t str) -> Indents<'t> {
        Indents {
            text,
            lines: Lines::new(text),
            added: BTreeMap::new(),
            read_again: 0,
        }
    }

    /// The text as the parser shall see it.
    pub(super) fn apply(&self) -> Cow<'t, str> {
        if self.added.is_empty() {
            return Cow::Borrowed(self.text);
        }
        let mut moved = String::with_capacity(self.text.len() + self.added.len() * STEP);
        let mut from = 0;
        for (&row, &spaces) in &self.added {
            let start = self.lines.start(row, self.text);
            moved.push_str(self.text.get(from..start).unwrap_or(""));
            moved.extend(std::iter::repeat_n(' ', spaces));
            from = start;
        }
        moved.push_str(self.text.get(from..).unwrap_or(""));
        Cow::Owned(moved)
    }

    /// The byte of the text that the parser's mark stands for.
    pub(super) fn byte(&self, mark: Marker) -> u32 {
        let added = self.added.get(&mark.line()).copied().unwrap_or(0);
        self.lines
            .byte(self.text, mark.line(), mark.col().saturating_sub(added))
    }

    /// Moves the lines that an error is about; `false` if it is about something else, or enough was read already.
    pub(super) fn repair(&mut self, error: &ScanError) -> bool {
        self.read_again += self.text.len();
        if self.read_again > limits::reread_bytes_max(self.text.len()) {
            return false;
        }
        let row = error.marker().line();
        match error.info() {
            // The parser leaves blocks before it looks at the indentation, so this line is inside of a flow collection.
            "invalid indentation" | "invalid indentation in flow construct" => {
                *self.added.entry(row).or_default() += STEP;
                true
            }
            "invalid indentation in quoted scalar" => self.move_quoted(*error.marker()),
            _ => false,
        }
    }

    /// Moves all further lines of the quoted scalar at a mark. One that starts with a document marker must stay.
    fn move_quoted(&mut self, mark: Marker) -> bool {
        let start = self.byte(mark) as usize;
        let Some(end) = self.text.get(start..).and_then(quoted_len).map(|len| start + len) else {
            return false;
        };
        let mut moved = false;
        for row in mark.line() + 1.. {
            let at = self.lines.start(row, self.text);
            if at >= end {
                break;
            }
            let line = self.text.get(at..).unwrap_or("");
            if line.starts_with("---") || line.starts_with("...") {
                return false;
            }
            *self.added.entry(row).or_default() += STEP;
            moved = true;
        }
        moved
    }
}

/// Bytes of the quoted scalar at the start of a text.
fn quoted_len(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote == '"' => _ = chars.next(),
            '\'' if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') => _ = chars.next(),
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
