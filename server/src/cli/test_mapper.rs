//! `gavel test mapper` and `gavel test envoy`: one request through a domain's mapper, and on to a decision.

use std::io::Write as _;

use gavel_compiler::source::SourceMap;
use gavel_runtime::vm::Observer;

use crate::cli::args::{Global, MapperArgs};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::load::{self, Loaded};
use crate::cli::{input, test_decision};
use crate::envoy::{Input, Machine, Mapper};
use crate::error::Failure;
use crate::trace::{Lines, Texts};

/// Prints the mapper's PORC.
///
/// # Errors
/// Domains, mapper or input that cannot be used.
pub(crate) fn porc(args: &MapperArgs, global: &Global) -> Result<(), Failure> {
    let (_, mut porc) = mapped(args, global)?;
    porc.push(b'\n');
    print(&porc)
}

/// Decides over the mapper's PORC and prints the access record.
///
/// # Errors
/// As [`porc`], and a PORC that is none.
pub(crate) fn envoy(args: &MapperArgs, global: &Global) -> Result<(), Failure> {
    let (loaded, porc) = mapped(args, global)?;
    print(&on_a_deep_stack(|| {
        test_decision::decide_traced(&loaded, &porc)
    })??)
}

fn mapped(args: &MapperArgs, global: &Global) -> Result<(Loaded, Vec<u8>), Failure> {
    let mut loaded = load::load(&args.domains, global)?;
    let name = args.name.as_deref().filter(|name| !name.is_empty());
    let mapper = loaded.mapper(name)?;
    let network = args.domains.network.network();
    let input = input::bytes(args.input.as_deref())?;
    let filter = loaded.trace.as_ref().filter(|filter| filter.wants(&mapper.name));
    let sources = &loaded.sources;
    let machine = || network.map_or_else(Machine::default, Machine::with_network);
    let porc = on_a_deep_stack(|| match filter {
        None => map(machine(), &mapper, &input, None),
        Some(_) => traced(machine(), &mapper, sources, &input),
    })??;
    Ok((loaded, porc))
}

fn traced(machine: Machine, mapper: &Mapper, sources: &SourceMap, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let files = &mapper.files;
    let mut lines = Lines::new(Texts { sources, files });
    lines.heading(&format!("--- mapper {}", mapper.name));
    let porc = map(machine, mapper, input, Some(&mut lines));
    lines.finish();
    porc
}

fn map(
    mut machine: Machine,
    mapper: &Mapper,
    input: &[u8],
    observer: Option<&mut dyn Observer>,
) -> Result<Vec<u8>, Failure> {
    machine
        .map(mapper, Input::Document(input), observer)
        .map_err(|error| Failure::Input(error.to_string()))
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    std::io::stdout()
        .write_all(bytes)
        .map_err(|e| Failure::Operator(format!("standard output: {e}")))
}
