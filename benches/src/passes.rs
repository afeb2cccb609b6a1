//! What each pass of the optimiser earns: instructions that the machine executes over all requests of the corpus with all
//! passes, and with all but one. Counted, so that every run gives the same figures.
//!
//! `passes` prints the table; `passes EXAMPLE/REQUEST` prints what one request executes, by op.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool whose product is its output"
)]

use gavel_benches::corpus::{self, Example};
use gavel_compiler::opt::{PASSES, Passes};
use gavel_compiler::policies::Options;
use gavel_compiler::source::SourceMap;
use gavel_runtime::bytecode::Op;
use gavel_runtime::decision::{Asked, Watcher};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::vm::{Event, Observer};
use std::collections::BTreeMap;
use std::process::ExitCode;

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1);
    match report(wanted.as_deref()) {
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

fn report(wanted: Option<&str>) -> Result<String, String> {
    let examples = corpus::examples().map_err(|error| error.to_string())?;
    let Some(wanted) = wanted else {
        return table(&examples);
    };
    let (of, request) = wanted.split_once('/').ok_or("EXAMPLE/REQUEST is wanted")?;
    let example = examples.iter().find(|example| example.name == of);
    let counted = executed(
        example.ok_or(format!("no example {of}"))?,
        Passes::ALL,
        Some(request),
    )?;
    let lines = counted.0.iter().map(|(op, count)| format!("{count:>6}  {op}\n"));
    Ok(lines.chain([format!("{:>6}  all\n", counted.total())]).collect())
}

/// Executed instructions by op.
#[derive(Clone, Debug, Default)]
struct Counted(BTreeMap<&'static str, u64>);

impl Counted {
    /// All of them.
    fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl Observer for Counted {
    fn event(&mut self, _: &Event<'_>) {}

    fn instruction(&mut self, op: Op) {
        *self.0.entry(op.name()).or_default() += 1;
    }
}

impl Watcher for Counted {
    fn asks(&mut self, _: &Asked<'_>) -> Option<&mut dyn Observer> {
        Some(self)
    }
}

/// Instructions of all requests of an example, compiled with some passes.
fn executed(example: &Example, passes: Passes, wanted: Option<&str>) -> Result<Counted, String> {
    let text = std::fs::read_to_string(&example.domain).map_err(|error| error.to_string())?;
    let mut sources = SourceMap::default();
    let file = sources.add_file(&example.domain.display().to_string(), &text);
    let options = Options {
        optimise: passes,
        ..Options::default()
    };
    let parts = gavel_compiler::compile_parts(&mut sources, &[file], &options)
        .map_err(|problems| format!("{problems:?}"))?
        .parts;
    let image = Image::new(parts).map_err(|error| error.to_string())?;
    let mut decider = corpus::decider(&image);
    let mut counted = Counted::default();
    for (name, body) in &example.requests {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        decider
            .decide_watched(&image, body, Trailing::Ignore, &corpus::env(), &mut counted)
            .map_err(|refusal| refusal.to_string())?;
    }
    Ok(counted)
}

/// The table, in Markdown: a row for each pass, a column for each example.
fn table(examples: &[Example]) -> Result<String, String> {
    let row = |passes: Passes| {
        let counts = examples
            .iter()
            .map(|example| Ok(executed(example, passes, None)?.total()));
        counts.collect::<Result<Vec<u64>, String>>()
    };
    let all = row(Passes::ALL)?;
    let mut out = "| |".to_owned();
    examples
        .iter()
        .for_each(|example| out.push_str(&format!(" {} |", example.name)));
    out.push_str(" all |\n|---|");
    out.push_str(&"---:|".repeat(examples.len() + 1));
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
