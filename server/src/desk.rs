//! Where one core decides: its machine, its clock and randomness, its way to the audit thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use gavel_runtime::decision::{Decider, Decision, ReasonCode, Refusal, Stamp, encode_denial};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;

use crate::audit::Sink;
use crate::limits;
use crate::log;
use crate::metrics::{Counters, Outcome};
use crate::random::Random;
use crate::sys;
use crate::trace::Tracing;

/// What the caller is told about its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A decision.
    Allow(bool),
    /// The body is no PORC; the text says why.
    Malformed(String),
    /// The body is a PORC that needs more memory than one request may have.
    TooLarge(String),
}

impl Verdict {
    fn refused(refusal: &Refusal) -> Verdict {
        match refusal {
            Refusal::Malformed(_) => Verdict::Malformed(refusal.to_string()),
            Refusal::Budget(_) | Refusal::Fault => Verdict::TooLarge(refusal.to_string()),
        }
    }
}

/// Everything that one core needs for decisions. Owned by that core.
pub struct Desk {
    image: Arc<Image>,
    decider: Decider,
    random: Random,
    sink: Sink,
    counters: Arc<Counters>,
    /// Benchmarks only: the frame that stands for all others, empty until the first decision; the answer is a deny.
    constant: Option<Vec<u8>>,
    /// Decisions are traced with this.
    tracing: Option<Arc<Tracing>>,
}

impl Desk {
    /// A desk for one core.
    #[must_use]
    pub fn new(image: Arc<Image>, sink: Sink, counters: Arc<Counters>, constant_deny: bool) -> Desk {
        let decider = Decider::new(&image, &Limits::DEFAULT);
        Desk {
            image,
            decider,
            random: Random::seeded(),
            sink,
            counters,
            constant: constant_deny.then(Vec::new),
            tracing: None,
        }
    }

    /// From now on decisions are traced on standard error, if `tracing` is there.
    #[must_use]
    pub fn traced(mut self, tracing: Option<Arc<Tracing>>) -> Desk {
        self.tracing = tracing;
        self
    }

    /// Decides over the bytes of one body and hands the record over unless it is a probe. Text behind the PORC is not
    /// looked at.
    pub fn decide(&mut self, body: &[u8], probe: bool) -> Verdict {
        self.decide_reading(body, Trailing::Ignore, probe)
    }

    /// Decides over one element of a batch, which is a PORC and nothing else, as [`Desk::decide`] does.
    pub fn decide_element(&mut self, element: &[u8], probe: bool) -> Verdict {
        self.decide_reading(element, Trailing::Refuse, probe)
    }

    /// A panic below is our bug: it denies, is counted, and the machine, whose state nobody knows any more, is replaced.
    fn decide_reading(&mut self, body: &[u8], trailing: Trailing, probe: bool) -> Verdict {
        if let Some(frame) = self.constant.as_ref().filter(|frame| !frame.is_empty()) {
            if !probe {
                self.sink.submit(|out| out.extend_from_slice(frame));
            }
            self.counters.ended(Outcome::Policy);
            return Verdict::Allow(false);
        }
        let (env, stamp) = moment(&mut self.random);
        let (image, decider, sink) = (&*self.image, &mut self.decider, &mut self.sink);
        let (constant, tracing, counters) = (self.constant.as_mut(), self.tracing.as_deref(), &self.counters);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let decided = match tracing {
                None => decider.decide(image, body, trailing, &env),
                Some(tracing) => traced(decider, image, body, (trailing, env), tracing),
            };
            match decided {
                Ok(decision) => {
                    counters.measure(&decision);
                    if let Some(frame) = constant {
                        decision.encode(body, stamp, frame);
                        counters.ended(Outcome::Policy);
                        return Verdict::Allow(false);
                    }
                    let stands = probe || sink.submit(|frame| decision.encode(body, stamp, frame));
                    counters.ended(Outcome::of(&decision, stands));
                    Verdict::Allow(decision.granted && stands)
                }
                Err(refusal) => {
                    if !probe {
                        sink.submit(|frame| refusal.encode(stamp, frame));
                    }
                    counters.ended(Outcome::of_refusal(&refusal));
                    Verdict::refused(&refusal)
                }
            }
        }));
        outcome.unwrap_or_else(|_| self.recover(stamp, probe))
    }

    /// Denies a request that never became a PORC, with a record that says why.
    pub fn deny(&mut self, code: ReasonCode, text: &str) {
        let (_, stamp) = moment(&mut self.random);
        self.sink.submit(|frame| encode_denial(code, text, stamp, frame));
        self.counters.ended(Outcome::of_code(code));
    }

    #[cold]
    fn recover(&mut self, stamp: Stamp, probe: bool) -> Verdict {
        self.counters.panics.add(1);
        self.counters.ended(Outcome::Fault);
        self.decider = Decider::new(&self.image, &Limits::DEFAULT);
        if !probe {
            self.sink.submit(|frame| Refusal::Fault.encode(stamp, frame));
        }
        log::line(
            log::Level::Error,
            format_args!("a decision panicked: denied, and the machine was replaced"),
        );
        Verdict::Allow(false)
    }

    /// Reports missing records at the end of this core's work.
    pub fn finish(&mut self) {
        self.sink.finish();
    }
}

/// A decision that tells what happens. It takes as long as it takes.
#[cold]
fn traced<'d>(
    decider: &'d mut Decider,
    image: &'d Image,
    body: &[u8],
    (trailing, mut env): (Trailing, RequestEnv),
    tracing: &Tracing,
) -> Result<Decision<'d>, Refusal> {
    env.deadline_ns = None;
    let mut trace = tracing.decision();
    let decided = decider.decide_watched(image, body, trailing, &env, &mut trace);
    trace.finish();
    decided
}

/// What a request that starts now is told about the world, and what its record is stamped with.
pub(crate) fn moment(random: &mut Random) -> (RequestEnv, Stamp) {
    let wall_ns = wall_ns();
    let env = RequestEnv {
        wall_ns,
        seed: random.next_u64(),
        monotonic_ns: sys::monotonic_ns,
        deadline_ns: Some(sys::monotonic_ns() + limits::DECISION_NS_MAX),
    };
    let id = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    (
        env,
        Stamp {
            wall_ns,
            random: id.to_ne_bytes(),
        },
    )
}

/// Nanoseconds since 1970; before that, 0.
pub(crate) fn wall_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
