//! Counts what the machine executes for requests, by an observer of its loop.

use crate::subject::Subject;
use gavel_benches::corpus;
use gavel_compiler::opt::Passes;
use gavel_compiler::policies::Options;
use gavel_compiler::source::SourceMap;
use gavel_runtime::bytecode::Op;
use gavel_runtime::decision::{Asked, Watcher};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::vm::{Event, Observer};
use std::collections::BTreeMap;

/// One op behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    /// Names of the ops.
    pub(crate) ops: [&'static str; 2],
    /// The second stands right behind the first; else control went to it.
    pub(crate) is_next: bool,
}

/// Executed instructions.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// By op.
    pub(crate) ops: BTreeMap<&'static str, u64>,
    /// By op and the one that ran after it in the same run of the machine.
    pub(crate) pairs: BTreeMap<Pair, u64>,
    last: Option<(Op, u32)>,
}

impl Counted {
    /// All of them.
    pub(crate) fn total(&self) -> u64 {
        self.ops.values().sum()
    }
}

impl Observer for Counted {
    fn event(&mut self, _: &Event<'_>) {}

    fn instruction(&mut self, op: Op, word: u32) {
        *self.ops.entry(op.name()).or_default() += 1;
        if let Some((last, at)) = self.last.replace((op, word)) {
            let words = if last.shape().is_wide() { 2 } else { 1 };
            let pair = Pair {
                ops: [last.name(), op.name()],
                is_next: at + words == word,
            };
            *self.pairs.entry(pair).or_default() += 1;
        }
    }
}

impl Watcher for Counted {
    fn asks(&mut self, _: &Asked<'_>) -> Option<&mut dyn Observer> {
        self.last = None;
        Some(self)
    }
}

/// Instructions of all requests of a subject, compiled with some passes.
pub(crate) fn executed(subject: &Subject, passes: Passes) -> Result<Counted, String> {
    let mut sources = SourceMap::default();
    let mut files = Vec::new();
    for domain in &subject.domains {
        let name = domain.display().to_string();
        let text = std::fs::read_to_string(domain).map_err(|error| format!("{name}: {error}"))?;
        files.push(sources.add_file(&name, &text));
    }
    let options = Options {
        dialect: subject.dialect,
        optimise: passes,
        ..Options::default()
    };
    let parts = gavel_compiler::compile_parts(&mut sources, &files, &options)
        .map_err(|problems| format!("{problems:?}"))?
        .parts;
    let image = Image::new(parts).map_err(|error| error.to_string())?;
    let mut decider = corpus::decider(&image);
    let mut counted = Counted::default();
    for (name, body) in &subject.requests {
        let decided = decider.decide_watched(&image, body, Trailing::Ignore, &corpus::env(), &mut counted);
        // What is refused runs nothing; among golden decisions there are requests that nobody can read.
        if let Err(refusal) = decided
            && !subject.has_unreadable
        {
            return Err(format!("{name}: {refusal}"));
        }
    }
    Ok(counted)
}
