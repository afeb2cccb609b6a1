//! One request: an input, a program, any number of calls that share slots and rule results.

use super::RequestEnv;
use crate::arena::Arena;
use crate::bytecode::{FnId, Program, SlotId};
use crate::error::{EvalError, EvalErrorKind};
use crate::input::{PorcError, Trailing};
use crate::json::JsonError;
use crate::limits::Limits;
use crate::value::Value;

/// All scratch memory of one core.
#[derive(Debug)]
pub struct Vm {
    limits: Limits,
    arena: Arena,
}

impl Vm {
    /// A machine with its buffers ready.
    #[must_use]
    pub fn new(limits: &Limits) -> Vm {
        Vm {
            limits: *limits,
            arena: Arena::new(limits.arena_warm_bytes, limits.arena_max_bytes),
        }
    }

    /// Bytes that it holds on to.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.arena.used_bytes()
    }

    /// Starts a request: the arena is emptied, the input is undefined, nothing is cached.
    pub fn request<'v>(&'v mut self, program: &'v Program, env: &RequestEnv) -> Request<'v> {
        self.arena.reset();
        Request {
            arena: &self.arena,
            program,
            env: *env,
            fuel: self.limits.fuel,
        }
    }
}

/// One request. Values that it hands out live as long as the borrow of the [`Vm`], not only as long as the request.
#[derive(Debug)]
pub struct Request<'v> {
    arena: &'v Arena,
    program: &'v Program,
    env: RequestEnv,
    fuel: u64,
}

impl<'v> Request<'v> {
    /// The request's memory.
    #[must_use]
    pub fn arena(&self) -> &'v Arena {
        self.arena
    }

    /// Reads a PORC: JSON by the rules of requests (numbers by value; each bad byte of UTF-8 is U+FFFD). Forgets the
    /// former input, its replacements and all rule results.
    pub fn read_porc(&mut self, _bytes: &[u8], _trailing: Trailing) -> Result<(), PorcError> {
        Err(PorcError::Null)
    }

    /// Reads any JSON document; the text of numbers is kept. Forgets as [`Request::read_porc`] does.
    pub fn read_document(&mut self, _bytes: &[u8]) -> Result<(), JsonError> {
        Ok(())
    }

    /// The input is this value (`None`: undefined). Forgets as [`Request::read_porc`] does.
    pub fn set_input(&mut self, _value: Option<Value<'v>>) {}

    /// `input` at `path` becomes `value`, for slots at, above and below the path. Forgets all rule results.
    pub fn replace_input(&mut self, _path: &[&'v str], _value: Value<'v>) -> Result<(), EvalErrorKind> {
        Ok(())
    }

    /// The value of a slot; `None`: undefined. A container is built in the arena at the first look.
    pub fn slot(&mut self, _slot: SlotId) -> Result<Option<Value<'v>>, EvalErrorKind> {
        Ok(None)
    }

    /// The value of a rule or query; `None`: undefined. Each call has the whole instruction budget.
    pub fn call(&mut self, _function: FnId) -> Result<Option<Value<'v>>, EvalError> {
        let _ = (self.env, self.fuel, self.program);
        Ok(None)
    }

    /// Which body decided a rule that was called: operand of its `ret`.
    #[must_use]
    pub fn evidence(&self, _function: FnId) -> Option<u16> {
        None
    }
}
