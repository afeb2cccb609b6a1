//! Where one core decides: its machine, its clock and randomness, its way to the audit thread.

use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use gavel_runtime::decision::{Decider, Decision, ReasonCode, Refusal, Stamp, encode_denial};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;

use crate::audit::{Acks, Sink};
use crate::clock;
use crate::limits;
use crate::log;
use crate::metrics::{Counters, Outcome};
use crate::publish::{Parcel, Post, Revision};
use crate::random::Random;
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
    /// What decides.
    revision: Arc<Revision>,
    decider: Decider,
    /// What decides next comes from here.
    post: Arc<Post>,
    random: Random,
    sink: Sink,
    counters: Arc<Counters>,
    /// Benchmarks only: the frame that stands for all others, empty until the first decision; the answer is a deny.
    constant: Option<Vec<u8>>,
}

impl Desk {
    /// A desk for one core.
    #[must_use]
    pub fn new(
        (revision, post): (Arc<Revision>, Arc<Post>),
        sink: Sink,
        counters: Arc<Counters>,
        constant_deny: bool,
    ) -> Desk {
        let decider = Decider::new(revision.image(), &Limits::DEFAULT);
        Desk {
            revision,
            decider,
            post,
            random: Random::seeded(),
            sink,
            counters,
            constant: constant_deny.then(Vec::new),
        }
    }

    /// Takes the newest revision, if there is one that this desk does not have. Between two requests; also now and then
    /// without one, so that an idle core does not keep an old revision.
    #[inline]
    pub fn refresh(&mut self) {
        if self.post.has_news(self.revision.number) {
            self.renew();
        }
    }

    #[cold]
    fn renew(&mut self) {
        self.post.exchange(&mut self.revision, &mut self.decider);
        // It is about the revision that is gone.
        if let Some(frame) = &mut self.constant {
            frame.clear();
        }
    }

    /// What decides.
    #[must_use]
    pub fn revision(&self) -> &Arc<Revision> {
        &self.revision
    }

    /// Decides by the newest revision over the bytes of one body and hands the record over unless it is a probe. Text behind
    /// the PORC is not looked at.
    pub fn decide(&mut self, body: &[u8], probe: bool) -> Verdict {
        self.refresh();
        self.decide_reading(body, Trailing::Ignore, probe)
    }

    /// Decides over one element of a batch, which is a PORC and nothing else, as [`Desk::decide`] does.
    pub fn decide_element(&mut self, element: &[u8], probe: bool) -> Verdict {
        self.refresh();
        self.decide_reading(element, Trailing::Refuse, probe)
    }

    /// Decides over what the mapper of the present revision made, by that revision.
    pub fn decide_mapped(&mut self, porc: &[u8]) -> Verdict {
        self.decide_reading(porc, Trailing::Ignore, false)
    }

    /// Decides over what the mapper of a revision made that this desk had some time ago, by that revision.
    pub fn decide_mapped_by(&mut self, revision: &Arc<Revision>, porc: &[u8]) -> Verdict {
        if self.revision.number == revision.number {
            return self.decide_mapped(porc);
        }
        let mut other = Parcel::new(revision);
        other.swap(&mut self.revision, &mut self.decider);
        let verdict = self.decide_mapped(porc);
        other.swap(&mut self.revision, &mut self.decider);
        verdict
    }

    /// A panic below is our bug: it denies, is counted, and the machine, whose state nobody knows any more, is replaced.
    fn decide_reading(&mut self, body: &[u8], trailing: Trailing, probe: bool) -> Verdict {
        if let Some(frame) = self.constant.as_ref().filter(|frame| !frame.is_empty()) {
            if !probe {
                hand_over(&mut self.sink, &self.revision, |out| {
                    out.extend_from_slice(frame);
                    &[]
                });
            }
            self.counters.ended(Outcome::Policy);
            return Verdict::Allow(false);
        }
        let (env, stamp) = moment(&mut self.random);
        let (revision, decider, sink) = (&*self.revision, &mut self.decider, &mut self.sink);
        let (image, constant, counters) = (revision.image(), self.constant.as_mut(), &self.counters);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let decided = match &revision.loaded.tracing {
                None if probe && constant.is_none() => decider.probe(image, body, trailing, &env),
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
                    let sample = revision.records.grants_sample;
                    let left_out = decision.granted && !probe && !sink.keeps_grant(stamp.random, sample);
                    let stands = probe
                        || left_out
                        || hand_over(sink, revision, |frame| decision.encode_front(body, stamp, frame));
                    counters.ended(Outcome::of(&decision, stands));
                    Verdict::Allow(decision.granted && stands)
                }
                Err(refusal) => {
                    if !probe {
                        hand_over(sink, revision, |frame| {
                            refusal.encode(stamp, frame);
                            &[]
                        });
                    }
                    counters.ended(Outcome::of_refusal(&refusal));
                    Verdict::refused(&refusal)
                }
            }
        }));
        outcome.unwrap_or_else(|_| self.recover(stamp, probe))
    }

    /// Denies a request that never became a PORC, with a record that says why unless it is a probe.
    pub fn deny(&mut self, code: ReasonCode, text: &str, probe: bool) {
        if !probe {
            let (_, stamp) = moment(&mut self.random);
            hand_over(&mut self.sink, &self.revision, |frame| {
                encode_denial(code, text, stamp, frame);
                &[]
            });
        }
        self.counters.ended(Outcome::of_code(code));
    }

    #[cold]
    fn recover(&mut self, stamp: Stamp, probe: bool) -> Verdict {
        self.counters.panics.add(1);
        self.counters.ended(Outcome::Fault);
        self.decider = Decider::new(self.revision.image(), &Limits::DEFAULT);
        if !probe {
            hand_over(&mut self.sink, &self.revision, |frame| {
                Refusal::Fault.encode(stamp, frame);
                &[]
            });
        }
        log::line(
            log::Level::Error,
            format_args!("a decision panicked: denied, and the machine was replaced"),
        );
        Verdict::Allow(false)
    }

    /// Whether the way to the audit thread has room for many records.
    #[must_use]
    pub fn is_roomy(&self) -> bool {
        self.sink.is_roomy()
    }

    /// Where it is heard what became of the records, if answers wait for that. Once.
    pub fn acks(&mut self) -> Option<(Acks, UnixStream)> {
        self.sink.acks()
    }

    /// The ticket of the last decision's record, if the answer has to wait for it. Once.
    pub fn take_ticket(&mut self) -> Option<u64> {
        self.sink.take_ticket()
    }

    /// A grant of this desk was answered as a denial, because its record failed later.
    pub fn revoked(&self) {
        self.counters.grants_revoked.add(1);
    }

    /// Reports missing records at the end of this core's work.
    pub fn finish(&mut self) {
        self.sink.finish();
    }
}

/// Hands over the record of a decision by a revision: `encode` appends the front of its frame and gives back what it ends with.
/// True if the decision may stand.
fn hand_over<'b>(
    sink: &mut Sink,
    revision: &Revision,
    encode: impl FnOnce(&mut Vec<u8>) -> &'b [u8],
) -> bool {
    sink.submit_where(revision.is_kept(), |frame| {
        revision.begin_frame(frame);
        encode(frame)
    })
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
    let (wall_ns, begun_ns) = (wall_ns(), clock::monotonic_ns());
    let env = RequestEnv {
        wall_ns,
        seed: random.next_u64(),
        monotonic_ns: clock::monotonic_ns,
        begun_ns,
        deadline_ns: Some(begun_ns + limits::DECISION_NS_MAX),
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
