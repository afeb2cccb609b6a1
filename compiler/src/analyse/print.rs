//! Calls that have no value: refused where a value is wanted, `print` erased where it is a statement.

use super::findings::Findings;
use super::text;
use super::tree::{Body, Callee, Expr, ExprKind, Kind, Program, Vars};
use super::walk::{self, Place};
use crate::diagnostic::Code;
use gavel_runtime::builtins::BuiltinId;

/// Void calls that stand as values.
pub(super) fn check_values(program: &Program, findings: &mut Findings) {
    for (_, rule) in program.rules() {
        for clause in &rule.clauses {
            walk::clause(clause, &mut |place| check_place(place, &rule.vars, findings));
        }
    }
}

/// Void calls that stand as values in a query.
pub(super) fn check_values_in_query(body: &Body, vars: &Vars, findings: &mut Findings) {
    walk::body(body, &mut |place| check_place(place, vars, findings));
}

fn check_place(place: Place<'_>, vars: &Vars, findings: &mut Findings) {
    if let Place::Term(term) = place
        && let Kind::Call(call) = &term.kind
        && matches!(&call.callee, Callee::Builtin(id) if is_void(*id))
    {
        let message = format!("{} used as value", text::term(term, vars));
        findings.fatal(Code::RegoType, term.span, message);
    }
}

/// Erases `print` statements everywhere.
pub(super) fn erase(program: &mut Program) {
    for module in &mut program.modules {
        for clause in module.rules.iter_mut().flat_map(|rule| &mut rule.clauses) {
            erase_in_body(&mut clause.body);
            walk::bodies_in_term(&mut clause.value, &mut erase_here);
        }
    }
}

/// Erases `print` statements of a body and the bodies in it.
pub(super) fn erase_in_body(body: &mut Body) {
    walk::bodies_mut(body, &mut erase_here);
}

fn erase_here(body: &mut Body) -> bool {
    let span = body.first().map(|expr| expr.span);
    body.retain(|expr| !is_print(expr));
    if body.is_empty() {
        body.extend(span.map(Expr::always));
    }
    true
}

fn is_print(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(call)
        if matches!(&call.callee, Callee::Builtin(id) if id.get().name == "print"))
}

/// Builtins without a result.
pub(super) fn is_void(id: BuiltinId) -> bool {
    matches!(id.get().name, "print" | "internal.print" | "internal.test_case")
}
