//! What the pattern of a selector matches, as far as two of them can be compared.

use gavel_runtime::re2::{self, Pattern};

/// The form of a pattern with its anchors.
pub(super) enum Form {
    /// Matches every text.
    CatchAll,
    /// Matches one text.
    Text(String),
    /// Matches what begins with a text.
    Prefix(String),
    /// Matches some of what begins with a text.
    Other {
        start: String,
        /// Nothing if it is too large.
        compiled: Option<Pattern>,
    },
}

impl Form {
    pub(super) fn of(pattern: &str) -> Form {
        let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
        if let Some(text) = inner.and_then(plain) {
            return Form::Text(text);
        }
        let start = inner.and_then(|inner| inner.strip_suffix(".*")).and_then(plain);
        if let Some(start) = start.filter(|start| !start.is_empty()) {
            return Form::Prefix(start);
        }
        let start = common_start(pattern);
        let compiled = re2::compile_within(pattern, PATTERN_BYTES_MAX).ok();
        if start.is_empty()
            && let Some(compiled) = &compiled
        {
            let mut cache = compiled.create_cache();
            if probes().iter().all(|probe| compiled.is_match(&mut cache, probe)) {
                return Form::CatchAll;
            }
        }
        Form::Other { start, compiled }
    }

    pub(super) fn is_catch_all(&self) -> bool {
        matches!(self, Form::CatchAll)
    }
}

/// Texts that have nothing in common: a pattern that takes them all takes everything.
fn probes() -> [String; 3] {
    let printable: String = (' '..='~').chain("äß€𝄞".chars()).collect();
    let backwards = printable.chars().rev().collect();
    [printable, backwards, "0".to_owned()]
}

/// The one text of a pattern without operators.
fn plain(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => text.push(rest.next().filter(char::is_ascii_punctuation)?),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => return None,
            _ => text.push(c),
        }
    }
    Some(text)
}

/// Bytes of one compiled pattern; selectors that people write take a few thousand.
const PATTERN_BYTES_MAX: usize = 256 << 10;

/// A text that all matches begin with, as far as the pattern shows it plainly.
fn common_start(pattern: &str) -> String {
    let Some(inner) = pattern.strip_prefix('^').filter(|_| !pattern.contains('|')) else {
        return String::new();
    };
    let end = inner.find(|c: char| c.is_ascii_punctuation() && !matches!(c, ':' | '/' | '-' | '_'));
    let mut start = inner.get(..end.unwrap_or(inner.len())).unwrap_or("").to_owned();
    // What follows may say that the last character need not be there.
    start.pop();
    start
}

/// Searches that are made for one compilation; domains need a few thousand.
const SEARCHES_MAX: usize = 20_000;

/// How many searches were made.
#[derive(Debug, Default)]
pub(super) struct Searches(usize);

impl Searches {
    /// Takes one; false when there are none left.
    pub(super) fn spend(&mut self) -> bool {
        self.0 += 1;
        self.0 <= SEARCHES_MAX
    }

    /// Whether a pattern with operators matches a text; no when there are no searches left.
    pub(super) fn matches(&mut self, form: &Form, text: &str) -> bool {
        let Form::Other {
            start,
            compiled: Some(pattern),
        } = form
        else {
            return false;
        };
        text.starts_with(start.as_str())
            && self.spend()
            && pattern.is_match(&mut pattern.create_cache(), text)
    }
}
