//! Many decisions for one request: an array of PORCs in, an array of answers in the same order out.
//!
//! The array is taken apart before anything is decided, so that a body that is no array decides nothing. Where an element
//! ends is told by brackets and quotes alone; whether it is a PORC is found out when it is decided, and an element that is
//! none denies itself and no other.

use crate::limits;
use crate::serve::desk::Verdict;

/// The answer to an element that is granted.
pub const GRANT: &[u8] = b"{\"allow\":true}";

/// The answer to an element that is denied.
pub const DENIAL: &[u8] = b"{\"allow\":false}";

/// Why a body is no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBatch {
    /// It is no JSON array, at this offset.
    Malformed(&'static str, usize),
    /// It has more elements than [`limits::BATCH_DECISIONS_MAX`].
    TooMany,
}

impl std::fmt::Display for NoBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoBatch::Malformed(what, offset) => write!(f, "no array of requests: {what} at offset {offset}"),
            NoBatch::TooMany => {
                write!(
                    f,
                    "more than {} requests in one array",
                    limits::BATCH_DECISIONS_MAX
                )
            }
        }
    }
}

/// Start and end of an element in the body.
pub type Span = (u32, u32);

/// Finds the elements of an array. Linear in the body; the only memory is that of the spans.
///
/// # Errors
/// The body is no array, or too long a one.
pub fn split(body: &[u8]) -> Result<Vec<Span>, NoBatch> {
    let mut scan = Scan { body, at: 0 };
    if scan.skip_blanks() != Some(b'[') {
        return Err(scan.malformed("`[` expected"));
    }
    scan.at += 1;
    let mut spans = Vec::new();
    if scan.skip_blanks() == Some(b']') {
        scan.at += 1;
    } else {
        loop {
            if spans.len() == limits::BATCH_DECISIONS_MAX {
                return Err(NoBatch::TooMany);
            }
            scan.skip_blanks();
            let start = scan.at;
            let closes = scan.element()?;
            let element = body.get(start..scan.at).unwrap_or_default().trim_ascii_end();
            if element.is_empty() {
                return Err(scan.malformed("an element is missing"));
            }
            // A body is bounded far below 4 GiB.
            spans.push((start as u32, (start + element.len()) as u32));
            scan.at += 1;
            if closes {
                break;
            }
        }
    }
    match scan.skip_blanks() {
        None => Ok(spans),
        Some(_) => Err(scan.malformed("text behind the array")),
    }
}

struct Scan<'b> {
    body: &'b [u8],
    at: usize,
}

impl Scan<'_> {
    fn malformed(&self, what: &'static str) -> NoBatch {
        NoBatch::Malformed(what, self.at.min(self.body.len()))
    }

    /// The next byte that is no white space of JSON, at which the scan then stands.
    fn skip_blanks(&mut self) -> Option<u8> {
        loop {
            match self.body.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Goes to the comma or bracket behind an element: whether it is the bracket that closes the array.
    fn element(&mut self) -> Result<bool, NoBatch> {
        let mut depth = 0u32;
        loop {
            match self.body.get(self.at) {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                Some(b',') if depth == 0 => return Ok(false),
                Some(b']') if depth == 0 => return Ok(true),
                Some(b'}') if depth == 0 => return Err(self.malformed("unexpected `}`")),
                Some(b'}' | b']') => depth -= 1,
                Some(_) => {}
                None => return Err(self.malformed("unexpected end")),
            }
            self.at += 1;
        }
    }

    /// Goes behind the string that begins here.
    fn string(&mut self) -> Result<(), NoBatch> {
        self.at += 1;
        loop {
            // Most bytes of a body are in strings: eight of them are looked at together.
            while let Some(eight) = self.body.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
                let word = u64::from_le_bytes(*eight);
                let found = has_byte(word, b'"') | has_byte(word, b'\\');
                if found != 0 {
                    self.at += found.trailing_zeros() as usize / 8;
                    break;
                }
                self.at += 8;
            }
            match self.body.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.malformed("unexpected end")),
            }
        }
    }
}

/// Marks the first byte of `word` (in memory order) that is `byte` with its highest bit; bytes behind it may be marked
/// falsely.
fn has_byte(word: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let zeroed = word ^ (ONES * u64::from(byte));
    zeroed.wrapping_sub(ONES) & !zeroed & (ONES << 7)
}

/// What is said of elements for which no time was left.
pub const LATE: &str = "the time for the batch is over";

/// Appends the answer to one element to the array of answers.
pub fn answer(out: &mut Vec<u8>, verdict: &Verdict) {
    match verdict {
        Verdict::Allow(true) => append(out, GRANT),
        Verdict::Allow(false) => append(out, DENIAL),
        Verdict::Malformed(why) | Verdict::TooLarge(why) => deny(out, why),
    }
}

/// Appends the answer to an element over which nothing was decided.
pub fn deny(out: &mut Vec<u8>, why: &str) {
    append(out, b"{\"allow\":false,\"error\":");
    // Texts have no form that JSON cannot hold, and writing to a `Vec` cannot fail.
    let _ = serde_json::to_writer(&mut *out, why);
    out.push(b'}');
}

fn append(out: &mut Vec<u8>, answer: &[u8]) {
    out.push(if out.is_empty() { b'[' } else { b',' });
    out.extend_from_slice(answer);
}

/// Closes the array of answers.
pub fn close(out: &mut Vec<u8>) {
    if out.is_empty() {
        out.push(b'[');
    }
    out.extend_from_slice(b"]\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, want: &[&str]) {
        let spans = split(body.as_bytes()).unwrap();
        let found: Vec<&str> = spans
            .iter()
            .map(|(start, end)| &body[*start as usize..*end as usize])
            .collect();
        assert_eq!(found, want, "{body}");
    }

    #[track_caller]
    fn check_no_batch(body: &str, want: &str) {
        assert_eq!(split(body.as_bytes()).unwrap_err().to_string(), want, "{body}");
    }

    #[test]
    fn elements_are_found() {
        check("[]", &[]);
        check(" [ \n] \r\n", &[]);
        check("[{}]", &["{}"]);
        check("[ {} , 1,null,\t\"a\" ]", &["{}", "1", "null", "\"a\""]);
        let nested =
            r#"[{"a":[1,{"b":"],[}"}],"c":"\"\\"},[[],[1]],{"long enough for words of eight":"x\\"}]"#;
        let want = [
            r#"{"a":[1,{"b":"],[}"}],"c":"\"\\"}"#,
            "[[],[1]]",
            r#"{"long enough for words of eight":"x\\"}"#,
        ];
        check(nested, &want);
    }

    #[test]
    fn strings_end_where_json_says_at_every_offset() {
        for length in 0..40 {
            let text = "x".repeat(length);
            for inner in [
                text.clone(),
                format!("{text}\\\""),
                format!("{text}\\\\"),
                format!("\\\\{text}é"),
            ] {
                let element = format!("{{\"k\":\"{inner}\"}}");
                check(&format!("[{element},{element}]"), &[&element, &element]);
            }
        }
    }

    #[test]
    fn what_breaks_an_element_alone_is_left_to_the_decision() {
        check(
            "[{nope},{\"a\":1} {},{\"a\":[1}}]",
            &["{nope}", "{\"a\":1} {}", "{\"a\":[1}}"],
        );
    }

    #[test]
    fn what_is_no_array_is_no_batch() {
        for (body, want) in [
            ("", "`[` expected at offset 0"),
            ("{}", "`[` expected at offset 0"),
            ("\u{feff}[]", "`[` expected at offset 0"),
            ("[", "unexpected end at offset 1"),
            ("[{}", "unexpected end at offset 3"),
            ("[{},", "unexpected end at offset 4"),
            ("[\"a", "unexpected end at offset 3"),
            ("[\"a\\", "unexpected end at offset 4"),
            ("[{}}]", "unexpected `}` at offset 3"),
            ("[,]", "an element is missing at offset 1"),
            ("[{},]", "an element is missing at offset 4"),
            ("[{}]x", "text behind the array at offset 4"),
            ("[{}][]", "text behind the array at offset 4"),
        ] {
            check_no_batch(body, &format!("no array of requests: {want}"));
        }
    }

    #[test]
    fn the_number_of_elements_is_bounded() {
        let body = |count: usize| format!("[{}]", vec!["1"; count].join(","));
        let most = limits::BATCH_DECISIONS_MAX;
        assert_eq!(split(body(most).as_bytes()).map(|spans| spans.len()), Ok(most));
        assert_eq!(split(body(most + 1).as_bytes()), Err(NoBatch::TooMany));
    }

    #[test]
    fn answers_stand_in_one_array() {
        let mut out = Vec::new();
        answer(&mut out, &Verdict::Allow(true));
        answer(&mut out, &Verdict::Allow(false));
        answer(&mut out, &Verdict::Malformed("say \"no\"".to_owned()));
        close(&mut out);
        let want = "[{\"allow\":true},{\"allow\":false},{\"allow\":false,\"error\":\"say \\\"no\\\"\"}]\n";
        assert_eq!(String::from_utf8(out).unwrap(), want);
        let mut none = Vec::new();
        close(&mut none);
        assert_eq!(none, b"[]\n");
    }
}
