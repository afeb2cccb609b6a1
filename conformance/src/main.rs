//! `gavel-conformance opa PATH…`: runs case files and prints each failing case; the last line counts.
//!
//! Exit status: 0 when nothing failed (or, with `--known`, nothing beyond the list), 1 otherwise, 2 for wrong usage.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool whose product is its output"
)]

use gavel_compiler::opt::Passes;
use gavel_conformance::outcome::Verdict;
use gavel_conformance::ratchet::Ratchet;
use gavel_conformance::run::RunOptions;
use gavel_conformance::suite::{Report, Tally, run_paths};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str =
    "usage: gavel-conformance opa [--no-optimise | --without PASS | --reference] [--known FILE] [--list FILE] [--verbose] PATH…

  --no-optimise   switch the optimiser off
  --without PASS  switch one pass of the optimiser off (repeatable; `gavel compile --help` lists them)
  --reference     interpret with the reference evaluator instead of compiling
  --known FILE    fail only for cases that are not in FILE, and for entries of FILE that pass
  --list FILE     write the failing cases to FILE, in the format of --known
  --verbose       print skipped cases too, and counts for each folder";

struct Arguments {
    paths: Vec<PathBuf>,
    options: RunOptions,
    known: Option<PathBuf>,
    list: Option<PathBuf>,
    verbose: bool,
}

fn main() -> ExitCode {
    let Some(arguments) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
    if words.next()? != "opa" {
        return None;
    }
    let mut arguments = Arguments {
        paths: Vec::new(),
        options: RunOptions::default(),
        known: None,
        list: None,
        verbose: false,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--no-optimise" => arguments.options.optimise = Passes::NONE,
            "--without" => {
                arguments.options.optimise = arguments.options.optimise.without(&words.next()?)?;
            }
            "--reference" => arguments.options.reference = true,
            "--known" => arguments.known = Some(words.next()?.into()),
            "--list" => arguments.list = Some(words.next()?.into()),
            "--verbose" => arguments.verbose = true,
            flag if flag.starts_with("--") => return None,
            path => arguments.paths.push(path.into()),
        }
    }
    (!arguments.paths.is_empty()).then_some(arguments)
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let tally = run_paths(&arguments.paths, &arguments.options)?;
    let failures: BTreeSet<String> = tally
        .reports
        .iter()
        .filter(|report| matches!(report.verdict, Verdict::Failed(_)))
        .map(key)
        .collect();
    if let Some(path) = &arguments.list {
        let text: String = failures.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let ratchet = match &arguments.known {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Some(Ratchet::parse(&text))
        }
        None => None,
    };
    let (new, gone) = ratchet.unwrap_or_default().compare(&failures);
    print_cases(&tally, &new, arguments.verbose);
    for line in &gone {
        println!("passes now, take it off the list: {line}");
    }
    if arguments.verbose {
        print_folders(&tally);
    }
    if tally.columns.compared > 0 {
        println!("columns: {} of {}", tally.columns.right, tally.columns.compared);
        println!(
            "whole lists of errors: {} of {}",
            tally.columns.lists_right, tally.columns.lists
        );
    }
    let (passed, failed, skipped) = tally.counts();
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(new.is_empty() && gone.is_empty())
}

fn key(report: &Report) -> String {
    let name = report
        .file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    format!("{name}\t{}", report.note)
}

fn print_cases(tally: &Tally, new: &[String], verbose: bool) {
    let new: BTreeSet<&String> = new.iter().collect();
    for report in &tally.reports {
        match &report.verdict {
            Verdict::Failed(what) if new.contains(&key(report)) => {
                println!("{}: {}\n    {what}", report.file.display(), report.note);
            }
            Verdict::Skipped(what) if verbose => {
                println!("{}: {}: skipped: {what}", report.file.display(), report.note);
            }
            Verdict::Passed | Verdict::Failed(_) | Verdict::Skipped(_) => {}
        }
    }
}

fn print_folders(tally: &Tally) {
    let mut folders: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for report in &tally.reports {
        let group = match report.file.extension().is_some_and(|ext| ext == "jsonl") {
            true => Some(report.file.as_path()),
            false => report.file.parent(),
        };
        let counts = folders
            .entry(group.map(|path| path.display().to_string()).unwrap_or_default())
            .or_default();
        let at = match report.verdict {
            Verdict::Passed => 0,
            Verdict::Failed(_) => 1,
            Verdict::Skipped(_) => 2,
        };
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    for (folder, [passed, failed, skipped]) in folders {
        println!("{folder}: {passed} passed, {failed} failed, {skipped} skipped");
    }
}
