//! A trace in the columns that OPA's users know: the module and its row, then what happens there, indented by calls.
//!
//! ```text
//! query:1                   | Eval data.authz.allow
//! mrn:iam:policy:clerk:7    | | Enter data.authz.allow (shop.yml:31)
//! mrn:iam:policy:clerk:8    | | | Eval input.operation == "shop:order:read"
//! ```

use std::io::Write as _;

use gavel_runtime::bytecode::{Extent, FnKind};
use gavel_runtime::vm::{Event, Observer, Reason};

use super::Texts;
use super::show::{LINE_CHARS_MAX, because, cut, document, list, show};

/// Calls beyond which lines are not indented further.
const INDENT_MAX: usize = 24;
/// What is collected before it is written: the lines of most decisions come out in one piece.
const BUFFER_BYTES: usize = 64 * 1024;
/// The place of what no module asks.
const QUERY: &str = "query:1";

/// Writes a trace to standard error.
pub(crate) struct Lines<'s> {
    texts: Texts<'s>,
    /// Characters of the first column.
    width: usize,
    out: Vec<u8>,
    /// Running functions, innermost last.
    frames: Vec<Frame>,
}

struct Frame {
    name: String,
    /// Where control is, for lines that have no place of their own.
    place: String,
    /// The body that runs.
    body: Option<Extent>,
    /// Statements of this body that were asked.
    asked: Vec<Extent>,
    /// The one that was asked last, unless something else happened since.
    latest: Option<Extent>,
}

impl<'s> Lines<'s> {
    /// A trace of a program that was made from these texts.
    pub(crate) fn new(texts: Texts<'s>) -> Lines<'s> {
        Lines {
            texts,
            // Room for a row of four digits.
            width: texts.name_chars().saturating_add(5).max(QUERY.len()),
            out: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// Says what is traced next. After an evaluation that ended in an error nothing of it is left.
    pub(crate) fn heading(&mut self, text: &str) {
        self.frames.clear();
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'\n');
    }

    /// Writes what is left.
    pub(crate) fn finish(&mut self) {
        // A standard error that is gone leaves nobody to tell.
        let _ = std::io::stderr().lock().write_all(&self.out);
        self.out.clear();
    }

    /// One line where control is, or at a place to which control comes; `steps` deeper than the running function.
    fn line(&mut self, extent: Option<Extent>, steps: usize, text: &str) {
        if let Some(place) = extent.and_then(|extent| self.texts.place(extent))
            && let Some(frame) = self.frames.last_mut()
        {
            frame.place = place;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.latest = None;
        }
        let place = self.frames.last().map_or(QUERY, |frame| frame.place.as_str());
        let depth = self.frames.len().min(INDENT_MAX) * 2 + steps;
        let bars = "| ".repeat(depth.saturating_sub(1));
        // Writing to a vector cannot fail.
        let _ = writeln!(self.out, "{place:width$} {bars}{text}", width = self.width);
        if self.out.len() >= BUFFER_BYTES {
            self.finish();
        }
    }

    fn text(&self, extent: Extent) -> String {
        cut(&self.texts.text(extent), LINE_CHARS_MAX)
    }

    fn enter(&mut self, text: &str, name: &str) {
        self.line(None, 1, text);
        let place = self
            .frames
            .last()
            .map_or_else(|| QUERY.to_owned(), |frame| frame.place.clone());
        self.frames.push(Frame {
            name: name.to_owned(),
            place,
            body: None,
            asked: Vec::new(),
            latest: None,
        });
    }

    fn leave(&mut self, value: Option<gavel_runtime::value::Value<'_>>) {
        let Some(frame) = self.frames.pop() else { return };
        let text = match value {
            Some(value) => format!("Result {} = {}", frame.name, show(value)),
            None => format!("Result {} is undefined", frame.name),
        };
        self.line(None, 1, &text);
    }

    fn body(&mut self, extent: Extent) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        frame.asked.clear();
        frame.body = Some(extent);
        let name = frame.name.clone();
        let on_disk = self.texts.place_on_disk(extent);
        let on_disk = on_disk.map_or_else(String::new, |place| format!(" ({place})"));
        self.line(Some(extent), 0, &format!("Enter {name}{on_disk}"));
    }

    fn statement(&mut self, extent: Extent) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        // A body without statements, and what stands inside of `not` or `with`.
        if frame.body == Some(extent) || frame.latest == Some(extent) {
            return;
        }
        let again = frame.asked.contains(&extent);
        if !again {
            frame.asked.push(extent);
        }
        let word = if again { "Redo" } else { "Eval" };
        let text = format!("{word} {}", self.text(extent));
        self.line(Some(extent), 1, &text);
        if let Some(frame) = self.frames.last_mut() {
            frame.latest = Some(extent);
        }
    }

    fn failure(&mut self, extent: Extent, reason: Reason<'_>) {
        let whole = self.text(extent);
        let (text, why) = match reason {
            Reason::NoMore => (whole.as_str(), " (no more)".to_owned()),
            Reason::Never => (whole.as_str(), String::new()),
            // It is what `not` stands in front of that fails here.
            _ => {
                let text = whole.strip_prefix("not ").unwrap_or(&whole);
                (text, format!(" ({})", because(reason, text)))
            }
        };
        self.line(Some(extent), 1, &format!("Fail {text}{why}"));
    }
}

impl Observer for Lines<'_> {
    fn event(&mut self, event: &Event<'_>) {
        match *event {
            Event::Enter { name, kind, args } => {
                let name = document(name);
                let word = if self.frames.is_empty() { "Eval" } else { "Call" };
                match kind {
                    FnKind::Query => self.enter("Eval query", "query"),
                    FnKind::Rule => self.enter(&format!("{word} {name}"), name),
                    FnKind::Function | FnKind::Memo => {
                        self.enter(&format!("{word} {name}({})", list(args)), name)
                    }
                }
            }
            Event::Leave(value) => self.leave(value),
            Event::Known { name, value } => {
                let text = match value {
                    Some(value) => format!("Known {} = {}", document(name), show(value)),
                    None => format!("Known {} is undefined", document(name)),
                };
                self.line(None, 1, &text);
            }
            Event::Body(extent) => self.body(extent),
            Event::Yields(extent) => {
                let name = self.frames.last().map_or("", |frame| frame.name.as_str());
                let text = format!("Exit {name}");
                self.line(Some(extent), 0, &text);
            }
            Event::Stmt(extent) => self.statement(extent),
            // Arguments were shown with the call.
            Event::Bound { .. } if self.frames.last().is_none_or(|frame| frame.asked.is_empty()) => {}
            Event::Bound { name, value } => self.line(None, 1, &format!("Unify {name} = {}", show(value))),
            Event::Holds(extent) => {
                let text = format!("Holds {}", self.text(extent));
                self.line(None, 1, &text);
            }
            Event::Fails(extent, reason) => self.failure(extent, reason),
        }
    }
}
