//! Values of terms: constants, variables, collections, comprehensions; references are in `refs`.

use super::body::{Body, Planned};
use super::ir::{Again, Container, Inst, K, Label, Reg};
use super::literal::{Literal, in_order};
use crate::hir::{Comprehension, ComprehensionKind, Term, VarId};

impl Body<'_, '_> {
    /// The value of a term. References in it may open loops: `redo` then becomes the innermost one's label.
    pub(super) fn value(&mut self, term: &Term, redo: &mut Label) -> Planned<Reg> {
        match term {
            Term::Const(value) => Ok(self.constant(K::new(value.clone()))),
            Term::Var(var) => self.var(*var),
            Term::Array(items) => self.collect(Container::Array, items.iter(), redo),
            Term::Set(items) => self.set(items, redo),
            Term::Object(entries) => self.object(entries, redo),
            Term::Ref(r) => self.reference(r, redo),
            Term::Comprehension(c) => self.comprehension(c),
        }
    }

    /// The register of a bound variable.
    pub(super) fn var(&self, var: VarId) -> Planned<Reg> {
        match self.env.get(var) {
            Some(reg) => Ok(reg),
            None => self.refuse("this order of bindings between patterns is not supported"),
        }
    }

    fn collect<'t>(
        &mut self,
        kind: Container,
        items: impl Iterator<Item = &'t Term>,
        redo: &mut Label,
    ) -> Planned<Reg> {
        let parts = items
            .map(|item| self.value(item, redo))
            .collect::<Planned<Vec<Reg>>>()?;
        let dst = self.reg();
        self.emit(Inst::Collect { kind, dst, parts });
        Ok(dst)
    }

    /// A set literal; the order in which its members are iterated is noted.
    fn set(&mut self, items: &[Term], redo: &mut Label) -> Planned<Reg> {
        let members = items
            .iter()
            .map(|item| Ok((self.origin(item), self.value(item, redo)?)))
            .collect::<Planned<Vec<(Term, Reg)>>>()?;
        let parts = members.iter().map(|(_, reg)| *reg).collect();
        let dst = self.reg();
        self.emit(Inst::Collect {
            kind: Container::Set,
            dst,
            parts,
        });
        self.note_literal(dst, Literal::Set(in_order(members)));
        Ok(dst)
    }

    /// An object literal; the order in which its members are iterated is noted where it is not that of constant keys.
    fn object(&mut self, entries: &[(Term, Term)], redo: &mut Label) -> Planned<Reg> {
        let members = entries
            .iter()
            .map(|(key, value)| {
                let origin = self.origin(key);
                let member = (self.value(key, redo)?, self.value(value, redo)?);
                Ok((origin, member))
            })
            .collect::<Planned<Vec<(Term, (Reg, Reg))>>>()?;
        let parts = members
            .iter()
            .flat_map(|(_, (key, value))| [*key, *value])
            .collect();
        let dst = self.reg();
        self.emit(Inst::Collect {
            kind: Container::Object,
            dst,
            parts,
        });
        if entries.len() > 1 && entries.iter().any(|(key, _)| !matches!(key, Term::Const(_))) {
            self.note_literal(dst, Literal::Object(in_order(members)));
        }
        Ok(dst)
    }

    fn comprehension(&mut self, c: &Comprehension) -> Planned<Reg> {
        let kind = match &c.kind {
            ComprehensionKind::Array(_) => Container::Array,
            ComprehensionKind::Set(_) => Container::Set,
            ComprehensionKind::Object(..) => Container::Object,
        };
        let outer = self.span.replace(c.span);
        let (to, done) = (self.reg(), self.label());
        self.emit(Inst::New { kind, dst: to });
        let before = self.env.clone();
        let mut redo = self.block(&c.body, done)?;
        match &c.kind {
            ComprehensionKind::Array(head) | ComprehensionKind::Set(head) => {
                let value = self.value(head, &mut redo)?;
                self.emit(Inst::Add { kind, to, value });
            }
            ComprehensionKind::Object(key, value) => {
                let key = self.value(key, &mut redo)?;
                let value = self.value(value, &mut redo)?;
                self.emit(Inst::Put {
                    to,
                    key,
                    value,
                    again: Again::Last,
                });
            }
        }
        self.emit(Inst::Jump(redo));
        self.place(done);
        self.emit(Inst::End { kind, reg: to });
        self.env = before;
        self.span = outer;
        Ok(to)
    }
}
