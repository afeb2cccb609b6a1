//! Constructors that the grammar's actions call: they put nodes into the arena and refuse what the shape cannot tell
//! (a reference into a number, `every` without variables, …), in OPA's words and at OPA's places.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use crate::ast::{Body, InfixOp, Literal, LiteralKind, Name, Operand, TemplatePart, Term, TermKind, With};
use crate::parse::BaseDialect;
use crate::parse::text::{self, decode_string, decode_template};
use crate::source::{FileId, Span};

/// Why the text is refused: becomes a `rego_parse_error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reject {
    /// Where.
    pub(crate) span: Span,
    /// Headline.
    pub(crate) message: String,
    /// Advice.
    pub(crate) help: Option<String>,
}

impl Reject {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Reject {
        Reject {
            span,
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Reject {
        self.help = Some(help.into());
        self
    }
}

/// What the constructors need: the arena, and the text for spans and source looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cx<'a> {
    /// Owner of the nodes.
    pub(crate) bump: &'a Bump,
    /// The module.
    pub(crate) file: FileId,
    /// Its text, in the arena.
    pub(crate) text: &'a str,
    /// Template strings are part of the dialect (v1 and v2 bases).
    pub(crate) templates: bool,
    /// `not` takes bodies here.
    pub(crate) new_not: bool,
}

/// One statement of a module, before heads are understood.
#[derive(Clone, Debug)]
pub(crate) enum Statement<'a> {
    /// `package path`
    Package {
        /// The clause.
        span: Span,
        /// Variable or reference, if it is right.
        path: Term<'a>,
    },
    /// `import path as alias`
    Import {
        /// The clause.
        span: Span,
        /// Variable or reference, if it is right.
        path: Term<'a>,
        /// Variable, if it is right.
        alias: Option<Term<'a>>,
    },
    /// `default head`
    Default {
        /// The clause.
        span: Span,
        /// The head as an expression.
        head: Literal<'a>,
        /// Behind `contains`.
        key: Option<Term<'a>>,
    },
    /// A head with a body or with `contains`.
    Rule(RuleParts<'a>),
    /// Anything else; may be a rule without a body.
    Literal(Literal<'a>),
}

/// The parts of a rule with a body or `contains`.
#[derive(Clone, Debug)]
pub(crate) struct RuleParts<'a> {
    /// All of it.
    pub(crate) span: Span,
    /// The head.
    pub(crate) head_span: Span,
    /// The head as an expression: a term, `:=` or `=`.
    pub(crate) head: Literal<'a>,
    /// Place of `contains`, and the member.
    pub(crate) contains: Option<(u32, Term<'a>)>,
    /// Bodies.
    pub(crate) tail: Option<Tail<'a>>,
}

impl<'a> RuleParts<'a> {
    pub(crate) fn new(
        span: Span,
        head_span: Span,
        head: Literal<'a>,
        contains: Option<(u32, Term<'a>)>,
        tail: Option<Tail<'a>>,
    ) -> RuleParts<'a> {
        RuleParts {
            span,
            head_span,
            head,
            contains,
            tail,
        }
    }
}

/// The bodies of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Tail<'a> {
    /// `if` stood in front of the first body.
    pub(crate) has_if: bool,
    /// First body.
    pub(crate) body: Body<'a>,
    /// `else` chain.
    pub(crate) branches: Vec<ElseParts<'a>>,
    /// Further bodies (never together with branches).
    pub(crate) chained: Vec<Body<'a>>,
}

impl<'a> Tail<'a> {
    pub(crate) fn new(
        has_if: bool,
        body: Body<'a>,
        branches: Vec<ElseParts<'a>>,
        chained: Vec<Body<'a>>,
    ) -> Tail<'a> {
        Tail {
            has_if,
            body,
            branches,
            chained,
        }
    }
}

/// One `else`.
#[derive(Clone, Debug)]
pub(crate) struct ElseParts<'a> {
    /// From the word.
    pub(crate) span: Span,
    /// Written with `:=`.
    pub(crate) assign: bool,
    /// Behind `=` or `:=`.
    pub(crate) value: Option<Term<'a>>,
    /// Whether `if` was written, and the body.
    pub(crate) body: Option<(bool, Body<'a>)>,
}

impl<'a> ElseParts<'a> {
    pub(crate) fn new(
        span: Span,
        assign: bool,
        value: Option<Term<'a>>,
        body: Option<(bool, Body<'a>)>,
    ) -> ElseParts<'a> {
        ElseParts {
            span,
            assign,
            value,
            body,
        }
    }
}

/// What follows a primary term.
#[derive(Clone, Debug)]
pub(crate) enum Suffix<'a> {
    /// `.name`
    Field(Term<'a>),
    /// `[key]`, and where it ends.
    Index(Term<'a>, u32),
    /// `(args)`, and where it ends.
    Call(&'a [Term<'a>], u32),
}

/// A parenthesised `and`, `or`, `not` or `with`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a> {
    /// What is inside.
    pub(crate) literal: Literal<'a>,
    /// The group holds only an expression with `with` (which stands here): an operand, but no statement.
    pub(crate) only_with: Option<u32>,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(bump: &'a Bump, file: FileId, text: &'a str, base: BaseDialect) -> Cx<'a> {
        let (templates, new_not) = (base != BaseDialect::V0, base == BaseDialect::V2);
        Cx {
            bump,
            file,
            text,
            templates,
            new_not,
        }
    }

    pub(crate) fn span(&self, start: u32, end: u32) -> Span {
        Span {
            file: self.file,
            start,
            end: end.max(start),
        }
    }

    fn node(&self, term: Term<'a>) -> &'a Term<'a> {
        self.bump.alloc(term)
    }

    fn term(&self, start: u32, end: u32, kind: TermKind<'a>) -> Term<'a> {
        Term {
            span: self.span(start, end),
            kind,
        }
    }

    // Bodies and literals.

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

    fn statement(&self, start: u32, end: u32, kind: LiteralKind<'a>) -> Literal<'a> {
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

    pub(crate) fn with_clause(
        &self,
        span: Span,
        target_span: Span,
        target: Term<'a>,
        value: Term<'a>,
    ) -> Result<With<'a>, Reject> {
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
            names.push(
                self.name(term)
                    .ok_or_else(|| Reject::new(term.span, "expected var"))?,
            );
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
            TermKind::Var(text) => LiteralKind::SomeDecl(self.bump.alloc_slice_copy(&[Name {
                span: term.span,
                text,
            }])),
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
        let key = match key.map(|key| self.name(key)) {
            None => None,
            Some(Some(name)) => Some(name),
            Some(None) => return refuse("expected key to be a variable"),
        };
        let Some(value) = self.name(value) else {
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
                    text::value_name(&leftmost(term))
                }
                _ => "value",
            };
            let message = format!("`{{...}}` in an operand position must contain expression(s), got: {what}");
            let braces = self.span(inner.span.start, inner.span.start + 1);
            return Err(Reject::new(braces, message)
                .help("write `not (...)` to negate the value, or `not {...}` for a body holding it"));
        }
        Ok(self.not(start, end, self.implicit(inner)))
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

    fn byte(&self, at: u32) -> Option<u8> {
        self.text.as_bytes().get(at as usize).copied()
    }

    // Terms.

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

/// The operand that an infix expression starts with.
fn leftmost(term: Term<'_>) -> Term<'_> {
    let mut term = term;
    while let TermKind::Infix { left, .. } = term.kind {
        term = *left;
    }
    term
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
