//! The six functions.

use super::cursor::Cursor;
use super::decode::{Decoder, QUERY, SCHEMA, Shape};
use super::tree::Checked;
use super::types::Schema;
use super::{parse_query as query_text, parse_schema as schema_text, walk};
use crate::builtins::operand::{args, string};
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::{Kind, Value};

/// `graphql.parse(query, schema)`: the trees of both, if the query is valid.
pub(in crate::builtins) fn parse<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [query, schema] = self::args(args)?;
    let trees = verified(call, query, schema)?;
    Ok(Value::array(call.arena.values(&trees)?))
}

/// `graphql.parse_and_verify(query, schema)`: whether the query is valid, and the trees of both.
pub(in crate::builtins) fn parse_and_verify<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [query, schema] = self::args(args)?;
    let result = match verified(call, query, schema) {
        Ok([query, schema]) => [Value::TRUE, query, schema],
        Err(Failure::Error(_)) => [Value::FALSE, Value::object(&[]), Value::object(&[])],
        Err(abort) => return Err(abort),
    };
    Ok(Value::array(call.arena.values(&result)?))
}

/// `graphql.parse_query(text)`
pub(in crate::builtins) fn parse_query<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    query_text::document(Cursor::new(call.arena, call.fuel, string(text)?)?)
}

/// `graphql.parse_schema(text)`
pub(in crate::builtins) fn parse_schema<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    schema_text::document(Cursor::new(call.arena, call.fuel, string(text)?)?)
}

/// `graphql.is_valid(query, schema)`
pub(in crate::builtins) fn is_valid<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [query, schema] = self::args(args)?;
    verdict(verified(call, query, schema))
}

/// `graphql.schema_is_valid(schema)`
pub(in crate::builtins) fn schema_is_valid<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [schema] = self::args(args)?;
    let tree = schema_tree(call, schema);
    verdict(tree.and_then(|tree| Schema::of(call.arena, call.fuel, tree)))
}

/// Budgets are not a verdict.
fn verdict<'r, T>(result: Checked<T>) -> BuiltinResult<'r> {
    match result {
        Ok(_) => Ok(Value::TRUE),
        Err(Failure::Error(_)) => Ok(Value::FALSE),
        Err(abort) => Err(abort),
    }
}

/// The trees of a query and its schema, which it fits.
fn verified<'r>(call: &mut Call<'_, 'r>, query: Value<'r>, schema: Value<'r>) -> Checked<[Value<'r>; 2]> {
    let query = match query.kind() {
        Kind::String(text) => query_text::document(Cursor::new(call.arena, call.fuel, text)?)?,
        _ => tree(call, &QUERY, query)?,
    };
    let schema = schema_tree(call, schema)?;
    let checked = Schema::of(call.arena, call.fuel, schema)?;
    walk::check(&checked, call.fuel, query)?;
    Ok([query, schema])
}

fn schema_tree<'r>(call: &mut Call<'_, 'r>, schema: Value<'r>) -> Checked<Value<'r>> {
    match schema.kind() {
        Kind::String(text) => schema_text::document(Cursor::new(call.arena, call.fuel, text)?),
        _ => tree(call, &SCHEMA, schema),
    }
}

/// The tree of an object; type error for anything else.
fn tree<'r>(call: &mut Call<'_, 'r>, shape: &'static Shape, value: Value<'r>) -> Checked<Value<'r>> {
    let Kind::Object(_) = value.kind() else {
        return Err(Failure::TYPE);
    };
    let mut decoder = Decoder {
        arena: call.arena,
        fuel: call.fuel,
        depth: 0,
    };
    decoder.node(shape, value)
}
