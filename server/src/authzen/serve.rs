//! A request of AuthZEN from its body to its answer, one decision at a time, so that a long one does not hold its core.

use super::answer;
use super::evaluation::{Evaluations, evaluation};
use super::search::{Candidates, Search, search};
use crate::desk::{Desk, Verdict};
use crate::limits;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// One decision.
    Evaluation,
    /// Many decisions.
    Evaluations,
    /// What would be granted.
    Search(Candidates),
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) enum Asking {
    /// One question.
    One(Vec<u8>),
    /// Many, with the answers so far.
    Many(Evaluations, Vec<serde_json::Value>),
    /// A search over candidates in order.
    Search(Searching),
    /// A body that is no request.
    Wrong(String),
}

/// Status and JSON of an answer.
pub(crate) type Finished = (u16, String);

/// A search with what it found so far.
#[derive(Debug)]
pub(crate) struct Searching {
    search: Search,
    candidates: Vec<String>,
    /// Candidates that were looked at.
    asked: usize,
    granted: Vec<String>,
}

impl Asking {
    /// Reads the body of a request.
    pub(crate) fn new(endpoint: Endpoint, body: &[u8], desk: &Desk) -> Asking {
        let read = match endpoint {
            Endpoint::Evaluation => evaluation(body).map(Asking::One),
            Endpoint::Evaluations => match Evaluations::read(body) {
                Ok(Some(many)) => Ok(Asking::Many(many, Vec::new())),
                // Without evaluations it is a single one.
                Ok(None) => evaluation(body).map(Asking::One),
                Err(problem) => Err(problem),
            },
            Endpoint::Search(wanted) => search(body, wanted).map(|search| {
                let candidates = candidates(&search, desk);
                Asking::Search(Searching {
                    search,
                    candidates,
                    asked: 0,
                    granted: Vec::new(),
                })
            }),
        };
        read.unwrap_or_else(Asking::Wrong)
    }

    /// Decides once more. The answer, once nothing is left to decide.
    pub(crate) fn step(&mut self, desk: &mut Desk) -> Option<Finished> {
        match self {
            Asking::Wrong(problem) => Some((400, problem_body(problem))),
            Asking::One(porc) => Some(match desk.decide_element(porc, false) {
                Verdict::Allow(granted) => (200, answer::decision(granted)),
                Verdict::Malformed(problem) => (400, problem_body(&problem)),
                Verdict::TooLarge(problem) => (413, problem_body(&problem)),
            }),
            Asking::Many(many, answers) => {
                let (granted, item) = match many.porc(answers.len()) {
                    Ok(porc) => decided(&desk.decide_element(&porc, false)),
                    Err((status, problem)) => (false, answer::failed(status, &problem)),
                };
                answers.push(item);
                let ends = answers.len() >= many.count() || many.semantic().ends_with(granted);
                ends.then(|| (200, answer::results(std::mem::take(answers))))
            }
            Asking::Search(searching) => searching.step(desk),
        }
    }

    /// The answer of a request whose time is over: what was not asked is denied, or on a later page.
    pub(crate) fn give_up(self) -> Finished {
        match self {
            Asking::Wrong(problem) => (400, problem_body(&problem)),
            Asking::One(_) => (503, problem_body(LATE)),
            Asking::Many(many, mut answers) => {
                answers.resize_with(many.count(), || answer::failed(503, LATE));
                (200, answer::results(answers))
            }
            Asking::Search(searching) => searching.page(),
        }
    }
}

/// What is said of questions for which no time was left.
const LATE: &str = "the time for the request is over";

impl Searching {
    fn step(&mut self, desk: &mut Desk) -> Option<Finished> {
        let next = self.candidates.get(self.asked);
        let is_full = self.granted.len() >= self.search.limit() || self.asked >= limits::AUTHZEN_ASKED_MAX;
        let (Some(candidate), false) = (next, is_full) else {
            return Some(self.page());
        };
        self.asked += 1;
        // A search decides nothing for anybody, so it leaves no records.
        if let Ok(porc) = self.search.porc(candidate)
            && desk.decide_element(&porc, true) == Verdict::Allow(true)
        {
            self.granted.push(candidate.clone());
        }
        None
    }

    /// What was found, and where the next page begins if there are candidates behind this one.
    fn page(&self) -> Finished {
        let next = self.candidates.get(self.asked);
        let last = self.asked.checked_sub(1).and_then(|at| self.candidates.get(at));
        let more_after = next.and(last).map(String::as_str);
        (200, self.search.answer(&self.granted, more_after))
    }
}

/// The candidates of a page and all behind it, in order.
fn candidates(search: &Search, desk: &Desk) -> Vec<String> {
    let image = desk.revision().image();
    let mut names: Vec<String> = match search.resource_type() {
        Some(wanted) => image
            .listed_resources(super::TYPE_ANNOTATION)
            .filter(|(name, kind)| *kind == wanted && search.is_behind(name))
            .map(|(name, _)| name.to_owned())
            .collect(),
        None => image
            .listed_operations()
            .filter(|name| search.is_behind(name))
            .map(str::to_owned)
            .collect(),
    };
    names.sort_unstable();
    names.dedup();
    names
}

fn decided(verdict: &Verdict) -> (bool, serde_json::Value) {
    match verdict {
        Verdict::Allow(granted) => (*granted, answer::item(*granted)),
        Verdict::Malformed(problem) => (false, answer::failed(400, problem)),
        Verdict::TooLarge(problem) => (false, answer::failed(413, problem)),
    }
}

/// The body of a 4xx: the message as a JSON string.
fn problem_body(problem: &str) -> String {
    serde_json::Value::from(problem).to_string()
}
