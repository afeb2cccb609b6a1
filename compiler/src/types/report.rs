//! The findings of the checker as diagnostics: OPA's headlines, with what was met and what was wanted as help.

use super::body::Mismatch;
use super::refs::RefError;
use super::show;
use super::ty::{FunctionType, Type};
use crate::constant;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{Ref, VarId};
use crate::source::Span;
use gavel_runtime::value::Constant;

/// Keys that a message lists at most.
const KEYS_MAX: usize = 12;

/// Two sides that can never be equal.
pub(super) fn match_error(at: Span, left: &Type, right: &Type) -> Mismatch {
    Mismatch {
        error: Diagnostic::error(Code::RegoType, at, "match error")
            .help(format!("left: {}", show::type_text(left)))
            .help(format!("right: {}", show::type_text(right))),
        unsure: left.has_unknown() || right.has_unknown(),
    }
}

/// Arguments that a function cannot take, or a result that cannot be what it is compared with.
pub(super) fn argument_error(at: Span, name: &str, have: &[Type], function: &FunctionType) -> Mismatch {
    Mismatch {
        error: Diagnostic::error(Code::RegoType, at, format!("{name}: invalid argument(s)"))
            .help(format!("have: {}", show::types_text(have)))
            .help(format!("want: {}", show::signature_text(function))),
        unsure: have.iter().any(Type::has_unknown),
    }
}

/// A call of something that is no function.
pub(super) fn no_function(at: Span, name: &str) -> Mismatch {
    Mismatch {
        error: Diagnostic::error(Code::RegoType, at, format!("undefined function {name}")),
        unsure: false,
    }
}

/// A function replaced by one that cannot take its place.
pub(super) fn arity_error(at: Span, name: &str, have: &FunctionType, want: &FunctionType) -> Diagnostic {
    Diagnostic::error(Code::RegoType, at, format!("{name}: arity mismatch"))
        .help(format!("have: {}", show::types_text(&have.args)))
        .help(format!("want: {}", show::types_text(&want.args)))
}

/// A function that is named where a value must stand.
pub(super) fn function_error(at: Option<Span>, name: &str) -> Diagnostic {
    let message = format!("function {name} used as reference, not called");
    match at {
        Some(at) => Diagnostic::error(Code::RegoType, at, message),
        None => Diagnostic::global(Code::RegoType, message),
    }
}

/// A reference that can lead nowhere.
///
/// `at`: where OPA has it. The label tells the place of the reference itself.
pub(super) fn ref_error(
    at: Span,
    reference: &Ref,
    error: &RefError,
    name: &dyn Fn(VarId) -> String,
) -> Diagnostic {
    let text = show::ref_text(reference, name);
    let found = describe(at, &text, error);
    if at.start == reference.span.start {
        found
    } else {
        found.label(reference.span, "the reference")
    }
}

fn describe(at: Span, text: &str, error: &RefError) -> Diagnostic {
    let undefined = || Diagnostic::error(Code::RegoType, at, format!("undefined ref: {text}"));
    match error {
        RefError::Function(signature) => {
            let (args, result) = (
                show::types_text(&signature.args),
                show::type_text(&signature.result),
            );
            function_error(Some(at), text).help(format!("have: {args} => {result}"))
        }
        RefError::NoMembers { have } => {
            undefined().help(format!("have: {}, which has no members", show::type_text(have)))
        }
        RefError::Key { want, of } => {
            let help = match (fixed_keys(of), want) {
                (Some(keys), _) => format!("want one of: {keys}"),
                (None, Type::Unknown) => "there is nothing in it".to_owned(),
                (None, want) => format!("want: {}", show::type_text(want)),
            };
            undefined().help(help)
        }
    }
}

/// The keys of an object that has no others.
fn fixed_keys(of: &Type) -> Option<String> {
    let Type::Object(object) = of else { return None };
    if object.rest.is_some() || object.members.is_empty() || object.members.len() > KEYS_MAX {
        return None;
    }
    let keys = object.members.iter().map(|(key, _)| match key {
        Constant::String(key) => format!("{key:?}"),
        other => constant::text(other),
    });
    Some(keys.collect::<Vec<_>>().join(", "))
}
