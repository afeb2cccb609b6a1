//! A whole case: modules in one of the dialects, documents, a query.

use super::documents::document;
use super::names::{Kind, Rule, Type, Writer};
use crate::case::{Case, Dialect};
use crate::fuzz::choices::Choices;
use gavel_runtime::value::Constant;

/// The library that the module imports.
const LIBRARY: &str = "package lib\n\nlimit := 2\n\nlevels := {\"a\": 1, \"b\": input.n}\n\ntwice(x) := x * 2\n\nnames contains x if some x in input.ss\n";

/// Makes a program. The same bytes make the same program.
#[must_use]
pub fn program(bytes: &[u8]) -> Case {
    let mut choices = Choices::new(bytes);
    let style = choices.below(10);
    let (dialect, imports, has_if, has_logic) = match style {
        0..=4 => (Dialect::V1, "", true, false),
        5 => (
            Dialect::V1,
            "import future.keywords.not\nimport future.keywords.and\nimport future.keywords.or\n",
            true,
            true,
        ),
        6 => (Dialect::V2, "", true, true),
        7 => (
            Dialect::V0,
            "import future.keywords.in\nimport future.keywords.every\n",
            false,
            false,
        ),
        8 => (Dialect::V0, "import rego.v1\n", true, false),
        _ => (Dialect::V0, "import future.keywords\n", true, true),
    };
    let mut writer = Writer {
        choices: &mut choices,
        dialect,
        has_if,
        has_logic,
        rules: Vec::new(),
        vars: Vec::new(),
        named: 0,
        depth: 0,
    };
    let has_library = writer.choices.chance(40) && dialect != Dialect::V0;
    let mut text = format!("package test\n\n{imports}");
    if has_library {
        text.push_str("import data.lib\n");
        for (name, kind) in [
            ("lib.limit", Kind::Value(Type::Number)),
            ("lib.levels", Kind::Value(Type::Object)),
            ("lib.names", Kind::Value(Type::Set)),
            ("lib.twice", Kind::Function(vec![Type::Number], Type::Number)),
        ] {
            writer.rules.push(Rule {
                name: name.to_owned(),
                kind,
            });
        }
    }
    let count = 2 + writer.choices.below(5);
    for number in 1..=count {
        text.push('\n');
        text.push_str(&writer.rules_of_one_name(number));
        text.push('\n');
    }
    let query = query(&mut writer);
    let base = document(&mut choices);
    let input = choices.chance(95).then(|| document(&mut choices));
    let mut modules = vec![text];
    if has_library {
        modules.push(LIBRARY.to_owned());
    }
    Case {
        note: "generated".to_owned(),
        dialect,
        query: Some(query),
        modules,
        data: Some(Constant::object(vec![(
            Constant::String("base".to_owned()),
            base,
        )])),
        input,
        strict_builtins: choices.chance(10),
        ..Case::default()
    }
}

fn query(writer: &mut Writer<'_, '_>) -> String {
    let named: Vec<String> = writer
        .rules
        .iter()
        .filter(|rule| matches!(rule.kind, Kind::Value(_)) && !rule.name.starts_with("lib."))
        .map(|rule| rule.name.clone())
        .collect();
    let collections: Vec<String> = writer
        .rules
        .iter()
        .filter(|rule| matches!(rule.kind, Kind::Value(Type::Array | Type::Set | Type::Object)))
        .map(|rule| rule.name.clone())
        .filter(|name| !name.starts_with("lib."))
        .collect();
    let (way, of_any) = (writer.choices.below(6), writer.choices.one(&named));
    match (way, of_any, writer.choices.one(&collections)) {
        (0, Some(name), _) => format!("data.test.{name} = x"),
        (1, _, Some(name)) => format!("data.test.{name}[k] = x"),
        (2, _, _) => "data.test[k] = x".to_owned(),
        (3, Some(name), _) => format!("not data.test.{name}; x = 1"),
        _ => "data.test = x".to_owned(),
    }
}
