//! Dependencies on libraries: circles, the full list of each module, fingerprints.

use std::collections::HashSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::limits;
use super::problems::Place;
use super::read::{ModuleKind, ReadDomain};
use super::refs::{Index, Target};
use super::schema::Module;
use super::set::{DomainIdx, LibraryIdx};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// A library in a resolved list. The same library counts twice in a fingerprint when it is reached by its bare MRN and by
/// its qualified one, because the reference removes duplicates by text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Dependency {
    library: LibraryIdx,
    qualified: bool,
}

/// The full lists of all libraries and policies, in the order of the set.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    libraries: Vec<Vec<Dependency>>,
    policies: Vec<Vec<Dependency>>,
}

struct Entry<'a> {
    domain: DomainIdx,
    kind: ModuleKind,
    module: &'a Module,
    /// What its dependencies point to, with their places; those that point to nothing are left out.
    direct: Vec<(Target<LibraryIdx>, Span)>,
}

impl Resolved {
    /// Resolves the dependencies of all libraries and policies; references to nothing are problems. Circles come
    /// back apart, because they are reported behind all other problems.
    pub(super) fn new(
        domains: &[ReadDomain],
        index: &Index,
        problems: &mut Vec<Diagnostic>,
    ) -> (Resolved, Vec<Diagnostic>) {
        let mut cycles = Vec::new();
        let mut libraries = Vec::new();
        let mut policies = Vec::new();
        for (at, ReadDomain { domain, .. }) in domains.iter().enumerate() {
            let mut direct = |kind, module| {
                Entry {
                    domain: DomainIdx(at),
                    kind,
                    module,
                    direct: Vec::new(),
                }
                .with_direct(index, problems, &mut cycles)
            };
            libraries.extend(
                domain
                    .libraries
                    .iter()
                    .map(|module| direct(ModuleKind::Library, module)),
            );
            policies.extend(
                domain
                    .policies
                    .iter()
                    .map(|module| direct(ModuleKind::Policy, module)),
            );
        }
        let order = order(&libraries, index, &mut cycles);
        let mut resolved = Resolved {
            libraries: vec![Vec::new(); libraries.len()],
            policies: Vec::new(),
        };
        for LibraryIdx(at) in order {
            let Some(entry) = libraries.get(at) else { continue };
            let list = resolved.full_list(entry, index, problems);
            if let Some(place) = resolved.libraries.get_mut(at) {
                *place = list;
            }
        }
        resolved.policies = policies
            .iter()
            .map(|entry| resolved.full_list(entry, index, problems))
            .collect();
        (resolved, cycles)
    }

    /// Each dependency as written, followed by what its library needs; later duplicates are dropped.
    fn full_list(&self, entry: &Entry<'_>, index: &Index, problems: &mut Vec<Diagnostic>) -> Vec<Dependency> {
        let mut list = Vec::new();
        let mut seen = HashSet::new();
        for (target, _) in &entry.direct {
            let written = Dependency {
                library: target.idx,
                qualified: target.qualified,
            };
            let deeper = self.libraries.get(target.idx.0).map_or(&[][..], |list| list);
            let deeper = deeper.iter().map(|dependency| Dependency {
                qualified: true,
                ..*dependency
            });
            list.extend(
                std::iter::once(written)
                    .chain(deeper)
                    .filter(|&dependency| seen.insert(dependency)),
            );
        }
        if list.len() > limits::LIBRARIES_MAX {
            let message = format!("needs more than {} libraries", limits::LIBRARIES_MAX);
            problems.push(entry.place(index).error(
                Code::Limit,
                entry.module.mrn.span,
                "dependencies",
                &message,
            ));
            list.clear();
        }
        list
    }

    /// The libraries of a library, without itself.
    pub(super) fn of_library(&self, library: LibraryIdx) -> Vec<LibraryIdx> {
        distinct(self.libraries.get(library.0))
    }

    /// The libraries of the `at`-th policy.
    pub(super) fn of_policy(&self, at: usize) -> Vec<LibraryIdx> {
        distinct(self.policies.get(at))
    }

    /// SHA-256 over the MRN, the policy's text and the text of each library in its list.
    pub(super) fn fingerprint(
        &self,
        at: usize,
        policy: &Module,
        library_text: impl Fn(LibraryIdx) -> Arc<str>,
    ) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(policy.mrn.text.as_bytes());
        hash.update(policy.rego.text.as_bytes());
        for dependency in self.policies.get(at).into_iter().flatten() {
            hash.update(library_text(dependency.library).as_bytes());
        }
        hash.finalize().into()
    }
}

fn distinct(list: Option<&Vec<Dependency>>) -> Vec<LibraryIdx> {
    let mut seen = HashSet::new();
    list.into_iter()
        .flatten()
        .map(|dependency| dependency.library)
        .filter(|&library| seen.insert(library))
        .collect()
}

impl<'a> Entry<'a> {
    fn place(&self, index: &'a Index) -> Place<'a> {
        Place {
            domain: index.domain_name(self.domain),
            kind: self.kind.as_str(),
            id: &self.module.mrn.text,
        }
    }

    /// A missing library is a problem of the entry; if the entry is a library, the search for circles fails there too.
    fn with_direct(
        mut self,
        index: &Index,
        problems: &mut Vec<Diagnostic>,
        cycles: &mut Vec<Diagnostic>,
    ) -> Entry<'a> {
        for dependency in &self.module.dependencies {
            match index.resolve(&index.libraries, self.domain, &dependency.text) {
                Ok(target) => self.direct.push((target, dependency.span)),
                Err(missing) => {
                    let place = self.place(index);
                    problems.push(place.error(
                        missing.code,
                        dependency.span,
                        "dependencies",
                        &missing.message,
                    ));
                    if self.kind == ModuleKind::Library && cycles.is_empty() {
                        let problem = Diagnostic::error(Code::Cycle, dependency.span, missing.as_dependency);
                        cycles.push(problem.about(self.place(index).entity("dependencies")));
                    }
                }
            }
        }
        self
    }

    fn qualified(&self, index: &Index) -> String {
        format!("{}/{}", index.domain_name(self.domain), self.module.mrn.text)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    No,
    OnPath,
    Done,
}

/// All libraries, each behind those it needs. Each circle becomes a problem and is cut where it closes.
fn order(libraries: &[Entry<'_>], index: &Index, cycles: &mut Vec<Diagnostic>) -> Vec<LibraryIdx> {
    let mut visits = vec![Visit::No; libraries.len()];
    let mut order = Vec::with_capacity(libraries.len());
    for start in 0..libraries.len() {
        // A path of (library, next dependency to look at), so that long chains need no stack.
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let (Some(entry), Some(visit)) = (libraries.get(at), visits.get_mut(at)) else {
                break;
            };
            if *visit == Visit::Done {
                path.pop();
                continue;
            }
            *visit = Visit::OnPath;
            let Some(&(target, span)) = entry.direct.get(*next) else {
                *visit = Visit::Done;
                order.push(LibraryIdx(at));
                path.pop();
                continue;
            };
            *next += 1;
            let target = target.idx.0;
            match visits.get(target) {
                Some(Visit::No) => path.push((target, 0)),
                Some(Visit::OnPath) => {
                    let names = path
                        .iter()
                        .map(|&(at, _)| at)
                        .skip_while(|&at| at != target)
                        .chain([target]);
                    let names: Vec<_> = names
                        .filter_map(|at| libraries.get(at))
                        .map(|entry| entry.qualified(index))
                        .collect();
                    let message = format!("circular dependency detected: {}", names.join(" → "));
                    let problem = Diagnostic::error(Code::Cycle, span, message);
                    cycles.push(problem.about(entry.place(index).entity("dependencies")));
                }
                _ => {}
            }
        }
    }
    order
}
