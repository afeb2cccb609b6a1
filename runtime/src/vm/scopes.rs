//! `with`: replacements that hold inside a scope and are undone behind it.

use super::machine::Request;
use super::rules::{Outcome, RuleCell};
use crate::error::EvalErrorKind;
use crate::input::Saved;
use crate::value::{Kind, Value, replace_at};

/// What a mockable call calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mock<'v> {
    /// Nothing: the answer is this value.
    Value(Value<'v>),
    /// This target.
    Call(u32),
    /// This function, which reads a document.
    Document(u32),
}

/// An open scope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// Epoch of the rule results outside of it.
    epoch: u64,
    /// Length of the undo list when it was opened.
    undo_len: usize,
    /// Number of rule results when it was opened: later ones are of its own epoch, or of scopes inside of it.
    outcomes: usize,
    /// Number of kept results of functions when it was opened.
    memos: usize,
}

/// How to take one change back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Undo<'v> {
    Rule(u32, RuleCell),
    Input(Saved),
    /// The base document that was, and what was put into it.
    Base(Value<'v>, Value<'v>),
    /// The last of the mocks goes.
    Mock,
    /// The last of the fixed rules is not fixed any more.
    Unfix,
}

impl<'v> Request<'v> {
    pub(super) fn open_scope(&mut self) {
        let epoch = self.rules.enter();
        let outcomes = self.rules.outcomes.len();
        let rare = self.rare();
        rare.scopes.push(Scope {
            epoch,
            undo_len: rare.undo.len(),
            outcomes,
            memos: rare.memo.len(),
        });
        for at in 0..rare.fixed.len() {
            if let Some(&(function, value)) = self.rare().fixed.get(at) {
                self.keep_result(function, Outcome { value, evidence: 0 });
            }
        }
    }

    pub(super) fn close_scope(&mut self) {
        let Some(rare) = &mut self.rare else { return };
        let Some(scope) = rare.scopes.pop() else { return };
        while rare.undo.len() > scope.undo_len {
            match rare.undo.pop() {
                Some(Undo::Rule(function, cell)) => self.rules.put_back(function, cell),
                Some(Undo::Input(saved)) => self.doc.restore(saved),
                Some(Undo::Base(base, _)) => self.base = base,
                Some(Undo::Mock) => {
                    rare.mocks.pop();
                }
                Some(Undo::Unfix) => {
                    rare.fixed.pop();
                }
                None => break,
            }
        }
        self.rules.leave(scope.epoch, scope.outcomes);
        rare.memo.truncate(scope.memos);
    }

    /// Puts everything back after an error.
    pub(super) fn unwind(&mut self) {
        while self.rare.as_ref().is_some_and(|rare| !rare.scopes.is_empty()) {
            self.close_scope();
        }
        if let Some(rare) = &mut self.rare {
            rare.memo.abandon();
            rare.builders.clear();
        }
        self.frames.clear();
        self.mock_base = 0;
    }

    /// Keeps the result of a rule; inside a scope, what it covers comes back afterwards.
    pub(super) fn keep_result(&mut self, function: u32, outcome: Outcome<'v>) {
        let covered = self.rules.keep(function, outcome);
        if let Some(rare) = &mut self.rare
            && !rare.scopes.is_empty()
        {
            rare.undo.push(Undo::Rule(function, covered));
        }
    }

    pub(super) fn with_input(&mut self, path: Value<'v>, value: Value<'v>) -> Result<(), EvalErrorKind> {
        let home = &mut *self.home;
        let saved = self.doc.save(|| std::mem::take(&mut home.replacements));
        self.rare().undo.push(Undo::Input(saved));
        self.doc
            .replace(&self.program.trie, self.arena, path_of(path), value)
    }

    pub(super) fn with_base(&mut self, path: Value<'v>, value: Value<'v>) -> Result<(), EvalErrorKind> {
        let base = self.base;
        self.rare().undo.push(Undo::Base(base, value));
        let base = (!base.is_unset()).then_some(base);
        self.base = replace_at(self.arena, base, path_of(path), value)?;
        Ok(())
    }

    /// `of[key]` in the base document. What `with` put there is no part of OPA's store and looked into as any value is: only
    /// where the two ways differ it has to be found out where the value came from.
    #[inline(never)]
    pub(super) fn stored(&self, of: Value<'v>, key: Value<'v>) -> Result<Option<Value<'v>>, EvalErrorKind> {
        let plain = of.index(key);
        let stored = of.stored(key);
        if plain.is_some() || stored.is_none() {
            return Ok(plain);
        }
        let undo = self.rare.iter().flat_map(|rare| &rare.undo);
        let mut replacements = undo.filter_map(|undo| match undo {
            Undo::Base(_, value) => Some(*value),
            Undo::Rule(..) | Undo::Input(_) | Undo::Mock | Undo::Unfix => None,
        });
        if !replacements.any(|value| value.has_part(of)) {
            return Ok(stored);
        }
        match self.program.base().is_some_and(|base| base.has_part(of)) {
            true => Err(EvalErrorKind::WithMerge),
            false => Ok(None),
        }
    }

    pub(super) fn with_rule(&mut self, function: u32, value: Value<'v>) {
        let rare = self.rare();
        rare.fixed.push((function, value));
        rare.undo.push(Undo::Unfix);
        self.keep_result(function, Outcome { value, evidence: 0 });
    }

    pub(super) fn with_mock(&mut self, cell: u16, mock: Mock<'v>) {
        let rare = self.rare();
        rare.mocks.push((cell, mock));
        rare.undo.push(Undo::Mock);
    }

    /// What stands for a cell here: the last of the replacements that are seen from here.
    pub(super) fn mock(&self, cell: u16) -> Option<Mock<'v>> {
        let mocks = self.rare.as_ref().map_or(&[][..], |rare| &rare.mocks);
        let seen = mocks.get(self.mock_base as usize..).unwrap_or_default();
        let found = seen.iter().rfind(|(replaced, _)| *replaced == cell);
        found.map(|(_, mock)| *mock)
    }
}

/// Keys of a constant path.
fn path_of<'v>(path: Value<'v>) -> &'v [Value<'v>] {
    match path.kind() {
        Kind::Array(keys) => keys,
        _ => &[],
    }
}
