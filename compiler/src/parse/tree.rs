//! What the grammar's actions work with: the context of a module, the parts of a statement before heads are understood,
//! and the refusal of a form. The constructors are in `statements.rs` and `terms.rs`.

use bumpalo::Bump;

use crate::ast::{Body, Literal, Term, TermKind};
use crate::layout::Words;
use crate::parse::BaseDialect;
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

    pub(crate) fn help(mut self, help: impl Into<String>) -> Reject {
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
    /// `contains` is a keyword here.
    pub(crate) contains: bool,
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
        let (v1, new_not) = (base != BaseDialect::V0, base == BaseDialect::V2);
        Cx {
            bump,
            file,
            text,
            templates: v1,
            new_not,
            contains: v1,
        }
    }

    /// The same for text with these keywords.
    pub(crate) fn with_words(&self, words: &Words) -> Cx<'a> {
        Cx {
            new_not: words.dialect.new_not,
            contains: words.dialect.kw_contains,
            ..*self
        }
    }

    pub(crate) fn span(&self, start: u32, end: u32) -> Span {
        Span {
            file: self.file,
            start,
            end: end.max(start),
        }
    }

    pub(crate) fn node(&self, term: Term<'a>) -> &'a Term<'a> {
        self.bump.alloc(term)
    }

    pub(crate) fn term(&self, start: u32, end: u32, kind: TermKind<'a>) -> Term<'a> {
        Term {
            span: self.span(start, end),
            kind,
        }
    }
}
