//! Stable texts of the compiler's stages, for tests and `--emit`.

mod plan;

pub use plan::plan;
