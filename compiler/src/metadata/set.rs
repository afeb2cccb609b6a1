//! The annotations of all modules, by what they hold for.

use super::annotation::{Annotation, Scope, Target};
use super::constant;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::SourceMap;
use gavel_runtime::value::Constant;
use std::collections::HashMap;

/// A module with its annotations.
#[derive(Clone, Debug)]
pub struct Annotated {
    /// Package behind `data`.
    pub package: Vec<String>,
    /// For each rule the constant start of its reference behind `data`.
    pub rules: Vec<Vec<Constant>>,
    /// In source order.
    pub annotations: Vec<Annotation>,
}

/// One element of a rule's chain.
#[derive(Clone, Debug)]
pub struct Link<'s> {
    /// Of the statement that the annotation stands above, behind `data`, as texts.
    pub path: Vec<Constant>,
    /// The annotation; only the first link may lack one.
    pub annotation: Option<&'s Annotation>,
}

/// A module and an annotation in it.
type Index = (usize, usize);

/// All annotations.
#[derive(Clone, Debug, Default)]
pub struct Set {
    modules: Vec<Annotated>,
    by_rule: HashMap<(usize, usize), Vec<Index>>,
    by_package: HashMap<Vec<String>, Index>,
    by_path: HashMap<Vec<String>, Index>,
}

impl Set {
    /// Builds the set; `modules` in the order of their names, by which OPA decides what is the redeclaration.
    ///
    /// # Errors
    /// What is declared twice.
    pub fn new(modules: Vec<Annotated>, sources: &SourceMap) -> Result<Set, Vec<Diagnostic>> {
        let mut set = Set {
            modules,
            ..Set::default()
        };
        let mut problems = Vec::new();
        for module in 0..set.modules.len() {
            let count = set
                .modules
                .get(module)
                .map_or(0, |module| module.annotations.len());
            for index in 0..count {
                if let Some(earlier) = set.add((module, index)) {
                    problems.extend(set.redeclared((module, index), earlier, sources));
                }
            }
        }
        if problems.is_empty() {
            Ok(set)
        } else {
            Err(problems)
        }
    }

    fn get(&self, index: Index) -> Option<(&Annotated, &Annotation)> {
        let module = self.modules.get(index.0)?;
        Some((module, module.annotations.get(index.1)?))
    }

    /// Enters an annotation; tells what stood in its place.
    fn add(&mut self, index: Index) -> Option<Index> {
        let (module, annotation) = self.get(index)?;
        match (annotation.scope, annotation.target) {
            (Scope::Rule, Target::Rule(rule)) => {
                self.by_rule.entry((index.0, rule)).or_default().push(index);
                None
            }
            (Scope::Package, _) => {
                let package = module.package.clone();
                enter(&mut self.by_package, package, index)
            }
            (Scope::Document | Scope::Subpackages, Target::Rule(rule)) => {
                let path = texts(module.rules.get(rule)?);
                enter(&mut self.by_path, path, index)
            }
            (_, Target::Package) => {
                let package = module.package.clone();
                enter(&mut self.by_path, package, index)
            }
        }
    }

    fn redeclared(&self, index: Index, earlier: Index, sources: &SourceMap) -> Option<Diagnostic> {
        let (_, annotation) = self.get(index)?;
        let (_, earlier) = self.get(earlier)?;
        let name = &sources.source(earlier.span.file).name;
        let row = sources.position(earlier.span).row;
        let message = format!(
            "{} annotation redeclared: {name}:{row}",
            annotation.scope.as_str()
        );
        Some(
            Diagnostic::error(Code::RegoType, annotation.span, message)
                .label(earlier.span, "first declared here"),
        )
    }

    /// Annotations of a rule alone, in source order.
    fn of_rule(&self, module: usize, rule: usize) -> impl DoubleEndedIterator<Item = &Annotation> {
        let found = self.by_rule.get(&(module, rule)).map_or(&[][..], Vec::as_slice);
        found.iter().filter_map(|index| Some(self.get(*index)?.1))
    }

    fn of_document(&self, path: &[String]) -> Option<(&Annotated, &Annotation)> {
        self.get(*self.by_path.get(path)?)
    }

    fn of_package(&self, package: &[String]) -> Option<(&Annotated, &Annotation)> {
        self.get(*self.by_package.get(package)?)
    }

    /// Annotations for a package and those below it, from the root down.
    fn of_subpackages(&self, package: &[String]) -> Vec<(&Annotated, &Annotation)> {
        let ends = 1..=package.len();
        ends.filter_map(|end| self.of_document(package.get(..end)?))
            .collect()
    }

    /// What `rego.metadata.rule()` is in a rule: of several annotations the one that stands farthest above it.
    #[must_use]
    pub fn primary(&self, module: usize, rule: usize) -> Option<&Annotation> {
        self.of_rule(module, rule).next()
    }

    /// What `rego.metadata.chain()` is in a rule, from the rule outwards. `is_else`: for a branch behind `else`, which has
    /// no annotations of its own.
    #[must_use]
    pub fn chain(&self, module: usize, rule: usize, is_else: bool) -> Vec<Link<'_>> {
        let Some(annotated) = self.modules.get(module) else {
            return Vec::new();
        };
        let path = annotated.rules.get(rule).map_or(&[][..], Vec::as_slice);
        let own = |annotation| Link {
            path: path.iter().map(constant::step_text).collect(),
            annotation,
        };
        let mut links: Vec<Link<'_>> = Vec::new();
        if !is_else {
            links.extend(self.of_rule(module, rule).rev().map(|found| own(Some(found))));
        }
        if links.is_empty() {
            links.push(own(None));
        }
        links.extend(self.of_document(&texts(path)).map(link));
        links.extend(self.of_package(&annotated.package).map(link));
        let outer = self.of_subpackages(&annotated.package);
        links.extend(outer.into_iter().rev().map(link));
        links
    }

    /// Whether any annotation has schemas.
    #[must_use]
    pub fn has_schemas(&self) -> bool {
        let mut all = self.modules.iter().flat_map(|module| &module.annotations);
        all.any(|annotation| !annotation.fields.schemas.is_empty())
    }

    /// Annotations whose schemas hold in a rule, later ones over earlier ones.
    pub fn with_schemas(&self, module: usize, rule: usize) -> Vec<&Annotation> {
        let Some(annotated) = self.modules.get(module) else {
            return Vec::new();
        };
        let path = annotated.rules.get(rule).map_or(&[][..], Vec::as_slice);
        let mut found = self.of_subpackages(&annotated.package);
        found.extend(self.of_package(&annotated.package));
        found.extend(self.of_document(&texts(path)));
        let mut found: Vec<&Annotation> = found.into_iter().map(|(_, annotation)| annotation).collect();
        found.extend(self.of_rule(module, rule));
        found.retain(|annotation| !annotation.fields.schemas.is_empty());
        found
    }
}

fn enter(map: &mut HashMap<Vec<String>, Index>, key: Vec<String>, index: Index) -> Option<Index> {
    if let Some(earlier) = map.get(&key) {
        return Some(*earlier);
    }
    map.insert(key, index);
    None
}

fn link<'s>((module, annotation): (&'s Annotated, &'s Annotation)) -> Link<'s> {
    let path = match annotation.target {
        Target::Package => module.package.iter().cloned().map(Constant::String).collect(),
        Target::Rule(rule) => {
            let path = module.rules.get(rule).map_or(&[][..], Vec::as_slice);
            path.iter().map(constant::step_text).collect()
        }
    };
    Link {
        path,
        annotation: Some(annotation),
    }
}

/// Elements of a path as keys; a text is told apart from a number of the same spelling.
fn texts(path: &[Constant]) -> Vec<String> {
    let text = |element: &Constant| match element {
        Constant::String(text) => text.clone(),
        other => format!("\u{0}{other:?}"),
    };
    path.iter().map(text).collect()
}
