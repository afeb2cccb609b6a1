//! The annotations of an image: runs of a common list, and the same as objects in the pool.

use super::parts::{AnnotationPart, GroupPart, SubjectPart};
use super::tables::{Group, ImageError, Subject};
use crate::arena::Arena;
use crate::decision::{Annotation, Strategy, merge};
use crate::error::EvalErrorKind;
use crate::input::SlotTrie;
use crate::value::{Constant, Kind, Value};
use std::collections::{BTreeMap, HashSet};

/// Annotations of one entry: a run of [`super::Image::annotations`] sorted by name, and the same as an object in the pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layer {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) object: usize,
    /// What stands where annotations of its kind do.
    pub(super) cells: CellRun,
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
    /// What stands in its own cell and those below; none when no policy reads it.
    pub(super) cells: CellRun,
}

/// An annotation that policies read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadAnnotation<'i> {
    /// Its cell.
    pub(crate) cell: u16,
    /// Its value.
    pub(crate) value: Value<'i>,
    /// What its author said about merging.
    pub(crate) strategy: Strategy,
    /// What stands in its cell and in those below.
    pub(crate) cells: CellRun,
}

/// A run of cells and of what stands in them, which [`super::Image::cells`] shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CellRun {
    pub(super) start: usize,
    pub(super) end: usize,
}

pub(super) struct LayerBuilder<'t> {
    /// What of the input the program reads.
    trie: &'t SlotTrie,
    pub(super) constants: Vec<Constant>,
    pub(super) annotations: Vec<StoredAnnotation>,
    /// Cells of the input, and the constants that a layer puts there.
    pub(super) cells: Vec<(u16, usize)>,
    pub(super) has_unprintable: bool,
}

impl<'t> LayerBuilder<'t> {
    pub(super) fn new(trie: &'t SlotTrie) -> LayerBuilder<'t> {
        LayerBuilder {
            trie,
            constants: Vec::new(),
            annotations: Vec::new(),
            cells: Vec::new(),
            has_unprintable: false,
        }
    }

    /// Subjects whose annotations stand at a cell.
    pub(super) fn subjects(&mut self, parts: Vec<SubjectPart>, at: u16) -> Vec<Subject> {
        parts
            .into_iter()
            .map(|part| Subject {
                mrn: part.mrn.into(),
                policy: part.policy,
                layer: self.layer(part.annotations, at),
            })
            .collect()
    }

    /// Groups behind their MRNs; their annotations stand at a cell.
    pub(super) fn groups(
        &mut self,
        parts: Vec<GroupPart>,
        roles: &[SubjectPart],
        at: u16,
    ) -> Vec<(Box<str>, Group)> {
        let mut room = CLOSURE_WEIGHT_MAX;
        let mut group = |part: GroupPart| {
            let closure = self.closure(&part, roles, &mut room);
            let group = Group {
                closure: closure.map(|said| self.layer(said, at)),
                layer: self.layer(part.annotations, at),
                roles: part.roles,
            };
            (part.mrn.into(), group)
        };
        parts.into_iter().map(&mut group).collect()
    }

    /// The annotations of a group over those of its roles, each of which counts once, by the rules that merge a
    /// principal's annotations. `room`: the weight that may still be merged; `None`: this is too much.
    fn closure(
        &self,
        group: &GroupPart,
        roles: &[SubjectPart],
        room: &mut usize,
    ) -> Option<Vec<AnnotationPart>> {
        let mut seen = HashSet::new();
        let mut said = group.annotations.clone();
        for role in group.roles.iter().filter_map(|role| roles.get(*role as usize)) {
            if !seen.insert(&role.mrn) || role.annotations.is_empty() {
                continue;
            }
            let parts = said.iter().chain(&role.annotations);
            *room = room.checked_sub(parts.map(|part| weight(&part.value)).sum())?;
            said = merged_parts(&role.annotations, &said).ok()?;
        }
        Some(said)
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
        at: u16,
    ) -> Result<Layer, ImageError> {
        let merged = merged_parts(lower, higher)?;
        Ok(self.layer(merged, at))
    }

    /// Annotations that stand at a cell.
    pub(super) fn layer(&mut self, parts: Vec<AnnotationPart>, at: u16) -> Layer {
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
        let first_cell = self.cells.len();
        self.cells.push((at, object));
        for part in by_name.into_values() {
            self.has_unprintable |= part.unprintable;
            let own_cell = self.cells.len();
            let value = match self.trie.kid(at, &part.name) {
                Some(cell) => self.put(cell, &part.value),
                None => self.constant(part.value),
            };
            let name = self.constant(Constant::String(part.name));
            self.annotations.push(StoredAnnotation {
                name,
                value,
                strategy: part.strategy,
                cells: CellRun {
                    start: own_cell,
                    end: self.cells.len(),
                },
            });
        }
        Layer {
            start,
            end: self.annotations.len(),
            object,
            cells: CellRun {
                start: first_cell,
                end: self.cells.len(),
            },
        }
    }

    /// Puts a value into a cell, and its members into those below; its place. Recursive over the trie.
    fn put(&mut self, cell: u16, value: &Constant) -> usize {
        let place = self.constant(value.clone());
        self.cells.push((cell, place));
        if let Constant::Object(members) = value {
            for (key, member) in members {
                if let Constant::String(key) = key
                    && let Some(below) = self.trie.kid(cell, key)
                {
                    self.put(below, member);
                }
            }
        }
        place
    }
}

/// Memory for merging the annotations of one resource entry; a PolicyDomain file is far smaller.
const MERGE_BYTES_MAX: usize = 64 << 20;

/// Weight of what is merged beforehand for the groups of an image, over all of them: it costs time when the image is
/// loaded, and memory.
const CLOSURE_WEIGHT_MAX: usize = 1 << 20;

/// About how many words a value takes.
fn weight(value: &Constant) -> usize {
    match value {
        Constant::Null | Constant::Bool(_) | Constant::Int(_) => 1,
        Constant::Number(text) | Constant::String(text) => 1 + text.len() / 8,
        Constant::Array(items) | Constant::Set(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Constant::Object(members) => {
            let member = |(key, value): &(Constant, Constant)| weight(key) + weight(value);
            1 + members.iter().map(member).sum::<usize>()
        }
    }
}

/// `lower` under `higher`.
fn merged_parts(
    lower: &[AnnotationPart],
    higher: &[AnnotationPart],
) -> Result<Vec<AnnotationPart>, ImageError> {
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
    Ok(parts.collect())
}

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
    let (lower, higher) = (layer(lower)?, layer(higher)?);
    merge(arena, lower.iter().copied(), higher.iter().copied())
}
