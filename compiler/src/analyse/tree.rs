//! The tree between names and plan: names are resolved, expressions still nest.
//!
//! `resolve` makes it, `expand` lifts calls out of it, `order` sorts its bodies, `lower` turns it into HIR. It has the
//! granularity at which Rego's safety rules speak: one [`Expr`] for each statement or lifted call, references still
//! inside their expressions.

use crate::ast::Dialect;
use crate::hir::VarId;
use crate::source::{FileId, Span};
use gavel_runtime::builtins::{self, BuiltinId};
use gavel_runtime::value::Constant;
use std::collections::{BTreeSet, HashMap};

/// All modules after name resolution.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) modules: Vec<Module>,
}

/// One module.
#[derive(Clone, Debug)]
pub(super) struct Module {
    pub(super) file: FileId,
    pub(super) span: Span,
    pub(super) package: Vec<String>,
    pub(super) dialect: Dialect,
    /// As [`crate::hir::ModuleMeta::last_uses`].
    pub(super) last_uses: HashMap<String, Span>,
    pub(super) rules: Vec<Rule>,
}

/// One rule; its clauses share the variables of the arguments.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) span: Span,
    pub(super) is_default: bool,
    pub(super) is_set: bool,
    /// As [`crate::ast::Rule::new_not`].
    pub(super) new_not: bool,
    /// `Some` for functions.
    pub(super) args: Option<Vec<Term>>,
    /// Whole reference behind `data`: package, name, rest. Constants and variables.
    pub(super) reference: Vec<Term>,
    pub(super) clauses: Vec<Clause>,
    pub(super) vars: Vars,
    /// As [`crate::hir::Rule::head_builtins`].
    pub(super) head_builtins: Vec<VarId>,
}

/// A body with its value.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub(super) span: Span,
    pub(super) body: Body,
    /// Value, or member of a set rule.
    pub(super) value: Term,
}

pub(super) type Body = Vec<Expr>;

/// One statement.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) span: Span,
    pub(super) kind: ExprKind,
    /// Legacy negation: of this statement alone, not of what was lifted out of it.
    pub(super) negated: bool,
    pub(super) with: Vec<With>,
    /// The last argument of a call was added for its result.
    pub(super) generated: bool,
}

/// The forms of a statement.
#[derive(Clone, Debug)]
pub(super) enum ExprKind {
    Term(Term),
    Eq {
        left: Term,
        right: Term,
        /// Written with `:=`.
        directed: bool,
    },
    Call(Call),
    Every(Every),
    Not(Operand),
    And(Operand, Operand),
    Or(Operand, Operand),
}

/// `every key, value in domain { body }`.
#[derive(Clone, Debug)]
pub(super) struct Every {
    pub(super) key: Option<VarId>,
    pub(super) value: VarId,
    pub(super) domain: Term,
    pub(super) body: Body,
}

/// A body under `not`, `and`, `or`.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) body: Body,
    /// Written with braces: a scope of its own.
    pub(super) braced: bool,
}

/// `with target as value`.
#[derive(Clone, Debug)]
pub(super) struct With {
    pub(super) span: Span,
    pub(super) target: Term,
    pub(super) value: Term,
}

/// A call; the result may be a further argument.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) callee: Callee,
    pub(super) args: Vec<Term>,
}

/// What a call names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Callee {
    Builtin(BuiltinId),
    /// A path behind `data`.
    Rule(Vec<String>),
    /// Nothing known by that text.
    Unknown(String),
}

/// A value or pattern with its place.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

/// The forms of a term.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Scalars, and collections of constants.
    Const(Constant),
    Var(VarId),
    Ref(Box<Ref>),
    Call(Box<Call>),
    Array(Vec<Term>),
    Set(Vec<Term>),
    Object(Vec<(Term, Term)>),
    Comprehension(Box<Comprehension>),
    Template(Vec<Part>),
    /// The name of a builtin as target or value of `with`.
    Builtin(BuiltinId),
}

/// A reference.
#[derive(Clone, Debug)]
pub(super) struct Ref {
    pub(super) head: Head,
    pub(super) path: Vec<Term>,
}

/// What a reference starts from.
#[derive(Clone, Debug)]
pub(super) enum Head {
    Input,
    Data,
    Var(VarId),
    Term(Term),
}

/// A comprehension.
#[derive(Clone, Debug)]
pub(super) struct Comprehension {
    pub(super) kind: ComprehensionKind,
    /// The key of an object comprehension.
    pub(super) key: Option<Term>,
    pub(super) value: Term,
    pub(super) body: Body,
}

/// The three comprehensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ComprehensionKind {
    Array,
    Set,
    Object,
}

/// Text or expression of a template string.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Expr(Box<Expr>),
}

/// The variables of one rule or query.
#[derive(Clone, Debug, Default)]
pub(super) struct Vars {
    names: Vec<VarName>,
    /// Those that nothing declares.
    undeclared: BTreeSet<VarId>,
}

/// What a variable is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VarName {
    Written(String),
    Wildcard,
    Generated,
}

impl Vars {
    pub(super) fn fresh(&mut self, name: VarName) -> VarId {
        let id = VarId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name);
        id
    }

    /// A variable that is there because its name is used.
    pub(super) fn undeclared(&mut self, name: &str) -> VarId {
        let var = self.fresh(VarName::Written(name.to_owned()));
        self.undeclared.insert(var);
        var
    }

    pub(super) fn is_undeclared(&self, var: VarId) -> bool {
        self.undeclared.contains(&var)
    }

    pub(super) fn generated(&mut self) -> VarId {
        self.fresh(VarName::Generated)
    }

    pub(super) fn name(&self, var: VarId) -> &VarName {
        self.names.get(var.0 as usize).unwrap_or(&VarName::Generated)
    }

    pub(super) fn is_generated(&self, var: VarId) -> bool {
        matches!(self.name(var), VarName::Generated)
    }

    /// The name as messages show it.
    pub(super) fn text(&self, var: VarId) -> String {
        match self.name(var) {
            VarName::Written(name) => name.clone(),
            VarName::Wildcard => "_".to_owned(),
            VarName::Generated => format!("__local{}__", var.0),
        }
    }

    /// The undeclared variables that have a builtin's name.
    pub(super) fn builtin_names(&self) -> Vec<VarId> {
        let is_builtin = |var: &VarId| match self.name(*var) {
            VarName::Written(name) => builtins::find(name).is_some(),
            VarName::Wildcard | VarName::Generated => false,
        };
        self.undeclared.iter().copied().filter(is_builtin).collect()
    }

    /// Names by id as HIR keeps them.
    pub(super) fn into_names(self) -> Vec<String> {
        self.names
            .into_iter()
            .enumerate()
            .map(|(id, name)| match name {
                VarName::Written(name) => name,
                VarName::Wildcard => "_".to_owned(),
                VarName::Generated => format!("${id}"),
            })
            .collect()
    }
}

impl Term {
    pub(super) fn new(span: Span, kind: Kind) -> Term {
        Term { span, kind }
    }

    pub(super) fn var(span: Span, var: VarId) -> Term {
        Term::new(span, Kind::Var(var))
    }

    pub(super) fn boolean(span: Span, value: bool) -> Term {
        Term::new(span, Kind::Const(Constant::Bool(value)))
    }

    pub(super) fn string(span: Span, text: &str) -> Term {
        Term::new(span, Kind::Const(Constant::String(text.to_owned())))
    }

    pub(super) fn as_var(&self) -> Option<VarId> {
        match self.kind {
            Kind::Var(var) => Some(var),
            _ => None,
        }
    }

    pub(super) fn as_const(&self) -> Option<&Constant> {
        match &self.kind {
            Kind::Const(constant) => Some(constant),
            _ => None,
        }
    }

    pub(super) fn as_ref(&self) -> Option<&Ref> {
        match &self.kind {
            Kind::Ref(reference) => Some(reference),
            _ => None,
        }
    }

    /// A single value without structure.
    pub(super) fn is_scalar(&self) -> bool {
        matches!(
            &self.kind,
            Kind::Const(
                Constant::Null
                    | Constant::Bool(_)
                    | Constant::Int(_)
                    | Constant::Number(_)
                    | Constant::String(_)
            )
        )
    }
}

impl Expr {
    pub(super) fn new(span: Span, kind: ExprKind) -> Expr {
        Expr {
            span,
            kind,
            negated: false,
            with: Vec::new(),
            generated: false,
        }
    }

    /// `var = term`, made by a stage.
    pub(super) fn capture(var: VarId, term: Term) -> Expr {
        let span = term.span;
        let mut expr = Expr::new(
            span,
            ExprKind::Eq {
                left: Term::var(span, var),
                right: term,
                directed: false,
            },
        );
        expr.generated = true;
        expr
    }

    /// The statement `true`.
    pub(super) fn always(span: Span) -> Expr {
        Expr::new(span, ExprKind::Term(Term::boolean(span, true)))
    }

    /// Whether this is nothing but the literal `true`.
    pub(super) fn is_always(&self) -> bool {
        matches!(&self.kind, ExprKind::Term(term) if matches!(term.kind, Kind::Const(Constant::Bool(true))))
    }
}

impl Every {
    /// The variables that its body may read.
    pub(super) fn vars(&self) -> impl Iterator<Item = VarId> + use<> {
        self.key.into_iter().chain([self.value])
    }
}

/// Adds statements; a body of nothing but `true` is replaced.
pub(super) fn append(body: &mut Body, exprs: Vec<Expr>) {
    if exprs.is_empty() {
        return;
    }
    if body.len() == 1 && body.first().is_some_and(Expr::is_always) {
        body.clear();
    }
    body.extend(exprs);
}
