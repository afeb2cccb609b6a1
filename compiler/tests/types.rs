//! What the type checker says about small modules. Each answer is OPA 1.22.2's.
#![expect(clippy::expect_used, reason = "a test's helpers fail as the test does")]

use bumpalo::Bump;
use expect_test::{Expect, expect};
use gavel_compiler::analyse::{AnalyseOptions, analyse};
use gavel_compiler::parse::{self, BaseDialect, ParseOptions};
use gavel_compiler::source::SourceMap;

/// The errors of v1 modules, `module:row:column: headline` each.
#[track_caller]
fn check(modules: &[&str], want: Expect) {
    let bump = Bump::new();
    let mut sources = SourceMap::default();
    let options = ParseOptions {
        base: BaseDialect::V1,
        ..ParseOptions::default()
    };
    let mut files = Vec::new();
    let mut parsed = Vec::new();
    for text in modules {
        let file = sources.add_file("m.rego", text);
        files.push(file);
        parsed.push(parse::parse_module(&bump, &sources, file, options).expect("the module parses"));
    }
    let errors = analyse(&sources, &parsed, &AnalyseOptions::default())
        .err()
        .unwrap_or_default();
    let lines = errors.iter().map(|error| {
        let place = error.span.map_or(String::new(), |span| {
            let module = files
                .iter()
                .position(|file| *file == span.file)
                .unwrap_or(usize::MAX);
            let position = sources.position(span);
            format!("{module}:{}:{}: ", position.row, position.col)
        });
        format!("{place}{}", error.message)
    });
    want.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn only_whole_statements_are_compared() {
    check(
        &[r#"package p
import rego.v2
a if not { 1 == "a" }
b if { 1 == "a" } or { true }
c if every x in [1] { x == "a" }
d if not { y := [x | x := 1; x == "a"]; y }
e if { x := {"k": 1}; not { x.z } }
"#],
        expect![[r#"
            0:6:30: match error
            0:7:29: undefined ref: x.z"#]],
    );
}

#[test]
fn older_negation_is_a_statement_like_any_other() {
    check(
        &["package p\na if not startswith(1, \"a\")\nb if not [1 | 1 == \"a\"] == []\n"],
        expect![[r#"
            0:2:6: startswith: invalid argument(s)
            0:3:15: match error"#]],
    );
}

#[test]
fn deprecated_builtins_are_refused_where_one_is_checked() {
    let nested = "package p\nc if every x in [[true]] { any(x) }\n";
    check(&[nested], expect![""]);
    check(
        &[nested, "package q\nd if any([true])\n"],
        expect![[r#"
            1:2:6: deprecated built-in function calls in expression: any
            0:2:28: deprecated built-in function calls in expression: any"#]],
    );
}

#[test]
fn what_with_replaces_has_both_types() {
    check(
        &[r#"package p
q := 1
r := q
a if q == "x" with q as "y"
b if q == null with q as "y"
c if r == "x" with q as "y"
d if r == "x" with input as "y"
e if { x := input with input.a as 1; startswith(x, "a") }
"#],
        expect![[r#"
            0:5:6: match error
            0:7:6: match error
            0:8:38: startswith: invalid argument(s)"#]],
    );
}

#[test]
fn functions_are_replaced_by_functions_of_their_kind() {
    check(
        &[r#"package p
f(x) := x + 1
g(x) := startswith(x, "a")
h(x, y) := x + y
a if f(1) with f as g
b if f(1) with f as h
c if f(1) with f as "text"
d if count([1]) with count as sum
"#],
        expect![[r#"
            0:5:11: data.p.f: arity mismatch
            0:6:11: data.p.f: arity mismatch"#]],
    );
}

#[test]
fn packages_are_open_but_keep_what_is_known() {
    check(
        &[
            "package p\nx := 1\nf(y) := y\n",
            r#"package q
a if data.p == {"z": 1}
b if data.p.z == "any"
c if data.p.x == "s"
d if count(data.p) == 2
e if data.p[3]
"#,
        ],
        expect![[r#"
            1:4:6: match error
            1:5:6: count: invalid argument(s)
            1:6:6: undefined ref: data.p[3]"#]],
    );
}

#[test]
fn heads_with_variables_make_objects_by_key() {
    check(
        &[r#"package p
m[x].n := 1 if some x in ["a"]
m[x].n := 2 if some x in ["b"]
s[x] contains 1 if some x in ["a"]
a if m.c.n == "s"
b if s.a == {1}
c if s.a[_] == "s"
d if m[3]
"#],
        expect![[r#"
            0:5:6: match error
            0:7:6: match error
            0:8:6: undefined ref: data.p.m[3]"#]],
    );
}

#[test]
fn a_name_known_to_be_one_of_few_reads_only_those() {
    check(
        &[r#"package p
x := data.p[y] if y := "z"
z := 1
w if x == "s"
"#],
        expect![""],
    );
}

#[test]
fn parameters_are_what_the_body_makes_of_them() {
    check(
        &[r#"package p
f(x) := upper(x)
f(x) := x if is_number(x)
g([x, y]) := x + y
h(x) := [y | y := x + 1]
a := f(1)
b := g(["a", 1])
c := g([1])
d := h("a")
e := f(1) + 1
"#],
        expect![[r#"
            0:7:6: data.p.g: invalid argument(s)
            0:8:6: data.p.g: invalid argument(s)"#]],
    );
}
