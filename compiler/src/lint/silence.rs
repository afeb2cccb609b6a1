//! Comments that silence lints: `# gavel: allow(code, …)` on the line of a finding or alone on the line before it, and
//! above everything else in a module or file for all of it. What silences nothing is a finding itself.

use std::collections::HashMap;

use super::findings::Findings;
use super::rule::Rule;
use crate::ast::Module;
use crate::diagnostic::{Code, Diagnostic};
use crate::domain::yaml;
use crate::source::{FileId, SourceMap, Span};

/// All such comments of a compilation.
pub(super) struct Silences<'s> {
    sources: &'s SourceMap,
    list: Vec<Silence>,
    /// By text, row in it (`None`: all of it) and lint: indices into `list`.
    covers: HashMap<(FileId, Option<u32>, Rule), usize>,
}

/// One code of one comment.
struct Silence {
    rule: Rule,
    span: Span,
    used: bool,
}

/// A comment and whether it stands alone on its line.
struct Comment<'t> {
    span: Span,
    text: &'t str,
    alone: bool,
}

const MARK: &str = "gavel:";

impl<'s> Silences<'s> {
    pub(super) fn new(sources: &'s SourceMap) -> Silences<'s> {
        Silences {
            sources,
            list: Vec::new(),
            covers: HashMap::new(),
        }
    }

    /// Takes the comments of a module.
    pub(super) fn module(&mut self, module: &Module<'_>, findings: &mut Findings) {
        let marked = module
            .comments
            .iter()
            .filter(|comment| comment.text.contains(MARK));
        let comments: Vec<_> = marked.map(|comment| (comment.span, comment.text)).collect();
        self.take(
            module.package.span.file,
            &comments,
            module.package.span.start,
            findings,
        );
    }

    /// Takes the comments of a YAML file.
    pub(super) fn yaml(&mut self, file: FileId, findings: &mut Findings) {
        let text = &self.sources.source(file).text;
        if !text.contains(MARK) {
            return;
        }
        let Ok(document) = yaml::parse(file, text) else {
            return;
        };
        let scalars = document.scalar_spans();
        let in_scalar = |at: u32| {
            let behind = scalars.partition_point(|span| span.start <= at);
            let before = behind.checked_sub(1).and_then(|nth| scalars.get(nth));
            before.is_some_and(|span| at < span.end)
        };
        let comments = marked_comments(file, text);
        let comments: Vec<_> = comments.filter(|(span, _)| !in_scalar(span.start)).collect();
        let first = scalars.first().map_or(0, |span| span.start);
        self.take(file, &comments, first, findings);
    }

    /// `first`: where the text's first word stands that is no comment.
    fn take(&mut self, file: FileId, comments: &[(Span, &str)], first: u32, findings: &mut Findings) {
        if comments.is_empty() {
            return;
        }
        let text = &self.sources.source(file).text;
        let next_rows = rows_of_next_words(text);
        for &(span, text_behind) in comments {
            let line_start = text
                .get(..span.start as usize)
                .map_or("", |before| before.rsplit('\n').next().unwrap_or(""));
            let comment = Comment {
                span,
                text: text_behind,
                alone: line_start.trim().is_empty(),
            };
            let own_row = self.sources.row(span);
            let row = if !comment.alone {
                Some(own_row)
            } else if span.start < first {
                None
            } else {
                next_rows.get(own_row as usize).copied().or(Some(own_row))
            };
            self.comment(&comment, row, findings);
        }
    }

    fn comment(&mut self, comment: &Comment<'_>, row: Option<u32>, findings: &mut Findings) {
        let Some(order) = comment.text.trim().strip_prefix(MARK) else {
            return;
        };
        let help = "write `# gavel: allow(CODE)`; `docs/lints.md` has the codes";
        let codes = order
            .trim()
            .strip_prefix("allow(")
            .and_then(|rest| rest.split_once(')'));
        let Some((codes, _)) = codes else {
            let message = format!("`{}` is no order that gavel knows", comment.text.trim());
            findings.add(Rule::UnknownLint, comment.span, message, help);
            return;
        };
        for code in codes.split(',').map(str::trim) {
            let Some(rule) = Rule::find(code) else {
                let message = format!("there is no lint `{code}`");
                findings.add(Rule::UnknownLint, comment.span, message, help);
                continue;
            };
            let key = (comment.span.file, row, rule);
            if let std::collections::hash_map::Entry::Vacant(free) = self.covers.entry(key) {
                free.insert(self.list.len());
                self.list.push(Silence {
                    rule,
                    span: comment.span,
                    used: false,
                });
            }
        }
    }

    /// Whether a comment silences a finding; the comment counts as used then.
    pub(super) fn silences(&mut self, finding: &Diagnostic) -> bool {
        let (Code::Lint(rule), Some(span)) = (finding.code, finding.span) else {
            return false;
        };
        let own = (span.file, self.sources.row(span));
        let in_yaml = self.sources.in_yaml(span);
        let outer = (in_yaml.file, self.sources.row(in_yaml));
        let mut silenced = false;
        for (file, row) in [own, outer] {
            for row in [Some(row), None] {
                let found = self.covers.get(&(file, row, rule)).copied();
                if let Some(silence) = found.and_then(|at| self.list.get_mut(at)) {
                    silence.used = true;
                    silenced = true;
                }
            }
        }
        silenced
    }

    /// Reports the comments that silenced nothing.
    pub(super) fn unused(&self, findings: &mut Findings) {
        let unused = self
            .list
            .iter()
            .filter(|silence| !silence.used && silence.rule != Rule::UnusedSilence);
        for silence in unused {
            let message = format!("nothing here for `{}` to be silent about", silence.rule.code());
            let help = "take the code out; a comment covers its own line, or the next one if it stands alone";
            findings.add(Rule::UnusedSilence, silence.span, message, help);
        }
    }
}

/// For each row (from 0, as an index for the row above it, which counts from 1) the row of the next word that is no comment.
fn rows_of_next_words(text: &str) -> Vec<u32> {
    let mut rows: Vec<u32> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (line, row) in text.split('\n').zip(1u32..) {
        let line = line.trim();
        open.push(rows.len());
        rows.push(row);
        if !line.is_empty() && !line.starts_with('#') {
            for at in open.drain(..) {
                if let Some(slot) = rows.get_mut(at) {
                    *slot = row;
                }
            }
        }
    }
    rows
}

/// Pieces `# gavel: …` of a YAML text that could be comments, with what stands behind the `#`.
fn marked_comments(file: FileId, text: &str) -> impl Iterator<Item = (Span, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let line_start = at;
        at += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        let mark = line.rfind(MARK)?;
        let hash = line.get(..mark)?.rfind('#')?;
        let before = line.get(..hash)?;
        let starts = before.is_empty() || before.ends_with([' ', '\t']);
        let behind = line.get(hash + 1..)?;
        let offset = |byte: usize| u32::try_from(line_start + byte).unwrap_or(u32::MAX);
        let span = Span {
            file,
            start: offset(hash),
            end: offset(line.len()),
        };
        (starts && behind.trim_start().starts_with(MARK)).then_some((span, behind))
    })
}
