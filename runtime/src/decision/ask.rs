//! How a phase asks a policy: by itself, or with somebody who is told what happens. The two are different types, so that
//! nothing of the second is left in the first.

use super::phase::Phase;
use crate::bytecode::FnId;
use crate::error::EvalError;
use crate::value::Value;
use crate::vm::{Observer, Request};

/// A policy that is about to be asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// By which phase.
    pub phase: Phase,
    /// What named the policy: operation, role, resource group, scope.
    pub id: &'a str,
    /// The policy's MRN.
    pub policy: &'a str,
}

/// Is told which policies a decision asks.
pub trait Watcher {
    /// Who is told what happens in this evaluation; nobody: `None`.
    fn asks(&mut self, asked: &Asked<'_>) -> Option<&mut dyn Observer>;
}

/// Asks a policy.
pub(super) trait Ask {
    /// Somebody looks at every policy that could be asked, also where neither answer nor record need it.
    const ASKS_ALL: bool;

    /// The policy's result; `None`: undefined.
    fn call<'r>(
        &mut self,
        request: &mut Request<'r>,
        asked: &Asked<'_>,
        entry: FnId,
    ) -> Result<Option<Value<'r>>, EvalError>;
}

/// Nobody is told.
pub(super) struct Unwatched;

impl Ask for Unwatched {
    const ASKS_ALL: bool = false;

    #[inline(always)]
    fn call<'r>(
        &mut self,
        request: &mut Request<'r>,
        _: &Asked<'_>,
        entry: FnId,
    ) -> Result<Option<Value<'r>>, EvalError> {
        request.call(entry)
    }
}

/// Somebody is told.
pub(super) struct Watched<'w>(pub(super) &'w mut dyn Watcher);

impl Ask for Watched<'_> {
    const ASKS_ALL: bool = true;

    fn call<'r>(
        &mut self,
        request: &mut Request<'r>,
        asked: &Asked<'_>,
        entry: FnId,
    ) -> Result<Option<Value<'r>>, EvalError> {
        match self.0.asks(asked) {
            Some(observer) => request.trace(entry, observer),
            None => request.call(entry),
        }
    }
}
