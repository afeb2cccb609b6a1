//! `internal.template_string`: the parts of `$"…{x}…"` side by side.

use super::operand::{args, array};
use super::output::Text;
use super::{BuiltinResult, Call, Failure, rego_text};
use crate::error::EvalErrorKind;
use crate::value::{Kind, Value};

/// Joins literals and values. A value comes as the set of its results, which is empty for an undefined one.
pub(super) fn template_string<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [parts] = self::args(args)?;
    let mut out = Text::new(call.arena);
    for part in array(parts)? {
        let value = match part.kind() {
            Kind::Set([]) => {
                out.push_str("<undefined>")?;
                continue;
            }
            Kind::Set([value]) => *value,
            Kind::Set(_) => return Err(Failure::Abort(EvalErrorKind::CompleteConflict)),
            _ => *part,
        };
        match value.kind() {
            Kind::String(text) => out.push_str(text)?,
            _ => rego_text::write(&mut out, call.arena, value)?,
        }
    }
    call.charge(out.len() / 8)?;
    out.value()
}
