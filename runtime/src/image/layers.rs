//! The annotations of an image: runs of a common list, and the same as objects in the pool.

use super::parts::{AnnotationPart, GroupPart, SubjectPart};
use super::tables::{Group, ImageError, Subject};
use crate::arena::Arena;
use crate::decision::{Annotation, Strategy, merge};
use crate::error::EvalErrorKind;
use crate::value::{Constant, Kind, Value};
use std::collections::BTreeMap;

/// Annotations of one entry: a run of [`super::Image::annotations`] sorted by name, and the same as an object in the pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layer {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) object: usize,
}

impl Layer {
    /// Whether there are no annotations.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

#[derive(Debug)]
pub(super) struct StoredAnnotation {
    pub(super) name: usize,
    pub(super) value: usize,
    pub(super) strategy: Strategy,
}

#[derive(Default)]
pub(super) struct LayerBuilder {
    pub(super) constants: Vec<Constant>,
    pub(super) annotations: Vec<StoredAnnotation>,
    pub(super) has_unprintable: bool,
}

impl LayerBuilder {
    pub(super) fn subjects(&mut self, parts: Vec<SubjectPart>) -> Vec<Subject> {
        parts
            .into_iter()
            .map(|part| Subject {
                mrn: part.mrn.into(),
                policy: part.policy,
                layer: self.layer(part.annotations),
            })
            .collect()
    }

    /// Groups behind their MRNs.
    pub(super) fn groups(&mut self, parts: Vec<GroupPart>) -> Vec<(Box<str>, Group)> {
        parts
            .into_iter()
            .map(|part| {
                let layer = self.layer(part.annotations);
                let group = Group {
                    roles: part.roles,
                    layer,
                };
                (part.mrn.into(), group)
            })
            .collect()
    }

    fn constant(&mut self, constant: Constant) -> usize {
        self.constants.push(constant);
        self.constants.len() - 1
    }

    /// `lower` under `higher`, by the rules that merge a principal's annotations.
    pub(super) fn merged_layer(
        &mut self,
        lower: &[AnnotationPart],
        higher: &[AnnotationPart],
    ) -> Result<Layer, ImageError> {
        let arena = Arena::new(1 << 10, MERGE_BYTES_MAX);
        let merged = merge_parts(&arena, lower, higher).map_err(ImageError::Pool)?;
        let unprintable = lower.iter().chain(higher).any(|part| part.unprintable);
        let parts = merged.iter().filter_map(|annotation| {
            let Kind::String(name) = annotation.name.kind() else {
                return None;
            };
            let value = annotation.value.to_constant()?;
            Some(AnnotationPart {
                name: name.to_owned(),
                value,
                strategy: annotation.strategy,
                unprintable,
            })
        });
        Ok(self.layer(parts.collect()))
    }

    pub(super) fn layer(&mut self, parts: Vec<AnnotationPart>) -> Layer {
        let mut by_name: BTreeMap<String, AnnotationPart> = BTreeMap::new();
        for part in parts {
            by_name.insert(part.name.clone(), part);
        }
        let start = self.annotations.len();
        let members = by_name
            .values()
            .map(|p| (Constant::String(p.name.clone()), p.value.clone()))
            .collect();
        let object = self.constant(Constant::object(members));
        for part in by_name.into_values() {
            self.has_unprintable |= part.unprintable;
            let name = self.constant(Constant::String(part.name));
            let value = self.constant(part.value);
            self.annotations.push(StoredAnnotation {
                name,
                value,
                strategy: part.strategy,
            });
        }
        Layer {
            start,
            end: self.annotations.len(),
            object,
        }
    }
}

/// Memory for merging the annotations of one resource entry; a PolicyDomain file is far smaller.
const MERGE_BYTES_MAX: usize = 64 << 20;

fn merge_parts<'r>(
    arena: &'r Arena,
    lower: &[AnnotationPart],
    higher: &[AnnotationPart],
) -> Result<&'r [Annotation<'r>], EvalErrorKind> {
    let layer = |parts: &[AnnotationPart]| {
        let mut by_name: BTreeMap<&str, &AnnotationPart> = BTreeMap::new();
        for part in parts {
            by_name.insert(&part.name, part);
        }
        let mut list = arena.list(by_name.len())?;
        for part in by_name.into_values() {
            let name = Value::string(arena.text(&part.name)?);
            list.push(Annotation {
                name,
                value: part.value.to_value(arena)?,
                strategy: part.strategy,
            });
        }
        Ok::<_, EvalErrorKind>(list.into_bump_slice())
    };
    merge(arena, layer(lower)?, layer(higher)?)
}
