//! YAML 1.2 (core schema) as OPA reads and writes it.

mod builtin;
mod decode;
mod document;
mod scalar;
mod stream;

pub(super) use builtin::{is_valid, unmarshal};
