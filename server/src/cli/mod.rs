//! The command line: words in, one command run, exit status out.

mod args;
mod load;
mod run;
mod serve;
mod test_decision;

pub use run::main;
