//! Counts the allocator calls of a warm decision over every request of the examples; prints the largest number.
//!
//! A program of its own, since counting needs an allocator that the timed programs should not have.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool whose product is its output"
)]

use gavel_benches::corpus;
use std::process::ExitCode;

fn main() -> ExitCode {
    match most() {
        Ok(calls) => {
            println!("{calls}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn most() -> Result<u64, String> {
    let mut most = 0;
    for example in corpus::examples().map_err(|error| error.to_string())? {
        let image = corpus::image(&example)?;
        let mut decider = corpus::decider(&image);
        for (_, body) in &example.requests {
            corpus::decide(&mut decider, &image, body)?;
            corpus::decide(&mut decider, &image, body)?;
            let calls = allocation_counter::measure(|| {
                let _ = corpus::decide(&mut decider, &image, body);
            });
            most = most.max(calls.count_total);
        }
    }
    Ok(most)
}
