//! `gavel test decisions`: a suite of PORCs with expected decisions.

use std::io::{BufWriter, Stdout, Write as _};

use crate::cli::args::{Global, SuiteArgs};
use crate::cli::load::{self, Loaded, on_a_deep_stack};
use crate::cli::suite::{self, Case};
use crate::cli::test_decision::Single;
use crate::error::Failure;
use crate::terminal::{Paint, Progress, stdout_is_watched};
use crate::trace::DecisionTrace;
use crate::words::NamePattern;

/// Runs the suite. It is read before the domains.
///
/// # Errors
/// A suite or domains that cannot be used; a failed test, of which nothing more needs to be said.
pub(crate) fn run(args: &SuiteArgs, global: &Global) -> Result<(), Failure> {
    let cases = wanted(args)?;
    let loaded = load::load(&args.domains, global)?;
    let passed = on_a_deep_stack(|| outcomes(&loaded, &cases))??;
    if passed {
        Ok(())
    } else {
        Err(Failure::Input(String::new()))
    }
}

fn wanted(args: &SuiteArgs) -> Result<Vec<Case>, Failure> {
    let broken = |what: &str, why: String| {
        Failure::Input(format!(
            "failed to load test suite: failed to {what} test file: {why}"
        ))
    };
    let text = load::read(&args.input).map_err(|failure| broken("read", failure.to_string()))?;
    let cases = suite::parse(&args.input.to_string_lossy(), &text).map_err(|why| broken("parse", why))?;
    if cases.is_empty() {
        return Err(Failure::Input("no tests found in test suite".to_owned()));
    }
    // Here, and only here, a comma separates.
    let patterns: Vec<NamePattern> = args
        .test
        .iter()
        .flat_map(|text| text.split(','))
        .map(NamePattern::new)
        .collect();
    let chosen: Vec<Case> = cases
        .into_iter()
        .filter(|case| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(&case.name)))
        .collect();
    if chosen.is_empty() {
        return Err(Failure::Input("no tests match the specified patterns".to_owned()));
    }
    Ok(chosen)
}

/// Runs the cases and prints their outcomes as they come; whether all passed.
fn outcomes(loaded: &Loaded, cases: &[Case]) -> Result<bool, Failure> {
    let progress = Progress::new("testing", cases.len());
    let mut single = Single::new(loaded);
    let mut report = Report::new();
    let mut passed = 0;
    for case in cases {
        progress.step(&case.name);
        let outcome = outcome(loaded, &mut single, case);
        passed += usize::from(outcome.is_pass());
        progress.aside(|| report.case(&case.name, &outcome))?;
    }
    drop(progress);
    report.total(passed, cases.len())?;
    Ok(passed == cases.len())
}

/// What became of a test.
enum Outcome {
    Pass,
    Fail { wanted: bool, got: bool },
    Error(String),
}

impl Outcome {
    fn is_pass(&self) -> bool {
        matches!(self, Outcome::Pass)
    }
}

fn outcome(loaded: &Loaded, single: &mut Single<'_>, case: &Case) -> Outcome {
    let porc = match &case.porc {
        Ok(porc) => porc.as_bytes(),
        Err(why) => return Outcome::Error(format!("failed to marshal PORC: {why}")),
    };
    let decided = match &loaded.trace {
        None => single.decide(porc, None),
        Some(filter) => {
            let mut trace = DecisionTrace::new(loaded.texts(), filter);
            let decided = single.decide(porc, Some(&mut trace));
            trace.finish();
            // A standard error that is gone leaves nobody to tell.
            let _ = std::io::stderr().lock().write_all(&single.record);
            decided
        }
    };
    match decided {
        Ok(got) if got == case.allow => Outcome::Pass,
        Ok(got) => Outcome::Fail {
            wanted: case.allow,
            got,
        },
        Err(failure) => Outcome::Error(failure.to_string()),
    }
}

/// Writes outcomes to standard output: each at once for a person who waits, in large pieces for a pipe.
struct Report {
    out: BufWriter<Stdout>,
    paint: Paint,
    is_watched: bool,
}

impl Report {
    fn new() -> Report {
        Report {
            out: BufWriter::new(std::io::stdout()),
            paint: Paint::stdout(),
            is_watched: stdout_is_watched(),
        }
    }

    fn case(&mut self, name: &str, outcome: &Outcome) -> Result<(), Failure> {
        let paint = self.paint;
        let text = match outcome {
            Outcome::Pass => paint.good("PASS"),
            Outcome::Fail { wanted, got } => {
                let word = paint.bad("FAIL");
                format!("{word} (expected allow={wanted}, got allow={got})")
            }
            Outcome::Error(why) => format!("{} ({why})", paint.bad("ERROR")),
        };
        self.write(&format!("{name}: {text}\n"))?;
        if self.is_watched { self.flush() } else { Ok(()) }
    }

    fn total(&mut self, passed: usize, all: usize) -> Result<(), Failure> {
        self.write(&format!("\n{passed}/{all} tests passed\n"))?;
        self.flush()
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(gone)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(gone)
    }
}

fn gone(error: std::io::Error) -> Failure {
    Failure::Operator(format!("standard output: {error}"))
}
