//! The planner's last step: each `with data.…` names the rules and extents that it replaces, which are known only when
//! everything has been planned.

use super::ir::{FnRef, Function, Inst, K, Label, Plan, Reg, Step};
use gavel_runtime::value::Constant;

/// Resolves every [`Inst::WithData`].
pub(super) fn resolve(plan: &mut Plan) {
    let documents: Vec<(FnRef, Vec<String>)> = plan
        .functions
        .iter()
        .enumerate()
        .filter_map(|(at, function)| Some((FnRef(at), function.document.clone()?)))
        .collect();
    for function in &mut plan.functions {
        if function
            .code
            .iter()
            .any(|step| matches!(step.inst, Inst::WithData { .. }))
        {
            function_scopes(function, &documents);
        }
    }
}

fn function_scopes(function: &mut Function, documents: &[(FnRef, Vec<String>)]) {
    let code = std::mem::take(&mut function.code);
    for step in code {
        let Inst::WithData { value, path } = &step.inst else {
            function.code.push(step);
            continue;
        };
        let (value, path) = (*value, path.clone());
        let span = step.span;
        let put = |function: &mut Function, inst| function.code.push(Step { inst, span });
        put(
            function,
            Inst::WithBase {
                value,
                path: path.clone(),
            },
        );
        for (func, document) in documents {
            let Some(rest) = document.strip_prefix(path.as_slice()) else {
                continue;
            };
            if rest.is_empty() {
                put(function, Inst::WithRule { value, func: *func });
                continue;
            }
            let part = fresh_reg(function);
            let undefined = fresh_label(function);
            put(function, Inst::Unset { dst: part });
            let mut of = value;
            for key in rest {
                let dst = fresh_reg(function);
                let field = Inst::Field {
                    dst,
                    of,
                    key: K::new(Constant::String(key.clone())),
                    fail: undefined,
                };
                put(function, field);
                of = dst;
            }
            put(function, Inst::Move { dst: part, src: of });
            put(function, Inst::Label(undefined));
            put(
                function,
                Inst::WithRule {
                    value: part,
                    func: *func,
                },
            );
        }
    }
}

fn fresh_reg(function: &mut Function) -> Reg {
    function.regs += 1;
    Reg(function.regs - 1)
}

fn fresh_label(function: &mut Function) -> Label {
    function.labels += 1;
    Label(function.labels - 1)
}
