//! `http.send` as a whole: checks, caches, asks, and words what comes back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use gavel_runtime::builtins::FetchFailure;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use serde_json::{Map, Value};

use crate::fetch::allow::AllowList;
use crate::fetch::answer::{Answer, failure};
use crate::fetch::cache::{Kept, Shelf, expiry};
use crate::fetch::client::Client;
use crate::fetch::wanted::{Keep, Trouble, Wanted, raises_errors};
use crate::limits;

/// The network that mappers may use; shared by all threads.
pub struct Network {
    client: Client,
    shelf: Mutex<Shelf>,
}

impl Network {
    /// A network of these hosts.
    #[must_use]
    pub fn new(allowed: AllowList) -> Network {
        Network {
            client: Client::new(allowed),
            shelf: Mutex::default(),
        }
    }

    fn kept(&self, key: &str) -> Option<Kept> {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.get(key).cloned()
    }

    fn keep(&self, key: &str, answer: &Answer, keep: Keep, now: SystemTime) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        match expiry(answer, keep, now) {
            Some(expires) => {
                let answer = answer.clone();
                shelf.put(key.to_owned(), Kept { answer, expires });
            }
            None => shelf.remove(key),
        }
    }
}

/// The requests of one thread's evaluations.
pub struct Fetcher {
    network: Arc<Network>,
    /// What this evaluation asked already: the same request has the same result, and the same failure.
    asked: HashMap<String, Result<Answer, Trouble>>,
    /// When the evaluation must be over.
    end: Instant,
    /// What was not carried out.
    refusal: Option<String>,
}

impl Fetcher {
    /// For one thread.
    #[must_use]
    pub fn new(network: Arc<Network>) -> Fetcher {
        Fetcher {
            network,
            asked: HashMap::new(),
            end: Instant::now(),
            refusal: None,
        }
    }

    /// An evaluation begins, with so much time for all of its requests.
    pub fn begin(&mut self, time: Duration) {
        self.finish();
        self.end = Instant::now() + time;
    }

    /// The evaluation is over: its answers, each of which may have megabytes, are not kept until the next one.
    pub fn finish(&mut self) {
        self.asked.clear();
        self.refusal = None;
    }

    /// What ended the evaluation.
    pub fn take_refusal(&mut self) -> Option<String> {
        self.refusal.take()
    }

    /// One call.
    ///
    /// # Errors
    /// The call is undefined, or the evaluation ends.
    pub fn send(&mut self, request: &[u8]) -> Result<Vec<u8>, FetchFailure> {
        let request: Map<String, Value> = serde_json::from_slice(request).map_err(|_| FetchFailure::Error)?;
        let raises = raises_errors(&request).ok_or(FetchFailure::Error)?;
        let result = match self.result(&request) {
            Ok(result) => result,
            Err(Trouble::Refused(why)) => {
                self.refusal = Some(why);
                return Err(FetchFailure::Refused);
            }
            Err(_) if raises => return Err(FetchFailure::Error),
            Err(trouble) => failure(&trouble),
        };
        Ok(result.to_string().into_bytes())
    }

    fn result(&mut self, request: &Map<String, Value>) -> Result<Value, Trouble> {
        let wanted = Wanted::read(request)?;
        let answer = match self.asked.get(&wanted.key) {
            Some(known) => known.clone(),
            None if self.asked.len() >= limits::FETCH_REQUESTS_MAX => {
                let most = limits::FETCH_REQUESTS_MAX;
                return Err(Trouble::Refused(format!(
                    "http.send: more than {most} requests in one evaluation"
                )));
            }
            None => {
                let answer = self.answer(&wanted);
                self.asked.insert(wanted.key.clone(), answer.clone());
                answer
            }
        };
        answer?.result(wanted.force_json_decode)
    }

    fn answer(&self, wanted: &Wanted) -> Result<Answer, Trouble> {
        if wanted.keep == Keep::No {
            return self.network.client.ask(wanted, &HeaderMap::new(), self.end);
        }
        let now = SystemTime::now();
        let Some(kept) = self.network.kept(&wanted.key) else {
            return self.fresh(wanted, now);
        };
        if now < kept.expires {
            return Ok(kept.answer);
        }
        self.again(wanted, kept.answer, now)
    }

    fn fresh(&self, wanted: &Wanted, now: SystemTime) -> Result<Answer, Trouble> {
        let answer = self.network.client.ask(wanted, &HeaderMap::new(), self.end)?;
        self.network.keep(&wanted.key, &answer, wanted.keep, now);
        Ok(answer)
    }

    /// An answer that is over its time, where it has a tag or a date, is asked for again by those.
    fn again(&self, wanted: &Wanted, stale: Answer, now: SystemTime) -> Result<Answer, Trouble> {
        let mut conditions = HeaderMap::new();
        for (name, header) in [("etag", IF_NONE_MATCH), ("last-modified", IF_MODIFIED_SINCE)] {
            let value = stale
                .header(name)
                .and_then(|value| HeaderValue::from_str(value).ok());
            if let Some(value) = value {
                let header: HeaderName = header;
                conditions.insert(header, value);
            }
        }
        if conditions.is_empty() {
            return self.fresh(wanted, now);
        }
        const NOT_MODIFIED: u16 = 304;
        let found = self.network.client.ask(wanted, &conditions, self.end)?;
        let answer = if found.status == NOT_MODIFIED {
            renewed(stale, &found)
        } else {
            found
        };
        self.network.keep(&wanted.key, &answer, wanted.keep, now);
        Ok(answer)
    }
}

/// The kept answer with the headers that came with the word that it is still good.
fn renewed(mut stale: Answer, word: &Answer) -> Answer {
    stale.headers.retain(|(name, _)| word.header(name).is_none());
    stale.headers.extend(word.headers.iter().cloned());
    stale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_behind_the_end_of_an_evaluation() {
        let mut fetcher = Fetcher::new(Arc::new(Network::new(AllowList(Vec::new()))));
        fetcher.begin(Duration::from_secs(1));
        let request = br#"{"method": "get", "url": "http://nobody.example/"}"#;
        assert_eq!(fetcher.send(request), Err(FetchFailure::Error));
        assert_eq!(fetcher.asked.len(), 1);
        fetcher.finish();
        assert!(fetcher.asked.is_empty());
    }
}
