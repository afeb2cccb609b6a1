//! The tree of one Rego module, as written: every form of OPA 1.22.2's language, a [`Span`] on every node.
//!
//! Nodes live in a `bumpalo` arena and are `Copy`. Nothing is resolved here: a `Var` may be a local, an import or a rule;
//! operators are still operators. Text that the lexer decoded (strings) is in the arena too.

pub(crate) mod visit;

use crate::source::Span;

/// A parsed module.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    /// Which rules this module follows after its imports were read.
    pub dialect: Dialect,
    /// Path behind `package`, without the implied `data`.
    pub package: Package<'a>,
    /// In source order.
    pub imports: &'a [Import<'a>],
    /// In source order; chained bodies (`p { … } { … }`) are rules of their own with `chained` set.
    pub rules: &'a [Rule<'a>],
    /// Comments in source order, for METADATA blocks.
    pub comments: &'a [Comment<'a>],
}

/// The language switches of a module: its base version and what its imports turned on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// v1 rules hold (`if` before bodies, `contains` for sets, strict names): v1 base, `import rego.v1`, `import rego.v2`.
    pub v1: bool,
    /// `in` (and `some … in`) is a keyword.
    pub kw_in: bool,
    /// `if` is a keyword.
    pub kw_if: bool,
    /// `contains` is a keyword of rule heads.
    pub kw_contains: bool,
    /// `every` is a keyword.
    pub kw_every: bool,
    /// `and` is an infix keyword.
    pub kw_and: bool,
    /// `or` is an infix keyword.
    pub kw_or: bool,
    /// `not` takes bodies and keeps nested calls and references inside the negation.
    pub new_not: bool,
}

/// `package a.b["c"]`.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    /// The whole clause.
    pub span: Span,
    /// Path elements.
    pub path: &'a [Name<'a>],
}

/// A piece of text with its place: an identifier or a decoded string.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// Where it stands.
    pub span: Span,
    /// The text.
    pub text: &'a str,
}

/// `import data.a.b as c`.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// The whole clause.
    pub span: Span,
    /// First element is `data`, `input`, `rego` or `future`.
    pub path: &'a [Name<'a>],
    /// Behind `as`.
    pub alias: Option<Name<'a>>,
}

/// A `#` comment; `text` is what follows the `#`.
#[derive(Clone, Copy, Debug)]
pub struct Comment<'a> {
    /// From the `#` to the end of the line.
    pub span: Span,
    /// Text behind the `#`.
    pub text: &'a str,
}

/// One rule with its `else` chain.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    /// Head and bodies.
    pub span: Span,
    /// `default` stood in front.
    pub is_default: bool,
    /// What the rule defines.
    pub head: Head<'a>,
    /// `None`: no body was written (true). A default rule never has one.
    pub body: Option<Body<'a>>,
    /// The word `if` stood in front of the body.
    pub has_if: bool,
    /// In order.
    pub else_branches: &'a [ElseBranch<'a>],
    /// `not` keeps what is under it to itself: an import above the rule says so, or the module's dialect.
    pub new_not: bool,
    /// A further body of the rule before it (`p { … } { … }`): same head.
    pub chained: bool,
}

/// `else := v if { … }`.
#[derive(Clone, Copy, Debug)]
pub struct ElseBranch<'a> {
    /// From the word `else`.
    pub span: Span,
    /// `None` is `true`.
    pub value: Option<Term<'a>>,
    /// The value was written with `:=` rather than `=`.
    pub assign: bool,
    /// `None`: always.
    pub body: Option<Body<'a>>,
}

/// `a.b[k](args) contains key := value`, each part optional.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The head alone.
    pub span: Span,
    /// First element is a `Var` term; the rest is what stands behind dots (string terms) and in brackets.
    pub reference: &'a [Term<'a>],
    /// `Some` for functions (may not be empty).
    pub args: Option<&'a [Term<'a>]>,
    /// Behind `contains`; in v0 also the `x` of `p[x] { … }` (see [`HeadKind`]).
    pub key: Option<Term<'a>>,
    /// Behind `=` or `:=`.
    pub value: Option<Term<'a>>,
    /// The value was written with `:=`.
    pub assign: bool,
    /// Set or value rule.
    pub kind: HeadKind,
}

/// Whether a rule gives a value at its reference or adds a member to a set there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeadKind {
    /// Complete rules, objects, functions.
    Value,
    /// `contains key`, or v0's `p[key] { … }` (then `key` was taken off the reference).
    Set,
}

/// Statements joined by `;` or line ends. Never empty.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// With braces, where there are any.
    pub span: Span,
    /// In source order.
    pub literals: &'a [Literal<'a>],
}

/// One statement of a body with its `with` modifiers.
#[derive(Clone, Copy, Debug)]
pub struct Literal<'a> {
    /// The whole statement.
    pub span: Span,
    /// What it says.
    pub kind: LiteralKind<'a>,
    /// Applied left to right.
    pub with: &'a [With<'a>],
}

/// The forms of a statement.
#[derive(Clone, Copy, Debug)]
pub enum LiteralKind<'a> {
    /// A term that must be defined and not `false` (operators other than `:=` and `=` are terms).
    Term(Term<'a>),
    /// `left := right`.
    Assign(Term<'a>, Term<'a>),
    /// `left = right`.
    Unify(Term<'a>, Term<'a>),
    /// `some x, y`.
    SomeDecl(&'a [Name<'a>]),
    /// `some k, v in domain`.
    SomeIn {
        /// Present in the two-variable form.
        key: Option<Term<'a>>,
        /// Pattern.
        value: Term<'a>,
        /// Collection.
        domain: Term<'a>,
    },
    /// `every k, v in domain { … }`.
    Every {
        /// Present in the two-variable form.
        key: Option<Name<'a>>,
        /// Variable.
        value: Name<'a>,
        /// Collection.
        domain: Term<'a>,
        /// Must succeed for each member.
        body: Body<'a>,
    },
    /// `not …`; the operand is a statement or, with the new `not`, a braced body.
    Not(Operand<'a>),
    /// `left and right` (future keyword).
    And(Operand<'a>, Operand<'a>),
    /// `left or right` (future keyword).
    Or(Operand<'a>, Operand<'a>),
}

/// What stands under `not`, `and`, `or`.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// One statement; binds nothing.
    Implicit(&'a Literal<'a>),
    /// `{ … }`: a body with its own scope.
    Braced(Body<'a>),
}

/// `with target as value`.
#[derive(Clone, Copy, Debug)]
pub struct With<'a> {
    /// From the word `with`.
    pub span: Span,
    /// A reference or a variable.
    pub target: Term<'a>,
    /// Evaluated outside.
    pub value: Term<'a>,
}

/// A term and its place.
#[derive(Clone, Copy, Debug)]
pub struct Term<'a> {
    /// Without surrounding parentheses.
    pub span: Span,
    /// What it is.
    pub kind: TermKind<'a>,
}

/// The forms of a term.
#[derive(Clone, Copy, Debug)]
pub enum TermKind<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// The literal as written.
    Number(&'a str),
    /// Decoded; `raw` tells a backquoted literal.
    String {
        /// Decoded text.
        text: &'a str,
        /// Backquoted.
        raw: bool,
    },
    /// Any identifier, `_` included.
    Var(&'a str),
    /// `head.a[b]…`: `path` is never empty. A dot gives a string term.
    Ref {
        /// Variable, call, or collection literal.
        head: &'a Term<'a>,
        /// What follows.
        path: &'a [Term<'a>],
    },
    /// `name(args)`; the name is a `Var` or a `Ref` of strings.
    Call {
        /// Function name.
        name: &'a Term<'a>,
        /// Arguments.
        args: &'a [Term<'a>],
    },
    /// `left op right`.
    Infix {
        /// Operator.
        op: InfixOp,
        /// Place of the operator.
        op_span: Span,
        /// Left operand.
        left: &'a Term<'a>,
        /// Right operand.
        right: &'a Term<'a>,
    },
    /// `key, value in domain` as an expression (`value in domain` is [`InfixOp::In`]).
    KeyValueIn {
        /// Key.
        key: &'a Term<'a>,
        /// Value.
        value: &'a Term<'a>,
        /// Collection.
        domain: &'a Term<'a>,
    },
    /// `-x` before something that is no number literal: `0 - x`.
    Negate(&'a Term<'a>),
    /// `[a, b]`
    Array(&'a [Term<'a>]),
    /// `{a, b}` and `set()`
    Set(&'a [Term<'a>]),
    /// `{k: v}`
    Object(&'a [(Term<'a>, Term<'a>)]),
    /// `[head | body]`
    ArrayComprehension {
        /// Element.
        head: &'a Term<'a>,
        /// Body.
        body: Body<'a>,
    },
    /// `{head | body}`
    SetComprehension {
        /// Element.
        head: &'a Term<'a>,
        /// Body.
        body: Body<'a>,
    },
    /// `{key: value | body}`
    ObjectComprehension {
        /// Key.
        key: &'a Term<'a>,
        /// Value.
        value: &'a Term<'a>,
        /// Body.
        body: Body<'a>,
    },
    /// `$"text{expr}text"`
    Template {
        /// In order.
        parts: &'a [TemplatePart<'a>],
        /// Backquoted.
        raw: bool,
    },
}

impl<'a> Term<'a> {
    /// The body of a comprehension.
    pub(crate) fn comprehension_body(&self) -> Option<&Body<'a>> {
        match &self.kind {
            TermKind::ArrayComprehension { body, .. }
            | TermKind::SetComprehension { body, .. }
            | TermKind::ObjectComprehension { body, .. } => Some(body),
            _ => None,
        }
    }
}

/// Text or expression of a template string.
#[derive(Clone, Copy, Debug)]
pub enum TemplatePart<'a> {
    /// Decoded text.
    Text(&'a str),
    /// What stands between braces.
    Expr(&'a Literal<'a>),
}

/// Infix operators of terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InfixOp {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `|`
    Union,
    /// `&`
    Intersect,
    /// `in`
    In,
    /// `:=` inside a term (refused later, but parsed where OPA parses it).
    Assign,
    /// `=` inside a term.
    Unify,
}

impl InfixOp {
    /// The builtin that OPA calls for the operator.
    #[must_use]
    pub fn builtin(self) -> &'static str {
        match self {
            InfixOp::Equal => "equal",
            InfixOp::NotEqual => "neq",
            InfixOp::Less => "lt",
            InfixOp::LessEqual => "lte",
            InfixOp::Greater => "gt",
            InfixOp::GreaterEqual => "gte",
            InfixOp::Add => "plus",
            InfixOp::Sub => "minus",
            InfixOp::Mul => "mul",
            InfixOp::Div => "div",
            InfixOp::Rem => "rem",
            InfixOp::Union => "or",
            InfixOp::Intersect => "and",
            InfixOp::In => "internal.member_2",
            InfixOp::Assign => "assign",
            InfixOp::Unify => "eq",
        }
    }
}
