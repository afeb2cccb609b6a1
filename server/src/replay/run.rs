//! Decides every record of a stream again.

use std::borrow::Cow;
use std::io::{BufRead, Error, Write};

use gavel_runtime::decision::{Decider, Facts};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;

use super::compare::causes;
use super::lines::{Lines, Next};
use super::record::{self, Line, Recorded};
use super::report::{Change, Format, Place};

/// What became of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Decided as before.
    pub(crate) same: u64,
    /// Decided otherwise.
    pub(crate) changed: u64,
    /// Denied before, and not decided at all now: that both deny says nothing of the policies.
    pub(crate) refused: u64,
    /// No access records.
    pub(crate) malformed: u64,
    /// Records of requests that were no PORC, and marks where records are missing.
    pub(crate) skipped: u64,
}

impl Totals {
    /// All of them.
    pub(crate) fn records(&self) -> u64 {
        self.same + self.changed + self.refused + self.malformed + self.skipped
    }
}

/// Why a replay ends before its input does.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The stream of records cannot be read on.
    Input(Error),
    /// What was found cannot be written.
    Output(Error),
}

/// A replay over one image.
pub(crate) struct Replay<'i> {
    image: &'i Image,
    decider: Decider,
    format: Format,
    /// Resources and annotations are looked up again.
    resolve: bool,
    /// For records that do not say when they were written.
    now_ns: i64,
    pub(crate) totals: Totals,
}

impl<'i> Replay<'i> {
    pub(crate) fn new(image: &'i Image, format: Format, resolve: bool, now_ns: i64) -> Replay<'i> {
        Replay {
            image,
            decider: Decider::new(image, &Limits::DEFAULT),
            format,
            resolve,
            now_ns,
            totals: Totals::default(),
        }
    }

    /// Replays one stream and writes what it finds.
    ///
    /// # Errors
    /// Of the stream, or of `out`.
    pub(crate) fn stream(
        &mut self,
        file: &str,
        stream: impl BufRead,
        out: &mut dyn Write,
    ) -> Result<(), Stopped> {
        let mut lines = Lines::new(stream);
        loop {
            let next = lines.advance().map_err(Stopped::Input)?;
            let place = Place {
                file,
                line: lines.number(),
            };
            let read = match next {
                Next::End => return Ok(()),
                Next::TooLong => Err("the record is too long".to_owned()),
                Next::Record => record::read(lines.text()),
            };
            let outcome = match read {
                Ok(Line::Decision(recorded)) => self.record(place, &recorded, lines.text(), out)?,
                Ok(Line::Nothing) => {
                    self.totals.skipped += 1;
                    Ok(())
                }
                Err(why) => Err(why),
            };
            if let Err(why) = outcome {
                self.totals.malformed += 1;
                self.format.malformed(place, &why, out).map_err(Stopped::Output)?;
            }
        }
    }

    /// Decides one record again; the inner error says why it is none.
    fn record(
        &mut self,
        place: Place<'_>,
        recorded: &Recorded<'_>,
        text: &[u8],
        out: &mut dyn Write,
    ) -> Result<Result<(), String>, Stopped> {
        // A policy that looks at the clock sees the time of the record. Nothing is timed.
        let env = RequestEnv::timeless(recorded.wall_ns.unwrap_or(self.now_ns), 0);
        let (body, mut facts) = if self.resolve {
            let Some(body) = record::unresolved(recorded.porc) else {
                return Ok(Err("`porc` cannot be read".to_owned()));
            };
            (Cow::Owned(body), Facts::Image)
        } else {
            (Cow::Borrowed(recorded.porc.as_bytes()), Facts::Recorded)
        };
        let decided = self
            .decider
            .decide_with(self.image, &body, Trailing::Refuse, &env, &mut facts);
        match &decided {
            Ok(decision) if decision.granted == recorded.granted => {
                self.totals.same += 1;
                return Ok(Ok(()));
            }
            Err(refusal) if !recorded.granted => {
                self.totals.refused += 1;
                return self
                    .format
                    .refused(place, &refusal.to_string(), out)
                    .map_err(Stopped::Output)
                    .map(Ok);
            }
            _ => {}
        }
        let details = match record::details(text) {
            Ok(details) => details,
            Err(why) => return Ok(Err(why)),
        };
        self.totals.changed += 1;
        let (causes, refusal) = match &decided {
            Ok(decision) => (causes(&details, decision, self.image), None),
            Err(refusal) => (Vec::new(), Some(refusal.to_string())),
        };
        let change = Change {
            granted_before: recorded.granted,
            details: &details,
            causes: &causes,
            refusal,
        };
        self.format
            .change(place, &change, out)
            .map_err(Stopped::Output)
            .map(Ok)
    }
}
