//! A mapper at work: the attributes of a request go in, the PORC that its Rego makes of them comes out.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gavel_compiler::source::FileId;
use gavel_runtime::builtins::Fetch;
use gavel_runtime::bytecode::{FnId, Program};
use gavel_runtime::error::EvalErrorKind;
use gavel_runtime::input::Trailing;
use gavel_runtime::json::{self, Escape};
use gavel_runtime::limits::Limits;
use gavel_runtime::value::{Kind, Value};
use gavel_runtime::vm::{Observer, Request, Vm};

use crate::fetch::{Fetcher, Network};
use crate::limits;
use crate::random::Random;
use crate::serve::desk;

/// A compiled mapper: the program of a query for `data.mapper.porc`. Shared by all threads.
pub struct Mapper {
    /// Its name in the domain.
    pub name: String,
    /// The texts that the sources of its program are.
    pub files: Vec<FileId>,
    /// It calls `http.send`, so it may have to wait.
    pub waits: bool,
    /// The query's program.
    pub program: Arc<Program>,
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
    /// The mapper asked `http.send` for something that it does not do.
    Refused(String),
    /// Too many requests wait for what their mappers ask for in the network.
    Overloaded,
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
            MapError::Refused(why) => write!(f, "{EVALUATION}: {why}"),
            MapError::Overloaded => write!(f, "{EVALUATION}: too many wait for http.send"),
            MapError::Fault => write!(f, "{EVALUATION}: internal fault"),
        }
    }
}

/// What one thread needs to run mappers.
pub struct Machine {
    vm: Vm,
    random: Random,
    network: Option<Lent>,
}

/// A network that a machine may use, and what was done with it.
struct Lent {
    network: Arc<Network>,
    fetcher: Arc<Mutex<Fetcher>>,
}

impl Default for Machine {
    fn default() -> Machine {
        Machine {
            vm: Vm::new(&Limits::DEFAULT),
            random: Random::seeded(),
            network: None,
        }
    }
}

impl Machine {
    /// A machine whose mappers may call `http.send`, and wait for it.
    #[must_use]
    pub fn with_network(network: Arc<Network>) -> Machine {
        let mut machine = Machine::default();
        let fetcher = Arc::new(Mutex::new(Fetcher::new(Arc::clone(&network))));
        let used = Arc::clone(&fetcher);
        machine.vm.lend_network(Fetch(Box::new(move |request| {
            used.lock().unwrap_or_else(PoisonError::into_inner).send(request)
        })));
        machine.network = Some(Lent { network, fetcher });
        machine
    }

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
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let porc = self.evaluate(mapper, input, observer);
            if let Some(lent) = &self.network {
                lent.fetcher().finish();
            }
            porc
        }));
        outcome.unwrap_or_else(|_| {
            *self = match self.network.take() {
                Some(lent) => Machine::with_network(lent.network),
                None => Machine::default(),
            };
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
        if let Some(lent) = &self.network {
            let time = Duration::from_secs(limits::FETCH_SECONDS_MAX);
            lent.fetcher().begin(time);
            let more = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            env.deadline_ns = env.deadline_ns.map(|deadline| deadline.saturating_add(more));
        }
        let mut request = self.vm.request(&mapper.program, &env);
        read(&mut request, input)?;
        let outcome = match observer {
            None => request.call(mapper.entry),
            Some(observer) => request.trace(mapper.entry, observer),
        };
        let solutions = outcome.map_err(|error| {
            let refusal = self
                .network
                .as_ref()
                .and_then(|lent| lent.fetcher().take_refusal());
            refusal.map_or(MapError::Aborted(error.kind), MapError::Refused)
        })?;
        let porc = solutions.and_then(only).ok_or(MapError::Undefined)?;
        let mut text = Vec::new();
        json::write(&mut text, porc, Escape::Html).map_err(|_| MapError::Unprintable)?;
        Ok(text)
    }
}

impl Lent {
    fn fetcher(&self) -> MutexGuard<'_, Fetcher> {
        self.fetcher.lock().unwrap_or_else(PoisonError::into_inner)
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
