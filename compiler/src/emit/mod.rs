//! From plans to one raw program: register allocation, encoding, linking.

mod builder;
mod control;
mod encode;
mod operands;
mod pool;
mod regs;

pub use builder::{EmitOptions, ProgramBuilder, UnitEntries};
