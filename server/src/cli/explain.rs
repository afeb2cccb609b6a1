//! `gavel eval --explain`: what happens in an evaluation, one line for each rule, body, line of a rule, value of a variable
//! and failure, indented by calls.

use std::collections::HashMap;
use std::io::{BufWriter, Stderr, Write};

use gavel_compiler::source::{FileId, SourceMap, Span};
use gavel_runtime::bytecode::{Extent, FnKind, Program};
use gavel_runtime::json::{Escape, write_string};
use gavel_runtime::value::{Kind, Value};
use gavel_runtime::vm::{Event, Observer, Reason};

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 120;
/// Characters of a line of source that are shown.
const LINE_CHARS_MAX: usize = 100;
/// Calls beyond which lines are not indented further.
const INDENT_MAX: usize = 24;

/// Writes the trace while it happens.
pub(crate) struct Explain<'s> {
    sources: &'s SourceMap,
    program: &'s Program,
    files: HashMap<String, FileId>,
    out: BufWriter<Stderr>,
    /// Running functions, innermost last.
    frames: Vec<Frame>,
}

struct Frame {
    name: String,
    /// File and row that was shown last.
    shown: Option<(FileId, u32)>,
}

impl<'s> Explain<'s> {
    /// A trace of a program made from these sources.
    pub(crate) fn new(sources: &'s SourceMap, program: &'s Program) -> Explain<'s> {
        let files = (0..sources.len())
            .filter_map(|at| u32::try_from(at).ok())
            .map(|at| (sources.source(FileId(at)).name.to_string(), FileId(at)))
            .collect();
        Explain {
            sources,
            program,
            files,
            out: BufWriter::new(std::io::stderr()),
            frames: Vec::new(),
        }
    }

    /// Writes what is left.
    pub(crate) fn finish(&mut self) {
        // A standard error that is gone leaves nobody to tell.
        let _ = self.out.flush();
    }

    /// One line, `steps` deeper than the running function.
    fn line(&mut self, steps: usize, text: &str) {
        let depth = self.frames.len().saturating_sub(1).min(INDENT_MAX) * 2 + steps;
        let _ = writeln!(self.out, "{:width$}{text}", "", width = depth * 2);
    }

    fn span(&self, extent: Extent) -> Option<Span> {
        let name = self.program.source_name(extent.source)?;
        Some(Span {
            file: *self.files.get(name)?,
            start: extent.start,
            end: extent.end,
        })
    }

    /// The line of source at a place, unless it was the last that was shown.
    fn place(&mut self, extent: Extent, steps: usize, is_body: bool) {
        let Some(span) = self.span(extent) else { return };
        let row = self.sources.position(span).row;
        let here = Some((span.file, row));
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if frame.shown == here && !is_body {
            return;
        }
        frame.shown = here;
        let source = self.sources.source(span.file);
        let text = source.text.lines().nth(row as usize - 1).unwrap_or_default();
        let text = format!("{}:{row}: {}", source.name, cut(text.trim(), LINE_CHARS_MAX));
        self.line(steps, &text);
    }

    /// The text that an extent covers, on one line.
    fn text(&self, extent: Extent) -> String {
        let text = self.span(extent).map_or("", |span| self.sources.slice(span));
        let words: Vec<&str> = text.split_whitespace().collect();
        cut(&words.join(" "), LINE_CHARS_MAX)
    }
}

impl Observer for Explain<'_> {
    fn event(&mut self, event: &Event<'_>) {
        match *event {
            Event::Enter { name, kind, args } => {
                self.frames.push(Frame {
                    name: document(name).to_owned(),
                    shown: None,
                });
                let text = match kind {
                    FnKind::Query => "query".to_owned(),
                    FnKind::Rule => document(name).to_owned(),
                    FnKind::Function => format!("{}({})", document(name), list(args)),
                };
                self.line(0, &text);
            }
            Event::Leave(value) => {
                let name = self
                    .frames
                    .last()
                    .map(|frame| frame.name.clone())
                    .unwrap_or_default();
                if name.starts_with("query") {
                    // Its value is the result that is printed.
                    self.frames.pop();
                    return;
                }
                let text = match value {
                    Some(value) => format!("{name} = {}", show(value)),
                    None => format!("{name} is undefined"),
                };
                self.line(0, &text);
                self.frames.pop();
            }
            Event::Known { name, value } => {
                let text = match value {
                    Some(value) => format!("{} = {} (known)", document(name), show(value)),
                    None => format!("{} is undefined (known)", document(name)),
                };
                self.line(2, &text);
            }
            Event::Body(extent) => self.place(extent, 1, true),
            Event::Stmt(extent) => self.place(extent, 2, false),
            // Arguments were shown with the call.
            Event::Bound { .. } if self.frames.last().is_none_or(|frame| frame.shown.is_none()) => {}
            Event::Bound { name, value } => self.line(3, &format!("{name} = {}", show(value))),
            Event::Holds(extent) => {
                let text = format!("holds: {}", self.text(extent));
                self.line(3, &text);
            }
            Event::Fails(extent, reason) => {
                self.place(extent, 2, false);
                let text = self.text(extent);
                let text = match reason {
                    Reason::NoMore => format!("no more: {text}"),
                    Reason::Never => format!("fails: {text}"),
                    // It is what `not` stands in front of that fails here.
                    _ => format!(
                        "fails: {} ({})",
                        text.strip_prefix("not ").unwrap_or(&text),
                        because(&as_written(reason, &text))
                    ),
                };
                self.line(3, &text);
            }
        }
    }
}

/// The document behind a function of the program, without what tells variants of it apart.
pub(crate) fn document(name: &str) -> &str {
    let variants = ["keyed ", "leaf ", "extent ", "children ", "inside "];
    variants
        .iter()
        .find_map(|variant| name.strip_prefix(variant))
        .unwrap_or(name)
}

/// The machine knows `>` as `<` with its sides exchanged.
fn as_written<'v>(reason: Reason<'v>, text: &str) -> Reason<'v> {
    let is_greater = text.contains('>') && !text.contains('<');
    match reason {
        Reason::Compare(left, "<", right) if is_greater => Reason::Compare(right, ">", left),
        Reason::Compare(left, "<=", right) if is_greater => Reason::Compare(right, ">=", left),
        other => other,
    }
}

fn because(reason: &Reason<'_>) -> String {
    match *reason {
        Reason::Never | Reason::NoMore => String::new(),
        Reason::Undefined => "undefined".to_owned(),
        Reason::NoMember(of, key) => format!("{} has no member {}", show(of), show(key)),
        Reason::False => "false".to_owned(),
        Reason::Compare(left, sign, right) => format!("not {} {sign} {}", show(left), show(right)),
        Reason::Shape(value) => format!("{} has another shape", show(value)),
        Reason::Builtin(name, args) => format!("{name}({}) has no result", list(args)),
    }
}

fn list(values: &[Value<'_>]) -> String {
    let values: Vec<String> = values.iter().map(|value| show(*value)).collect();
    values.join(", ")
}

/// Rego text of a value, cut where it is long.
fn show(value: Value<'_>) -> String {
    let mut text = String::new();
    write(&mut text, value);
    cut(&text, VALUE_CHARS_MAX)
}

/// Writes until there is more than will be shown.
fn write(out: &mut String, value: Value<'_>) {
    if out.len() > 4 * VALUE_CHARS_MAX {
        return;
    }
    let separate = |out: &mut String, at: usize| {
        if at > 0 {
            out.push_str(", ");
        }
    };
    match value.kind() {
        Kind::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().take(VALUE_CHARS_MAX).enumerate() {
                separate(out, at);
                write(out, *item);
            }
            out.push(']');
        }
        Kind::Set([]) => out.push_str("set()"),
        Kind::Set(members) => {
            out.push('{');
            for (at, member) in members.iter().take(VALUE_CHARS_MAX).enumerate() {
                separate(out, at);
                write(out, *member);
            }
            out.push('}');
        }
        Kind::Object(entries) => {
            out.push('{');
            for (at, entry) in entries.iter().take(VALUE_CHARS_MAX).enumerate() {
                separate(out, at);
                write(out, entry.key);
                out.push_str(": ");
                write(out, entry.value);
            }
            out.push('}');
        }
        Kind::String(text) => {
            let mut bytes = Vec::new();
            write_string(&mut bytes, &cut(text, VALUE_CHARS_MAX), Escape::Plain);
            out.push_str(&String::from_utf8_lossy(&bytes));
        }
        _ => {
            let mut bytes = Vec::new();
            match gavel_runtime::json::write(&mut bytes, value, Escape::Plain) {
                Ok(()) => out.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => out.push('…'),
            }
        }
    }
}

fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
