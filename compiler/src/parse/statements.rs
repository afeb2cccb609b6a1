//! Constructors of bodies, statements and operands. They refuse what the grammar's shape cannot tell (`every` without
//! variables, `with` on an operand, …), in OPA's words and at OPA's places.

use bumpalo::collections::Vec as BumpVec;

use crate::ast::{Body, InfixOp, Literal, LiteralKind, Name, Operand, Term, TermKind, With};
use crate::parse::text::value_name;
use crate::parse::tree::{Cx, Group, Reject};
use crate::source::Span;

impl<'a> Cx<'a> {
    pub(crate) fn body(&self, start: u32, end: u32, literals: Vec<Literal<'a>>) -> Body<'a> {
        Body {
            span: self.span(start, end),
            literals: self.bump.alloc_slice_copy(&literals),
        }
    }

    pub(crate) fn body_of(&self, literal: Literal<'a>) -> Body<'a> {
        Body {
            span: literal.span,
            literals: self.bump.alloc_slice_copy(&[literal]),
        }
    }

    pub(super) fn statement(&self, start: u32, end: u32, kind: LiteralKind<'a>) -> Literal<'a> {
        Literal {
            span: self.span(start, end),
            kind,
            with: &[],
        }
    }

    pub(crate) fn literal(&self, start: u32, end: u32, term: Term<'a>) -> Literal<'a> {
        self.statement(start, end, LiteralKind::Term(term))
    }

    pub(crate) fn assign(&self, start: u32, end: u32, left: Term<'a>, right: Term<'a>) -> Literal<'a> {
        self.statement(start, end, LiteralKind::Assign(left, right))
    }

    pub(crate) fn unify(&self, start: u32, end: u32, left: Term<'a>, right: Term<'a>) -> Literal<'a> {
        self.statement(start, end, LiteralKind::Unify(left, right))
    }

    /// Adds modifiers behind those that a parenthesised statement already has.
    pub(crate) fn with(&self, start: u32, end: u32, inner: Literal<'a>, with: Vec<With<'a>>) -> Literal<'a> {
        let mut all = BumpVec::from_iter_in(inner.with.iter().copied(), self.bump);
        all.extend(with);
        Literal {
            span: self.span(start, end),
            kind: inner.kind,
            with: all.into_bump_slice(),
        }
    }

    /// The same for a statement that is no expression. The names of `some` take no modifiers, which start at `at`.
    pub(crate) fn with_simple(
        &self,
        start: u32,
        end: u32,
        inner: Literal<'a>,
        at: u32,
        with: Vec<With<'a>>,
    ) -> Result<Literal<'a>, Reject> {
        if let LiteralKind::SomeDecl(_) = inner.kind {
            return Err(Reject::new(self.span(at, at + 4), "unexpected with keyword"));
        }
        Ok(self.with(start, end, inner, with))
    }

    pub(crate) fn with_clause(
        &self,
        span: Span,
        target_span: Span,
        target: Term<'a>,
        value: Term<'a>,
    ) -> Result<With<'a>, Reject> {
        let first = match target.kind {
            TermKind::Ref { head, .. } => head,
            _ => &target,
        };
        if self.is_contains(first) {
            let message = "unexpected contains keyword: expected ident";
            return Err(Reject::new(first.span, message));
        }
        if !matches!(target.kind, TermKind::Var(_) | TermKind::Ref { .. }) {
            let message = match target.kind {
                TermKind::Call { .. } => "unexpected as keyword: expected with target path",
                _ => "expected with target path",
            };
            return Err(Reject::new(target_span, message));
        }
        Ok(With { span, target, value })
    }

    pub(crate) fn with_on_operand(&self, at: u32, op: &'static str) -> Reject {
        Reject::new(self.span(at, at + 4), format!("`with` modifier is not allowed on operand of `{op}`")).help(
            format!(
                "wrap the operand in `(...)` or `{{...}}` to scope, or move `with` behind the `{op}` expression to apply it to the whole"
            ),
        )
    }

    /// The keyword `contains`, which is a name in terms only.
    fn is_contains(&self, term: &Term<'a>) -> bool {
        self.contains && matches!(term.kind, TermKind::Var("contains"))
    }

    fn name(&self, term: &Term<'a>) -> Option<Name<'a>> {
        match term.kind {
            TermKind::Var(text) => Some(Name {
                span: term.span,
                text,
            }),
            _ => None,
        }
    }

    pub(crate) fn some_names(
        &self,
        start: u32,
        end: u32,
        terms: Vec<Term<'a>>,
    ) -> Result<Literal<'a>, Reject> {
        let mut names = BumpVec::with_capacity_in(terms.len(), self.bump);
        for term in &terms {
            let name = self.name(term).filter(|_| !self.is_contains(term));
            names.push(name.ok_or_else(|| Reject::new(term.span, "expected var"))?);
        }
        Ok(self.statement(start, end, LiteralKind::SomeDecl(names.into_bump_slice())))
    }

    pub(crate) fn some(&self, start: u32, end: u32, term: Term<'a>) -> Result<Literal<'a>, Reject> {
        let kind = match term.kind {
            TermKind::Infix {
                op: InfixOp::In,
                left,
                right,
                ..
            } => LiteralKind::SomeIn {
                key: None,
                value: *left,
                domain: *right,
            },
            TermKind::KeyValueIn { key, value, domain } => LiteralKind::SomeIn {
                key: Some(*key),
                value: *value,
                domain: *domain,
            },
            TermKind::Var(text) if !self.is_contains(&term) => {
                LiteralKind::SomeDecl(self.bump.alloc_slice_copy(&[Name {
                    span: term.span,
                    text,
                }]))
            }
            TermKind::Call { .. } | TermKind::Infix { .. } | TermKind::Negate(_) => {
                return Err(Reject::new(
                    self.span(end, end),
                    "expected `x in xs` or `x, y in xs` expression",
                ));
            }
            _ => return Err(Reject::new(term.span, "expected var")),
        };
        Ok(self.statement(start, end, kind))
    }

    /// `at`: the `{`.
    pub(crate) fn every(
        &self,
        start: u32,
        end: u32,
        term: Term<'a>,
        at: u32,
        body: Body<'a>,
    ) -> Result<Literal<'a>, Reject> {
        let refuse = |what: &str| {
            Err(Reject::new(
                self.span(at, at + 1),
                format!("unexpected {{ token: {what}"),
            ))
        };
        let (key, value, domain) = match term.kind {
            TermKind::Infix {
                op: InfixOp::In,
                left,
                right,
                ..
            } => (None, left, right),
            TermKind::KeyValueIn { key, value, domain } => (Some(key), value, domain),
            _ => return refuse("expected `x[, y] in xs { ... }` expression"),
        };
        // `input` and `data` are documents wherever a term can stand.
        let variable = |term: &Term<'a>| {
            self.name(term)
                .filter(|name| !matches!(name.text, "input" | "data"))
        };
        let key = match key.map(variable) {
            None => None,
            Some(Some(name)) => Some(name),
            Some(None) => return refuse("expected key to be a variable"),
        };
        let Some(value) = variable(value) else {
            return refuse("expected value to be a variable");
        };
        Ok(self.statement(
            start,
            end,
            LiteralKind::Every {
                key,
                value,
                domain: *domain,
                body,
            },
        ))
    }

    // Negation and logic.

    pub(crate) fn implicit(&self, literal: Literal<'a>) -> Operand<'a> {
        Operand::Implicit(self.bump.alloc(literal))
    }

    pub(crate) fn not(&self, start: u32, end: u32, operand: Operand<'a>) -> Literal<'a> {
        self.statement(start, end, LiteralKind::Not(operand))
    }

    /// `not` before an expression. With the new `not`, a leading `{` opens a body.
    pub(crate) fn not_plain(&self, start: u32, end: u32, inner: Literal<'a>) -> Result<Literal<'a>, Reject> {
        if self.new_not && self.byte(inner.span.start) == Some(b'{') {
            let what = match inner.kind {
                LiteralKind::Term(term) | LiteralKind::Assign(term, _) | LiteralKind::Unify(term, _) => {
                    value_name(&leftmost(term))
                }
                _ => "value",
            };
            let message = format!("`{{...}}` in an operand position must contain expression(s), got: {what}");
            let braces = self.span(inner.span.start, inner.span.start + 1);
            return Err(Reject::new(braces, message)
                .help("write `not (...)` to negate the value, or `not {...}` for a body holding it"));
        }
        // With the new `not`, OPA's errors in the expression stand at the `not`.
        let span = if self.new_not {
            self.span(start, end)
        } else {
            inner.span
        };
        let inner = Literal { span, ..inner };
        Ok(self.not(start, end, self.implicit(inner)))
    }

    /// A negation as operand of `and`, `or` and in a group: OPA's errors in it stand behind the `not`.
    pub(crate) fn negation_operand(&self, negation: Literal<'a>) -> Literal<'a> {
        let LiteralKind::Not(Operand::Implicit(inner)) = negation.kind else {
            return negation;
        };
        let start = match inner.kind {
            LiteralKind::Term(left) | LiteralKind::Assign(left, _) | LiteralKind::Unify(left, _) => {
                left.span.start
            }
            _ => return negation,
        };
        let span = self.span(start, inner.span.end);
        if !self.new_not {
            return Literal { span, ..negation };
        }
        let inner = self.implicit(Literal { span, ..*inner });
        Literal {
            kind: LiteralKind::Not(inner),
            ..negation
        }
    }

    pub(crate) fn not_body(
        &self,
        start: u32,
        end: u32,
        at: u32,
        body: Body<'a>,
    ) -> Result<Literal<'a>, Reject> {
        let operand = self.braced_operand(at, body)?;
        Ok(self.not(start, end, operand))
    }

    /// A body in braces; refuses `{a | b}`, which reads like a comprehension.
    pub(crate) fn braced_operand(&self, at: u32, body: Body<'a>) -> Result<Operand<'a>, Reject> {
        if let Some(Literal {
            span,
            kind:
                LiteralKind::Term(Term {
                    kind:
                        TermKind::Infix {
                            op: InfixOp::Union, ..
                        },
                    ..
                }),
            ..
        }) = body.literals.first()
            && self.byte(span.start) != Some(b'(')
        {
            return Err(Reject::new(
                self.span(at, at + 1),
                "ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, not as a comprehension",
            )
            .help("write `({ ... })` for the comprehension, or put the union in parentheses"));
        }
        Ok(Operand::Braced(body))
    }

    /// An expression as operand; refuses a leading `{`, where a body is expected.
    pub(crate) fn plain_operand(&self, literal: Literal<'a>) -> Result<Operand<'a>, Reject> {
        if self.byte(literal.span.start) == Some(b'{') {
            if let LiteralKind::Term(Term {
                kind: TermKind::Object([]),
                ..
            }) = literal.kind
            {
                return Err(Reject::new(literal.span, "found empty body"));
            }
            return Err(Reject::new(
                literal.span,
                "operand of `and` or `or` cannot begin with `{` unless the braces hold a body",
            )
            .help("wrap the operand in parentheses to keep the value"));
        }
        Ok(self.implicit(literal))
    }

    pub(crate) fn and(
        &self,
        start: u32,
        end: u32,
        left: Operand<'a>,
        right: Operand<'a>,
    ) -> Result<Literal<'a>, Reject> {
        self.check_void(left, "and")?;
        self.check_void(right, "and")?;
        Ok(self.statement(start, end, LiteralKind::And(left, right)))
    }

    pub(crate) fn or(
        &self,
        start: u32,
        end: u32,
        left: Operand<'a>,
        right: Operand<'a>,
    ) -> Result<Literal<'a>, Reject> {
        self.check_void(left, "or")?;
        self.check_void(right, "or")?;
        Ok(self.statement(start, end, LiteralKind::Or(left, right)))
    }

    /// Refuses an operand that can never fail: nothing but `print(…)`.
    fn check_void(&self, operand: Operand<'a>, op: &str) -> Result<(), Reject> {
        let literals = match &operand {
            Operand::Implicit(literal) => std::slice::from_ref(*literal),
            Operand::Braced(body) => body.literals,
        };
        let is_print = |literal: &Literal<'_>| match literal.kind {
            LiteralKind::Term(Term {
                kind: TermKind::Call { name, .. },
                ..
            }) => {
                matches!(name.kind, TermKind::Var("print"))
            }
            _ => false,
        };
        match literals.first() {
            Some(first) if literals.iter().all(is_print) => Err(Reject::new(
                first.span,
                format!("operand of `{op}` cannot consist only of calls to `print`"),
            )
            .help("`print` always succeeds: move it out of the operand, or add an expression that can fail")),
            _ => Ok(()),
        }
    }

    pub(crate) fn group(&self, literal: Literal<'a>) -> Group<'a> {
        Group {
            literal,
            only_with: None,
        }
    }

    pub(crate) fn group_with(&self, literal: Literal<'a>, at: u32) -> Group<'a> {
        Group {
            literal,
            only_with: Some(at),
        }
    }

    /// A group that is a statement of its own.
    pub(crate) fn group_alone(&self, group: Group<'a>) -> Result<Literal<'a>, Reject> {
        match group.only_with {
            Some(at) => Err(Reject::new(self.span(at, at + 4), "non-terminated expression")),
            None => Ok(group.literal),
        }
    }

    pub(super) fn byte(&self, at: u32) -> Option<u8> {
        self.text.as_bytes().get(at as usize).copied()
    }
}

/// The operand that an infix expression starts with.
fn leftmost(term: Term<'_>) -> Term<'_> {
    let mut term = term;
    while let TermKind::Infix { left, .. } = term.kind {
        term = *left;
    }
    term
}
