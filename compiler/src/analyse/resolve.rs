//! Names to variables and documents: statements of one clause or query.
//!
//! A name is looked up as a rule or import first, unless the body declares it somewhere; then as a variable of the blocks
//! around it; a name that nobody declares is a variable of the whole clause. `:=`, `some` and `every` declare, `_` is a
//! fresh variable each time. Terms are in `resolve_term.rs`, heads in `resolve_rule.rs`.

use super::declared::{self, Names};
use super::globals::{Globals, Uses};
use super::resolve_operand::OperandOf;
use super::scope::Scopes;
use super::tree::{Body, Call, Callee, Expr, ExprKind, Kind, Term, Vars, With};
use super::unused;
use super::vars::VarSet;
use crate::ast::{self, Dialect, Literal, LiteralKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use gavel_runtime::builtins::{self, BuiltinId};
use std::collections::HashSet;

/// Resolves the names of one clause or query.
pub(super) struct Resolver<'g, 'a> {
    pub(super) globals: &'g Globals,
    /// Which of them were used.
    pub(super) uses: &'g mut Uses,
    pub(super) dialect: Dialect,
    pub(super) strict: bool,
    pub(super) known: &'g Known,
    pub(super) vars: Vars,
    pub(super) scopes: Scopes,
    /// Names that hide rules and imports, for each body around.
    pub(super) hidden: Vec<Names<'a>>,
    /// Builtins whose name the body uses for a variable.
    pub(super) shadowed_builtins: HashSet<String>,
    /// Variables in the names of called functions.
    pub(super) called: VarSet,
    /// Names of variables are taken as nobody's: heads (whose variables get their meaning from the body later), and
    /// targets of `with` behind `:=`, as OPA has it.
    pub(super) raw: bool,
    /// Names are not looked up among rules and imports.
    pub(super) no_globals: bool,
    pub(super) errors: Vec<Diagnostic>,
    /// Variables that nobody uses: reported, but no obstacle.
    pub(super) unused: Vec<Diagnostic>,
}

/// What holds for all modules.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Strict mode's checks are on.
    pub(super) strict: bool,
    /// Builtins that do not exist for this program.
    pub(super) disallowed: HashSet<String>,
    /// The builtins of OPA's test binary exist.
    pub(super) harness: bool,
}

impl<'g, 'a> Resolver<'g, 'a> {
    pub(super) fn new(
        globals: &'g Globals,
        uses: &'g mut Uses,
        dialect: Dialect,
        known: &'g Known,
    ) -> Resolver<'g, 'a> {
        Resolver {
            globals,
            uses,
            dialect,
            strict: known.strict,
            known,
            vars: Vars::default(),
            scopes: Scopes::new(),
            hidden: Vec::new(),
            shadowed_builtins: HashSet::new(),
            called: VarSet::new(),
            raw: false,
            no_globals: false,
            errors: Vec::new(),
            unused: Vec::new(),
        }
    }

    pub(super) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors
            .push(Diagnostic::error(Code::RegoCompile, span, message));
    }

    /// Statements of the current block. `used`: names that stand outside of the body and belong to its block (heads).
    pub(super) fn body(&mut self, body: &ast::Body<'a>, used: &Names<'_>) -> Body {
        let mut exprs = Vec::with_capacity(body.literals.len());
        for literal in body.literals {
            exprs.extend(self.literal(literal));
        }
        if exprs.is_empty() {
            exprs.push(Expr::always(body.span));
        }
        if self.errors.is_empty() && self.unused.is_empty() {
            let assigned = unused::Body {
                source: body,
                resolved: &exprs,
                used,
            };
            let mut found = Vec::new();
            if self.strict {
                found = unused::assigned(&self.scopes, &assigned);
            }
            if found.is_empty() {
                found = unused::declared(&self.scopes, &assigned, &self.called);
            }
            self.unused.extend(found);
        }
        exprs
    }

    /// Statements of a block of its own.
    pub(super) fn block(&mut self, body: &ast::Body<'a>) -> Body {
        self.scopes.push();
        let exprs = self.body(body, &Names::new());
        self.scopes.pop();
        exprs
    }

    pub(super) fn literal(&mut self, literal: &Literal<'a>) -> Option<Expr> {
        match declared::literal_kind(literal) {
            LiteralKind::Assign(left, right) => self.assignment(literal, &left, &right),
            LiteralKind::SomeDecl(names) => {
                self.some_declared(literal, names);
                None
            }
            LiteralKind::SomeIn { key, value, domain } => {
                self.some_in(literal, key.as_ref(), &value, &domain)
            }
            LiteralKind::Every {
                key,
                value,
                domain,
                body,
            } => self.every(literal, key, value, &domain, &body),
            LiteralKind::Not(operand) => self.not(literal, &operand),
            LiteralKind::And(left, right) => {
                let (left, right) = self.operands(&left, &right, OperandOf::And);
                Some(self.finish(literal, ExprKind::And(left, right)))
            }
            LiteralKind::Or(left, right) => {
                let (left, right) = self.operands(&left, &right, OperandOf::Or);
                Some(self.finish(literal, ExprKind::Or(left, right)))
            }
            LiteralKind::Term(_) | LiteralKind::Unify(..) => Some(self.plain(literal)),
        }
    }

    /// A statement that declares nothing itself.
    pub(super) fn plain(&mut self, literal: &Literal<'a>) -> Expr {
        let kind = match declared::literal_kind(literal) {
            LiteralKind::Unify(left, right) => self.equality(literal.span, &left, &right),
            LiteralKind::Term(term) => self.statement_term(&term),
            LiteralKind::Assign(left, right) => {
                let args = vec![self.term(&left), self.term(&right)];
                let callee = self.operator("assign", literal.span, false);
                ExprKind::Call(Call { callee, args })
            }
            LiteralKind::And(..) | LiteralKind::Or(..) | LiteralKind::Not(_) => {
                return self
                    .literal(literal)
                    .unwrap_or_else(|| Expr::always(literal.span));
            }
            LiteralKind::SomeDecl(_) | LiteralKind::SomeIn { .. } | LiteralKind::Every { .. } => {
                self.error(literal.span, "declaration not allowed here");
                ExprKind::Term(Term::boolean(literal.span, true))
            }
        };
        self.finish(literal, kind)
    }

    pub(super) fn finish(&mut self, literal: &Literal<'a>, kind: ExprKind) -> Expr {
        let mut expr = Expr::new(literal.span, kind);
        expr.with = literal.with.iter().map(|with| self.with(with)).collect();
        expr
    }

    pub(super) fn with(&mut self, with: &ast::With<'a>) -> With {
        With {
            span: with.span,
            target: self.replaced(&with.target, true),
            value: self.replaced(&with.value, false),
        }
    }

    /// `left = right`; a rule of the package may have taken the operator's name.
    fn equality(&mut self, span: Span, left: &ast::Term<'a>, right: &ast::Term<'a>) -> ExprKind {
        let callee = self.operator("eq", span, false);
        let (left, right) = (self.term(left), self.term(right));
        if matches!(&callee, Callee::Builtin(_)) {
            ExprKind::Eq {
                left,
                right,
                directed: false,
            }
        } else {
            ExprKind::Call(Call {
                callee,
                args: vec![left, right],
            })
        }
    }

    /// A term as a statement: calls are statements of their own kind.
    fn statement_term(&mut self, term: &ast::Term<'a>) -> ExprKind {
        match self.call_or_term(term, false).kind {
            Kind::Call(call) => ExprKind::Call(*call),
            kind => ExprKind::Term(Term::new(term.span, kind)),
        }
    }

    /// The builtin of a name.
    pub(super) fn builtin(&self, name: &str) -> Option<BuiltinId> {
        let harness = || builtins::find_harness(name).filter(|_| self.known.harness);
        let found = builtins::find(name).or_else(harness);
        found.filter(|_| !self.known.disallowed.contains(name))
    }
}
