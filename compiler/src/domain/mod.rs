//! PolicyDomain YAML in, validated and resolved domain tables out.
//!
//! ```text
//! text ─indent, build→ yaml tree ─decode, scalar→ typed fields ─schema→ PolicyDomain ─read→ + Rego texts, selectors
//!      ─structure, refs, deps─ resolve→ DomainSet
//! ```

mod annotations;
mod build;
mod decode;
mod deps;
mod indent;
mod inline;
mod json;
pub mod limits;
mod load;
mod number;
mod problems;
mod read;
mod refs;
mod resolve;
pub mod scalar;
pub mod schema;
mod selectors;
pub mod set;
mod structure;
mod text;
mod timestamp;
pub mod yaml;

pub use decode::Text;
pub use inline::{Inlined, Reference, References, further_document, kind, references};
pub use load::{load, load_documents};
pub use problems::{kind_of, summary, without_place};
pub use read::{ModuleKind, ReadDomain, ReadModule, read, read_documents};
pub use resolve::{resolve, resolve_all};
pub use selectors::Selector;
pub use set::DomainSet;
pub use structure::tolerated;
