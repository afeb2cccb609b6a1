//! `gavel test decisions`: a suite of PORCs with expected decisions.

use std::io::Write as _;

use crate::cli::args::{Global, SuiteArgs};
use crate::cli::load::{self, Loaded, on_a_deep_stack};
use crate::cli::run::refuse_trace;
use crate::cli::suite::{self, Case};
use crate::cli::test_decision;
use crate::error::Failure;
use crate::words::NamePattern;

/// Runs the suite. It is read before the domains.
///
/// # Errors
/// A suite or domains that cannot be used; a failed test, of which nothing more needs to be said.
pub(crate) fn run(args: &SuiteArgs, global: &Global) -> Result<(), Failure> {
    refuse_trace(global)?;
    let cases = wanted(args)?;
    let loaded = load::load(&args.domains, global)?;
    let (text, passed) = on_a_deep_stack(|| outcomes(&loaded, &cases))?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|e| Failure::Operator(format!("standard output: {e}")))?;
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

fn outcomes(loaded: &Loaded, cases: &[Case]) -> (String, bool) {
    let mut text = String::new();
    let mut passed = 0;
    for case in cases {
        let decided = match &case.porc {
            Ok(porc) => test_decision::decide(loaded, porc.as_bytes()).map_err(|failure| failure.to_string()),
            Err(why) => Err(format!("failed to marshal PORC: {why}")),
        };
        let outcome = match decided {
            Ok((allow, _)) if allow == case.allow => {
                passed += 1;
                "PASS".to_owned()
            }
            Ok((allow, _)) => format!("FAIL (expected allow={}, got allow={allow})", case.allow),
            Err(why) => format!("ERROR ({why})"),
        };
        text.push_str(&format!("{}: {outcome}\n", case.name));
    }
    text.push_str(&format!("\n{passed}/{} tests passed\n", cases.len()));
    (text, passed == cases.len())
}
