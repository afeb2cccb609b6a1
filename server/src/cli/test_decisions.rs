//! `gavel test decisions`: a suite of PORCs with expected decisions; its outcomes, and what of the Rego they reached.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::cli::args::{CoverageFormat, Global, SuiteArgs};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::junit::{self, JunitCase, Problem};
use crate::cli::load::{self, Loaded};
use crate::cli::suite::{self, Case};
use crate::cli::suite_report::{Outcome, Report};
use crate::cli::test_decision::Single;
use crate::coverage::{self, CountedDecision, Coverage, Hits};
use crate::error::{Failure, reason};
use crate::terminal::Progress;
use crate::trace::DecisionTrace;
use crate::words::NamePattern;

/// Runs the suite. It is read before the domains.
///
/// # Errors
/// A suite or domains that cannot be used; a report that cannot be written; too little coverage; a failed test, of which
/// nothing more needs to be said.
pub(crate) fn run(args: &SuiteArgs, global: &Global) -> Result<(), Failure> {
    let format = coverage_format(args)?;
    let cases = wanted(args)?;
    let loaded = load::load_marked(&args.domains, global, format.map(|_| "coverage"))?;
    let mut hits = format.map(|_| Hits::default());
    let (passed, results) = on_a_deep_stack(|| outcomes(&loaded, &cases, hits.as_mut()))??;
    if let Some(path) = &args.junit {
        let text = junit::report(&args.input.to_string_lossy(), &results);
        write(path, &text)?;
    }
    if let (Some(format), Some(hits)) = (format, &hits) {
        let coverage = Coverage::new(loaded.texts(), &loaded.places, hits);
        report_coverage(args, format, &coverage)?;
    }
    if passed {
        Ok(())
    } else {
        Err(Failure::Input(String::new()))
    }
}

/// How coverage is written, if it is counted.
fn coverage_format(args: &SuiteArgs) -> Result<Option<CoverageFormat>, Failure> {
    match args.coverage {
        Some(CoverageFormat::Json | CoverageFormat::Lcov) if args.coverage_out.is_none() => Err(Failure::Usage(
            "--coverage=json and --coverage=lcov need --coverage-out FILE: standard output has the outcomes".to_owned(),
        )),
        None => Ok(args.coverage_min.map(|_| CoverageFormat::Text)),
        format => Ok(format),
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
        let name = args.input.display();
        return Err(Failure::Input(format!(
            "{name}: no tests found in test suite; a suite is YAML with a list `tests` of {{name, porc, result: {{allow: true}}}}"
        )));
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

/// Runs the cases and prints their outcomes as they come; whether all passed, and each outcome.
fn outcomes(
    loaded: &Loaded,
    cases: &[Case],
    mut hits: Option<&mut Hits>,
) -> Result<(bool, Vec<JunitCase>), Failure> {
    let progress = Progress::new("testing", cases.len());
    let mut single = Single::new(loaded);
    let mut report = Report::new();
    let mut results = Vec::with_capacity(cases.len());
    for case in cases {
        progress.step(&case.name);
        let begun = Instant::now();
        let outcome = outcome(loaded, &mut single, case, hits.as_deref_mut());
        results.push(JunitCase {
            name: case.name.clone(),
            time: begun.elapsed(),
            problem: problem(&outcome, &single),
        });
        progress.aside(|| report.case(&case.name, &outcome))?;
    }
    drop(progress);
    let passed = results.iter().filter(|result| result.problem.is_none()).count();
    report.total(passed, cases.len())?;
    Ok((passed == cases.len(), results))
}

fn problem(outcome: &Outcome, single: &Single<'_>) -> Option<Problem> {
    (!outcome.is_pass()).then(|| Problem {
        is_failure: matches!(outcome, Outcome::Fail { .. }),
        message: outcome.explanation(),
        record: String::from_utf8_lossy(&single.record).into_owned(),
    })
}

fn outcome(loaded: &Loaded, single: &mut Single<'_>, case: &Case, hits: Option<&mut Hits>) -> Outcome {
    single.record.clear();
    let porc = match &case.porc {
        Ok(porc) => porc.as_bytes(),
        Err(why) => return Outcome::Error(format!("failed to marshal PORC: {why}")),
    };
    let mut trace = loaded
        .trace
        .as_ref()
        .map(|filter| DecisionTrace::new(loaded.texts(), filter));
    let decided = match (hits, trace.as_mut()) {
        (Some(hits), trace) => single.decide(porc, Some(&mut CountedDecision::new(hits, trace))),
        (None, Some(trace)) => single.decide(porc, Some(trace)),
        (None, None) => single.decide(porc, None),
    };
    if let Some(trace) = &mut trace {
        trace.finish();
        // A standard error that is gone leaves nobody to tell.
        let _ = std::io::stderr().lock().write_all(&single.record);
    }
    match decided {
        Ok(got) if got == case.allow => Outcome::Pass,
        Ok(got) => Outcome::Fail {
            wanted: case.allow,
            got,
        },
        Err(failure) => Outcome::Error(failure.to_string()),
    }
}

fn report_coverage(args: &SuiteArgs, format: CoverageFormat, coverage: &Coverage) -> Result<(), Failure> {
    let text = match format {
        CoverageFormat::Text => coverage::text(coverage),
        CoverageFormat::Json => coverage::json(coverage),
        CoverageFormat::Lcov => coverage::lcov(coverage),
    };
    match &args.coverage_out {
        Some(path) => write(path, &text)?,
        None => std::io::stdout()
            .write_all(format!("\n{text}").as_bytes())
            .map_err(|error| Failure::Operator(format!("standard output: {error}")))?,
    }
    match args.coverage_min {
        Some(least) if coverage.percent() < least => Err(Failure::Input(format!(
            "the tests reach {:.1}% of the lines of Rego: less than {least}%",
            coverage.percent()
        ))),
        _ => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::Operator(format!("write {}: {}", path.display(), reason(&error))))
}
