//! Rules of which at most one can succeed for given arguments and input: no conflict between them is possible, and the
//! first that succeeds decides.

use crate::hir::{Callee, RefHead, Rule, StmtKind, Term, VarId};
use gavel_runtime::value::Constant;
use std::collections::HashMap;

/// Whether no two of the rules can both succeed: each asks for another constant in one argument, or in one input path.
pub(super) fn are_disjoint(rules: &[&Rule]) -> bool {
    if rules.len() < 2 {
        return true;
    }
    let params = rules.first().map_or(0, |rule| rule.args.len());
    let by_argument = (0..params).any(|at| {
        let constants = rules.iter().map(|rule| match rule.args.get(at) {
            Some(Term::Const(value)) => Some(value.clone()),
            _ => None,
        });
        all_distinct(constants)
    });
    if by_argument {
        return true;
    }
    let wanted: Vec<HashMap<Vec<String>, Constant>> = rules.iter().map(|rule| wanted_inputs(rule)).collect();
    let paths = wanted.first().into_iter().flat_map(HashMap::keys);
    paths
        .into_iter()
        .any(|path| all_distinct(wanted.iter().map(|inputs| inputs.get(path).cloned())))
}

fn all_distinct(values: impl Iterator<Item = Option<Constant>>) -> bool {
    let Some(mut values) = values.collect::<Option<Vec<Constant>>>() else {
        return false;
    };
    values.sort_by(Constant::compare);
    values
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.compare(b).is_ne()))
}

/// Input paths that must equal a constant before the rule's only clause can succeed.
fn wanted_inputs(rule: &Rule) -> HashMap<Vec<String>, Constant> {
    let mut wanted = HashMap::new();
    // An `else` runs when the first body fails, whatever that asked for.
    let [clause] = rule.clauses.as_slice() else {
        return wanted;
    };
    let mut read: HashMap<VarId, Vec<String>> = HashMap::new();
    for stmt in &clause.body.stmts {
        let (left, right) = match &stmt.kind {
            StmtKind::Unify { left, right, .. } => (left, right),
            StmtKind::Call {
                callee: Callee::Builtin(id),
                args,
                out: None,
            } if id.get().name == "equal" => match args.as_slice() {
                [left, right] => (left, right),
                _ => continue,
            },
            _ => continue,
        };
        match (left, right) {
            (Term::Var(var), Term::Ref(_)) | (Term::Ref(_), Term::Var(var)) => {
                let path = input_path(left).or_else(|| input_path(right));
                if let Some(path) = path {
                    read.entry(*var).or_insert(path);
                }
            }
            (Term::Var(var), Term::Const(value)) | (Term::Const(value), Term::Var(var)) => {
                if let Some(path) = read.get(var) {
                    wanted.insert(path.clone(), value.clone());
                }
            }
            (Term::Ref(_), Term::Const(value)) | (Term::Const(value), Term::Ref(_)) => {
                if let Some(path) = input_path(left).or_else(|| input_path(right)) {
                    wanted.insert(path, value.clone());
                }
            }
            _ => {}
        }
    }
    wanted
}

fn input_path(term: &Term) -> Option<Vec<String>> {
    let Term::Ref(r) = term else {
        return None;
    };
    let keys = super::refs::strings(&r.path);
    (matches!(r.head, RefHead::Input) && keys.len() == r.path.len()).then_some(keys)
}
