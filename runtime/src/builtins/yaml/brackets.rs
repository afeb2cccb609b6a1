//! Texts that OPA's reader takes and ours, which follows YAML 1.2 to the letter, does not: brackets that are continued at
//! the start of a line, and tabs behind a colon. Both mean the same with blanks in their places.

/// The text with every line inside of brackets moved to the right, and blanks for tabs behind colons. `None` where a quick
/// look does not tell what is text and what is structure.
pub(super) fn with_blanks(text: &str) -> Option<String> {
    let has_block_scalar = text
        .lines()
        .any(|line| line.trim_end().ends_with(['|', '>', '+', '-']) && line.contains(['|', '>']));
    if has_block_scalar || text.contains("\\\n") {
        return None;
    }
    let margin = text
        .lines()
        .map(|line| line.len() - line.trim_start().len())
        .max()
        .unwrap_or(0);
    let margin = " ".repeat(margin.min(MARGIN_MAX) + 1);
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    for line in text.split_inclusive('\n') {
        // For OPA's reader a document begins or ends there.
        if depth > 0 && ["---", "..."].iter().any(|marker| line.starts_with(marker)) {
            return None;
        }
        let line = match depth {
            0 => line,
            _ => {
                out.push_str(&margin);
                line.trim_start_matches([' ', '\t'])
            }
        };
        depth = structure(line, depth, &mut out)?;
        if out.len() > OUT_BYTES_PER_BYTE * (text.len() + MARGIN_MAX) {
            return None;
        }
    }
    (depth == 0).then_some(out)
}

/// Indentation that is put in front of lines at most.
const MARGIN_MAX: usize = 64;
/// How much longer the text may become.
const OUT_BYTES_PER_BYTE: usize = 16;

/// Appends a line; gives the depth of the brackets at its end. `None` for quotation marks that stay open.
fn structure(line: &str, mut depth: usize, out: &mut String) -> Option<usize> {
    // Whether a value or a key may begin here.
    let mut begins = true;
    let mut before = ' ';
    // Whether a quotation mark, a bracket or a comma came last that is no letter of a bare text.
    let mut ends_token = false;
    let (mut is_first, mut before_is_first_quote) = (true, false);
    // Behind such a colon a tab is an error.
    if depth == 0 && line.trim_start().starts_with(":\t") {
        return None;
    }
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let (before_begins, was_open) = (begins, depth > 0);
        if c == '#' && ends_token {
            // A quotation mark that begins a line within brackets may be a letter of bare text.
            if depth > 0 && before_is_first_quote {
                return None;
            }
            // Our reader wants a blank in front of a comment.
            out.push(' ');
        }
        out.push(c);
        match c {
            ' ' | '\t' | '\n' => {}
            '#' if before.is_ascii_whitespace() || ends_token => {
                out.extend(chars);
                return Some(depth);
            }
            '"' | '\'' if begins => {
                quoted(c, &mut chars, out)?;
                begins = false;
            }
            '[' | '{' if begins || depth > 0 => {
                depth += 1;
                begins = true;
            }
            ']' | '}' if depth > 0 => {
                depth -= 1;
                begins = false;
            }
            ',' if depth > 0 => begins = true,
            ':' | '-' | '?' if chars.peek().is_none_or(|next| next.is_ascii_whitespace()) => {
                begins = c == ':' || begins;
                while c == ':' && chars.next_if_eq(&'\t').is_some() {
                    out.push(' ');
                }
            }
            _ => begins = false,
        }
        ends_token = match c {
            '"' | '\'' => before_begins,
            '[' | '{' | ',' => begins && depth > 0,
            ']' | '}' => was_open,
            _ => false,
        };
        before_is_first_quote = is_first && matches!(c, '"' | '\'');
        is_first &= c.is_ascii_whitespace();
        before = c;
    }
    Some(depth)
}

/// Appends what follows a quotation mark, up to the one that closes it on the same line.
fn quoted(mark: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Option<()> {
    loop {
        let c = chars.next()?;
        out.push(c);
        match c {
            '\\' if mark == '"' => out.push(chars.next()?),
            '\'' if mark == '\'' && chars.peek() == Some(&'\'') => out.extend(chars.next()),
            c if c == mark => return Some(()),
            _ => {}
        }
    }
}
