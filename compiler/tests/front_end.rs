//! The front end from text to dumps and rendered diagnostics: snapshots.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail as the test does"
)]

use bumpalo::Bump;
use expect_test::{Expect, expect};
use gavel_compiler::ast::Dialect;
use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::parse::{self, BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::source::{SourceMap, Span};
use gavel_compiler::{dump, limits, render};

fn options(base: BaseDialect) -> ParseOptions {
    ParseOptions {
        base,
        ..ParseOptions::default()
    }
}

#[track_caller]
fn tree(base: BaseDialect, text: &str, want: Expect) {
    let mut sources = SourceMap::default();
    let file = sources.add_file("p.rego", text);
    let bump = Bump::new();
    match parse::parse_module(&bump, &sources, file, options(base)) {
        Ok(module) => want.assert_eq(&dump::ast(&module)),
        Err(errors) => panic!("{}", render::lines(&sources, &errors)),
    }
}

#[track_caller]
fn refused(base: BaseDialect, text: &str, want: Expect) {
    let mut sources = SourceMap::default();
    let file = sources.add_file("p.rego", text);
    let bump = Bump::new();
    let errors = parse::parse_module(&bump, &sources, file, options(base)).expect_err("refused");
    assert!(errors.iter().all(|error| error.code == Code::RegoParse));
    want.assert_eq(&render::lines(&sources, &errors));
}

#[test]
fn tokens_know_what_touches() {
    let mut sources = SourceMap::default();
    let file = sources.add_file("p.rego", "a.b [c] # no token\n$\"x{1}y\" 0x1");
    expect![[r#"
        1:1 word "a"
        1:2 punctuation "." glued
        1:3 word "b" glued
        1:5 punctuation "["
        1:6 word "c" glued
        1:7 punctuation "]" glued
        2:1 template-start "$\"x{"
        2:5 number "1" glued
        2:6 template-end "}y\"" glued
        2:10 illegal "0x1"
        2:13 end ""
    "#]]
    .assert_eq(&dump::tokens(&sources, file));
}

#[test]
fn brackets_in_v0_heads_are_sets_and_in_v1_values() {
    tree(
        BaseDialect::V0,
        "package p\nq[x] { x := 1 }\nr[x] = y { x = y } { true }",
        expect![[r#"
            (module v0
              (package "p")
              (rule (set (name q) (member x))
                (body
                  (:= x 1)))
              (rule (value (name r x) (= y))
                (body
                  (= x y)))
              (chained (value (name r x) (= y))
                (body
                  true)))
        "#]],
    );
    tree(
        BaseDialect::V1,
        "package p\nq[x] if x := 1\nr contains x if { x := 1 }",
        expect![[r#"
            (module v1 +in +if +contains +every
              (package "p")
              (rule (value (name q x))
                (body
                  (:= x 1)))
              (rule (set (name r) (member x))
                (body
                  (:= x 1))))
        "#]],
    );
}

#[test]
fn the_brace_behind_if_is_what_opa_makes_of_it() {
    let text = "package p
a if {}
b if { c }
d if { x | y }
e if { x | y, z }
f if {1} == {1}
g if {\"k\": v}
h if { x := {1 | true} }";
    let mut sources = SourceMap::default();
    let file = sources.add_file("p.rego", text);
    let bump = Bump::new();
    let errors = parse::parse_module(&bump, &sources, file, options(BaseDialect::V1)).expect_err("e");
    expect![[r#"
        p.rego:5:13: rego_parse_error: unexpected , token: expected \n or ; or }
    "#]]
    .assert_eq(&render::lines(&sources, &errors));
    tree(
        BaseDialect::V1,
        &text.replace("e if { x | y, z }\n", ""),
        expect![[r#"
            (module v1 +in +if +contains +every
              (package "p")
              (rule (value (name a))
                (body
                  (object)))
              (rule (value (name b))
                (body
                  c))
              (rule (value (name d))
                (body
                  (set-of x (body y))))
              (rule (value (name f))
                (body
                  (== (set 1) (set 1))))
              (rule (value (name g))
                (body
                  (object ("k" v))))
              (rule (value (name h))
                (body
                  (:= x (set-of 1 (body true))))))
        "#]],
    );
}

#[test]
fn logic_not_and_templates() {
    tree(
        BaseDialect::V2,
        "package p
a if x or { y := 1; y } and not { z } with input as 1
b if not (x and y)
c := $\"a\\{b{x.y}c\"
d := {x | y | z}
e := {x | y, z}
f if every k, v in {1} { k; v }
g := -x.y - .5",
        expect![[r#"
            (module v1 +in +if +contains +every +and +or +not
              (package "p")
              (rule (value (name a))
                (body
                  (with (or x (and (body (:= y 1) y) (not (body z)))) (input 1))))
              (rule (value (name b))
                (body
                  (not (and x y))))
              (rule (value (name c) (:= (template "a{b" (expr (ref x "y")) "c"))))
              (rule (value (name d) (:= (set-of x (body (| y z))))))
              (rule (value (name e) (:= (set (| x y) z))))
              (rule (value (name f))
                (body
                  (every k v (set 1) (body k v))))
              (rule (value (name g) (:= (- (- (ref x "y")) .5)))))
        "#]],
    );
}

#[test]
fn line_ends_separate_where_nothing_continues() {
    tree(
        BaseDialect::V1,
        "package p
a if {
  x := 5
    - 2
  [y]
  (z)
  some k, v
    in w
} else := 1 if b else := 2
c := d
",
        expect![[r#"
            (module v1 +in +if +contains +every
              (package "p")
              (rule (value (name a))
                (body
                  (:= x (- 5 2))
                  (array y)
                  z
                  (some-in k v w))
                (else (:= 1) (body
                  b))
                (else (:= 2)))
              (rule (value (name c) (:= d))))
        "#]],
    );
}

#[test]
fn errors_are_reported_for_each_rule() {
    refused(
        BaseDialect::V1,
        "package p\na := }\nb if { x y }\nc := [1\nd := 1\n",
        expect![[r#"
            p.rego:2:6: rego_parse_error: unexpected } token
            p.rego:3:10: rego_parse_error: unexpected identifier token: expected \n or ; or }
            p.rego:5:1: rego_parse_error: unexpected identifier token: expected "," or "]"
        "#]],
    );
    refused(
        BaseDialect::V1,
        "",
        expect![[r#"
        p.rego: rego_parse_error: empty module
    "#]],
    );
    refused(
        BaseDialect::V1,
        "x := 1",
        expect![[r#"
        p.rego:1:1: rego_parse_error: package expected
    "#]],
    );
    refused(
        BaseDialect::V1,
        "package p\nq { true }\nr[x] if { x }\ns.t",
        expect![[r#"
            p.rego:2:1: rego_parse_error: `if` keyword is required before rule body
            p.rego:4:1: rego_parse_error: `contains` keyword is required for partial set rules
        "#]],
    );
    refused(
        BaseDialect::V0,
        "package p\nq if { true }\nx := $\"{y}\"",
        expect![[r#"
            p.rego:3:6: rego_parse_error: template strings are not supported by current capabilities
        "#]],
    );
}

#[test]
fn the_blanket_import_means_what_the_caller_says() {
    let mut sources = SourceMap::default();
    let file = sources.add_file("p.rego", "package p\nimport future.keywords\n");
    let bump = Bump::new();
    let dialect = |blanket_import| {
        let options = ParseOptions {
            base: BaseDialect::V0,
            blanket_import,
            annotations: false,
        };
        parse::parse_module(&bump, &sources, file, options)
            .expect("valid")
            .dialect
    };
    let old = Dialect {
        kw_in: true,
        kw_if: true,
        kw_contains: true,
        kw_every: true,
        ..Dialect::default()
    };
    assert_eq!(dialect(BlanketImport::Reference), old);
    assert_eq!(
        dialect(BlanketImport::Opa),
        Dialect {
            kw_and: true,
            kw_or: true,
            new_not: true,
            ..old
        }
    );
}

#[test]
fn queries_are_statements() {
    let mut sources = SourceMap::default();
    let file = sources.add_file("query", "data.p.q = x; input.y\nz := [1 | true]");
    let bump = Bump::new();
    let body = parse::parse_query(&bump, &sources, file, ParseOptions::default()).expect("valid");
    expect![[r#"
        (body (= (ref data "p" "q") x) (ref input "y") (:= z (array-of 1 (body true))))
    "#]]
    .assert_eq(&dump::query(&body));
    let file = sources.add_file("query", " ");
    let errors = parse::parse_query(&bump, &sources, file, ParseOptions::default()).expect_err("empty");
    expect![[r#"
        query:1:1: rego_parse_error: empty query
    "#]]
    .assert_eq(&render::lines(&sources, &errors));
}

/// A module whose rule is nested `depth` brackets deep, walked by the dump too.
fn nested(depth: usize, open: &str, close: &str) -> Result<usize, Vec<Diagnostic>> {
    let mut sources = SourceMap::default();
    let text = format!("package p\nx := {}1{}\n", open.repeat(depth), close.repeat(depth));
    let file = sources.add_file("p.rego", &text);
    let bump = Bump::new();
    parse::parse_module(&bump, &sources, file, ParseOptions::default()).map(|module| dump::ast(&module).len())
}

#[test]
fn nesting_is_bounded() {
    let limit = limits::NESTING_MAX as usize;
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{\"a\": ", "}"),
        ("f(", ")"),
        ("1 + ", ""),
    ] {
        assert!(nested(limit - 1, open, close).is_ok(), "{open}");
        let errors = nested(limit + 1, open, close).expect_err(open);
        assert_eq!(
            errors.first().map(|error| error.message.as_str()),
            Some("max parsing recursion depth exceeded")
        );
    }
    let errors = nested(100_000, "[", "").expect_err("deep");
    assert_eq!(errors.len(), 1);
}

#[test]
fn unions_in_lists_need_no_second_reading() {
    let mut sources = SourceMap::default();
    let rules = "  {a | b, c}; [a | b, c]; {\"k\": a | b, \"l\": c}\n".repeat(1000);
    let file = sources.add_file("p.rego", &format!("package p\nx if {{\n{rules}}}\n"));
    let bump = Bump::new();
    let module = parse::parse_module(&bump, &sources, file, ParseOptions::default()).expect("valid");
    let body = module.rules.first().and_then(|rule| rule.body).expect("a body");
    assert_eq!(body.literals.len(), 3000);
}

#[test]
fn number_exponents_are_bounded() {
    for (number, fine) in [
        ("1e30102", true),
        ("1e30103", false),
        ("1e-30103", true),
        ("1e-30104", false),
        ("0e99999999999", true),
    ] {
        let mut sources = SourceMap::default();
        let file = sources.add_file("p.rego", &format!("package p\nx := {number}"));
        let bump = Bump::new();
        let parsed = parse::parse_module(&bump, &sources, file, ParseOptions::default());
        assert_eq!(parsed.is_ok(), fine, "{number}");
    }
}

#[test]
fn diagnostics_show_the_yaml_that_the_author_edits() {
    let mut sources = SourceMap::default();
    let yaml = "policies:\n  - rego: |\n      package p\n      x := é ]\n";
    let file = sources.add_file("iam.yaml", yaml);
    let runs = vec![(0, 28), (10, 44)];
    let module = sources.add_embedded("mrn:iam:policy:a", "package p\nx := é ]\n", file, runs);
    let bump = Bump::new();
    let mut errors =
        parse::parse_module(&bump, &sources, module, ParseOptions::default()).expect_err("broken");
    if let Some(first) = errors.first_mut() {
        first.labels.push(gavel_compiler::diagnostic::Label {
            span: Span {
                file: module,
                start: 10,
                end: 11,
            },
            text: "in this rule".to_owned(),
        });
        first.help.push("remove it".to_owned());
    }
    expect![[r#"
        error[rego_parse_error]: illegal token
         --> iam.yaml:4:12
          |
        4 |       x := é ]
          |       -    ^
          |       |
          |       in this rule
          |
          = help: remove it

    "#]]
    .assert_eq(&render::text(&sources, &errors));
    expect![[r#"
        iam.yaml:4:12: rego_parse_error: illegal token
    "#]]
    .assert_eq(&render::lines(&sources, &errors));
}
