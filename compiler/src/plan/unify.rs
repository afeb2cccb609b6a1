//! Unification, decided at compile time as far as it goes: which variables have values is known at each statement, so a
//! pattern becomes shape tests, loads, moves and comparisons.

use super::body::{Body, Planned};
use super::cond::{Cmp, Cond, Operand};
use super::ir::{Again, Container, Inst, K, Label, Reg};
use super::literal::is_same;
use crate::hir::{RefHead, Term};
use gavel_runtime::value::Constant;
use std::borrow::Cow;

/// One side of an equation.
#[derive(Clone, Debug)]
enum Side<'t> {
    /// As written, or a part of a constant.
    Term(Cow<'t, Term>),
    /// A value at hand.
    Value(Reg),
}

type Pair<'t> = (Side<'t>, Side<'t>);

impl Body<'_, '_> {
    /// Makes both sides equal.
    pub(super) fn unify(&mut self, left: &Term, right: &Term, fail: Label) -> Planned<Label> {
        self.solve((term(left), term(right)), fail)
    }

    /// Makes a pattern equal to a value at hand.
    pub(super) fn unify_value(&mut self, pattern: &Term, value: Reg, fail: Label) -> Planned<Label> {
        self.solve((term(pattern), Side::Value(value)), fail)
    }

    fn solve(&mut self, pair: Pair<'_>, fail: Label) -> Planned<Label> {
        let mut redo = fail;
        let mut work = vec![pair];
        // Parts of a pattern may give values to variables of other parts: the first part that can be decided is next.
        while !work.is_empty() {
            let at = work.iter().position(|pair| self.is_ready(pair)).unwrap_or(0);
            let pair = work.remove(at);
            let parts = self.step(pair, &mut redo)?;
            work.splice(at..at, parts);
        }
        Ok(redo)
    }

    fn is_ready(&self, (left, right): &Pair<'_>) -> bool {
        let known = |side: &Side<'_>| match side {
            Side::Term(term) => self.has_value(term),
            Side::Value(_) => true,
        };
        if known(left) || known(right) {
            return true;
        }
        match (left, right) {
            (Side::Term(left), Side::Term(right)) => match (left.as_ref(), right.as_ref()) {
                (Term::Array(_), Term::Array(_)) => true,
                (Term::Object(a), Term::Object(b)) => {
                    !matches!(self.parts(left, right), Parts::Opaque) || self.shared_keys(a, b).is_some()
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a term can be computed now. The path of a reference may have unbound variables: it iterates.
    pub(super) fn has_value(&self, term: &Term) -> bool {
        match term {
            Term::Const(_) | Term::Comprehension(_) => true,
            Term::Var(var) => self.env.get(*var).is_some(),
            Term::Array(items) | Term::Set(items) => items.iter().all(|item| self.has_value(item)),
            Term::Object(entries) => entries
                .iter()
                .all(|(key, value)| self.has_value(key) && self.has_value(value)),
            Term::Ref(r) => match r.head {
                RefHead::Var(var) => self.env.get(var).is_some(),
                RefHead::Input | RefHead::Data | RefHead::Const(_) => true,
            },
        }
    }

    /// Decides one equation, or takes it apart.
    fn step<'t>(&mut self, pair: Pair<'t>, redo: &mut Label) -> Planned<Vec<Pair<'t>>> {
        let (left, right) = match pair {
            (Side::Value(left), Side::Value(right)) => {
                self.equal(left, right, *redo);
                return Ok(Vec::new());
            }
            (Side::Term(pattern), Side::Value(value)) | (Side::Value(value), Side::Term(pattern)) => {
                return self.match_value(pattern, value, redo);
            }
            (Side::Term(left), Side::Term(right)) => (left, right),
        };
        if let (Term::Const(a), Term::Const(b)) = (left.as_ref(), right.as_ref()) {
            if a != b {
                self.note_failure(false);
                self.emit(Inst::Jump(*redo));
            }
            return Ok(Vec::new());
        }
        match self.parts(&left, &right) {
            Parts::Pairs(pairs) => return Ok(pairs),
            Parts::Never => {
                self.note_failure(false);
                self.emit(Inst::Jump(*redo));
                self.bind_unreachable(&left);
                self.bind_unreachable(&right);
                return Ok(Vec::new());
            }
            Parts::Opaque => {}
        }
        if let (Term::Object(a), Term::Object(b)) = (left.as_ref(), right.as_ref()) {
            match (self.has_value(&left), self.has_value(&right)) {
                (true, true) => {
                    // Keys that turn out to be equal make both smaller than they are written.
                    let (left, right) = (self.value(&left, redo)?, self.value(&right, redo)?);
                    self.equal(left, right, *redo);
                    return Ok(Vec::new());
                }
                (false, false) => {
                    if let Some(pairs) = self.shared_keys(a, b) {
                        self.distinct_keys(a, redo)?;
                        self.distinct_keys(b, redo)?;
                        return Ok(pairs);
                    }
                }
                (true, false) | (false, true) => {}
            }
        }
        // The side that is computed first; a constant stays for the comparison.
        let left_first = match (self.has_value(&left), self.has_value(&right)) {
            // A reference is first, the left one of two.
            (true, true) => match (left.as_ref(), right.as_ref()) {
                // What is read once stands in front of a loop.
                (Term::Ref(_), Term::Ref(_)) => {
                    is_input(&left) || !is_input(&right) || self.term_raises(&left)
                }
                (Term::Ref(_), _) => true,
                (_, Term::Ref(_)) => false,
                _ => !is_pattern(&left) && !matches!(left.as_ref(), Term::Const(_)),
            },
            (left, _) => left,
        };
        let (first, second) = if left_first { (left, right) } else { (right, left) };
        let value = self.value(&first, redo)?;
        if matches!(first.as_ref(), Term::Ref(_)) {
            self.note_origin(value, &first);
        }
        self.match_value(second, value, redo)
    }

    /// A pattern against a value.
    fn match_value<'t>(
        &mut self,
        pattern: Cow<'t, Term>,
        value: Reg,
        redo: &mut Label,
    ) -> Planned<Vec<Pair<'t>>> {
        match pattern.as_ref() {
            Term::Var(var) => match self.env.get(*var) {
                Some(bound) => self.equal(bound, value, *redo),
                None => self.bind(*var, value),
            },
            Term::Const(constant) => self.test_const(value, K::new(constant.clone()), *redo),
            Term::Array(items) => {
                let Ok(len) = u16::try_from(items.len()) else {
                    return self.refuse("an array pattern of more than 65,535 elements is not supported");
                };
                self.test(Cond::IsArrayOf(value, len), *redo);
                let parts = (0i64..)
                    .zip(items)
                    .map(|(at, item)| {
                        let part = self.field(value, K::new(Constant::Int(at)), *redo);
                        (Side::Term(Cow::Owned(item.clone())), Side::Value(part))
                    })
                    .collect();
                return Ok(parts);
            }
            Term::Object(entries) => {
                let Ok(len) = u16::try_from(entries.len()) else {
                    return self.refuse("an object pattern of more than 65,535 members is not supported");
                };
                self.distinct_keys(entries, redo)?;
                self.test(Cond::IsObjectOf(value, len), *redo);
                let mut parts = Vec::new();
                for (key, item) in entries {
                    let part = match self.known_term(key) {
                        Some(key) => self.field(value, K::new(key), *redo),
                        None => {
                            let key = self.value(key, redo)?;
                            self.index(value, key, *redo)
                        }
                    };
                    parts.push((Side::Term(Cow::Owned(item.clone())), Side::Value(part)));
                }
                return Ok(parts);
            }
            // A set with unknown members equals no value.
            Term::Set(_) if !self.has_value(&pattern) => {
                self.note_failure(false);
                self.emit(Inst::Jump(*redo));
                self.bind_unreachable(&pattern);
            }
            Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => {
                let other = self.value(&pattern, redo)?;
                self.equal(other, value, *redo);
            }
        }
        Ok(Vec::new())
    }

    /// Aborts where keys of a pattern that are known only at run time turn out to be equal: OPA matches one of their values
    /// and leaves the variables of the others without one.
    fn distinct_keys(&mut self, entries: &[(Term, Term)], redo: &mut Label) -> Planned<()> {
        if entries.len() < 2 || entries.iter().all(|(key, _)| self.known_term(key).is_some()) {
            return Ok(());
        }
        let kind = Container::Object;
        let to = self.reg();
        self.emit(Inst::New { kind, dst: to });
        for (at, (key, _)) in (0i64..).zip(entries) {
            let key = self.value(key, redo)?;
            let value = self.constant(K::new(Constant::Int(at)));
            self.emit(Inst::Put {
                to,
                key,
                value,
                again: Again::First,
            });
        }
        self.emit(Inst::End { kind, reg: to });
        Ok(())
    }

    fn equal(&mut self, left: Reg, right: Reg, fail: Label) {
        let cond = Cond::Compare(Cmp::Eq, Operand::Reg(left), Operand::Reg(right));
        self.test(cond, fail);
    }

    /// Two collections, taken apart where both show their parts.
    fn parts<'t>(&self, left: &Cow<'t, Term>, right: &Cow<'t, Term>) -> Parts<'t> {
        match (left.as_ref(), right.as_ref()) {
            (Term::Array(a), Term::Array(b)) => zip(a.len(), b.len(), || {
                a.iter()
                    .zip(b)
                    .map(|(a, b)| (owned(a.clone()), owned(b.clone())))
                    .collect()
            }),
            (Term::Array(a), Term::Const(b)) | (Term::Const(b), Term::Array(a)) => match b {
                Constant::Array(b) => zip(a.len(), b.len(), || {
                    a.iter()
                        .zip(b)
                        .map(|(a, b)| (owned(a.clone()), owned(Term::Const(b.clone()))))
                        .collect()
                }),
                _ => Parts::Never,
            },
            (Term::Object(a), Term::Object(b)) if a.len() != b.len() => Parts::Never,
            (Term::Object(a), Term::Object(b)) => {
                let b: Option<Vec<(Constant, Term)>> = b
                    .iter()
                    .map(|(key, value)| Some((self.known_term(key)?, value.clone())))
                    .collect();
                b.map_or(Parts::Opaque, |b| self.members(a, &b))
            }
            (Term::Object(a), Term::Const(b)) | (Term::Const(b), Term::Object(a)) => match b {
                Constant::Object(b) => {
                    let b: Vec<(Constant, Term)> = b
                        .iter()
                        .map(|(key, value)| (key.clone(), Term::Const(value.clone())))
                        .collect();
                    self.members(a, &b)
                }
                _ => Parts::Never,
            },
            _ => Parts::Opaque,
        }
    }

    /// Entries of two objects whose keys are the same by what they are written as, and the rest of both as one pair. Only
    /// values at such keys give each other's variables a value, as OPA has it; the rest is compared.
    fn shared_keys<'t>(&self, a: &[(Term, Term)], b: &[(Term, Term)]) -> Option<Vec<Pair<'t>>> {
        if !a.iter().chain(b).all(|(key, _)| self.has_value(key)) {
            return None;
        }
        let written = |key: &Term| match self.known_term(key) {
            Some(constant) => Term::Const(constant),
            None => self.origin(key),
        };
        let (mut pairs, mut left) = (Vec::new(), Vec::new());
        let mut right: Vec<(Term, &(Term, Term))> =
            b.iter().map(|entry| (written(&entry.0), entry)).collect();
        for (key, value) in a {
            let as_written = written(key);
            match right.iter().position(|(other, _)| is_same(other, &as_written)) {
                Some(at) => {
                    let (_, (_, other)) = right.remove(at);
                    pairs.push((owned(value.clone()), owned(other.clone())));
                }
                None => left.push((key.clone(), value.clone())),
            }
        }
        if pairs.is_empty() {
            return None;
        }
        if !left.is_empty() {
            let right = right.into_iter().map(|(_, entry)| entry.clone()).collect();
            pairs.push((owned(Term::Object(left)), owned(Term::Object(right))));
        }
        Some(pairs)
    }

    fn members<'t>(&self, a: &[(Term, Term)], b: &[(Constant, Term)]) -> Parts<'t> {
        if a.len() != b.len() {
            return Parts::Never;
        }
        let mut pairs = Vec::new();
        for (key, value) in a {
            let Some(key) = self.known_term(key) else {
                return Parts::Opaque;
            };
            let Some((_, other)) = b.iter().find(|(k, _)| *k == key) else {
                return Parts::Never;
            };
            pairs.push((owned(value.clone()), owned(other.clone())));
        }
        Parts::Pairs(pairs)
    }

    /// Gives the variables of a term that can never be reached some register, so that what follows can be planned.
    pub(super) fn bind_unreachable(&mut self, term: &Term) {
        match term {
            Term::Const(_) | Term::Comprehension(_) => {}
            Term::Var(var) => {
                if self.env.get(*var).is_none() {
                    let dst = self.reg();
                    self.emit(Inst::Unset { dst });
                    self.env.bind(*var, dst);
                }
            }
            Term::Array(items) | Term::Set(items) => {
                items.iter().for_each(|item| self.bind_unreachable(item));
            }
            Term::Object(entries) => {
                for (key, value) in entries {
                    self.bind_unreachable(key);
                    self.bind_unreachable(value);
                }
            }
            Term::Ref(r) => r.path.iter().for_each(|item| self.bind_unreachable(item)),
        }
    }
}

/// How two collections relate.
enum Parts<'t> {
    /// Part by part.
    Pairs(Vec<Pair<'t>>),
    /// They differ in shape.
    Never,
    /// It shows only at run time.
    Opaque,
}

fn zip<'t>(left: usize, right: usize, pairs: impl FnOnce() -> Vec<Pair<'t>>) -> Parts<'t> {
    if left == right {
        Parts::Pairs(pairs())
    } else {
        Parts::Never
    }
}

fn term(term: &Term) -> Side<'_> {
    Side::Term(Cow::Borrowed(term))
}

fn owned<'t>(term: Term) -> Side<'t> {
    Side::Term(Cow::Owned(term))
}

fn is_pattern(term: &Term) -> bool {
    matches!(term, Term::Array(_) | Term::Object(_))
}

/// A path into the input without a loop.
fn is_input(term: &Term) -> bool {
    match term {
        Term::Ref(r) => {
            matches!(r.head, RefHead::Input) && r.path.iter().all(|element| matches!(element, Term::Const(_)))
        }
        _ => false,
    }
}
