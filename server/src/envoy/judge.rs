//! From the attributes of a request to the decision about it. Every way but one ends in a denial with its record.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gavel_runtime::decision::ReasonCode;

use crate::desk::{Desk, Verdict};
use crate::envoy::lanes::Lanes;
use crate::envoy::mapper::{Input, Machine, MapError, Mapper};
use crate::log::{self, Level};
use crate::trace::{Lines, Texts, Tracing};

/// The mapper that all requests go through, or why there is none: then all are denied.
pub type Lens = Result<Mapper, String>;

/// What one thread decides with.
pub(super) struct Judge {
    lens: Arc<Lens>,
    /// Where mappers run that may wait; without it they run here.
    lanes: Option<Lanes>,
    machine: RefCell<Machine>,
    desk: RefCell<Desk>,
    /// Mappers are traced with this.
    tracing: Option<Arc<Tracing>>,
    complaints: Complaints,
}

impl Judge {
    pub(super) fn new(
        lens: Arc<Lens>,
        lanes: Option<Lanes>,
        desk: Desk,
        tracing: Option<Arc<Tracing>>,
    ) -> Judge {
        Judge {
            lens,
            lanes,
            machine: RefCell::default(),
            desk: RefCell::new(desk),
            tracing,
            complaints: Complaints::default(),
        }
    }

    /// Decides over a request. `attributes`: the JSON text of an object; `None` if the request has none.
    pub(super) async fn allows(&self, attributes: Option<Vec<u8>>) -> bool {
        let mapper = match &*self.lens {
            Ok(mapper) => mapper,
            Err(why) => {
                self.desk.borrow_mut().deny(ReasonCode::NotFound, why);
                return false;
            }
        };
        let porc = match &self.lanes {
            Some(lanes) => lanes.map(attributes).await,
            None => self.map(mapper, attributes.as_deref().map_or(Input::Null, Input::Object)),
        };
        match porc {
            Ok(porc) => self.decides(&porc),
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
                self.denies(code, &error.to_string());
                false
            }
        }
    }

    fn map(&self, mapper: &Mapper, input: Input<'_>) -> Result<Vec<u8>, MapError> {
        let mut machine = self.machine.borrow_mut();
        match &self.tracing {
            Some(tracing) if tracing.filter.wants(&mapper.name) => {
                let (sources, files) = (&tracing.sources, mapper.files.as_slice());
                let mut lines = Lines::new(Texts { sources, files });
                lines.heading(&format!("--- mapper {}", mapper.name));
                let porc = machine.map(mapper, input, Some(&mut lines));
                lines.finish();
                porc
            }
            _ => machine.map(mapper, input, None),
        }
    }

    fn decides(&self, porc: &[u8]) -> bool {
        let verdict = self.desk.borrow_mut().decide(porc, false);
        match verdict {
            Verdict::Allow(allow) => allow,
            Verdict::Malformed(why) | Verdict::TooLarge(why) => {
                self.complaints
                    .line(&format!("the mapper's result is no PORC: {why}"));
                false
            }
        }
    }

    /// Denies a request that never came to a mapper, or got no PORC from it.
    pub(super) fn denies(&self, code: ReasonCode, why: &str) {
        self.desk.borrow_mut().deny(code, why);
        self.complaints.line(why);
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
