//! What a case gave, and whether that is what it wants.

use crate::case::{Case, Want, WantError};
use crate::json;
use gavel_runtime::value::Constant;
use std::collections::BTreeSet;

/// What compiling and evaluating a case gave.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The bindings of each solution, as objects.
    Solutions(Vec<Constant>),
    /// The compiler refused it; errors in order.
    Refused(Vec<WantError>),
    /// The compiler refused something that it knows and does not support; its message.
    Unsupported(String),
    /// Evaluation ended with this code.
    Aborted(&'static str),
    /// We broke: a panic or an unverifiable program.
    Broken(String),
}

/// The verdict on a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As wanted.
    Passed,
    /// Not as wanted; says how.
    Failed(String),
    /// Refused by name.
    Skipped(String),
}

/// What is compared beside the verdict: how many agreed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns {
    /// First errors in the right column.
    pub right: usize,
    /// First errors.
    pub compared: usize,
    /// Lists of errors behind the parser that are the wanted ones: code, place and number of each.
    pub lists_right: usize,
    /// Lists of errors behind the parser.
    pub lists: usize,
}

/// Compares.
#[must_use]
pub fn judge(case: &Case, outcome: &Outcome, columns: &mut Columns) -> Verdict {
    if let Outcome::Unsupported(message) = outcome {
        return Verdict::Skipped(message.clone());
    }
    let verdict = match (&case.want, outcome) {
        (_, Outcome::Broken(what)) => Err(format!("broken: {what}")),
        (Want::Errors(wanted), Outcome::Refused(got)) => judge_errors(wanted, got, columns),
        (Want::Code(code), Outcome::Refused(got)) => match got.first() {
            Some(first) if first.code == *code => Ok(()),
            first => Err(format!(
                "wanted code {code}, is {:?}",
                first.map(|error| &error.code)
            )),
        },
        (Want::Code(code), Outcome::Aborted(got)) if code == got => Ok(()),
        (Want::AnyError, Outcome::Refused(_) | Outcome::Aborted(_)) => Ok(()),
        (Want::Result(wanted), Outcome::Solutions(got)) => judge_result(case, wanted, got),
        (Want::Defined(defined), Outcome::Solutions(got)) if *defined != got.is_empty() => Ok(()),
        (Want::Nothing, Outcome::Solutions(_)) => Ok(()),
        (want, got) => Err(format!("wanted {}, is {}", show_want(want), show(got))),
    };
    match verdict {
        Ok(()) => Verdict::Passed,
        Err(what) => Verdict::Failed(what),
    }
}

fn judge_errors(wanted: &[WantError], got: &[WantError], columns: &mut Columns) -> Result<(), String> {
    let brief = |errors: &[WantError]| {
        errors
            .iter()
            .map(|e| format!("{}@{}:{}:{} {}", e.code, e.module, e.row, e.col, e.message))
            .collect::<Vec<_>>()
    };
    let (Some(first), Some(ours)) = (wanted.first(), got.first()) else {
        return Err("no errors".to_owned());
    };
    columns.compared += 1;
    columns.right += usize::from(first.col == ours.col);
    if first.code != "rego_parse_error" {
        let list = |errors: &[WantError]| -> Vec<(String, usize, u32, u32)> {
            let place = |error: &WantError| (error.code.clone(), error.module, error.row, error.col);
            errors.iter().map(place).collect()
        };
        columns.lists += 1;
        columns.lists_right += usize::from(list(wanted) == list(got));
    }
    let agree = first.code == ours.code && first.row == ours.row && {
        let set = |errors: &[WantError]| -> BTreeSet<(String, usize, u32)> {
            errors
                .iter()
                .map(|error| (error.code.clone(), error.module, error.row))
                .collect()
        };
        first.code == "rego_parse_error" || set(wanted) == set(got)
    };
    if agree {
        Ok(())
    } else {
        Err(format!("wanted errors {:?}, are {:?}", brief(wanted), brief(got)))
    }
}

fn judge_result(case: &Case, wanted: &Constant, got: &[Constant]) -> Result<(), String> {
    let Constant::Array(wanted) = wanted else {
        return Err("want_result is no list".to_owned());
    };
    let mut wanted: Vec<Constant> = wanted.iter().map(json::as_json).collect();
    let mut got: Vec<Constant> = got.iter().map(json::as_json).collect();
    if case.sort_bindings {
        for solution in wanted.iter_mut().chain(&mut got) {
            sort_arrays(solution);
        }
    }
    wanted.sort_by(Constant::compare);
    got.sort_by(Constant::compare);
    if case.of_opa_suite {
        // Its runner compares sets.
        wanted.dedup();
        got.dedup();
    }
    if wanted == got {
        return Ok(());
    }
    let list = |solutions: &[Constant]| solutions.iter().map(json::text).collect::<Vec<_>>().join(" ");
    Err(format!("wanted [{}], is [{}]", list(&wanted), list(&got)))
}

fn sort_arrays(solution: &mut Constant) {
    let Constant::Object(bindings) = solution else {
        return;
    };
    for (_, value) in bindings {
        if let Constant::Array(items) = value {
            items.sort_by(Constant::compare);
        }
    }
}

fn show_want(want: &Want) -> String {
    match want {
        Want::Errors(errors) => {
            format!(
                "errors {:?}",
                errors
                    .iter()
                    .map(|e| format!("{}@{}:{}", e.code, e.row, e.col))
                    .collect::<Vec<_>>()
            )
        }
        Want::Code(code) => format!("code {code}"),
        Want::AnyError => "an error".to_owned(),
        Want::Result(result) => json::text(&json::as_json(result)),
        Want::Defined(defined) => format!("defined {defined}"),
        Want::Nothing => "a result".to_owned(),
    }
}

fn show(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Solutions(solutions) => {
            format!(
                "[{}]",
                solutions
                    .iter()
                    .map(|s| json::text(&json::as_json(s)))
                    .collect::<Vec<_>>()
                    .join(" ")
            )
        }
        Outcome::Refused(errors) => format!(
            "refused {:?}",
            errors
                .iter()
                .map(|e| format!("{}@{}:{} {}", e.code, e.row, e.col, e.message))
                .collect::<Vec<_>>()
        ),
        Outcome::Unsupported(message) | Outcome::Broken(message) => message.clone(),
        Outcome::Aborted(code) => format!("aborted {code}"),
    }
}
