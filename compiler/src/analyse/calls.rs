//! Calls: of what does not exist, with a wrong number of arguments, of what this version refuses, of deprecated builtins.

use super::findings::Findings;
use super::rule_tree::RuleTree;
use super::text;
use super::tree::{Body, Call, Callee, Expr, ExprKind, Kind, Program};
use super::walk::{self, Place};
use crate::diagnostic::{Code, Diagnostic};
use gavel_runtime::builtins::BuiltinId;

/// Undefined functions and wrong numbers of arguments.
pub(super) fn check_defined(program: &Program, tree: &RuleTree, findings: &mut Findings) {
    walk::program(program, &mut |place| check_call(place, tree, findings));
}

/// As [`check_defined`], for a query.
pub(super) fn check_defined_in_query(body: &Body, tree: &RuleTree, findings: &mut Findings) {
    walk::body(body, &mut |place| check_call(place, tree, findings));
}

fn check_call(place: Place<'_>, tree: &RuleTree, findings: &mut Findings) {
    let Place::Expr(expr) = place else { return };
    let ExprKind::Call(call) = &expr.kind else { return };
    let name = text::callee(&call.callee);
    let Some(arity) = tree.arity(&call.callee) else {
        findings.fatal(Code::RegoType, expr.span, format!("undefined function {name}"));
        return;
    };
    let given = given_args(expr, call);
    let fits = given == arity || (!expr.generated && given == arity + 1) || is_equality(&call.callee);
    if fits {
        return;
    }
    let message = match &call.callee {
        Callee::Builtin(_) => format!("{name}: arity mismatch"),
        Callee::Rule(_) | Callee::Unknown(_) => {
            let plural = if given == 1 { "" } else { "s" };
            format!("function {name} has arity {arity}, got {given} argument{plural}")
        }
    };
    findings.fatal(Code::RegoType, expr.span, message);
}

/// Arguments as written: without the one that was added for the result.
fn given_args(expr: &Expr, call: &Call) -> usize {
    call.args.len() - usize::from(expr.generated)
}

fn is_equality(callee: &Callee) -> bool {
    matches!(callee, Callee::Builtin(id) if id.get().name == "eq")
}

/// Builtins that v1 took away, in modules that follow it.
pub(super) fn deprecated(program: &Program, strict: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for module in &program.modules {
        if !strict && !module.dialect.v1 {
            continue;
        }
        for clause in module.rules.iter().flat_map(|rule| &rule.clauses) {
            walk::clause(clause, &mut |place| found.extend(deprecated_at(place)));
        }
    }
    found
}

/// As [`deprecated`], for a query.
pub(super) fn deprecated_in_query(body: &Body) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    walk::body(body, &mut |place| found.extend(deprecated_at(place)));
    found
}

fn deprecated_at(place: Place<'_>) -> Option<Diagnostic> {
    let (id, expr) = called(place)?;
    let message = format!(
        "deprecated built-in function calls in expression: {}",
        id.get().name
    );
    id.get()
        .deprecated
        .then(|| Diagnostic::error(Code::RegoType, expr.span, message))
}

/// Builtins that this version does not run, or not without leave to use the network, called or put in the place of another.
pub(super) fn unsupported(program: &Program, network: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    walk::program(program, &mut |place| unsupported_at(place, network, &mut found));
    found
}

/// As [`unsupported`], for a query.
pub(super) fn unsupported_in_query(body: &Body, network: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    walk::body(body, &mut |place| unsupported_at(place, network, &mut found));
    found
}

fn unsupported_at(place: Place<'_>, network: bool, found: &mut Vec<Diagnostic>) {
    let mut refuse = |id: BuiltinId, span| {
        if !is_supported(id) || (id.get().network && !network) {
            let message = format!("the builtin `{}` is not supported", id.get().name);
            found.push(Diagnostic::error(Code::Unsupported, span, message));
        }
    };
    if let Some((id, expr)) = called(place) {
        refuse(id, expr.span);
    }
    if let Place::Expr(expr) = place {
        for with in &expr.with {
            if let Kind::Builtin(id) = with.value.kind {
                refuse(id, with.value.span);
            }
        }
    }
}

/// Functions of the table, and those that are operations of the language or the machine.
fn is_supported(id: BuiltinId) -> bool {
    id.get().run.is_some() || matches!(id.get().name, "eq" | "walk")
}

fn called(place: Place<'_>) -> Option<(BuiltinId, &Expr)> {
    let Place::Expr(expr) = place else { return None };
    match &expr.kind {
        ExprKind::Call(Call {
            callee: Callee::Builtin(id),
            ..
        }) => Some((*id, expr)),
        _ => None,
    }
}
