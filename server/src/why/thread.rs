//! The thread that answers questions. It starts with the first one, and keeps the traced policies for some time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::oneshot;

use super::answer;
use super::traced::{Retrace, Traced};
use crate::limits;
use crate::publish::{Publisher, Revision};
use crate::sys;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A PORC.
    Porc(Vec<u8>),
    /// The attributes of a request of Envoy: what its mapper has as input.
    Attributes(Vec<u8>),
}

/// What a question got: the explanation, or why the body is none that can be asked about.
pub type Answered = Result<Value, String>;

/// Takes questions.
pub struct Why {
    publisher: Arc<Publisher>,
    retrace: Retrace,
    asks: OnceLock<Option<Sender<Ask>>>,
}

struct Ask {
    question: Question,
    answer: oneshot::Sender<Answered>,
}

impl Why {
    /// About what is published.
    #[must_use]
    pub fn new(publisher: Arc<Publisher>, retrace: Retrace) -> Why {
        Why {
            publisher,
            retrace,
            asks: OnceLock::new(),
        }
    }

    /// Asks. The answer comes from the newest revision; nothing comes if there is a fault of ours.
    pub fn ask(&self, question: Question) -> oneshot::Receiver<Answered> {
        let (answer, answered) = oneshot::channel();
        if let Some(asks) = self.asks.get_or_init(|| self.start()) {
            // A thread that is gone drops the question, which the asker notices.
            let _ = asks.send(Ask { question, answer });
        }
        answered
    }

    fn start(&self) -> Option<Sender<Ask>> {
        let (asks, asked) = mpsc::channel();
        let work = Work {
            publisher: Arc::clone(&self.publisher),
            retrace: Arc::clone(&self.retrace),
            kept: None,
        };
        let thread = thread::Builder::new()
            .name("why".to_owned())
            .stack_size(limits::STACK_BYTES);
        let started = thread.spawn(move || {
            sys::step_back();
            work.serve(&asked);
        });
        started.ok().map(|_| asks)
    }
}

struct Work {
    publisher: Arc<Publisher>,
    retrace: Retrace,
    kept: Option<Kept>,
}

/// The traced policies of a revision, or why there are none.
struct Kept {
    revision: u64,
    traced: Result<Traced, String>,
    used: Instant,
}

impl Work {
    fn serve(mut self, asked: &Receiver<Ask>) {
        loop {
            let ask = match &self.kept {
                None => asked.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(_) => asked.recv_timeout(Duration::from_secs(limits::WHY_LOOK_SECONDS)),
            };
            match ask {
                // Whoever asked has gone, and may be asking again.
                Ok(ask) if ask.answer.is_closed() => {}
                Ok(ask) => {
                    // A panic is our bug: the asker hears that there is none, and the next one is answered.
                    let answered = catch_unwind(AssertUnwindSafe(|| self.answer(&ask.question)));
                    if let Ok(answered) = answered {
                        let _ = ask.answer.send(answered);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.tidy(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn answer(&mut self, question: &Question) -> Answered {
        let revision = self.publisher.current();
        let fits = self.kept.as_ref().is_some_and(|kept| kept.is_of(&revision));
        if !fits {
            self.kept = None;
            self.kept = Some(Kept {
                revision: revision.number,
                traced: (self.retrace)(&revision.loaded.digest),
                used: Instant::now(),
            });
            sys::release_memory();
        }
        let Some(kept) = &mut self.kept else {
            return Err("nothing is known of the policies".to_owned());
        };
        kept.used = Instant::now();
        answer::answer(&revision, kept.traced.as_ref(), question)
    }

    /// Drops what nobody asked for in some time, or what is not served any more.
    fn tidy(&mut self) {
        let current = self.publisher.current();
        let time = Duration::from_secs(limits::WHY_KEEP_SECONDS);
        let is_wanted = |kept: &Kept| kept.revision == current.number && kept.used.elapsed() < time;
        if !self.kept.as_ref().is_some_and(is_wanted) {
            self.kept = None;
            sys::release_memory();
        }
    }
}

impl Kept {
    /// Whether it can be used for this revision. Sources that did not fit may fit again a moment later.
    fn is_of(&self, revision: &Revision) -> bool {
        self.revision == revision.number && self.traced.is_ok()
    }
}
