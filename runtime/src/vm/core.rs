//! The memory of one core: the arena and all lists that a request works with, kept warm from request to request.

use super::RequestEnv;
use super::calls::Frame;
use super::machine::Request;
use super::rare::Rare;
use super::rules::{Outcome, RuleCell, Rules};
use crate::arena::Arena;
use crate::builtins::Fetch;
use crate::builtins::caches::Caches;
use crate::bytecode::Program;
use crate::input::{Cell, InputDoc, Replacements};
use crate::limits::{DEADLINE_POLL_FUEL, Limits};
use crate::value::Value;

/// All scratch memory of one core. Not shared: each core has its own.
pub struct Vm {
    limits: Limits,
    arena: Arena,
    body: Vec<u8>,
    caches: Caches,
    spare: Spare,
}

/// The lists of a request while no request is running: empty, with their memory.
#[derive(Default)]
pub(super) struct Spare {
    regs: Vec<Value<'static>>,
    cells: Vec<Cell<'static>>,
    pub(super) replacements: Replacements<'static>,
    parts: Vec<Value<'static>>,
    pub(super) rare: Rare<'static>,
    frames: Vec<Frame>,
    /// Its cells keep their contents: they are stamped with epochs that never come again.
    rules: Rules<'static>,
}

impl Vm {
    /// A machine with its buffers ready.
    #[must_use]
    pub fn new(limits: &Limits) -> Vm {
        let mut spare = Spare::default();
        spare.regs.reserve(1024);
        spare.frames.reserve(64);
        spare.rules.outcomes.reserve(256);
        // The lists of usual requests have fewer elements.
        spare.parts.reserve(256);
        Vm {
            limits: *limits,
            arena: Arena::keeping(
                limits.arena_warm_bytes,
                limits.arena_keep_bytes,
                limits.arena_max_bytes,
            ),
            body: Vec::with_capacity(limits.body_warm_bytes),
            caches: Caches::default(),
            spare,
        }
    }

    /// Bytes that it holds on to, without the pattern caches.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let spare = &self.spare;
        self.arena.used_bytes()
            + self.body.capacity()
            + (spare.regs.capacity() + spare.parts.capacity()) * size_of::<Value<'_>>()
            + (spare.cells.capacity() + spare.replacements.saved_cells.capacity()) * size_of::<Cell<'_>>()
            + spare.rules.outcomes.capacity() * size_of::<Outcome<'_>>()
            + spare.frames.capacity() * size_of::<Frame>()
            + spare.rules.cells.capacity() * size_of::<RuleCell>()
    }

    /// Gives this machine a network. Without one, `http.send` ends the evaluation.
    pub fn lend_network(&mut self, fetch: Fetch) {
        self.caches.fetch = Some(fetch);
    }

    /// Starts a request: the arena is emptied, the input is undefined, nothing is cached.
    pub fn request<'v>(&'v mut self, program: &'v Program, env: &RequestEnv) -> Request<'v> {
        let Vm {
            limits,
            arena,
            body,
            caches,
            spare,
        } = self;
        arena.reset();
        let arena: &'v Arena = arena;
        let rule_cells = &mut spare.rules.cells;
        if rule_cells.len() < program.functions.len() {
            rule_cells.resize(program.functions.len(), RuleCell::EMPTY);
        }
        let mut request = Request {
            program,
            arena,
            env: *env,
            limits,
            fuel: limits.fuel,
            poll_at: limits.fuel.saturating_sub(DEADLINE_POLL_FUEL),
            doc: InputDoc::default(),
            base: program.base().unwrap_or(Value::UNSET),
            regs: Vec::new(),
            frames: Vec::new(),
            rules: std::mem::take(&mut spare.rules),
            rare: None,
            mock_base: 0,
            caches,
            body: Some(body),
            home: spare,
        };
        // Filled in where the request stays. A list that is written into a value that is moved then is read again at once, by
        // wider loads than its stores were, and such loads wait for the stores. What was put together long ago is moved as it is.
        let spare = &mut *request.home;
        request.doc.cells = std::mem::take(&mut spare.cells);
        request.doc.parts = std::mem::take(&mut spare.parts);
        request.regs = std::mem::take(&mut spare.regs);
        request.frames = std::mem::take(&mut spare.frames);
        request
    }
}

impl Drop for Request<'_> {
    /// Gives the lists back, emptied.
    fn drop(&mut self) {
        let spare = &mut *self.home;
        let doc = &mut self.doc;
        spare.cells = emptied(std::mem::take(&mut doc.cells));
        spare.parts = emptied(std::mem::take(&mut doc.parts));
        spare.regs = emptied(std::mem::take(&mut self.regs));
        spare.frames = std::mem::take(&mut self.frames);
        spare.rules = std::mem::take(&mut self.rules).emptied();
        spare.frames.clear();
        if let Some(rare) = self.rare.take() {
            spare.rare = rare.emptied();
        }
        if let Some(kept) = self.doc.replacements.take() {
            spare.replacements = Replacements {
                present: emptied(kept.present),
                saved_cells: emptied(kept.saved_cells),
                saved: emptied(kept.saved),
            };
        }
    }
}

/// The memory of a list for items that differ in their lifetime alone: collecting in place reuses it, as the counting of
/// allocations in the tests shows.
#[inline]
pub(super) fn emptied<A, B>(mut list: Vec<A>) -> Vec<B> {
    if list.capacity() == 0 {
        // Most programs need only some of the lists.
        return Vec::new();
    }
    list.clear();
    list.into_iter().filter_map(|_| None).collect()
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
