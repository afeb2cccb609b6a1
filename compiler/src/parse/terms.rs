//! Constructors of terms. They refuse what the grammar's shape cannot tell (a reference into a number, a broken escape,
//! …), in OPA's words and at OPA's places.

use bumpalo::collections::Vec as BumpVec;

use crate::ast::{Body, InfixOp, Literal, LiteralKind, TemplatePart, Term, TermKind};
use crate::limits::REF_ELEMENTS_MAX;
use crate::parse::text::{self, decode_string, decode_template};
use crate::parse::tree::{Cx, Reject, Suffix};

impl<'a> Cx<'a> {
    pub(crate) fn infix(
        &self,
        op: InfixOp,
        op_start: u32,
        op_end: u32,
        left: Term<'a>,
        right: Term<'a>,
    ) -> Term<'a> {
        Term {
            span: left.span.to(right.span),
            kind: TermKind::Infix {
                op,
                op_span: self.span(op_start, op_end),
                left: self.node(left),
                right: self.node(right),
            },
        }
    }

    pub(crate) fn pair_in(&self, key: Term<'a>, value: Term<'a>, domain: Term<'a>) -> Term<'a> {
        Term {
            span: key.span.to(domain.span),
            kind: TermKind::KeyValueIn {
                key: self.node(key),
                value: self.node(value),
                domain: self.node(domain),
            },
        }
    }

    pub(crate) fn negate(&self, start: u32, end: u32, inner: Term<'a>) -> Term<'a> {
        self.term(start, end, TermKind::Negate(self.node(inner)))
    }

    pub(crate) fn var(&self, start: u32, end: u32, name: &'a str) -> Term<'a> {
        self.term(start, end, TermKind::Var(name))
    }

    pub(crate) fn field(&self, start: u32, end: u32, name: &'a str) -> Suffix<'a> {
        Suffix::Field(self.term(
            start,
            end,
            TermKind::String {
                text: name,
                raw: false,
            },
        ))
    }

    pub(crate) fn call_suffix(&self, args: Option<Vec<Term<'a>>>, end: u32) -> Suffix<'a> {
        Suffix::Call(self.slice(args), end)
    }

    fn slice(&self, terms: Option<Vec<Term<'a>>>) -> &'a [Term<'a>] {
        match terms {
            Some(terms) => self.bump.alloc_slice_copy(&terms),
            None => &[],
        }
    }

    /// Applies what follows a primary term, left to right.
    pub(crate) fn postfix(&self, head: Term<'a>, suffixes: Vec<Suffix<'a>>) -> Result<Term<'a>, Reject> {
        if suffixes.is_empty() {
            return Ok(head);
        }
        if !can_be_head(&head) {
            let what = text::value_name(&head);
            return Err(Reject::new(
                head.span,
                format!("illegal ref (head cannot be {what})"),
            ));
        }
        if suffixes.len() > REF_ELEMENTS_MAX {
            let message = format!("reference with more than {REF_ELEMENTS_MAX} elements");
            return Err(Reject::new(head.span, message));
        }
        let mut current = head;
        let mut path: BumpVec<'a, Term<'a>> = BumpVec::new_in(self.bump);
        let mut end = head.span.end;
        for suffix in suffixes {
            match suffix {
                Suffix::Field(name) => {
                    end = name.span.end;
                    path.push(name);
                }
                Suffix::Index(key, close) => {
                    end = close;
                    path.push(key);
                }
                Suffix::Call(args, close) => {
                    let name = self.reference(current, &mut path, end);
                    end = close;
                    let kind = match name.kind {
                        TermKind::Var("set") if args.is_empty() => TermKind::Set(&[]),
                        _ => TermKind::Call {
                            name: self.node(name),
                            args,
                        },
                    };
                    current = self.term(head.span.start, end, kind);
                }
            }
        }
        Ok(self.reference(current, &mut path, end))
    }

    fn reference(&self, head: Term<'a>, path: &mut BumpVec<'a, Term<'a>>, end: u32) -> Term<'a> {
        if path.is_empty() {
            return head;
        }
        let path = std::mem::replace(path, BumpVec::new_in(self.bump)).into_bump_slice();
        self.term(
            head.span.start,
            end,
            TermKind::Ref {
                head: self.node(head),
                path,
            },
        )
    }

    pub(crate) fn null(&self, start: u32, end: u32) -> Term<'a> {
        self.term(start, end, TermKind::Null)
    }

    pub(crate) fn bool(&self, start: u32, end: u32, value: bool) -> Term<'a> {
        self.term(start, end, TermKind::Bool(value))
    }

    /// `start`: sign, point or digits; `at`: digits.
    pub(crate) fn number(
        &self,
        start: u32,
        at: u32,
        end: u32,
        minus: bool,
        point: bool,
        digits: &'a str,
    ) -> Result<Term<'a>, Reject> {
        text::check_number(digits, point).map_err(|message| Reject::new(self.span(at, end), message))?;
        let text = if minus || point {
            let sign = if minus { "-" } else { "" };
            let dot = if point { "." } else { "" };
            self.bump.alloc_str(&format!("{sign}{dot}{digits}"))
        } else {
            digits
        };
        Ok(self.term(start, end, TermKind::Number(text)))
    }

    pub(crate) fn string(&self, start: u32, end: u32, text: &'a str) -> Result<Term<'a>, Reject> {
        let decoded = decode_string(self.bump, text)
            .ok_or_else(|| Reject::new(self.span(start, end), format!("illegal string literal: {text}")))?;
        Ok(self.term(
            start,
            end,
            TermKind::String {
                text: decoded,
                raw: false,
            },
        ))
    }

    pub(crate) fn raw_string(&self, start: u32, end: u32, text: &'a str) -> Term<'a> {
        self.term(
            start,
            end,
            TermKind::String {
                text: text::inside(text),
                raw: true,
            },
        )
    }

    pub(crate) fn array(&self, start: u32, end: u32, elements: Option<Vec<Term<'a>>>) -> Term<'a> {
        self.term(start, end, TermKind::Array(self.slice(elements)))
    }

    pub(crate) fn set(&self, start: u32, end: u32, elements: Vec<Term<'a>>) -> Term<'a> {
        self.term(start, end, TermKind::Set(self.slice(Some(elements))))
    }

    pub(crate) fn object(&self, start: u32, end: u32, pairs: Option<Vec<(Term<'a>, Term<'a>)>>) -> Term<'a> {
        let pairs: &'a [(Term<'a>, Term<'a>)] = match pairs {
            Some(pairs) => self.bump.alloc_slice_copy(&pairs),
            None => &[],
        };
        self.term(start, end, TermKind::Object(pairs))
    }

    pub(crate) fn array_comprehension(
        &self,
        start: u32,
        end: u32,
        head: Term<'a>,
        body: Body<'a>,
    ) -> Term<'a> {
        self.term(
            start,
            end,
            TermKind::ArrayComprehension {
                head: self.node(head),
                body,
            },
        )
    }

    pub(crate) fn set_comprehension(&self, start: u32, end: u32, head: Term<'a>, body: Body<'a>) -> Term<'a> {
        self.term(
            start,
            end,
            TermKind::SetComprehension {
                head: self.node(head),
                body,
            },
        )
    }

    pub(crate) fn object_comprehension(
        &self,
        start: u32,
        end: u32,
        key: Term<'a>,
        value: Term<'a>,
        body: Body<'a>,
    ) -> Term<'a> {
        let kind = TermKind::ObjectComprehension {
            key: self.node(key),
            value: self.node(value),
            body,
        };
        self.term(start, end, kind)
    }

    /// `first`: the text up to the first expression, or all of it; `rest`: each expression with the text behind it.
    pub(crate) fn template(
        &self,
        start: u32,
        end: u32,
        first: (bool, &'a str),
        rest: Vec<(Literal<'a>, u32, &'a str)>,
    ) -> Result<Term<'a>, Reject> {
        let (raw, first) = first;
        if !self.templates {
            return Err(Reject::new(
                self.span(start, end),
                "template strings are not supported by current capabilities",
            )
            .help("template strings are part of Rego v1: the module is read as Rego v0"));
        }
        let mut parts = BumpVec::new_in(self.bump);
        // The `$` belongs to the first piece only.
        self.template_text(start + 1, first.get(1..).unwrap_or(""), raw, &mut parts)?;
        for (literal, at, text) in rest {
            check_template_expression(&literal, self.new_not)?;
            parts.push(TemplatePart::Expr(self.bump.alloc(literal)));
            self.template_text(at, text, raw, &mut parts)?;
        }
        Ok(self.term(
            start,
            end,
            TermKind::Template {
                parts: parts.into_bump_slice(),
                raw,
            },
        ))
    }

    fn template_text(
        &self,
        at: u32,
        piece: &'a str,
        raw: bool,
        parts: &mut BumpVec<'a, TemplatePart<'a>>,
    ) -> Result<(), Reject> {
        let len = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        let decoded = decode_template(self.bump, piece, raw).ok_or_else(|| {
            Reject::new(
                self.span(at, at.saturating_add(len)),
                format!("illegal template-string part: {piece}"),
            )
        })?;
        if !decoded.is_empty() {
            parts.push(TemplatePart::Text(decoded));
        }
        Ok(())
    }
}

/// What `.`, `[` and `(` may follow.
fn can_be_head(term: &Term<'_>) -> bool {
    match term.kind {
        TermKind::Var(_)
        | TermKind::Array(_)
        | TermKind::Set(_)
        | TermKind::Object(_)
        | TermKind::ArrayComprehension { .. }
        | TermKind::SetComprehension { .. }
        | TermKind::ObjectComprehension { .. }
        | TermKind::Call { .. }
        | TermKind::Infix { .. }
        | TermKind::KeyValueIn { .. }
        | TermKind::Negate(_) => true,
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::String { .. }
        | TermKind::Ref { .. }
        | TermKind::Template { .. } => false,
    }
}

fn check_template_expression(literal: &Literal<'_>, new_not: bool) -> Result<(), Reject> {
    let what = match literal.kind {
        LiteralKind::Not(_) if !new_not => "unexpected negation ('not')",
        LiteralKind::Unify(..) => "unexpected unification ('=')",
        LiteralKind::Assign(..) => "unexpected assignment (':=')",
        LiteralKind::Every { .. } => "unexpected 'every'",
        LiteralKind::SomeDecl(_) | LiteralKind::SomeIn { .. } => "unexpected 'some'",
        LiteralKind::Term(_) | LiteralKind::And(..) | LiteralKind::Or(..) | LiteralKind::Not(_) => {
            return Ok(());
        }
    };
    Err(Reject::new(
        literal.span,
        format!("{what} in template-string expression"),
    ))
}
