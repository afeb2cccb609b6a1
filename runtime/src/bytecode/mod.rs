//! Bytecode: the table of ops, the program as the compiler emits it, and the program that may run.

mod flow;
mod op;
mod prepared;
mod program;
mod verified;
mod verify;

pub use op::{Inst, MOCK_BUILTIN, NO_PREPARED, NO_REG, Op, Role, Shape};
pub use prepared::{Prepared, PreparedSpec};
pub use program::{FnId, FnInfo, FnKind, Line, RawProgram, SlotId, SlotPath};
pub(crate) use verified::Function;
pub use verified::Program;
pub use verify::{VerifyError, verify};
