//! The parts of the `gavel` binary: the only crate of the workspace that knows files, sockets, threads, clocks, signals,
//! the environment and the command line.

pub mod admin;
pub mod api;
pub mod audit;
pub mod authzen;
pub mod batch;
pub mod cli;
pub mod config;
mod conn;
pub mod connections;
mod control;
mod coverage;
mod deal;
pub mod desk;
pub mod envoy;
pub mod error;
pub mod fetch;
mod files;
mod folders;
pub mod http;
pub mod io;
pub mod limits;
pub mod listen;
pub mod log;
pub mod metrics;
pub mod publish;
pub mod random;
pub mod reload;
mod replay;
pub mod server;
pub mod source;
pub mod sys;
mod terminal;
pub mod trace;
pub mod viewer;
pub mod words;
pub mod worker;
