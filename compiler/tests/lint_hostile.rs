//! Hostile modules and selectors: whatever 64 KiB say, linting them ends soon, on the stack of a small thread.
//!
//! The ceiling on time is far above what an unoptimised build on a busy machine needs: it catches what is not linear.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use gavel_compiler::domain;
use gavel_compiler::lint::{LintOptions, lint};
use gavel_compiler::source::SourceMap;
use std::time::{Duration, Instant};

const BYTES: usize = 64 << 10;
const TIME_MAX: Duration = Duration::from_secs(60);
const STACK_BYTES: usize = 2 << 20;

/// Pieces until they have so many bytes.
fn many(piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for nth in 0.. {
        if text.len() >= BYTES {
            break;
        }
        text.push_str(&piece(nth));
    }
    text
}

/// Lints a file in a thread with a small stack.
fn check(name: &str, text: String) {
    let start = Instant::now();
    let work = move || {
        let mut sources = SourceMap::default();
        let file = sources.add_file("hostile.yml", &text);
        let domains = domain::read(&mut sources, &[file]).unwrap();
        lint(&sources, &domains, LintOptions::default()).len()
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    assert!(thread.spawn(work).unwrap().join().is_ok(), "{name}: panicked");
    let took = start.elapsed();
    assert!(took <= TIME_MAX, "{name}: {took:?}");
}

fn header(spec: &str) -> String {
    let head =
        "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {name: hostile}\nspec:\n";
    format!("{head}{spec}")
}

#[test]
fn hostile_modules_are_linted_within_bounds() {
    let body = |literals: String| format!("allow {{\n{literals}}}\n");
    let shapes = [
        ("variables", body(many(|nth| format!("x{nth} := {nth}\n")))),
        ("exclusions", body(many(|nth| format!("input.x != {nth}\n")))),
        (
            "bounds",
            body(many(|nth| format!("input.x > {nth}; input.x in {{{nth}}}\n"))),
        ),
        (
            "elements",
            body(many(|nth| format!("x{nth} := input.xs[_]; x{nth} != 1\n"))),
        ),
        (
            "annotations",
            body(many(|nth| format!("input.principal.mannotations.a{nth}\n"))),
        ),
        (
            "data",
            body(many(|nth| format!("data.a{nth}.b with data.c{nth} as 1\n"))),
        ),
        (
            "alternatives",
            many(|nth| format!("allow {{ input.x != {nth} }}\n")),
        ),
        (
            "negations",
            many(|nth| format!("allow {{ not r{nth} }}\nr{nth} {{ not f(input.a) }}\n")),
        ),
        (
            "branches",
            format!(
                "x = 1 {{ input.a }}{}",
                many(|nth| format!(" else = {nth} {{ input.a }}"))
            ),
        ),
        ("comments", many(|_| "# gavel: allow(unused-import)\n".to_owned())),
        ("imports", many(|_| "import data.a\n".to_owned())),
        (
            "nesting",
            body(format!("x := {}1{}\n", "[y | y := ".repeat(300), "]".repeat(300))),
        ),
        ("keys", many(|nth| format!("# METADATA\n# titel{nth}: x\n"))),
    ];
    for (name, text) in shapes {
        let rego = serde_json::to_string(&format!("package authz\n{text}")).unwrap();
        check(
            name,
            header(&format!("  policies:\n    - {{mrn: p, rego: {rego}}}\n")),
        );
    }
}

#[test]
fn hostile_selectors_are_linted_within_bounds() {
    let operations = |selectors: String| {
        header(&format!(
            "  policies:\n    - {{mrn: p, rego: \"package authz\\ndefault allow = 0\"}}\n  operations:\n    \
             - {{name: o, policy: p, selector: [{selectors}]}}\n"
        ))
    };
    check("texts", operations(many(|nth| format!("\"a{nth}\", "))));
    check("prefixes", operations(many(|nth| format!("\"a{nth}.*\", "))));
    let wide = |nth: usize| format!("\"[ab]*a[ab]{{14}}x{nth}\", \"abab{nth}\", ");
    check("wide", operations(many(wide)));
}
