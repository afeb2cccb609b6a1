//! The command line: words in, one command run, exit status out.

mod args;
mod audit;
mod audit_args;
mod build;
mod compile;
mod configured;
mod deep_stack;
mod dialect;
mod documents;
mod domain_file;
mod doors;
mod eval;
mod explain;
mod help;
mod image;
mod input;
mod junit;
mod lint;
mod load;
mod mapper;
mod references;
mod report;
mod retrace;
mod run;
mod serve;
mod serve_args;
mod served;
mod suite;
mod suite_report;
mod test_decision;
mod test_decisions;
mod test_mapper;
mod test_replay;
mod tls_args;
mod usage;

pub use run::main;
