//! The tree of a template.

use std::collections::BTreeMap;

/// Templates by name; the text itself is `template`.
pub(super) type Templates<'t> = BTreeMap<String, Vec<Node<'t>>>;

/// Text or an action.
pub(super) enum Node<'t> {
    Text(&'t str),
    Action(Pipe<'t>),
    If(Branch<'t>),
    With(Branch<'t>),
    Range(Branch<'t>),
    Template(String, Option<Pipe<'t>>),
    Break,
    Continue,
}

/// What `if`, `with` and `range` have in common.
pub(super) struct Branch<'t> {
    pub(super) pipe: Pipe<'t>,
    pub(super) list: Vec<Node<'t>>,
    pub(super) otherwise: Vec<Node<'t>>,
}

/// Commands, each with the result of the one before as its last argument.
pub(super) struct Pipe<'t> {
    /// Variables that get the result, with their `$`.
    pub(super) variables: Vec<&'t str>,
    /// They were declared before.
    pub(super) is_assignment: bool,
    /// Never empty; no command is.
    pub(super) commands: Vec<Vec<Operand<'t>>>,
}

/// A word of a command.
pub(super) enum Operand<'t> {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// An integer that only an unsigned type holds: refused where it is used.
    Huge,
    Text(String),
    Field(Vec<&'t str>),
    Variable(&'t str, Vec<&'t str>),
    Function(Function),
    Pipe(Box<Pipe<'t>>),
    /// Fields of what is no field or variable.
    Chain(Box<Operand<'t>>, Vec<&'t str>),
}

/// The functions that templates know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Or,
    Not,
    Call,
    Html,
    Js,
    UrlQuery,
    Index,
    Slice,
    Len,
    Print,
    Printf,
    Println,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Function {
    /// The function of a name.
    pub(super) fn find(name: &str) -> Option<Function> {
        Some(match name {
            "and" => Function::And,
            "or" => Function::Or,
            "not" => Function::Not,
            "call" => Function::Call,
            "html" => Function::Html,
            "js" => Function::Js,
            "urlquery" => Function::UrlQuery,
            "index" => Function::Index,
            "slice" => Function::Slice,
            "len" => Function::Len,
            "print" => Function::Print,
            "printf" => Function::Printf,
            "println" => Function::Println,
            "eq" => Function::Eq,
            "ne" => Function::Ne,
            "lt" => Function::Lt,
            "le" => Function::Le,
            "gt" => Function::Gt,
            "ge" => Function::Ge,
            _ => return None,
        })
    }
}

/// Whether a list shows nothing but blanks: such a definition yields to another of the same name.
pub(super) fn is_empty(list: &[Node<'_>]) -> bool {
    list.iter()
        .all(|node| matches!(node, Node::Text(text) if text.chars().all(char::is_whitespace)))
}
