//! One run of the linter: files in, findings out in the format that was asked for.

use std::io::Write as _;

use gavel_compiler::check::{self, CheckOptions, Problem, Stage};
use gavel_compiler::diagnostic::{Code, Diagnostic, Severity};
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::policies;
use gavel_compiler::source::SourceMap;

use super::collect::{Targets, collect};
use super::report::Report;
use super::{github, json, line, sarif, text};
use crate::cli::args::{LintArgs, LintFormat};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::dialect;
use crate::cli::domain_file::{self, Unusable};
use crate::cli::load::why;
use crate::cli::references::Roots;
use crate::error::Failure;
use crate::log::{self, Level};
use crate::terminal::{self, Paint, Progress};

/// Lints, and says on standard output what was found.
///
/// # Errors
/// When there are errors among the findings, or nothing to lint; standard output has told them.
pub(crate) fn run(args: &LintArgs) -> Result<(), Failure> {
    let targets = collect(&args.file);
    let options = CheckOptions {
        compile: policies::Options {
            dialect: dialect::of(&args.dialect),
            network: !args.network.allow_net.is_empty(),
            ..policies::Options::default()
        },
        lints: args.regal,
    };
    let roots = Roots::new(&args.roots.rego_root);
    let Outcome {
        report,
        left_out,
        unusable,
    } = on_a_deep_stack(|| lint(targets, &roots, &options))?;
    let written = match args.format {
        LintFormat::Text => {
            let style = text::Style {
                watched: terminal::stdout_is_watched(),
                paint: Paint::stdout(),
                lints: args.regal,
            };
            text::write(&report, &left_out, style)
        }
        LintFormat::Line => line::write(&report),
        LintFormat::Json => json::write(&report)?,
        LintFormat::Sarif => sarif::write(&report)?,
        LintFormat::Github => github::write(&report),
    };
    std::io::stdout()
        .write_all(written.as_bytes())
        .map_err(|error| Failure::Operator(format!("standard output: {error}")))?;
    if args.format != LintFormat::Text {
        for (name, reason) in &left_out {
            log::line(Level::Warn, format_args!("{name}: {reason}"));
        }
    }
    for reason in &unusable {
        log::line(Level::Error, format_args!("{reason}"));
    }
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    if errors > 0 {
        Err(Failure::Policy(format!("linting failed: {errors} error(s)")))
    } else if args.deny_warnings && warnings > 0 {
        Err(Failure::Policy(format!("linting failed: {warnings} warning(s)")))
    } else if report.files.is_empty() {
        Err(Failure::Usage(
            "nothing to lint: no file is a PolicyDomain".to_owned(),
        ))
    } else {
        Ok(())
    }
}

/// What a run made.
struct Outcome {
    report: Report,
    /// Files that were passed over, with the reason.
    left_out: Vec<(String, String)>,
    /// Why files could not be looked at.
    unusable: Vec<String>,
}

fn lint(targets: Targets, roots: &Roots, options: &CheckOptions) -> Outcome {
    let mut sources = SourceMap::default();
    let (mut files, mut documents, mut early) = (Vec::new(), Vec::new(), Vec::new());
    let mut unusable = Vec::new();
    let shown = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let left_out = targets.left_out.into_iter();
    let mut left_out: Vec<_> = left_out.map(|(path, reason)| (shown(path), reason)).collect();
    let failed = targets
        .unreadable
        .into_iter()
        .map(|(path, reason)| (shown(path), Err(Unusable::Unread(reason)), true));
    let mut failed: Vec<_> = failed.collect();
    let progress = Progress::new("reading", targets.files.len());
    for target in targets.files {
        progress.step(&target.path.to_string_lossy());
        let opened = domain_file::open(&mut sources, &target.path, roots);
        failed.push((shown(target.path), opened, target.is_named));
    }
    drop(progress);
    for (name, opened, is_named) in failed {
        let problem = match opened {
            Ok(found) => {
                let kind = found.kind.as_deref();
                let is_domain = matches!(kind, Some("PolicyDomain" | "PolicyDomainReference"));
                if is_named || is_domain {
                    files.push(found.file);
                    documents.push((found.file, found.document));
                } else {
                    let why = match kind {
                        Some(kind) => format!("passed over: its kind is '{kind}', not PolicyDomain"),
                        None => "passed over: without `kind` it is no PolicyDomain".to_owned(),
                    };
                    left_out.push((name, why));
                }
                continue;
            }
            Err(problem) => problem,
        };
        unusable.push(why(&sources, &name, &problem));
        let (file, problems) = match problem {
            Unusable::Unread(reason) => {
                let file = sources.add_file(&name, "");
                let message = format!("failed to read file: {reason}");
                let mut problem = Diagnostic::global(Code::Yaml, message);
                if name.contains(',') {
                    let help = format!("`{name}` is one file: --file does not split at commas");
                    problem = problem.help(help);
                }
                (file, vec![problem])
            }
            Unusable::NotYaml(file, problem) => (file, vec![*problem]),
            Unusable::NotBuilt(file, problems) => (file, problems),
        };
        files.push(file);
        early.extend(problems.into_iter().map(|diagnostic| Problem {
            file: Some(file),
            stage: Stage::Yaml,
            diagnostic,
        }));
    }
    let mut progress = None;
    let mut found = check::check(&mut sources, &documents, options, &mut |count, name| {
        progress
            .get_or_insert_with(|| Progress::new("checking", count))
            .step(name);
    });
    drop(progress);
    advise(&sources, &mut found.problems, options.compile.dialect);
    found.problems.splice(0..0, early);
    Outcome {
        report: Report::new(sources, files, found),
        left_out,
        unusable,
    }
}

/// Texts that all parse in another dialect were most likely written in it: the first of their problems says so.
fn advise(sources: &SourceMap, problems: &mut [Problem], dialect: BaseDialect) {
    let options = ParseOptions {
        base: dialect,
        blanket_import: BlanketImport::Reference,
        ..ParseOptions::default()
    };
    let unparsed = problems.iter().filter(|problem| problem.stage == Stage::Rego);
    let unparsed: Vec<_> = unparsed.map(|problem| problem.diagnostic.clone()).collect();
    let advice = dialect::advice(sources, &unparsed, options);
    let first = problems.iter_mut().find(|problem| problem.stage == Stage::Rego);
    if let (Some(advice), Some(first)) = (advice, first) {
        first.diagnostic.help.push(advice.to_owned());
    }
}
