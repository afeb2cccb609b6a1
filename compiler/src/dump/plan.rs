//! The plan as text: functions, one instruction a line, `-> Ln` where an instruction can fail to.

use crate::opt::Change;
use crate::plan::{
    Again, Cmp, Cond, Container, Direct, Function, Inst, Label, Operand, Plan, Reg, Target, TextTest,
    constant_text,
};
use gavel_runtime::bytecode::SwitchSpec;
use std::fmt::Write;

/// What a pass changed in one function: the code before and after it.
#[must_use]
pub fn change(change: &Change<'_>) -> String {
    let code = |function: &Function| {
        let mut out = String::new();
        body(change.plan, function, &mut out);
        out
    };
    format!(
        "# {}: {}\n  before\n{}  after\n{}\n",
        change.pass.name,
        change.after.name,
        code(change.before),
        code(change.after)
    )
}

/// All functions of a plan in order.
#[must_use]
pub fn plan(plan: &Plan) -> String {
    let mut out = String::new();
    for (at, function) in plan.functions.iter().enumerate() {
        // Writing into a string cannot fail.
        let _ = writeln!(
            out,
            "f{at} {} ({:?}, {} params)",
            function.name, function.kind, function.params
        );
        body(plan, function, &mut out);
    }
    for (path, func) in &plan.entries {
        let _ = writeln!(out, "entry {} = f{}", path.join("."), func.0);
    }
    out
}

fn body(plan: &Plan, function: &Function, out: &mut String) {
    for step in &function.code {
        match &step.inst {
            Inst::Label(label) => {
                let _ = writeln!(out, " L{}:", label.0);
            }
            inst => {
                let text = instruction(plan, inst);
                match (inst, inst.target()) {
                    (Inst::Jump(_), _) | (_, None) => {
                        let _ = writeln!(out, "    {text}");
                    }
                    (_, Some(label)) => {
                        let _ = writeln!(out, "    {text} -> L{}", label.0);
                    }
                }
            }
        }
    }
}

fn instruction(plan: &Plan, inst: &Inst) -> String {
    match inst {
        Inst::Label(label) => format!("L{}", label.0),
        Inst::Const { dst, value } => format!("{} = {}", r(*dst), constant_text(value)),
        Inst::Move { dst, src } => format!("{} = {}", r(*dst), r(*src)),
        Inst::Unset { dst } => format!("{} = unset", r(*dst)),
        Inst::Slot { dst, path, .. } => format!("{} = {}", r(*dst), slot(path)),
        Inst::SlotOr { dst, path, default } => {
            format!("{} = {} or {}", r(*dst), slot(path), constant_text(default))
        }
        Inst::Base { dst, .. } => format!("{} = base", r(*dst)),
        Inst::Index { .. } => index(inst),
        Inst::Field { dst, of, key, .. } => format!("{} = {}[{}]", r(*dst), r(*of), constant_text(key)),
        Inst::Test { cond, .. } => format!("test {}", condition(plan, cond)),
        Inst::LoopInit { .. } | Inst::LoopFind { .. } | Inst::LoopNext { .. } => looping(inst),
        Inst::New { .. }
        | Inst::Add { .. }
        | Inst::Put { .. }
        | Inst::TreePut { .. }
        | Inst::TreeAdd { .. }
        | Inst::TreeMerge { .. }
        | Inst::End { .. }
        | Inst::Collect { .. } => building(inst),
        Inst::CallRule { dst, func, .. } => format!("{} = {}", r(*dst), name(plan, Target::Function(*func))),
        Inst::CallFn { dst, func, args, .. } => {
            format!(
                "{} = {}({})",
                r(*dst),
                name(plan, Target::Function(*func)),
                list(args)
            )
        }
        Inst::CallBuiltin {
            dst,
            builtin,
            args,
            prepared,
            ..
        } => format!(
            "{} = {}({}){}",
            r(*dst),
            builtin.get().name,
            list(args),
            if prepared.is_some() { " prepared" } else { "" }
        ),
        Inst::Direct { dst, what, of, .. } => direct(*dst, what, *of),
        Inst::CallMocked {
            dst, target, args, ..
        } => format!("{} = mocked {}({})", r(*dst), name(plan, *target), list(args)),
        Inst::Ret { value, body } => format!("return {} by {body}", r(*value)),
        Inst::RetConst { value, body } => format!("return {} by {body}", constant_text(value)),
        Inst::RetUndefined => "return".to_owned(),
        Inst::SetOnce { dst, src } => format!("once {} = {}", r(*dst), r(*src)),
        Inst::Jump(label) => format!("jump L{}", label.0),
        Inst::Switch { on, index, ways, .. } => switch(on, index, ways),
        Inst::WithBegin => "with".to_owned(),
        Inst::WithInput { value, path } => format!("with {} as {}", slot(path), r(*value)),
        Inst::WithData { value, path } => format!("with data {path:?} as {}", r(*value)),
        Inst::WithNoData { path } => format!("with no data {path:?}"),
        Inst::WithBase { value, path } => format!("with base {path:?} as {}", r(*value)),
        Inst::WithRule { value, func } => {
            format!("with {} as {}", name(plan, Target::Function(*func)), r(*value))
        }
        Inst::WithMockValue { cell, value } => format!("with {} as {}", name(plan, *cell), r(*value)),
        Inst::WithMockCall { cell, target } => {
            format!("with {} as {}", name(plan, *cell), name(plan, *target))
        }
        Inst::WithMockDocument { cell, func } => {
            format!(
                "with {} as {}",
                name(plan, *cell),
                name(plan, Target::Function(*func))
            )
        }
        Inst::WithEnd => "end with".to_owned(),
        Inst::Note(note) => format!("; {note:?}"),
    }
}

fn direct(dst: Reg, what: &Direct, of: Reg) -> String {
    match what {
        Direct::Count => format!("{} = count of {}", r(dst), r(of)),
        Direct::Piece { separator, at } => {
            let separator = constant_text(separator);
            format!("{} = piece {at} of {} by {separator}", r(dst), r(of))
        }
    }
}

fn looping(inst: &Inst) -> String {
    match inst {
        Inst::LoopInit { state, over, .. } => format!("loop {} over {}", r(*state), r(*over)),
        Inst::LoopFind {
            state,
            over,
            path,
            value,
            ..
        } => {
            let path: String = path
                .iter()
                .map(|key| format!("[{}]", constant_text(key)))
                .collect();
            format!(
                "loop {} over {} where {path} == {}",
                r(*state),
                r(*over),
                r(*value)
            )
        }
        Inst::LoopNext {
            state, key, value, ..
        } => format!(
            "next {}: {}, {}",
            r(*state),
            key.map_or("_".to_owned(), r),
            value.map_or("_".to_owned(), r)
        ),
        _ => String::new(),
    }
}

fn switch(on: &Operand, index: &SwitchSpec, ways: &[Label]) -> String {
    let way = |at: &u16| ways.get(usize::from(*at)).map_or(0, |label| label.0);
    let line = |verb: &str, key: &dyn std::fmt::Debug, at: &u16| format!(" {verb}{key:?}: L{}", way(at));
    let texts = |verb: &str, texts: &[(String, u16)]| -> String {
        texts.iter().map(|(text, at)| line(verb, text, at)).collect()
    };
    let integers = index.integers.iter().map(|(integer, at)| line("", integer, at));
    let flags = index.flags.iter().map(|(flag, at)| line("", flag, at));
    format!(
        "switch {}{}{}{}{}",
        operand(on),
        texts("", &index.exact),
        texts("starts with ", &index.starts),
        texts("ends with ", &index.ends),
        integers.chain(flags).collect::<String>()
    )
}

fn index(inst: &Inst) -> String {
    match inst {
        Inst::Index {
            dst, of, key, stored, ..
        } => {
            let by = if *stored { "text of " } else { "" };
            format!("{} = {}[{by}{}]", r(*dst), r(*of), r(*key))
        }
        _ => String::new(),
    }
}

fn building(inst: &Inst) -> String {
    match inst {
        Inst::New { kind, dst } => format!("{} = new {}", r(*dst), container(*kind)),
        Inst::Add { to, value, .. } => format!("add {} to {}", r(*value), r(*to)),
        Inst::Put {
            to,
            key,
            value,
            again,
        } => format!(
            "put{} {}: {} to {}",
            if *again != Again::Replaces { " once" } else { "" },
            r(*key),
            r(*value),
            r(*to)
        ),
        Inst::TreePut { to, path, value } => format!("put [{}]: {} to {}", list(path), r(*value), r(*to)),
        Inst::TreeMerge { to, path, value } => {
            format!("merge [{}]: {} to {}", list(path), r(*value), r(*to))
        }
        Inst::TreeAdd { to, path, member } => format!(
            "add [{}]: {} to {}",
            list(path),
            member.map_or("nothing".to_owned(), r),
            r(*to)
        ),
        Inst::End { reg, .. } => format!("finish {}", r(*reg)),
        Inst::Collect { kind, dst, parts } => {
            format!("{} = {} of {}", r(*dst), container(*kind), list(parts))
        }
        _ => String::new(),
    }
}

fn condition(plan: &Plan, cond: &Cond) -> String {
    match cond {
        Cond::Truthy(a) => operand(a),
        Cond::Compare(cmp, a, b) => format!("{} {} {}", operand(a), sign(*cmp), operand(b)),
        Cond::In(a, b) => format!("{} in {}", operand(a), operand(b)),
        Cond::Text(test, a, text) => {
            let verb = match test {
                TextTest::Starts => "starts with",
                TextTest::Ends => "ends with",
            };
            format!("{} {verb} {}", operand(a), constant_text(text))
        }
        Cond::Defined(path) => format!("defined {}", slot(path)),
        Cond::IsObject(path) => format!("{} is object", slot(path)),
        Cond::IsSet(reg) => format!("set {}", r(*reg)),
        Cond::IsDocument(cell) => format!("{} is document", name(plan, *cell)),
        Cond::IsArrayOf(reg, len) => format!("{} is array of {len}", r(*reg)),
        Cond::IsObjectOf(reg, len) => format!("{} is object of {len}", r(*reg)),
    }
}

fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Reg(reg) => r(*reg),
        Operand::Const(value) => constant_text(value),
        Operand::Slot(path) => slot(path),
    }
}

fn sign(cmp: Cmp) -> &'static str {
    match cmp {
        Cmp::Eq => "==",
        Cmp::Ne => "!=",
        Cmp::Lt => "<",
        Cmp::Le => "<=",
        Cmp::Gt => ">",
        Cmp::Ge => ">=",
    }
}

fn container(kind: Container) -> &'static str {
    match kind {
        Container::Array => "array",
        Container::Set => "set",
        Container::Object => "object",
        Container::Tree => "tree",
    }
}

fn name(plan: &Plan, target: Target) -> String {
    match target {
        Target::Function(func) => plan
            .functions
            .get(func.0)
            .map_or_else(|| format!("f{}", func.0), |function| function.name.clone()),
        Target::Builtin(id) => id.get().name.to_owned(),
    }
}

fn slot(path: &[String]) -> String {
    path.iter()
        .fold("input".to_owned(), |text, key| format!("{text}.{key}"))
}

fn list(regs: &[Reg]) -> String {
    regs.iter().map(|reg| r(*reg)).collect::<Vec<_>>().join(", ")
}

fn r(reg: Reg) -> String {
    format!("r{}", reg.0)
}
