//! Answers that may be used again: within one evaluation always, beyond it for as long as their headers or the policy say.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822;

use crate::fetch::answer::Answer;
use crate::fetch::wanted::Keep;
use crate::limits;

/// An answer that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) answer: Answer,
    pub(super) expires: SystemTime,
}

/// Answers of all threads, by request. The oldest go when there are too many, or too many bytes.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    kept: HashMap<String, (u64, Kept)>,
    bytes: usize,
    clock: u64,
}

impl Shelf {
    pub(super) fn get(&self, key: &str) -> Option<&Kept> {
        self.kept.get(key).map(|(_, kept)| kept)
    }

    pub(super) fn put(&mut self, key: String, kept: Kept) {
        self.remove(&key);
        let bytes = weight(&key, &kept);
        if bytes > limits::FETCH_KEPT_BYTES_MAX {
            return;
        }
        let full = |shelf: &Shelf| {
            shelf.bytes + bytes > limits::FETCH_KEPT_BYTES_MAX || shelf.kept.len() >= limits::FETCH_KEPT_MAX
        };
        while full(self) {
            let oldest = self.kept.iter().min_by_key(|(_, (age, _))| *age);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            self.remove(&key);
        }
        self.clock += 1;
        self.bytes += bytes;
        self.kept.insert(key, (self.clock, kept));
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some((key, (_, kept))) = self.kept.remove_entry(key) {
            self.bytes = self.bytes.saturating_sub(weight(&key, &kept));
        }
    }
}

fn weight(key: &str, kept: &Kept) -> usize {
    /// What the map and the lists take besides the texts.
    const ENTRY_BYTES: usize = 256;
    let headers = kept.answer.headers.iter();
    let headers: usize = headers.map(|(name, value)| name.len() + value.len() + 48).sum();
    key.len() + kept.answer.body.len() + headers + ENTRY_BYTES
}

/// Until when an answer may be used; `None`: it may not be kept.
pub(super) fn expiry(answer: &Answer, keep: Keep, now: SystemTime) -> Option<SystemTime> {
    const CACHEABLE: [u16; 11] = [200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501];
    if !CACHEABLE.contains(&answer.status) {
        return None;
    }
    match keep {
        Keep::No => None,
        Keep::For(time) => now.checked_add(time),
        Keep::ByHeaders => by_headers(answer),
    }
}

fn by_headers(answer: &Answer) -> Option<SystemTime> {
    let directives = answer.header("cache-control").unwrap_or_default();
    let mut max_age = None;
    for directive in directives.split(',').map(str::trim) {
        match directive.split_once('=') {
            None if directive == "no-store" => return None,
            Some((name, value)) if name.trim() == "max-age" => max_age = Some(value.parse::<u64>().ok()?),
            _ => {}
        }
    }
    match max_age {
        Some(seconds) => {
            let seconds = seconds.min(i32::MAX.unsigned_abs().into());
            date(answer.header("date")?)?.checked_add(Duration::from_secs(seconds))
        }
        // Without a time it is stale at once, and is asked for again with its tag.
        None => Some(
            answer
                .header("expires")
                .and_then(date)
                .unwrap_or(SystemTime::UNIX_EPOCH),
        ),
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn date(text: &str) -> Option<SystemTime> {
    let timestamp = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let seconds = u64::try_from(timestamp.as_second()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: usize) -> Kept {
        let answer = Answer {
            status: 200,
            status_text: String::new(),
            headers: Vec::new(),
            body: vec![b'x'; body],
        };
        let expires = SystemTime::UNIX_EPOCH;
        Kept { answer, expires }
    }

    #[test]
    fn the_oldest_make_room() {
        let mut shelf = Shelf::default();
        for index in 0..=limits::FETCH_KEPT_MAX {
            shelf.put(index.to_string(), kept(1));
        }
        assert!(shelf.get("0").is_none() && shelf.get("1").is_some());
        assert_eq!(shelf.kept.len(), limits::FETCH_KEPT_MAX);
        shelf.put("large".to_owned(), kept(limits::FETCH_KEPT_BYTES_MAX - 1024));
        assert!(shelf.get("large").is_some() && shelf.kept.len() < 4);
        shelf.put("too large".to_owned(), kept(limits::FETCH_KEPT_BYTES_MAX));
        assert!(shelf.get("too large").is_none() && shelf.get("large").is_some());
        shelf.remove("large");
        let bytes = shelf.kept.iter().map(|(key, (_, kept))| weight(key, kept));
        assert_eq!(shelf.bytes, bytes.sum::<usize>());
    }

    #[test]
    fn headers_say_how_long() {
        let age = |headers: &[(&str, &str)]| {
            let mut answer = kept(0).answer;
            let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            answer.headers = headers.iter().map(pair).collect();
            let expires = expiry(&answer, Keep::ByHeaders, SystemTime::UNIX_EPOCH)?;
            let since = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Some(since.as_secs())
        };
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            age(&[date, ("cache-control", "public, max-age=10")]),
            Some(784_111_787)
        );
        assert_eq!(age(&[("expires", date.1)]), Some(784_111_777));
        assert_eq!(age(&[]), Some(0));
        assert_eq!(age(&[date, ("cache-control", "no-store")]), None);
        assert_eq!(age(&[date, ("cache-control", "max-age=x")]), None);
        assert_eq!(age(&[("cache-control", "max-age=10")]), None);
    }
}
