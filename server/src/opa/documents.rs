//! Which policy's document a path asks for.

use std::collections::HashMap;

use gavel_compiler::documents::{self as compiled, Document, World};
use gavel_runtime::bytecode::{FnId, Program, verify};

use super::call::Ask;
use super::machine::Said;
use super::outcome::Outcome;

/// The documents of all policies and libraries that are served.
pub struct Documents {
    program: Program,
    /// Policies first.
    worlds: Vec<World>,
    /// Worlds by each name that one may have.
    named: HashMap<String, Vec<usize>>,
    /// What stands at each path that can be asked for without a name.
    standing: HashMap<Vec<String>, Standing>,
    /// Elements of the longest path at which something stands.
    depth_max: usize,
    libraries_digest: [u8; 32],
}

/// The worlds in which something stands at a path, in order; only such as a request for it, or for what is below it, can mean.
#[derive(Default)]
struct Standing {
    all: Vec<usize>,
    /// In these it is the document, or a function, for whatever is below it, too.
    deciding: Vec<usize>,
}

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
enum Found<'d> {
    /// The document of a function of the program, and how many elements of the path lead to it.
    Document(FnId, usize),
    /// Nothing stands there.
    Missing,
    /// A function, which has no document: what is said of it.
    Function(&'d str),
    /// Several policies have such a document, or it is not known which one is meant.
    Unclear(String),
}

impl Documents {
    /// Documents that can be evaluated.
    ///
    /// # Errors
    /// The program is over a bound of the machine, or a fault of the compiler.
    pub fn new(compiled: compiled::Documents) -> Result<Documents, String> {
        let program = verify(compiled.program)
            .map_err(|error| format!("the documents of the policies make no program: {error}"))?;
        let worlds = compiled.worlds;
        let paths = worlds.iter().flat_map(|world| world.documents.keys());
        let depth_max = paths.map(Vec::len).max().unwrap_or(0);
        let mut named: HashMap<String, Vec<usize>> = HashMap::new();
        let mut standing: HashMap<Vec<String>, Standing> = HashMap::new();
        for (number, world) in worlds.iter().enumerate() {
            for name in [world.mrn.clone(), format!("{}/{}", world.domain, world.mrn)] {
                named.entry(name).or_default().push(number);
            }
            let own = world.documents.iter().filter(|(path, _)| agrees(world, path));
            for (path, document) in own {
                let here = standing.entry(path.clone()).or_default();
                here.all.push(number);
                match document {
                    Document::Rules(_) | Document::Function(_) => here.deciding.push(number),
                    Document::Package(_) => {}
                }
            }
        }
        Ok(Documents {
            program,
            worlds,
            named,
            standing,
            depth_max,
            libraries_digest: compiled.libraries_digest,
        })
    }

    /// Whether libraries that no policy needs are the same in `other`, too. Everything else of documents is in the image.
    #[must_use]
    pub fn has_libraries_of(&self, other: &Documents) -> bool {
        self.libraries_digest == other.libraries_digest
    }

    /// Yields the documents.
    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// The function of the document that is asked for, if there is one, and how many elements of the path lead to it.
    ///
    /// # Errors
    /// What is said in place of a document.
    pub(super) fn locate(&self, ask: &Ask) -> Result<(Option<FnId>, usize), Said> {
        match self.find(&ask.path, ask.policy.as_deref()) {
            Found::Document(entry, consumed) => Ok((Some(entry), consumed)),
            Found::Missing => Ok((None, 0)),
            Found::Function(text) => Err(Said::refused(500, "internal_error", text, Outcome::Failed)),
            Found::Unclear(text) => Err(Said::refused(400, "invalid_parameter", &text, Outcome::Refused)),
        }
    }

    /// Finds the document at a path, of a policy if one is named.
    ///
    /// Without a name it is the policy whose package holds the path, or is below it; a library's only where no policy has
    /// it, since policies see the libraries that they need.
    fn find(&self, path: &[String], policy: Option<&str>) -> Found<'_> {
        if let Some(name) = policy {
            return match self.named.get(name).map(Vec::as_slice) {
                None | Some([]) => Found::Unclear(format!("policy: there is no {name}")),
                Some([world]) => self.at(*world, path),
                Some(several) => Found::Unclear(self.several("policy: several domains have", name, several)),
            };
        }
        let candidates = self.candidates(path);
        let policies = candidates.partition_point(|number| {
            let world = self.worlds.get(*number);
            world.is_some_and(|world| world.is_policy)
        });
        let (policies, libraries) = candidates.split_at(policies);
        match if policies.is_empty() { libraries } else { policies } {
            [] => Found::Missing,
            [world] => self.at(*world, path),
            several => {
                let name = super::answer::reference(path);
                Found::Unclear(self.several("several policies have", &name, several))
            }
        }
    }

    /// The worlds that have a document or a function at a path that nobody names a policy for, in order.
    fn candidates(&self, path: &[String]) -> Vec<usize> {
        let mut longer: Vec<&Standing> = Vec::new();
        let mut found = Vec::new();
        for beginning in self.beginnings(path) {
            let Some(standing) = self.standing.get(beginning) else {
                continue;
            };
            let here = match beginning.len() == path.len() {
                true => &standing.all,
                false => &standing.deciding,
            };
            let means = |number: &&usize| {
                let world = self.worlds.get(**number);
                world.is_some_and(|world| agrees(world, path))
                    && !longer
                        .iter()
                        .any(|longer| longer.all.binary_search(number).is_ok())
            };
            found.extend(here.iter().filter(means));
            longer.push(standing);
        }
        found.sort_unstable();
        found
    }

    /// The beginnings of a path, the longest first. Paths come from outside: no more of one is looked at than the documents
    /// are deep.
    fn beginnings<'p>(&self, path: &'p [String]) -> impl Iterator<Item = &'p [String]> + use<'p> {
        let longest = path.len().min(self.depth_max);
        (0..=longest).rev().filter_map(|end| path.get(..end))
    }

    /// What a path means in a world: the longest beginning of it at which something stands decides.
    fn at(&self, world: usize, path: &[String]) -> Found<'_> {
        let Some((beginning, document)) = self.worlds.get(world).and_then(|world| {
            self.beginnings(path).find_map(|beginning| {
                let document = world.documents.get(beginning)?;
                Some((beginning, document))
            })
        }) else {
            return Found::Missing;
        };
        match document {
            Document::Rules(id) => Found::Document(*id, beginning.len()),
            Document::Package(id) if beginning.len() == path.len() => Found::Document(*id, path.len()),
            Document::Package(_) => Found::Missing,
            Document::Function(text) => Found::Function(text),
        }
    }

    /// Names some of the candidates. Policies are named by MRN, or by domain and MRN where several domains have the same.
    fn several(&self, what: &str, name: &str, candidates: &[usize]) -> String {
        const SHOWN: usize = 10;
        let worlds = candidates.iter().filter_map(|number| self.worlds.get(*number));
        let shown: Vec<String> = worlds
            .take(SHOWN)
            .map(|world| format!("{}/{}", world.domain, world.mrn))
            .collect();
        let shown = shown.join(", ");
        let more = match candidates.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{what} {name}; choose one with ?policy=: {shown}{more}")
    }
}

/// Whether a path leads to a world's own package, or goes on from there: without a name, nothing else is asked of it, since
/// policies see the libraries that they need.
fn agrees(world: &World, path: &[String]) -> bool {
    let mut common = world.package.iter().zip(path);
    common.all(|(ours, theirs)| ours == theirs)
}
