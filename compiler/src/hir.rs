//! The checked program between syntax and plan: names resolved, expressions flattened, bodies ordered.
//!
//! What a parsed module means is worked out on a tree of its own (`analyse`); its result is an [`Ordered`] unit, and a unit
//! that passed every check is [`Checked`], the only thing the planner takes. In both:
//!
//! * every call is a statement of its own; its arguments are constants, variables, or collections of those;
//! * references and comprehensions stand only as a whole side of a [`StmtKind::Unify`], as a [`StmtKind::Test`], as the
//!   domain of [`StmtKind::Every`], or nested in a collection on a side of `Unify`; elements of a reference's path are
//!   constants, variables, or collections of those (a nested reference was given a variable by an earlier statement);
//! * collections without variables are one [`Constant`];
//! * head keys, head references, arguments and values are constants, variables or (arguments) patterns: what needs
//!   evaluation was moved to the end of the body.
//!
//! After ordering, a statement stands behind all statements that give its needed variables a value, in every block.
//! Source of the rules: OPA's language reference and its answers on the conformance corpora.

pub(crate) mod visit;

use crate::ast::Dialect;
use crate::metadata::Schema;
use crate::source::{FileId, Span};
use gavel_runtime::builtins::BuiltinId;
use gavel_runtime::value::Constant;
use std::collections::HashMap;

/// A variable of one rule (arguments, locals, temporaries of all its clauses) or query. Unique within it; `_` is a fresh
/// one each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub u32);

/// All modules that see each other: one policy with its libraries, or everything given to `gavel eval`.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// In load order.
    pub modules: Vec<ModuleMeta>,
    /// Rules of all modules, module by module in source order.
    pub rules: Vec<Rule>,
    /// The base document, an object, where there is one.
    pub base: Option<Constant>,
    /// Schemas of documents as the rules see them, by rule. Empty if no annotation has any.
    pub schemas: Vec<RuleSchemas>,
}

/// The schemas that annotations give to one rule; later ones count over earlier ones.
#[derive(Clone, Debug, Default)]
pub struct RuleSchemas {
    /// For all clauses.
    pub shared: Vec<Schema>,
    /// For the first clause alone: a branch behind `else` has no annotations of its own.
    pub own: Vec<Schema>,
}

/// What later stages need to know of a module.
#[derive(Clone, Debug)]
pub struct ModuleMeta {
    /// Its text.
    pub file: FileId,
    /// Path behind `data`.
    pub package: Vec<String>,
    /// Its switches.
    pub dialect: Dialect,
    /// Where each of its imports was used last, by name; under the empty name: any rule of its own package.
    pub last_uses: HashMap<String, Span>,
}

/// Unit with ordered, safe bodies.
#[derive(Clone, Debug)]
pub struct Ordered(pub Unit);
/// Unit that passed every check; the only thing the planner takes.
#[derive(Clone, Debug)]
pub struct Checked(pub Unit);

/// A query (`data.a.b = x; …`) checked against a unit.
#[derive(Clone, Debug)]
pub struct Query {
    /// Ordered.
    pub block: Block,
    /// Variables whose values are results, in the order of first occurrence (names as written; no generated ones).
    pub bindings: Vec<(String, VarId)>,
    /// What a solution is.
    pub shape: QueryShape,
    /// Names by id, for dumps and messages.
    pub var_names: Vec<String>,
    /// As in [`Rule::builtin_names`].
    pub builtin_names: Vec<VarId>,
    /// For each top-level statement of the source that is a plain term: nothing is returned for it.
    pub span: Span,
}

/// What the solutions of a query are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryShape {
    /// Values of the variables that it writes.
    Bindings,
    /// The value of its only expression, which has at most one.
    Value,
    /// Values of its only expression, which may have any number.
    Values,
}

/// What a rule adds to the tree of virtual documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// A value at the head's reference (complete rules, partial objects, general references).
    Value,
    /// Members of a set at the head's reference.
    Set,
    /// A function.
    Function,
}

/// One rule as written, with its `else` chain as further clauses.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Head and bodies.
    pub span: Span,
    /// Index into [`Unit::modules`].
    pub module: usize,
    /// Kind.
    pub kind: RuleKind,
    /// `default` rule: exactly one clause, its value a constant or a comprehension bound in its body.
    pub is_default: bool,
    /// Its negations have blocks of their own.
    pub new_not: bool,
    /// Path behind `data`: package, then the longest prefix of the head's reference that is made of string constants.
    pub path: Vec<String>,
    /// What follows `path` in the head's reference: constants and variables. `p[x] := y` has `[x]`.
    pub dynamic: Vec<Term>,
    /// Patterns of a function's parameters.
    pub args: Vec<Term>,
    /// The body with its value, then the `else` branches in order. Never empty.
    pub clauses: Vec<Clause>,
    /// Names by id, for dumps and messages; temporaries start with `$`.
    pub var_names: Vec<String>,
    /// Variables that nothing declares and that have a builtin's name: inside of closures the type checker takes them for
    /// the builtin, which is no value.
    pub builtin_names: Vec<VarId>,
    /// Those of them that stand in a value and not in the body beside it: there, too, they mean the builtin.
    pub head_builtins: Vec<VarId>,
}

impl Rule {
    /// Whether this is a function behind a step that no call can name, such as `f[x](y)`. It makes the object that it
    /// stands in, and nothing else.
    #[must_use]
    pub fn is_unnamed_function(&self) -> bool {
        self.kind == RuleKind::Function && !self.dynamic.is_empty()
    }
}

/// A body and what the rule yields when it succeeds.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Where the clause stands.
    pub span: Span,
    /// Statements.
    pub body: Block,
    /// Value (`true` when none was written), or the member of a set rule. A constant or a variable.
    pub value: Term,
}

/// Statements in the order they run.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// All must succeed.
    pub stmts: Vec<Stmt>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// The source that it came from.
    pub span: Span,
    /// What it does.
    pub kind: StmtKind,
}

/// The forms of a step.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// The term is defined and not `false`. A reference with unbound variables iterates.
    Test(Term),
    /// Both sides are made equal, binding variables; a side may be a pattern. `=`, `:=`, `some … in` (as `value = domain[key]`).
    Unify {
        /// Left side.
        left: Term,
        /// Right side.
        right: Term,
        /// Written with `:=`: the right side must be safe without the left (a matter of ordering only).
        directed: bool,
    },
    /// A call. Undefined arguments never reach it.
    Call {
        /// What is called.
        callee: Callee,
        /// Constants, variables, collections of those.
        args: Vec<Term>,
        /// `Some`: the result is unified with this term. `None`: the result must be defined and not `false`.
        out: Option<Term>,
    },
    /// Succeeds when the block has no solution. Binds nothing.
    Not(Block),
    /// Each member of `domain` must satisfy the body; an undefined or scalar domain fails.
    Every {
        /// Key variable.
        key: Option<VarId>,
        /// Value variable.
        value: VarId,
        /// Collection.
        domain: Term,
        /// Body.
        body: Block,
    },
    /// The block runs with documents or functions replaced; what it binds stays bound.
    With {
        /// Applied left to right; values were bound by earlier statements.
        modifiers: Vec<With>,
        /// What is affected.
        block: Block,
    },
    /// Both blocks succeed; each binds nothing outside (`and` keyword).
    And(Block, Block),
    /// One block succeeds, tried in order; binds nothing outside (`or` keyword).
    Or(Block, Block),
}

/// What a call names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A builtin, operators included (`plus`, `internal.member_2`, `equal`, …; `walk` is a relation).
    Builtin(BuiltinId),
    /// A function rule, by path behind `data`.
    Function(Vec<String>),
}

/// One replacement.
#[derive(Clone, Debug)]
pub struct With {
    /// Where it stands.
    pub span: Span,
    /// What is replaced.
    pub target: WithTarget,
    /// Where the target is named.
    pub target_span: Span,
    /// By what.
    pub value: WithValue,
    /// Where the value stands.
    pub value_span: Span,
}

/// What a `with` replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WithTarget {
    /// `input` and a path below it.
    Input(Vec<String>),
    /// `data` and a path below it: base documents and rules that no function is.
    Data(Vec<String>),
    /// A function rule.
    Function(Vec<String>),
    /// A builtin.
    Builtin(BuiltinId),
}

/// What stands behind `as`.
#[derive(Clone, Debug)]
pub enum WithValue {
    /// A constant or a variable.
    Term(Term),
    /// A function rule. In the place of a document it has no value.
    Function(Vec<String>),
    /// A virtual document, for a function target: keys behind `data`. Each call reads it anew, with the documents that the
    /// call sees; a call whose value is not asked for succeeds without reading it.
    Document(Vec<Constant>),
    /// A builtin, for a function target.
    Builtin(BuiltinId),
}

/// A value or a pattern.
#[derive(Clone, Debug)]
pub enum Term {
    /// Anything without variables.
    Const(Constant),
    /// A variable.
    Var(VarId),
    /// `[a, b]`
    Array(Vec<Term>),
    /// `{k: v}`; keys are constants or bound variables.
    Object(Vec<(Term, Term)>),
    /// `{a, b}`; members are bound.
    Set(Vec<Term>),
    /// A reference.
    Ref(Box<Ref>),
    /// A comprehension.
    Comprehension(Box<Comprehension>),
}

/// `head[path]…`
#[derive(Clone, Debug)]
pub struct Ref {
    /// Where it stands.
    pub span: Span,
    /// What is indexed.
    pub head: RefHead,
    /// Elements, may be empty only for `Input` and `Data`. An unbound variable iterates.
    pub path: Vec<Term>,
}

/// What a reference starts from.
#[derive(Clone, Debug)]
pub enum RefHead {
    /// The input document.
    Input,
    /// Base and virtual documents; imports and rule names were resolved to full paths.
    Data,
    /// A bound variable.
    Var(VarId),
    /// A collection literal.
    Const(Constant),
}

/// A comprehension; sees the variables around it, keeps its own.
#[derive(Clone, Debug)]
pub struct Comprehension {
    /// Where it stands.
    pub span: Span,
    /// What it builds. Heads are constants or variables (what needs evaluation stands in the body).
    pub kind: ComprehensionKind,
    /// Ordered.
    pub body: Block,
}

/// The three comprehensions.
#[derive(Clone, Debug)]
pub enum ComprehensionKind {
    /// `[head | …]`
    Array(Term),
    /// `{head | …}`
    Set(Term),
    /// `{key: value | …}`; two values for one key abort with a conflict.
    Object(Term, Term),
}
