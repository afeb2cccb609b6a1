//! From the attributes of a request to the decision about it. Every way but one ends in a denial with its record.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gavel_runtime::decision::ReasonCode;

use crate::audit::Acks;
use crate::envoy::lanes::Lanes;
use crate::envoy::mapper::{Input, Machine, MapError, Mapper};
use crate::log::{self, Level};
use crate::publish::Revision;
use crate::serve::desk::{Desk, Verdict};
use crate::trace::{Lines, Texts};

/// The mapper that all requests go through, or why there is none: then all are denied.
pub type Lens = Result<Mapper, String>;

/// The mapper of a revision, or why there is none.
fn mapper(revision: &Revision) -> Result<&Mapper, &str> {
    match &revision.loaded.lens {
        Some(Ok(mapper)) => Ok(mapper),
        Some(Err(why)) => Err(why),
        None => Err("no mapper was loaded"),
    }
}

/// What one thread decides with.
pub(super) struct Judge {
    /// Where mappers run that may wait; without it they run here.
    lanes: Option<Lanes>,
    machine: RefCell<Machine>,
    desk: RefCell<Desk>,
    /// What became of the records, where answers wait for that.
    acks: Option<Acks>,
    complaints: Complaints,
}

impl Judge {
    pub(super) fn new(lanes: Option<Lanes>, desk: Desk, acks: Option<Acks>) -> Judge {
        Judge {
            lanes,
            machine: RefCell::default(),
            desk: RefCell::new(desk),
            acks,
            complaints: Complaints::default(),
        }
    }

    /// Decides over a request. `attributes`: the JSON text of an object; `None` if the request has none.
    ///
    /// Mapper and policies are those of one revision, also where another one is published while the mapper waits.
    pub(super) async fn allows(&self, attributes: Option<Vec<u8>>) -> bool {
        if let Some(lanes) = &self.lanes
            && let Some(revision) = self.revision_that_waits()
        {
            let porc = lanes.map(Arc::clone(&revision), attributes).await;
            let decide = |desk: &mut Desk, porc: &[u8]| desk.decide_mapped_by(&revision, porc);
            return self.settle(porc, decide).await;
        }
        let input = attributes.as_deref().map_or(Input::Null, Input::Object);
        let mapped = self.map(input);
        match mapped {
            Ok(porc) => self.settle(porc, Desk::decide_mapped).await,
            Err(why) => {
                self.desk.borrow_mut().deny(ReasonCode::NotFound, &why, false);
                self.recorded().await;
                false
            }
        }
    }

    /// The newest revision, if its mapper may have to wait.
    fn revision_that_waits(&self) -> Option<Arc<Revision>> {
        let mut desk = self.desk.borrow_mut();
        desk.refresh();
        let revision = desk.revision();
        let waits = mapper(revision).is_ok_and(|mapper| mapper.waits);
        waits.then(|| Arc::clone(revision))
    }

    /// Runs the mapper of the newest revision here. No mapper: the reason why.
    fn map(&self, input: Input<'_>) -> Result<Result<Vec<u8>, MapError>, String> {
        let (mut machine, mut desk) = (self.machine.borrow_mut(), self.desk.borrow_mut());
        desk.refresh();
        let revision = desk.revision();
        let mapper = mapper(revision).map_err(str::to_owned)?;
        Ok(match &revision.loaded.tracing {
            Some(tracing) if tracing.filter.wants(&mapper.name) => {
                let (sources, files) = (&tracing.sources, mapper.files.as_slice());
                let mut lines = Lines::new(Texts { sources, files });
                lines.heading(&format!("--- mapper {}", mapper.name));
                let porc = machine.map(mapper, input, Some(&mut lines));
                lines.finish();
                porc
            }
            _ => machine.map(mapper, input, None),
        })
    }

    /// Decides over what a mapper made.
    async fn settle(
        &self,
        porc: Result<Vec<u8>, MapError>,
        decide: impl FnOnce(&mut Desk, &[u8]) -> Verdict,
    ) -> bool {
        let porc = match porc {
            Ok(porc) => porc,
            Err(error) => {
                let code = match error {
                    MapError::Unreadable(_) => ReasonCode::InvalidParameter,
                    MapError::Undefined
                    | MapError::Aborted(_)
                    | MapError::Unprintable
                    | MapError::Refused(_)
                    | MapError::Overloaded
                    | MapError::Fault => ReasonCode::Evaluation,
                };
                self.denies(code, &error.to_string()).await;
                return false;
            }
        };
        let verdict = decide(&mut self.desk.borrow_mut(), &porc);
        let recorded = self.recorded().await;
        match verdict {
            Verdict::Allow(true) if !recorded => {
                self.desk.borrow().revoked();
                false
            }
            Verdict::Allow(allow) => allow,
            Verdict::Malformed(why) | Verdict::TooLarge(why) => {
                self.complaints
                    .line(&format!("the mapper's result is no PORC: {why}"));
                false
            }
        }
    }

    /// Denies a request that never came to a mapper, or got no PORC from it.
    pub(super) async fn denies(&self, code: ReasonCode, why: &str) {
        self.desk.borrow_mut().deny(code, why, false);
        self.complaints.line(why);
        self.recorded().await;
    }

    /// Waits for the last record where an answer needs one: whether it is recorded.
    async fn recorded(&self) -> bool {
        let ticket = self.desk.borrow_mut().take_ticket();
        match (&self.acks, ticket) {
            (Some(acks), Some(ticket)) => acks.recorded(ticket).await,
            _ => true,
        }
    }

    /// Something became of some records.
    pub(super) fn ring(&self) {
        self.acks.iter().for_each(Acks::ring);
    }

    /// Takes the newest revision, so that a thread that nobody asks does not keep an old one.
    pub(super) fn refresh(&self) {
        self.desk.borrow_mut().refresh();
    }

    /// Reports missing records at the end of this thread's work.
    pub(super) fn finish(&self) {
        self.desk.borrow_mut().finish();
    }
}

/// Log lines that anybody can cause with a request: one a second, with the number of those between.
#[derive(Default)]
struct Complaints {
    last: Cell<Option<Instant>>,
    kept_back: Cell<u64>,
}

impl Complaints {
    const PAUSE: Duration = Duration::from_secs(1);

    fn line(&self, text: &str) {
        let now = Instant::now();
        if self.last.get().is_some_and(|last| now - last < Self::PAUSE) {
            self.kept_back.set(self.kept_back.get() + 1);
            return;
        }
        self.last.set(Some(now));
        match self.kept_back.take() {
            0 => log::line(Level::Warn, format_args!("denied: {text}")),
            more => log::line(Level::Warn, format_args!("denied: {text} ({more} more before)")),
        }
    }
}
