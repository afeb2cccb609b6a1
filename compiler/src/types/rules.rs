//! The whole of a unit: infers and checks rule by rule, then queries against the result.

use super::body::{Body, Shared};
use super::builtin::Signatures;
use super::documents::{Documents, Key};
use super::infer::{Env, Layer};
use super::order::{Graph, ground_path, head_path};
use super::schemas;
use super::ty::Type;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{Clause, Query, Rule, RuleKind, Term, Unit};
use crate::source::SourceMap;
use gavel_runtime::value::Constant;
use std::collections::HashMap;
use std::rc::Rc;

/// What the check of a unit came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// Everything that OPA's type checker refuses, in source order.
    pub errors: Vec<Diagnostic>,
    /// A deprecated builtin is called in a statement that is checked whole. OPA refuses deprecated builtins in v1 modules
    /// only then: a unit that calls them inside `every`, `and`, `or` and the new `not` alone is taken.
    pub meets_deprecated: bool,
}

/// Checks a unit with ordered bodies.
///
/// About linear in the size of the unit: types are bounded, and each statement is checked once.
#[must_use]
pub fn check(sources: &SourceMap, unit: &Unit) -> Report {
    let graph = Graph::new(unit);
    let mut shared = shared(sources, unit, &graph);
    let (_, mut errors) = infer(&mut shared);
    sort(&mut errors);
    Report {
        errors,
        meets_deprecated: shared.meets_deprecated,
    }
}

/// Checks a query against a unit that passed [`check`]. `new_not`: its negations have blocks of their own.
#[must_use]
pub fn check_query(sources: &SourceMap, unit: &Unit, query: &Query, new_not: bool) -> Vec<Diagnostic> {
    let graph = Graph::new(unit);
    let mut shared = shared(sources, unit, &graph);
    let (documents, _) = infer(&mut shared);
    let mut body = Body::new(
        Env::new(&documents),
        &mut shared,
        (&query.var_names, &query.builtin_names),
        new_not,
    );
    body.block(&query.block);
    let mut errors = body.errors;
    sort(&mut errors);
    errors
}

/// A tree in which all that depends on a replaced document may be anything, a replaced function itself excepted; `None`
/// when no rule does.
pub(super) fn relaxed_documents(
    unit: &Unit,
    graph: &Graph,
    path: &[String],
    function: bool,
) -> Option<Documents> {
    let mut relaxed = Documents::new();
    let dependents = graph.dependents(path);
    for rule in dependents.into_iter().filter_map(|rule| unit.rules.get(rule)) {
        if !(function && rule.path == path) {
            relaxed.put(ground_path(rule).into_iter().map(Key::Constant), Type::Any);
        }
    }
    (!relaxed.is_empty()).then_some(relaxed)
}

fn shared<'c>(sources: &'c SourceMap, unit: &'c Unit, graph: &'c Graph) -> Shared<'c> {
    Shared {
        sources,
        unit,
        graph,
        signatures: Signatures::default(),
        meets_deprecated: false,
        relaxed: HashMap::new(),
    }
}

/// Types of all rules, and what is wrong with them.
fn infer(shared: &mut Shared<'_>) -> (Documents, Vec<Diagnostic>) {
    let unit = shared.unit;
    let mut documents = Documents::new();
    let mut errors = Vec::new();
    for turn in shared.graph.order(unit) {
        let Some(rule) = unit.rules.get(turn.rule) else {
            continue;
        };
        let path = ground_path(rule);
        for (position, clause) in rule.clauses.iter().enumerate() {
            let mut env = Env::new(&documents);
            if !turn.open.is_empty() {
                let mut open = Documents::new();
                for path in &turn.open {
                    open.put(path.iter().cloned(), Type::Any);
                }
                env.push_layer(Layer::Data(Rc::new(open)));
            }
            if let Some(known) = unit.schemas.get(turn.rule) {
                let own = if position == 0 { known.own.as_slice() } else { &[] };
                for reason in schemas::apply(&mut env, &documents, known.shared.iter().chain(own)) {
                    errors.push(Diagnostic::error(Code::RegoType, clause.span, reason));
                }
            }
            let mut body = Body::new(env, shared, (&rule.var_names, &rule.builtin_names), rule.new_not);
            body.name_builtins(&rule.head_builtins);
            body.block(&clause.body);
            if body.errors.is_empty() {
                match clause_type(&mut body.env, rule, clause, &path) {
                    // References to it count as those to base data.
                    Type::Unknown => {}
                    value => documents.insert(&path, value),
                }
            } else {
                // Rules that refer to a wrong one are not blamed for it.
                errors.append(&mut body.errors);
                documents.put(head_path(rule), Type::Any);
            }
        }
    }
    (documents, errors)
}

/// What a clause adds to the documents at the path of its rule.
fn clause_type(env: &mut Env<'_>, rule: &Rule, clause: &Clause, path: &[Constant]) -> Type {
    for arg in &rule.args {
        unused_is_anything(env, arg);
    }
    let value = env.type_of(&clause.value);
    match rule.kind {
        RuleKind::Function => {
            let args = rule.args.iter().map(|arg| env.type_of(arg)).collect();
            Type::function(args, value)
        }
        RuleKind::Value => below(env, rule, path, value),
        RuleKind::Set if matches!(value, Type::Unknown) => Type::Unknown,
        RuleKind::Set => below(env, rule, path, Type::set(value)),
    }
}

/// The value under the variable part of the head: an object for each of its elements.
fn below(env: &Env<'_>, rule: &Rule, path: &[Constant], value: Type) -> Type {
    let fixed = path.len().saturating_sub(rule.path.len());
    let mut value = value;
    for key in rule.dynamic.iter().skip(fixed).rev() {
        let key = env.type_of(key);
        if matches!(key, Type::Unknown) || matches!(value, Type::Unknown) {
            return Type::Unknown;
        }
        value = Type::object(Vec::new(), Some((key, value)));
    }
    value
}

/// Parameters that the body says nothing about take anything.
fn unused_is_anything(env: &mut Env<'_>, pattern: &Term) {
    match pattern {
        Term::Var(var) => {
            if matches!(env.var(*var), Type::Unknown) {
                env.set_var(*var, Type::Any);
            }
        }
        Term::Array(items) | Term::Set(items) => {
            for item in items {
                unused_is_anything(env, item);
            }
        }
        Term::Object(entries) => {
            for (key, value) in entries {
                unused_is_anything(env, key);
                unused_is_anything(env, value);
            }
        }
        Term::Const(_) | Term::Ref(_) | Term::Comprehension(_) => {}
    }
}

/// Source order, each finding once.
fn sort(errors: &mut Vec<Diagnostic>) {
    // As in OPA, what has no place comes last.
    errors.sort_by_key(|error| (error.span.is_none(), error.span));
    errors.dedup_by(|a, b| a.span == b.span && a.message == b.message);
}
