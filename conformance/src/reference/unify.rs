//! Unification by backtracking: equations are solved in an order in which one side of each has a value.

use super::machine::{Flow, Machine, Next, Stop, Tried};
use super::value::Value;
use gavel_compiler::hir::{RefHead, Term};
use gavel_runtime::error::EvalErrorKind;
use gavel_runtime::value::Constant;
use std::collections::BTreeSet;

/// One side of an equation.
#[derive(Clone, Debug)]
pub(super) enum Side<'u> {
    /// A pattern.
    Term(&'u Term),
    /// A value.
    Value(Value),
}

/// Two sides that must be equal.
pub(super) type Equation<'u> = (Side<'u>, Side<'u>);

impl<'u> Machine<'u> {
    /// Makes a pattern equal to a value.
    pub(super) fn unify_value(&mut self, pattern: &'u Term, value: Value, next: Next<'_, 'u>) -> Tried {
        self.unify(vec![(Side::Term(pattern), Side::Value(value))], next)
    }

    /// Solves all equations; `next` for each way in which that can be done.
    pub(super) fn unify(&mut self, mut equations: Vec<Equation<'u>>, next: Next<'_, 'u>) -> Tried {
        if equations.is_empty() {
            return next(self);
        }
        let Some(at) = equations.iter().position(|equation| self.is_ready(equation)) else {
            return Err(Stop::Strange("an equation without a value on either side"));
        };
        let equation = equations.remove(at);
        self.step(|machine| machine.solve(equation, &equations, next))
    }

    fn is_ready(&self, (left, right): &Equation<'u>) -> bool {
        match (left, right) {
            (Side::Value(_), Side::Value(_)) => true,
            (Side::Term(pattern), Side::Value(_)) | (Side::Value(_), Side::Term(pattern)) => match pattern {
                Term::Ref(reference) => match reference.head {
                    RefHead::Var(var) => self.vars.contains_key(&var),
                    RefHead::Input | RefHead::Data | RefHead::Const(_) => true,
                },
                Term::Const(_)
                | Term::Var(_)
                | Term::Array(_)
                | Term::Object(_)
                | Term::Set(_)
                | Term::Comprehension(_) => true,
            },
            (Side::Term(Term::Array(_)), Side::Term(Term::Array(_)))
            | (Side::Term(Term::Object(_)), Side::Term(Term::Object(_))) => true,
            (Side::Term(left), Side::Term(right)) => self.is_known(left) || self.is_known(right),
        }
    }

    fn solve(&mut self, equation: Equation<'u>, others: &[Equation<'u>], next: Next<'_, 'u>) -> Tried {
        match equation {
            (Side::Value(left), Side::Value(right)) => match left == right {
                true => self.unify(others.to_vec(), next),
                false => Ok(Flow::More),
            },
            (Side::Term(pattern), Side::Value(value)) | (Side::Value(value), Side::Term(pattern)) => {
                self.meet(pattern, value, others, next)
            }
            (Side::Term(Term::Array(left)), Side::Term(Term::Array(right))) => {
                if left.len() != right.len() {
                    return Ok(Flow::More);
                }
                let parts = left.iter().zip(right);
                let parts = parts.map(|(left, right)| (Side::Term(left), Side::Term(right)));
                self.unify(parts.chain(others.iter().cloned()).collect(), next)
            }
            (Side::Term(a @ Term::Object(left)), Side::Term(b @ Term::Object(right))) => {
                match (self.are_known(left), self.are_known(right)) {
                    // As written: keys that turn out to be equal do not count here.
                    _ if left.len() != right.len() => Ok(Flow::More),
                    (true, true) => {
                        self.lists(&[a, b], &mut Vec::new(), &mut |machine, values| match values {
                            [left, right] if left == right => machine.unify(others.to_vec(), next),
                            _ => Ok(Flow::More),
                        })
                    }
                    (false, false) => self.meet_objects(left, right, others, next),
                    (true, false) => {
                        self.values(a, &mut |machine, value| machine.meet(b, value, others, next))
                    }
                    (false, true) => {
                        self.values(b, &mut |machine, value| machine.meet(a, value, others, next))
                    }
                }
            }
            (Side::Term(Term::Object(entries)), Side::Term(Term::Const(Constant::Object(other))))
            | (Side::Term(Term::Const(Constant::Object(other))), Side::Term(Term::Object(entries)))
                if entries.len() != other.len() =>
            {
                Ok(Flow::More)
            }
            (Side::Term(left), Side::Term(right)) => {
                // A reference is first, the left one of two; a pattern is met with the value of the other side.
                let is_late = match (left, right) {
                    (Term::Ref(_), _) => false,
                    (_, Term::Ref(_)) | (Term::Object(_), _) => self.is_known(right),
                    _ => false,
                };
                let is_first = self.is_known(left) && !is_late;
                let (first, second) = if is_first { (left, right) } else { (right, left) };
                self.values(first, &mut |machine, value| {
                    machine.meet(second, value, others, next)
                })
            }
        }
    }

    fn are_known(&self, entries: &[(Term, Term)]) -> bool {
        entries
            .iter()
            .all(|(key, value)| self.is_known(key) && self.is_known(value))
    }

    /// Keys of a pattern that are known only now may turn out to be equal: that ends the evaluation.
    fn check_keys(&mut self, entries: &'u [(Term, Term)]) -> Result<(), Stop> {
        if entries.iter().all(|(key, _)| matches!(key, Term::Const(_))) {
            return Ok(());
        }
        let mut keys = BTreeSet::new();
        for (key, _) in entries {
            if !keys.insert(self.value(key)?) {
                return Err(EvalErrorKind::ObjectConflict.into());
            }
        }
        Ok(())
    }

    /// A pattern and a value.
    fn meet(
        &mut self,
        pattern: &'u Term,
        value: Value,
        others: &[Equation<'u>],
        next: Next<'_, 'u>,
    ) -> Tried {
        if let Term::Object(entries) = pattern {
            self.check_keys(entries)?;
        }
        match (pattern, &value) {
            (Term::Var(var), _) => match self.vars.get(var) {
                Some(known) if *known == value => self.unify(others.to_vec(), next),
                Some(_) => Ok(Flow::More),
                None => self.bound(*var, value, &mut |machine| machine.unify(others.to_vec(), next)),
            },
            (Term::Array(items), Value::Array(values)) if items.len() == values.len() => {
                let parts = items.iter().zip(values.iter());
                let parts = parts.map(|(item, value)| (Side::Term(item), Side::Value(value.clone())));
                self.unify(parts.chain(others.iter().cloned()).collect(), next)
            }
            (Term::Object(entries), Value::Object(values, _)) if entries.len() == values.len() => {
                let mut parts = Vec::new();
                for (key, part) in entries {
                    let key = self.value(key)?;
                    match values.get(&key) {
                        Some(value) => parts.push((Side::Term(part), Side::Value(value.clone()))),
                        None => return Ok(Flow::More),
                    }
                }
                parts.extend(others.iter().cloned());
                self.unify(parts, next)
            }
            (Term::Array(_) | Term::Object(_), _) => Ok(Flow::More),
            // A set with unknown members equals no value.
            (Term::Set(_), _) if !self.is_known(pattern) => Ok(Flow::More),
            (Term::Const(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_), _) => {
                self.values(pattern, &mut |machine, other| match other == value {
                    true => machine.unify(others.to_vec(), next),
                    false => Ok(Flow::More),
                })
            }
        }
    }

    /// Two objects of patterns; their keys have values.
    fn meet_objects(
        &mut self,
        left: &'u [(Term, Term)],
        right: &'u [(Term, Term)],
        others: &[Equation<'u>],
        next: Next<'_, 'u>,
    ) -> Tried {
        self.check_keys(left)?;
        self.check_keys(right)?;
        let mut keyed = Vec::new();
        for (key, part) in right {
            keyed.push((self.value(key)?, part));
        }
        let mut parts = Vec::new();
        for (key, part) in left {
            let key = self.value(key)?;
            match keyed.iter().find(|(other, _)| *other == key) {
                Some((_, other)) => parts.push((Side::Term(part), Side::Term(other))),
                None => return Ok(Flow::More),
            }
        }
        parts.extend(others.iter().cloned());
        self.unify(parts, next)
    }
}
