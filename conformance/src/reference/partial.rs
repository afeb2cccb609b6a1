//! Rules that each put something into one document: members of a set, members of objects at any depth.

use super::machine::{Flow, Machine, Stop};
use super::tree::{Kind, Node, Place};
use super::unify::Side;
use super::value::Value;
use gavel_compiler::hir::{Rule, RuleKind, Term};
use gavel_runtime::error::EvalErrorKind;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The document so far.
struct Document {
    value: Value,
    /// Where something was put.
    visited: Vec<Vec<Value>>,
}

/// What is put somewhere.
enum What {
    /// A value.
    Value(Value),
    /// A member of a set.
    Member(Value),
}

impl<'u> Machine<'u> {
    /// The document of a node; rules that cannot contribute to the keys are left out.
    pub(super) fn partial(&mut self, node: &Node<'u>, keys: &[Value]) -> Result<Value, Stop> {
        let mut document = Document {
            value: match node.kind {
                Kind::Set => Value::set(Vec::new()),
                Kind::Package | Kind::Complete | Kind::Object | Kind::Function => Value::object(Vec::new()),
            },
            visited: Vec::new(),
        };
        let places = node.places();
        if node.kind == Kind::Object {
            containers(&places, keys, &mut document)?;
        }
        let mut complete = BTreeSet::new();
        for place in &places {
            let rule = place.rule;
            let is_left_out = place.is_open && rule.is_default;
            let filed = place.keys.get(..place.filed).unwrap_or_default();
            let is_elsewhere = !fit(place.keys.get(..place.names.len()).unwrap_or_default(), keys);
            if is_left_out || is_elsewhere || !are_spelled_alike(filed, keys) {
                continue;
            }
            let path: Vec<Value> = place.names.iter().map(|name| Value::text(name)).collect();
            if !place.is_open && rule.kind == RuleKind::Value && rule.dynamic.is_empty() {
                let below = place
                    .names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>();
                if complete.insert(below.clone())
                    && let Some(leaf) = node.find(&below)
                {
                    let is_leaf = |rule: &&Rule| rule.kind == RuleKind::Value && rule.dynamic.is_empty();
                    let rules: Vec<&Rule> = leaf.rules.iter().copied().filter(is_leaf).collect();
                    if let Some(value) = self.one_value(&rules, &[], EvalErrorKind::CompleteConflict)? {
                        document.put(path, What::Value(value))?;
                    }
                }
                continue;
            }
            let keys = keys.get(place.names.len()..).unwrap_or_default();
            self.apart(place.rule, |machine| {
                machine.contribute(place, &path, keys, &mut document)
            })?;
        }
        Ok(document.value)
    }

    fn contribute(
        &mut self,
        place: &Place<'u>,
        path: &[Value],
        keys: &[Value],
        document: &mut Document,
    ) -> Result<(), Stop> {
        let rule = place.rule;
        for clause in &rule.clauses {
            if self.is_excluded(&clause.body.stmts)? {
                continue;
            }
            let mut head: Vec<&Term> = rule.dynamic.iter().collect();
            head.push(&clause.value);
            let known = match rule.kind {
                RuleKind::Set => head.len(),
                RuleKind::Value | RuleKind::Function => rule.dynamic.len(),
            };
            let equations = head.iter().take(known).zip(keys);
            let equations = equations.map(|(term, key)| (Side::Term(term), Side::Value(key.clone())));
            let mut found = false;
            self.unify(equations.collect(), &mut |machine| {
                machine.block(&clause.body.stmts, &mut |machine| {
                    machine.lists(&head, &mut Vec::new(), &mut |_, values| {
                        found = true;
                        document.add(rule.kind, path, values)?;
                        Ok(Flow::More)
                    })
                })
            })?;
            // Around a variable the first branch that OPA's index lets through is the only one.
            if found || place.is_open {
                break;
            }
        }
        Ok(())
    }
}

/// Objects and sets that are there though nothing is put into them.
fn containers(places: &[Place<'_>], keys: &[Value], document: &mut Document) -> Result<(), Stop> {
    for place in places {
        let is_below = |other: &Place<'_>| {
            other.is_general && other.keys.len() < place.keys.len() && place.keys.starts_with(&other.keys)
        };
        if places.iter().any(is_below) {
            continue;
        }
        let is_set = place.rule.kind == RuleKind::Set && !place.is_general;
        let whole = place.keys.len();
        for depth in 1..whole + usize::from(is_set || place.is_general) {
            let is_asked = |path: &&[Value]| fit(path, keys) && are_spelled_alike(path, keys);
            let Some(path) = place.keys.get(..depth).filter(is_asked) else {
                continue;
            };
            let empty = match is_set && depth == whole {
                true => Value::set(Vec::new()),
                false => Value::object(Vec::new()),
            };
            if !is_there(&document.value, path) {
                document.value = put_at(Some(&document.value), path, What::Value(empty))?;
            }
        }
    }
    Ok(())
}

/// Whether a path and keys agree as far as both go.
fn fit(path: &[Value], keys: &[Value]) -> bool {
    path.iter().zip(keys).all(|(step, key)| step == key)
}

/// Whether numbers of a path are spelled as those of the keys: rules are filed under their spelling.
fn are_spelled_alike(path: &[Value], keys: &[Value]) -> bool {
    path.iter().zip(keys).all(|pair| match pair {
        (Value::Number(step), Value::Number(key)) => step == key,
        _ => true,
    })
}

fn is_there(value: &Value, path: &[Value]) -> bool {
    let Some((key, rest)) = path.split_first() else {
        return true;
    };
    match value {
        Value::Object(entries, _) => entries.get(key).is_some_and(|value| is_there(value, rest)),
        _ => false,
    }
}

impl Document {
    fn add(&mut self, kind: RuleKind, path: &[Value], values: &[Value]) -> Result<(), Stop> {
        let Some((value, dynamic)) = values.split_last() else {
            return Err(Stop::Strange("a head without a value"));
        };
        let path = [path, dynamic].concat();
        let value = value.clone();
        self.put(
            path,
            match kind {
                RuleKind::Set => What::Member(value),
                RuleKind::Value | RuleKind::Function => What::Value(value),
            },
        )
    }

    /// Puts something at a path: nothing may have been put at a part of it before.
    fn put(&mut self, path: Vec<Value>, what: What) -> Result<(), Stop> {
        let is_below = |other: &Vec<Value>| path.starts_with(other) && path.len() > other.len();
        if self.visited.iter().any(is_below) {
            return Err(EvalErrorKind::ObjectConflict.into());
        }
        self.value = put_at(Some(&self.value), &path, what)?;
        self.visited.push(path);
        Ok(())
    }
}

/// The value with something put at a path of it.
fn put_at(old: Option<&Value>, path: &[Value], what: What) -> Result<Value, Stop> {
    let Some((key, rest)) = path.split_first() else {
        return match (old, what) {
            (Some(old), What::Value(new)) if *old != new => Err(EvalErrorKind::ObjectConflict.into()),
            (Some(old), What::Value(_)) => Ok(old.clone()),
            (None, What::Value(new)) => Ok(new),
            (None, What::Member(member)) => Ok(Value::set(vec![member])),
            (Some(Value::Set(members, _)), What::Member(member)) => {
                let mut members = BTreeSet::clone(members);
                if !members.contains(&member) {
                    members.insert(member);
                }
                Ok(Value::Set(Rc::new(members), None))
            }
            (Some(_), What::Member(_)) => Err(EvalErrorKind::ObjectConflict.into()),
        };
    };
    let mut entries = match old {
        Some(Value::Object(entries, _)) => BTreeMap::clone(entries),
        Some(_) => return Err(EvalErrorKind::ObjectConflict.into()),
        None => BTreeMap::new(),
    };
    let part = put_at(entries.get(key), rest, what)?;
    entries.insert(key.clone(), part);
    Ok(Value::Object(Rc::new(entries), None))
}
