//! Go's formats of 64-bit floats.

use super::directive::Flags;
use super::print;
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::output::Text;
use crate::number::Shortest;

/// No 64-bit float has more digits than this, before or behind the point.
const DIGITS_MAX: usize = 1_100;

/// The number with its sign in front (`+` for positive ones); `None` when the verb does not fit floats.
pub(super) fn text<'r>(
    arena: &'r Arena,
    value: f64,
    verb: char,
    flags: &Flags,
) -> Result<Option<&'r str>, Failure> {
    let (format, precision) = match verb {
        'v' => ('g', None),
        'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
        'f' | 'e' | 'E' => (verb, Some(6)),
        'F' => ('f', Some(6)),
        _ => return Ok(None),
    };
    let precision = flags.precision.or(precision);
    let mut out = Text::new(arena);
    let sign = match (value.is_sign_negative(), flags.space && !flags.plus) {
        (true, _) => '-',
        (false, true) => ' ',
        (false, false) => '+',
    };
    out.push(sign)?;
    let size = value.abs();
    match format {
        'f' => plain(&mut out, size, precision.unwrap_or(6))?,
        'e' | 'E' => scientific(&mut out, arena, size, precision.unwrap_or(6), format)?,
        'b' => binary(&mut out, size)?,
        'x' | 'X' => hexadecimal(&mut out, size, precision, format == 'X')?,
        _ => general(&mut out, arena, size, precision, format)?,
    }
    let text = out.finish()?;
    if flags.sharp && format != 'b' {
        return restored(arena, text, verb, precision).map(Some);
    }
    Ok(Some(text))
}

/// Pads; zeros go behind the sign. A plus is shown only when asked for.
pub(super) fn pad(out: &mut Text<'_>, text: &str, flags: &Flags) -> Result<(), Failure> {
    let unsigned = text.get(1..).unwrap_or_default();
    if !flags.plus && text.starts_with('+') {
        return print::pad(out, unsigned, flags, true);
    }
    let width = flags.width.unwrap_or(0);
    if flags.zero && !flags.minus && width > text.len() {
        out.push_str(text.get(..1).unwrap_or_default())?;
        out.fill('0', width - text.len())?;
        return out.push_str(unsigned);
    }
    print::pad(out, text, flags, true)
}

/// `ddd.ddd`
fn plain(out: &mut Text<'_>, size: f64, precision: usize) -> Result<(), Failure> {
    let shown = precision.min(DIGITS_MAX);
    out.format(format_args!("{size:.shown$}"))?;
    out.fill('0', precision - shown)
}

/// `d.ddde±dd`
fn scientific(
    out: &mut Text<'_>,
    arena: &Arena,
    size: f64,
    precision: usize,
    e: char,
) -> Result<(), Failure> {
    let shown = precision.min(DIGITS_MAX);
    let mut plain = Text::new(arena);
    plain.format(format_args!("{size:.shown$e}"))?;
    let plain = plain.finish()?;
    let (mantissa, exponent) = plain.split_once('e').unwrap_or((plain, "0"));
    out.push_str(mantissa)?;
    out.fill('0', precision - shown)?;
    exponent_part(out, exponent.parse().unwrap_or(0), e)
}

/// At most so many digits, rounded, without zeros at the end; and the exponent.
fn rounded(arena: &Arena, size: f64, count: usize) -> Result<(&[u8], i32), Failure> {
    let mut text = Text::new(arena);
    text.format(format_args!("{size:.*e}", count - 1))?;
    let text = text.finish()?;
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let mut digits = Text::new(arena);
    digits.push_str(mantissa.get(..1).unwrap_or_default())?;
    let rest = mantissa.get(1..).unwrap_or_default();
    digits.push_str(rest.trim_start_matches('.').trim_end_matches('0'))?;
    Ok((digits.finish()?.as_bytes(), exponent.parse().unwrap_or(0)))
}

fn exponent_part(out: &mut Text<'_>, exponent: i32, e: char) -> Result<(), Failure> {
    let sign = if exponent < 0 { '-' } else { '+' };
    out.format(format_args!("{e}{sign}{:02}", exponent.unsigned_abs()))
}

/// `%g`: plain or scientific, without zeros at the end.
fn general(
    out: &mut Text<'_>,
    arena: &Arena,
    size: f64,
    precision: Option<usize>,
    format: char,
) -> Result<(), Failure> {
    let (digits, exponent) = match precision {
        None => {
            let shortest = Shortest::of_f64(size);
            (arena.bytes(shortest.digits())?, shortest.exponent)
        }
        Some(precision) => rounded(arena, size, precision.clamp(1, DIGITS_MAX))?,
    };
    let (first, rest) = digits.split_at(1);
    let count = digits.len();
    let limit = match precision {
        None => 6,
        // A precision beyond the digits does not push large integers into plain form.
        Some(precision) => {
            let precision = precision.max(1);
            let whole = usize::try_from(exponent + 1).unwrap_or(0);
            if precision > count && count >= whole {
                count
            } else {
                precision
            }
        }
    };
    if size != 0.0 && (exponent < -4 || i64::from(exponent) >= limit as i64) {
        out.push_ascii(first)?;
        if !rest.is_empty() {
            out.push('.')?;
            out.push_ascii(rest)?;
        }
        return exponent_part(out, exponent, if format == 'G' { 'E' } else { 'e' });
    }
    let Ok(exponent) = usize::try_from(exponent) else {
        out.push_str("0.")?;
        out.fill('0', exponent.unsigned_abs() as usize - 1)?;
        out.push_ascii(first)?;
        return out.push_ascii(rest);
    };
    out.push_ascii(first)?;
    let whole = exponent.min(rest.len());
    out.push_ascii(rest.get(..whole).unwrap_or_default())?;
    out.fill('0', exponent - whole)?;
    if whole < rest.len() {
        out.push('.')?;
        out.push_ascii(rest.get(whole..).unwrap_or_default())?;
    }
    Ok(())
}

/// Mantissa (an integer) and exponent of a float.
fn parts(size: f64) -> (u64, i32) {
    let bits = size.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    }
}

/// `%b`: `4503599627370496p-52`
fn binary(out: &mut Text<'_>, size: f64) -> Result<(), Failure> {
    let (mantissa, exponent) = parts(size);
    let sign = if exponent < 0 { '-' } else { '+' };
    out.format(format_args!("{mantissa}p{sign}{}", exponent.unsigned_abs()))
}

/// `%x`: `0x1.8p+01`
fn hexadecimal(out: &mut Text<'_>, size: f64, precision: Option<usize>, upper: bool) -> Result<(), Failure> {
    let (mantissa, exponent) = parts(size);
    // The leading one at bit 60, so that fifteen whole hexadecimal digits follow.
    let (mut mantissa, mut exponent) = match mantissa {
        0 => (0, 0),
        _ => {
            let shift = mantissa.leading_zeros() as i32 - 3;
            (mantissa << shift, exponent - shift + 60)
        }
    };
    if let Some(digits) = precision.filter(|digits| *digits < 15) {
        let shift = (digits * 4) as u32;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let mut text = format!("0x{}", mantissa >> 60);
    let fraction = match precision {
        None => digits.trim_end_matches('0'),
        Some(count) => digits.get(..count).unwrap_or(&digits),
    };
    let zeros = precision.unwrap_or(0).saturating_sub(digits.len());
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    if upper {
        text.make_ascii_uppercase();
    }
    out.push_str(&text)?;
    out.fill('0', zeros)?;
    exponent_part(out, exponent, if upper { 'P' } else { 'p' })
}

/// `#`: the point stays, and for `%g` the zeros that were cut off come back.
fn restored<'r>(
    arena: &'r Arena,
    text: &str,
    verb: char,
    precision: Option<usize>,
) -> Result<&'r str, Failure> {
    let is_hexadecimal = matches!(verb, 'x' | 'X');
    let mut missing = match verb {
        'v' | 'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let tail_at = text.find(|c| matches!(c, 'p' | 'P') || (!is_hexadecimal && matches!(c, 'e' | 'E')));
    let (number, tail) = text.split_at(tail_at.unwrap_or(text.len()));
    let unsigned = number.get(1..).unwrap_or_default();
    let digits = unsigned.bytes().filter(|b| *b != b'.');
    let counted = digits.skip_while(|b| *b == b'0').count();
    missing = missing.saturating_sub(counted);
    let mut out = Text::new(arena);
    out.push_str(number)?;
    if !number.contains('.') {
        // A lone zero counts as a digit.
        missing = missing.saturating_sub(usize::from(unsigned == "0"));
        out.push('.')?;
    }
    out.fill('0', missing)?;
    out.push_str(tail)?;
    out.finish()
}
