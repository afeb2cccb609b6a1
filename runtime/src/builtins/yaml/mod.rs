//! YAML 1.2 (core schema) as OPA reads and writes it.

mod block;
mod brackets;
mod builtin;
mod comments;
mod decode;
mod document;
mod encode;
mod plain_text;
mod quotes;
mod scalar;
mod sort;
mod stream;

pub(super) use builtin::{is_valid, unmarshal};
pub(super) use encode::marshal;
