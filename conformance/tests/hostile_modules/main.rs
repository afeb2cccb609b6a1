//! Hostile modules: whatever 64 KiB of source say, compiling them and running the result ends soon, in little memory, on
//! the stack of a small thread.
//!
//! The ceiling on time is far above what an unoptimised build needs: it catches what is not linear, not what is slow.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

mod modules;

use gavel_compiler::analyse::AnalyseOptions;
use gavel_compiler::opt::Passes;
use gavel_compiler::parse::{BaseDialect, ParseOptions};
use gavel_compiler::rego::{RegoOptions, compile};
use gavel_compiler::source::SourceMap;
use gavel_runtime::bytecode::verify;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::{RequestEnv, Vm};
use modules::Shape;
use std::time::{Duration, Instant};

/// Source of one module.
const BYTES: usize = 64 << 10;
/// Memory that compiling may take at any time.
const MEMORY_BYTES_MAX: u64 = 256 << 20;
/// Longest time of one shape in an unoptimised build on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Words of the program for each byte of source.
const WORDS_PER_BYTE: usize = 8;
/// What threads get by default.
const STACK_BYTES: usize = 2 << 20;

/// Compiles a shape with a query for everything in it, and runs the query within the limits of the service.
fn run(shape: &Shape) {
    let text = shape.text(BYTES);
    let mut sources = SourceMap::default();
    let module = sources.add_file("hostile.rego", &text);
    let query = sources.add_file("query", "data = everything");
    let options = RegoOptions {
        parse: ParseOptions {
            base: BaseDialect::V1,
            ..ParseOptions::default()
        },
        analyse: AnalyseOptions {
            error_limit: Some(10),
            ..AnalyseOptions::default()
        },
        optimise: Passes::ALL,
        ..RegoOptions::default()
    };
    let Ok(compiled) = compile(&sources, &[module], Some(query), &options) else {
        return;
    };
    let words = compiled.program.code.len();
    assert!(words <= WORDS_PER_BYTE * BYTES, "{}: {words} words", shape.name);
    let program = verify(compiled.program).unwrap();
    let mut vm = Vm::new(&Limits::DEFAULT);
    let env = RequestEnv::timeless(1_700_000_000_000_000_000, 1);
    // A value or an error of the budgets; what counts is that it ends.
    let _ = vm.request(&program, &env).call(compiled.query.unwrap().entry);
}

#[test]
fn hostile_modules_are_compiled_and_run_within_bounds() {
    for shape in modules::shapes() {
        let name = shape.name;
        let start = Instant::now();
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let measured = thread
            .spawn(move || allocation_counter::measure(|| run(&shape)))
            .unwrap()
            .join();
        let took = start.elapsed();
        let Ok(measured) = measured else {
            unreachable!("{name}: panicked")
        };
        assert!(
            measured.bytes_max <= MEMORY_BYTES_MAX,
            "{name}: {} bytes",
            measured.bytes_max
        );
        assert!(took <= TIME_MAX, "{name}: {took:?}");
    }
}
