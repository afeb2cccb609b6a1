//! The state of the layout pass: what may come next, where in a statement it is, and the open brackets.

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pos {
    /// A term.
    Operand,
    /// An operator, or the end of what is being read.
    Term,
    /// The same behind the `}` of a body: no operators of terms.
    Closed,
}

/// How far up an operand position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Inside an expression.
    Inside,
    /// A statement starts.
    Literal,
    /// Behind a rule's `if`.
    If,
    /// Behind `not`.
    Not,
    /// Behind `and` or `or`.
    Logic,
    /// Behind a parenthesis that may group statements.
    Group,
}

/// Where in a top-level statement the pass is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The path of `package`.
    Package,
    /// The path of `import`.
    Import,
    /// A rule's name and reference.
    Head,
    /// Behind `contains`, `=` or `:=` of a head.
    HeadValue,
    /// In the statement behind the first `if`.
    IfLiteral,
    /// Behind a body.
    AfterBody,
    /// Behind `else`.
    ElseStart,
    /// Behind `else :=`.
    ElseValue,
    /// In the statement behind `else if`.
    ElseLiteral,
    /// A statement that is no rule with a body.
    Literal,
    /// A query.
    Query,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// Outside all brackets.
    Top,
    /// Statements, with separators.
    Body,
    /// Elements, with commas. `call`: the arguments of a call.
    List { call: bool },
    /// One expression or statement.
    Single,
}

/// An open bracket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    pub(super) close: Close,
    /// `every` waits for its `{`.
    pub(super) every: bool,
    /// In the names of `some`.
    pub(super) some: bool,
    /// `with` waits for its `as`.
    pub(super) with: bool,
    /// `k, v` waits for its `in`.
    pub(super) pair: bool,
    /// Lexeme of the bar that ends a comprehension's head.
    pub(super) bar: Option<usize>,
    /// A body of the rule itself.
    pub(super) rule_body: bool,
    /// A parenthesis that may group statements.
    pub(super) may_group: bool,
    /// `and`, `or`, `not` or `with` stood in it, so that the parenthesis groups statements and is no term.
    pub(super) statement: bool,
    pub(super) depth: Depth,
}

impl Frame {
    pub(super) fn new(kind: FrameKind, close: Close) -> Frame {
        Frame {
            kind,
            close,
            every: false,
            some: false,
            with: false,
            pair: false,
            bar: None,
            rule_body: false,
            may_group: false,
            statement: false,
            depth: Depth::default(),
        }
    }
}

/// What ends a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    Nothing,
    Brack,
    Brace,
    BodyBrace,
    Paren,
    Template,
}

/// Upper bound of the tree's depth below an open bracket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Depth {
    /// Operators of the current expression.
    pub(super) operators: u32,
    /// Deepest bracket in the current expression.
    pub(super) inner: u32,
    /// Deepest of the expressions before.
    pub(super) before: u32,
}

impl Depth {
    pub(super) fn current(self) -> u32 {
        self.operators + self.inner
    }

    pub(super) fn next_expression(&mut self) {
        self.before = self.before.max(self.current());
        self.operators = 0;
        self.inner = 0;
    }
}
