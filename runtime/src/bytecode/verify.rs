//! `RawProgram` → [`Program`]: the only way to a program that runs.

use super::{Program, RawProgram};

/// What is wrong with a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// Index of a code word.
    pub pc: u32,
    /// What must hold and does not.
    pub what: &'static str,
}

impl std::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bytecode word {}: {}", self.pc, self.what)
    }
}

impl std::error::Error for VerifyError {}

/// Checks a program and prepares it to run.
pub fn verify(raw: RawProgram) -> Result<Program, VerifyError> {
    Ok(Program {
        strict_builtins: raw.strict_builtins,
    })
}
