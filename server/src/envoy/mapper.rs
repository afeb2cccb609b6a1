//! A mapper at work: the attributes of a request go in, the PORC that its Rego makes of them comes out.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gavel_compiler::source::FileId;
use gavel_runtime::bytecode::{FnId, Program};
use gavel_runtime::error::EvalErrorKind;
use gavel_runtime::input::Trailing;
use gavel_runtime::json::{self, Escape};
use gavel_runtime::limits::Limits;
use gavel_runtime::value::{Kind, Value};
use gavel_runtime::vm::{Observer, Request, Vm};

use crate::desk;
use crate::random::Random;

/// A compiled mapper: the program of a query for `data.mapper.porc`. Shared by all threads.
pub struct Mapper {
    /// Its name in the domain.
    pub name: String,
    /// The texts that the sources of its program are.
    pub files: Vec<FileId>,
    /// The query's program.
    pub program: Program,
    /// The query.
    pub entry: FnId,
}

/// What a mapper has as `input`.
#[derive(Clone, Copy, Debug)]
pub enum Input<'i> {
    /// `null`: the request has no attributes.
    Null,
    /// The JSON text of an object, made by us.
    Object(&'i [u8]),
    /// Any JSON text, from outside.
    Document(&'i [u8]),
}

/// Why there is no PORC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapError {
    /// The input is no JSON, or too large.
    Unreadable(String),
    /// `data.mapper.porc` is undefined.
    Undefined,
    /// The evaluation was given up: a conflict, or a budget that ran out.
    Aborted(EvalErrorKind),
    /// The result is nothing that JSON can hold.
    Unprintable,
    /// A panic of ours.
    Fault,
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const EVALUATION: &str = "failed to evaluate mapper Rego";
        match self {
            MapError::Unreadable(why) => write!(f, "failed to parse Envoy input JSON: {why}"),
            MapError::Undefined => write!(f, "{EVALUATION}: data.mapper.porc is undefined"),
            MapError::Aborted(kind) => write!(f, "{EVALUATION}: {}: {}", kind.code(), kind.message()),
            MapError::Unprintable => write!(f, "{EVALUATION}: the result is nothing that JSON can hold"),
            MapError::Fault => write!(f, "{EVALUATION}: internal fault"),
        }
    }
}

/// What one thread needs to run mappers.
pub struct Machine {
    vm: Vm,
    random: Random,
}

impl Default for Machine {
    fn default() -> Machine {
        Machine {
            vm: Vm::new(&Limits::DEFAULT),
            random: Random::seeded(),
        }
    }
}

impl Machine {
    /// The PORC of one request: JSON with sorted keys. The observer is told what happens.
    ///
    /// A panic below is our bug: there is no PORC, and the machine is replaced.
    ///
    /// # Errors
    /// There is none.
    pub fn map(
        &mut self,
        mapper: &Mapper,
        input: Input<'_>,
        observer: Option<&mut dyn Observer>,
    ) -> Result<Vec<u8>, MapError> {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.evaluate(mapper, input, observer)));
        outcome.unwrap_or_else(|_| {
            *self = Machine::default();
            Err(MapError::Fault)
        })
    }

    fn evaluate(
        &mut self,
        mapper: &Mapper,
        input: Input<'_>,
        observer: Option<&mut dyn Observer>,
    ) -> Result<Vec<u8>, MapError> {
        let (mut env, _) = desk::moment(&mut self.random);
        if observer.is_some() {
            // Being watched takes time that must not change the outcome.
            env.deadline_ns = None;
        }
        let mut request = self.vm.request(&mapper.program, &env);
        read(&mut request, input)?;
        let outcome = match observer {
            None => request.call(mapper.entry),
            Some(observer) => request.trace(mapper.entry, observer),
        };
        let solutions = outcome.map_err(|error| MapError::Aborted(error.kind))?;
        let porc = solutions.and_then(only).ok_or(MapError::Undefined)?;
        let mut text = Vec::new();
        json::write(&mut text, porc, Escape::Html).map_err(|_| MapError::Unprintable)?;
        Ok(text)
    }
}

fn read(request: &mut Request<'_>, input: Input<'_>) -> Result<(), MapError> {
    let unreadable = |why: String| MapError::Unreadable(why);
    match input {
        Input::Null => request.set_input(Some(Value::NULL)),
        Input::Object(text) => request
            .read_porc(text, Trailing::Refuse)
            .map_err(|error| unreadable(error.to_string()))?,
        Input::Document(text) => {
            request
                .read_document(text)
                .map_err(|error| unreadable(error.to_string()))?;
            // Any JSON may stand here, but its numbers count by value, as those of a PORC do.
            let wrapped = [b"{\"input\":", text, b"}"].concat();
            request
                .read_porc(&wrapped, Trailing::Refuse)
                .map_err(|error| unreadable(error.to_string()))?;
            let object = request
                .input()
                .map_err(|kind| unreadable(kind.message().to_owned()))?;
            request.set_input(object.and_then(member));
        }
    }
    Ok(())
}

/// The value of a query with one name and one solution.
fn only(solutions: Value<'_>) -> Option<Value<'_>> {
    first(first(solutions)?)
}

fn member(object: Value<'_>) -> Option<Value<'_>> {
    match object.kind() {
        Kind::Object([entry]) => Some(entry.value),
        _ => None,
    }
}

fn first(value: Value<'_>) -> Option<Value<'_>> {
    match value.kind() {
        Kind::Array(items) => items.first().copied(),
        _ => None,
    }
}
