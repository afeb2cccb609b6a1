//! Which policy's document a path asks for.

use gavel_compiler::documents::{self as compiled, Document, World};
use gavel_runtime::bytecode::{FnId, Program, verify};

use super::call::Ask;
use super::machine::Said;
use super::outcome::Outcome;

/// The documents of all policies and libraries that are served.
pub struct Documents {
    program: Program,
    worlds: Vec<World>,
    /// Elements of the longest path at which something stands.
    depth_max: usize,
    libraries_digest: [u8; 32],
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
        Ok(Documents {
            program,
            worlds,
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
            let mut named = self.worlds.iter().filter(|world| is_named(world, name));
            return match (named.next(), named.next()) {
                (Some(world), None) => self.at(world, path),
                (None, _) => Found::Unclear(format!("policy: there is no {name}")),
                (Some(_), Some(_)) => {
                    let found = self.worlds.iter().filter(|world| is_named(world, name));
                    Found::Unclear(several("policy: several domains have", name, found))
                }
            };
        }
        let own = |is_policy: bool| {
            let worlds = self.worlds.iter();
            worlds.filter(move |world| {
                let common = world
                    .package
                    .iter()
                    .zip(path)
                    .all(|(ours, theirs)| ours == theirs);
                world.is_policy == is_policy && common && self.at(world, path) != Found::Missing
            })
        };
        for is_policy in [true, false] {
            let mut candidates = own(is_policy);
            match (candidates.next(), candidates.next()) {
                (Some(world), None) => return self.at(world, path),
                (Some(_), Some(_)) => {
                    let name = super::answer::reference(path);
                    return Found::Unclear(several("several policies have", &name, own(is_policy)));
                }
                (None, _) => {}
            }
        }
        Found::Missing
    }

    /// The longest beginning of a path at which something stands decides. Paths come from outside: no more of one is looked
    /// at than the documents are deep.
    fn at<'w>(&self, world: &'w World, path: &[String]) -> Found<'w> {
        let longest = path.len().min(self.depth_max);
        let mut beginnings = (0..=longest).rev().filter_map(|end| path.get(..end));
        let Some((beginning, document)) = beginnings.find_map(|beginning| {
            let document = world.documents.get(beginning)?;
            Some((beginning, document))
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
}

/// Policies are named by MRN, or by domain and MRN where several domains have the same.
fn is_named(world: &World, name: &str) -> bool {
    name == world.mrn
        || name
            .strip_prefix(&*world.domain)
            .and_then(|rest| rest.strip_prefix('/'))
            == Some(&world.mrn)
}

/// Names some of the candidates.
fn several<'w>(what: &str, name: &str, worlds: impl Iterator<Item = &'w World>) -> String {
    const SHOWN: usize = 10;
    let names: Vec<String> = worlds
        .map(|world| format!("{}/{}", world.domain, world.mrn))
        .collect();
    let shown = names.get(..SHOWN.min(names.len())).unwrap_or_default().join(", ");
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{what} {name}; choose one with ?policy=: {shown}{more}")
}
