//! Selectors of operations, resources and mappers: what matches everything, what nothing is left for, what two domains claim.
//!
//! Inside a domain the first match counts, in the order of the file. An operation that two domains match is refused. Nothing
//! reads the selectors of mappers.

use std::collections::{BTreeMap, HashMap};

use super::findings::{Findings, finding};
use super::patterns::{Form, Searches};
use super::rule::Rule;
use crate::domain::{ReadDomain, Selector};
use crate::source::Span;

/// A selector with its place in the lists of all domains.
struct Entry<'d> {
    /// The domain, by index.
    domain: usize,
    /// Of the operation or resource, in all domains.
    owner: usize,
    selector: &'d Selector,
    form: Form,
}

/// `may_grant`: whether the policy of an operation, by index in all domains, can give a positive number.
pub(super) fn check(domains: &[ReadDomain], may_grant: impl Fn(usize) -> bool, findings: &mut Findings) {
    let operations = entries(domains, |read| &read.operation_selectors);
    let mut searches = Searches::default();
    let by_domain = shadowed(&operations, &mut searches, findings);
    let caught = operations.iter().filter(|entry| entry.form.is_catch_all());
    for entry in caught.filter(|entry| may_grant(entry.owner)) {
        let message = "every operation goes to this policy, which can grant past all other phases";
        let help = "select the operations that the policy is for; one that no selector matches is denied";
        findings.add(Rule::CatchAllSelector, entry.selector.span, message, help);
    }
    ambiguous(&operations, &by_domain, &mut searches, findings);

    let resources = entries(domains, |read| &read.resource_selectors);
    shadowed(&resources, &mut searches, findings);
    for entry in resources.iter().filter(|entry| entry.form.is_catch_all()) {
        let message = "every resource that no earlier selector matches falls to this entry";
        let help =
            "select the resources that are meant; for all others mark a resource group with `default: true`";
        findings.add(Rule::CatchAllSelector, entry.selector.span, message, help);
    }

    for entry in entries(domains, |read| &read.mapper_selectors) {
        if !entry.form.is_catch_all() {
            let message = "nothing reads the selectors of a mapper: it is asked for every request";
            let help = "write `.*`, which is what happens, and tell requests apart in the mapper's Rego";
            findings.add(Rule::MapperSelector, entry.selector.span, message, help);
        }
    }
}

/// The selectors of one kind of all domains.
fn entries<'d>(
    domains: &'d [ReadDomain],
    of: impl Fn(&'d ReadDomain) -> &'d Vec<Vec<Selector>>,
) -> Vec<Entry<'d>> {
    let mut list = Vec::new();
    let mut owner = 0;
    for (domain, read) in domains.iter().enumerate() {
        for selectors in of(read) {
            list.extend(selectors.iter().map(|selector| Entry {
                domain,
                owner,
                selector,
                form: Form::of(&selector.pattern),
            }));
            owner += 1;
        }
    }
    list
}

/// Selectors of one domain that others may hide behind.
#[derive(Default)]
struct Known<'e> {
    by_pattern: HashMap<&'e str, Span>,
    /// None begins with another one.
    prefixes: BTreeMap<&'e str, Span>,
    catch_all: Option<Span>,
    others: Vec<&'e Entry<'e>>,
}

impl<'e> Known<'e> {
    /// The selector that takes all that `entry` would match.
    fn cover(&self, entry: &Entry<'_>, searches: &mut Searches) -> Option<Span> {
        let same = self.by_pattern.get(entry.selector.pattern.as_str()).copied();
        same.or(self.catch_all).or_else(|| self.wider(entry, searches))
    }

    /// A selector with operators that takes a text or what begins with a text.
    fn wider(&self, entry: &Entry<'_>, searches: &mut Searches) -> Option<Span> {
        let (Form::Text(start) | Form::Prefix(start)) = &entry.form else {
            return None;
        };
        let shorter = self.prefixes.range(..=start.as_str()).next_back();
        let shorter = shorter.filter(|(shorter, _)| start.starts_with(**shorter));
        if let Some((_, place)) = shorter {
            return Some(*place);
        }
        let Form::Text(text) = &entry.form else {
            return None;
        };
        let found = self
            .others
            .iter()
            .find(|other| searches.matches(&other.form, text));
        found.map(|found| found.selector.span)
    }

    fn add(&mut self, entry: &'e Entry<'e>) {
        let span = entry.selector.span;
        self.by_pattern.entry(&entry.selector.pattern).or_insert(span);
        match &entry.form {
            Form::CatchAll => self.catch_all = self.catch_all.or(Some(span)),
            Form::Prefix(prefix) => {
                let behind = self.prefixes.range(prefix.as_str()..).map(|(other, _)| *other);
                let longer: Vec<&str> = behind.take_while(|other| other.starts_with(prefix)).collect();
                longer.iter().for_each(|other| {
                    self.prefixes.remove(other);
                });
                self.prefixes.insert(prefix, span);
            }
            Form::Other { .. } => self.others.push(entry),
            Form::Text(_) => {}
        }
    }
}

/// Reports what an earlier selector of the same domain leaves nothing for; what is left of each domain.
fn shadowed<'e>(
    entries: &'e [Entry<'e>],
    searches: &mut Searches,
    findings: &mut Findings,
) -> BTreeMap<usize, Known<'e>> {
    let mut by_domain: BTreeMap<usize, Known<'_>> = BTreeMap::new();
    for entry in entries {
        let known = by_domain.entry(entry.domain).or_default();
        let Some(cover) = known.cover(entry, searches) else {
            known.add(entry);
            continue;
        };
        let message = "this selector never matches: an earlier one takes all that it would";
        let help = "the first match counts; put the narrower selector first, or remove this one";
        let found = finding(Rule::ShadowedSelector, entry.selector.span, message, help);
        findings.push(found.label(cover, "matches first"));
    }
    by_domain
}

/// Operations that a second domain matches too.
fn ambiguous(
    entries: &[Entry<'_>],
    by_domain: &BTreeMap<usize, Known<'_>>,
    searches: &mut Searches,
    findings: &mut Findings,
) {
    if by_domain.len() < 2 {
        return;
    }
    let help = "an operation that two domains match is denied; let each domain select its own";
    for entry in entries {
        if entry.form.is_catch_all() {
            let message =
                "this selector claims the operations of the other domains, which are denied for that";
            findings.add(Rule::AmbiguousOperation, entry.selector.span, message, help);
            continue;
        }
        let Form::Text(text) = &entry.form else {
            continue;
        };
        let mut others = by_domain.iter().filter(|(domain, _)| **domain != entry.domain);
        let other = others.find_map(|(_, known)| {
            let same = known.by_pattern.get(entry.selector.pattern.as_str()).copied();
            let is_affordable = same.is_none() && searches.spend();
            same.or_else(|| known.wider(entry, searches).filter(|_| is_affordable))
        });
        if let Some(other) = other {
            let message = format!("the operation `{text}` is denied: another domain matches it too");
            let found = finding(Rule::AmbiguousOperation, entry.selector.span, message, help);
            findings.push(found.label(other, "the other domain"));
        }
    }
}
