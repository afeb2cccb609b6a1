//! What OPA's clients are told, as JSON.

use gavel_runtime::error::EvalError;
use gavel_runtime::json::indent;
use serde_json::{Value, json};

use crate::limits;

/// An error object, finished.
pub(super) fn problem(code: &str, message: &str) -> String {
    finished(fault(code, message), true)
}

/// An error object.
pub(super) fn fault(code: &str, message: &str) -> Vec<u8> {
    json!({ "code": code, "message": message })
        .to_string()
        .into_bytes()
}

/// The error object of an evaluation that was given up. `place`: text and line where that was.
pub(super) fn failed(error: EvalError, place: Option<(&str, u32)>) -> Vec<u8> {
    let mut cause = json!({ "code": error.kind.code(), "message": error.kind.message() });
    if let (Some((file, row)), Some(cause)) = (place, cause.as_object_mut()) {
        cause.insert("location".to_owned(), json!({ "file": file, "row": row }));
    }
    let object = json!({
        "code": "internal_error",
        "message": "error(s) occurred while evaluating query",
        "errors": [cause],
    });
    object.to_string().into_bytes()
}

/// An answer with its end, as the client wants it. Blanks in front of many deep lines could take more memory than all else.
pub(super) fn finished(compact: Vec<u8>, pretty: bool) -> String {
    let mut out = compact;
    let compact_bytes = out.len();
    let most = compact_bytes.saturating_mul(2 * nesting(&out) + 2);
    if pretty && most <= limits::OPA_INDENTED_BYTES_MAX {
        let compact = std::mem::take(&mut out);
        indent(&mut out, &compact);
    }
    out.push(b'\n');
    // JSON that was written here is UTF-8.
    String::from_utf8(out).unwrap_or_default()
}

/// How deep a JSON text is nested.
fn nesting(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            b'"' if !escaped => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = in_string && !escaped && *byte == b'\\';
    }
    deepest
}

/// A path behind `data` as Rego spells it; elements that are integers index by integer.
pub(super) fn reference(path: &[String]) -> String {
    let mut text = "data".to_owned();
    for element in path {
        let is_name = element.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !element.starts_with(|first: char| first.is_ascii_digit());
        if element.parse::<i64>().is_ok() {
            text.push_str(&format!("[{element}]"));
        } else if is_name && !element.is_empty() {
            text.push('.');
            text.push_str(element);
        } else {
            text.push_str(&format!("[{}]", Value::from(element.as_str())));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_indented_where_that_is_cheap() {
        let indented = |text: &str| finished(text.as_bytes().to_vec(), true);
        assert_eq!(
            indented(r#"{"a":["[\\",1]}"#),
            "{\n  \"a\": [\n    \"[\\\\\",\n    1\n  ]\n}\n"
        );
        assert_eq!(nesting(br#"{"a":["[\"[",1],"b":{}}"#), 2);
        let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
        assert_eq!(indented(&deep), format!("{deep}\n"));
    }

    #[test]
    fn references_are_spelled_as_rego_does() {
        let path = ["a", "b c", "7", "7x", ""].map(str::to_owned);
        assert_eq!(reference(&path), r#"data.a["b c"][7]["7x"][""]"#);
    }
}
