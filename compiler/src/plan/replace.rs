//! The planner's last step: each `with data.…` names the rules and extents that it replaces, which are known only when
//! everything has been planned.

use super::cond::{Cond, Operand};
use super::cycles::reachable_from;
use super::ir::{FnRef, Function, Inst, K, Label, Plan, Reg, Step};
use super::planner::refusal;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use gavel_runtime::builtins;
use gavel_runtime::value::Constant;

/// Resolves every [`Inst::WithData`] and [`Inst::WithNoData`].
///
/// # Errors
/// Documents that have no value, where what is around them is read.
pub(super) fn resolve(plan: &mut Plan) -> Result<(), Vec<Diagnostic>> {
    let problems: Vec<Diagnostic> = (0..plan.functions.len())
        .filter_map(|at| hole_in_what_is_read(plan, at))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let documents: Vec<(FnRef, Vec<String>)> = plan
        .functions
        .iter()
        .enumerate()
        .filter_map(|(at, function)| Some((FnRef(at), function.document.clone()?)))
        .collect();
    let takes = |step: &Step| matches!(step.inst, Inst::WithNoData { .. });
    plan.reads_base |= plan
        .functions
        .iter()
        .any(|function| function.code.iter().any(takes));
    for function in &mut plan.functions {
        if function
            .code
            .iter()
            .any(|step| matches!(step.inst, Inst::WithData { .. } | Inst::WithNoData { .. }))
        {
            function_scopes(function, &documents);
        }
    }
    Ok(())
}

/// A refusal of functions in the place of documents, where a document around them may be read: for OPA it still has the
/// member, with a value that is none.
fn hole_in_what_is_read(plan: &Plan, at: usize) -> Option<Diagnostic> {
    let function = plan.functions.get(at)?;
    let holes: Vec<&[String]> = function
        .code
        .iter()
        .filter_map(|step| match &step.inst {
            Inst::WithNoData { path } => Some(path.as_slice()),
            _ => None,
        })
        .collect();
    if holes.is_empty() {
        return None;
    }
    let reached = reachable_from(plan, vec![at]);
    let mut read = plan.functions.iter().zip(reached).filter(|(_, reached)| *reached);
    let around = read.find_map(|(function, _)| {
        let documents = function.document.iter().cloned().chain(base_reads(function));
        let mut around = documents.filter(|path| {
            holes
                .iter()
                .any(|hole| hole.starts_with(path) && hole.len() > path.len())
        });
        around.next()
    })?;
    let name = super::text::document_name(&around);
    let message = format!(
        "a function in the place of a document is not supported where `{name}` is read, which holds it"
    );
    Some(refusal(function, message))
}

/// Paths at which a function reads the base document.
fn base_reads(function: &Function) -> Vec<Vec<String>> {
    let mut reads: Vec<Vec<String>> = Vec::new();
    let mut last = None;
    for step in &function.code {
        match &step.inst {
            Inst::Base { dst, .. } => {
                reads.push(Vec::new());
                last = Some(*dst);
            }
            Inst::Field { dst, of, key, .. } if Some(*of) == last => {
                if let (Constant::String(key), Some(path)) = (key.as_ref(), reads.last_mut()) {
                    path.push(key.clone());
                    last = Some(*dst);
                }
            }
            _ => last = None,
        }
    }
    reads
}

/// A function's code while the instructions of its scopes are resolved.
struct Scopes<'f> {
    function: &'f mut Function,
    documents: &'f [(FnRef, Vec<String>)],
    span: Option<Span>,
}

fn function_scopes(function: &mut Function, documents: &[(FnRef, Vec<String>)]) {
    let code = std::mem::take(&mut function.code);
    let mut scopes = Scopes {
        function,
        documents,
        span: None,
    };
    for step in code {
        scopes.span = step.span;
        match step.inst {
            Inst::WithData { value, path } => {
                scopes.put(Inst::WithBase {
                    value,
                    path: path.clone(),
                });
                scopes.rules(Some(value), &path);
            }
            Inst::WithNoData { path } => {
                scopes.take_base(&path);
                scopes.rules(None, &path);
            }
            _ => scopes.function.code.push(step),
        }
    }
}

impl Scopes<'_> {
    fn put(&mut self, inst: Inst) {
        let span = self.span;
        self.function.code.push(Step { inst, span });
    }

    /// Replaces the documents at and below a path by parts of a value, or by nothing.
    fn rules(&mut self, value: Option<Reg>, path: &[String]) {
        for (func, document) in self.documents {
            let Some(rest) = document.strip_prefix(path) else {
                continue;
            };
            if let (Some(value), []) = (value, rest) {
                self.put(Inst::WithRule { value, func: *func });
                continue;
            }
            let part = fresh_reg(self.function);
            let undefined = fresh_label(self.function);
            self.put(Inst::Unset { dst: part });
            if let Some(value) = value {
                let src = self.fields(value, rest, undefined);
                self.put(Inst::Move { dst: part, src });
                self.put(Inst::Label(undefined));
            }
            self.put(Inst::WithRule {
                value: part,
                func: *func,
            });
        }
    }

    fn fields(&mut self, from: Reg, path: &[String], fail: Label) -> Reg {
        path.iter().fold(from, |of, key| {
            let dst = fresh_reg(self.function);
            let key = K::new(Constant::String(key.clone()));
            self.put(Inst::Field { dst, of, key, fail });
            dst
        })
    }

    /// Takes a member out of the base document, where there is one.
    fn take_base(&mut self, path: &[String]) {
        let Some((name, above)) = path.split_last() else {
            return;
        };
        let none = fresh_label(self.function);
        let base = fresh_reg(self.function);
        self.put(Inst::Base {
            dst: base,
            fail: none,
        });
        let object = self.fields(base, above, none);
        let is_object = self.builtin("is_object", vec![object], none);
        self.put(Inst::Test {
            cond: Cond::Truthy(Operand::Reg(is_object)),
            fail: none,
        });
        let names = fresh_reg(self.function);
        let value = K::new(Constant::Array(vec![Constant::String(name.clone())]));
        self.put(Inst::Const { dst: names, value });
        let value = self.builtin("object.remove", vec![object, names], none);
        self.put(Inst::WithBase {
            value,
            path: above.to_vec(),
        });
        self.put(Inst::Label(none));
    }

    fn builtin(&mut self, name: &str, args: Vec<Reg>, fail: Label) -> Reg {
        let dst = fresh_reg(self.function);
        self.put(match builtins::find(name) {
            Some(builtin) => Inst::CallBuiltin {
                dst,
                builtin,
                args,
                prepared: None,
                fail,
            },
            None => Inst::Unset { dst },
        });
        dst
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
