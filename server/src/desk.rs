//! Where one core decides: its machine, its clock and randomness, its way to the audit thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::audit::Sink;
use crate::engine::{self, Image, RequestEnv, Vm};
use crate::log;
use crate::metrics::Counters;
use crate::random::Random;
use crate::sys;

/// What the caller is told about its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A decision.
    Allow(bool),
    /// The body is no PORC; the text says why.
    Malformed(String),
}

/// Everything that one core needs for decisions. Owned by that core.
pub struct Desk {
    image: Arc<Image>,
    vm: Vm,
    random: Random,
    sink: Sink,
    counters: Arc<Counters>,
}

impl Desk {
    /// A desk for one core.
    #[must_use]
    pub fn new(image: Arc<Image>, sink: Sink, counters: Arc<Counters>) -> Desk {
        Desk {
            image,
            vm: Vm::new(),
            random: Random::seeded(),
            sink,
            counters,
        }
    }

    /// Decides over the bytes of one body, which may be changed in place, and hands the record over unless it is a probe.
    ///
    /// A panic below is our bug: it denies, is counted, and the machine, whose state nobody knows any more, is replaced.
    pub fn decide(&mut self, porc: &mut [u8], probe: bool) -> Verdict {
        let wall_ns = wall_ns();
        let env = RequestEnv {
            wall_ns,
            random: [self.random.next_u64(), self.random.next_u64()],
            monotonic: sys::monotonic_ns,
            probe,
        };
        let (image, vm, sink) = (&*self.image, &mut self.vm, &mut self.sink);
        let outcome = catch_unwind(AssertUnwindSafe(|| match vm.decide(image, porc, &env) {
            Ok(decision) => {
                let stands = probe || sink.submit(|frame| decision.encode(frame));
                Verdict::Allow(decision.allow() && stands)
            }
            Err(error) => {
                if !probe {
                    sink.submit(|frame| error.encode(frame));
                }
                Verdict::Malformed(error.message())
            }
        }));
        let verdict = outcome.unwrap_or_else(|_| self.recover(wall_ns, probe));
        match &verdict {
            Verdict::Allow(true) => self.counters.grants.add(1),
            Verdict::Allow(false) => self.counters.denies.add(1),
            Verdict::Malformed(_) => self.counters.malformed.add(1),
        }
        verdict
    }

    #[cold]
    fn recover(&mut self, wall_ns: i64, probe: bool) -> Verdict {
        self.counters.panics.add(1);
        self.vm = Vm::new();
        if !probe {
            self.sink.submit(|frame| engine::failure_frame(wall_ns, frame));
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

/// Nanoseconds since 1970; before that, 0.
fn wall_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
