//! Generated programs: compiled, verified and run, optimised or not, they mean what the reference evaluator says.

use super::Finding;
use super::generate::program;
use crate::case::{self, Case};
use crate::json;
use crate::outcome::Outcome;
use crate::run::{RunOptions, run as run_case};
use gavel_compiler::opt::Passes;
use gavel_runtime::value::Constant;

pub(super) fn run(bytes: &[u8]) -> Result<(), Finding> {
    let case = program(bytes);
    let answer = |optimise, reference| run_case(&case, &RunOptions { optimise, reference });
    let reference = answer(Passes::NONE, true);
    for optimise in [Passes::ALL, Passes::NONE] {
        let vm = answer(optimise, false);
        if !agree(&vm, &reference) {
            return Err(Finding(format!(
                "{} the VM says {}, the reference evaluator {}\n{}",
                if optimise == Passes::ALL {
                    "optimised,"
                } else {
                    "not optimised,"
                },
                show(&vm),
                show(&reference),
                describe(&case)
            )));
        }
    }
    Ok(())
}

/// The two ends of a budget are different places; everything else must be the same.
fn agree(vm: &Outcome, reference: &Outcome) -> bool {
    match (vm, reference) {
        (Outcome::Broken(_), _) | (_, Outcome::Broken(_)) => false,
        (Outcome::Aborted(code), _) | (_, Outcome::Aborted(code)) if is_budget(code) => true,
        (Outcome::Aborted(a), Outcome::Aborted(b)) => a == b,
        (Outcome::Solutions(a), Outcome::Solutions(b)) => sorted(a) == sorted(b),
        (Outcome::Refused(a), Outcome::Refused(b)) => a == b,
        (Outcome::Unsupported(a), Outcome::Unsupported(b)) => a == b,
        _ => false,
    }
}

fn is_budget(code: &str) -> bool {
    matches!(
        code,
        "eval_fuel_error" | "eval_memory_error" | "eval_depth_error" | "eval_cancel_error"
    )
}

/// Solutions in an order of their own: a query promises none.
fn sorted(solutions: &[Constant]) -> Vec<Constant> {
    let mut solutions = solutions.to_vec();
    solutions.sort_by(Constant::compare);
    solutions
}

fn show(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Solutions(solutions) => {
            let texts: Vec<String> = solutions.iter().map(|s| json::text(&json::as_json(s))).collect();
            format!("[{}]", texts.join(" "))
        }
        Outcome::Refused(errors) => format!("refused {errors:?}"),
        Outcome::Unsupported(what) => format!("unsupported: {what}"),
        Outcome::Aborted(code) => format!("aborted {code}"),
        Outcome::Broken(what) => format!("broken: {what}"),
    }
}

/// The case as a line for the oracle, and its modules as text for people.
fn describe(case: &Case) -> String {
    format!("{}\n{}", case::to_line(case), case.modules.join("\n----\n"))
}
