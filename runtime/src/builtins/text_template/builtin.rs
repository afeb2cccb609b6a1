//! `strings.render_template`.

use super::parse::parse;
use super::print::NO_VALUE;
use super::run::run;
use crate::builtins::bytes::{bytes_of, string_of};
use crate::builtins::operand::{args, object, string};
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call, Failure, rego_text};
use crate::error::EvalErrorKind;
use crate::json::{self, JsonErrorKind, Numbers};
use crate::value::Value;

/// `strings.render_template(text, object)`
pub(in crate::builtins) fn render<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text, document] = self::args(args)?;
    let text = string(text)?;
    object(document)?;
    call.charge(1 + text.len())?;
    let document = decoded(call, document)?;
    let templates = parse(call.arena, text)?;
    let rendered = run(call, &templates, document)?;
    let shown = match rendered.contains(NO_VALUE) {
        true => call.arena.text(&rendered.replace(NO_VALUE, "<undefined>"))?,
        false => rendered,
    };
    // Parts of a character that come to stand side by side are that character again.
    string_of(call.arena, bytes_of(call.arena, shown)?)
}

/// The document by the way that it takes in OPA: as Rego text that is read as JSON. Sets, keys that are no strings and
/// strings with escapes that JSON does not know are errors there.
fn decoded<'r>(call: &mut Call<'_, 'r>, document: Value<'r>) -> BuiltinResult<'r> {
    let mut text = Text::new(call.arena);
    rego_text::write(&mut text, call.arena, document)?;
    let text = text.finish()?;
    call.charge(text.len() / 8)?;
    json::parse(call.arena, text.as_bytes(), Numbers::Text).map_err(|error| match error.kind {
        JsonErrorKind::Memory => Failure::Abort(EvalErrorKind::ArenaExhausted),
        _ => Failure::BUILTIN,
    })
}
