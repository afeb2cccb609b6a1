//! Statements, one by one and in their order.

use super::machine::{Flow, Machine, Next, Stop, Tried};
use super::unify::Side;
use gavel_compiler::hir::{Block, Stmt, StmtKind, Term, VarId};

impl<'u> Machine<'u> {
    /// All statements; `next` for each way in which they succeed.
    pub(super) fn block(&mut self, stmts: &'u [Stmt], next: Next<'_, 'u>) -> Tried {
        let Some((first, rest)) = stmts.split_first() else {
            return next(self);
        };
        self.step(|machine| machine.stmt(first, &mut |machine| machine.block(rest, next)))
    }

    /// Whether the block succeeds in some way.
    pub(super) fn holds(&mut self, block: &'u Block) -> Result<bool, Stop> {
        let mut found = false;
        self.block(&block.stmts, &mut |_| {
            found = true;
            Ok(Flow::Enough)
        })?;
        Ok(found)
    }

    fn stmt(&mut self, stmt: &'u Stmt, next: Next<'_, 'u>) -> Tried {
        let holds = match &stmt.kind {
            StmtKind::Test(term) => {
                return self.values(term, &mut |machine, value| match value.is_true() {
                    true => next(machine),
                    false => Ok(Flow::More),
                });
            }
            StmtKind::Unify { left, right, .. } => {
                self.note_origin(left, right);
                self.note_origin(right, left);
                return self.unify(vec![(Side::Term(left), Side::Term(right))], next);
            }
            StmtKind::Call { callee, args, out } => return self.call(callee, args, out.as_ref(), next),
            StmtKind::Every {
                key,
                value,
                domain,
                body,
            } => return self.every((*key, *value), domain, body, next),
            StmtKind::With { modifiers, block } => return self.with(modifiers, block, next),
            StmtKind::Not(block) => !self.holds(block)?,
            StmtKind::And(first, second) => self.holds(first)? && self.holds(second)?,
            StmtKind::Or(first, second) => self.holds(first)? || self.holds(second)?,
        };
        if holds { next(self) } else { Ok(Flow::More) }
    }

    fn every(
        &mut self,
        (key, value): (Option<VarId>, VarId),
        domain: &'u Term,
        body: &'u Block,
        next: Next<'_, 'u>,
    ) -> Tried {
        self.values(domain, &mut |machine, over| {
            if !over.is_collection() {
                return Ok(Flow::More);
            }
            for (at, member) in over.members() {
                let mut holds = false;
                let mut ask = |machine: &mut Machine<'u>| {
                    holds = machine.holds(body)?;
                    Ok(Flow::More)
                };
                machine.bound(value, member, &mut |machine| match key {
                    Some(key) => machine.bound(key, at.clone(), &mut ask),
                    None => ask(machine),
                })?;
                if !holds {
                    return Ok(Flow::More);
                }
            }
            next(machine)
        })
    }
}
