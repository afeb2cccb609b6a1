//! Compiles a group of units in one go: one analysis, one plan, with a package for each policy that no other module can name.

use super::{Modules, Unit, analyse_options, optimised, planned};
use crate::analyse::analyse;
use crate::ast::{Module, Name, Package};
use crate::domain::ModuleKind;
use crate::emit::ProgramBuilder;
use crate::hir::{Checked, RuleKind};
use crate::plan::Plan;
use crate::policies::Options;
use crate::source::{FileId, SourceMap};
use bumpalo::Bump;
use gavel_runtime::image::Entry;
use std::collections::{HashMap, HashSet};

/// Stands between the first name of a policy's package and its number. No name holds it, and a module that writes it into
/// a path is in no group.
pub(super) const MARK: char = '\u{1}';

/// What each unit becomes; nothing for units that have to be compiled by themselves, which all have where one of them has
/// an error.
pub(super) fn compile(
    units: &[&Unit],
    files: &[FileId],
    sources: &SourceMap,
    modules: &Modules<'_>,
    options: &Options,
    builder: &mut ProgramBuilder,
) -> Vec<Option<Entry>> {
    let bump = Bump::new();
    let policies = units
        .iter()
        .zip(0..)
        .filter(|(unit, _)| unit.kind == ModuleKind::Policy);
    let numbers: HashMap<FileId, usize> = policies.map(|(unit, number)| (unit.own, number)).collect();
    let modules: Vec<Module<'_>> = files
        .iter()
        .filter_map(|file| Some((modules.get(file)?, numbers.get(file))))
        .map(|(module, number)| match number {
            Some(number) => renamed(module, *number, &bump),
            None => *module,
        })
        .collect();
    let paths: Vec<Option<Vec<String>>> = units
        .iter()
        .zip(0..)
        .map(|(unit, number)| {
            let (first, rest) = unit.entry().split_first()?;
            let rest = rest.iter().map(|name| (*name).to_owned());
            Some(std::iter::once(own_name(first, number)).chain(rest).collect())
        })
        .collect();
    let wanted: Vec<Vec<String>> = paths.iter().flatten().cloned().collect();
    let Some((checked, plan)) = analysed(sources, &modules, &wanted, options) else {
        return Vec::new();
    };
    let functions = functions(&checked);
    let Ok(entries) = builder.add_unit(&plan, sources) else {
        return Vec::new();
    };
    let mut entries = entries.entries.into_iter();
    paths
        .iter()
        .map(|path| match path {
            None => Some(Entry::Missing),
            Some(path) => entries
                .next()
                .filter(|_| !functions.contains(path.as_slice()))
                .map(|(_, id)| Entry::Document(id)),
        })
        .collect()
}

/// The checked modules and their finished plan; `None`: something is wrong with them.
fn analysed(
    sources: &SourceMap,
    modules: &[Module<'_>],
    entries: &[Vec<String>],
    options: &Options,
) -> Option<(Checked, Plan)> {
    let analyse_options = analyse_options(ModuleKind::Policy, options);
    let checked = analyse(sources, modules, &analyse_options).ok()?;
    let mut plan = optimised(planned(&checked, entries, options).ok()?, entries.len(), options);
    for function in &mut plan.functions {
        if let Some(name) = written_name(&function.name) {
            function.name = name;
        }
    }
    Some((checked, plan))
}

/// Paths of functions.
fn functions(checked: &Checked) -> HashSet<&[String]> {
    let rules = checked.0.rules.iter();
    rules
        .filter(|rule| rule.kind == RuleKind::Function)
        .map(|rule| rule.path.as_slice())
        .collect()
}

/// A policy in a package of its own.
fn renamed<'b>(module: &Module<'b>, number: usize, bump: &'b Bump) -> Module<'b> {
    let Some((first, rest)) = module.package.path.split_first() else {
        return *module;
    };
    let first = Name {
        span: first.span,
        text: bump.alloc_str(&own_name(first.text, number)),
    };
    let path = bump.alloc_slice_fill_iter(
        std::iter::once(first)
            .chain(rest.iter().copied())
            .collect::<Vec<_>>(),
    );
    Module {
        package: Package {
            span: module.package.span,
            path,
        },
        ..*module
    }
}

/// The first name of a numbered policy's package.
fn own_name(first: &str, number: usize) -> String {
    format!("{first}{MARK}{number}")
}

/// The name that a planned function has where its policy is compiled by itself; `None`: this one.
fn written_name(name: &str) -> Option<String> {
    let (before, rest) = name.split_once("data[\"")?;
    // The planner writes names that are no words as Rust does.
    let mark = MARK.escape_debug().to_string();
    let (first, rest) = rest.split_once(&mark)?;
    let (number, after) = rest.split_once("\"]")?;
    let is_ours = first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && number.bytes().all(|b| b.is_ascii_digit());
    is_ours.then(|| format!("{before}data.{first}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_the_names_that_authors_wrote() {
        let written = |name: &str| written_name(name);
        assert_eq!(
            written("data[\"authz\\u{1}17\"].allow").as_deref(),
            Some("data.authz.allow")
        );
        assert_eq!(
            written("keyed data[\"authz\\u{1}0\"].a[_]").as_deref(),
            Some("keyed data.authz.a[_]")
        );
        assert_eq!(written("data.lib.x[\"data[\\\"a\\\\u{1}0\\\"]\"]"), None);
    }
}
