//! The tables of an image and the look-ups of a decision.

use super::names::Names;
use crate::arena::Arena;
use crate::bytecode::{FnId, Program, RawProgram, VerifyError, verify};
use crate::decision::{Annotation, PorcSlots, Strategy, merge};
use crate::error::EvalErrorKind;
use crate::re2::Re2Error;
use crate::selector::{Selected, SelectorCache, SelectorSet};
use crate::value::{Constant, Kind, Pool, Value};
use std::collections::BTreeMap;

/// What the compiler hands over, every reference an index into a list of this struct.
#[derive(Debug, Default)]
pub struct ImageParts {
    /// The program of all policies.
    pub program: RawProgram,
    /// Policies.
    pub policies: Vec<PolicyPart>,
    /// Roles, in load order (of equal MRNs the first counts).
    pub roles: Vec<SubjectPart>,
    /// Groups.
    pub groups: Vec<GroupPart>,
    /// Scopes.
    pub scopes: Vec<SubjectPart>,
    /// Resource groups.
    pub resource_groups: Vec<SubjectPart>,
    /// The first resource group marked as default, in load order.
    pub default_resource_group: Option<u32>,
    /// Operations, domain by domain in load order, in file order.
    pub operations: Vec<OperationPart>,
    /// Resource entries, domain by domain in load order, in file order.
    pub resources: Vec<ResourcePart>,
    /// List everything that ran in the record, also behind the phase that decided.
    pub include_all_references: bool,
}

/// A policy.
#[derive(Debug)]
pub struct PolicyPart {
    /// Its MRN.
    pub mrn: String,
    /// SHA-256 over MRN, Rego and dependencies.
    pub fingerprint: [u8; 32],
    /// What its query asks for.
    pub entry: Entry,
}

/// What the query of a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A document.
    Document(FnId),
    /// There is no such rule: undefined.
    Missing,
    /// A function has the name: an error with this text.
    Function(String),
}

/// A role, scope or resource group.
#[derive(Debug)]
pub struct SubjectPart {
    /// Its MRN.
    pub mrn: String,
    /// Index of its policy.
    pub policy: u32,
    /// Sorted or not; of equal names the last counts.
    pub annotations: Vec<AnnotationPart>,
}

/// A group.
#[derive(Debug)]
pub struct GroupPart {
    /// Its MRN.
    pub mrn: String,
    /// Indices of its roles.
    pub roles: Vec<u32>,
    /// As in [`SubjectPart`].
    pub annotations: Vec<AnnotationPart>,
}

/// An operation.
#[derive(Debug)]
pub struct OperationPart {
    /// Index of its domain in load order.
    pub domain: u32,
    /// Anchored selectors.
    pub selectors: Vec<String>,
    /// Index of its policy.
    pub policy: u32,
}

/// A resource entry.
#[derive(Debug)]
pub struct ResourcePart {
    /// Anchored selectors.
    pub selectors: Vec<String>,
    /// MRN of its resource group.
    pub group: String,
    /// Its own annotations.
    pub annotations: Vec<AnnotationPart>,
    /// Annotations of its group, which lie under its own.
    pub group_annotations: Vec<AnnotationPart>,
}

/// One annotation.
#[derive(Clone, Debug)]
pub struct AnnotationPart {
    /// Name.
    pub name: String,
    /// Decoded value.
    pub value: Constant,
    /// How it merges.
    pub strategy: Strategy,
    /// JSON cannot hold the value.
    pub unprintable: bool,
}

/// Why parts make no image: always a fault of the compiler, except for selectors.
#[derive(Debug)]
pub enum ImageError {
    /// The program is wrong.
    Verify(VerifyError),
    /// A selector does not compile.
    Selector(Re2Error),
    /// The policies read more input paths than there are slots.
    TooManySlots,
    /// The annotations do not fit into memory.
    Pool(EvalErrorKind),
    /// An index points nowhere.
    DanglingIndex(&'static str),
}

/// A policy of an image.
#[derive(Debug)]
pub struct Policy {
    /// MRN.
    pub mrn: Box<str>,
    /// SHA-256 in base64, as records show it.
    pub fingerprint_base64: Box<str>,
    /// What its query asks for.
    pub entry: Entry,
}

/// A role, scope or resource group of an image.
#[derive(Debug)]
pub struct Subject {
    /// MRN.
    pub mrn: Box<str>,
    /// Index of its policy.
    pub policy: u32,
    /// Its annotations.
    pub layer: Layer,
}

/// A group of an image.
#[derive(Debug)]
pub struct Group {
    /// Indices of its roles.
    pub roles: Vec<u32>,
    /// Its annotations.
    pub layer: Layer,
}

/// What a matched operation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// One domain has it.
    Policy(u32),
    /// No selector matches.
    Unknown,
    /// Selectors of several domains match.
    Ambiguous,
}

/// A resource entry of an image.
#[derive(Debug)]
pub struct Resource {
    /// MRN of its resource group.
    pub group: Box<str>,
    /// Its annotations over those of its group.
    pub layer: Layer,
}

/// Annotations of one entry: a run of [`Image::annotations`] sorted by name, and the same as an object in the pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layer {
    start: usize,
    end: usize,
    object: usize,
}

impl Layer {
    /// Whether there are no annotations.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

#[derive(Debug)]
struct StoredOperation {
    domain: u32,
    policy: u32,
}

#[derive(Debug)]
struct StoredAnnotation {
    name: usize,
    value: usize,
    strategy: Strategy,
}

/// Everything that a decision needs, shared by all cores.
#[derive(Debug)]
pub struct Image {
    program: Program,
    porc_slots: PorcSlots,
    pool: Pool,
    annotations: Vec<StoredAnnotation>,
    policies: Vec<Policy>,
    roles: Vec<Subject>,
    role_names: Names,
    groups: Vec<Group>,
    group_names: Names,
    scopes: Vec<Subject>,
    scope_names: Names,
    resource_groups: Vec<Subject>,
    resource_group_names: Names,
    default_resource: Option<Resource>,
    operation_selectors: SelectorSet,
    operations: Vec<StoredOperation>,
    resource_selectors: SelectorSet,
    resources: Vec<Resource>,
    include_all_references: bool,
    has_unprintable_annotations: bool,
}

/// Caches of the selector automata of one image; one per core, made by [`Image::selector_caches`].
#[derive(Debug)]
pub struct SelectorCaches {
    operations: SelectorCache,
    resources: SelectorCache,
}

impl Image {
    /// Verifies the program and builds the tables. O(size of the parts).
    pub fn new(mut parts: ImageParts) -> Result<Image, ImageError> {
        parts.check_indices()?;
        let mut builder = LayerBuilder::default();
        let roles = builder.subjects(parts.roles);
        let scopes = builder.subjects(parts.scopes);
        let resource_groups = builder.subjects(parts.resource_groups);
        let groups: Vec<(Box<str>, Group)> = parts
            .groups
            .into_iter()
            .map(|group| {
                let layer = builder.layer(group.annotations);
                (
                    group.mrn.into(),
                    Group {
                        roles: group.roles,
                        layer,
                    },
                )
            })
            .collect();
        let default_resource = parts
            .default_resource_group
            .and_then(|index| resource_groups.get(index as usize))
            .map(|group| Resource {
                group: group.mrn.clone(),
                layer: group.layer,
            });
        let operation_selectors = selectors(parts.operations.iter().map(|operation| &operation.selectors))?;
        let resource_selectors = selectors(parts.resources.iter().map(|resource| &resource.selectors))?;
        let operations = parts
            .operations
            .iter()
            .map(|o| StoredOperation {
                domain: o.domain,
                policy: o.policy,
            })
            .collect();
        let resources = parts
            .resources
            .into_iter()
            .map(|entry| {
                let layer = builder.merged_layer(&entry.group_annotations, &entry.annotations)?;
                Ok(Resource {
                    group: entry.group.into(),
                    layer,
                })
            })
            .collect::<Result<_, ImageError>>()?;
        let policies = parts
            .policies
            .into_iter()
            .map(|p| Policy {
                mrn: p.mrn.into(),
                fingerprint_base64: base64(&p.fingerprint).into(),
                entry: p.entry,
            })
            .collect();
        let names = |subjects: &[Subject]| Names::new(subjects.iter().map(|s| s.mrn.clone()).collect());
        let porc_slots = PorcSlots::intern(&mut parts.program).ok_or(ImageError::TooManySlots)?;
        Ok(Image {
            program: verify(parts.program).map_err(ImageError::Verify)?,
            porc_slots,
            pool: Pool::new(&builder.constants).map_err(ImageError::Pool)?,
            annotations: builder.annotations,
            policies,
            role_names: names(&roles),
            roles,
            group_names: Names::new(groups.iter().map(|(mrn, _)| mrn.clone()).collect()),
            groups: groups.into_iter().map(|(_, group)| group).collect(),
            scope_names: names(&scopes),
            scopes,
            resource_group_names: names(&resource_groups),
            resource_groups,
            default_resource,
            operation_selectors,
            operations,
            resource_selectors,
            resources,
            include_all_references: parts.include_all_references,
            has_unprintable_annotations: builder.has_unprintable,
        })
    }

    /// The program of all policies.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Some annotation's value is none that JSON can hold.
    #[must_use]
    pub fn has_unprintable_annotations(&self) -> bool {
        self.has_unprintable_annotations
    }

    /// The slots that the decision reads.
    #[must_use]
    pub fn porc_slots(&self) -> &PorcSlots {
        &self.porc_slots
    }

    /// See [`ImageParts::include_all_references`].
    #[must_use]
    pub fn include_all_references(&self) -> bool {
        self.include_all_references
    }

    /// A policy by index.
    #[must_use]
    pub fn policy(&self, index: u32) -> Option<&Policy> {
        self.policies.get(index as usize)
    }

    /// A role by index.
    #[must_use]
    pub fn role(&self, index: u32) -> Option<&Subject> {
        self.roles.get(index as usize)
    }

    /// Index of a role.
    #[must_use]
    pub fn find_role(&self, mrn: &str) -> Option<u32> {
        self.role_names.find(mrn)
    }

    /// A group.
    #[must_use]
    pub fn find_group(&self, mrn: &str) -> Option<&Group> {
        self.groups.get(self.group_names.find(mrn)? as usize)
    }

    /// A scope.
    #[must_use]
    pub fn find_scope(&self, mrn: &str) -> Option<&Subject> {
        self.scopes.get(self.scope_names.find(mrn)? as usize)
    }

    /// A resource group.
    #[must_use]
    pub fn find_resource_group(&self, mrn: &str) -> Option<&Subject> {
        self.resource_groups
            .get(self.resource_group_names.find(mrn)? as usize)
    }

    /// The operation that an operation string means.
    #[must_use]
    pub fn find_operation(&self, caches: &mut SelectorCaches, operation: &str) -> Operation {
        let owner_of = |entry: u32| {
            self.operations
                .get(entry as usize)
                .map_or(u32::MAX, |known| known.domain)
        };
        match self
            .operation_selectors
            .first_of_one_owner(&mut caches.operations, operation, owner_of)
        {
            Selected::None => Operation::Unknown,
            Selected::Ambiguous(_) => Operation::Ambiguous,
            Selected::One(entry) => match self.operations.get(entry as usize) {
                Some(known) => Operation::Policy(known.policy),
                None => Operation::Unknown,
            },
        }
    }

    /// The entry that a resource MRN means: the first match in load order, else the default resource group.
    #[must_use]
    pub fn find_resource(&self, caches: &mut SelectorCaches, mrn: &str) -> Option<&Resource> {
        match self.resource_selectors.first_match(&mut caches.resources, mrn) {
            Some(entry) => self.resources.get(entry as usize),
            None => self.default_resource.as_ref(),
        }
    }

    /// Caches for the selectors of this image.
    #[must_use]
    pub fn selector_caches(&self) -> SelectorCaches {
        SelectorCaches {
            operations: self.operation_selectors.create_cache(),
            resources: self.resource_selectors.create_cache(),
        }
    }

    /// The annotations of a layer, sorted by name.
    pub fn annotations(&self, layer: Layer) -> impl ExactSizeIterator<Item = Annotation<'_>> {
        let stored = self.annotations.get(layer.start..layer.end).unwrap_or_default();
        stored.iter().map(|annotation| Annotation {
            name: self.constant(annotation.name),
            value: self.constant(annotation.value),
            strategy: annotation.strategy,
        })
    }

    /// The annotations of a layer as one object.
    #[must_use]
    pub fn annotation_object(&self, layer: Layer) -> Value<'_> {
        self.constant(layer.object)
    }

    /// Places are handed out by `LayerBuilder::constant`, so each is in the pool.
    fn constant(&self, place: usize) -> Value<'_> {
        self.pool.get(place).unwrap_or(Value::NULL)
    }
}

impl ImageParts {
    fn check_indices(&self) -> Result<(), ImageError> {
        let within = |index: u32, count: usize, what: &'static str| {
            if (index as usize) < count {
                Ok(())
            } else {
                Err(ImageError::DanglingIndex(what))
            }
        };
        let subjects = self.roles.iter().chain(&self.scopes).chain(&self.resource_groups);
        for policy in subjects
            .map(|s| s.policy)
            .chain(self.operations.iter().map(|o| o.policy))
        {
            within(policy, self.policies.len(), "policy")?;
        }
        for role in self.groups.iter().flat_map(|group| &group.roles) {
            within(*role, self.roles.len(), "role")?;
        }
        for policy in &self.policies {
            if let Entry::Document(entry) = policy.entry {
                within(entry.0, self.program.functions.len(), "function")?;
            }
        }
        Ok(())
    }
}

/// One set over all entries, numbered in load order.
fn selectors<'s>(entries: impl Iterator<Item = &'s Vec<String>>) -> Result<SelectorSet, ImageError> {
    let patterns = (0..)
        .zip(entries)
        .flat_map(|(entry, patterns)| patterns.iter().map(move |p| (entry, p.as_str())));
    SelectorSet::build(patterns).map_err(ImageError::Selector)
}

#[derive(Default)]
struct LayerBuilder {
    constants: Vec<Constant>,
    annotations: Vec<StoredAnnotation>,
    has_unprintable: bool,
}

impl LayerBuilder {
    fn subjects(&mut self, parts: Vec<SubjectPart>) -> Vec<Subject> {
        parts
            .into_iter()
            .map(|part| Subject {
                mrn: part.mrn.into(),
                policy: part.policy,
                layer: self.layer(part.annotations),
            })
            .collect()
    }

    fn constant(&mut self, constant: Constant) -> usize {
        self.constants.push(constant);
        self.constants.len() - 1
    }

    /// `lower` under `higher`, by the rules that merge a principal's annotations.
    fn merged_layer(
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

    fn layer(&mut self, parts: Vec<AnnotationPart>) -> Layer {
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

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { letter as char } else { '=' });
        }
    }
    text
}
