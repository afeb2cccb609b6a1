//! Rego and PolicyDomain text in, image and diagnostics out. Pure: no files, clocks, sockets, environment, logging.
#![forbid(unsafe_code)]

pub mod analyse;
pub mod ast;
pub mod check;
mod constant;
pub mod diagnostic;
pub mod domain;
pub mod dump;
pub mod emit;
pub mod fold;
pub mod hir;
mod layout;
pub mod lexer;
pub mod limits;
pub mod link;
pub mod lint;
pub mod metadata;
pub mod opa_ast;
pub mod opt;
pub mod parse;
pub mod places;
pub mod plan;
pub mod policies;
pub mod rego;
pub mod render;
pub mod source;
pub mod token;
pub mod types;
mod units;

pub use policies::{Compiled, Linked, Options, compile, compile_parts};
