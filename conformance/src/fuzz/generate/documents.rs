//! Input and base documents: members that programs name, sometimes missing, sometimes of another type.

use crate::fuzz::choices::Choices;
use gavel_runtime::value::Constant;

/// Texts that meet each other often.
pub(super) const TEXTS: &[&str] = &["a", "b", "ab", "", "x:y", "é"];

/// Numbers in OPA's spellings.
pub(super) const NUMBERS: &[&str] = &[
    "1",
    "0",
    "2",
    "-1",
    "3",
    "1.0",
    "1.5",
    "1e1",
    "10",
    "0.1",
    "9007199254740993",
];

/// A document with the members `n s f xs ss o deep`.
pub(super) fn document(choices: &mut Choices<'_>) -> Constant {
    let mut members = Vec::new();
    for name in ["n", "n2", "s", "s2", "f", "xs", "ss", "o", "deep"] {
        if choices.chance(15) {
            continue;
        }
        let value = if choices.chance(6) {
            scalar(choices)
        } else {
            member(name, choices)
        };
        members.push((Constant::String(name.to_owned()), value));
    }
    Constant::object(members)
}

fn member(name: &str, choices: &mut Choices<'_>) -> Constant {
    match name {
        "n" | "n2" => number(choices),
        "s" | "s2" => text(choices),
        "f" => Constant::Bool(choices.chance(60)),
        "xs" => Constant::Array((0..choices.below(4)).map(|_| number(choices)).collect()),
        "ss" => Constant::Array((0..choices.below(4)).map(|_| text(choices)).collect()),
        "o" => object(choices),
        _ => Constant::object(
            ["k", "l"]
                .into_iter()
                .map(|key| (Constant::String(key.to_owned()), object(choices)))
                .collect(),
        ),
    }
}

fn object(choices: &mut Choices<'_>) -> Constant {
    let count = choices.below(4);
    Constant::object((0..count).map(|_| (text(choices), number(choices))).collect())
}

fn scalar(choices: &mut Choices<'_>) -> Constant {
    match choices.below(4) {
        0 => Constant::Null,
        1 => Constant::Bool(choices.chance(50)),
        2 => text(choices),
        _ => number(choices),
    }
}

fn number(choices: &mut Choices<'_>) -> Constant {
    Constant::number(choices.text(NUMBERS))
}

fn text(choices: &mut Choices<'_>) -> Constant {
    Constant::String(choices.text(TEXTS).to_owned())
}
