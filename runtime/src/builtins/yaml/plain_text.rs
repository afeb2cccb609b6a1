//! How a text is written in YAML: as it is if that reads back as the same text, otherwise in quotes or as a block.

use super::scalar::{Meaning, moment_layout, plain};
use crate::builtins::Failure;

/// A way to write a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// The style that OPA chooses. An error for what its reader of YAML does not take.
pub(super) fn style(text: &str) -> Result<Style, Failure> {
    if text
        .contains(|c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}'))
    {
        return Err(Failure::BUILTIN);
    }
    let is_special =
        text.contains(|c: char| (c < ' ' && !matches!(c, '\t' | '\n')) || c == '\u{feff}' || c > '\u{ffff}');
    let has_space_break = is_special || has_pair(text, |a, b| a == ' ' && is_break(b));
    if text.contains('\n') {
        let is_literal = !has_space_break && !text.ends_with(' ');
        return Ok(if is_literal {
            Style::Literal
        } else {
            Style::DoubleQuoted
        });
    }
    let has_break_space = has_pair(text, |a, b| is_break(a) && b == ' ');
    if reads_as_other(text) || has_space_break || has_break_space || text.contains('\t') {
        return Ok(Style::DoubleQuoted);
    }
    let has_space_around = text.starts_with(' ') || text.ends_with(' ');
    Ok(
        if has_space_around || has_indicators(text) || text.contains(is_break) {
            Style::SingleQuoted
        } else {
            Style::Plain
        },
    )
}

/// Whether OPA's writer takes a character for the end of a line.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

fn has_pair(text: &str, is_one: impl Fn(char, char) -> bool) -> bool {
    text.chars().zip(text.chars().skip(1)).any(|(a, b)| is_one(a, b))
}

/// Whether the bare text would be something else to a reader of YAML 1.1 or 1.2.
fn reads_as_other(text: &str) -> bool {
    let is_old_bool = matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    );
    is_old_bool
        || !matches!(plain(text), Meaning::Text(_))
        || moment_layout(text).is_some()
        || is_base_60(text)
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let is_sixtieth = |part: &str| match part.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    whole.contains(':')
        && first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(is_digit)
        && parts.all(is_sixtieth)
        && fraction.bytes().all(is_digit)
}

/// Whether the bare text has characters that mean something where they stand.
fn has_indicators(text: &str) -> bool {
    let mut chars = text.chars();
    let (first, rest) = (chars.next(), chars.as_str());
    let ends_word = rest.is_empty() || rest.starts_with(' ');
    let begins_with_one = match first {
        Some(
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`',
        ) => true,
        Some('?' | ':' | '-') => ends_word,
        _ => false,
    };
    begins_with_one
        || text.starts_with("---")
        || text.starts_with("...")
        || rest.ends_with(':')
        || rest.contains(": ")
        || text.contains(" #")
}
