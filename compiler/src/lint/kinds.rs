//! The type of a term where the text alone tells it: literals, results of builtins, and the fields of a request whose type the
//! engine sees to.

use super::module::ModuleCx;
use crate::ast::{InfixOp, Term, TermKind};
use crate::domain::ModuleKind;
use gavel_runtime::builtins::Type;

/// A type without its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
    Set,
}

impl Kind {
    /// With its article.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
            Kind::Set => "a set",
        }
    }

    /// Whether it has elements.
    pub(super) fn is_collection(self) -> bool {
        matches!(self, Kind::Array | Kind::Object | Kind::Set)
    }
}

/// Nothing where the type depends on more than the text.
pub(super) fn of<'a>(cx: &ModuleCx<'_, 'a>, term: &Term<'a>) -> Option<Kind> {
    match &term.kind {
        TermKind::Null => Some(Kind::Null),
        TermKind::Bool(_) => Some(Kind::Boolean),
        TermKind::Number(_) => Some(Kind::Number),
        TermKind::String { .. } | TermKind::Template { .. } => Some(Kind::String),
        TermKind::Array(_) | TermKind::ArrayComprehension { .. } => Some(Kind::Array),
        TermKind::Set(_) | TermKind::SetComprehension { .. } => Some(Kind::Set),
        TermKind::Object(_) | TermKind::ObjectComprehension { .. } => Some(Kind::Object),
        TermKind::Negate(_) => Some(Kind::Number),
        TermKind::KeyValueIn { .. } => Some(Kind::Boolean),
        TermKind::Infix { op, .. } => of_infix(*op),
        TermKind::Call { name, .. } => {
            let builtin = cx.builtin(name).filter(|builtin| !builtin.relation)?;
            of_type(builtin.result)
        }
        TermKind::Ref { .. } => of_field(cx, &cx.path(term)?),
        TermKind::Var(_) => None,
    }
}

fn of_infix(op: InfixOp) -> Option<Kind> {
    match op {
        InfixOp::Add | InfixOp::Mul | InfixOp::Div | InfixOp::Rem => Some(Kind::Number),
        InfixOp::Union | InfixOp::Intersect => Some(Kind::Set),
        // Of numbers or of sets.
        InfixOp::Sub => None,
        InfixOp::Assign | InfixOp::Unify => None,
        InfixOp::Equal
        | InfixOp::NotEqual
        | InfixOp::Less
        | InfixOp::LessEqual
        | InfixOp::Greater
        | InfixOp::GreaterEqual
        | InfixOp::In => Some(Kind::Boolean),
    }
}

fn of_type(found: Type) -> Option<Kind> {
    match found {
        Type::Null => Some(Kind::Null),
        Type::Boolean => Some(Kind::Boolean),
        Type::Number => Some(Kind::Number),
        Type::String => Some(Kind::String),
        Type::Array(..) => Some(Kind::Array),
        Type::Object(..) => Some(Kind::Object),
        Type::Set(_) => Some(Kind::Set),
        Type::Any | Type::Or(_) => None,
    }
}

/// The engine passes a resource as an object with these members only, and leaves out what has another type.
fn of_field(cx: &ModuleCx<'_, '_>, path: &[&str]) -> Option<Kind> {
    if cx.kind == ModuleKind::Mapper || cx.replaces_input {
        return None;
    }
    match path {
        ["input", "resource"]
        | ["input", "resource", "annotations"]
        | ["input", "principal", "mannotations"] => Some(Kind::Object),
        ["input", "resource", "id" | "owner" | "group" | "classification"] => Some(Kind::String),
        _ => None,
    }
}
