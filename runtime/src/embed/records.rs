//! Where access records go.

use crate::decision::{Decider, Frame, RecordOptions, write_json};
use crate::image::Image;
use crate::limits::Limits;
use std::sync::Arc;

/// Takes the access record of each decision, before the caller hears of it.
///
/// A closure is a sink, too. To write records on another thread, copy [`Record::frame`] and [`Record::image`] into a
/// queue, and make them JSON there with [`Record::write_json`].
pub trait RecordSink {
    /// Keeps a record. `false`: it could not be kept, and the decision becomes a deny.
    fn keep(&mut self, record: Record<'_>) -> bool;
}

impl<F: FnMut(Record<'_>) -> bool> RecordSink for F {
    fn keep(&mut self, record: Record<'_>) -> bool {
        self(record)
    }
}

/// One access record, not spelled out yet.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// The image that decided, which knows the names of the policies.
    pub image: &'r Arc<Image>,
    /// The outcome as flat bytes.
    pub frame: &'r [u8],
}

impl<'r> Record<'r> {
    /// The outcome, field by field; `None` for bytes that are no frame.
    #[must_use]
    pub fn decode(&self) -> Option<Frame<'r>> {
        Frame::decode(self.frame)
    }

    /// Appends the record as one line of JSON. `scratch` is a decider of the same image. `false`: the bytes are no frame.
    pub fn write_json(&self, options: &RecordOptions, scratch: &mut Decider, out: &mut Vec<u8>) -> bool {
        write_json(self.image, self.frame, options, scratch, out)
    }
}

/// A sink that makes each record a line of JSON and hands it to a function, which says whether it kept it.
#[derive(Debug)]
pub struct JsonRecords<W> {
    options: RecordOptions,
    write: W,
    scratch: Option<(Arc<Image>, Decider)>,
    line: Vec<u8>,
}

impl<W: FnMut(&[u8]) -> bool> JsonRecords<W> {
    /// A sink that calls `write` with whole lines.
    pub fn new(options: RecordOptions, write: W) -> JsonRecords<W> {
        JsonRecords {
            options,
            write,
            scratch: None,
            line: Vec::new(),
        }
    }
}

impl<W: FnMut(&[u8]) -> bool> RecordSink for JsonRecords<W> {
    fn keep(&mut self, record: Record<'_>) -> bool {
        if !self
            .scratch
            .as_ref()
            .is_some_and(|(image, _)| Arc::ptr_eq(image, record.image))
        {
            let decider = Decider::new(record.image, &Limits::DEFAULT);
            self.scratch = Some((Arc::clone(record.image), decider));
        }
        let Some((_, scratch)) = &mut self.scratch else {
            return false;
        };
        self.line.clear();
        record.write_json(&self.options, scratch, &mut self.line) && (self.write)(&self.line)
    }
}
