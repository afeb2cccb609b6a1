//! The linked policy domains, immutable and shared by all cores: one program and the tables that say which policy to ask.
//!
//! The compiler hands in [`ImageParts`] with every name resolved to an index; [`Image::new`] verifies the program and
//! builds the look-up tables. Nothing here changes afterwards.

mod names;
mod tables;

pub use tables::{
    AnnotationPart, Entry, Group, GroupPart, Image, ImageError, ImageParts, Layer, Operation, OperationPart,
    Policy, PolicyPart, Resource, ResourcePart, SelectorCaches, Subject, SubjectPart,
};
