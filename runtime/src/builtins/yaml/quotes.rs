//! Texts in quotes that go over several lines, and what OPA's reader takes for the end of a line and ours for a letter.
//!
//! OPA's reader folds texts in quotes however their lines are indented, keeps the separators U+2028 and U+2029 in them, and
//! takes no text of several lines for a key. U+FEFF is a letter to both readers, but outside of quotes to OPA's alone.

use super::stream::is_marker;

/// Separators of lines and of paragraphs.
const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];

const BYTE_ORDER_MARK: char = '\u{feff}';

/// How far lines in single quotes are indented at most.
const MARGIN_MAX: usize = 64;

/// Why a text is not rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfolded {
    /// OPA's reader refuses it.
    Refused,
    /// A quick look does not tell what is text and what is structure.
    Unclear,
}

/// Whether a text has characters that our reader reads differently.
pub(super) fn has_separators(text: &str) -> bool {
    text.contains(SEPARATORS) || text.contains(BYTE_ORDER_MARK)
}

/// Whether lines may end in quotes.
pub(super) fn may_fold(text: &str) -> bool {
    text.contains('\n') && text.contains(['"', '\''])
}

/// The text with line feeds for the separators outside of quotes, and with what is in quotes folded.
pub(super) fn folded(text: &str) -> Result<String, Unfolded> {
    // Lines that begin or end a document, or say something about it.
    let is_special =
        |line: &str| line.starts_with('%') || ["---", "..."].iter().any(|marker| is_marker(line, marker));
    if text.contains(['|', '>']) || text.split(is_break).any(is_special) {
        return Err(Unfolded::Unclear);
    }
    let margin = text
        .split(is_break)
        .map(|line| line.len() - line.trim_start().len())
        .max();
    let mut lines = Lines {
        rest: text,
        out: String::with_capacity(text.len()),
        margin: margin.unwrap_or(0) + 1,
        before: '\n',
        begins: true,
        is_plain: false,
        is_block: false,
        depth: 0,
    };
    while !lines.rest.is_empty() {
        lines.step()?;
    }
    Ok(lines.out)
}

fn is_break(c: char) -> bool {
    c == '\n' || SEPARATORS.contains(&c)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// A text on its way to be rewritten.
struct Lines<'t> {
    rest: &'t str,
    out: String,
    /// More than any line is indented by.
    margin: usize,
    /// The character before.
    before: char,
    /// Whether a key or a value may begin here.
    begins: bool,
    /// Whether bare text came last, which may go on in the next line.
    is_plain: bool,
    /// Whether entries without brackets came before: bare text ends where a line begins in the first column.
    is_block: bool,
    /// Brackets that are open.
    depth: usize,
}

impl<'t> Lines<'t> {
    /// Takes the first character off the rest.
    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.before = c;
        Some(c)
    }

    /// Whether a word ends here.
    fn is_end_of_word(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(|c| is_blank(c) || is_break(c))
    }

    /// Whether a quotation mark, a bracket or a comma comes before that is no letter of a bare text.
    fn is_behind_token(&self, before: char) -> bool {
        !self.is_plain && "\"'[]{},".contains(before)
    }

    /// Takes all up to the first character that is one of these.
    fn take_until(&mut self, ends: impl FnMut(char) -> bool) -> &'t str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Goes over a character outside of quotes, or over all of a comment, a name or a text in quotes.
    fn step(&mut self) -> Result<(), Unfolded> {
        let before = self.before;
        let Some(c) = self.take() else { return Ok(()) };
        // Bare text that the next line cannot go on with.
        let is_ended = self.is_block && self.depth == 0 && !self.is_end_of_word();
        if (SEPARATORS.contains(&c) && self.is_plain && !is_ended) || c == BYTE_ORDER_MARK {
            return Err(Unfolded::Unclear);
        }
        self.out.push(if is_break(c) { '\n' } else { c });
        let may_go_on = self.is_plain && self.depth == 0;
        match c {
            _ if is_break(c) => {
                self.begins = true;
                self.is_plain = self.is_plain && !is_ended;
            }
            _ if is_blank(c) => {}
            '#' if is_blank(before) || is_break(before) || self.is_behind_token(before) => {
                // Nobody reads a comment; our reader wants a blank in front of it.
                self.out.insert(self.out.len() - 1, ' ');
                self.take_until(is_break);
                self.is_plain = false;
            }
            '[' | '{' if self.begins && may_go_on => return Err(Unfolded::Unclear),
            '"' | '\'' if self.begins && self.is_plain => return Err(Unfolded::Unclear),
            '"' | '\'' if self.begins => {
                self.quoted(c)?;
                self.end_token(false);
            }
            '[' | '{' if self.begins || self.depth > 0 => {
                self.depth += 1;
                self.end_token(true);
            }
            ']' | '}' if self.depth > 0 => {
                self.depth -= 1;
                self.end_token(false);
            }
            ',' if self.depth > 0 => self.end_token(true),
            ':' if self.is_end_of_word() || (self.depth > 0 && matches!(before, '"' | '\'')) => {
                self.is_block |= self.depth == 0;
                self.end_token(true);
            }
            '-' | '?' if self.begins && !may_go_on && self.is_end_of_word() => {
                self.is_block |= self.depth == 0;
            }
            '&' | '!' | '*' if self.begins && !may_go_on => {
                let name = self.take_until(|c| is_blank(c) || is_break(c) || ",[]{}".contains(c));
                self.out.push_str(name);
                self.begins = c != '*';
            }
            _ => {
                self.begins = false;
                self.is_plain = true;
            }
        }
        Ok(())
    }

    /// Something is complete, behind which a key or a value `begins` or does not.
    fn end_token(&mut self, begins: bool) {
        self.begins = begins;
        self.is_plain = false;
    }

    /// Copies what follows a quotation mark up to the one that closes it.
    fn quoted(&mut self, mark: char) -> Result<(), Unfolded> {
        let mut has_lines = false;
        loop {
            let between = self.take_until(|c| !is_blank(c) && !is_break(c));
            has_lines |= self.fold(between, mark)?;
            let c = self.take().ok_or(Unfolded::Refused)?;
            self.out.push(c);
            match c {
                '\\' if mark == '"' => {
                    let escaped = self.take().ok_or(Unfolded::Refused)?;
                    if is_break(escaped) {
                        return Err(Unfolded::Unclear);
                    }
                    self.out.push(escaped);
                }
                '\'' if mark == '\'' && self.rest.starts_with('\'') => {
                    self.take();
                    self.out.push('\'');
                }
                _ if c == mark => break,
                _ => {}
            }
        }
        let is_key = self.rest.trim_start_matches(is_blank).starts_with(':');
        match has_lines && is_key {
            true if self.out.contains('?') => Err(Unfolded::Unclear),
            true => Err(Unfolded::Refused),
            false => Ok(()),
        }
    }

    /// Copies the blanks and breaks between two words, folded. Whether there are breaks.
    fn fold(&mut self, between: &str, mark: char) -> Result<bool, Unfolded> {
        let mut breaks = between.chars().filter(|c| is_break(*c)).peekable();
        let Some(first) = breaks.next() else {
            self.out.push_str(between);
            return Ok(false);
        };
        if first != '\n' {
            self.out.push(first);
        } else if breaks.peek().is_none() {
            self.out.push(' ');
        }
        if mark == '"' {
            breaks.for_each(|c| match c {
                '\n' => self.out.push_str("\\n"),
                separator => self.out.push(separator),
            });
            return Ok(true);
        }
        if self.margin > MARGIN_MAX {
            return Err(Unfolded::Unclear);
        }
        while let Some(c) = breaks.next() {
            self.out.push(c);
            // The first of several line feeds is folded away.
            if c == '\n' && breaks.peek() != Some(&'\n') {
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n(' ', self.margin));
            }
        }
        Ok(true)
    }
}
