//! Which units are compiled together, and that it makes no difference that an author sees.

use super::*;
use crate::domain;
use std::fmt::Write as _;

/// A domain of entries `(kind, name, dependencies, text)`.
fn domain_of(entries: &[(&str, &str, &str, &str)]) -> String {
    let mut text = String::from(
        "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {name: d}\nspec:\n",
    );
    for (kind, list) in [("library", "policy-libraries"), ("policy", "policies")] {
        let _ = writeln!(text, "  {list}:");
        for (_, name, needs, rego) in entries.iter().filter(|entry| entry.0 == kind) {
            let needs: Vec<String> = needs
                .split_whitespace()
                .map(|name| format!("\"mrn:d:library:{name}\""))
                .collect();
            let rego = rego.replace('\n', "\n        ");
            let _ = writeln!(
                text,
                "    - mrn: \"mrn:d:{kind}:{name}\"\n      name: {name}\n      dependencies: [{}]\n      rego: |\n        {rego}",
                needs.join(", ")
            );
        }
    }
    text
}

#[track_caller]
fn check(entries: &[(&str, &str, &str, &str)], want: &[&str]) {
    let mut sources = SourceMap::default();
    let file = sources.add_file("d.yml", &domain_of(entries));
    let domains = domain::read(&mut sources, &[file]).expect("reads");
    let set = domain::resolve(&sources, &domains).expect("resolves");
    let bump = Bump::new();
    let modules = parse(&sources, &domains, BaseDialect::V1, &bump, |_, problems| {
        assert_eq!(problems, []);
    });
    let units = units(&set);
    let wanted: Vec<&Unit> = units.iter().collect();
    let groups = groups::groups(&wanted, &modules, &Options::default(), &sources);
    let name = |at: &usize| units[*at].id.rsplit(':').next().unwrap_or_default().to_owned();
    let mut found: Vec<String> = groups
        .iter()
        .map(|group| group.units.iter().map(name).collect::<Vec<_>>().join(" "))
        .collect();
    found.sort();
    assert_eq!(found, want);
}

const LIB: (&str, &str, &str, &str) = ("library", "l", "", "package lib\nok if input.x");

/// A policy that asks for one thing.
fn policy(condition: &str) -> String {
    format!("package authz\nallow if {condition}")
}

#[track_caller]
fn check_policies(libraries: &[(&str, &str, &str, &str)], policies: &[(&str, &str, &str)], want: &[&str]) {
    let texts: Vec<String> = policies.iter().map(|(.., condition)| policy(condition)).collect();
    let policies = policies.iter().zip(&texts);
    let policies = policies.map(|((name, needs, _), text)| ("policy", *name, *needs, text.as_str()));
    let entries: Vec<(&str, &str, &str, &str)> = libraries.iter().copied().chain(policies).collect();
    check(&entries, want);
}

#[test]
fn policies_and_libraries_of_their_own_packages_are_together() {
    check_policies(
        &[
            LIB,
            (
                "library",
                "m",
                "l",
                "package other\nimport data.lib\nok if lib.ok",
            ),
        ],
        &[
            ("p", "m", "data.other.ok"),
            ("q", "l", "data.lib.ok"),
            ("r", "", "input.y"),
        ],
        &["l m p q r"],
    );
}

#[test]
fn what_a_library_is_not_there_for_is_not_shown_it() {
    // `q` reads a document that it has not got.
    check_policies(
        &[LIB],
        &[("p", "l", "data.lib.ok"), ("q", "", "not data.lib.ok")],
        &["l p", "q"],
    );
    check_policies(
        &[LIB],
        &[("q", "", "not data.lib[input.z]"), ("p", "l", "data.lib.ok")],
        &["l p", "q"],
    );
}

#[test]
fn libraries_of_one_package_are_apart() {
    let other = ("library", "m", "", "package lib\nnear if input.y");
    check_policies(
        &[LIB, other],
        &[("p", "l", "data.lib.ok"), ("q", "m", "data.lib.near")],
        &["l p", "m q"],
    );
}

#[test]
fn rules_above_the_package_of_another_library_are_apart() {
    let below = ("library", "m", "", "package lib.ok\nnear if input.y");
    check_policies(&[LIB, below], &[("p", "m", "data.lib.ok.near")], &["l", "m p"]);
}

#[test]
fn libraries_that_name_the_policy_take_it_out() {
    let asking = ("library", "m", "", "package asking\nok if data.authz.x");
    check_policies(
        &[asking],
        &[("p", "m", "data.asking.ok"), ("q", "", "input.x")],
        &["m q", "p"],
    );
    let inside = ("library", "m", "", "package authz.more\nok if input.x");
    check_policies(
        &[inside],
        &[("p", "m", "data.authz.more.ok"), ("q", "", "input.x")],
        &["m q", "p"],
    );
}

#[test]
fn what_shows_all_of_data_is_by_itself() {
    check_policies(
        &[],
        &[
            ("p", "", "data[input.x]"),
            ("q", "", "input.x"),
            ("r", "", "input.y"),
        ],
        &["p", "q r"],
    );
}

#[test]
fn an_error_is_found_where_it_is_and_spoils_nothing_else() {
    let texts = ["data.lib.ok", "data.lib.gone(1)", "data.lib.ok == unknown"].map(policy);
    let names = ["p", "q", "r"].into_iter().zip(&texts);
    let policies = names.map(|(name, text)| ("policy", name, "l", text.as_str()));
    let entries: Vec<(&str, &str, &str, &str)> = [LIB].into_iter().chain(policies).collect();
    let mut sources = SourceMap::default();
    let file = sources.add_file("d.yml", &domain_of(&entries));
    let options = Options {
        dialect: BaseDialect::V1,
        ..Options::default()
    };
    let problems = crate::policies::compile(&mut sources, &[file], &options).expect_err("errors");
    let found: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.code.as_str(), problem.message))
        .collect();
    assert_eq!(
        found,
        [
            "rego_type_error: undefined function data.lib.gone",
            "rego_unsafe_var_error: var unknown is unsafe"
        ]
    );
}

/// The same function of two policies is one, whatever their packages are called on the way.
#[test]
fn equal_policies_share_their_functions() {
    let entries = [
        (
            "policy",
            "p",
            "",
            "package authz\nallow if input.x\nallow if input.y.z",
        ),
        (
            "policy",
            "q",
            "",
            "package authz\nallow if input.x\nallow if input.y.z",
        ),
    ];
    let mut sources = SourceMap::default();
    let file = sources.add_file("d.yml", &domain_of(&entries));
    let options = Options {
        dialect: BaseDialect::V1,
        ..Options::default()
    };
    let linked = crate::policies::compile_parts(&mut sources, &[file], &options).expect("compiles");
    let names: Vec<&str> = linked
        .parts
        .program
        .functions
        .iter()
        .map(|info| info.name.as_str())
        .collect();
    assert_eq!(names, ["data.authz.allow"]);
    let [p, q] = linked.parts.policies.as_slice() else {
        unreachable!("two policies")
    };
    assert_eq!(p.entry, q.entry);
}
