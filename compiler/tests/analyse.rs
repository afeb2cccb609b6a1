//! HIR of small modules: what is lifted, where it stands, and in which order statements run.
#![expect(clippy::expect_used, reason = "a test's helpers fail as the test does")]

use bumpalo::Bump;
use expect_test::{Expect, expect};
use gavel_compiler::analyse::{AnalyseOptions, analyse, analyse_query, dump, dump_query};
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::parse::{self, BaseDialect, ParseOptions};
use gavel_compiler::source::SourceMap;

fn text(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.span.map_or("-".to_owned(), |span| {
                let position = sources.position(span);
                format!("{}:{}", position.row, position.col)
            });
            format!("{place} {}: {}\n", diagnostic.code.as_str(), diagnostic.message)
        })
        .collect()
}

/// The dump of a module's rules, or its errors. The module's text follows `package p`, on row 2.
fn analysed(base: BaseDialect, rules: &str, options: &AnalyseOptions) -> String {
    let mut sources = SourceMap::default();
    let bump = Bump::new();
    let file = sources.add_file("p.rego", &format!("package p\n{rules}"));
    let parsing = ParseOptions {
        base,
        ..ParseOptions::default()
    };
    let module = parse::parse_module(&bump, &sources, file, parsing).expect("a module");
    match analyse(&sources, &[module], options) {
        Ok(unit) => dump(&unit.0),
        Err(found) => text(&sources, &found),
    }
}

#[track_caller]
fn check(rules: &str, want: Expect) {
    want.assert_eq(&analysed(BaseDialect::V1, rules, &AnalyseOptions::default()));
}

#[track_caller]
fn check_query(query: &str, want: Expect) {
    let mut sources = SourceMap::default();
    let bump = Bump::new();
    let file = sources.add_file("query", query);
    let body = parse::parse_query(&bump, &sources, file, ParseOptions::default()).expect("a query");
    let options = AnalyseOptions::default();
    let unit = analyse(&sources, &[], &options).expect("nothing to refuse");
    want.assert_eq(&match analyse_query(&sources, &unit, &body, &options) {
        Ok(query) => dump_query(&query),
        Err(found) => text(&sources, &found),
    });
}

#[test]
fn legacy_negation_leaves_calls_and_references_outside() {
    check(
        r#"x if not startswith(input.m, "a")"#,
        expect![[r#"
        rule data.p.x
          $2 = input["m"]
          not
            test startswith($2, "a")
          => true
    "#]],
    );
}

#[test]
fn legacy_negation_keeps_the_sides_of_an_equality() {
    check(
        "x if not input.m == 1",
        expect![[r#"
        rule data.p.x
          not
            input["m"] = 1
          => true
    "#]],
    );
}

#[test]
fn new_negation_takes_everything_inside() {
    check(
        "import future.keywords.not\nx if not startswith(input.m, \"a\")",
        expect![[r#"
            rule data.p.x
              not
                $2 = input["m"]
                test startswith($2, "a")
              => true
        "#]],
    );
}

#[test]
fn with_covers_what_a_literal_became_and_values_stay_outside() {
    check(
        "x if count(input.a) > 1 with input as {\"a\": data.b}",
        expect![[r#"
            rule data.p.x
              $6 = data["b"]
              $5 = {"a": $6}
              with input as $5
                $7 = input["a"]
                $4 = count($7)
                test gt($4, 1)
              => true
        "#]],
    );
}

#[test]
fn statements_wait_for_their_variables() {
    check(
        "x if { z > y; z = input.a[y]; y = input.b }",
        expect![[r#"
        rule data.p.x
          z#1 = input["a"][y#2]
          y#2 = input["b"]
          test gt(z#1, y#2)
          => true
    "#]],
    );
}

#[test]
fn a_declaration_below_a_use_is_refused() {
    check(
        "x if { z > y; y := 1; some z in input.a[y] }",
        expect![[r#"
        2:15 rego_compile_error: var y referenced above
        2:23 rego_compile_error: var z referenced above
    "#]],
    );
}

#[test]
fn heads_are_evaluated_behind_the_body() {
    check(
        "o[count(k)] := [k, input.v] if some k in input.ks",
        expect![[r#"
        rule data.p.o[$5]
          k#1 = input["ks"][$3]
          $6 = count(k#1)
          $5 = $6
          $8 = input["v"]
          $7 = [k#1, $8]
          => $7
    "#]],
    );
}

#[test]
fn else_branches_share_the_parameters() {
    check(
        "f(a, [b, 1]) := a if b > 1 else := b if a > 2 else := 3",
        expect![[r#"
            function data.p.f(a#0, [b#1, 1])
              test gt(b#1, 1)
              => a#0
              else
              test gt(a#0, 2)
              => b#1
              else
              test true
              => 3
        "#]],
    );
}

#[test]
fn comprehensions_and_every_are_blocks() {
    check(
        "x := [v | some k, v in input.a; every w in v { w > k }]",
        expect![[r#"
            rule data.p.x
              $6 = [v#1 | v#1 = input["a"][k#0]; $5 = v#1; every w#3 in $5;   test gt(w#3, k#0)]
              => $6
        "#]],
    );
}

#[test]
fn templates_are_sets_of_at_most_one_value() {
    check(
        "x := $\"a{input.b}c\"",
        expect![[r#"
        rule data.p.x
          $2 = {$0 | $0 = input["b"]}
          $1 = internal.template_string(["a", $2, "c"])
          => $1
    "#]],
    );
}

#[test]
fn errors_come_by_place_and_stop_with_their_stage() {
    check(
        "x if y > 1\nz if not w\nf(q) := r",
        expect![[r#"
        4:9 rego_unsafe_var_error: var r is unsafe
    "#]],
    );
}

#[test]
fn a_limit_cuts_the_list() {
    let options = AnalyseOptions {
        error_limit: Some(1),
        ..AnalyseOptions::default()
    };
    let want = expect![[r#"
        2:6 rego_unsafe_var_error: var y is unsafe
        - rego_compile_error: error limit reached
    "#]];
    want.assert_eq(&analysed(BaseDialect::V1, "x if y > 1\nz if not w", &options));
}

#[test]
fn disallowed_builtins_do_not_exist() {
    let options = AnalyseOptions {
        disallowed_builtins: vec!["http.send".to_owned()],
        ..AnalyseOptions::default()
    };
    let want = expect![[r#"
        2:6 rego_type_error: undefined function http.send
    "#]];
    want.assert_eq(&analysed(BaseDialect::V1, "x := http.send({})", &options));
}

#[test]
fn builtins_without_a_function_are_refused_by_name() {
    check(
        "x := net.lookup_ip_addr(\"a\")",
        expect![[r#"
        2:6 unsupported: the builtin `net.lookup_ip_addr` is not supported
    "#]],
    );
}

#[test]
fn heads_with_one_number_in_two_spellings_are_refused() {
    check(
        "q[1] := 1\nq[2].a := 2\nq[1.0] := 3\nq[2.0].b := 2\nq[x] := 3 if some x in [3.0]",
        expect![[r#"
            4:1 unsupported: 1 and 1.0, which are equal, in the heads of rules of data.p.q are not supported
            5:1 unsupported: 2 and 2.0, which are equal, in the heads of rules of data.p.q are not supported
        "#]],
    );
}

#[test]
fn a_rule_that_enumerates_its_own_document_is_recursive() {
    check(
        "q[k].foo if { k := \"a\"; q[_].bar }\nq[k].bar if k := \"a\"",
        expect![[r#"
            2:1 rego_recursion_error: rule data.p.q[k].foo may be recursive: data.p.q[k].foo -> data.p.q[k].foo
        "#]],
    );
}

#[test]
fn queries_give_their_written_variables() {
    check_query(
        "data.a.b = x; y := x + 1; _ = y",
        expect![[r#"
        query
          data["a"]["b"] = x#2
          $6 = plus(x#2, 1)
          y#4 := $6
          _#5 = y#4
          bindings [x = x#2, y = y#4]
    "#]],
    );
}

#[test]
fn a_document_in_the_place_of_a_function_stays_a_reference() {
    check(
        "f(x) := x\nq := false\nx if not f(1) with f as q\ny if f(1) == false with f as q",
        expect![[r#"
            function data.p.f(x#0)
              test true
              => x#0
            rule data.p.q
              test true
              => false
            rule data.p.x
              with function data.p.f as document data["p"]["q"]
                not
                  test data.p.f(1)
              => true
            rule data.p.y
              with function data.p.f as document data["p"]["q"]
                $2 = data.p.f(1)
                $2 = false
              => true
        "#]],
    );
}

#[test]
fn metadata_blocks_are_comments_until_a_rule_asks() {
    let broken = "# METADATA\n# scope: nowhere\nx := 1\n";
    let options = AnalyseOptions::default();
    assert!(!analysed(BaseDialect::V1, broken, &options).contains("annotation"));
    let asked = format!("{broken}y := rego.metadata.rule()\n");
    expect![[r"
        2:1 rego_parse_error: invalid annotation scope 'nowhere'. Use one of 'rule', 'document', 'package', or 'subpackages'
    "]]
    .assert_eq(&analysed(BaseDialect::V1, &asked, &options));
}
