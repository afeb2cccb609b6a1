//! Bytecode as text, one op a line: for people and for tests. The same program always gives the same text.

use super::{FnInfo, FnKind, Inst, MOCK_BUILTIN, NO_PREPARED, NO_REG, PreparedSpec, RawProgram, Role};
use crate::builtins::BUILTINS;
use crate::value::Constant;
use std::fmt::{Result, Write};

/// Constants longer than this are cut.
const TEXT_MAX: usize = 60;

/// The text of a program.
#[must_use]
pub fn dump(program: &RawProgram) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_program(&mut out, program);
    out
}

fn write_program(out: &mut String, program: &RawProgram) -> Result {
    for (id, info) in program.functions.iter().enumerate() {
        if id > 0 {
            out.push('\n');
        }
        write_function(out, program, id, info)?;
    }
    Ok(())
}

fn write_function(out: &mut String, program: &RawProgram, id: usize, info: &FnInfo) -> Result {
    let kind = match info.kind {
        FnKind::Rule => "rule",
        FnKind::Function => "function",
        FnKind::Memo => "memo",
        FnKind::Query => "query",
    };
    writeln!(
        out,
        "{kind} {id} {} params={} regs={}",
        info.name, info.params, info.regs
    )?;
    let mut at = info.entry as usize;
    let mut place = None;
    while at < info.end as usize {
        let Some(inst) = Inst::decode(&program.code, at) else {
            return writeln!(out, "  {at:>5}  ?");
        };
        let here = line_at(program, at);
        if here != place
            && let Some((source, row)) = here
        {
            writeln!(out, "         ; {source}:{row}")?;
        }
        place = here;
        write!(out, "  {at:>5}  {:<14}", inst.op.name())?;
        write_operands(out, program, inst)?;
        out.truncate(out.trim_end().len());
        out.push('\n');
        at += inst.len_words();
    }
    Ok(())
}

fn line_at(program: &RawProgram, at: usize) -> Option<(&str, u32)> {
    let after = program.lines.partition_point(|line| line.pc as usize <= at);
    let line = program.lines.get(after.checked_sub(1)?)?;
    let source = program
        .sources
        .get(line.source as usize)
        .map_or("?", String::as_str);
    Some((source, line.row))
}

/// Operands in the order of the op table, the label last.
fn write_operands(out: &mut String, program: &RawProgram, inst: Inst) -> Result {
    let values = [
        u32::from(inst.a),
        u32::from(inst.b),
        inst.c,
        u32::from(inst.d),
        u32::from(inst.e),
        inst.f,
    ];
    let mut between = "";
    let mut label = None;
    for (role, value) in inst.op.shape().roles.into_iter().zip(values) {
        match role {
            Role::None | Role::Count | Role::CountPairs => continue,
            Role::Prepared if value == NO_PREPARED => continue,
            Role::Label => {
                label = Some(value);
                continue;
            }
            _ => {}
        }
        out.push_str(between);
        between = ", ";
        write_operand(out, program, inst, role, value)?;
    }
    if let Some(label) = label {
        write!(out, "{between}-> {label}")?;
    }
    Ok(())
}

fn write_operand(out: &mut String, program: &RawProgram, inst: Inst, role: Role, value: u32) -> Result {
    match role {
        Role::DefOpt if value == u32::from(NO_REG) => out.write_str("_"),
        Role::Def | Role::Use | Role::UseDef | Role::DefOpt => write!(out, "r{value}"),
        Role::DefLoop | Role::Loop => write!(out, "loop r{value}"),
        Role::Run => {
            let pairs = inst.op.shape().roles.contains(&Role::CountPairs);
            let count = u32::from(inst.d) * if pairs { 2 } else { 1 };
            match count {
                0 => out.write_str("[]"),
                1 => write!(out, "[r{value}]"),
                _ => write!(out, "[r{value}..r{}]", value + count - 1),
            }
        }
        Role::Const => match program.constants.get(value as usize) {
            Some(constant) => write_cut(out, &constant_text(constant)),
            None => write!(out, "k{value}?"),
        },
        Role::Slot => {
            out.write_str("input")?;
            for key in program.slots.get(value as usize).into_iter().flatten() {
                write!(out, ".{key}")?;
            }
            Ok(())
        }
        Role::Func => write_function_name(out, program, value),
        Role::Builtin => write_builtin_name(out, value),
        Role::Target if value & MOCK_BUILTIN != 0 => write_builtin_name(out, value & !MOCK_BUILTIN),
        Role::Target => write_function_name(out, program, value),
        Role::Prepared => match program.prepared.get(value as usize) {
            Some(PreparedSpec::Regex(pattern)) => write!(out, "regex {pattern:?}"),
            Some(PreparedSpec::Glob(pattern, delimiters)) => write!(out, "glob {pattern:?} {delimiters:?}"),
            Some(PreparedSpec::Switch(index)) => {
                write_lines(out, "", &index.exact)?;
                write_lines(out, "starts ", &index.starts)?;
                write_lines(out, "ends ", &index.ends)?;
                write_lines(out, "", &index.integers)?;
                write_lines(out, "", &index.flags)?;
                out.truncate(out.trim_end().len());
                Ok(())
            }
            None => write!(out, "prepared {value}?"),
        },
        Role::Mock => write!(out, "mock {value}"),
        Role::Imm => write!(out, "#{value}"),
        Role::None | Role::Count | Role::CountPairs | Role::Label => Ok(()),
    }
}

fn write_lines<T: std::fmt::Debug>(out: &mut String, verb: &str, lines: &[(T, u16)]) -> Result {
    lines
        .iter()
        .try_for_each(|(key, way)| write!(out, "{verb}{key:?}: {way} "))
}

fn write_function_name(out: &mut String, program: &RawProgram, id: u32) -> Result {
    match program.functions.get(id as usize) {
        Some(info) => out.write_str(&info.name),
        None => write!(out, "fn {id}?"),
    }
}

fn write_builtin_name(out: &mut String, id: u32) -> Result {
    match BUILTINS.get(id as usize) {
        Some(builtin) => out.write_str(builtin.name),
        None => write!(out, "builtin {id}?"),
    }
}

fn write_cut(out: &mut String, text: &str) -> Result {
    match text.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => write!(out, "{}…", text.get(..at).unwrap_or_default()),
        None => out.write_str(text),
    }
}

/// Rego text of a constant. Recursive over its nesting, which its maker bounds.
fn constant_text(constant: &Constant) -> String {
    let list = |items: &[Constant]| items.iter().map(constant_text).collect::<Vec<_>>().join(", ");
    match constant {
        Constant::Null => "null".to_owned(),
        Constant::Bool(value) => value.to_string(),
        Constant::Int(value) => value.to_string(),
        Constant::Number(text) => text.clone(),
        Constant::String(text) => format!("{text:?}"),
        Constant::Array(items) => format!("[{}]", list(items)),
        Constant::Set(items) if items.is_empty() => "set()".to_owned(),
        Constant::Set(items) => format!("{{{}}}", list(items)),
        Constant::Object(members) => {
            let members = members
                .iter()
                .map(|(k, v)| format!("{}: {}", constant_text(k), constant_text(v)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}
