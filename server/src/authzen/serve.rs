//! A request of AuthZEN from its body to its answer, one decision at a time, so that a long one does not hold its core.

use std::sync::Arc;

use super::answer;
use super::evaluation::{Evaluations, evaluation};
use super::listed::Listed;
use super::search::{Candidates, Search, search};
use crate::limits;
use crate::serve::desk::{Desk, Verdict};
use gavel_runtime::decision::ReasonCode;

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
    /// One question, with its answer once it has one.
    One(Vec<u8>, Option<Verdict>),
    /// Many, with the answers so far, and whether they end here.
    Many(Evaluations, Vec<Item>, bool),
    /// A search over candidates in order.
    Search(Searching),
    /// A body that is no request; whether that leaves no record.
    Wrong(String, bool),
}

/// Status and JSON of an answer.
pub(crate) type Finished = (u16, String);

/// A search with what it found so far.
#[derive(Debug)]
pub(crate) struct Searching {
    search: Search,
    listed: Arc<Listed>,
    /// Number of the candidate that is looked at next.
    next: usize,
    /// Candidates that were looked at.
    asked: usize,
    granted: Vec<String>,
}

impl Asking {
    /// Reads the body of a request.
    pub(crate) fn new(endpoint: Endpoint, body: &[u8], desk: &Desk) -> Asking {
        let read = match endpoint {
            Endpoint::Evaluation => evaluation(body).map(Asking::one),
            Endpoint::Evaluations => match Evaluations::read(body) {
                Ok(Some(many)) => Ok(Asking::Many(many, Vec::new(), false)),
                // Without evaluations it is a single one.
                Ok(None) => evaluation(body).map(Asking::one),
                Err(problem) => Err(problem),
            },
            Endpoint::Search(wanted) => search(body, wanted).map(|search| {
                let listed = Arc::clone(&desk.revision().listed);
                let next = search.first(search.candidates(&listed));
                Asking::Search(Searching {
                    search,
                    listed,
                    next,
                    asked: 0,
                    granted: Vec::new(),
                })
            }),
        };
        let is_search = matches!(endpoint, Endpoint::Search(_));
        read.unwrap_or_else(|problem| Asking::Wrong(problem, is_search))
    }

    fn one(porc: Vec<u8>) -> Asking {
        Asking::One(porc, None)
    }

    /// Decides once more. True once nothing is left to decide.
    pub(crate) fn step(&mut self, desk: &mut Desk) -> bool {
        match self {
            Asking::Wrong(problem, is_search) => {
                desk.deny(ReasonCode::InvalidParameter, problem, *is_search);
                true
            }
            Asking::One(porc, verdict) => {
                *verdict = Some(desk.decide_element(porc, false));
                true
            }
            Asking::Many(many, items, over) => {
                let item = match many.porc(items.len()) {
                    Ok(porc) => Item::of(desk.decide_element(&porc, false)),
                    Err((status, problem)) => {
                        desk.deny(ReasonCode::InvalidParameter, &problem, false);
                        Item::Failed(status, problem)
                    }
                };
                *over = many.semantic().ends_with(item.is_grant()) || items.len() + 1 >= many.count();
                items.push(item);
                *over
            }
            Asking::Search(searching) => searching.step(desk),
        }
    }

    /// Questions that were asked so far, but for those of a search, which leave no records.
    pub(crate) fn asked(&self) -> usize {
        match self {
            Asking::One(_, verdict) => usize::from(verdict.is_some()),
            Asking::Many(_, items, _) => items.len(),
            Asking::Wrong(..) | Asking::Search(_) => 0,
        }
    }

    /// What it keeps, or soon will.
    pub(crate) fn bytes(&self) -> usize {
        const EACH_BYTES: usize = 128;
        match self {
            Asking::Wrong(problem, _) => problem.len(),
            Asking::One(porc, _) => porc.len(),
            Asking::Many(many, ..) => many.body_bytes() + many.count() * EACH_BYTES,
            Asking::Search(searching) => searching.search.body_bytes() + searching.granted.len() * EACH_BYTES,
        }
    }

    /// No more is asked: what was not is denied, with a record each, unless nobody waits for it.
    pub(crate) fn deny_rest(&self, desk: &mut Desk) {
        if let Asking::Many(many, items, false) = self {
            (items.len()..many.count()).for_each(|_| desk.deny(ReasonCode::Evaluation, LATE, false));
        }
    }

    /// The record of one of them, counted from 0, failed: a grant becomes a denial. Whether it was one.
    pub(crate) fn revoke(&mut self, question: usize) -> bool {
        match self {
            Asking::One(_, Some(Verdict::Allow(granted))) if question == 0 => std::mem::take(granted),
            Asking::Many(_, items, _) => match items.get_mut(question) {
                Some(Item::Decided(granted)) => std::mem::take(granted),
                Some(Item::Failed(..)) | None => false,
            },
            Asking::One(..) | Asking::Wrong(..) | Asking::Search(_) => false,
        }
    }

    /// The answer, once nothing is left to decide or the time is over: what was not asked is denied, or on a later page.
    pub(crate) fn finish(self) -> Finished {
        match self {
            Asking::Wrong(problem, _) => (400, problem_body(&problem)),
            Asking::One(_, None) => (503, problem_body(LATE)),
            Asking::One(_, Some(Verdict::Allow(granted))) => (200, answer::decision(granted)),
            Asking::One(_, Some(Verdict::Malformed(problem))) => (400, problem_body(&problem)),
            Asking::One(_, Some(Verdict::TooLarge(problem))) => (413, problem_body(&problem)),
            Asking::Many(many, items, over) => (200, results(&many, items, over)),
            Asking::Search(searching) => searching.page(),
        }
    }
}

/// What is said of questions for which no time was left.
const LATE: &str = "the time for the request is over";

/// What became of one question of many.
#[derive(Debug)]
pub(crate) enum Item {
    /// A decision.
    Decided(bool),
    /// It could not be asked: status and text.
    Failed(u16, String),
}

impl Item {
    fn of(verdict: Verdict) -> Item {
        match verdict {
            Verdict::Allow(granted) => Item::Decided(granted),
            Verdict::Malformed(problem) => Item::Failed(400, problem),
            Verdict::TooLarge(problem) => Item::Failed(413, problem),
        }
    }

    fn is_grant(&self) -> bool {
        matches!(self, Item::Decided(true))
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Item::Decided(granted) => answer::item(*granted),
            Item::Failed(status, problem) => answer::failed(*status, problem),
        }
    }
}

/// The answer to many questions. `over`: nothing more was to be asked; else time was over.
fn results(many: &Evaluations, mut items: Vec<Item>, over: bool) -> String {
    // A grant that was taken back may end them earlier than it did when they were asked.
    let end = items
        .iter()
        .position(|item| many.semantic().ends_with(item.is_grant()));
    match end {
        Some(last) => items.truncate(last + 1),
        None if over => {}
        None => items.resize_with(many.count(), || Item::Failed(503, LATE.to_owned())),
    }
    answer::results(items.iter().map(Item::json).collect())
}

impl Searching {
    /// Asks about one more candidate. True once the page is full or none is left.
    fn step(&mut self, desk: &mut Desk) -> bool {
        let candidates = self.search.candidates(&self.listed);
        let next = candidates.get(self.next);
        let is_full = self.granted.len() >= self.search.limit() || self.asked >= limits::AUTHZEN_ASKED_MAX;
        let (Some(candidate), false) = (next, is_full) else {
            return true;
        };
        self.next += 1;
        self.asked += 1;
        // A search decides nothing for anybody, so it leaves no records.
        if let Ok(porc) = self.search.porc(candidate)
            && desk.decide_element(&porc, true) == Verdict::Allow(true)
        {
            self.granted.push(candidate.clone());
        }
        false
    }

    /// What was found, and where the next page begins if there are candidates behind this one.
    fn page(&self) -> Finished {
        let candidates = self.search.candidates(&self.listed);
        let is_last = self.next >= candidates.len();
        let last = self.next.checked_sub(1).and_then(|at| candidates.get(at));
        let more_after = last.filter(|_| !is_last).map(String::as_str);
        (200, self.search.answer(&self.granted, more_after))
    }
}

/// The body of a 4xx: the message as a JSON string.
fn problem_body(problem: &str) -> String {
    serde_json::Value::from(problem).to_string()
}
