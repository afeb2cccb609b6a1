//! A program that may run: what `verify` proved and prepared.

/// A verified program: immutable, shared by all cores.
#[derive(Debug)]
pub struct Program {
    pub(crate) strict_builtins: bool,
}
