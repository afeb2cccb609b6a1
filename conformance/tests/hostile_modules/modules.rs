//! Hostile Rego modules by shape: each shape fills a number of bytes with one construct.

mod bodies;
mod chains;
mod nested;
mod rules;
mod terms;
mod texts;

/// A shape: its name, and its text of about a number of bytes.
pub(crate) struct Shape {
    /// What it does too much of.
    pub(crate) name: &'static str,
    make: fn(usize) -> String,
}

impl Shape {
    /// Module text of at most `bytes` bytes (and a few for the frame).
    pub(crate) fn text(&self, bytes: usize) -> String {
        (self.make)(bytes)
    }
}

/// All shapes.
pub(crate) fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    shapes.extend(nested::nested());
    shapes.extend(chains::chains());
    shapes.extend(rules::rules());
    shapes.extend(bodies::bodies());
    shapes.extend(terms::terms());
    shapes.extend(texts::texts());
    shapes
}

const HEAD: &str = "package h\n\nimport rego.v1\n\n";

/// `head`, then pieces as long as they fit, then `tail`.
fn fill(bytes: usize, head: &str, tail: &str, piece: impl Fn(usize) -> String) -> String {
    let mut text = format!("{HEAD}{head}");
    for at in 0.. {
        let next = piece(at);
        if text.len() + next.len() + tail.len() > bytes {
            break;
        }
        text.push_str(&next);
    }
    text.push_str(tail);
    text
}

/// `open` as often as it fits with its `close`, around `core`.
fn nest(bytes: usize, head: &str, open: &str, core: &str, close: &str) -> String {
    nest_to(bytes, usize::MAX, head, open, core, close)
}

/// [`nest`], not deeper than `most`.
fn nest_to(bytes: usize, most: usize, head: &str, open: &str, core: &str, close: &str) -> String {
    let frame = HEAD.len() + head.len() + core.len();
    let depth = (bytes.saturating_sub(frame) / (open.len() + close.len())).min(most);
    format!(
        "{HEAD}{head}{}{core}{}\n",
        open.repeat(depth),
        close.repeat(depth)
    )
}

macro_rules! listed {
    ($($name:literal => $make:expr,)*) => { vec![$(Shape { name: $name, make: $make }),*] };
}

use listed;
