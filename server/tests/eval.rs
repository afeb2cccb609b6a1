//! `gavel eval`: text in, text out. The answers are OPA's to the same queries, modules and documents.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use common::cli::{Scratch, run, run_words};
use common::file;
use expect_test::{Expect, expect};

/// A query over the folder of modules and documents; what OPA 1.22.2 answers to the same.
#[track_caller]
fn check_query(query: &str, input: &str, want: &str) {
    let folder = file("eval");
    let mut args = vec!["eval", "-d", folder.to_str().unwrap()];
    if !input.is_empty() {
        args.extend(["-i", "-"]);
    }
    args.push(query);
    let (status, output, error) = run_words(&args, input);
    assert_eq!((status, error.as_str()), (Some(0), ""), "{query}");
    assert_eq!(output, format!("{want}\n"), "{query}");
}

#[test]
fn queries() {
    let ann = r#"{"user": "ann"}"#;
    check_query("data.shop.allow", ann, r#"{"result":true}"#);
    check_query("data.shop.allow", "user: bob", r#"{"result":false}"#);
    check_query("data.shop.allow", "", r#"{"result":false}"#);
    check_query("data.shop.number", ann, "{}");
    check_query("data.nowhere", ann, "{}");
    check_query("input", "", "{}");
    check_query(r#"data["shop"]["big"]"#, "", r#"{"result":[2.5,3]}"#);
    check_query(
        "data",
        "",
        r#"{"result":{"a":{"b":{"owner":"ann"},"sizes":[1,2.5,3]},"shop":{"allow":false,"big":[2.5,3]}}}"#,
    );
    check_query(
        "data.shop.allow with input.user as \"ann\"",
        "",
        r#"{"result":true}"#,
    );
    check_query("1 + 2", "", r#"{"result":3}"#);
    check_query("1 == 2", "", r#"{"result":false}"#);
    check_query("\"<a>\"", "", r#"{"result":"<a>"}"#);
    check_query("[1, 2, 3][_] > 1", "", r#"{"result":[true,true]}"#);
    check_query(
        "data.a.sizes[i] = x; x > 1",
        "",
        r#"{"result":[{"i":1,"x":2.5},{"i":2,"x":3}]}"#,
    );
    check_query("some size in data.a.sizes; size == 4", "", "{}");
    check_query("true; 1 < 2", "", r#"{"result":[{}]}"#);
    check_query("not data.shop.allow", "", r#"{"result":[{}]}"#);
    check_query("walk([1], x)", "", r#"{"result":[{"x":[[],[1]]},{"x":[[0],1]}]}"#);
}

#[test]
fn where_documents_stand() {
    let list = Scratch::new("list.json", "[1]");
    let policy = Scratch::new("policy.txt", "package p\n\nq = 1\n");
    let other = Scratch::new("other.yaml", "a: {b: {owner: eve}}");
    let broken = Scratch::new("broken.json", "{\n  \"a\": 01\n}");
    let eval = file("eval");
    let folder = eval.to_str().unwrap();
    let doc = format!("{folder}/a/b/doc.json");
    let check = |paths: &[&str], query: &str, want: &str, said: &str| {
        let mut args = vec!["eval"];
        paths.iter().for_each(|path| args.extend(["-d", path]));
        args.push(query);
        let (status, output, error) = run_words(&args, "");
        assert_eq!(status, Some(i32::from(want.is_empty())), "{paths:?}: {error}");
        assert_eq!(output.trim_end(), want, "{paths:?}");
        assert!(
            error.contains(said) && error.is_empty() == said.is_empty(),
            "{paths:?}: {error}"
        );
    };
    let prefixed = format!("x.y:{doc}");
    check(
        &[&prefixed],
        "data",
        r#"{"result":{"x":{"y":{"owner":"ann"}}}}"#,
        "",
    );
    let prefixed = format!("xs:{}", list.path());
    check(&[&prefixed], "data.xs[0]", r#"{"result":1}"#, "");
    check(&[folder, &doc, &doc], "data.owner", r#"{"result":"ann"}"#, "");
    check(&[policy.path()], "data.p.q", r#"{"result":1}"#, "");
    check(&[], "data", r#"{"result":{}}"#, "");
    check(&[list.path()], "data", "", "the document must be an object");
    check(
        &[folder, other.path()],
        "data",
        "",
        "`data.a.b.owner` has another value",
    );
    check(&[broken.path()], "data", "", ":2:9: invalid character");
    check(
        &["nowhere.rego", "moon.json"],
        "data",
        "",
        "moon.json: no such file",
    );
}

#[test]
fn failing_evaluations() {
    let folder = file("eval");
    let check = |args: &str, said: &[&str]| {
        let line = format!("eval -d {} {args}", folder.to_str().unwrap());
        let (status, output, error) = run(&line, r#"{"user": "ann"}"#);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{args}");
        for said in said {
            assert!(error.contains(said), "{args}: {error}");
        }
    };
    check(
        "-i - data.shop.conflict",
        &["shop.rego:", "eval_conflict_error: ", "data.shop.conflict"],
    );
    check(
        "-i - --strict-builtin-errors data.shop.number",
        &["eval_builtin_error: "],
    );
    check("data.shop[", &["rego_parse_error", "query:1:11"]);
    check(
        "nowhere.x",
        &["rego_unsafe_var_error", "var nowhere is unsafe", "query:1:1"],
    );
    check(
        "--v1-compatible data.shop",
        &["rego_parse_error", "shop.rego:5:1"],
    );
    check("-i moon.json data.shop", &["moon.json"]);
    check("", &["<QUERY>"]);
    check("--fly data", &["--fly"]);
}

#[test]
fn advice() {
    let v1 = Scratch::new("v1.rego", "package p\n\nq if input.x\n");
    let v0 = Scratch::new("v0.rego", "package p\n\nq { input.x }\n");
    let empty = Scratch::new("notes.md", "");
    let (v1, v0) = (v1.path(), v0.path());
    for (args, said) in [
        (
            format!("eval -d {v1} data.p.q"),
            "this is Rego v1: add --v1-compatible",
        ),
        (
            format!("eval --v1-compatible -d {v0} data.p.q"),
            "this is Rego v0",
        ),
        (format!("compile {v1}"), "this is Rego v1"),
        (format!("eval -d {v0} q"), "from `data` on"),
        (format!("eval {v0}"), "this is a file"),
        (format!("eval data.p.q {v0}"), "files are named with a flag"),
        (format!("serve -b {v0}"), "is a Rego module"),
        (
            format!("eval -d {} data.p.q", empty.path()),
            "the document must be an object",
        ),
    ] {
        let (status, output, error) = run(&args, "");
        assert_eq!((status, output.as_str()), (Some(1), ""), "{args}");
        assert!(error.contains(said), "{args}: {error}");
    }
}

#[track_caller]
fn check_trace(query: &str, input: &str, want: &Expect) {
    let policy = file("eval/policy/shop.rego");
    let (_, output, error) = run_words(
        &[
            "eval",
            "-d",
            policy.to_str().unwrap(),
            "-i",
            "-",
            "--explain",
            query,
        ],
        input,
    );
    assert!(output.starts_with('{'), "{output}");
    want.assert_eq(&error.replace(policy.to_str().unwrap(), "shop.rego"));
}

#[test]
fn traces() {
    let late = r#"{"user": "bob", "roles": ["guest", "clerk"], "hour": 20}"#;
    check_trace(
        "data.shop.allow",
        late,
        &expect![[r#"
            query
                query:1: data.shop.allow
                data.shop.allow
                  shop.rego:5: allow {
                    shop.rego:6: input.user == data.a.b.owner
                      fails: input.user == data.a.b.owner (undefined)
                  shop.rego:9: allow {
                    shop.rego:10: role := input.roles[_]
                      role = "guest"
                    shop.rego:11: role == "clerk"
                      fails: role == "clerk" (not "guest" == "clerk")
                    shop.rego:10: role := input.roles[_]
                      role = "clerk"
                    shop.rego:11: role == "clerk"
                    shop.rego:12: not closed(input.hour)
                    data.shop.closed(20)
                      shop.rego:15: closed(hour) {
                        shop.rego:16: hour > 18
                    data.shop.closed = true
                      fails: not closed(input.hour)
                    shop.rego:10: role := input.roles[_]
                      no more: role := input.roles[_]
                  shop.rego:3: default allow = false
                data.shop.allow = false
        "#]],
    );
    check_trace(
        "data.shop.number",
        late,
        &expect![[r#"
        query
            query:1: data.shop.number
            data.shop.number
              shop.rego:24: number := to_number(input.user)
                  fails: to_number(input.user) (to_number("bob") has no result)
            data.shop.number is undefined
              fails: data.shop.number (undefined)
    "#]],
    );
}
