//! `with` modifiers: what may be replaced, and by what. Values that need evaluation get a variable before the statement.

use super::expand::needs_evaluation;
use super::findings::Findings;
use super::print::is_void;
use super::rule_tree::RuleTree;
use super::tree::{Body, Expr, Head, Kind, Program, Ref, Term, VarName, Vars, With};
use super::walk;
use crate::constant;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use gavel_runtime::builtins::BuiltinId;
use std::collections::HashMap;

/// Checks and prepares the modifiers of all rules.
pub(super) fn prepare(program: &mut Program, tree: &RuleTree, findings: &mut Findings) {
    for module in &mut program.modules {
        for rule in &mut module.rules {
            for clause in &mut rule.clauses {
                prepare_body(&mut clause.body, &mut rule.vars, tree, findings);
            }
        }
    }
}

/// Checks and prepares the modifiers of a body and the bodies in it. A body with an error is not looked into.
pub(super) fn prepare_body(body: &mut Body, vars: &mut Vars, tree: &RuleTree, findings: &mut Findings) {
    walk::bodies_mut(body, &mut |body| {
        let prepared = prepare_here(body, vars, tree);
        let is_sound = prepared.is_ok();
        findings.fatal_all(prepared.err().map(|error| *error).into_iter().collect());
        is_sound
    });
}

fn prepare_here(body: &mut Body, vars: &mut Vars, tree: &RuleTree) -> Result<(), Box<Diagnostic>> {
    if body.iter().all(|expr| expr.with.is_empty()) {
        return Ok(());
    }
    let mut prepared = Body::with_capacity(body.len() + 1);
    // What was lifted out of a statement carries the same modifiers: their values are evaluated once.
    let mut captured: HashMap<Span, Term> = HashMap::new();
    for mut expr in body.drain(..) {
        for with in &mut expr.with {
            if let Some(value) = captured.get(&with.span) {
                with.value = value.clone();
                continue;
            }
            if evaluates(with, tree)? {
                if let Kind::Builtin(id) = &with.value.kind {
                    // No function's name can be the value of a document: there it is a variable that nobody binds.
                    let name = id.get().name.split('.').next().unwrap_or_default();
                    with.value.kind = Kind::Var(vars.fresh(VarName::Written(name.to_owned())));
                }
                let var = vars.generated();
                let placeholder = Term::var(with.value.span, var);
                let value = std::mem::replace(&mut with.value, placeholder);
                prepared.push(Expr::capture(var, value));
                captured.insert(with.span, with.value.clone());
            }
        }
        prepared.push(expr);
    }
    *body = prepared;
    Ok(())
}

/// Whether the value must be evaluated before the statement.
fn evaluates(with: &With, tree: &RuleTree) -> Result<bool, Box<Diagnostic>> {
    let target = &with.target;
    match &target.kind {
        Kind::Builtin(id) => {
            check_replaced(*id, target.span)?;
            Ok(match &with.value.kind {
                Kind::Builtin(_) => false,
                Kind::Ref(reference) => !is_virtual(reference, tree),
                _ => needs_evaluation(&with.value),
            })
        }
        Kind::Ref(reference) if matches!(reference.head, Head::Data) => {
            check_partial(reference, target.span, tree)?;
            if is_function(reference, tree) {
                match &with.value.kind {
                    Kind::Builtin(_) => return Ok(false),
                    Kind::Ref(value) if is_virtual(value, tree) => return Ok(false),
                    _ => {}
                }
            }
            if let Kind::Ref(value) = &with.value.kind
                && is_function(value, tree)
            {
                return Ok(false);
            }
            Ok(document_value(with))
        }
        Kind::Ref(reference) if matches!(reference.head, Head::Input) => Ok(document_value(with)),
        _ => Err(Box::new(Diagnostic::error(
            Code::RegoType,
            target.span,
            "with keyword target must reference existing input, data, or a function",
        ))),
    }
}

/// A value for a document.
fn document_value(with: &With) -> bool {
    matches!(with.value.kind, Kind::Builtin(_)) || needs_evaluation(&with.value)
}

fn is_function(reference: &Ref, tree: &RuleTree) -> bool {
    matches!(reference.head, Head::Data)
        && tree
            .find(&reference.path)
            .is_some_and(|node| tree.is_function(node))
}

/// Whether a reference names a virtual document or a function: in the place of a function, such a value stays a reference,
/// which each call reads anew.
fn is_virtual(reference: &Ref, tree: &RuleTree) -> bool {
    matches!(reference.head, Head::Data) && tree.find(&reference.path).is_some()
}

fn check_partial(reference: &Ref, span: Span, tree: &RuleTree) -> Result<(), Box<Diagnostic>> {
    let mut node = tree.root();
    for element in reference.path.iter().take(reference.path.len().saturating_sub(1)) {
        let Some(child) = element.as_const().and_then(|key| tree.child(node, key)) else {
            break;
        };
        if !tree.rules(child).is_empty() {
            return Err(Box::new(Diagnostic::error(
                Code::RegoCompile,
                span,
                "with keyword cannot partially replace virtual document(s)",
            )));
        }
        node = child;
    }
    Ok(())
}

fn check_replaced(id: BuiltinId, span: Span) -> Result<(), Box<Diagnostic>> {
    let row = id.get();
    let error = |message: String| {
        let message = format!("with keyword replacing built-in function: {message}");
        Err(Box::new(Diagnostic::error(Code::RegoCompile, span, message)))
    };
    if matches!(row.name, "eq" | "rego.metadata.chain" | "rego.metadata.rule") {
        return error(format!("replacement of {} invalid", constant::quoted(row.name)));
    }
    if row.name.starts_with("internal.") {
        let name = constant::quoted(row.name);
        return error(format!("replacement of internal function {name} invalid"));
    }
    if row.relation {
        return error("target must not be a relation".to_owned());
    }
    if is_void(id) {
        return error("target must not be a void function".to_owned());
    }
    Ok(())
}
