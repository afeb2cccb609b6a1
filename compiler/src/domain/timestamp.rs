//! Plain scalars that yaml.v3 takes for dates and times, turned into the text that Go prints for them in JSON.

/// The RFC 3339 text of a date or time, or nothing if it is none: `2024-01-15` is `2024-01-15T00:00:00Z`.
#[must_use]
pub(super) fn parse(text: &str) -> Option<String> {
    let mut rest = Cursor { text };
    let year = rest.digits(4, 4)?;
    rest.byte(b'-')?;
    let month = rest.digits(1, 2)?;
    rest.byte(b'-')?;
    let day = rest.digits(1, 2)?;
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.text.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let zoned = match rest.next()? {
        b'T' | b't' => true,
        b' ' => false,
        _ => return None,
    };
    let hour = rest.digits(1, 2)?;
    rest.byte(b':')?;
    let minute = rest.digits(1, 2)?;
    rest.byte(b':')?;
    let second = rest.digits(1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction();
    let zone = if zoned { rest.zone()? } else { "Z".to_owned() };
    rest.text
        .is_empty()
        .then(|| format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Cursor<'t> {
    text: &'t str,
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<u8> {
        let first = *self.text.as_bytes().first()?;
        self.text = self.text.get(1..)?;
        Some(first)
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn digits(&mut self, min: usize, max: usize) -> Option<u32> {
        let count = self.text.bytes().take(max).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.text.split_at(count);
        self.text = rest;
        if count < min { None } else { digits.parse().ok() }
    }

    /// A fraction of at most nine digits without trailing zeros, with its point; empty if there is none.
    fn fraction(&mut self) -> String {
        let Some(rest) = self.text.strip_prefix(['.', ',']) else {
            return String::new();
        };
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return String::new();
        }
        let (digits, rest) = rest.split_at(count);
        self.text = rest;
        let digits = digits[..count.min(9)].trim_end_matches('0');
        if digits.is_empty() {
            String::new()
        } else {
            format!(".{digits}")
        }
    }

    fn zone(&mut self) -> Option<String> {
        let sign = match self.next()? {
            b'Z' => return Some("Z".to_owned()),
            b'+' => '+',
            b'-' => '-',
            _ => return None,
        };
        let hour = self.digits(2, 2)?;
        self.byte(b':')?;
        let minute = self.digits(2, 2)?;
        if hour > 24 || minute > 59 {
            return None;
        }
        if hour == 0 && minute == 0 {
            return Some("Z".to_owned());
        }
        Some(format!("{sign}{hour:02}:{minute:02}"))
    }
}
