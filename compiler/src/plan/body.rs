//! The code of one function while it is written: fresh registers and labels, and which variables have a value.

use super::cond::{Cmp, Cond, Operand};
use super::ir::{Inst, K, Label, Note, Reg, Step};
use super::literal::Literal;
use super::planner::Planner;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{Stmt, StmtKind, Term, VarId};
use crate::source::Span;
use gavel_runtime::value::Constant;
use std::collections::HashMap;

/// What planning gives; an error is something that is refused.
pub(super) type Planned<T> = Result<T, Diagnostic>;

/// Registers of variables, by [`VarId`]; `None`: no value yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Env(Vec<Option<Reg>>);

impl Env {
    /// The variable's register.
    pub(super) fn get(&self, var: VarId) -> Option<Reg> {
        self.0.get(var.0 as usize).copied().flatten()
    }

    /// Gives the variable a register.
    pub(super) fn bind(&mut self, var: VarId, reg: Reg) {
        let at = var.0 as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        if let Some(cell) = self.0.get_mut(at) {
            *cell = Some(reg);
        }
    }

    /// Variables with a value here and none in `before`.
    pub(super) fn since(&self, before: &Env) -> Vec<(VarId, Reg)> {
        (0u32..)
            .zip(&self.0)
            .filter_map(|(at, reg)| reg.map(|reg| (VarId(at), reg)))
            .filter(|(var, _)| before.get(*var).is_none())
            .collect()
    }
}

/// A function's code in the making.
#[derive(Debug)]
pub(super) struct Body<'p, 'u> {
    /// Where other functions are asked for.
    pub planner: &'p mut Planner<'u>,
    /// What was written.
    pub code: Vec<Step>,
    /// Registers used.
    pub regs: u32,
    /// Labels used.
    pub labels: u32,
    /// Bound variables.
    pub env: Env,
    /// The statement being planned.
    pub span: Option<Span>,
    /// Names of the rule's variables, for notes.
    names: Vec<String>,
    /// Which of them were made: those that stand for a part of what was written.
    is_made: Vec<bool>,
    known: HashMap<Reg, K>,
    among: HashMap<Reg, Vec<Constant>>,
    literals: HashMap<Reg, Literal>,
    origins: HashMap<Reg, Term>,
}

impl<'p, 'u> Body<'p, 'u> {
    /// An empty body whose parameters are the first registers.
    pub(super) fn new(planner: &'p mut Planner<'u>, params: u32) -> Body<'p, 'u> {
        Body {
            planner,
            code: Vec::new(),
            regs: params,
            labels: 0,
            env: Env::default(),
            span: None,
            names: Vec::new(),
            is_made: Vec::new(),
            known: HashMap::new(),
            among: HashMap::new(),
            literals: HashMap::new(),
            origins: HashMap::new(),
        }
    }

    /// A fresh register.
    pub(super) fn reg(&mut self) -> Reg {
        self.regs += 1;
        Reg(self.regs - 1)
    }

    /// A fresh label.
    pub(super) fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Writes an instruction.
    pub(super) fn emit(&mut self, inst: Inst) {
        self.code.push(Step {
            inst,
            span: self.span,
        });
    }

    /// Writes a note for traces, if any are wanted.
    pub(super) fn note(&mut self, note: Note) {
        if self.planner.trace {
            self.emit(Inst::Note(note));
        }
    }

    /// Notes that a statement begins. What only gives a value to a temporary is not worth a line until it fails: it often
    /// stands far in front of the statement that it was made for.
    pub(super) fn note_stmt(&mut self, stmt: &Stmt) {
        let is_temporary = |var: &VarId| {
            let name = self.names.get(var.0 as usize);
            name.is_some_and(|name| name.starts_with('$'))
        };
        let note = match &stmt.kind {
            StmtKind::Unify {
                left: Term::Var(var), ..
            } if is_temporary(var) => Note::Asks(stmt.span),
            _ => Note::Stmt(stmt.span),
        };
        self.note(note);
    }

    /// Notes that the statement being planned fails here, because something in it is undefined or for good.
    pub(super) fn note_failure(&mut self, undefined: bool) {
        if let Some(span) = self.span {
            self.note(Note::Fails(span, undefined));
        }
    }

    /// The variables of the rule or query that is planned next have these names.
    pub(super) fn note_names(&mut self, names: &[String]) {
        self.is_made = names.iter().map(|name| name.starts_with('$')).collect();
        if self.planner.trace {
            self.names = names.to_vec();
        }
    }

    /// Gives a variable a register.
    pub(super) fn bind(&mut self, var: VarId, reg: Reg) {
        self.env.bind(var, reg);
        let name = self.names.get(var.0 as usize);
        if let Some(name) = name.filter(|name| !name.starts_with(['$', '_'])) {
            let name = name.clone();
            self.note(Note::Bound { name, reg });
        }
    }

    /// Names this place.
    pub(super) fn place(&mut self, label: Label) {
        self.emit(Inst::Label(label));
    }

    /// Goes there unless the condition holds.
    pub(super) fn test(&mut self, cond: Cond, fail: Label) {
        self.emit(Inst::Test { cond, fail });
    }

    /// Goes there unless the value is a constant's.
    pub(super) fn test_const(&mut self, reg: Reg, value: K, fail: Label) {
        let cond = Cond::Compare(Cmp::Eq, Operand::Reg(reg), Operand::Const(value));
        self.test(cond, fail);
    }

    /// A register that holds a constant.
    pub(super) fn constant(&mut self, value: K) -> Reg {
        let dst = self.reg();
        self.known.insert(dst, K::clone(&value));
        self.emit(Inst::Const { dst, value });
        dst
    }

    /// The constant that a register is known to hold.
    pub(super) fn known(&self, reg: Reg) -> Option<&K> {
        self.known.get(&reg)
    }

    /// Notes what a loop over a constant can put into its registers.
    pub(super) fn note_members(&mut self, over: Reg, key: Reg, value: Reg) {
        let (keys, values): (Vec<Constant>, Vec<Constant>) = match self.known.get(&over).map(|k| &**k) {
            Some(Constant::Array(items)) => (0..).map(Constant::Int).zip(items.iter().cloned()).unzip(),
            Some(Constant::Set(members)) => (members.clone(), members.clone()),
            Some(Constant::Object(members)) => members.iter().cloned().unzip(),
            _ => return,
        };
        self.among.insert(key, keys);
        self.among.insert(value, values);
    }

    /// Notes the members of a literal, in the order of iteration; see `literal`.
    pub(super) fn note_literal(&mut self, collection: Reg, literal: Literal) {
        self.literals.insert(collection, literal);
    }

    /// Notes that a register holds the value of a reference.
    pub(super) fn note_origin(&mut self, value: Reg, r: &Term) {
        self.origins.insert(value, r.clone());
    }

    /// Forgets the references behind registers made since: outside of a `with` the same reference may have another value.
    pub(super) fn forget_origins(&mut self, since: u32) {
        self.origins.retain(|reg, _| reg.0 < since);
    }

    /// The reference that was written where a variable was put in its place, or the term itself.
    pub(super) fn origin(&self, term: &Term) -> Term {
        let is_made = |var: VarId| self.is_made.get(var.0 as usize).copied().unwrap_or(false);
        let origin = match term {
            Term::Var(var) if is_made(*var) => self.env.get(*var).and_then(|reg| self.origins.get(&reg)),
            _ => None,
        };
        origin.unwrap_or(term).clone()
    }

    /// The members of a literal.
    pub(super) fn literal(&self, collection: Reg) -> Option<&Literal> {
        self.literals.get(&collection)
    }

    /// Whether a register may hold a constant, as far as is known.
    pub(super) fn may_be(&self, reg: Reg, value: &Constant) -> bool {
        self.among.get(&reg).is_none_or(|values| values.contains(value))
    }

    /// The constant that a term is known to be.
    pub(super) fn known_term(&self, term: &Term) -> Option<Constant> {
        match term {
            Term::Const(value) => Some(value.clone()),
            Term::Var(var) => self.known(self.env.get(*var)?).map(|value| (**value).clone()),
            Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => None,
        }
    }

    /// A refusal at the statement being planned.
    pub(super) fn refuse<T>(&self, message: impl Into<String>) -> Planned<T> {
        Err(match self.span {
            Some(span) => Diagnostic::error(Code::Unsupported, span, message),
            None => Diagnostic::global(Code::Unsupported, message),
        })
    }
}
