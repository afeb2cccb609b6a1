//! What a run of the linter found, in the order in which every format tells it: file by file as they were named, errors
//! before warnings, then what belongs to no file.

use std::collections::HashMap;

use gavel_compiler::check::{CheckedModule, Findings, Problem};
use gavel_compiler::diagnostic::{Code, Diagnostic, Severity};
use gavel_compiler::source::{FileId, Position, SourceMap, Span};

/// The findings of one run.
pub(super) struct Report {
    /// All texts.
    pub(super) sources: SourceMap,
    /// The files that were linted.
    pub(super) files: Vec<FileId>,
    /// What was found.
    pub(super) problems: Vec<Problem>,
    /// The Rego texts that were looked at.
    pub(super) modules: Vec<CheckedModule>,
}

/// A place in a file on disk.
pub(super) struct Place<'r> {
    /// The file.
    pub(super) file: &'r str,
    /// First character.
    pub(super) start: Position,
    /// Behind the last character.
    pub(super) end: Position,
}

/// Findings of one file that are told: more help nobody, and a file of 64 MiB can have millions.
const FINDINGS_PER_FILE_MAX: usize = 10_000;

impl Report {
    /// Puts `found` in order, and what is too much of one file into one more finding.
    pub(super) fn new(sources: SourceMap, files: Vec<FileId>, found: Findings) -> Report {
        let order: HashMap<FileId, usize> = files.iter().copied().zip(0..).collect();
        let Findings {
            mut problems,
            modules,
        } = found;
        problems.sort_by_key(|problem| {
            let file = problem.file.and_then(|file| order.get(&file).copied());
            (file.unwrap_or(usize::MAX), problem.diagnostic.severity)
        });
        let problems = bounded(&problems);
        Report {
            sources,
            files,
            problems,
            modules,
        }
    }

    /// How many findings have a severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        let severities = self.problems.iter().map(|problem| problem.diagnostic.severity);
        severities.filter(|found| *found == severity).count()
    }

    /// What a user calls the PolicyDomain that a problem belongs to.
    pub(super) fn name(&self, problem: &Problem) -> &str {
        problem
            .file
            .map_or("unknown", |file| &self.sources.source(file).name)
    }

    /// Where a problem stands: its own place, or the start of its file.
    pub(super) fn place(&self, problem: &Problem) -> Option<Place<'_>> {
        let span = problem.diagnostic.span.or_else(|| {
            let file = problem.file?;
            Some(Span {
                file,
                start: 0,
                end: 0,
            })
        });
        span.map(|span| self.place_of(span))
    }

    /// A span in the file that the author edits.
    pub(super) fn place_of(&self, span: Span) -> Place<'_> {
        let span = self.sources.on_disk(span);
        let behind = Span {
            start: span.end,
            ..span
        };
        Place {
            file: &self.sources.source(span.file).name,
            start: self.sources.position(span),
            end: self.sources.position(behind),
        }
    }
}

/// Cuts off what one file has too much. Errors stand in front, so one that is cut off makes the remark an error.
fn bounded(problems: &[Problem]) -> Vec<Problem> {
    let mut kept = Vec::new();
    for of_file in problems.chunk_by(|one, next| one.file == next.file) {
        let (told, rest) = of_file.split_at(of_file.len().min(FINDINGS_PER_FILE_MAX));
        kept.extend_from_slice(told);
        if let Some(next) = rest.first() {
            let message = format!("{} more findings in this file are not told", rest.len());
            let mut diagnostic = Diagnostic::global(Code::Limit, message);
            diagnostic.severity = next.diagnostic.severity;
            kept.push(Problem {
                file: next.file,
                stage: next.stage,
                diagnostic,
            });
        }
    }
    kept
}

/// The word for a severity, as in the reference's lint library.
pub(super) fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "info",
    }
}

/// The message without the place in front of it that formats tell by themselves.
pub(super) fn message(diagnostic: &Diagnostic) -> &str {
    gavel_compiler::domain::without_place(&diagnostic.message)
}
