//! The dearest calls of builtins that anybody could think of: each ends soon, with a value, undefined, or a budget's own
//! error, and within the memory of one request.
#![expect(clippy::expect_used, reason = "a test's helpers fail as the test does")]

mod collections;
mod encodings;
mod numbers;
mod patterns;
mod texts;

use gavel_compiler::opt::Passes;
use gavel_conformance::case::{Case, Dialect};
use gavel_conformance::outcome::Outcome;
use gavel_conformance::run::{RunOptions, run};
use gavel_runtime::value::Constant;
use std::time::{Duration, Instant};

/// Far above what any case takes, far below what one without a bound would: the machine may be busy.
const TIME_MAX: Duration = Duration::from_secs(60);

fn text(text: impl Into<String>) -> Constant {
    Constant::String(text.into())
}

fn many(unit: &str, count: usize) -> Constant {
    text(unit.repeat(count))
}

fn number(text: &str) -> Constant {
    Constant::number(text)
}

fn list(count: usize, item: impl Fn(usize) -> Constant) -> Constant {
    Constant::Array((0..count).map(item).collect())
}

fn object(entries: impl Iterator<Item = (Constant, Constant)>) -> Constant {
    Constant::object(entries.collect())
}

/// One value inside of another, so often.
fn nested(depth: usize, wrap: impl Fn(Constant) -> Constant) -> Constant {
    nested_in(Constant::Null, depth, wrap)
}

/// As [`nested`], around a value.
fn nested_in(innermost: Constant, depth: usize, wrap: impl Fn(Constant) -> Constant) -> Constant {
    (0..depth).fold(innermost, |inner, _| wrap(inner))
}

fn in_array(inner: Constant) -> Constant {
    Constant::Array(vec![inner])
}

fn in_object(inner: Constant) -> Constant {
    Constant::object(vec![(text("a"), inner)])
}

/// Stack on which each is evaluated: a quarter of what a thread of the service has.
const STACK_BYTES: usize = 4 << 20;

/// What the expression gives, with `input.a`, `input.b` … as its operands.
fn outcome(expression: &str, operands: Vec<Constant>, optimise: Passes) -> String {
    let names = ["a", "b", "c", "d"].map(text);
    let case = Case {
        modules: vec![format!("package t\nx if {{ y := {expression}; y == y }}\n")],
        query: Some("data.t.x = x".to_owned()),
        input: Some(object(names.into_iter().zip(operands))),
        dialect: Dialect::V1,
        ..Case::default()
    };
    let options = RunOptions {
        optimise,
        ..RunOptions::default()
    };
    let ended = std::thread::scope(|scope| {
        let evaluation = std::thread::Builder::new().stack_size(STACK_BYTES);
        let evaluation = evaluation.spawn_scoped(scope, || run(&case, &options));
        evaluation.expect("a thread").join().expect("no panic")
    });
    match ended {
        Outcome::Solutions(solutions) if solutions.is_empty() => "undefined".to_owned(),
        Outcome::Solutions(_) => "value".to_owned(),
        Outcome::Aborted(code) => code.to_owned(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(expression: &str, operands: Vec<Constant>, want: &str) {
    let start = Instant::now();
    let got = outcome(expression, operands.clone(), Passes::NONE);
    assert_eq!(got, want, "{expression}");
    // What is the same in each round of a loop is asked for once: then a budget may last.
    let spared = outcome(expression, operands, Passes::ALL);
    assert!(
        spared == want || spared == VALUE,
        "{expression}: {spared}, optimised"
    );
    let took = start.elapsed();
    assert!(took < TIME_MAX, "{expression}: {took:?}");
}

const FUEL: &str = "eval_fuel_error";
const MEMORY: &str = "eval_memory_error";
const DEPTH: &str = "eval_depth_error";
const VALUE: &str = "value";
const UNDEFINED: &str = "undefined";
const MIB: usize = 1 << 20;
