//! Runs many cases on all cores and counts.

use crate::case::{self, Case};
use crate::outcome::{Columns, Outcome, Verdict, judge};
use crate::run::{RunOptions, run};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Stack of a worker: deeply nested modules are among the cases.
const STACK_BYTES: usize = 64 << 20;

/// One case that ran.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file, as given.
    pub file: PathBuf,
    /// The case's note.
    pub note: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// All cases that ran, in order of files.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// One a case.
    pub reports: Vec<Report>,
    /// Columns of wanted errors.
    pub columns: Columns,
}

impl Tally {
    /// Cases passed, failed, skipped.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Verdict) -> bool| self.reports.iter().filter(|r| wanted(&r.verdict)).count();
        (
            count(|v| matches!(v, Verdict::Passed)),
            count(|v| matches!(v, Verdict::Failed(_))),
            count(|v| matches!(v, Verdict::Skipped(_))),
        )
    }
}

/// Runs the cases of all files below `paths`.
pub fn run_paths(paths: &[PathBuf], options: &RunOptions) -> Result<Tally, String> {
    let files = case::files(paths).map_err(|error| error.to_string())?;
    let mut cases: Vec<(PathBuf, Case)> = Vec::new();
    for file in files {
        cases.extend(case::load(&file)?.into_iter().map(|one| (file.clone(), one)));
    }
    run_cases(&cases, options)
}

fn run_cases(cases: &[(PathBuf, Case)], options: &RunOptions) -> Result<Tally, String> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Report, Columns)>> = Mutex::new(Vec::new());
    let worker = || {
        while let Some((index, (file, case))) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            cases.get(index).map(|one| (index, one))
        } {
            let mut columns = Columns::default();
            let report = report(file, case, options, &mut columns);
            if let Ok(mut done) = done.lock() {
                done.push((index, report, columns));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            std::thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, worker)
                .map_err(|e| e.to_string())?;
        }
        Ok::<(), String>(())
    })?;
    let mut done = done.into_inner().map_err(|error| error.to_string())?;
    done.sort_by_key(|(index, ..)| *index);
    let mut tally = Tally::default();
    for (_, report, columns) in done {
        tally.reports.push(report);
        tally.columns.compared += columns.compared;
        tally.columns.right += columns.right;
        tally.columns.lists += columns.lists;
        tally.columns.lists_right += columns.lists_right;
    }
    Ok(tally)
}

fn report(file: &Path, case: &Case, options: &RunOptions, columns: &mut Columns) -> Report {
    let outcome = std::panic::catch_unwind(|| run(case, options)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Outcome::Broken(format!("panic: {}", text.unwrap_or_default()))
    });
    Report {
        file: file.to_owned(),
        note: case.note.clone(),
        verdict: judge(case, &outcome, columns),
    }
}
