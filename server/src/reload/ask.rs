//! Who asks for a reload, and what came of it.

use std::sync::mpsc::Receiver;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use super::loading::Wish;

/// Why policies are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The process started.
    Start,
    /// SIGHUP.
    Signal,
    /// Watched files changed.
    Files,
    /// `POST /reload`.
    Request,
    /// The source was asked for something new.
    Source,
}

impl Cause {
    /// One word for logs and status.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Cause::Start => "start",
            Cause::Signal => "signal",
            Cause::Files => "files",
            Cause::Request => "request",
            Cause::Source => "source",
        }
    }
}

/// Asks the reloader to load. All that ask while it is at work get one load more, together.
pub struct Ask {
    /// Why.
    pub cause: Cause,
    /// What shall be different.
    pub wish: Wish,
    /// Hears what came of it.
    pub answer: Option<oneshot::Sender<Report>>,
}

/// What one load is for, and who hears what came of it.
pub(super) struct Errand {
    pub(super) cause: Cause,
    pub(super) wish: Wish,
    answers: Vec<oneshot::Sender<Report>>,
}

impl Errand {
    /// A load that nobody waits for.
    pub(super) fn by_itself(cause: Cause, wish: Wish) -> Errand {
        let answers = Vec::new();
        Errand { cause, wish, answers }
    }

    /// The load for one that asks, and for all that wait by now.
    pub(super) fn together(first: Ask, others: &Receiver<Ask>) -> Errand {
        let mut errand = Errand::by_itself(first.cause, first.wish);
        errand.answers.extend(first.answer);
        for other in others.try_iter() {
            errand.wish.label = other.wish.label.or(errand.wish.label);
            errand.wish.only_if_changed &= other.wish.only_if_changed;
            errand.answers.extend(other.answer);
        }
        errand
    }

    /// Tells everybody. Whoever asked may have gone.
    pub(super) fn answer(self, report: &Report) {
        for answer in self.answers {
            let _ = answer.send(report.clone());
        }
    }
}

/// What came of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is served, under this number.
    Loaded(u64),
    /// It is what is served already, under this number.
    Unchanged(u64),
    /// It is not valid, for this reason; what was served before is still served.
    Failed(String),
}

impl Outcome {
    /// One word for metrics and status.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Loaded(_) => "loaded",
            Outcome::Unchanged(_) => "unchanged",
            Outcome::Failed(_) => "failed",
        }
    }
}

/// One load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Why it was done.
    pub cause: Cause,
    /// When it was done.
    pub at: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}
