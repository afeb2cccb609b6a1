//! Image and PORC in, decision out: values, bytecode, VM, builtins, the four phases. Knows nothing of the other crates and
//! no files, clocks, sockets, environment or logging.

pub mod arena;
pub mod builtins;
pub mod bytecode;
pub mod decision;
pub mod error;
pub mod image;
pub mod input;
pub mod json;
pub mod limits;
pub mod number;
pub mod re2;
pub mod selector;
mod short_text;
pub mod value;
pub mod vm;
