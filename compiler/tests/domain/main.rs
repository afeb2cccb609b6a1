//! PolicyDomain files: text in, problem lines or tables out.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod annotations;
mod fingerprints;
mod inline;
mod problems;
mod yaml;

use gavel_compiler::diagnostic::{Diagnostic, Severity};
use gavel_compiler::domain::{self, DomainSet};
use gavel_compiler::source::{FileId, SourceMap};

/// Loads texts as files `1.yml`, `2.yml`, …
fn load(texts: &[&str]) -> (SourceMap, Result<DomainSet, Vec<Diagnostic>>) {
    let mut sources = SourceMap::default();
    let files: Vec<FileId> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| sources.add_file(&format!("{}.yml", at + 1), text))
        .collect();
    let loaded = domain::load(&mut sources, &files);
    (sources, loaded)
}

/// One line for each diagnostic: `FILE:LINE:COLUMN: CODE: MESSAGE`.
fn lines(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        if let Some(span) = diagnostic.span {
            let at = sources.position(sources.on_disk(span));
            text.push_str(&format!(
                "{}:{}:{}: ",
                sources.source(span.file).name,
                at.row,
                at.col
            ));
        }
        let kind = if diagnostic.severity == Severity::Warning {
            "warning: "
        } else {
            ""
        };
        text.push_str(&format!("{kind}{}\n", diagnostic.headline()));
    }
    text
}

/// A v1beta1 domain with one policy `p` and the given sections.
fn domain_text(name: &str, sections: &str) -> String {
    format!(
        "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {{name: {name}}}\nspec:\n  \
         policies:\n    - {{mrn: p, rego: \"package authz\"}}\n{sections}"
    )
}
