//! The parts of the `gavel` binary: the only crate of the workspace that knows files, sockets, threads, clocks, signals,
//! the environment and the command line.

pub mod admin;
pub mod audit;
pub mod authzen;
pub mod cli;
pub mod clock;
pub mod config;
mod coverage;
pub mod envoy;
pub mod error;
pub mod fetch;
mod files;
mod folders;
pub mod http;
pub mod io;
pub mod limits;
pub mod log;
pub mod metrics;
pub mod opa;
pub mod publish;
pub mod random;
pub mod reload;
mod replay;
pub mod serve;
pub mod source;
pub mod start;
pub mod sys;
mod terminal;
pub mod tls;
pub mod trace;
pub mod viewer;
pub mod why;
pub mod words;
mod yaml;
