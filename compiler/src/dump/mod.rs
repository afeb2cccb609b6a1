//! Stable texts of the compiler's stages, for tests and `--emit`.

mod ast;
mod plan;
mod tokens;

pub use ast::{ast, query};
pub use plan::{change, plan};
pub use tokens::tokens;
