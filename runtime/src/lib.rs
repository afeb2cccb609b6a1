//! Image and PORC in, decision out: values, bytecode, VM, builtins, the four phases. Knows nothing of the other crates and
//! no files, clocks, sockets, environment or logging: bytes, time and randomness come in with each call.
//!
//! An image comes from `gavel_compiler`, or from an image file that it wrote; a process that only loads files needs no
//! compiler. An [`embed::Engine`] decides on its thread, over an [`image::Image`] that all threads share:
//!
//! ```
//! use gavel_runtime::embed::{Engine, JsonRecords, Moment, PorcBuilder};
//! use gavel_runtime::image::{ImageParts, LoadOptions, load, save};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // An image without any policy; `gavel compile -o` writes others.
//! let file = save(&ImageParts::default())?;
//!
//! let image = Arc::new(load(&file, &LoadOptions::default())?);
//! let records = JsonRecords::new(Default::default(), |line| {
//!     print!("{}", String::from_utf8_lossy(line));
//!     true
//! });
//! let mut engine = Engine::new(image).sink(records);
//!
//! let porc = PorcBuilder::new("shop:order:read").subject("ann").resource("mrn:shop:order:7");
//! let moment = Moment::new(1_700_000_000_000_000_000, *b"16 random bytes!");
//! assert_eq!(engine.decide_porc(&porc, &moment), Ok(false)); // Nothing grants it.
//! # Ok(())
//! # }
//! ```
//!
//! What is below an engine can be used by itself: [`decision::Decider`] decides and leaves the record to its caller,
//! [`vm::Vm`] runs a [`bytecode::Program`], [`value`] and [`json`] are Rego's values and their text.

pub mod arena;
pub mod builtins;
pub mod bytecode;
mod checks;
pub mod decision;
pub mod embed;
pub mod error;
pub mod image;
pub mod input;
pub mod json;
pub mod limits;
pub mod number;
pub mod re2;
#[cfg(test)]
mod repeated;
pub mod selector;
mod short_text;
pub mod value;
pub mod vm;
