//! Complete rules and functions: bodies in order, `else` chains, conflicts, defaults.

use super::body::{Body, Env, Planned};
use super::cond::Cond;
use super::disjoint::are_disjoint;
use super::ir::{Inst, K, Label, NO_BODY, Note, Reg};
use crate::hir::{Clause, Rule, Term};

/// How the bodies of one rule or function come to a result.
struct Outcome {
    /// All bodies yield this constant: the first that succeeds decides.
    early: Option<K>,
    /// At most one rule can succeed, so that a body with one solution decides.
    sole: bool,
    /// Where values are collected otherwise.
    acc: Reg,
    /// Some body writes there.
    collects: bool,
    /// Clauses planned so far.
    bodies: u16,
}

impl Body<'_, '_> {
    /// All rules of one path that yield one value; `params` are the registers of a function's arguments.
    pub(super) fn complete(&mut self, rules: &[&Rule], params: &[Reg]) -> Planned<()> {
        let bodies: Vec<&Rule> = rules.iter().copied().filter(|rule| !rule.is_default).collect();
        let mut outcome = Outcome {
            early: same_constant(&bodies),
            sole: are_disjoint(&bodies),
            acc: self.reg(),
            collects: false,
            bodies: 0,
        };
        let unset = self.code.len();
        self.emit(Inst::Unset { dst: outcome.acc });
        for rule in &bodies {
            self.rule(rule, params, &mut outcome)?;
        }
        if outcome.collects {
            let none = self.label();
            self.test(Cond::IsSet(outcome.acc), none);
            self.ret_evident(&bodies, outcome.acc);
            self.place(none);
        } else {
            self.code.remove(unset);
        }
        self.default_value(rules)
    }

    /// Returns what was collected. A value that only one body yields tells which one decided.
    fn ret_evident(&mut self, rules: &[&Rule], acc: Reg) {
        let clauses: Vec<&Clause> = rules.iter().flat_map(|rule| &rule.clauses).collect();
        let constant = |clause: &Clause| match &clause.value {
            Term::Const(value) => Some(value.clone()),
            _ => None,
        };
        let all_constant = clauses.iter().all(|clause| constant(clause).is_some());
        if all_constant && clauses.len() <= EVIDENT_MAX {
            for (body, clause) in (0u16..).zip(&clauses) {
                let Some(value) = constant(clause) else {
                    continue;
                };
                if clauses
                    .iter()
                    .filter(|other| constant(other).as_ref() == Some(&value))
                    .count()
                    > 1
                {
                    continue;
                }
                let other = self.label();
                let value = K::new(value);
                self.test_const(acc, K::clone(&value), other);
                self.emit(Inst::RetConst { value, body });
                self.place(other);
            }
        }
        self.emit(Inst::Ret {
            value: acc,
            body: NO_BODY,
        });
    }

    fn default_value(&mut self, rules: &[&Rule]) -> Planned<()> {
        let default = rules
            .iter()
            .find(|rule| rule.is_default)
            .and_then(|rule| rule.clauses.first());
        if let Some(clause) = default {
            let none = self.label();
            self.env = Env::default();
            self.note(Note::Body(clause.span));
            let mut redo = self.block(&clause.body, none)?;
            self.note(Note::Yields(clause.span));
            self.ret(&clause.value, NO_BODY, &mut redo)?;
            self.place(none);
        }
        self.emit(Inst::RetUndefined);
        Ok(())
    }

    fn rule(&mut self, rule: &Rule, params: &[Reg], outcome: &mut Outcome) -> Planned<()> {
        self.span = Some(rule.span);
        self.note_names(&rule.var_names);
        self.env = Env::default();
        let next = self.label();
        for (pattern, param) in rule.args.iter().zip(params) {
            self.unify_value(pattern, *param, next)?;
        }
        let args = self.env.clone();
        for (at, clause) in rule.clauses.iter().enumerate() {
            self.env = args.clone();
            let is_last = at + 1 == rule.clauses.len();
            let other = if is_last { next } else { self.label() };
            self.clause(clause, (other, next), is_last, outcome)?;
            outcome.bodies = outcome.bodies.saturating_add(1);
            if !is_last {
                self.place(other);
            }
        }
        self.place(next);
        Ok(())
    }

    /// One body. It fails to `other`, the next `else`; when it has decided, the next rule is `next`.
    fn clause(
        &mut self,
        clause: &Clause,
        (other, next): (Label, Label),
        is_last: bool,
        outcome: &mut Outcome,
    ) -> Planned<()> {
        self.span = Some(clause.span);
        self.note(Note::Body(clause.span));
        // Set where the body may have several solutions and an `else` follows that only its failure reaches.
        let own = self.reg();
        let unset = self.code.len();
        self.emit(Inst::Unset { dst: own });
        let exhausted = self.label();
        let (mut redo, raises) = self.rule_body(&clause.body, true, exhausted)?;
        self.span = Some(clause.span);
        self.note(Note::Yields(clause.span));
        let one_is_enough = redo == exhausted || (matches!(clause.value, Term::Const(_)) && !raises);
        if one_is_enough || is_last {
            self.code.remove(unset);
        }
        if outcome.early.is_some() || (outcome.sole && one_is_enough) {
            self.ret(&clause.value, outcome.bodies, &mut redo)?;
            self.place(exhausted);
            self.emit(Inst::Jump(other));
            return Ok(());
        }
        outcome.collects = true;
        let src = self.value(&clause.value, &mut redo)?;
        if one_is_enough || is_last {
            self.emit(Inst::SetOnce {
                dst: outcome.acc,
                src,
            });
            self.emit(Inst::Jump(if one_is_enough { next } else { redo }));
            self.place(exhausted);
            self.emit(Inst::Jump(other));
            return Ok(());
        }
        self.emit(Inst::SetOnce { dst: own, src });
        self.emit(Inst::Jump(redo));
        self.place(exhausted);
        self.test(Cond::IsSet(own), other);
        self.emit(Inst::SetOnce {
            dst: outcome.acc,
            src: own,
        });
        self.emit(Inst::Jump(next));
        Ok(())
    }

    fn ret(&mut self, value: &Term, body: u16, redo: &mut Label) -> Planned<()> {
        if let Some(value) = self.known_term(value) {
            self.emit(Inst::RetConst {
                value: K::new(value),
                body,
            });
            return Ok(());
        }
        let value = self.value(value, redo)?;
        self.emit(Inst::Ret { value, body });
        Ok(())
    }
}

/// Bodies up to which it is worth asking which one it was.
const EVIDENT_MAX: usize = 8;

/// The constant that every clause yields.
pub(super) fn same_constant(rules: &[&Rule]) -> Option<K> {
    let mut values = rules
        .iter()
        .flat_map(|rule| &rule.clauses)
        .map(|clause| match &clause.value {
            Term::Const(value) => Some(value),
            Term::Var(_)
            | Term::Array(_)
            | Term::Object(_)
            | Term::Set(_)
            | Term::Ref(_)
            | Term::Comprehension(_) => None,
        });
    let first = values.next()??;
    values
        .all(|value| value == Some(first))
        .then(|| K::new(first.clone()))
}
