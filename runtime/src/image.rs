//! The linked policy domains, immutable and shared by all cores: one program and the tables that say which policy to ask.
//!
//! The compiler hands in [`ImageParts`] with every name resolved to an index; [`Image::new`] verifies the program and
//! builds the look-up tables. Nothing here changes afterwards.

mod contents;
mod file;
mod layers;
mod listed;
mod load_error;
mod names;
mod parts;
mod policy;
mod recent;
mod tables;
mod texts;
mod together;

pub use file::{IMAGE_MAGIC, LoadOptions, SaveError, load, save};
pub use layers::Layer;
pub(crate) use layers::ReadAnnotation;
pub use load_error::LoadError;
pub use parts::{
    AnnotationPart, Entry, GroupPart, ImageParts, MapperPart, OperationPart, PolicyPart, ResourcePart,
    SubjectPart,
};
pub use policy::Policy;
pub(crate) use tables::Selectors;
pub use tables::{Group, Image, ImageError, Mapper, Operation, Resource, SelectorCaches, Subject};
pub(crate) use texts::Texts;
pub(crate) use together::{Kept, Layers, MERGED_CELLS_MAX, MergedCell, Together, TooMany};
