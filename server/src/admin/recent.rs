//! The last access records, where they are asked for: kept by the audit thread, which makes them anyway, once it wrote them
//! – what is left out of records is left out here, and what was given up never comes here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::audit::Render;
use crate::limits;

/// The last records, oldest first.
pub struct Recent {
    records: Mutex<VecDeque<Box<[u8]>>>,
    count_max: usize,
}

impl Recent {
    /// Keeps so many.
    #[must_use]
    pub fn new(count_max: usize) -> Recent {
        Recent {
            records: Mutex::default(),
            count_max,
        }
    }

    fn keep(&self, new: impl Iterator<Item = Box<[u8]>>) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for record in new {
            while records.len() >= self.count_max {
                records.pop_front();
            }
            records.push_back(record);
        }
    }

    /// The records, newest first.
    pub(super) fn json(&self) -> Value {
        let records: Vec<Box<[u8]>> = {
            let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            records.iter().rev().cloned().collect()
        };
        // In front of a record there may be a mark of the stream.
        let last = |text: &[u8]| {
            let documents = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
            documents.map_while(Result::ok).last()
        };
        let shown: Vec<Value> = records.iter().filter_map(|record| last(record)).collect();
        json!({"kept": self.count_max, "decisions": shown})
    }
}

/// Makes records as another does, and keeps those that leave.
pub struct Keeping {
    inner: Box<dyn Render>,
    recent: Arc<Recent>,
    /// Nobody knows yet what becomes of these: a batch at most.
    unsettled: Vec<Box<[u8]>>,
}

impl Keeping {
    /// Keeps what `inner` makes.
    #[must_use]
    pub fn new(inner: Box<dyn Render>, recent: Arc<Recent>) -> Keeping {
        Keeping {
            inner,
            recent,
            unsettled: Vec::new(),
        }
    }
}

/// A record as it is kept.
fn kept(record: &[u8]) -> Box<[u8]> {
    if record.len() <= limits::ADMIN_DECISION_BYTES_MAX {
        return record.into();
    }
    format!("{{\"tooLong\":{}}}", record.len()).into_bytes().into()
}

impl Render for Keeping {
    fn begin_pass(&mut self) {
        self.inner.begin_pass();
    }

    fn render(&mut self, frame: &[u8], text: &mut Vec<u8>) -> bool {
        let start = text.len();
        let rendered = self.inner.render(frame, text);
        if rendered && let Some(record) = text.get(start..) {
            self.unsettled.push(kept(record));
        }
        rendered
    }

    fn drop_last(&mut self) {
        self.inner.drop_last();
        self.unsettled.pop();
    }

    fn settled(&mut self, left: u64) {
        self.inner.settled(left);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        self.recent.keep(self.unsettled.drain(..).take(left));
    }

    fn end_pass(&mut self) {
        self.inner.end_pass();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_long_ones_are_not() {
        let recent = Recent::new(2);
        let keep = |texts: &[&str]| recent.keep(texts.iter().map(|text| kept(text.as_bytes())));
        keep(&["{\"a\":0}\n", "{\"a\":1}\n", "{\"sample\":{}}\n{\"a\":2}\n"]);
        let want = json!({"kept": 2, "decisions": [{"a": 2}, {"a": 1}]});
        assert_eq!(recent.json(), want);
        keep(&[&" ".repeat(limits::ADMIN_DECISION_BYTES_MAX + 1)]);
        let decisions = recent.json()["decisions"].clone();
        let long = limits::ADMIN_DECISION_BYTES_MAX + 1;
        assert_eq!(decisions, json!([{"tooLong": long}, {"a": 2}]));
    }
}
