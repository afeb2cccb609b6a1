//! From plans to one raw program: register allocation, encoding, linking.

mod builder;
mod encode;
mod operands;
mod pool;
mod regs;

pub use builder::{EmitOptions, ProgramBuilder, UnitEntries};
