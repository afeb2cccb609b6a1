//! The builtin: walks the format text.

use super::argument::{Argument, spelled_int};
use super::directive::{Action, Flags, Reader};
use super::print::print;
use crate::arena::Arena;
use crate::builtins::operand::{args, array, string};
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::number;
use crate::value::Value;

/// `sprintf(format, values)`
pub(in crate::builtins) fn sprintf<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [format, values] = self::args(args)?;
    let (format, values) = (string(format)?, array(values)?);
    let mut out = Text::new(call.arena);
    let int = |at: usize| values.get(at).copied().and_then(spelled_int);
    let mut reader = Reader::new(format, values.len(), &int);
    while let Some((literal, rest)) = reader.rest.split_once('%') {
        out.push_str(literal)?;
        reader.rest = rest;
        let before = out.len();
        if let Some(next) = values.get(reader.next) {
            call.charge(number::price(*next))?;
        }
        directive(&mut out, call.arena, &mut reader, values)?;
        call.charge(1 + (out.len() - before) / 8)?;
        if reader.rest.is_empty() {
            break;
        }
    }
    out.push_str(reader.rest)?;
    if !reader.reordered {
        extra(
            &mut out,
            call.arena,
            values.get(reader.next..).unwrap_or_default(),
        )?;
    }
    call.charge(out.len() / 8)?;
    out.value()
}

fn directive<'r>(
    out: &mut Text<'_>,
    arena: &'r Arena,
    reader: &mut Reader<'_>,
    values: &[Value<'r>],
) -> Result<(), Failure> {
    let directive = reader.directive();
    directive.complain(out)?;
    match directive.action {
        Action::Print(at, verb) => {
            let value = values.get(at).copied().unwrap_or(Value::NULL);
            let argument = Argument::of(value, arena)?;
            print(
                out,
                arena,
                &argument,
                argument.type_name(),
                verb,
                &directive.flags,
            )
        }
        action => action.print_itself(out),
    }
}

/// Arguments that no directive took.
fn extra<'r>(out: &mut Text<'_>, arena: &'r Arena, values: &[Value<'r>]) -> Result<(), Failure> {
    if values.is_empty() {
        return Ok(());
    }
    out.push_str("%!(EXTRA ")?;
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push_str(", ")?;
        }
        let argument = Argument::of(*value, arena)?;
        out.push_str(argument.type_name())?;
        out.push('=')?;
        print(
            out,
            arena,
            &argument,
            argument.type_name(),
            'v',
            &Flags::default(),
        )?;
    }
    out.push(')')
}
