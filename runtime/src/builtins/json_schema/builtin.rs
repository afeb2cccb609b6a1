//! The two functions.

use super::compile::compile;
use super::documents::Fault;
use super::keep::Kept;
use super::plain::{self, NoDocument};
use super::problem::Place;
use super::schema::Schema;
use super::validate::Validator;
use crate::arena::List;
use crate::builtins::operand::args;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::Value;

/// `json.match_schema(document, schema)`: whether the document fits, and what is wrong with it.
pub(in crate::builtins) fn match_schema<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [document, schema] = self::args(args)?;
    let document = plain::document(call, document).map_err(undefined)?;
    let text = plain::text_of(call, schema).map_err(undefined)?;
    let mut kept = compiled(call, text).map_err(undefined)?;
    let result = match &mut kept.schema {
        Ok(schema) => problems(call, schema, document),
        Err(_) => Err(Failure::BUILTIN),
    };
    call.caches.schemas.put(kept);
    let problems = result?;
    let valid = Value::bool(problems.is_empty());
    Ok(Value::array(call.arena.values(&[valid, problems])?))
}

/// `json.verify_schema(schema)`: whether it is a schema, and the first thing that is wrong with it.
pub(in crate::builtins) fn verify_schema<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [schema] = self::args(args)?;
    let text = plain::text_of(call, schema);
    let kept = text.and_then(|text| compiled(call, text));
    let wrong = match kept {
        Ok(kept) => {
            let wrong = kept.schema.as_ref().err().map(|wrong| message(call, wrong));
            call.caches.schemas.put(kept);
            wrong
        }
        Err(NoDocument::Text(wrong)) => Some(message(call, wrong)),
        Err(NoDocument::Failure(failure)) => return Err(failure),
    };
    let result = match wrong {
        Some(wrong) => [Value::FALSE, wrong?],
        None => [Value::TRUE, Value::NULL],
    };
    Ok(Value::array(call.arena.values(&result)?))
}

fn message<'r>(call: &Call<'_, 'r>, wrong: &str) -> BuiltinResult<'r> {
    let mut out = crate::builtins::output::Text::new(call.arena);
    out.push_str("jsonschema: ")?;
    out.push_str(wrong)?;
    out.value()
}

fn undefined(reason: NoDocument) -> Failure {
    match reason {
        NoDocument::Text(_) => Failure::BUILTIN,
        NoDocument::Failure(failure) => failure,
    }
}

/// The schema of a text, out of the cache.
fn compiled<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Result<Kept, NoDocument> {
    if let Some(kept) = call.caches.schemas.take(text) {
        return Ok(kept);
    }
    let document = plain::parse(call, text)?;
    match compile(call.arena, call.fuel, document) {
        Ok(schema) => Ok(Kept::new(text, Ok(schema))),
        Err(Fault::Schema(wrong)) => Ok(Kept::new(text, Err(wrong.into()))),
        Err(Fault::Failure(failure)) => Err(failure.into()),
    }
}

/// The error objects of a document.
fn problems<'r>(call: &mut Call<'_, 'r>, schema: &mut Schema, document: Value<'r>) -> BuiltinResult<'r> {
    let arena = call.arena;
    let mut validator = Validator {
        nodes: &schema.nodes,
        patterns: &mut schema.patterns,
        problems: List::new(arena),
        depth: 0,
        call,
    };
    validator.check(schema.root, document, &Place::root(), &mut 0)?;
    let mut objects = List::new(arena);
    for problem in validator.problems.items() {
        objects.push(problem.describe(arena)?)?;
    }
    Ok(Value::array(objects.finish()))
}
