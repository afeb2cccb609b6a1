//! The normal text of a value: JSON in which numbers are 64-bit floats. Equal texts mean equal values for `const`, `enum`
//! and `uniqueItems`.

use crate::builtins::Failure;
use crate::error::EvalErrorKind;
use crate::json::{self, Escape};
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::number;
use crate::value::{Kind, Value};

/// Appends the normal text of a value. Error for a number beyond the range of floats.
pub(super) fn write_normal(out: &mut Vec<u8>, value: Value<'_>) -> Result<(), Failure> {
    write_at(out, value, 0)
}

fn write_at(out: &mut Vec<u8>, value: Value<'_>, depth: usize) -> Result<(), Failure> {
    if depth > BUILTIN_DEPTH_MAX {
        return Err(EvalErrorKind::DepthExceeded.into());
    }
    match value.kind() {
        Kind::Int(int) => write_float(out, int as f64),
        Kind::Number(text) => {
            let float = number::to_f64(text);
            if !float.is_finite() {
                return Err(Failure::BUILTIN);
            }
            write_float(out, float);
        }
        Kind::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_at(out, *item, depth + 1)?;
            }
            out.push(b']');
        }
        Kind::Object(members) => {
            out.push(b'{');
            for (at, member) in members.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                json::write_string(out, member.key.as_str().unwrap_or_default(), Escape::Html);
                out.push(b':');
                write_at(out, member.value, depth + 1)?;
            }
            out.push(b'}');
        }
        _ => json::write(out, value, Escape::Html).map_err(|_| Failure::BUILTIN)?,
    }
    Ok(())
}

fn write_float(out: &mut Vec<u8>, float: f64) {
    number::write_f64_json(out, float);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_those_of_gos_encoder() {
        for (float, want) in [
            (1.0, "1"),
            (-0.0, "-0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (0.000001, "0.000001"),
        ] {
            let mut out = Vec::new();
            write_float(&mut out, float);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }
}
