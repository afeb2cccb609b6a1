//! Block scalars, `|` and `>`, where OPA's reader and ours differ about them.

use crate::builtins::Failure;
use crate::error::EvalErrorKind;
use saphyr_parser::Span;
use std::borrow::Cow;
use std::ops::Range;

/// Where a block scalar stands.
pub(super) struct Place<'s> {
    pub(super) span: &'s Span,
    /// Nothing comes behind it.
    pub(super) ends_text: bool,
    /// It is the root of a document.
    pub(super) is_root: bool,
    /// The span begins with an anchor or a tag; otherwise with the content, or with the head if there is none.
    pub(super) has_properties: bool,
}

impl Place<'_> {
    /// The value as OPA's reader has it, from that of ours. `from_start`: the text from the span's start.
    pub(super) fn value<'t>(
        &self,
        source: &str,
        from_start: &[char],
        value: Cow<'t, str>,
    ) -> Result<Cow<'t, str>, Failure> {
        let lacks_break = self.ends_text && !source.ends_with('\n');
        let has_added_break = if has_content(&value) {
            let column = match self.has_properties {
                false => Some(self.span.start.col()),
                true => content_column(from_start),
            };
            if self.is_root && column == Some(0) {
                return Err(in_first_column(&value));
            }
            // Our reader ends a last line that is indented as the others are.
            match column {
                Some(column) => lacks_break && last_indent(source) >= column,
                None if lacks_break => return Err(Failure::Abort(EvalErrorKind::StrictBuiltin)),
                None => false,
            }
        } else {
            // And one of blanks behind the head.
            lacks_break
                && value == "\n"
                && behind_head(from_start).is_some_and(|(_, rest)| !rest.contains(&'\n'))
        };
        // It ends nothing below a head with `-`, where the value has no break at its end.
        match value.strip_suffix('\n') {
            Some(without) if has_added_break => Ok(Cow::Owned(without.to_owned())),
            _ => Ok(value),
        }
    }

    /// The lines of the content, from 0. None where OPA's reader may refuse it for a tab, or where it is not clear.
    /// `to_start`: the text up to the span.
    pub(super) fn lines(&self, value: &str, to_start: &[char]) -> Option<Range<usize>> {
        let has_column = !begins_with_tab(value) || names_column(to_start);
        let start = self.span.start.line().checked_sub(1)?;
        let end = self.span.end.line() - usize::from(!self.ends_text);
        (!self.has_properties && has_content(value) && has_column).then_some(start..end)
    }
}

/// Whether the content begins with a tab. OPA's reader takes it for content only where the head names the column.
pub(super) fn begins_with_tab(value: &str) -> bool {
    value.trim_start_matches('\n').starts_with('\t')
}

/// Whether the last line that is not blank is a head that names the column of its content, and has no comment.
fn names_column(text: &[char]) -> bool {
    let mut marks = text.iter().rev().skip_while(|c| c.is_whitespace()).peekable();
    let mut has_digit = false;
    while let Some(mark) = marks.next_if(|c| matches!(c, '+' | '-' | '1'..='9')) {
        has_digit |= mark.is_ascii_digit();
    }
    let is_mark = marks.next().is_some_and(|c| matches!(c, '|' | '>'));
    has_digit && is_mark && !marks.take_while(|c| **c != '\n').any(|c| *c == '#')
}

fn has_content(value: &str) -> bool {
    !value.trim_matches('\n').is_empty()
}

/// In the first column there is no content for OPA's reader, but what may be a comment.
fn in_first_column(value: &str) -> Failure {
    match value.trim_start_matches('\n').starts_with('#') {
        true => Failure::Abort(EvalErrorKind::StrictBuiltin),
        false => Failure::BUILTIN,
    }
}

/// Blanks in front of the last line.
fn last_indent(source: &str) -> usize {
    let line = source.rsplit('\n').next().unwrap_or_default();
    line.len() - line.trim_start_matches(' ').len()
}

/// The column of the content. None if the head names it.
fn content_column(from_start: &[char]) -> Option<usize> {
    let (head, rest) = behind_head(from_start)?;
    let has_content = |line: &&[char]| line.iter().any(|c| *c != ' ');
    let line = rest.split(|c| *c == '\n').find(has_content)?;
    let column = line.iter().position(|c| *c != ' ');
    let marks = head.iter().take_while(|c| !matches!(c, ' ' | '\t' | '#'));
    column.filter(|_| !marks.into_iter().any(char::is_ascii_digit))
}

/// The line of the head from its mark on, and the text behind it. `text`: from the head on, or from anchors and tags in
/// front of it.
fn behind_head(mut text: &[char]) -> Option<(&[char], &[char])> {
    loop {
        let skipped = match text.first()? {
            '|' | '>' => {
                let end = text.iter().position(|c| *c == '\n')?;
                return Some((text.get(..end)?, text.get(end + 1..)?));
            }
            '&' | '!' => text.iter().position(|c| c.is_whitespace())?,
            '#' => text.iter().position(|c| *c == '\n')?,
            c if c.is_whitespace() => 1,
            _ => return None,
        };
        text = text.get(skipped..)?;
    }
}

/// The text without these lines.
pub(super) fn without_lines(text: &str, lines: &[Range<usize>]) -> String {
    let mut lines = lines.iter().peekable();
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split_inclusive('\n').enumerate() {
        while lines.next_if(|lines| lines.end <= at).is_some() {}
        if lines.peek().is_none_or(|lines| !lines.contains(&at)) {
            out.push_str(line);
        }
    }
    out
}
