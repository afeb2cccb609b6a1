//! What a module adds to `data` and which parts of `data` it may read, as far as its syntax tells: enough to see that a
//! module means the same whatever else is compiled with it.

use super::together::MARK;
use crate::ast::{Import, Literal, Module, Term, TermKind};
use crate::lint::visit::{self, Event};
use gavel_runtime::value::Constant;
use std::collections::{BTreeSet, HashMap};

/// A path behind `data`.
pub(super) type Path<'a> = Vec<&'a str>;

/// What one module adds and reads.
#[derive(Debug)]
pub(super) struct Mentions<'a> {
    /// Its package.
    pub(super) package: Path<'a>,
    /// Constant beginnings of the paths of its rules.
    pub(super) defines: BTreeSet<Path<'a>>,
    /// Constant beginnings of the references that it may make; more than it makes where a variable hides an import.
    pub(super) reads: BTreeSet<Path<'a>>,
    /// It reads all of `data` or a name that is given to others in a group, asks for the path of its own rules, or replaces
    /// what others may call or read.
    pub(super) is_alone: bool,
    /// It has a number that is not spelled as its value is printed, which decides how functions keep their results.
    pub(super) has_spelling: bool,
}

impl<'a> Mentions<'a> {
    /// Looks through a module. O(its size).
    pub(super) fn of(module: &Module<'a>) -> Mentions<'a> {
        let mut walk = Walk {
            imports: module.imports.iter().filter_map(imported).collect(),
            head: None,
            found: Mentions {
                package: module.package.path.iter().map(|name| name.text).collect(),
                defines: BTreeSet::new(),
                reads: BTreeSet::new(),
                is_alone: false,
                has_spelling: false,
            },
        };
        for rule in module.rules {
            let mut path = walk.found.package.clone();
            if let Some(TermKind::Var(name)) = rule.head.reference.first().map(|term| term.kind) {
                path.push(name);
            }
            path.extend(constants(rule.head.reference.get(1..).unwrap_or_default()));
            walk.found.defines.insert(path);
        }
        for rule in module.rules {
            visit::rule(rule, &mut |event| walk.event(event));
        }
        walk.found
    }
}

/// Name and path of an import from `data`.
fn imported<'a>(import: &Import<'a>) -> Option<(&'a str, Path<'a>)> {
    let (root, path) = import.path.split_first()?;
    let name = import.alias.or(path.last().copied()).unwrap_or(*root);
    (root.text == "data").then(|| (name.text, path.iter().map(|key| key.text).collect()))
}

/// The elements of a reference before the first that is no string.
fn constants<'a>(elements: &[Term<'a>]) -> impl Iterator<Item = &'a str> {
    elements.iter().map_while(|element| match element.kind {
        TermKind::String { text, .. } => Some(text),
        _ => None,
    })
}

struct Walk<'a> {
    imports: HashMap<&'a str, Path<'a>>,
    /// Head of the reference that was met last; it is met next.
    head: Option<&'a Term<'a>>,
    found: Mentions<'a>,
}

impl<'a> Walk<'a> {
    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Enter(_) | Event::Leave => {}
            Event::Literal(literal) => self.found.is_alone |= self.replaces(literal),
            Event::Term(term) => {
                let is_head = self.head.take().is_some_and(|head| std::ptr::eq(head, term));
                match term.kind {
                    TermKind::Var(name) if !is_head => self.name(name, &[]),
                    TermKind::Ref { head, path } => {
                        self.head = Some(head);
                        if let TermKind::Var(name) = head.kind {
                            self.name(name, path);
                        }
                    }
                    TermKind::Number(text) => {
                        self.found.has_spelling |= Constant::number(text).has_spelling();
                    }
                    _ => {}
                }
            }
        }
    }

    /// A name with what follows it.
    fn name(&mut self, name: &str, behind: &[Term<'a>]) {
        let start = match self.imports.get(name) {
            Some(path) => path.as_slice(),
            None if name == "data" => &[],
            None => {
                self.found.is_alone |= name == "rego";
                return;
            }
        };
        let path: Path<'a> = start.iter().copied().chain(constants(behind)).collect();
        self.found.is_alone |= path.first().is_none_or(|first| first.contains(MARK));
        self.found.reads.insert(path);
    }

    /// Whether a statement runs with something replaced that other modules may name, too.
    fn replaces(&self, literal: &Literal<'a>) -> bool {
        literal.with.iter().any(|with| {
            let head = match with.target.kind {
                TermKind::Ref { head, .. } => head.kind,
                kind => kind,
            };
            !matches!(head, TermKind::Var("input")) || self.imports.contains_key("input")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{BaseDialect, BlanketImport, ParseOptions, parse_module};
    use crate::source::SourceMap;
    use bumpalo::Bump;

    #[track_caller]
    fn check(text: &str, defines: &[&str], reads: &[&str], is_alone: bool) {
        let mut sources = SourceMap::default();
        let file = sources.add_file("m.rego", text);
        let options = ParseOptions {
            base: BaseDialect::V1,
            blanket_import: BlanketImport::Reference,
            annotations: false,
        };
        let bump = Bump::new();
        let module = parse_module(&bump, &sources, file, options).expect("parses");
        let found = Mentions::of(&module);
        let joined = |paths: &BTreeSet<Path<'_>>| paths.iter().map(|path| path.join(".")).collect::<Vec<_>>();
        assert_eq!(joined(&found.defines), defines);
        assert_eq!(joined(&found.reads), reads);
        assert_eq!(found.is_alone, is_alone);
    }

    #[test]
    fn references_count_up_to_the_first_variable() {
        check(
            "package a.b\nimport data.lib.x\nimport data.other as o\np.q[k] := 1 if { k := x.y[input.z].w; o.f(data.t.u) }",
            &["a.b.p.q"],
            &["lib.x.y", "other.f", "t.u"],
            false,
        );
    }

    #[test]
    fn imports_in_every_place_are_seen() {
        check(
            "package a\nimport data.l\np := [l | some i in l.s; every j in {1 | l.t} { not l.u with input as l.v }] if l else := l.w",
            &["a.p"],
            &["l", "l.s", "l.t", "l.u", "l.v", "l.w"],
            false,
        );
    }

    #[test]
    fn spelled_numbers_are_seen() {
        for (text, has_spelling) in [
            ("package a\np := [1, 1.5]", false),
            ("package a\np := {1.0}", true),
        ] {
            let mut sources = SourceMap::default();
            let file = sources.add_file("m.rego", text);
            let bump = Bump::new();
            let module = parse_module(&bump, &sources, file, ParseOptions::default()).expect("parses");
            assert_eq!(Mentions::of(&module).has_spelling, has_spelling, "{text}");
        }
    }

    #[test]
    fn what_shows_more_than_its_own_is_alone() {
        check("package a\np if data[x].y", &["a.p"], &[""], true);
        check("package a\nimport data as d\np if d.x", &["a.p"], &["x"], false);
        check(
            "package a\np if data[\"b\\u00010\"].x",
            &["a.p"],
            &["b\u{1}0.x"],
            true,
        );
        check("package a\np := walk(data)", &["a.p"], &[""], true);
        check("package a\np if 1 with data.x as 2", &["a.p"], &["x"], true);
        check("package a\np if 1 with count as 2", &["a.p"], &[], true);
        check("package a\np if 1 with input.x as 2", &["a.p"], &[], false);
        check("package a\np := rego.metadata.rule()", &["a.p"], &[], true);
    }
}
