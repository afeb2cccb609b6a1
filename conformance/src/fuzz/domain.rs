//! Bytes as a PolicyDomain: compiled or refused, with problems that can be shown, and linted, in time.

use super::Finding;
use gavel_compiler::lint::{LintOptions, lint};
use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile, domain, render};
use std::time::{Duration, Instant};

/// Longest input that is read.
const BYTES_MAX: usize = 64 << 10;

/// Time that one reading may take.
const TIME_MAX: Duration = Duration::from_secs(10);

pub(super) const SEEDS: &[&str] = &[include_str!("../../../examples/clinic/clinic.yml")];

pub(super) const PIECES: &[&str] = &[
    "apiVersion: iamlite.manetu.io/v1beta1\n",
    "kind: PolicyDomain\n",
    "spec:\n",
    "  policies:\n",
    "  roles:\n",
    "  operations:\n",
    "- mrn: ",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "? ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "'",
    "#",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{0}",
    "~",
    "null",
    "true",
    "0x1F",
    "1e3",
    "selector:\n",
    "- \".*\"\n",
    "rego: |\n",
    "%YAML 1.1\n",
    "*a, *a, *a, *a, *a, *a",
    "\\x41",
    "é",
];

pub(super) fn run(bytes: &[u8]) -> Result<(), Finding> {
    let text = String::from_utf8_lossy(bytes.get(..BYTES_MAX).unwrap_or(bytes));
    let mut sources = SourceMap::default();
    let file = sources.add_file("fuzz.yml", &text);
    let start = Instant::now();
    if let Err(problems) = compile(&mut sources, &[file], &Options::default()) {
        if problems.is_empty() {
            return Err(Finding("refused without a reason".to_owned()));
        }
        let _ = render::text(&sources, &problems);
    }
    if let Ok(domains) = domain::read(&mut sources, &[file]) {
        let findings = lint(&sources, &domains, LintOptions::default());
        let _ = render::text(&sources, &findings);
    }
    let took = start.elapsed();
    if took > TIME_MAX {
        return Err(Finding(format!("{} bytes took {took:?}", text.len())));
    }
    Ok(())
}
