//! Bytecode: the table of ops, the program as the compiler emits it, and the program that may run.

mod dump;
mod flow;
mod marks;
mod op;
mod prepared;
mod program;
mod switch;
#[cfg(test)]
mod tests;
mod verified;
mod verify;

pub use dump::dump;
pub use marks::{Extent, Mark, MarkKind};
pub use op::{Inst, MOCK_BUILTIN, NO_PREPARED, NO_REG, Op, Role, Shape};
pub use prepared::{Prepared, PreparedRegex, PreparedSpec};
pub use program::{FnId, FnInfo, FnKind, Line, ParseModule, RawProgram, Sleep, SlotId, SlotPath};
pub use switch::{Switch, SwitchSpec};
#[cfg(test)]
pub(crate) use tests::assemble;
pub(crate) use verified::Function;
pub use verified::Program;
pub use verify::{VerifyError, verify};
