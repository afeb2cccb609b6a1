//! The characters that `*` and `?` do not match.

/// A set of characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Delimiters {
    ascii: u128,
    others: Vec<char>,
}

impl Delimiters {
    pub(super) fn new(chars: &str) -> Delimiters {
        let mut delimiters = Delimiters::default();
        for c in chars.chars() {
            match u32::from(c) {
                code @ 0..=127 => delimiters.ascii |= 1 << code,
                _ => delimiters.others.push(c),
            }
        }
        delimiters
    }

    #[inline]
    pub(super) fn has(&self, c: char) -> bool {
        match u32::from(c) {
            code @ 0..=127 => self.ascii >> code & 1 == 1,
            _ => self.others.contains(&c),
        }
    }

    /// Whether a text contains none of them.
    pub(super) fn are_absent(&self, text: &str) -> bool {
        if self.others.is_empty() {
            let is_delimiter = |b: u8| b < 128 && self.ascii >> b & 1 == 1;
            return self.ascii == 0 || !text.bytes().any(is_delimiter);
        }
        !text.chars().any(|c| self.has(c))
    }
}
