//! Whether a text is one e-mail address, as Go's `mail.ParseAddress` reads RFC 5322.

use std::net::IpAddr;

/// Whether the text is one address, with a name or without.
pub(super) fn is_address(text: &str) -> bool {
    let mut reader = Reader { rest: text };
    reader.address(true) == Some(1) && reader.skip_comments() && reader.rest.is_empty()
}

#[derive(Clone, Copy)]
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    /// An address or a group of them: how many there are.
    fn address(&mut self, may_be_group: bool) -> Option<usize> {
        self.skip_blanks();
        let before = *self;
        if self.plain_address().is_some() {
            self.skip_blanks();
            if self.rest.starts_with('(') {
                self.comment_name()?;
            }
            return Some(1);
        }
        *self = before;
        if self.rest.is_empty() {
            return None;
        }
        if !self.rest.starts_with('<') {
            self.phrase()?;
        }
        self.skip_blanks();
        if may_be_group && self.take(':') {
            return self.group();
        }
        if !self.take('<') {
            return None;
        }
        self.plain_address()?;
        self.take('>').then_some(1)
    }

    /// The addresses of a group, behind its colon.
    fn group(&mut self) -> Option<usize> {
        self.skip_blanks();
        if self.take(';') {
            return self.skip_comments().then_some(0);
        }
        let mut count = 0;
        loop {
            self.skip_blanks();
            count += self.address(false)?;
            if !self.skip_comments() {
                return None;
            }
            if self.take(';') {
                return self.skip_comments().then_some(count);
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    /// `local@domain`
    fn plain_address(&mut self) -> Option<()> {
        self.skip_blanks();
        if self.rest.starts_with('"') {
            if self.quoted()? == 0 {
                return None;
            }
        } else {
            strict(self.atom()?)?;
        }
        if !self.take('@') {
            return None;
        }
        self.skip_blanks();
        if self.take('[') {
            let (address, rest) = self.rest.split_once(']')?;
            self.rest = rest;
            return address.parse::<IpAddr>().is_ok().then_some(());
        }
        strict(self.atom()?)
    }

    /// Words of a name; at least one.
    fn phrase(&mut self) -> Option<()> {
        let mut has_word = false;
        loop {
            if has_word && !self.skip_comments() {
                return None;
            }
            self.skip_blanks();
            if self.rest.is_empty() {
                break;
            }
            let word = if self.rest.starts_with('"') {
                self.quoted().map(|_| ())
            } else {
                self.atom().and_then(decoded)
            };
            if word.is_none() {
                return has_word.then_some(());
            }
            has_word = true;
        }
        Some(())
    }

    /// A string in quotes: the number of its characters.
    fn quoted(&mut self) -> Option<usize> {
        let (mut count, mut escaped) = (0, false);
        for (at, c) in self.rest.char_indices().skip(1) {
            let is_visible = is_visible(c) || is_blank(c);
            match c {
                _ if escaped => {
                    if !is_visible {
                        return None;
                    }
                    count += 1;
                    escaped = false;
                }
                '"' => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(count);
                }
                '\\' => escaped = true,
                _ if is_visible => count += 1,
                _ => return None,
            }
        }
        None
    }

    /// Characters of atoms, and points.
    fn atom(&mut self) -> Option<&'t str> {
        let end = self.rest.find(|c| !is_atom(c)).unwrap_or(self.rest.len());
        let (atom, rest) = self.rest.split_at(end);
        if atom.is_empty() {
            return None;
        }
        self.rest = rest;
        Some(atom)
    }

    fn comment_name(&mut self) -> Option<()> {
        let before = self.rest;
        if !self.take('(') || !self.skip_comment() {
            return None;
        }
        let comment = before.get(1..before.len() - self.rest.len() - 1)?;
        comment.split([' ', '\t']).try_for_each(decoded)
    }

    /// Blanks and comments; false for a comment that is not closed.
    fn skip_comments(&mut self) -> bool {
        self.skip_blanks();
        while self.take('(') {
            if !self.skip_comment() {
                return false;
            }
            self.skip_blanks();
        }
        true
    }

    /// The rest of a comment that was opened.
    fn skip_comment(&mut self) -> bool {
        let mut depth = 1_usize;
        let mut escaped = false;
        for (at, c) in self.rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                // The last character of all escapes nothing.
                '\\' if at + 1 < self.rest.len() => escaped = true,
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return true;
            }
        }
        self.rest = "";
        false
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// Refuses points at the ends and twice in a row.
fn strict(atom: &str) -> Option<()> {
    let fits = !atom.starts_with('.') && !atom.ends_with('.') && !atom.contains("..");
    fits.then_some(())
}

/// A word of a name. Only one is wrong: an encoded one (RFC 2047) in a character set that Go does not know.
fn decoded(word: &str) -> Option<()> {
    let is_encoded =
        word.len() >= 8 && word.starts_with("=?") && word.ends_with("?=") && word.matches('?').count() == 4;
    if !is_encoded {
        return Some(());
    }
    let mut parts = word.trim_start_matches("=?").split('?');
    let (charset, encoding) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let content = parts.next().unwrap_or_default();
    let decodes = match encoding {
        "b" | "B" => is_base64(content),
        "q" | "Q" => is_quoted_printable(content),
        _ => false,
    };
    let is_known = ["utf-8", "iso-8859-1", "us-ascii"]
        .iter()
        .any(|known| charset.eq_ignore_ascii_case(known));
    (charset.is_empty() || !decodes || is_known).then_some(())
}

fn is_base64(content: &str) -> bool {
    let digits = content.trim_end_matches('=');
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    content.len().is_multiple_of(4) && content.len() - digits.len() <= 2 && digits.bytes().all(fits)
}

/// The text form of encoded words.
fn is_quoted_printable(content: &str) -> bool {
    let bytes = content.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
        at += match byte {
            b'=' if digit(at + 1) && digit(at + 2) => 3,
            b'=' => return false,
            b' '..=b'~' | b'\n' | b'\r' | b'\t' => 1,
            _ => return false,
        };
    }
    true
}

fn is_atom(c: char) -> bool {
    is_visible(c) && !"()<>[]:;@\\,\"".contains(c)
}

fn is_visible(c: char) -> bool {
    matches!(c, '!'..='~') || !c.is_ascii()
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses() {
        for text in [
            "a@b",
            "a.b@c.d",
            " a@b ",
            "\"a b\"@c",
            "A B <a@b>",
            "\"A\" <a@b>",
            "<a@b>",
            "a@[1.2.3.4]",
            "a@b (c)",
            "g: a@b;",
            "é@ü",
            "A (x) B <a@b>",
        ] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "",
            "a",
            "@b",
            "a@",
            "a@b c",
            ".a@b",
            "a..b@c",
            "a@b.",
            "<a@b",
            "a@[x]",
            "g: a@b, c@d;",
            "g:;",
            "\"\"@b",
            "a@b (c",
            "a@b, c@d",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
