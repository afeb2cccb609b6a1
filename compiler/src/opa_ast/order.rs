//! The order of OPA's terms, on their JSON: what decides how set and object literals are kept.

use gavel_runtime::value::Constant;
use std::cmp::Ordering;

/// Members of a set literal, sorted, each once.
pub(super) fn set(mut members: Vec<Constant>) -> Vec<Constant> {
    members.sort_by(compare);
    members.dedup_by(|later, kept| compare(later, kept).is_eq());
    members
}

/// Members of an object literal, sorted by key; OPA's tree keeps those with equal keys.
pub(super) fn object(mut entries: Vec<(Constant, Constant)>) -> Vec<(Constant, Constant)> {
    entries.sort_by(|a, b| compare(&a.0, &b.0));
    entries
}

/// Kinds of terms in their order.
const KINDS: [&str; 14] = [
    "null",
    "boolean",
    "number",
    "string",
    "templatestring",
    "var",
    "ref",
    "array",
    "object",
    "set",
    "arraycomprehension",
    "objectcomprehension",
    "setcomprehension",
    "call",
];

fn compare(a: &Constant, b: &Constant) -> Ordering {
    let kind = |term: &Constant| match term.get("type") {
        Some(Constant::String(name)) => KINDS.iter().position(|kind| kind == name),
        _ => None,
    };
    kind(a)
        .cmp(&kind(b))
        .then_with(|| match (a.get("value"), b.get("value")) {
            (Some(a), Some(b)) => compare_values(a, b),
            _ => a.compare(b),
        })
}

/// Lists of terms, or of pairs of terms, element by element; comprehensions by head, then body; others as values.
fn compare_values(a: &Constant, b: &Constant) -> Ordering {
    match (a, b) {
        (Constant::Array(left), Constant::Array(right)) => lists(left, right, |a, b| match (a, b) {
            (Constant::Array(_), Constant::Array(_)) => compare_values(a, b),
            _ => compare(a, b),
        }),
        _ if a.get("multi_line").is_some() => templates(a, b),
        _ => members(a, b, &["term", "key", "value"]).then_with(|| bodies(a.get("body"), b.get("body"))),
    }
}

/// Template strings: of one line first, then shorter ones, then part by part, text before statements.
fn templates(a: &Constant, b: &Constant) -> Ordering {
    let parts = |template: &Constant| match template.get("parts") {
        Some(Constant::Array(parts)) => parts.clone(),
        _ => Vec::new(),
    };
    let (left, right) = (parts(a), parts(b));
    let is_statement = |part: &Constant| part.get("terms").is_some();
    let lines = (a.get("multi_line"), b.get("multi_line"));
    let by_lines = match lines {
        (Some(a), Some(b)) => a.compare(b),
        _ => Ordering::Equal,
    };
    by_lines.then(left.len().cmp(&right.len())).then_with(|| {
        lists(&left, &right, |a, b| match (is_statement(a), is_statement(b)) {
            (true, true) => statements(a, b),
            (false, false) => compare(a, b),
            (a, b) => a.cmp(&b),
        })
    })
}

fn lists(left: &[Constant], right: &[Constant], by: impl Fn(&Constant, &Constant) -> Ordering) -> Ordering {
    let mut pairs = left.iter().zip(right);
    let first = pairs.find_map(|(a, b)| Some(by(a, b)).filter(|found| found.is_ne()));
    first.unwrap_or(left.len().cmp(&right.len()))
}

/// Terms at the members of two objects; scalars as values.
fn members(a: &Constant, b: &Constant, names: &[&str]) -> Ordering {
    let mut found = names.iter().map(|name| match (a.get(name), b.get(name)) {
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    let is_object = matches!((a, b), (Constant::Object(_), Constant::Object(_)));
    if !is_object {
        return a.compare(b);
    }
    found.find(|found| found.is_ne()).unwrap_or(Ordering::Equal)
}

fn bodies(a: Option<&Constant>, b: Option<&Constant>) -> Ordering {
    match (a, b) {
        (Some(Constant::Array(left)), Some(Constant::Array(right))) => lists(left, right, statements),
        _ => Ordering::Equal,
    }
}

/// Declarations before terms, calls, `every`, `not`, `and`, `or`; then by negation, by what they say, by `with`.
fn statements(a: &Constant, b: &Constant) -> Ordering {
    let rank = |statement: &Constant| match statement.get("terms") {
        Some(Constant::Array(_)) => 2,
        Some(terms) if terms.get("symbols").is_some() => 0,
        Some(terms) if terms.get("domain").is_some() => 3,
        Some(terms) => match terms.get("type") {
            Some(Constant::String(name)) if name == "not" => 4,
            Some(Constant::String(name)) if name == "and" => 5,
            Some(Constant::String(name)) if name == "or" => 6,
            _ => 1,
        },
        None => 7,
    };
    let terms = |a: &Constant, b: &Constant| match (a, b) {
        (Constant::Array(left), Constant::Array(right)) => lists(left, right, compare),
        _ => match (a.get("symbols"), b.get("symbols")) {
            (Some(Constant::Array(left)), Some(Constant::Array(right))) => lists(left, right, compare),
            _ if has_bodies(a) => nested(a, b),
            _ => compare(a, b),
        },
    };
    let negated = |statement: &Constant| statement.get("negated").is_some();
    rank(a)
        .cmp(&rank(b))
        .then_with(|| negated(a).cmp(&negated(b)))
        .then_with(|| match (a.get("terms"), b.get("terms")) {
            (Some(a), Some(b)) => terms(a, b),
            _ => Ordering::Equal,
        })
        .then_with(|| match (a.get("with"), b.get("with")) {
            (Some(Constant::Array(left)), Some(Constant::Array(right))) => {
                lists(left, right, |a, b| members(a, b, &["target", "value"]))
            }
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// Whether what a statement says has bodies of its own.
fn has_bodies(terms: &Constant) -> bool {
    terms.get("body").is_some() || terms.get("lhs").is_some()
}

fn nested(a: &Constant, b: &Constant) -> Ordering {
    let head = |name: &str| match (a.get(name), b.get(name)) {
        (Some(Constant::Null), Some(Constant::Null)) | (None, None) => Ordering::Equal,
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    head("key")
        .then_with(|| head("value"))
        .then_with(|| head("domain"))
        .then_with(|| bodies(a.get("lhs"), b.get("lhs")))
        .then_with(|| bodies(a.get("rhs"), b.get("rhs")))
        .then_with(|| bodies(a.get("body"), b.get("body")))
}
