//! Text of diagnostics: the long form with excerpts, and one line each. The only user of the rendering crate.
//!
//! Places are those of the file on disk: a span of a Rego module inside YAML is shown in the YAML that the author edits.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{FileId, SourceMap, Span};

/// Lines of one span that are shown. Entries of a PolicyDomain can be hundreds of lines long.
const UNDERLINED_LINES_MAX: usize = 6;

/// Bytes of the lines of one excerpt; of longer ones, as in a file that is one line, only the place is told.
const EXCERPT_BYTES_MAX: usize = 16 << 10;

/// Each diagnostic with the lines it speaks of, a blank line behind each.
#[must_use]
pub fn text(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let renderer = Renderer::plain();
    let mut report = String::new();
    for diagnostic in diagnostics {
        let title = level(diagnostic)
            .primary_title(title(diagnostic))
            .id(diagnostic.code.as_str());
        let help = diagnostic
            .help
            .iter()
            .map(|line| Element::from(Level::HELP.message(line.as_str())));
        let group = title.elements(excerpts(sources, diagnostic)).elements(help);
        report.push_str(&renderer.render(&[group]));
        report.push_str("\n\n");
    }
    report
}

/// The lines that a diagnostic speaks of and its advice, without a headline; empty if there are neither.
#[must_use]
pub fn excerpt(sources: &SourceMap, diagnostic: &Diagnostic, colour: bool) -> String {
    let help = diagnostic
        .help
        .iter()
        .map(|line| Element::from(Level::HELP.message(line.as_str())));
    let group = Group::with_level(level(diagnostic))
        .elements(excerpts(sources, diagnostic))
        .elements(help);
    if group.is_empty() {
        return String::new();
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group])
}

fn level(diagnostic: &Diagnostic) -> Level<'static> {
    match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// The message without the code that stands in front of it anyway.
fn title(diagnostic: &Diagnostic) -> &str {
    let message = diagnostic.message.as_str();
    let bare = message.strip_prefix(diagnostic.code.as_str());
    bare.and_then(|bare| bare.strip_prefix(": ")).unwrap_or(message)
}

/// `file:line:col: code: message`, one line for each diagnostic. Without a place the position is left out.
#[must_use]
pub fn lines(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut report = String::new();
    for diagnostic in diagnostics {
        // Writing to a string cannot fail.
        if let Some(span) = diagnostic.span.map(|span| sources.on_disk(span)) {
            let place = sources.position(span);
            let name = &sources.source(span.file).name;
            let _ = write!(report, "{name}:{}:{}: ", place.row, place.col);
        } else if let Some(label) = diagnostic.labels.first() {
            let span = sources.on_disk(label.span);
            let _ = write!(report, "{}: ", sources.source(span.file).name);
        }
        let _ = writeln!(report, "{}", diagnostic.headline().replace('\n', " "));
    }
    report
}

/// What is underlined in one file.
struct Marks<'d> {
    file: FileId,
    marks: Vec<(Range<usize>, Option<&'d str>, AnnotationKind)>,
}

/// One excerpt for each file that the diagnostic speaks of, the file of its own place first.
fn excerpts<'d>(sources: &'d SourceMap, diagnostic: &'d Diagnostic) -> Vec<Element<'d>> {
    let mut files: Vec<Marks<'d>> = Vec::new();
    let mut mark = |span: Span, text: Option<&'d str>, kind: AnnotationKind| {
        let span = sources.on_disk(span);
        let range = underlined(&sources.source(span.file).text, span);
        match files.iter_mut().find(|found| found.file == span.file) {
            Some(found) => found.marks.push((range, text, kind)),
            None => files.push(Marks {
                file: span.file,
                marks: vec![(range, text, kind)],
            }),
        }
    };
    let own_text = diagnostic
        .span
        .and_then(|span| diagnostic.labels.iter().find(|label| label.span == span));
    if let Some(span) = diagnostic.span {
        mark(
            span,
            own_text.map(|label| label.text.as_str()),
            AnnotationKind::Primary,
        );
    }
    for label in &diagnostic.labels {
        if own_text.is_some_and(|own| std::ptr::eq(own, label)) {
            continue;
        }
        let text = Some(label.text.as_str()).filter(|text| !text.is_empty());
        mark(label.span, text, AnnotationKind::Context);
    }
    files.into_iter().map(|found| snippet(sources, found)).collect()
}

/// The part of a span that is worth underlining: without the blanks at its end, and of what is long the first line.
fn underlined(text: &str, span: Span) -> Range<usize> {
    let (start, end) = (span.start as usize, span.end as usize);
    let Some(covered) = text.get(start..end) else {
        return start..end;
    };
    let covered = covered.trim_end();
    let first = covered.lines().next().unwrap_or("");
    let shown = if covered.lines().nth(UNDERLINED_LINES_MAX).is_some() {
        first
    } else {
        covered
    };
    start..start + shown.trim_end().len()
}

fn snippet<'d>(sources: &'d SourceMap, marks: Marks<'d>) -> Element<'d> {
    let source = sources.source(marks.file);
    let first = marks.marks.iter().map(|mark| mark.0.start).min().unwrap_or(0);
    let last = marks.marks.iter().map(|mark| mark.0.end).max().unwrap_or(0);
    let window = source.whole_lines(first, last);
    if window.len() > EXCERPT_BYTES_MAX {
        let own = marks.marks.first().map_or(first, |mark| mark.0.start);
        let position = sources.position(at(marks.file, own));
        return Origin::path(source.name.as_ref())
            .line(position.row as usize)
            .char_column(position.col as usize)
            .into();
    }
    let row = sources.row(at(marks.file, window.start));
    let annotations = marks.marks.into_iter().map(|(range, text, kind)| {
        let inside = |offset: usize| offset.clamp(window.start, window.end) - window.start;
        kind.span(inside(range.start)..inside(range.end)).label(text)
    });
    Snippet::source(source.text.get(window.clone()).unwrap_or(""))
        .path(source.name.as_ref())
        .line_start(row as usize)
        .annotations(annotations)
        .into()
}

fn at(file: FileId, offset: usize) -> Span {
    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
    Span {
        file,
        start: offset,
        end: offset,
    }
}
