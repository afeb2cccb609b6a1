//! Escapes and classes of a pattern: `\d`, `\pL`, `\x{41}`, `[a-z]`, `[[:alpha:]]`.

use regex_syntax::hir::{ClassUnicode, Hir, Look};

use super::Parser;
use crate::re2::error::{Re2Error, Re2ErrorKind};
use crate::re2::{class, fold};

impl Parser<'_> {
    /// A backslash outside of brackets.
    pub(super) fn escaped(&mut self) -> Result<(), Re2Error> {
        let start = self.at;
        let letter = self.rest().chars().nth(1);
        let look = match letter {
            Some('A') => Look::Start,
            Some('z') => Look::End,
            Some('b') => Look::WordAscii,
            Some('B') => Look::WordAsciiNegate,
            Some('Q') => {
                self.quoted();
                return Ok(());
            }
            Some('p' | 'P') => {
                let class = self.unicode_class()?;
                self.push_class(class);
                return Ok(());
            }
            Some(letter) => {
                if let Some((class, negated)) = class::perl(letter) {
                    self.at += 2;
                    let class = self.named(class, negated);
                    self.push_class(class);
                    return Ok(());
                }
                let c = self.escape(start)?;
                self.push(fold::character(c, self.flags.fold));
                return Ok(());
            }
            None => return Err(Re2Error::new(Re2ErrorKind::TrailingBackslash, "")),
        };
        self.at += 2;
        self.push(Hir::look(look));
        Ok(())
    }

    /// `\Q…\E`; without `\E` up to the end.
    pub(super) fn quoted(&mut self) {
        self.at += 2;
        while self.peek().is_some() && !self.eat("\\E") {
            self.literal();
        }
    }

    /// A class under the current flags.
    pub(super) fn named(&self, class: ClassUnicode, negated: bool) -> ClassUnicode {
        let mut class = if self.flags.fold {
            fold::folded(class)
        } else {
            class
        };
        if negated {
            class.negate();
        }
        class
    }

    /// `\pL`, `\p{Greek}`, `\P{^Greek}`.
    pub(super) fn unicode_class(&mut self) -> Result<ClassUnicode, Re2Error> {
        let start = self.at;
        let mut negated = self.rest().starts_with("\\P");
        self.at += 2;
        let name = if self.eat("{") {
            let Some(end) = self.rest().find('}') else {
                return Err(Re2Error::new(
                    Re2ErrorKind::CharRange,
                    self.pattern.get(start..).unwrap_or(""),
                ));
            };
            let name = self.rest().get(..end).unwrap_or("");
            self.at += end + 1;
            name
        } else {
            let from = self.at;
            let _ = self.next();
            self.pattern.get(from..self.at).unwrap_or("")
        };
        let name = name
            .strip_prefix('^')
            .inspect(|_| negated = !negated)
            .unwrap_or(name);
        let class = class::unicode(name).ok_or_else(|| self.error_since(Re2ErrorKind::CharRange, start))?;
        Ok(self.named(class, negated))
    }

    /// An escape that stands for one character. The current place is at its backslash.
    pub(super) fn escape(&mut self, start: usize) -> Result<char, Re2Error> {
        self.at += 1;
        let Some(c) = self.next() else {
            return Err(Re2Error::new(Re2ErrorKind::TrailingBackslash, ""));
        };
        let made = match c {
            '1'..='7' if !self.peek().is_some_and(|next| next.is_digit(8)) => None,
            '0'..='7' => {
                let rest = self.rest();
                let more = rest
                    .bytes()
                    .take(2)
                    .take_while(|b| matches!(b, b'0'..=b'7'))
                    .count();
                let first = u32::from(c) - u32::from('0');
                let value = rest
                    .bytes()
                    .take(more)
                    .fold(first, |value, b| value * 8 + u32::from(b - b'0'));
                self.at += more;
                char::from_u32(value)
            }
            'x' => self.hex(),
            'a' => Some('\u{7}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
            _ => None,
        };
        made.ok_or_else(|| self.error_since(Re2ErrorKind::Escape, start))
    }

    /// What follows `\x`: two digits, or any number of them in braces.
    pub(super) fn hex(&mut self) -> Option<char> {
        if !self.eat("{") {
            let (high, low) = (self.next()?.to_digit(16)?, self.next()?.to_digit(16)?);
            return char::from_u32(high * 16 + low);
        }
        let mut value = 0_u32;
        let mut digits = 0;
        loop {
            let c = self.next()?;
            if c == '}' {
                break;
            }
            value = value * 16 + c.to_digit(16)?;
            digits += 1;
            if value > u32::from(char::MAX) {
                return None;
            }
        }
        if digits == 0 { None } else { char::from_u32(value) }
    }

    /// `[…]`
    pub(super) fn bracket_class(&mut self) -> Result<(), Re2Error> {
        let start = self.at;
        self.at += 1;
        let negated = self.eat("^");
        let mut found = ClassUnicode::empty();
        let mut first = true;
        while first || !self.rest().starts_with(']') {
            first = false;
            let rest = self.rest();
            if rest.starts_with("[:")
                && let Some(end) = rest.get(2..).and_then(|inner| inner.find(":]"))
            {
                let name = rest.get(2..2 + end).unwrap_or("");
                let item = self.at;
                self.at += end + 4;
                let (class, negated) =
                    class::posix(name).ok_or_else(|| self.error_since(Re2ErrorKind::CharRange, item))?;
                found.union(&self.named(class, negated));
                continue;
            }
            if rest.starts_with("\\p") || rest.starts_with("\\P") {
                found.union(&self.unicode_class()?);
                continue;
            }
            let perl = rest
                .strip_prefix('\\')
                .and_then(|rest| rest.chars().next())
                .and_then(class::perl);
            if let Some((class, negated)) = perl {
                self.at += 2;
                found.union(&self.named(class, negated));
                continue;
            }
            let range = self.class_range(start)?;
            found.union(&self.named(range, false));
        }
        self.at += 1;
        if negated {
            found.negate();
        }
        self.push_class(found);
        Ok(())
    }

    /// `a` or `a-z` inside of brackets.
    pub(super) fn class_range(&mut self, bracket: usize) -> Result<ClassUnicode, Re2Error> {
        let start = self.at;
        let low = self.class_char(bracket)?;
        let rest = self.rest();
        let mut high = low;
        if rest.starts_with('-') && rest.len() >= 2 && !rest.starts_with("-]") {
            self.at += 1;
            high = self.class_char(bracket)?;
            if high < low {
                return Err(self.error_since(Re2ErrorKind::CharRange, start));
            }
        }
        Ok(class::of(&[(low, high)]))
    }

    pub(super) fn class_char(&mut self, bracket: usize) -> Result<char, Re2Error> {
        match self.peek() {
            Some('\\') => self.escape(self.at),
            Some(_) => self
                .next()
                .ok_or_else(|| self.error_since(Re2ErrorKind::MissingBracket, bracket)),
            None => Err(Re2Error::new(
                Re2ErrorKind::MissingBracket,
                self.pattern.get(bracket..).unwrap_or(""),
            )),
        }
    }
}
