//! The last access records, where they are asked for: kept by the audit thread, which makes them anyway, as it writes them
//! – what is left out of records is left out here.

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

    fn keep(&self, record: &[u8]) {
        let record: Box<[u8]> = if record.len() <= limits::ADMIN_DECISION_BYTES_MAX {
            record.into()
        } else {
            format!("{{\"tooLong\":{}}}", record.len()).into_bytes().into()
        };
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        while records.len() >= self.count_max {
            records.pop_front();
        }
        records.push_back(record);
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

/// Makes records as another does, and keeps them.
pub struct Keeping {
    inner: Box<dyn Render>,
    recent: Arc<Recent>,
}

impl Keeping {
    /// Keeps what `inner` makes.
    #[must_use]
    pub fn new(inner: Box<dyn Render>, recent: Arc<Recent>) -> Keeping {
        Keeping { inner, recent }
    }
}

impl Render for Keeping {
    fn begin_pass(&mut self) {
        self.inner.begin_pass();
    }

    fn render(&mut self, frame: &[u8], text: &mut Vec<u8>) -> bool {
        let start = text.len();
        let rendered = self.inner.render(frame, text);
        if rendered && let Some(record) = text.get(start..) {
            self.recent.keep(record);
        }
        rendered
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
        for text in ["{\"a\":1}\n", "{\"sample\":{}}\n{\"a\":2}\n"] {
            recent.keep(text.as_bytes());
        }
        let want = json!({"kept": 2, "decisions": [{"a": 2}, {"a": 1}]});
        assert_eq!(recent.json(), want);
        recent.keep(&vec![b' '; limits::ADMIN_DECISION_BYTES_MAX + 1]);
        let decisions = recent.json()["decisions"].clone();
        let long = limits::ADMIN_DECISION_BYTES_MAX + 1;
        assert_eq!(decisions, json!([{"tooLong": long}, {"a": 2}]));
    }
}
