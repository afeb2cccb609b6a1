//! Where the bytes of a decoded YAML scalar stood in the file.
//!
//! The parser hands out decoded text only. For texts that are compiled on (Rego) the scalar is walked once more, style by
//! style, and each run of bytes that was copied unchanged is noted. A walk that does not lead to the decoded text again
//! gives one run, so a place may be rough but never out of the scalar.

use saphyr_parser::ScalarStyle;

use super::yaml::{Node, Scalar};

const CHARS_PER_CHECKPOINT: usize = 64;

/// Offsets of the lines and characters of a file.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    /// `(byte, character)` at which each line starts.
    starts: Vec<(u32, u32)>,
    /// Byte of every 64th character.
    checkpoints: Vec<u32>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Lines {
        let mut starts = vec![(0, 0)];
        let mut checkpoints = Vec::new();
        let mut chars = text.char_indices().enumerate().peekable();
        while let Some((count, (at, c))) = chars.next() {
            if count % CHARS_PER_CHECKPOINT == 0 {
                checkpoints.push(offset(at));
            }
            let breaks = c == '\n' || (c == '\r' && chars.peek().is_none_or(|(_, (_, next))| *next != '\n'));
            if breaks {
                starts.push((offset(at + 1), offset(count + 1)));
            }
        }
        Lines { starts, checkpoints }
    }

    /// Line of a byte, from 1.
    pub(super) fn row(&self, at: u32) -> usize {
        self.starts.partition_point(|start| start.0 <= at)
    }

    /// First byte of a line, from 1; the end of the text for lines behind it.
    pub(super) fn start(&self, row: usize, text: &str) -> usize {
        row.checked_sub(1)
            .and_then(|at| self.starts.get(at))
            .map_or(text.len(), |start| start.0 as usize)
    }

    /// Byte at a line (from 1) and a column in characters (from 0).
    pub(super) fn byte(&self, text: &str, row: usize, col: usize) -> u32 {
        let Some(&(_, first)) = row.checked_sub(1).and_then(|at| self.starts.get(at)) else {
            return offset(text.len());
        };
        let index = first as usize + col;
        let Some(&checkpoint) = self.checkpoints.get(index / CHARS_PER_CHECKPOINT) else {
            return offset(text.len());
        };
        let rest = text.get(checkpoint as usize..).unwrap_or("");
        let within = rest
            .char_indices()
            .nth(index % CHARS_PER_CHECKPOINT)
            .map_or(rest.len(), |(at, _)| at);
        offset(checkpoint as usize + within)
    }
}

/// Offsets fit: files are bounded by `limits::FILE_BYTES_MAX`.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// `(byte of the decoded text, byte of the file)` of each run that was copied unchanged, for `SourceMap::add_embedded`.
pub(super) fn runs(file: &str, lines: &Lines, node: &Node, scalar: &Scalar) -> Vec<(u32, u32)> {
    let head = content_start(file, node.span.start as usize, node.has_properties);
    let found = match scalar.style {
        ScalarStyle::Literal | ScalarStyle::Folded => block_runs(file, lines, node, &scalar.text),
        style => flow_runs(file, head, node.span.end as usize, style, &scalar.text),
    };
    match found {
        Some(runs) if !runs.is_empty() => runs,
        _ => vec![(0, offset(head))],
    }
}

/// Skips the tag and anchor in front of a scalar.
pub(super) fn content_start(file: &str, start: usize, has_properties: bool) -> usize {
    let mut at = start;
    if !has_properties {
        return at;
    }
    loop {
        let rest = file.get(at..).unwrap_or("");
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        at += rest.len() - trimmed.len();
        if !trimmed.starts_with(['&', '!']) {
            return at;
        }
        at += trimmed.find([' ', '\t', '\r', '\n']).unwrap_or(trimmed.len());
    }
}

fn content_of_line(file: &str, lines: &Lines, row: usize) -> (usize, String) {
    let start = lines.start(row, file);
    let line = file.get(start..lines.start(row + 1, file)).unwrap_or("");
    (start, line.trim_end_matches(['\n', '\r']).to_owned())
}

/// First byte behind the quoted scalar that starts at `start`; the parser's span goes on to the next token.
pub(super) fn end_of_quoted(file: &str, start: usize) -> Option<usize> {
    let mut rest = file.get(start..)?.char_indices();
    let (_, quote) = rest.next()?;
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' if quote == '"' => {
                rest.next();
            }
            // A doubled single quote is one in the text.
            '\'' if quote == c && rest.clone().next().is_some_and(|(_, next)| next == c) => {
                rest.next();
            }
            _ if c == quote => return Some(start + at + 1),
            _ => {}
        }
    }
    None
}

/// How a block scalar lies in the file.
struct BlockLayout {
    /// Row of its first line.
    first: usize,
    /// Columns that are no content.
    indent: usize,
}

impl BlockLayout {
    /// Nothing if the scalar holds only blanks.
    fn new(file: &str, lines: &Lines, node: &Node, text: &str) -> Option<BlockLayout> {
        let is_ink = |line: &str| line.bytes().any(|b| b != b' ');
        let leading = |line: &str| line.len() - line.trim_start_matches(' ').len();
        // With a tag or anchor the node starts there, and the content behind the header; else at the first content.
        let header = content_start(file, node.span.start as usize, node.has_properties);
        let from = lines.row(offset(header)) + usize::from(node.has_properties);
        let ink = (from..=lines.starts.len()).find(|row| is_ink(&content_of_line(file, lines, *row).1))?;
        let blank_count = text.split('\n').take_while(|line| !is_ink(line)).count();
        let text_line = text.split('\n').nth(blank_count)?;
        let indent = leading(&content_of_line(file, lines, ink).1).checked_sub(leading(text_line))?;
        Some(BlockLayout {
            first: ink.saturating_sub(blank_count).max(1),
            indent,
        })
    }
}

/// The parser ends the last line of a block scalar that reaches the end of the file; yaml.v3 leaves it as it is, and
/// fingerprints are taken over the text.
pub(super) fn without_invented_newline<'s>(
    file: &str,
    node: &Node,
    style: ScalarStyle,
    text: &'s str,
) -> &'s str {
    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    if !is_block || file.ends_with(['\n', '\r']) || (node.span.end as usize) < file.len() {
        return text;
    }
    let last = file.rsplit(['\n', '\r']).next().unwrap_or("");
    if last.bytes().all(|b| b == b' ') {
        let indent =
            BlockLayout::new(file, &Lines::new(file), node, text).map_or(usize::MAX, |layout| layout.indent);
        if last.len() < indent.max(1) {
            return text;
        }
    }
    text.strip_suffix('\n').unwrap_or(text)
}

/// Block scalars: each line of the file gives one piece of text; between pieces stand line breaks or a fold.
fn block_runs(file: &str, lines: &Lines, node: &Node, text: &str) -> Option<Vec<(u32, u32)>> {
    let leading = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let BlockLayout { first, indent } = BlockLayout::new(file, lines, node, text)?;
    let mut runs = Vec::new();
    let mut breaks: Vec<usize> = Vec::new();
    let mut at = 0;
    for row in first..=lines.starts.len() {
        let (start, line) = content_of_line(file, lines, row);
        let content = if leading(&line) >= indent {
            line.get(indent..).unwrap_or("")
        } else {
            ""
        };
        if !content.is_empty() {
            let rest = text.get(at..)?;
            let newlines = rest.len() - rest.trim_start_matches('\n').len();
            let fold =
                usize::from(!rest[newlines..].starts_with(content) && rest[newlines..].starts_with(' '));
            let gap = newlines + fold;
            if !rest.get(gap..)?.starts_with(content) {
                break;
            }
            let skipped = breaks.len().saturating_sub(gap);
            for (nth, place) in breaks.drain(..).skip(skipped).enumerate() {
                runs.push((offset(at + nth), offset(place)));
            }
            runs.push((offset(at + gap), offset(start + indent)));
            at += gap + content.len();
        }
        breaks.push(start + line.len());
        if at >= text.len() {
            break;
        }
    }
    Some(runs)
}

/// Collects decoded text with the place of each run.
struct Walk {
    text: String,
    runs: Vec<(u32, u32)>,
    next: usize,
}

impl Walk {
    fn copy(&mut self, c: char, from: usize) {
        if from != self.next {
            self.runs.push((offset(self.text.len()), offset(from)));
        }
        self.text.push(c);
        self.next = from + c.len_utf8();
    }

    /// A character that was not copied: an escape or a fold.
    fn make(&mut self, c: char, from: usize) {
        self.runs.push((offset(self.text.len()), offset(from)));
        self.text.push(c);
        self.next = usize::MAX;
    }
}

/// Plain and quoted scalars, with line folding and escapes.
fn flow_runs(
    file: &str,
    start: usize,
    end: usize,
    style: ScalarStyle,
    text: &str,
) -> Option<Vec<(u32, u32)>> {
    let quote = match style {
        ScalarStyle::SingleQuoted => Some('\''),
        ScalarStyle::DoubleQuoted => Some('"'),
        _ => None,
    };
    let body = file.get(start..end)?;
    let mut walk = Walk {
        text: String::with_capacity(text.len()),
        runs: Vec::new(),
        next: usize::MAX,
    };
    let mut at = quote.map_or(0, |_| 1);
    let mut blanks: Vec<(usize, char)> = Vec::new();
    let mut breaks: Vec<usize> = Vec::new();
    while let Some(c) = body.get(at..)?.chars().next() {
        match c {
            ' ' | '\t' => {
                if breaks.is_empty() {
                    blanks.push((at, c));
                }
                at += 1;
                continue;
            }
            '\n' | '\r' => {
                blanks.clear();
                breaks.push(at);
                at += if body[at..].starts_with("\r\n") { 2 } else { 1 };
                continue;
            }
            _ => flush_space(&mut walk, start, &mut blanks, &mut breaks),
        }
        match (quote, c) {
            (Some('\''), '\'') if body[at..].starts_with("''") => {
                walk.make('\'', start + at);
                at += 2;
            }
            (Some(q), c) if q == c => break,
            (Some('"'), '\\') => at = escape(&mut walk, body, start, at)?,
            (_, c) => {
                walk.copy(c, start + at);
                at += c.len_utf8();
            }
        }
    }
    (walk.text == text).then_some(walk.runs)
}

fn flush_space(walk: &mut Walk, start: usize, blanks: &mut Vec<(usize, char)>, breaks: &mut Vec<usize>) {
    match breaks.as_slice() {
        [] => blanks.iter().for_each(|&(at, c)| walk.copy(c, start + at)),
        [only] => walk.make(' ', start + only),
        [_, more @ ..] => more.iter().for_each(|at| walk.make('\n', start + at)),
    }
    blanks.clear();
    breaks.clear();
}

/// One escape of a double-quoted scalar at `at`; returns where the text goes on.
fn escape(walk: &mut Walk, body: &str, start: usize, at: usize) -> Option<usize> {
    let letter = body.get(at + 1..)?.chars().next()?;
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' | '\r' => {
            let rest = body.get(at + 1..)?;
            let rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
            let rest = rest.trim_start_matches([' ', '\t']);
            return Some(body.len() - rest.len());
        }
        _ => 0,
    };
    let made = match letter {
        '0' => '\0',
        'a' => '\x07',
        'b' => '\x08',
        't' => '\t',
        'n' => '\n',
        'v' => '\x0b',
        'f' => '\x0c',
        'r' => '\r',
        'e' => '\x1b',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' | 'u' | 'U' => char::from_u32(u32::from_str_radix(body.get(at + 2..at + 2 + digits)?, 16).ok()?)?,
        same => same,
    };
    walk.make(made, start + at);
    Some(at + 1 + letter.len_utf8() + digits)
}
