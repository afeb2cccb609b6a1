//! Values and reasons of a trace as text for people: in Rego, on one line, cut where they are long.

use gavel_runtime::json::{Escape, write_string};
use gavel_runtime::value::{Kind, Value};
use gavel_runtime::vm::Reason;

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 120;
/// Characters of a line of source that are shown.
pub(crate) const LINE_CHARS_MAX: usize = 100;

/// The document behind a function of the program, without what tells variants of it apart.
pub(crate) fn document(name: &str) -> &str {
    let variants = ["keyed ", "leaf ", "extent ", "children ", "inside "];
    variants
        .iter()
        .find_map(|variant| name.strip_prefix(variant))
        .unwrap_or(name)
}

/// The machine knows `>` as `<` with its sides exchanged.
fn as_written<'v>(reason: Reason<'v>, text: &str) -> Reason<'v> {
    let is_greater = text.contains('>') && !text.contains('<');
    match reason {
        Reason::Compare(left, "<", right) if is_greater => Reason::Compare(right, ">", left),
        Reason::Compare(left, "<=", right) if is_greater => Reason::Compare(right, ">=", left),
        other => other,
    }
}

/// Why a statement with this text failed, for the reader of the text.
pub(crate) fn because(reason: Reason<'_>, text: &str) -> String {
    match as_written(reason, text) {
        Reason::Never | Reason::NoMore => String::new(),
        Reason::Undefined => "undefined".to_owned(),
        Reason::NoMember(of, key) => format!("{} has no member {}", show(of), show(key)),
        Reason::False => "false".to_owned(),
        Reason::Compare(left, sign, right) => format!("not {} {sign} {}", show(left), show(right)),
        Reason::Shape(value) => format!("{} has another shape", show(value)),
        Reason::Builtin(name, args) => format!("{name}({}) has no result", list(args)),
    }
}

/// Rego texts of values.
pub(crate) fn list(values: &[Value<'_>]) -> String {
    let values: Vec<String> = values.iter().map(|value| show(*value)).collect();
    values.join(", ")
}

/// Rego text of a value, cut where it is long.
pub(crate) fn show(value: Value<'_>) -> String {
    let mut text = String::new();
    write(&mut text, value);
    cut(&text, VALUE_CHARS_MAX)
}

/// Writes until there is more than will be shown.
fn write(out: &mut String, value: Value<'_>) {
    if out.len() > 4 * VALUE_CHARS_MAX {
        return;
    }
    let separate = |out: &mut String, at: usize| {
        if at > 0 {
            out.push_str(", ");
        }
    };
    match value.kind() {
        Kind::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().take(VALUE_CHARS_MAX).enumerate() {
                separate(out, at);
                write(out, *item);
            }
            out.push(']');
        }
        Kind::Set([]) => out.push_str("set()"),
        Kind::Set(members) => {
            out.push('{');
            for (at, member) in members.iter().take(VALUE_CHARS_MAX).enumerate() {
                separate(out, at);
                write(out, *member);
            }
            out.push('}');
        }
        Kind::Object(entries) => {
            out.push('{');
            for (at, entry) in entries.iter().take(VALUE_CHARS_MAX).enumerate() {
                separate(out, at);
                write(out, entry.key);
                out.push_str(": ");
                write(out, entry.value);
            }
            out.push('}');
        }
        Kind::String(text) => {
            let mut bytes = Vec::new();
            write_string(&mut bytes, &cut(text, VALUE_CHARS_MAX), Escape::Plain);
            out.push_str(&String::from_utf8_lossy(&bytes));
        }
        _ => {
            let mut bytes = Vec::new();
            match gavel_runtime::json::write(&mut bytes, value, Escape::Plain) {
                Ok(()) => out.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => out.push('…'),
            }
        }
    }
}

/// The text, or its beginning where it is long.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
