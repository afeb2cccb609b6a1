//! Where yaml.v3 sees an error that our YAML parser sees elsewhere, or not at all.
//!
//! Its scanner counts lines from one and its parser from zero; both name the line on which the construct began that was
//! being read, unless that is the first, and the place of the error otherwise; the first line has no number. OPA takes the
//! number for an index into the comments of a block, the marker being the first.

use saphyr_parser::{Event, Parser, Span};

/// The line that yaml.v3 names: `line` is the one (from 1) that our parser names, for `reason`. None: no line.
pub(super) fn line(text: &str, line: usize, reason: &str) -> Option<usize> {
    let last = text.lines().count();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| reason.starts_with(prefix));
    if starts(&[
        "invalid indentation in quoted",
        "while scanning a quoted scalar, found unexpected end",
    ]) {
        // Our line is that of the quote, the error stands at the end.
        return Some(if line < 2 { last + 1 } else { line });
    }
    if starts(&["simple key expect"]) {
        // The key stands above.
        return Some(if line > 2 { line - 1 } else { line }).filter(|line| *line > 1);
    }
    if starts(&["while scanning a plain scalar, found a tab"]) {
        return Some(line.max(2));
    }
    let of_collection = starts(&[
        "while parsing a block",
        "while parsing a flow",
        "illegal placement of",
        "\"-\" is only valid inside",
        "plain scalar cannot start with '-'",
        "invalid trailing content after",
    ]);
    if of_collection {
        let began = open_collection(text).unwrap_or(1);
        let line = if began > 1 { began } else { line };
        return Some(line - 1).filter(|line| *line > 0);
    }
    if starts(&["while parsing a node", "did not find expected <document"]) {
        return Some(line.saturating_sub(1)).filter(|line| *line > 0);
    }
    Some(line).filter(|line| *line > 1)
}

/// Line (from 1) of the innermost collection that is open where reading ends.
fn open_collection(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), span)) => open.push(span.start.line()),
            Ok((Event::SequenceEnd | Event::MappingEnd, _)) => {
                open.pop();
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    open.last().copied()
}

/// Line (from 1) of a tab where yaml.v3 allows only spaces: at the start of a line, outside of scalars and brackets.
pub(super) fn stray_tab(text: &str) -> Option<usize> {
    if !text.contains('\t') {
        return None;
    }
    let inside = spans(text);
    let mut start = 0;
    for (row, line) in text.split('\n').enumerate() {
        let content = line.trim_start_matches(' ');
        let at = start + line.len() - content.len();
        let index = text.get(..at).map_or(0, |before| before.chars().count());
        let is_inside = |(from, to): &(usize, usize)| *from < index && index < *to;
        if content.starts_with('\t') && !inside.iter().any(is_inside) {
            return Some(row + 1);
        }
        start += line.len() + 1;
    }
    None
}

/// Characters of scalars and of collections in brackets.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open: Vec<Span> = Vec::new();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::Scalar(..), span)) => found.push((span.start.index(), span.end.index())),
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), span)) => open.push(span),
            Ok((Event::SequenceEnd | Event::MappingEnd, span)) => {
                let Some(start) = open.pop() else { continue };
                // The start of a collection in brackets is the bracket itself, that of a block has no width.
                if start.end.index() > start.start.index() {
                    found.push((start.start.index(), span.end.index()));
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found
}
