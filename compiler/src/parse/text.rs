//! Text of literals: decoding strings, checking numbers, and OPA's names for values in messages.

use bumpalo::Bump;
use bumpalo::collections::String as BumpString;

use crate::ast::{Term, TermKind};
use crate::limits::NUMBER_EXPONENT_MAX;

/// What stands between the delimiters, one byte each.
pub(crate) fn inside(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or("")
}

/// Decodes `"…"`. `None`: an escape is broken, or a control character stands beside one (OPA decodes such strings as
/// JSON; without a backslash anything goes).
pub(crate) fn decode_string<'a>(bump: &'a Bump, text: &'a str) -> Option<&'a str> {
    decode(bump, inside(text), false)
}

/// Decodes a piece of a template string with its delimiters; `\{` is a brace.
pub(crate) fn decode_template<'a>(bump: &'a Bump, piece: &'a str, raw: bool) -> Option<&'a str> {
    let inner = inside(piece);
    if !raw {
        return decode(bump, inner, true);
    }
    if !inner.contains("\\{") {
        return Some(inner);
    }
    Some(bump.alloc_str(&inner.replace("\\{", "{")))
}

fn decode<'a>(bump: &'a Bump, inner: &'a str, braces: bool) -> Option<&'a str> {
    if !inner.contains('\\') {
        return Some(inner);
    }
    let mut decoded = BumpString::with_capacity_in(inner.len(), bump);
    let only_braces = braces && !inner.replace("\\{", "").contains('\\');
    let mut rest = inner;
    while let Some(next) = rest.chars().next() {
        rest = rest.get(next.len_utf8()..)?;
        if next != '\\' {
            if next < ' ' && !only_braces {
                return None;
            }
            decoded.push(next);
            continue;
        }
        let escape = rest.chars().next()?;
        rest = rest.get(escape.len_utf8()..)?;
        decoded.push(match escape {
            '"' | '\\' | '/' => escape,
            '{' if braces => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => code_point(&mut rest)?,
            _ => return None,
        });
    }
    Some(decoded.into_bump_str())
}

/// Behind `\u`. A surrogate without its partner is U+FFFD.
fn code_point(rest: &mut &str) -> Option<char> {
    let first = hex4(rest)?;
    if let Some(found) = char::from_u32(first) {
        return Some(found);
    }
    if (0xD800..0xDC00).contains(&first)
        && let Some(behind) = rest.strip_prefix("\\u")
    {
        let mut behind = behind;
        if let Some(second) = hex4(&mut behind)
            && (0xDC00..0xE000).contains(&second)
        {
            *rest = behind;
            return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        }
    }
    Some(char::REPLACEMENT_CHARACTER)
}

fn hex4(rest: &mut &str) -> Option<u32> {
    let digits = rest.get(..4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    *rest = rest.get(4..)?;
    u32::from_str_radix(digits, 16).ok()
}

/// Whether the digits of a literal (its sign and leading point apart) make a number that OPA takes.
pub(crate) fn check_number(digits: &str, point: bool) -> Result<(), &'static str> {
    let bytes = digits.as_bytes();
    if !point
        && let [b'0', second, more @ ..] = bytes
        && *second != b'.'
        && (!matches!(second, b'e' | b'E') || more.is_empty())
    {
        return Err("unexpected number token: expected number without leading zero");
    }
    if point && digits.contains('.') {
        return Err("unexpected number token: invalid number");
    }
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (digits.get(..at).unwrap_or(""), digits.get(at + 1..).unwrap_or("")),
        None => (digits, ""),
    };
    let negative = exponent.starts_with('-');
    let exponent = exponent
        .trim_start_matches(['+', '-'])
        .bytes()
        .fold(0_i64, |sum, digit| {
            sum.saturating_mul(10)
                .saturating_add(i64::from(digit.wrapping_sub(b'0')))
        });
    let exponent = if negative { -exponent } else { exponent };
    if too_big(mantissa, point, exponent) {
        Err("number too big")
    } else {
        Ok(())
    }
}

/// Whether the binary exponent of `mantissa × 10^exponent` is out of bounds. The mantissa's leading 17 digits decide.
fn too_big(mantissa: &str, point: bool, exponent: i64) -> bool {
    let (whole, fraction) = if point {
        ("", mantissa)
    } else {
        mantissa.split_once('.').unwrap_or((mantissa, ""))
    };
    let all = || whole.bytes().chain(fraction.bytes());
    let Some(zeros) = all().position(|digit| digit != b'0') else {
        return false;
    };
    let lead = all()
        .skip(zeros)
        .chain(std::iter::repeat(b'0'))
        .take(17)
        .fold(0.0_f64, |sum, digit| {
            sum * 10.0 + f64::from(digit.wrapping_sub(b'0'))
        });
    let as_i64 = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let scale = as_i64(whole.len())
        .saturating_sub(as_i64(zeros))
        .saturating_add(exponent)
        .saturating_sub(17);
    if scale.abs() > NUMBER_EXPONENT_MAX {
        return true;
    }
    #[expect(clippy::cast_precision_loss, reason = "bounded above")]
    let binary = (lead.log2() + scale as f64 * std::f64::consts::LOG2_10).floor() + 1.0;
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let bound = NUMBER_EXPONENT_MAX as f64;
    binary > bound || binary < -bound
}

/// OPA's word for the kind of a term, roots of documents told apart from variables.
pub(crate) fn value_name(term: &Term<'_>) -> &'static str {
    match term.kind {
        TermKind::Var("input" | "data") => "ref",
        _ => term_name(&term.kind),
    }
}

/// OPA's word for a kind of term.
pub(crate) fn term_name(kind: &TermKind<'_>) -> &'static str {
    match kind {
        TermKind::Null => "null",
        TermKind::Bool(_) => "boolean",
        TermKind::Number(_) => "number",
        TermKind::String { .. } => "string",
        TermKind::Var(_) => "var",
        TermKind::Ref { .. } => "ref",
        TermKind::Call { .. }
        | TermKind::Infix { .. }
        | TermKind::KeyValueIn { .. }
        | TermKind::Negate(_) => "call",
        TermKind::Array(_) => "array",
        TermKind::Set(_) => "set",
        TermKind::Object(_) => "object",
        TermKind::ArrayComprehension { .. } => "arraycomprehension",
        TermKind::SetComprehension { .. } => "setcomprehension",
        TermKind::ObjectComprehension { .. } => "objectcomprehension",
        TermKind::Template { .. } => "templatestring",
    }
}
