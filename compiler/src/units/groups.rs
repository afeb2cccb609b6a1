//! Which units may be compiled together, so that libraries that they share are compiled once: those whose modules mean
//! the same in the company of all the others.
//!
//! A unit by itself is one module with the libraries that it needs. In a group a module is surrounded by further libraries.
//! It means the same if none of them adds anything to a path that the module reads or defines. Policies all have one package;
//! in a group each gets one of its own, so they must not be named by any module. What cannot be shown to be the same
//! is compiled by itself.

use super::mentions::{Mentions, Path};
use super::{Modules, Unit};
use crate::domain::ModuleKind;
use crate::policies::Options;
use crate::source::{FileId, SourceMap};
use std::collections::{HashMap, HashSet};

/// Text of units that makes a group large enough to be closed: what all stages know of it fits the caches of a core.
const GROUP_BYTES: usize = 128 << 10;

/// How many times the text of libraries that are only borrowed a group must have in texts of its own to be closed, so that all
/// groups together are at most half as much again as the domain.
const OWN_TO_BORROWED: usize = 2;

/// Groups that a unit may still join: of domains that know each other's packages by other meanings.
const OPEN_MAX: usize = 8;

/// Modules that one path is looked up in, before it counts as naming too many.
const RELATED_MAX: usize = 256;

/// Units that are compiled together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Places in the list of units.
    pub(super) units: Vec<usize>,
    /// All texts; those of the units stand in `units`' order among the libraries.
    pub(super) files: Vec<FileId>,
}

/// Puts every unit into a group; groups of one unit are units by themselves.
///
/// Traced programs are made of such only: a trace shows each policy as it stands.
pub(super) fn groups(
    units: &[&Unit],
    modules: &Modules<'_>,
    options: &Options,
    sources: &SourceMap,
) -> Vec<Group> {
    let mentions: HashMap<FileId, Mentions<'_>> = modules
        .iter()
        .map(|(file, module)| (*file, Mentions::of(module)))
        .collect();
    let mut owners = HashMap::new();
    let mut ambiguous = HashSet::new();
    for unit in units {
        if owners.insert(unit.own, *unit).is_some() {
            ambiguous.insert(unit.own);
        }
    }
    let all = All {
        mentions,
        owners,
        ambiguous,
    };
    let mut groups = Vec::new();
    let mut open: Vec<Open<'_>> = Vec::new();
    for (at, unit) in units.iter().enumerate() {
        let has_spelling = all.has_spelling(unit);
        let mut place = None;
        if !options.trace && all.may_join(unit) {
            place = open
                .iter_mut()
                .position(|open| open.has_spelling == has_spelling && open.add(unit, &all, sources));
            let mut fresh = Open {
                has_spelling,
                ..Open::default()
            };
            if place.is_none() && fresh.add(unit, &all, sources) {
                if open.len() == OPEN_MAX {
                    groups.push(open.remove(0).group);
                }
                place = Some(open.len());
                open.push(fresh);
            }
        }
        let Some(place) = place else {
            groups.push(Group {
                units: vec![at],
                files: unit.files.clone(),
            });
            continue;
        };
        let Some(group) = open.get_mut(place) else {
            continue;
        };
        group.group.units.push(at);
        if group.own_bytes >= GROUP_BYTES.max(OWN_TO_BORROWED * group.borrowed_bytes) {
            groups.push(open.remove(place).group);
        }
    }
    groups.extend(open.into_iter().map(|open| open.group));
    groups
}

/// What is known of all modules.
struct All<'a> {
    mentions: HashMap<FileId, Mentions<'a>>,
    /// The unit that is made for a text.
    owners: HashMap<FileId, &'a Unit>,
    /// Texts of several units.
    ambiguous: HashSet<FileId>,
}

impl All<'_> {
    /// Whether a unit's modules could be in a group at all.
    fn may_join(&self, unit: &Unit) -> bool {
        let is_known = |file: &FileId| {
            self.mentions.get(file).is_some_and(|found| !found.is_alone)
                && self.owners.contains_key(file)
                && !self.ambiguous.contains(file)
        };
        unit.files.iter().all(is_known)
            && match unit.kind {
                ModuleKind::Library => true,
                ModuleKind::Policy => !self.is_named(unit),
                ModuleKind::Mapper => false,
            }
    }

    /// See [`Mentions::has_spelling`].
    fn has_spelling(&self, unit: &Unit) -> bool {
        let mut found = unit.files.iter().filter_map(|file| self.mentions.get(file));
        found.any(|found| found.has_spelling)
    }

    /// Whether some module of a policy's unit names a path in the policy's package, or a package that begins as it does.
    fn is_named(&self, unit: &Unit) -> bool {
        let Some(first) = self.mentions.get(&unit.own).and_then(|own| own.package.first()) else {
            return true;
        };
        let entry = unit.entry().first();
        unit.files.iter().any(|file| {
            self.mentions.get(file).is_some_and(|found| {
                let package = found.package.first();
                found.reads.iter().any(|path| path.first() == Some(first))
                    || (*file != unit.own && (package == Some(first) || package == entry))
            })
        })
    }

    /// Whether `other` is there whenever `module` is.
    fn sees(&self, module: FileId, other: FileId) -> bool {
        module == other
            || self
                .owners
                .get(&module)
                .is_some_and(|unit| unit.files.contains(&other))
    }
}

/// A group that can still grow.
#[derive(Default)]
struct Open<'a> {
    group: Group,
    /// Of all its units; see [`Mentions::has_spelling`].
    has_spelling: bool,
    known: HashSet<FileId>,
    /// Which of them are units' own.
    own: HashSet<FileId>,
    /// Bytes of texts of its units.
    own_bytes: usize,
    /// Bytes of libraries that are only needed by them.
    borrowed_bytes: usize,
    /// Paths of libraries' rules.
    defined: Paths<'a>,
    /// Packages of libraries.
    packages: Paths<'a>,
    /// What all modules read or define.
    read: Paths<'a>,
}

impl<'a> Open<'a> {
    /// Adds the modules of a unit, or nothing if one of them would change what another one means.
    fn add(&mut self, unit: &Unit, all: &'a All<'a>, sources: &SourceMap) -> bool {
        let new: Vec<FileId> = unit
            .files
            .iter()
            .copied()
            .filter(|file| !self.known.contains(file))
            .collect();
        let mut added = Vec::new();
        for file in &new {
            let Some(found) = all.mentions.get(file) else {
                continue;
            };
            added.push((*file, found, self.enter(unit, *file, found)));
        }
        let fits = added
            .iter()
            .all(|(file, found, _)| self.fits(unit, *file, found, all));
        if !fits {
            for (_, _, entered) in added.iter().rev() {
                self.leave(entered);
            }
            return false;
        }
        for file in new {
            self.known.insert(file);
            self.group.files.push(file);
            self.borrowed_bytes += sources.source(file).text.len();
        }
        if self.own.insert(unit.own) {
            let bytes = sources.source(unit.own).text.len();
            self.borrowed_bytes = self.borrowed_bytes.saturating_sub(bytes);
            self.own_bytes += bytes;
        }
        true
    }

    /// Notes the paths of a module. Those of a policy's own rules are out of everybody's sight.
    fn enter(&mut self, unit: &Unit, file: FileId, found: &'a Mentions<'a>) -> Entered {
        let is_hidden = unit.kind == ModuleKind::Policy && file == unit.own;
        let mut entered = Entered::default();
        let reads = found.reads.iter();
        entered
            .read
            .extend(reads.map(|path| self.read.insert(path, file)));
        if !is_hidden {
            let defines = found.defines.iter();
            entered
                .read
                .extend(defines.clone().map(|path| self.read.insert(path, file)));
            entered
                .defined
                .extend(defines.map(|path| self.defined.insert(path, file)));
            entered.packages.push(self.packages.insert(&found.package, file));
        }
        entered
    }

    fn leave(&mut self, entered: &Entered) {
        self.read.take_back(&entered.read);
        self.defined.take_back(&entered.defined);
        self.packages.take_back(&entered.packages);
    }

    /// Whether a module that was entered means the same here as in its own unit, and changes no other one.
    fn fits(&self, unit: &Unit, file: FileId, found: &Mentions<'_>, all: &All<'_>) -> bool {
        let sees = |other: FileId| all.sees(file, other);
        let is_seen = |other: FileId| all.sees(other, file);
        let reads = |path: &Path<'_>| {
            self.defined.all_related(path, Related::Both, sees)
                && self.packages.all_related(path, Related::Below, sees)
        };
        if !found.reads.iter().all(reads) {
            return false;
        }
        if unit.kind == ModuleKind::Policy && file == unit.own {
            return true;
        }
        found
            .defines
            .iter()
            .all(|path| reads(path) && self.read.all_related(path, Related::Both, is_seen))
            && self.read.all_related(&found.package, Related::Above, is_seen)
            && self
                .packages
                .all_related(&found.package, Related::Here, |other| other == file)
    }
}

/// Where a module's paths were noted.
#[derive(Default)]
struct Entered {
    read: Vec<usize>,
    defined: Vec<usize>,
    packages: Vec<usize>,
}

/// Which paths of a tree are asked for, from one path.
#[derive(Clone, Copy, PartialEq)]
enum Related {
    /// The path and its beginnings.
    Above,
    /// The path and what begins with it.
    Below,
    /// Both.
    Both,
    /// The path alone.
    Here,
}

/// Paths with the modules that they belong to.
struct Paths<'a> {
    nodes: Vec<Node<'a>>,
}

#[derive(Default)]
struct Node<'a> {
    next: HashMap<&'a str, usize>,
    modules: Vec<FileId>,
}

impl Default for Paths<'_> {
    fn default() -> Self {
        Paths {
            nodes: vec![Node::default()],
        }
    }
}

impl<'a> Paths<'a> {
    /// Adds a module to a path; its place.
    fn insert(&mut self, path: &Path<'a>, module: FileId) -> usize {
        let mut at = 0;
        for key in path {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { break };
            at = *node.next.entry(key).or_insert(fresh);
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.modules.push(module);
        }
        at
    }

    /// Takes the modules away that were added last to some places.
    fn take_back(&mut self, places: &[usize]) {
        for at in places {
            if let Some(node) = self.nodes.get_mut(*at) {
                node.modules.pop();
            }
        }
    }

    /// Whether all modules of the related paths are as wanted. Too many of them are not.
    fn all_related(&self, path: &Path<'_>, which: Related, wanted: impl Fn(FileId) -> bool) -> bool {
        let (mut looked_at, mut last) = (0, None);
        let mut holds = |node: &Node<'a>| {
            node.modules.iter().all(|module| {
                last == Some(*module) || {
                    last = Some(*module);
                    looked_at += 1;
                    looked_at <= RELATED_MAX && wanted(*module)
                }
            })
        };
        let mut at = 0;
        let mut keys = path.iter();
        loop {
            let Some(node) = self.nodes.get(at) else {
                return true;
            };
            let Some(key) = keys.next() else { break };
            if matches!(which, Related::Above | Related::Both) && !holds(node) {
                return false;
            }
            match node.next.get(key) {
                Some(next) => at = *next,
                None => return true,
            }
        }
        let mut open = vec![at];
        while let Some(node) = open.pop().and_then(|at| self.nodes.get(at)) {
            if !holds(node) {
                return false;
            }
            if matches!(which, Related::Below | Related::Both) {
                open.extend(node.next.values());
            }
        }
        true
    }
}
