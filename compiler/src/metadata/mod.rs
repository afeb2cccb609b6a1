//! METADATA annotations: comment blocks in, annotations of packages and rules out, checked as OPA checks them.
//!
//! ```text
//! comments ─blocks→ YAML text ─decode→ fields as written ─fields→ checked fields ─attach→ annotations ─set→ what holds for a rule
//! ```
//!
//! The parser refuses what is wrong with the blocks of one module, where the caller wants them read at all; the analysis
//! builds the set over all modules, gives `rego.metadata.*` its constants (`constant.rs`) and the type checker its schemas.

mod annotation;
mod attach;
mod blocks;
mod constant;
mod decode;
mod fields;
mod path;
mod repair;
mod scan;
mod schema;
mod set;

pub use annotation::{
    Annotation, Author, Definition, Fields, Free, Path, Resource, Schema, Scope, Step, Target,
};
pub use attach::attach;
pub use blocks::{Block, read};
pub use constant::of_annotation;
pub use schema::{Compiled, Shape, compile};
pub use set::{Annotated, Link, Set};
