//! Printing one argument with a verb.

use super::argument::Argument;
use super::directive::Flags;
use super::float;
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::output::Text;
use crate::builtins::rego_text::{escape, is_printable};
use crate::number::Integer;

/// Prints an argument; a verb that does not fit its type prints Go's complaint.
///
/// `type_name`: what Go calls its type.
pub(in crate::builtins) fn print(
    out: &mut Text<'_>,
    arena: &Arena,
    argument: &Argument<'_>,
    type_name: &str,
    verb: char,
    flags: &Flags,
) -> Result<(), Failure> {
    if verb == 'T' {
        return string(out, type_name, flags);
    }
    match argument {
        Argument::Int(int) => integer(out, *int, type_name, verb, flags),
        Argument::Big(big) => big_integer(out, arena, big, verb, flags),
        Argument::Text(text) => match verb {
            'v' if !flags.sharp_v => string(out, text, flags),
            's' => string(out, text, flags),
            'v' | 'q' => quoted(out, arena, text, flags),
            'x' => hexadecimal(out, text, flags, false),
            'X' => hexadecimal(out, text, flags, true),
            _ => bad_verb(out, (argument, type_name), verb, flags, arena),
        },
        Argument::Float(value) => match float::text(arena, *value, verb, flags)? {
            Some(text) => float::pad(out, text, flags),
            None => bad_verb(out, (argument, type_name), verb, flags, arena),
        },
    }
}

/// `%!verb(type=value)`
fn bad_verb(
    out: &mut Text<'_>,
    (argument, type_name): (&Argument<'_>, &str),
    verb: char,
    flags: &Flags,
    arena: &Arena,
) -> Result<(), Failure> {
    out.push_str("%!")?;
    out.push(verb)?;
    out.push('(')?;
    out.push_str(type_name)?;
    out.push('=')?;
    print(out, arena, argument, type_name, 'v', flags)?;
    out.push(')')
}

/// Appends a text with blanks (or zeros, where they are asked for) up to the width.
pub(in crate::builtins) fn pad(
    out: &mut Text<'_>,
    text: &str,
    flags: &Flags,
    zeros: bool,
) -> Result<(), Failure> {
    let missing = flags.width.unwrap_or(0).saturating_sub(text.chars().count());
    if flags.minus {
        out.push_str(text)?;
        return out.fill(' ', missing);
    }
    out.fill(if zeros && flags.zero { '0' } else { ' ' }, missing)?;
    out.push_str(text)
}

fn string(out: &mut Text<'_>, text: &str, flags: &Flags) -> Result<(), Failure> {
    pad(out, truncated(text, flags), flags, true)
}

fn truncated<'t>(text: &'t str, flags: &Flags) -> &'t str {
    let end = flags.precision.and_then(|count| text.char_indices().nth(count));
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// `%q`
fn quoted(out: &mut Text<'_>, arena: &Arena, text: &str, flags: &Flags) -> Result<(), Failure> {
    let text = truncated(text, flags);
    let mut quoted = Text::new(arena);
    let raw = |c: char| c == '\t' || !matches!(c, '\0'..='\u{1f}' | '`' | '\u{7f}' | '\u{feff}');
    if flags.sharp && text.chars().all(raw) {
        quoted.format(format_args!("`{text}`"))?;
    } else {
        quoted.push('"')?;
        for c in text.chars() {
            escape(&mut quoted, c, '"', flags.plus)?;
        }
        quoted.push('"')?;
    }
    pad(out, quoted.finish()?, flags, true)
}

/// `%x` of a string: its bytes.
fn hexadecimal(out: &mut Text<'_>, text: &str, flags: &Flags, upper: bool) -> Result<(), Failure> {
    let count = flags.precision.unwrap_or(usize::MAX).min(text.len());
    let prefix = if upper { "0X" } else { "0x" };
    let size = match (count, flags.space, flags.sharp) {
        (0, ..) => 0,
        (_, true, true) => 5 * count - 1,
        (_, true, false) => 3 * count - 1,
        (_, false, true) => 2 * count + 2,
        (_, false, false) => 2 * count,
    };
    let missing = flags.width.unwrap_or(0).saturating_sub(size);
    if !flags.minus {
        out.fill(if flags.zero { '0' } else { ' ' }, missing)?;
    }
    for (at, byte) in text.bytes().take(count).enumerate() {
        if flags.space && at > 0 {
            out.push(' ')?;
        }
        if flags.sharp && (flags.space || at == 0) {
            out.push_str(prefix)?;
        }
        match upper {
            true => out.format(format_args!("{byte:02X}"))?,
            false => out.format(format_args!("{byte:02x}"))?,
        }
    }
    out.fill(' ', if flags.minus { missing } else { 0 })
}

fn integer(out: &mut Text<'_>, int: i64, type_name: &str, verb: char, flags: &Flags) -> Result<(), Failure> {
    let digits = Digits::of(int.unsigned_abs(), verb);
    match verb {
        'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => based(out, digits.get(), int < 0, verb, flags),
        'c' => pad(out, character(int).encode_utf8(&mut [0; 4]), flags, true),
        'q' => quoted_character(out, character(int), flags),
        'U' => code_point(out, int, flags),
        _ => {
            out.format(format_args!("%!{verb}({type_name}="))?;
            integer(out, int, type_name, 'v', flags)?;
            out.push(')')
        }
    }
}

/// The digits of an integer in the base of a verb, on the stack.
struct Digits {
    bytes: [u8; 64],
    start: usize,
}

impl Digits {
    fn of(mut rest: u64, verb: char) -> Digits {
        let (base, letters) = match verb {
            'b' => (2, b'a'),
            'o' | 'O' => (8, b'a'),
            'x' => (16, b'a'),
            'X' | 'U' => (16, b'A'),
            _ => (10, b'a'),
        };
        let mut digits = Digits {
            bytes: [b'0'; 64],
            start: 64,
        };
        for (at, slot) in digits.bytes.iter_mut().enumerate().rev() {
            let digit = (rest % base) as u8;
            *slot = if digit < 10 {
                b'0' + digit
            } else {
                letters + digit - 10
            };
            digits.start = at;
            rest /= base;
            if rest == 0 {
                break;
            }
        }
        digits
    }

    fn get(&self) -> &str {
        std::str::from_utf8(self.bytes.get(self.start..).unwrap_or_default()).unwrap_or("0")
    }
}

/// Sign, prefix, zeros and digits of a 64-bit integer.
fn based(out: &mut Text<'_>, digits: &str, negative: bool, verb: char, flags: &Flags) -> Result<(), Failure> {
    if flags.precision == Some(0) && digits == "0" {
        return out.fill(' ', flags.width.unwrap_or(0));
    }
    let sign = match (negative, flags.plus, flags.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    };
    let filled = flags.zero && !flags.minus;
    let least = match (flags.precision, flags.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if filled => width.saturating_sub(sign.len()),
        _ => 0,
    };
    let zeros = least.saturating_sub(digits.len());
    let prefix = match verb {
        // Both prefixes, as Go prints it.
        'O' if flags.sharp && zeros == 0 && !digits.starts_with('0') => "0o0",
        'O' => "0o",
        'b' if flags.sharp => "0b",
        'o' if flags.sharp && zeros == 0 && !digits.starts_with('0') => "0",
        'x' if flags.sharp => "0x",
        'X' if flags.sharp => "0X",
        _ => "",
    };
    let size = sign.len() + prefix.len() + zeros + digits.len();
    let missing = flags.width.unwrap_or(0).saturating_sub(size);
    out.fill(' ', if flags.minus { 0 } else { missing })?;
    out.push_str(sign)?;
    out.push_str(prefix)?;
    out.fill('0', zeros)?;
    out.push_str(digits)?;
    out.fill(' ', if flags.minus { missing } else { 0 })
}

/// The character of a code point; the replacement character for what is none.
fn character(int: i64) -> char {
    let code = u32::try_from(int).ok();
    code.and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn quoted_character(out: &mut Text<'_>, c: char, flags: &Flags) -> Result<(), Failure> {
    // At most 12 bytes: measured by printing, padded around.
    let width = flags.width.unwrap_or(0);
    let size = 2 + match c {
        '\'' | '\\' | '\u{7}'..='\u{d}' => 2,
        c if is_printable(c) && (c.is_ascii() || !flags.plus) => 1,
        '\0'..='\u{7f}' => 4,
        '\u{80}'..='\u{ffff}' => 6,
        _ => 10,
    };
    let missing = width.saturating_sub(size);
    if !flags.minus {
        out.fill(if flags.zero { '0' } else { ' ' }, missing)?;
    }
    out.push('\'')?;
    escape(out, c, '\'', flags.plus)?;
    out.push('\'')?;
    out.fill(' ', if flags.minus { missing } else { 0 })
}

/// `%U`
fn code_point(out: &mut Text<'_>, int: i64, flags: &Flags) -> Result<(), Failure> {
    let digits = Digits::of(int as u64, 'U');
    let least = flags.precision.unwrap_or(4).max(4);
    let zeros = least.saturating_sub(digits.get().len());
    let shown = u32::try_from(int)
        .ok()
        .and_then(char::from_u32)
        .filter(|c| flags.sharp && is_printable(*c));
    let size = 2 + zeros + digits.get().len() + if shown.is_some() { 4 } else { 0 };
    let missing = flags.width.unwrap_or(0).saturating_sub(size);
    out.fill(' ', if flags.minus { 0 } else { missing })?;
    out.push_str("U+")?;
    out.fill('0', zeros)?;
    out.push_str(digits.get())?;
    if let Some(c) = shown {
        out.format(format_args!(" '{c}'"))?;
    }
    out.fill(' ', if flags.minus { missing } else { 0 })
}

/// Big integers format themselves, with rules of their own.
fn big_integer(
    out: &mut Text<'_>,
    arena: &Arena,
    big: &Integer,
    verb: char,
    flags: &Flags,
) -> Result<(), Failure> {
    let (base, prefix) = match verb {
        'b' => (2, "0b"),
        'o' => (8, "0"),
        'O' => (8, "0o"),
        'd' | 's' | 'v' => (10, ""),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        _ => {
            let pointer = if verb == 'w' { "*" } else { "" };
            out.format(format_args!("%!{verb}({pointer}big.Int="))?;
            if big.is_negative() {
                out.push('-')?;
            }
            big.write_digits(out, 10)?;
            return out.push(')');
        }
    };
    let prefix = if verb == 'O' || flags.sharp || flags.sharp_v {
        prefix
    } else {
        ""
    };
    let sign = match (big.is_negative(), flags.plus || flags.plus_v, flags.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    };
    let mut digits = Text::new(arena);
    big.write_digits(&mut digits, base)?;
    let digits = digits.finish()?;
    let mut zeros = flags.precision.unwrap_or(0).saturating_sub(digits.len());
    let size = sign.len() + prefix.len() + zeros + digits.len();
    let missing = flags.width.unwrap_or(0).saturating_sub(size);
    let (mut left, mut right) = (0, 0);
    match (flags.minus, flags.zero && flags.precision.is_none()) {
        (true, _) => right = missing,
        (false, true) => zeros += missing,
        (false, false) => left = missing,
    }
    out.fill(' ', left)?;
    out.push_str(sign)?;
    out.push_str(prefix)?;
    out.fill('0', zeros)?;
    match verb {
        'X' => out.push_upper(digits)?,
        _ => out.push_str(digits)?,
    }
    out.fill(' ', right)
}
