//! The tables of an image and the look-ups of a decision.

use super::layers::{CellRun, Layer, LayerBuilder, ReadAnnotation, StoredAnnotation};
use super::names::Names;
use super::parts::{ImageParts, MapperPart, OperationPart, ResourcePart, SubjectPart};
use super::policy::Policy;
use super::recent::Recent;
use super::texts::Texts;
use super::together::Together;
use crate::bytecode::{FnId, Program, VerifyError, verify};
use crate::decision::{Annotation, PorcCells, PorcSlots};
use crate::error::EvalErrorKind;
use crate::re2::Re2Error;
use crate::selector::{Selected, SelectorCache, SelectorSet};
use crate::value::{Pool, Value};
use std::sync::Arc;

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

impl std::fmt::Display for ImageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ImageError::Verify(error) => error.fmt(f),
            ImageError::Selector(error) => write!(f, "a selector: {error}"),
            ImageError::TooManySlots => {
                f.write_str("the policies read more input paths than there are slots")
            }
            ImageError::Pool(kind) => write!(f, "the annotations: {}", kind.message()),
            ImageError::DanglingIndex(what) => write!(f, "the index of a {what} points nowhere"),
        }
    }
}

impl std::error::Error for ImageError {}

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
    /// Its annotations over those of its roles, in turn: what a principal is said to be that is in this group alone.
    /// `None`: too many to be merged beforehand.
    pub closure: Option<Layer>,
}

/// A mapper that an image brought along.
#[derive(Clone, Debug)]
pub struct Mapper {
    /// Name of its domain.
    pub domain: Box<str>,
    /// Its name in the domain.
    pub name: Box<str>,
    /// Its program.
    pub program: Arc<Program>,
    /// The query for a PORC.
    pub entry: FnId,
    /// It may call a builtin that goes out into the network.
    pub waits: bool,
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
    /// Anchored selectors; none of the default resource group.
    pub selectors: Box<[String]>,
    /// MRN of its resource group.
    pub group: Box<str>,
    /// Index of that group's policy.
    pub policy: u32,
    /// Its annotations over those of its group.
    pub layer: Layer,
}

#[derive(Debug)]
pub(super) struct StoredOperation {
    pub(super) selectors: Box<[String]>,
    pub(super) domain: u32,
    pub(super) policy: u32,
}

/// Everything that a decision needs, shared by all cores.
#[derive(Debug)]
pub struct Image {
    program: Program,
    porc_cells: PorcCells,
    pool: Pool,
    annotations: Vec<StoredAnnotation>,
    /// Cells of the input, and the places of what layers put there.
    cells: Vec<(u16, usize)>,
    resource_strangers: Box<[u16]>,
    policies: Vec<Policy>,
    pub(super) roles: Vec<Subject>,
    role_names: Names,
    /// Of each role, the index of the first that has its MRN.
    role_firsts: Vec<u32>,
    pub(super) groups: Vec<Group>,
    pub(super) group_names: Names,
    pub(super) scopes: Vec<Subject>,
    scope_names: Names,
    pub(super) resource_groups: Vec<Subject>,
    resource_group_names: Names,
    default_resource: Option<Resource>,
    pub(super) operation_selectors: SelectorSet,
    pub(super) operations: Vec<StoredOperation>,
    pub(super) resource_selectors: SelectorSet,
    pub(super) resources: Vec<Resource>,
    include_all_references: bool,
    has_unprintable_annotations: bool,
    domains: Vec<String>,
    mappers: Vec<Mapper>,
}

/// What one core remembers of requests to one image, with memory for its automata; see [`Image::selector_caches`].
#[derive(Debug)]
pub struct SelectorCaches {
    pub(crate) selectors: Selectors,
    pub(crate) together: Together,
    pub(crate) texts: Texts,
    pub(crate) layouts: crate::input::Layouts,
}

/// For looking up operations and resources.
#[derive(Debug)]
pub(crate) struct Selectors {
    recent: Recent,
    operations: SelectorCache,
    resources: SelectorCache,
}

impl Image {
    /// Verifies the program and builds the tables. O(size of the parts).
    pub fn new(mut parts: ImageParts) -> Result<Image, ImageError> {
        parts.check_indices()?;
        let porc_slots = PorcSlots::intern(&mut parts.program).ok_or(ImageError::TooManySlots)?;
        let program = verify(parts.program).map_err(ImageError::Verify)?;
        let porc_cells = porc_slots.cells(&program);
        let [of_principal, of_resource] = porc_cells.annotations();
        let mut builder = LayerBuilder::new(&program.trie);
        let groups = builder.groups(parts.groups, &parts.roles, of_principal);
        let roles = builder.subjects(parts.roles, of_principal);
        let scopes = builder.subjects(parts.scopes, of_principal);
        let resources = resources(&mut builder, parts.resources, &parts.resource_groups, of_resource)?;
        let resource_groups = builder.subjects(parts.resource_groups, of_resource);
        let default_resource = parts
            .default_resource_group
            .and_then(|index| resource_groups.get(index as usize))
            .map(|group| Resource {
                selectors: Box::default(),
                group: group.mrn.clone(),
                policy: group.policy,
                layer: group.layer,
            });
        let names = |subjects: &[Subject]| Names::new(subjects.iter().map(|s| s.mrn.clone()).collect());
        let resource_group_names = names(&resource_groups);
        let operation_selectors = selectors(
            parts
                .operations
                .iter()
                .map(|operation| operation.selectors.as_slice()),
        )?;
        let resource_selectors = selectors(resources.iter().map(|resource| &*resource.selectors))?;
        let role_names = names(&roles);
        Ok(Image {
            resource_strangers: porc_cells.resource_strangers(&program),
            porc_cells,
            pool: Pool::new(&builder.constants).map_err(ImageError::Pool)?,
            annotations: builder.annotations,
            cells: builder.cells,
            policies: parts.policies.into_iter().map(Policy::new).collect(),
            role_firsts: (0..)
                .zip(&roles)
                .map(|(index, role)| role_names.find(&role.mrn).unwrap_or(index))
                .collect(),
            role_names,
            roles,
            group_names: Names::new(groups.iter().map(|(mrn, _)| mrn.clone()).collect()),
            groups: groups.into_iter().map(|(_, group)| group).collect(),
            scope_names: names(&scopes),
            scopes,
            resource_group_names,
            resource_groups,
            default_resource,
            operation_selectors,
            operations: operations(parts.operations),
            resource_selectors,
            resources,
            include_all_references: parts.include_all_references,
            has_unprintable_annotations: builder.has_unprintable,
            program,
            domains: parts.domains,
            mappers: mappers(parts.mappers)?,
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

    /// The cells that the decision reads.
    pub(crate) fn porc_cells(&self) -> &PorcCells {
        &self.porc_cells
    }

    /// See [`ImageParts::include_all_references`].
    #[must_use]
    pub fn include_all_references(&self) -> bool {
        self.include_all_references
    }

    /// Names of the domains, in load order.
    #[must_use]
    pub fn domains(&self) -> &[String] {
        &self.domains
    }

    /// The mappers that the image brought along.
    #[must_use]
    pub fn mappers(&self) -> &[Mapper] {
        &self.mappers
    }

    /// All policies, by their index.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
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

    /// Number of roles.
    #[must_use]
    pub fn role_count(&self) -> usize {
        self.roles.len()
    }

    /// Index of a role.
    #[must_use]
    pub fn find_role(&self, mrn: &str) -> Option<u32> {
        self.role_names.find(mrn)
    }

    /// Index of the first role that has the MRN of this one.
    #[must_use]
    pub fn first_of_name(&self, role: u32) -> u32 {
        self.role_firsts.get(role as usize).copied().unwrap_or(role)
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
    pub(crate) fn find_operation(&self, selectors: &mut Selectors, operation: &str) -> Operation {
        let Selectors {
            recent, operations, ..
        } = selectors;
        recent.or_find(operation, || self.select_operation(operations, operation))
    }

    fn select_operation(&self, cache: &mut SelectorCache, operation: &str) -> Operation {
        let owner_of = |entry: u32| {
            self.operations
                .get(entry as usize)
                .map_or(u32::MAX, |known| known.domain)
        };
        match self
            .operation_selectors
            .first_of_one_owner(cache, operation, owner_of)
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
    pub(crate) fn find_resource(&self, selectors: &mut Selectors, mrn: &str) -> Option<&Resource> {
        match self.resource_selectors.first_match(&mut selectors.resources, mrn) {
            Some(entry) => self.resources.get(entry as usize),
            None => self.default_resource.as_ref(),
        }
    }

    /// Caches for the selectors of this image.
    #[must_use]
    pub fn selector_caches(&self) -> SelectorCaches {
        SelectorCaches {
            selectors: Selectors {
                recent: Recent::new(),
                operations: self.operation_selectors.create_cache(),
                resources: self.resource_selectors.create_cache(),
            },
            together: Together::new(!self.annotations.is_empty()),
            texts: Texts::default(),
            layouts: crate::input::Layouts::new(&self.program.trie),
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

    /// The annotations of a layer that policies read, sorted by name, if they stand where those of its kind do.
    pub(crate) fn read_annotations(&self, layer: Layer) -> impl Iterator<Item = ReadAnnotation<'_>> {
        let stored = self.annotations.get(layer.start..layer.end).unwrap_or_default();
        stored.iter().filter_map(|annotation| {
            let (cell, place) = *self
                .cells
                .get(annotation.cells.start..annotation.cells.end)?
                .first()?;
            Some(ReadAnnotation {
                cell,
                value: self.constant(place),
                strategy: annotation.strategy,
                cells: annotation.cells,
            })
        })
    }

    /// What stands in a run of cells.
    pub(crate) fn cells(&self, run: CellRun) -> impl Iterator<Item = (u16, Value<'_>)> {
        let cells = self.cells.get(run.start..run.end).unwrap_or_default();
        cells.iter().map(|(cell, place)| (*cell, self.constant(*place)))
    }

    /// What the annotations of a layer are in the cells of the input, if they stand where those of its kind do.
    pub(crate) fn layer_cells(&self, layer: Layer) -> impl Iterator<Item = (u16, Value<'_>)> {
        self.cells(layer.cells)
    }

    /// Cells right below the resource that no member of a resource stands in.
    pub(crate) fn resource_strangers(&self) -> &[u16] {
        &self.resource_strangers
    }

    /// Places are handed out by `LayerBuilder::constant`, so each is in the pool.
    fn constant(&self, place: usize) -> Value<'_> {
        self.pool.get(place).unwrap_or(Value::NULL)
    }
}

fn mappers(parts: Vec<MapperPart>) -> Result<Vec<Mapper>, ImageError> {
    let mapper = |part: MapperPart| {
        Ok(Mapper {
            domain: part.domain.into(),
            name: part.name.into(),
            waits: part.program.asks_network(),
            program: Arc::new(verify(part.program).map_err(ImageError::Verify)?),
            entry: part.entry,
        })
    };
    parts.into_iter().map(mapper).collect()
}

fn operations(parts: Vec<OperationPart>) -> Vec<StoredOperation> {
    let stored = |part: OperationPart| StoredOperation {
        selectors: part.selectors.into(),
        domain: part.domain,
        policy: part.policy,
    };
    parts.into_iter().map(stored).collect()
}

/// Entries with what their groups say.
fn resources(
    builder: &mut LayerBuilder<'_>,
    parts: Vec<ResourcePart>,
    groups: &[SubjectPart],
    at: u16,
) -> Result<Vec<Resource>, ImageError> {
    let resource = |part: ResourcePart| {
        let group = groups
            .get(part.group as usize)
            .ok_or(ImageError::DanglingIndex("resource group"))?;
        Ok(Resource {
            selectors: part.selectors.into(),
            group: group.mrn.as_str().into(),
            policy: group.policy,
            layer: builder.merged_layer(&group.annotations, &part.annotations, at)?,
        })
    };
    parts.into_iter().map(resource).collect()
}

/// One set over all entries, numbered in load order.
fn selectors<'s>(entries: impl Iterator<Item = &'s [String]>) -> Result<SelectorSet, ImageError> {
    let patterns = (0..)
        .zip(entries)
        .flat_map(|(entry, patterns)| patterns.iter().map(move |p| (entry, p.as_str())));
    SelectorSet::build(patterns).map_err(ImageError::Selector)
}
