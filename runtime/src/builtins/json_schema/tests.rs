//! Schemas and documents that would take all stack, time or memory are stopped by a budget.

use crate::builtins::testing::run;

#[track_caller]
fn stopped(call: &str) {
    let got = run(call);
    assert!(
        ["!eval_depth_error", "!eval_fuel_error", "!eval_memory_error"].contains(&got.as_str()),
        "{got}: {}",
        call.chars().take(200).collect::<String>()
    );
}

#[test]
fn references_in_a_circle_end() {
    stopped(r##"json.match_schema({}, {"$ref": "#"})"##);
    stopped(
        r##"json.match_schema({}, {"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}})"##,
    );
    stopped(r##"json.match_schema({"a": 1}, {"allOf": [{"$ref": "#"}]})"##);
}

#[test]
fn combinations_that_explode_end() {
    let mut definitions = vec![r#""a0": {"type": "string"}"#.to_owned()];
    for at in 1..60 {
        let below = format!(r##"{{"$ref": "#/definitions/a{}"}}"##, at - 1);
        definitions.push(format!(r#""a{at}": {{"anyOf": [{below}, {below}]}}"#));
    }
    let definitions = definitions.join(", ");
    stopped(&format!(
        r##"json.match_schema({{}}, {{"$ref": "#/definitions/a59", "definitions": {{{definitions}}}}})"##
    ));
}

#[test]
fn deep_schemas_and_documents_end() {
    for (open, close) in [
        (r#"{"not": "#, "}"),
        (r#"{"items": ["#, "]}"),
        (r#"{"properties": {"a": "#, "}}"),
        ("[", "]"),
    ] {
        let deep = format!("{}{{}}{}", open.repeat(4000), close.repeat(4000));
        if open != "[" {
            stopped(&format!("json.verify_schema(`{deep}`)"));
        }
        stopped(&format!(
            r##"json.match_schema(`{deep}`, {{"items": {{"$ref": "#"}}, "additionalProperties": {{"$ref": "#"}}, "properties": {{"a": {{"$ref": "#"}}}}}})"##
        ));
    }
}

/// The deepest that is still answered fits a small stack, also without optimisation.
#[test]
fn the_deepest_that_is_answered_fits_the_stack() {
    let run_small = |call: String| {
        let thread = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || run(&call));
        thread.expect("a thread").join().expect("an answer")
    };
    for depth in [200, 240, 249, 250, 490, 499, 500, 600] {
        let deep = format!("{}1{}", r#"{"a": "#.repeat(depth), "}".repeat(depth));
        run_small(format!(
            r##"json.match_schema(`{deep}`, {{"properties": {{"a": {{"anyOf": [{{"$ref": "#"}}]}}}}}})"##
        ));
        let deep = format!("{}true{}", r#"{"items": "#.repeat(depth), "}".repeat(depth));
        run_small(format!("json.verify_schema(`{deep}`)"));
        let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        run_small(format!(r#"json.match_schema(`{deep}`, {{"enum": [1]}})"#));
    }
}

#[test]
fn patterns_that_are_too_large_end() {
    stopped(r#"json.verify_schema({"pattern": "\\pL{1000}\\pL{1000}\\pL{1000}"})"#);
    let patterns: Vec<String> = (0..5000).map(|at| format!(r#""a{at}": true"#)).collect();
    stopped(&format!(
        r#"json.verify_schema({{"patternProperties": {{{}}}}})"#,
        patterns.join(", ")
    ));
}

#[test]
fn numbers_that_are_too_large_end() {
    assert_eq!(
        run(r#"json.match_schema("1e999999999", {"multipleOf": 3})"#),
        "!eval_builtin_error"
    );
    stopped(r#"json.match_schema("1e900000", {"multipleOf": 3})"#);
}
