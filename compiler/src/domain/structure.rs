//! What every entry must have, and what may stand only once.

use std::collections::HashMap;

use super::decode::Text;
use super::problems::Place;
use super::read::{ReadDomain, name_or_position};
use super::schema::{Annotation, PolicyDomain};
use crate::diagnostic::{Code, Diagnostic, Entity};
use crate::source::Span;

/// Checks all domains; errors for what cannot work, warnings for what works otherwise than it looks.
pub(super) fn check(domains: &[ReadDomain], problems: &mut Vec<Diagnostic>) {
    check_names(domains, problems);
    for read in domains {
        Checker {
            domain: &read.domain,
            problems,
        }
        .check();
        problems.extend(read.domain.warnings.iter().cloned());
        let selectors = [
            &read.operation_selectors,
            &read.mapper_selectors,
            &read.resource_selectors,
        ];
        for selector in selectors.into_iter().flatten().flatten() {
            if let Some((message, help)) = &selector.slip {
                problems.push(Diagnostic::warning(Code::Selector, selector.span, message).help(help));
            }
        }
    }
    check_across(domains, problems);
}

/// Errors that a lint reports and an engine lives with: names that are for people missing or standing twice, entries that
/// nothing can choose.
#[must_use]
pub fn tolerated(domains: &[ReadDomain]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for ReadDomain { domain, .. } in domains {
        let mut checker = Checker {
            domain,
            problems: &mut problems,
        };
        for section in by_name(domain) {
            checker.check_mrns(&section, Some("a name will do: it is for people only"));
            checker.check_unique(&section);
        }
        checker.check_selectors();
    }
    problems
}

/// Names of domains: there, and unique.
fn check_names(domains: &[ReadDomain], problems: &mut Vec<Diagnostic>) {
    let mut first: HashMap<&str, Span> = HashMap::new();
    for ReadDomain { domain, .. } in domains {
        let name = &domain.name;
        if name.is_blank() {
            let message = "metadata.name is required and must not be empty";
            problems.push(Diagnostic::error(Code::Domain, name.span, message));
        } else if let Some(&earlier) = first.get(&*name.text) {
            let message = format!("domain '{}' is defined twice", name.text);
            let problem = Diagnostic::error(Code::Duplicate, name.span, message);
            problems.push(problem.label(earlier, "first defined here"));
        } else {
            first.insert(&name.text, name.span);
        }
    }
}

/// Entries of one kind, each with its place and its MRN or name.
struct Section<'a> {
    noun: &'static str,
    entries: Vec<(Span, &'a Text)>,
}

/// The kinds that requests and references find by MRN.
fn by_mrn(domain: &PolicyDomain) -> [Section<'_>; 6] {
    let section = |noun, entries| Section { noun, entries };
    [
        section(
            "library",
            domain
                .libraries
                .iter()
                .map(|entry| (entry.span, &entry.mrn))
                .collect(),
        ),
        section(
            "policy",
            domain
                .policies
                .iter()
                .map(|entry| (entry.span, &entry.mrn))
                .collect(),
        ),
        section(
            "role",
            domain
                .roles
                .iter()
                .map(|entry| (entry.span, &entry.mrn))
                .collect(),
        ),
        section(
            "group",
            domain
                .groups
                .iter()
                .map(|entry| (entry.span, &entry.mrn))
                .collect(),
        ),
        section(
            "resource-group",
            domain
                .resource_groups
                .iter()
                .map(|entry| (entry.span, &entry.mrn))
                .collect(),
        ),
        section(
            "scope",
            domain
                .scopes
                .iter()
                .map(|entry| (entry.span, &entry.mrn))
                .collect(),
        ),
    ]
}

/// The kinds whose names are for people only: an MRN if they have one, else the name.
fn by_name(domain: &PolicyDomain) -> [Section<'_>; 3] {
    fn named<'a>(span: Span, mrn: &'a Text, name: &'a Text) -> (Span, &'a Text) {
        (span, if mrn.is_blank() { name } else { mrn })
    }
    let section = |noun, entries| Section { noun, entries };
    [
        section(
            "operation",
            domain
                .operations
                .iter()
                .map(|entry| named(entry.span, &entry.mrn, &entry.name))
                .collect(),
        ),
        section(
            "mapper",
            domain
                .mappers
                .iter()
                .map(|entry| named(entry.span, &entry.mrn, &entry.name))
                .collect(),
        ),
        section(
            "resource",
            domain
                .resources
                .iter()
                .map(|entry| named(entry.span, &entry.mrn, &entry.name))
                .collect(),
        ),
    ]
}

struct Checker<'a> {
    domain: &'a PolicyDomain,
    problems: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    fn check(&mut self) {
        let domain = self.domain;
        for section in by_mrn(domain) {
            self.check_mrns(&section, None);
            self.check_unique(&section);
        }
        for entry in &domain.libraries {
            self.check_rego("library", &entry.mrn.text, &entry.rego, entry.span);
        }
        for entry in &domain.policies {
            self.check_rego("policy", &entry.mrn.text, &entry.rego, entry.span);
        }
        for (at, entry) in domain.mappers.iter().enumerate() {
            let id = name_or_position("mapper", at, &entry.name);
            self.check_rego("mapper", &id, &entry.rego, entry.span);
        }
        self.check_strategies();
    }

    fn check_mrns(&mut self, section: &Section<'_>, help: Option<&str>) {
        for (at, (span, mrn)) in section.entries.iter().enumerate() {
            if mrn.is_blank() {
                let message = format!(
                    "{} entry at index {at} is missing required mrn field",
                    section.noun
                );
                let mut problem = Diagnostic::error(Code::Domain, *span, message);
                problem.help.extend(help.map(str::to_owned));
                let id = format!("{}[{at}]", section.noun);
                self.problems
                    .push(problem.about(self.entity(section.noun, &id, "mrn")));
            }
        }
    }

    fn check_unique(&mut self, section: &Section<'_>) {
        let mut first: HashMap<&str, &Text> = HashMap::new();
        for &(_, name) in section.entries.iter().filter(|(_, name)| !name.text.is_empty()) {
            let Some(earlier) = first.get(&*name.text) else {
                first.insert(&name.text, name);
                continue;
            };
            let (noun, line) = (section.noun, earlier.line);
            let message = format!(
                "duplicate {noun} mrn \"{}\" (first defined at line {line})",
                name.text
            );
            let problem = Diagnostic::error(Code::Duplicate, name.span, message)
                .label(earlier.span, "first defined here")
                .about(self.entity(noun, &name.text, ""));
            self.problems.push(problem);
        }
    }

    fn entity(&self, kind: &'static str, id: &str, field: &str) -> Entity {
        Place {
            domain: &self.domain.name.text,
            kind,
            id,
        }
        .entity(field)
    }

    fn check_rego(&mut self, noun: &'static str, id: &str, rego: &Text, entry: Span) {
        if rego.node.is_none() {
            let message = format!("{noun} \"{id}\" is missing required rego field");
            let problem = Diagnostic::error(Code::Domain, entry, message);
            self.problems.push(problem.about(self.entity(noun, id, "rego")));
        } else if rego.is_blank() {
            let place = Place {
                domain: &self.domain.name.text,
                kind: noun,
                id,
            };
            self.problems
                .push(place.error(Code::Domain, rego.span, "rego", "the rego text is blank"));
        }
    }

    fn check_selectors(&mut self) {
        let domain = self.domain;
        let operations = domain.operations.iter().enumerate();
        let operations =
            operations.map(|(at, entry)| ("operation", at, &entry.name, &entry.selectors, entry.span));
        let mappers = domain.mappers.iter().enumerate();
        let mappers = mappers.map(|(at, entry)| ("mapper", at, &entry.name, &entry.selectors, entry.span));
        let resources = domain.resources.iter().enumerate();
        let resources =
            resources.map(|(at, entry)| ("resource", at, &entry.name, &entry.selectors, entry.span));
        for (noun, at, name, selectors, span) in operations.chain(mappers).chain(resources) {
            if selectors.is_empty() {
                let id = name_or_position(noun, at, name);
                let message = format!("{noun} \"{id}\" is missing required selector field");
                let problem = Diagnostic::error(Code::Domain, span, message)
                    .help("an entry without selectors is never chosen")
                    .about(self.entity(noun, &id, "selector"));
                self.problems.push(problem);
            }
        }
    }

    fn check_strategies(&mut self) {
        let domain = self.domain;
        if !domain.default_merge.is_blank() {
            let message = "`annotation-defaults.merge` has no effect";
            let help = "name the strategy in `merge` of each annotation";
            self.problems
                .push(Diagnostic::warning(Code::Domain, domain.default_merge.span, message).help(help));
        }
        let holders = domain
            .roles
            .iter()
            .chain(&domain.scopes)
            .chain(&domain.resource_groups);
        holders.for_each(|entry| check_merge_words(&entry.annotations, self.problems));
        domain
            .groups
            .iter()
            .for_each(|entry| check_merge_words(&entry.annotations, self.problems));
        domain
            .resources
            .iter()
            .for_each(|entry| check_merge_words(&entry.annotations, self.problems));
    }
}

fn check_merge_words(annotations: &[Annotation], problems: &mut Vec<Diagnostic>) {
    for annotation in annotations {
        let word = &*annotation.merge.text;
        if !matches!(word, "" | "deep" | "append" | "prepend" | "union" | "replace") {
            let message = format!("unknown merge strategy `{word}`; it merges as `deep` does");
            let help = "known are deep, append, prepend, union and replace";
            problems.push(Diagnostic::warning(Code::Domain, annotation.merge.span, message).help(help));
        }
    }
}

/// One MRN in two domains: the first one loaded answers for requests, which name no domain.
fn check_across(domains: &[ReadDomain], problems: &mut Vec<Diagnostic>) {
    let mut first: HashMap<(&str, &str), (usize, Span)> = HashMap::new();
    for (at, ReadDomain { domain, .. }) in domains.iter().enumerate() {
        let found_by_requests = by_mrn(domain)
            .into_iter()
            .filter(|section| !matches!(section.noun, "library" | "policy"));
        for section in found_by_requests {
            for (_, mrn) in section
                .entries
                .into_iter()
                .filter(|(_, mrn)| !mrn.text.is_empty())
            {
                let (earlier, span) = *first.entry((section.noun, &mrn.text)).or_insert((at, mrn.span));
                if earlier == at {
                    continue;
                }
                let name = domains.get(earlier).map_or("", |read| &*read.domain.name.text);
                let noun = section.noun;
                let message = format!(
                    "{noun} '{}' is also defined in domain '{name}', which is used",
                    mrn.text
                );
                let problem = Diagnostic::warning(Code::Duplicate, mrn.span, message);
                problems.push(problem.label(span, "this one is used"));
            }
        }
    }
}
