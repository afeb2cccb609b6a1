//! `sprintf`: Go's format language over the values that OPA hands to it: 64-bit integers, 64-bit floats, big integers,
//! and the Rego text of everything else. Templates print with the same directives.

mod argument;
mod directive;
mod float;
mod print;
mod run;

pub(super) use argument::Argument;
pub(super) use directive::{Action, Flags, Reader};
pub(super) use print::{pad, print};
pub(super) use run::sprintf;
