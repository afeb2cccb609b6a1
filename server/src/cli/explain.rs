//! `gavel eval --explain`: what happens in an evaluation, one line for each rule, body, line of a rule, value of a variable
//! and failure, indented by calls.

use std::io::{BufWriter, Stderr, Write};

use gavel_compiler::source::FileId;
use gavel_runtime::bytecode::{Extent, FnKind};
use gavel_runtime::vm::{Event, Observer, Reason};

use crate::trace::Texts;
use crate::trace::show::{LINE_CHARS_MAX, because, cut, document, list, show};

/// Calls beyond which lines are not indented further.
const INDENT_MAX: usize = 24;

/// Writes the trace while it happens.
pub(crate) struct Explain<'s> {
    texts: Texts<'s>,
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
    /// A trace of a program made from these texts.
    pub(crate) fn new(texts: Texts<'s>) -> Explain<'s> {
        Explain {
            texts,
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

    /// The line of source at a place, unless it was the last that was shown.
    fn place(&mut self, extent: Extent, steps: usize, is_body: bool) {
        let Some(span) = self.texts.span(extent) else {
            return;
        };
        let row = self.texts.sources.row(span);
        let here = Some((span.file, row));
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if frame.shown == here && !is_body {
            return;
        }
        frame.shown = here;
        let source = self.texts.sources.source(span.file);
        let text = source.text.lines().nth(row as usize - 1).unwrap_or_default();
        let text = format!("{}:{row}: {}", source.name, cut(text.trim(), LINE_CHARS_MAX));
        self.line(steps, &text);
    }

    /// The text that an extent covers, on one line.
    fn text(&self, extent: Extent) -> String {
        cut(&self.texts.text(extent), LINE_CHARS_MAX)
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
                    FnKind::Function | FnKind::Memo => format!("{}({})", document(name), list(args)),
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
            // The value that follows says so.
            Event::Yields(_) => {}
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
                        because(reason, &text)
                    ),
                };
                self.line(3, &text);
            }
        }
    }
}
