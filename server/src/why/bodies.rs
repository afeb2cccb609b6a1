//! Watches the bodies of rules: which ran for which policy, whether they held, and where they failed.

use std::collections::HashMap;

use gavel_runtime::bytecode::Extent;
use gavel_runtime::decision::{Asked, Phase, Watcher};
use gavel_runtime::vm::{Event, Observer, Reason};

use crate::limits;
use crate::trace::Texts;
use crate::trace::show::{LINE_CHARS_MAX, because, cut, document};

/// A body of a rule that ran. One that ran several times held if it held once.
#[derive(Clone, Debug)]
pub(super) struct Body {
    /// The rule.
    pub(super) rule: String,
    /// The body with its head.
    pub(super) extent: Extent,
    /// All its statements were true.
    pub(super) held: bool,
    /// The statement that failed last, and why.
    pub(super) failure: Option<(Extent, String)>,
}

/// What happened in one policy.
#[derive(Debug)]
pub(super) struct Run {
    phase: Phase,
    id: String,
    policy: String,
    /// Functions that ran, or whose result was known; the policy's own rule first.
    functions: Vec<FunctionKey>,
}

/// Tells functions of one program apart: two of different policies may have one name, but each has it at a place of its
/// own.
type FunctionKey = usize;

fn key_of(name: &str) -> FunctionKey {
    name.as_ptr().addr()
}

/// Collects what happens in one decision.
pub(super) struct Bodies<'t> {
    texts: Texts<'t>,
    runs: Vec<Run>,
    of_functions: HashMap<FunctionKey, Vec<Body>>,
    frames: Vec<Frame>,
    /// Bodies in `of_functions`.
    count: usize,
}

struct Frame {
    function: FunctionKey,
    rule: String,
    /// The body that runs, by its place among those of the function.
    body: Option<usize>,
}

impl<'t> Bodies<'t> {
    /// For a program that was made from these texts.
    pub(super) fn new(texts: Texts<'t>) -> Bodies<'t> {
        Bodies {
            texts,
            runs: Vec::new(),
            of_functions: HashMap::new(),
            frames: Vec::new(),
            count: 0,
        }
    }

    /// The bodies that ran for a policy which this phase asked under this name, each with whether it is of the policy's own
    /// rule.
    pub(super) fn of(&self, phase: Phase, id: &str, policy: &str) -> Vec<(&Body, bool)> {
        let is_it = |run: &&Run| run.phase == phase && run.id == id && run.policy == policy;
        let Some(run) = self.runs.iter().find(is_it) else {
            return Vec::new();
        };
        let functions = run.functions.iter().enumerate();
        let bodies = functions.flat_map(|(at, function)| {
            let bodies = self.of_functions.get(function).map_or(&[][..], Vec::as_slice);
            bodies.iter().map(move |body| (body, at == 0))
        });
        bodies.collect()
    }

    /// More bodies ran than are kept.
    pub(super) fn is_cut(&self) -> bool {
        self.count >= limits::WHY_BODIES_MAX
    }

    fn touch(&mut self, function: FunctionKey) {
        if let Some(run) = self.runs.last_mut()
            && !run.functions.contains(&function)
        {
            run.functions.push(function);
        }
    }

    fn begin(&mut self, extent: Extent) {
        let is_full = self.count >= limits::WHY_BODIES_MAX;
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let bodies = self.of_functions.entry(frame.function).or_default();
        frame.body = bodies.iter().position(|body| body.extent == extent);
        if frame.body.is_none() && !is_full {
            frame.body = Some(bodies.len());
            bodies.push(Body {
                rule: frame.rule.clone(),
                extent,
                held: false,
                failure: None,
            });
            self.count += 1;
        }
    }

    fn body(&mut self) -> Option<&mut Body> {
        let frame = self.frames.last()?;
        self.of_functions.get_mut(&frame.function)?.get_mut(frame.body?)
    }

    fn fails(&mut self, extent: Extent, reason: Reason<'_>) {
        let text = cut(&self.texts.text(extent), LINE_CHARS_MAX);
        let Some(body) = self.body() else { return };
        let is_end = matches!(reason, Reason::NoMore);
        if body.held || is_end && body.failure.is_some() {
            return;
        }
        let why = match reason {
            Reason::NoMore => "no more members".to_owned(),
            Reason::Never => "never true".to_owned(),
            _ => because(reason, text.strip_prefix("not ").unwrap_or(&text)),
        };
        body.failure = Some((extent, why));
    }
}

impl Watcher for Bodies<'_> {
    fn asks(&mut self, asked: &Asked<'_>) -> Option<&mut dyn Observer> {
        // A policy that was aborted leaves its frames behind.
        self.frames.clear();
        self.runs.push(Run {
            phase: asked.phase,
            id: asked.id.to_owned(),
            policy: asked.policy.to_owned(),
            functions: Vec::new(),
        });
        Some(self)
    }
}

impl Observer for Bodies<'_> {
    fn event(&mut self, event: &Event<'_>) {
        match *event {
            Event::Enter { name, .. } => {
                self.touch(key_of(name));
                self.frames.push(Frame {
                    function: key_of(name),
                    rule: document(name).to_owned(),
                    body: None,
                });
            }
            Event::Leave(_) => {
                self.frames.pop();
            }
            Event::Known { name, .. } => self.touch(key_of(name)),
            Event::Body(extent) => self.begin(extent),
            Event::Yields(_) => {
                if let Some(body) = self.body() {
                    body.held = true;
                    body.failure = None;
                }
            }
            Event::Fails(extent, reason) => self.fails(extent, reason),
            Event::Stmt(_) | Event::Holds(_) | Event::Bound { .. } => {}
        }
    }
}
