//! Names to variables and documents: statements of one clause or query.
//!
//! A name is looked up as a rule or import first, unless the body declares it somewhere; then as a variable of the blocks
//! around it; a name that nobody declares is a variable of the whole clause. `:=`, `some` and `every` declare, `_` is a
//! fresh variable each time. Terms are in `resolve_term.rs`, heads in `resolve_rule.rs`.

use super::declared::{self, Names};
use super::globals::{Globals, root_name};
use super::scope::{Occurrence, Scopes};
use super::tree::{Body, Call, Callee, Expr, ExprKind, Kind, Operand, Ref, Term, VarName, Vars, With};
use super::vars::{Collector, Places, VarSet};
use super::walk::{self, Place};
use super::{rename, unused};
use crate::ast::{self, Dialect, Literal, LiteralKind, Name, TermKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::VarId;
use crate::source::Span;
use gavel_runtime::builtins::{self, BuiltinId};
use std::collections::HashSet;

/// Resolves the names of one clause or query.
pub(super) struct Resolver<'g, 'a> {
    pub(super) globals: &'g Globals,
    /// Imports that were used, by index.
    pub(super) used_imports: &'g mut HashSet<usize>,
    pub(super) dialect: Dialect,
    pub(super) strict: bool,
    /// Builtins that do not exist for this program.
    pub(super) disallowed: &'g HashSet<String>,
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
}

/// What an unbraced operand belongs to.
#[derive(Clone, Copy)]
enum OperandOf {
    Not,
    And,
    Or,
}

impl<'g, 'a> Resolver<'g, 'a> {
    pub(super) fn new(
        globals: &'g Globals,
        used_imports: &'g mut HashSet<usize>,
        dialect: Dialect,
        known: &'g Known,
    ) -> Resolver<'g, 'a> {
        Resolver {
            globals,
            used_imports,
            dialect,
            strict: known.strict,
            disallowed: &known.disallowed,
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

    fn literal(&mut self, literal: &Literal<'a>) -> Option<Expr> {
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

    fn finish(&mut self, literal: &Literal<'a>, kind: ExprKind) -> Expr {
        let mut expr = Expr::new(literal.span, kind);
        expr.with = literal.with.iter().map(|with| self.with(with)).collect();
        expr
    }

    fn with(&mut self, with: &ast::With<'a>) -> With {
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

    fn assignment(
        &mut self,
        literal: &Literal<'a>,
        left: &ast::Term<'a>,
        right: &ast::Term<'a>,
    ) -> Option<Expr> {
        let right = self.term(right);
        let with = literal
            .with
            .iter()
            .map(|with| {
                let raw = std::mem::replace(&mut self.raw, true);
                let target = self.replaced(&with.target, true);
                self.raw = raw;
                With {
                    span: with.span,
                    target,
                    value: self.replaced(&with.value, false),
                }
            })
            .collect();
        let left = self.assigned_pattern(left);
        let mut expr = Expr::new(
            literal.span,
            ExprKind::Eq {
                left,
                right,
                directed: true,
            },
        );
        expr.with = with;
        Some(expr)
    }

    /// The left side of `:=`: declares the variables of a pattern.
    fn assigned_pattern(&mut self, pattern: &ast::Term<'a>) -> Term {
        let kind = match pattern.kind {
            TermKind::Var(name) => {
                let var = self.declare(pattern.span, name, Occurrence::Assigned);
                Kind::Var(var)
            }
            TermKind::Array(items) => {
                let items = items.iter().map(|item| self.assigned_pattern(item)).collect();
                Kind::Array(items)
            }
            TermKind::Object(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| {
                        // OPA does not rename the variables of keys: they are those of nobody's declaration.
                        let key = self.key_of_pattern(key);
                        (key, self.assigned_pattern(value))
                    })
                    .collect();
                Kind::Object(entries)
            }
            other => {
                let name = term_name(&other);
                self.error(pattern.span, format!("cannot assign to {name}"));
                return self.term(pattern);
            }
        };
        super::resolve_term::fold(Term::new(pattern.span, kind))
    }

    fn key_of_pattern(&mut self, key: &ast::Term<'a>) -> Term {
        match key.kind {
            TermKind::Var(name)
                if name != "_" && root_name(name).is_none() && self.global(name).is_none() =>
            {
                let var = self.scopes.undeclared(&mut self.vars, name);
                Term::var(key.span, var)
            }
            _ => self.term(key),
        }
    }

    pub(super) fn declare(&mut self, span: Span, name: &str, occurrence: Occurrence) -> VarId {
        match self.scopes.declare(&mut self.vars, name, occurrence) {
            Ok(var) => var,
            Err(message) => {
                self.error(span, message);
                self.vars.fresh(VarName::Written(name.to_owned()))
            }
        }
    }

    fn some_declared(&mut self, literal: &Literal<'a>, names: &[Name<'a>]) {
        for name in names {
            let before = self.errors.len();
            self.declare(literal.span, name.text, Occurrence::Declared);
            if self.errors.len() > before {
                return;
            }
        }
    }

    /// `some k, v in xs` is `v = xs[k]` with the variables of `k` and `v` declared.
    fn some_in(
        &mut self,
        literal: &Literal<'a>,
        key: Option<&ast::Term<'a>>,
        value: &ast::Term<'a>,
        domain: &ast::Term<'a>,
    ) -> Option<Expr> {
        let mut bound = Names::new();
        key.into_iter()
            .for_each(|key| declared::bound_names(key, &mut bound));
        declared::bound_names(value, &mut bound);
        let mut in_domain = Names::new();
        declared::open_names(domain, &mut in_domain);
        let mut clashes: Vec<&str> = bound
            .intersection(&in_domain)
            .copied()
            .filter(|name| self.global(name).is_none())
            .collect();
        clashes.sort_unstable();
        if !clashes.is_empty() {
            for name in clashes {
                self.error(literal.span, format!("var {name} assigned before"));
            }
            return None;
        }
        let mut outputs = Names::new();
        if matches!(
            value.kind,
            TermKind::Var(_) | TermKind::Array(_) | TermKind::Object(_)
        ) {
            declared::bound_names(value, &mut outputs);
        }
        key.into_iter()
            .for_each(|key| declared::all_names(key, &mut outputs));
        let mut of_domain = Names::new();
        declared::all_names(domain, &mut of_domain);
        let mut outputs: Vec<&str> = outputs.difference(&of_domain).copied().collect();
        outputs.sort_unstable();
        for name in outputs {
            let before = self.errors.len();
            self.declare(literal.span, name, Occurrence::Declared);
            if self.errors.len() > before {
                return None;
            }
        }
        let left = self.term(value);
        let domain_term = self.term(domain);
        let key = match key {
            Some(key) => self.term(key),
            None => {
                let var = self.vars.generated();
                Term::var(domain.span, var)
            }
        };
        let right = index(domain_term, key);
        Some(self.finish(
            literal,
            ExprKind::Eq {
                left,
                right,
                directed: false,
            },
        ))
    }

    fn every(
        &mut self,
        literal: &Literal<'a>,
        key: Option<Name<'a>>,
        value: Name<'a>,
        domain: &ast::Term<'a>,
        body: &ast::Body<'a>,
    ) -> Option<Expr> {
        let mut hidden = Names::new();
        hidden.extend(key.map(|key| key.text));
        hidden.insert(value.text);
        self.hidden.push(hidden);
        let domain = self.term(domain);
        self.scopes.push();
        let before = self.errors.len();
        let key = key.map(|key| self.declare(literal.span, key.text, Occurrence::Declared));
        let value = (self.errors.len() == before)
            .then(|| self.declare(literal.span, value.text, Occurrence::Declared));
        if self.errors.len() > before {
            // OPA knows no position here.
            for error in self.errors.iter_mut().skip(before) {
                if let Some(span) = error.span.take() {
                    *error = error.clone().label(span, "");
                }
            }
            self.hidden.pop();
            self.scopes.pop();
            return None;
        }
        let value = value?;
        let body = self.body(body, &Names::new());
        self.hidden.pop();
        let mut expr = self.finish(
            literal,
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            },
        );
        self.captured_by_block(&mut expr);
        self.scopes.pop();
        Some(expr)
    }

    /// Undeclared names of a statement that its block declared further down mean that declaration, even in an `every`'s
    /// domain: so OPA has it.
    fn captured_by_block(&mut self, expr: &mut Expr) {
        rename::in_expr(expr, &self.scopes.renames());
        let mut shadowed = Vec::new();
        walk::expr(expr, &mut |place| {
            if let Place::Term(term) = place
                && let Kind::Call(call) = &term.kind
                && let Callee::Unknown(name) = &call.callee
                && name
                    .split('.')
                    .next()
                    .is_some_and(|first| self.scopes.declared(first).is_some())
            {
                shadowed.push((term.span, format!("called function {name} shadowed")));
            }
        });
        for (span, message) in shadowed {
            self.error(span, message);
        }
    }

    /// Both sides of `and` or `or`. What is a plain statement is looked at last.
    fn operands(
        &mut self,
        left: &ast::Operand<'a>,
        right: &ast::Operand<'a>,
        of: OperandOf,
    ) -> (Operand, Operand) {
        let before = self.errors.len();
        let pair = if is_plain(left) && !is_plain(right) {
            let right = self.operand(right, of);
            (self.operand(left, of), right)
        } else {
            (self.operand(left, of), self.operand(right, of))
        };
        if self.errors.len() == before {
            self.see_operands([&pair.0, &pair.1]);
        }
        pair
    }

    /// The undeclared names of operands count as used in the block around.
    fn see_operands(&mut self, operands: [&Operand; 2]) {
        let mut collector = Collector {
            places: Places {
                no_comprehensions: true,
                ..Places::default()
            },
            ..Collector::everywhere()
        };
        operands.iter().for_each(|operand| collector.body(&operand.body));
        for var in collector.found {
            self.scopes.see(&mut self.vars, var);
        }
    }

    fn not(&mut self, literal: &Literal<'a>, operand: &ast::Operand<'a>) -> Option<Expr> {
        if self.dialect.new_not {
            if let ast::Operand::Braced(body) = operand {
                self.scopes.push();
                let body = self.body(body, &Names::new());
                let mut expr = self.finish(literal, ExprKind::Not(Operand { body, braced: true }));
                self.captured_by_block(&mut expr);
                self.scopes.pop();
                return Some(expr);
            }
            let operand = self.operand(operand, OperandOf::Not);
            return Some(self.finish(literal, ExprKind::Not(operand)));
        }
        let inner = match operand {
            ast::Operand::Implicit(inner) => inner,
            ast::Operand::Braced(body) => {
                self.error(
                    body.span,
                    "body not allowed behind `not` without `import future.keywords.not`",
                );
                return None;
            }
        };
        if matches!(declared::literal_kind(inner), LiteralKind::Assign(..)) {
            self.error(literal.span, "cannot assign vars inside negated expression");
            return None;
        }
        let mut expr = self.literal(inner)?;
        let outer: Vec<With> = literal.with.iter().map(|with| self.with(with)).collect();
        expr.with.extend(outer);
        expr.span = literal.span;
        expr.negated = true;
        Some(expr)
    }

    fn operand(&mut self, operand: &ast::Operand<'a>, of: OperandOf) -> Operand {
        match operand {
            ast::Operand::Braced(body) => Operand {
                body: self.block(body),
                braced: true,
            },
            ast::Operand::Implicit(literal) => {
                if matches!(declared::literal_kind(literal), LiteralKind::Assign(..)) {
                    let message = match of {
                        OperandOf::Not => "cannot assign vars inside negated expression",
                        OperandOf::And => "cannot assign vars inside implicit and operand",
                        OperandOf::Or => "cannot assign vars inside implicit or operand",
                    };
                    self.error(literal.span, message);
                }
                Operand {
                    body: vec![self.plain(literal)],
                    braced: false,
                }
            }
        }
    }

    /// The builtin of a name.
    pub(super) fn builtin(&self, name: &str) -> Option<BuiltinId> {
        builtins::find(name).filter(|_| !self.disallowed.contains(name))
    }
}

/// An operand that is one statement without operands of its own.
fn is_plain(operand: &ast::Operand<'_>) -> bool {
    match operand {
        ast::Operand::Braced(_) => false,
        ast::Operand::Implicit(literal) => !matches!(
            literal.kind,
            LiteralKind::Not(_) | LiteralKind::And(..) | LiteralKind::Or(..)
        ),
    }
}

/// `domain[key]`; a reference just gets longer.
fn index(domain: Term, key: Term) -> Term {
    let span = domain.span;
    let reference = match domain.kind {
        Kind::Ref(mut reference) => {
            reference.path.push(key);
            *reference
        }
        Kind::Var(var) => Ref {
            head: super::tree::Head::Var(var),
            path: vec![key],
        },
        _ => Ref {
            head: super::tree::Head::Term(domain),
            path: vec![key],
        },
    };
    Term::new(span, Kind::Ref(Box::new(reference)))
}

/// OPA's word for a kind of term.
fn term_name(kind: &TermKind<'_>) -> &'static str {
    match kind {
        TermKind::Null => "null",
        TermKind::Bool(_) => "boolean",
        TermKind::Number(_) => "number",
        TermKind::String { .. } => "string",
        TermKind::Var(_) => "var",
        TermKind::Ref { .. } => "ref",
        TermKind::Call { .. }
        | TermKind::Infix { .. }
        | TermKind::KeyValueIn { .. }
        | TermKind::Negate(_) => "call",
        TermKind::Array(_) => "array",
        TermKind::Set(_) => "set",
        TermKind::Object(_) => "object",
        TermKind::ArrayComprehension { .. } => "arraycomprehension",
        TermKind::SetComprehension { .. } => "setcomprehension",
        TermKind::ObjectComprehension { .. } => "objectcomprehension",
        TermKind::Template { .. } => "templatestring",
    }
}
