//! Names of annotations that are nearly other names: those that policies read of entries, and keys of METADATA blocks.

use std::collections::{BTreeSet, HashSet};

use super::fields;
use super::findings::Findings;
use super::module::ModuleCx;
use super::near::is_near;
use super::rule::Rule;
use super::visit::{self, Event};
use crate::ast::{Comment, TermKind};
use crate::domain::ReadDomain;
use crate::domain::schema::Annotation;
use crate::source::Span;

/// Names of annotations that the entries of all domains define.
#[derive(Debug, Default)]
pub(super) struct Defined<'d> {
    /// Of roles, groups and scopes.
    principal: BTreeSet<&'d str>,
    /// Of resource groups and resources.
    resource: BTreeSet<&'d str>,
}

impl<'d> Defined<'d> {
    pub(super) fn new(domains: &'d [ReadDomain]) -> Defined<'d> {
        let mut defined = Defined::default();
        for read in domains {
            let domain = &read.domain;
            let holders = domain.roles.iter().chain(&domain.scopes);
            let of_holders = holders.map(|entry| &entry.annotations);
            let of_groups = domain.groups.iter().map(|group| &group.annotations);
            add(&mut defined.principal, of_holders.chain(of_groups));
            let groups = domain.resource_groups.iter().map(|entry| &entry.annotations);
            let resources = domain.resources.iter().map(|resource| &resource.annotations);
            add(&mut defined.resource, groups.chain(resources));
        }
        defined
    }
}

fn add<'d>(names: &mut BTreeSet<&'d str>, lists: impl Iterator<Item = &'d Vec<Annotation>>) {
    names.extend(lists.flatten().map(|annotation| &*annotation.name.text));
}

/// Pairs of names that are compared for one compilation; domains have some dozens of each.
pub(super) const COMPARISONS_MAX: usize = 50_000;

/// `comparisons`: how many may still be made.
pub(super) fn check<'a>(
    cx: &ModuleCx<'_, 'a>,
    defined: &Defined<'_>,
    comparisons: &mut usize,
    findings: &mut Findings,
) {
    let mut seen = HashSet::new();
    visit::module(cx.module, &mut |event| {
        let Event::Term(term) = event else { return };
        let found = match &term.kind {
            TermKind::Ref { .. } => cx.path(term),
            TermKind::Call { name, args } => fields::looked_up(cx, name, args),
            _ => None,
        };
        let Some(path) = found else { return };
        let (names, holder, name) = match path.as_slice() {
            ["input", holder @ "principal", "mannotations", name, ..] => (&defined.principal, *holder, *name),
            ["input", holder @ "resource", "annotations", name, ..] => (&defined.resource, *holder, *name),
            _ => return,
        };
        if names.contains(name) || !seen.insert((holder, name)) {
            return;
        }
        *comparisons = comparisons.saturating_sub(names.len());
        if *comparisons == 0 {
            return;
        }
        if let Some(meant) = names.iter().find(|known| is_near(name, known)) {
            let message = format!("nothing defines the annotation `{name}`; `{meant}` exists");
            let help = format!("write `{meant}`, unless requests bring `{name}` along");
            findings.add(Rule::AnnotationTypo, term.span, message, help);
        }
    });
}

/// Keys of METADATA blocks.
const KEYS: [&str; 11] = [
    "scope",
    "title",
    "description",
    "related_resources",
    "organizations",
    "schemas",
    "authors",
    "entrypoint",
    "custom",
    "compile",
    "labels",
];

pub(super) fn metadata(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    let mut in_block = false;
    let mut end_of_last = None;
    for comment in cx.module.comments {
        let goes_on = end_of_last.is_some_and(|end| comment.span.start <= end + 2);
        end_of_last = Some(comment.span.end);
        if comment.text.trim() == "METADATA" {
            in_block = true;
            continue;
        }
        in_block &= goes_on;
        if in_block && let Some((key, span)) = key_of(comment) {
            let meant = KEYS.iter().find(|known| is_near(key, known));
            if let Some(meant) = meant.filter(|_| !KEYS.contains(&key)) {
                let message = format!("METADATA has no key `{key}`; `{meant}` exists");
                findings.add(Rule::MetadataTypo, span, message, format!("write `{meant}`"));
            }
        }
    }
}

/// The key at the start of a line of a block.
fn key_of<'a>(comment: &Comment<'a>) -> Option<(&'a str, Span)> {
    let text = comment.text.strip_prefix(' ')?;
    let (key, _) = text.split_once(':')?;
    let is_word = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let start = comment.span.start + 2;
    let span = Span {
        start,
        end: start + u32::try_from(key.len()).unwrap_or(0),
        ..comment.span
    };
    is_word.then_some((key, span))
}
