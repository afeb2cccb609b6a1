//! The command line: words in, one command run, exit status out.

mod args;
mod dialect;
mod input;
mod load;
mod report;
mod run;
mod serve;
mod suite;
mod test_decision;
mod test_decisions;

pub use run::main;
