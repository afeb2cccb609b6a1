//! Values as Go's `fmt` prints them.

use super::value::Val;
use crate::builtins::output::Text;
use crate::builtins::sprintf::{Action, Argument, Flags, Reader, pad, print as print_argument};
use crate::builtins::{Call, Failure};
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;

/// What stands for a value that is not there.
pub(super) const NO_VALUE: &str = "<no value>";
/// The empty interface.
const NIL: &str = "<nil>";

/// One value, as an action prints it.
pub(super) fn plain<'r>(out: &mut Text<'r>, call: &mut Call<'_, 'r>, value: Val<'r>) -> Result<(), Failure> {
    match value {
        Val::Nothing | Val::Null => out.push_str(NO_VALUE),
        value => shown(out, call, value),
    }
}

/// Values side by side, with blanks between those of which neither is a text.
pub(super) fn side_by_side<'r>(
    out: &mut Text<'r>,
    call: &mut Call<'_, 'r>,
    args: &[Val<'r>],
) -> Result<(), Failure> {
    let is_text = |value: &Val<'_>| matches!(value, Val::Text(_) | Val::Number(_));
    let mut after_text = true;
    for arg in args {
        if !after_text && !is_text(arg) {
            out.push(' ')?;
        }
        after_text = is_text(arg);
        shown(out, call, *arg)?;
    }
    Ok(())
}

/// Values with blanks between them, and the end of a line.
pub(super) fn line<'r>(out: &mut Text<'r>, call: &mut Call<'_, 'r>, args: &[Val<'r>]) -> Result<(), Failure> {
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            out.push(' ')?;
        }
        shown(out, call, *arg)?;
    }
    out.push('\n')
}

/// By a format text.
pub(super) fn formatted<'r>(
    out: &mut Text<'r>,
    call: &mut Call<'_, 'r>,
    format: &str,
    args: &[Val<'r>],
) -> Result<(), Failure> {
    let int = |at: usize| match args.get(at) {
        Some(Val::Int(int)) => Some(*int),
        Some(Val::Byte(byte)) => Some((*byte).into()),
        _ => None,
    };
    let mut reader = Reader::new(format, args.len(), &int);
    while let Some((literal, rest)) = reader.rest.split_once('%') {
        out.push_str(literal)?;
        reader.rest = rest;
        let before = out.len();
        let directive = reader.directive();
        directive.complain(out)?;
        match directive.action {
            Action::Print(at, verb) => {
                let value = args.get(at).copied().unwrap_or(Val::Null);
                one(out, call, value, verb, &directive.flags)?;
            }
            action => action.print_itself(out)?,
        }
        call.charge(1 + (out.len() - before) / 8)?;
        if reader.rest.is_empty() {
            break;
        }
    }
    out.push_str(reader.rest)?;
    let extra = args.get(reader.next..).unwrap_or_default();
    if reader.reordered || extra.is_empty() {
        return Ok(());
    }
    out.push_str("%!(EXTRA ")?;
    for (at, value) in extra.iter().enumerate() {
        if at > 0 {
            out.push_str(", ")?;
        }
        match value {
            Val::Nothing | Val::Null => out.push_str(NIL)?,
            value => {
                out.format(format_args!("{}=", value.type_name()))?;
                shown(out, call, *value)?;
            }
        }
    }
    out.push(')')
}

/// `%v`
fn shown<'r>(out: &mut Text<'r>, call: &mut Call<'_, 'r>, value: Val<'r>) -> Result<(), Failure> {
    one(out, call, value, 'v', &Flags::default())
}

/// One argument with a verb.
fn one<'r>(
    out: &mut Text<'r>,
    call: &mut Call<'_, 'r>,
    value: Val<'r>,
    verb: char,
    flags: &Flags,
) -> Result<(), Failure> {
    match (value, verb) {
        (Val::Nothing | Val::Null, 'v' | 'T') => pad(out, NIL, flags, true),
        (Val::Nothing | Val::Null, _) => out.format(format_args!("%!{verb}({NIL})")),
        (_, 'T') => print_argument(
            out,
            call.arena,
            &Argument::Text(value.type_name()),
            "string",
            's',
            flags,
        ),
        // The address of something in memory.
        (Val::List(_) | Val::Map(_), 'p') => Err(Failure::Abort(EvalErrorKind::StrictBuiltin)),
        _ => nested(out, call, value, verb, flags, 0),
    }
}

/// A value that may hold others. Recursive over the nesting of the document, as far as the limit goes.
fn nested<'r>(
    out: &mut Text<'r>,
    call: &mut Call<'_, 'r>,
    value: Val<'r>,
    verb: char,
    flags: &Flags,
    depth: usize,
) -> Result<(), Failure> {
    call.charge(1)?;
    if depth > BUILTIN_DEPTH_MAX {
        return Err(Failure::Abort(EvalErrorKind::DepthExceeded));
    }
    let arena = call.arena;
    let name = value.type_name();
    match value {
        Val::Nothing | Val::Null if flags.sharp_v => out.push_str("interface {}(nil)"),
        Val::Nothing | Val::Null => out.push_str(NIL),
        Val::Bool(value) if matches!(verb, 'v' | 't') => {
            pad(out, if value { "true" } else { "false" }, flags, true)
        }
        Val::Bool(_) => complaint(out, call, value, verb, flags, depth),
        Val::Int(int) => print_argument(out, arena, &Argument::Int(int), name, verb, flags),
        Val::Byte(byte) if flags.sharp_v => out.format(format_args!("{byte:#x}")),
        Val::Byte(byte) => print_argument(out, arena, &Argument::Int(byte.into()), name, verb, flags),
        Val::Float(float) => print_argument(out, arena, &Argument::Float(float), name, verb, flags),
        Val::Text(text) | Val::Number(text) => {
            print_argument(out, arena, &Argument::Text(text), name, verb, flags)
        }
        Val::List(_) | Val::Map(_) if verb == 'w' => complaint(out, call, value, verb, flags, depth),
        Val::List(list) => {
            out.push_str(if flags.sharp_v { "[]interface {}{" } else { "[" })?;
            for at in 0..list.len {
                if at > 0 {
                    out.push_str(if flags.sharp_v { ", " } else { " " })?;
                }
                nested(out, call, list.get(arena, at)?, verb, flags, depth + 1)?;
            }
            out.push(if flags.sharp_v { '}' } else { ']' })
        }
        Val::Map(entries) => {
            out.push_str(if flags.sharp_v {
                "map[string]interface {}{"
            } else {
                "map["
            })?;
            for (at, entry) in entries.iter().enumerate() {
                if at > 0 {
                    out.push_str(if flags.sharp_v { ", " } else { " " })?;
                }
                let key = Val::Text(entry.key.as_str().unwrap_or_default());
                nested(out, call, key, verb, flags, depth + 1)?;
                out.push(':')?;
                nested(out, call, Val::of(arena, entry.value)?, verb, flags, depth + 1)?;
            }
            out.push(if flags.sharp_v { '}' } else { ']' })
        }
    }
}

/// `%!verb(type=value)`
fn complaint<'r>(
    out: &mut Text<'r>,
    call: &mut Call<'_, 'r>,
    value: Val<'r>,
    verb: char,
    flags: &Flags,
    depth: usize,
) -> Result<(), Failure> {
    out.format(format_args!("%!{verb}({}=", value.type_name()))?;
    nested(out, call, value, 'v', flags, depth + 1)?;
    out.push(')')
}
