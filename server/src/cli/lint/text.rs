//! The findings for people: the lines of the reference, which scripts look for, each with the piece of the file that it
//! is about.

use std::collections::HashSet;
use std::fmt::Write as _;

use gavel_compiler::check::{Problem, Stage};
use gavel_compiler::diagnostic::Severity;
use gavel_compiler::render;
use gavel_compiler::source::FileId;

use super::report::{Report, message};
use crate::terminal::Paint;

/// How the text is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// A person reads: every finding gets an excerpt. Otherwise findings about references, which scripts know as one
    /// line, have none.
    pub(super) watched: bool,
    /// Colours, or none.
    pub(super) paint: Paint,
    /// Our own lints were asked for: a summary of them stands in the place of the list of what is valid.
    pub(super) lints: bool,
}

/// The findings, and what is valid.
pub(super) fn write(report: &Report, left_out: &[(String, String)], style: Style) -> String {
    let mut writer = Writer {
        report,
        style,
        text: String::new(),
    };
    for (name, reason) in left_out {
        writer.line(Mark::Warning, &format!("{name}: {reason}"));
        writer.text.push('\n');
    }
    let banner = if style.lints {
        "Running Regal linting..."
    } else {
        "Linting YAML files..."
    };
    writer.text.push_str(banner);
    writer.text.push_str("\n\n");
    for problem in &report.problems {
        writer.problem(problem);
    }
    writer.text.push_str("---\n");
    if style.lints {
        writer.lint_summary();
    } else {
        writer.valid_modules();
    }
    writer.summary();
    writer.text
}

#[derive(Clone, Copy)]
enum Mark {
    Error,
    Warning,
    Note,
    Valid,
}

struct Writer<'r> {
    report: &'r Report,
    style: Style,
    text: String,
}

impl Writer<'_> {
    fn line(&mut self, mark: Mark, words: &str) {
        let paint = self.style.paint;
        let sign = match mark {
            Mark::Error => paint.bad("✗"),
            Mark::Warning => paint.warning("⚠"),
            Mark::Note => paint.warning("ℹ"),
            Mark::Valid => paint.good("✓"),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "{sign} {words}");
    }

    fn problem(&mut self, problem: &Problem) {
        let diagnostic = &problem.diagnostic;
        let (name, words) = (self.report.name(problem), message(diagnostic));
        let (mark, severity) = match diagnostic.severity {
            Severity::Error => (Mark::Error, "Error"),
            Severity::Warning => (Mark::Warning, "Warning"),
            Severity::Note => (Mark::Note, "Note"),
        };
        let whole_line = match problem.stage {
            Stage::Reference => Some(format!("{name} ({words})")),
            Stage::Cycle => Some(format!("{name} (cycle: {words})")),
            _ => None,
        };
        let details = match problem.stage {
            Stage::OpaCheck => format!("OPA Check {severity}: {words}"),
            Stage::Lint => format!("{severity}: {}: {words}", diagnostic.code.as_str()),
            _ => format!("{severity}: {words}"),
        };
        match whole_line {
            Some(line) => self.line(mark, &line),
            None => {
                self.line(mark, &format!("{name} ({})", self.subject(problem)));
                let _ = writeln!(self.text, "  {details}");
            }
        }
        if self.style.watched || problem.stage != Stage::Reference {
            let excerpt = render::excerpt(&self.report.sources, diagnostic, self.style.paint.is_on());
            if !excerpt.is_empty() {
                self.text.push_str(&excerpt);
                self.text.push('\n');
            }
        }
        self.text.push('\n');
    }

    /// What a finding is about: `Rego in policy 'ID' at line N`.
    fn subject(&self, problem: &Problem) -> String {
        let mut subject = match problem.stage {
            Stage::Yaml => return "YAML".to_owned(),
            Stage::Rego | Stage::OpaCheck => "Rego",
            Stage::Selector => "Selector",
            Stage::Duplicate => "Duplicate",
            Stage::Schema | Stage::Registry | Stage::Reference | Stage::Cycle => "Schema",
            Stage::Lint => "Lint",
        }
        .to_owned();
        let diagnostic = &problem.diagnostic;
        if let Some(entity) = diagnostic
            .entity
            .as_deref()
            .filter(|entity| !entity.id.is_empty())
        {
            let _ = write!(subject, " in {} '{}'", entity.kind, entity.id);
        }
        if let Some(place) = diagnostic.span.map(|span| self.report.place_of(span)) {
            let _ = write!(subject, " at line {}", place.start.row);
            if place.file != self.report.name(problem) {
                let _ = write!(subject, " of {}", place.file);
            }
        }
        subject
    }

    /// One line for each Rego text of the files without errors.
    fn valid_modules(&mut self) {
        let report = self.report;
        let errors = report
            .problems
            .iter()
            .filter(|problem| problem.diagnostic.severity == Severity::Error);
        let broken: HashSet<FileId> = errors.filter_map(|problem| problem.file).collect();
        let modules = report.modules.iter();
        for module in modules.filter(|module| !broken.contains(&module.file)) {
            let name = &report.sources.source(module.file).name;
            let words = format!("{name}: Valid Rego in {} '{}'", module.kind.as_str(), module.id);
            self.line(Mark::Valid, &words);
        }
    }

    fn lint_summary(&mut self) {
        let lints = self
            .report
            .problems
            .iter()
            .filter(|problem| problem.stage == Stage::Lint);
        let (lints, files) = (lints.count(), self.report.files.len());
        let _ = if lints == 0 {
            writeln!(
                self.text,
                "Regal linting passed: {files} file(s) validated successfully"
            )
        } else {
            writeln!(self.text, "Regal linting completed: {lints} violation(s)")
        };
    }

    fn summary(&mut self) {
        let warnings = self.report.count(Severity::Warning);
        if warnings > 0 {
            let _ = writeln!(self.text, "{warnings} warning(s)");
        }
        let files = self.report.files.len();
        if self.report.count(Severity::Error) == 0 && files > 0 {
            let _ = writeln!(
                self.text,
                "All checks passed: {files} file(s) validated successfully"
            );
        }
    }
}
