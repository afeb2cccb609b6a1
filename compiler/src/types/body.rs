//! The statements of a body: what OPA's checker looks at, in its order, with its gaps.
//!
//! Statements of a body (and of the bodies of its comprehensions) are checked whole. Inside `every`, `and`, `or` and the new
//! `not` only references and comprehensions are looked at, because OPA does no more there; a plain `not` of the older kind is
//! a statement like any other.

use super::builtin::Signatures;
use super::documents::Documents;
use super::infer::Env;
use super::order::Graph;
use super::ty::Type;
use crate::diagnostic::Diagnostic;
use crate::hir::{Block, Stmt, StmtKind, Term, Unit, VarId};
use crate::limits::SECOND_LOOKS_MAX;
use crate::source::{SourceMap, Span};
use gavel_runtime::builtins;
use std::collections::HashMap;
use std::rc::Rc;

/// What the bodies of a unit share.
pub(super) struct Shared<'u> {
    pub(super) sources: &'u SourceMap,
    pub(super) unit: &'u Unit,
    pub(super) graph: &'u Graph,
    pub(super) signatures: Signatures,
    /// Whether a call of a deprecated builtin was among what is checked whole.
    pub(super) meets_deprecated: bool,
    /// Layers of replaced documents and functions, by path and whether it is a function's.
    pub(super) relaxed: HashMap<(Vec<String>, bool), Option<Rc<Documents>>>,
}

/// The check of one body.
pub(super) struct Body<'e, 's, 'u> {
    pub(super) env: Env<'e>,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) shared: &'s mut Shared<'u>,
    names: &'e [String],
    builtin_names: &'e [VarId],
    /// `not` has a block of its own.
    new_not: bool,
    /// Where generated variables come from, for messages.
    origins: HashMap<VarId, Span>,
    /// Comprehensions that may still be looked into a second time.
    pub(super) second_looks: usize,
    /// Comprehensions that were looked into.
    pub(super) closures_met: usize,
}

/// A finding about a statement.
pub(super) struct Mismatch {
    /// The finding.
    pub(super) error: Diagnostic,
    /// It may come from a type that is unknown because of another finding.
    pub(super) unsure: bool,
}

impl<'e, 's, 'u> Body<'e, 's, 'u> {
    /// A body of a rule or query with the names of its variables and those of them that are a builtin's.
    pub(super) fn new(
        env: Env<'e>,
        shared: &'s mut Shared<'u>,
        (names, builtin_names): (&'e [String], &'e [VarId]),
        new_not: bool,
    ) -> Self {
        Body {
            env,
            errors: Vec::new(),
            shared,
            names,
            builtin_names,
            new_not,
            origins: HashMap::new(),
            second_looks: SECOND_LOOKS_MAX,
            closures_met: 0,
        }
    }

    /// Checks all statements.
    pub(super) fn block(&mut self, block: &Block) {
        for stmt in &block.stmts {
            self.statement(stmt, stmt.span, true);
        }
    }

    /// Checks one statement; findings about it as a whole are reported at `at`, and only when `whole`.
    fn statement(&mut self, stmt: &Stmt, at: Span, whole: bool) {
        match &stmt.kind {
            StmtKind::With { modifiers, block } => {
                let layers = self.env.layer_count();
                self.replace(modifiers);
                let whole = self.modifiers(modifiers) && whole;
                for inner in &block.stmts {
                    // A chain of `with` is one statement of the source.
                    let at = if block.stmts.len() == 1 { at } else { inner.span };
                    self.statement(inner, at, whole);
                    if is_nested(inner) {
                        self.functions_as_values(modifiers);
                    }
                }
                self.env.pop_layers(layers);
            }
            StmtKind::Not(block) if !self.new_not => {
                for inner in &block.stmts {
                    self.statement(inner, at, whole);
                }
            }
            StmtKind::Every { domain, body, .. } => {
                let closures = self.closures_in_term(domain);
                self.errors.extend(closures);
                self.refs_in_term(domain);
                self.nested(&[body]);
            }
            StmtKind::Not(block) => self.nested(&[block]),
            StmtKind::And(left, right) | StmtKind::Or(left, right) => self.nested(&[left, right]),
            StmtKind::Test(_) | StmtKind::Unify { .. } | StmtKind::Call { .. } => {
                self.simple(stmt, at, whole)
            }
        }
    }

    fn simple(&mut self, stmt: &Stmt, at: Span, whole: bool) {
        let closures = self.closures_in_statement(stmt);
        let found_in_closures = !closures.is_empty();
        self.errors.extend(closures);
        let after_closures = self.errors.len();
        self.refs_in_statement(stmt);
        let explained = found_in_closures || self.errors.len() > after_closures;
        if !whole {
            return;
        }
        let mismatch = match &stmt.kind {
            StmtKind::Unify { left, right, .. } => {
                self.note_origin(left, right, at);
                self.unify(left, right, at)
            }
            StmtKind::Call { callee, args, out } => {
                if let Some(Term::Var(var)) = out {
                    self.origins.insert(*var, stmt.span);
                }
                self.call(callee, args, out.as_ref(), at)
            }
            _ => None,
        };
        if let Some(mismatch) = mismatch
            && !(explained && mismatch.unsure)
        {
            self.errors.push(mismatch.error);
        }
    }

    fn note_origin(&mut self, left: &Term, right: &Term, at: Span) {
        match (left, right) {
            (Term::Var(var), Term::Ref(reference)) => {
                self.origins.entry(*var).or_insert(reference.span);
            }
            (Term::Var(var), _) => {
                self.origins.entry(*var).or_insert(at);
            }
            _ => {}
        }
    }

    /// Blocks whose statements are only looked through.
    fn nested(&mut self, blocks: &[&Block]) {
        self.enter_closure();
        let found = self.closures_in_blocks(blocks);
        self.errors.extend(found);
        for block in blocks {
            self.refs_in_block(block);
        }
        self.env.leave();
    }

    /// Enters a closure, where undeclared names of builtins that have no type yet mean the builtin.
    pub(super) fn enter_closure(&mut self) {
        self.env.enter();
        self.name_builtins(self.builtin_names);
    }

    /// Gives names of builtins that have no type yet that of the builtin.
    pub(super) fn name_builtins(&mut self, vars: &[VarId]) {
        for var in vars {
            let name = self.names.get(var.0 as usize).map_or("", String::as_str);
            if let (Type::Unknown, Some(id)) = (self.env.var(*var), builtins::find(name)) {
                let signature = self.shared.signatures.get(id);
                self.env.set_var(*var, Type::Function(signature));
            }
        }
    }

    /// Where OPA reports a reference that begins at a place. All uses of one import share the place of the last one in the
    /// module, and so do all uses of rules of the module's own package.
    pub(super) fn place(&self, at: Span) -> Span {
        let module = self
            .shared
            .unit
            .modules
            .iter()
            .find(|module| module.file == at.file);
        let Some(module) = module else { return at };
        let text = self.shared.sources.slice(at);
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let name = end.and_then(|end| text.get(..end)).unwrap_or(text);
        match module.last_uses.get(name) {
            Some(last) => *last,
            None if matches!(name, "data" | "input") => at,
            None => module.last_uses.get("").copied().unwrap_or(at),
        }
    }

    /// A variable as the author knows it: by its name, or by the text that a generated one stands for.
    pub(super) fn name(&self, var: VarId) -> String {
        let name = self.names.get(var.0 as usize).map_or("_", String::as_str);
        match self.origins.get(&var) {
            Some(origin) if name.starts_with('$') => self.shared.sources.slice(*origin).to_owned(),
            _ if name.starts_with('$') => "_".to_owned(),
            _ => name.to_owned(),
        }
    }
}

/// Whether OPA looks through a statement only.
pub(crate) fn is_nested(stmt: &Stmt) -> bool {
    matches!(
        stmt.kind,
        StmtKind::Every { .. } | StmtKind::And(..) | StmtKind::Or(..)
    )
}
