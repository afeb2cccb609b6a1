//! Calls: of what does not exist, with a wrong number of arguments, of what this version refuses, of deprecated builtins;
//! and functions that stand where a value is wanted.

use super::findings::Findings;
use super::rule_tree::RuleTree;
use super::text;
use super::tree::{Body, Call, Callee, Expr, ExprKind, Head, Kind, Program, Ref, Vars};
use super::walk::{self, Place};
use crate::diagnostic::Code;
use gavel_runtime::builtins::BuiltinId;
use std::collections::HashSet;

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

/// Functions named where a value is wanted.
pub(super) fn check_references(program: &Program, tree: &RuleTree, findings: &mut Findings) {
    for (_, rule) in program.rules() {
        for clause in &rule.clauses {
            let mut check = ReferenceCheck {
                tree,
                vars: &rule.vars,
                findings,
            };
            check.body(&clause.body);
        }
    }
}

/// As [`check_references`], for a query.
pub(super) fn check_references_in_query(
    body: &Body,
    vars: &Vars,
    tree: &RuleTree,
    findings: &mut Findings,
) {
    ReferenceCheck {
        tree,
        vars,
        findings,
    }
    .body(body);
}

struct ReferenceCheck<'x> {
    tree: &'x RuleTree,
    vars: &'x Vars,
    findings: &'x mut Findings,
}

impl ReferenceCheck<'_> {
    fn body(&mut self, body: &Body) {
        // Modifiers name functions rightly, so only what is not directly theirs is looked at.
        let mut named: HashSet<*const Ref> = HashSet::new();
        let mut found = Vec::new();
        walk::body(body, &mut |place| match place {
            Place::Expr(expr) => {
                for with in &expr.with {
                    let values = [with.target.as_ref(), with.value.as_ref()];
                    named.extend(values.into_iter().flatten().map(std::ptr::from_ref));
                }
            }
            Place::Term(term) => {
                if let Kind::Ref(reference) = &term.kind {
                    found.push((term, reference.as_ref()));
                }
            }
        });
        for (term, reference) in found {
            if !named.contains(&std::ptr::from_ref(reference)) && self.is_function(reference) {
                let name = text::term(term, self.vars);
                let message = format!("function {name} used as reference, not called");
                self.findings.fatal(Code::RegoType, term.span, message);
            }
        }
    }

    fn is_function(&self, reference: &Ref) -> bool {
        if !matches!(reference.head, Head::Data) {
            return false;
        }
        let mut node = self.tree.root();
        for element in &reference.path {
            let Some(child) = element.as_const().and_then(|key| self.tree.child(node, key)) else {
                return false;
            };
            if self.tree.is_function(child) {
                return true;
            }
            node = child;
        }
        false
    }
}

/// Builtins that v1 took away, in modules that follow it.
pub(super) fn check_deprecated(program: &Program, strict: bool, findings: &mut Findings) {
    for module in &program.modules {
        if !strict && !module.dialect.v1 {
            continue;
        }
        for clause in module.rules.iter().flat_map(|rule| &rule.clauses) {
            walk::clause(clause, &mut |place| check_deprecated_at(place, findings));
        }
    }
}

/// As [`check_deprecated`], for a query.
pub(super) fn check_deprecated_in_query(body: &Body, findings: &mut Findings) {
    walk::body(body, &mut |place| check_deprecated_at(place, findings));
}

fn check_deprecated_at(place: Place<'_>, findings: &mut Findings) {
    if let Some((id, expr)) = called(place)
        && id.get().deprecated
    {
        let name = id.get().name;
        let message = format!("deprecated built-in function calls in expression: {name}");
        findings.recoverable(Code::RegoType, expr.span, message);
    }
}

/// Builtins that this version does not run, called or put in the place of another.
pub(super) fn check_supported(program: &Program, findings: &mut Findings) {
    walk::program(program, &mut |place| check_supported_at(place, findings));
}

/// As [`check_supported`], for a query.
pub(super) fn check_supported_in_query(body: &Body, findings: &mut Findings) {
    walk::body(body, &mut |place| check_supported_at(place, findings));
}

fn check_supported_at(place: Place<'_>, findings: &mut Findings) {
    let mut refuse = |id: BuiltinId, span| {
        if !is_supported(id) {
            let message = format!("the builtin `{}` is not supported", id.get().name);
            findings.fatal(Code::Unsupported, span, message);
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
