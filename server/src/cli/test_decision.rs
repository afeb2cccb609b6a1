//! `gavel test decision`: one PORC in, its access record out. A denial is a success, too.

use std::io::Write as _;

use gavel_runtime::decision::{Decider, Watcher, write_json};
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;

use crate::cli::args::{DecisionArgs, Global};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::input;
use crate::cli::load::{self, Loaded};
use crate::error::Failure;
use crate::random::Random;
use crate::serve::desk;
use crate::trace::DecisionTrace;

/// Decides once. The domains are loaded before the input is read.
///
/// # Errors
/// Domains or input that cannot be used; then nothing is printed.
pub(crate) fn run(args: &DecisionArgs, global: &Global) -> Result<(), Failure> {
    let loaded = load::load(&args.domains, global)?;
    let body = input::bytes(args.input.as_deref())?;
    let decided = on_a_deep_stack(|| decide_traced(&loaded, &body))?;
    let record = decided.map_err(|failure| {
        let name = input::name(args.input.as_deref());
        let is_empty = body.iter().all(u8::is_ascii_whitespace);
        let hint = if is_empty {
            " (it is empty, and should be a PORC)"
        } else {
            ""
        };
        Failure::Input(format!("{name}: {failure}{hint}"))
    })?;
    std::io::stdout()
        .write_all(&record)
        .map_err(|e| Failure::Operator(format!("standard output: {e}")))
}

/// The record of the decision over one PORC, with a trace of it if one was asked for.
///
/// # Errors
/// As [`Single::decide`].
pub(crate) fn decide_traced(loaded: &Loaded, body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut single = Single::new(loaded);
    let decided = match &loaded.trace {
        None => single.decide(body, None),
        Some(filter) => {
            let mut trace = DecisionTrace::new(loaded.texts(), filter);
            let decided = single.decide(body, Some(&mut trace));
            trace.finish();
            decided
        }
    };
    decided.map(|_| single.record)
}

/// Decides one PORC after the other.
pub(crate) struct Single<'l> {
    loaded: &'l Loaded,
    decider: Decider,
    frame: Vec<u8>,
    /// The record of the last decision.
    pub(crate) record: Vec<u8>,
}

impl<'l> Single<'l> {
    /// For domains.
    pub(crate) fn new(loaded: &'l Loaded) -> Single<'l> {
        Single {
            loaded,
            decider: Decider::new(&loaded.image, &Limits::DEFAULT),
            frame: Vec::new(),
            record: Vec::new(),
        }
    }

    /// Whether the PORC is granted; its record is kept. Unlike the server this refuses text behind the object.
    ///
    /// # Errors
    /// A body that is no PORC, or too large to hold.
    pub(crate) fn decide(&mut self, body: &[u8], watcher: Option<&mut dyn Watcher>) -> Result<bool, Failure> {
        let (image, decider) = (&*self.loaded.image, &mut self.decider);
        self.frame.clear();
        self.record.clear();
        let (mut env, stamp) = desk::moment(&mut Random::seeded());
        let decision = match watcher {
            None => decider.decide(image, body, Trailing::Refuse, &env),
            Some(watcher) => {
                // Being watched takes time that must not change a decision.
                env.deadline_ns = None;
                decider.decide_watched(image, body, Trailing::Refuse, &env, watcher)
            }
        };
        let decision = decision.map_err(|refusal| Failure::Input(refusal.to_string()))?;
        let granted = decision.granted;
        decision.encode(body, stamp, &mut self.frame);
        let records = &self.loaded.records;
        if write_json(image, &self.frame, records, decider, &mut self.record) {
            return Ok(granted);
        }
        Err(Failure::Input(
            "the access record could not be written".to_owned(),
        ))
    }
}
