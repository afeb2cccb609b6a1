//! What the optimiser and the loop are decided by: instructions that the machine executes, counted, so that every run gives the
//! same figures.
//!
//! `passes` prints what each pass earns over all requests of the corpus: a row with all passes, and one with all but each.
//! `passes EXAMPLE/REQUEST` prints what one request executes, by op. `passes pairs [SUITE…]` prints which ops follow each other
//! most often, over the corpus or over suites of golden decisions: that is what one op in place of two would save.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool whose product is its output"
)]

mod executed;
mod pairs;
mod subject;

use executed::executed;
use gavel_benches::corpus;
use gavel_compiler::opt::{PASSES, Passes};
use std::path::PathBuf;
use std::process::ExitCode;
use subject::Subject;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match report(&words) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn report(words: &[String]) -> Result<String, String> {
    let examples = corpus::examples().map_err(|error| error.to_string())?;
    let subjects: Vec<Subject> = examples.into_iter().map(Subject::of_example).collect();
    match words {
        [] => table(&subjects),
        [word] if word == "pairs" => pairs::report(&subjects),
        [word, suites @ ..] if word == "pairs" => {
            let suites = suites
                .iter()
                .map(|folder| Subject::of_suite(&PathBuf::from(folder)));
            pairs::report(&suites.collect::<Result<Vec<Subject>, String>>()?)
        }
        [wanted] => by_op(&subjects, wanted),
        _ => Err("usage: passes [EXAMPLE/REQUEST | pairs [SUITE…]]".to_owned()),
    }
}

/// What one request executes.
fn by_op(subjects: &[Subject], wanted: &str) -> Result<String, String> {
    let (of, request) = wanted.split_once('/').ok_or("EXAMPLE/REQUEST is wanted")?;
    let subject = subjects.iter().find(|subject| subject.name == of);
    let one = subject.ok_or(format!("no example {of}"))?.only(request)?;
    let counted = executed(&one, Passes::ALL)?;
    let lines = counted
        .ops
        .iter()
        .map(|(op, count)| format!("{count:>6}  {op}\n"));
    Ok(lines.chain([format!("{:>6}  all\n", counted.total())]).collect())
}

/// The table, in Markdown: a row for each pass, a column for each example.
fn table(subjects: &[Subject]) -> Result<String, String> {
    let row = |passes: Passes| {
        let counts = subjects
            .iter()
            .map(|subject| Ok(executed(subject, passes)?.total()));
        counts.collect::<Result<Vec<u64>, String>>()
    };
    let all = row(Passes::ALL)?;
    let mut out = "| |".to_owned();
    subjects
        .iter()
        .for_each(|subject| out.push_str(&format!(" {} |", subject.name)));
    out.push_str(" all |\n|---|");
    out.push_str(&"---:|".repeat(subjects.len() + 1));
    out.push('\n');
    let mut line = |name: &str, counts: &[u64]| {
        out.push_str(&format!("| {name} |"));
        let total: u64 = counts.iter().sum();
        let base: u64 = all.iter().sum();
        for (count, all) in counts.iter().zip(&all).chain([(&total, &base)]) {
            out.push_str(&format!(" {count}{} |", share(*count, *all)));
        }
        out.push('\n');
    };
    line("every pass", &all);
    for pass in PASSES {
        let without = Passes::ALL.without(pass.name).unwrap_or(Passes::ALL);
        line(&format!("without `{}`", pass.name), &row(without)?);
    }
    line("no pass", &row(Passes::NONE)?);
    Ok(out)
}

/// How much more one count is than another, in percent.
fn share(count: u64, all: u64) -> String {
    if count == all || all == 0 {
        return String::new();
    }
    let more = (count as f64 - all as f64) / all as f64 * 100.0;
    format!(" ({more:+.1} %)")
}
