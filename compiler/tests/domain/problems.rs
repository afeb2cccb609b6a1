//! What is refused, where, and in which words.

use super::{domain_text, lines, load};
use expect_test::{Expect, expect};
use gavel_compiler::domain;

#[track_caller]
fn check(texts: &[&str], expect: Expect) {
    let (sources, loaded) = load(texts);
    let text = match loaded {
        Ok(set) => lines(&sources, &set.warnings),
        Err(problems) => lines(&sources, &problems),
    };
    expect.assert_eq(&text);
}

#[track_caller]
fn check_sections(sections: &str, expect: Expect) {
    check(&[&domain_text("one", sections)], expect);
}

#[test]
fn kind_and_version_come_first() {
    check(
        &[""],
        expect![["1.yml:1:1: domain: expected PolicyDomain got \n"]],
    );
    check(
        &["kind: Policies\nspec: 3"],
        expect![["1.yml:1:7: domain: expected PolicyDomain got Policies\n"]],
    );
    check(
        &["kind: PolicyDomain\napiVersion: v9\nspec: 3"],
        expect![["1.yml:2:13: domain: unsupported PolicyDomain API Version v9\n"]],
    );
    check(
        &["\u{feff}kind: Bom"],
        expect![["1.yml:1:8: domain: expected PolicyDomain got Bom\n"]],
    );
    check(
        &["- a"],
        expect![["1.yml:1:1: domain: yaml: cannot unmarshal !!seq into PolicyDomain\n"]],
    );
}

#[test]
fn every_type_error_is_reported_where_it_stands() {
    check_sections(
        "  roles:\n    - {mrn: r, policy: [p], default: maybe}\n  operations:\n    - {selector: abcdefghijkl, policy: p}\n  \
         groups: 3\n  scopes: [x]\n",
        expect![[r#"
            1.yml:8:24: domain: yaml: cannot unmarshal !!seq into string
            1.yml:8:38: domain: yaml: cannot unmarshal !!str `maybe` into bool
            1.yml:11:11: domain: yaml: cannot unmarshal !!int `3` into list of groups
            1.yml:12:12: domain: yaml: cannot unmarshal !!str `x` into entry of scopes
            1.yml:10:18: domain: yaml: cannot unmarshal !!str `abcdefg...` into []string
        "#]],
    );
}

#[test]
fn nothing_is_not_an_error_and_unknown_keys_are_ignored() {
    check_sections(
        "  roles:\n  groups: ~\n  scopes: [~]\n  nonsense: {a: 1, a: 2}\n  operations: null\nextra: [1]\n",
        expect![[r#"
            1.yml:10:3: warning: domain: unknown key `nonsense` in spec is ignored
        "#]],
    );
    check_sections(
        "  scopes: [{mrn: s, policy: p, default: yes, name: 1.0}]\n",
        expect![""],
    );
}

#[test]
fn references_to_nothing_are_all_collected() {
    check_sections(
        "  policy-libraries:\n    - {mrn: l, rego: package l, dependencies: [gone]}\n  roles:\n    - {mrn: r, policy: gone}\n    \
         - {mrn: s, policy: two/p}\n    - {mrn: t, policy: /p}\n  groups:\n    - {mrn: g, roles: [r, gone, one/gone]}\n  \
         resources:\n    - {selector: [x], group: gone}\n  operations:\n    - {selector: [x], policy: ''}\n",
        expect![[r#"
            1.yml:8:48: reference: in domain 'one' library 'l' field 'dependencies': library reference 'gone' not found in domain 'one'
            1.yml:10:24: reference: in domain 'one' role 'r' field 'policy': policy reference 'gone' not found in domain 'one'
            1.yml:11:24: reference: in domain 'one' role 's' field 'policy': domain 'one' contains undefined references to domain 'two'
            1.yml:12:24: reference: in domain 'one' role 't' field 'policy': invalid qualified reference format '/p', expected 'domain/id'
            1.yml:14:27: reference: in domain 'one' group 'g' field 'roles[1]': role reference 'gone' not found in domain 'one'
            1.yml:14:33: reference: in domain 'one' group 'g' field 'roles[2]': role reference 'gone' not found in domain 'one'
            1.yml:18:31: domain: in domain 'one' operation 'operation[0]' field 'policy': policy reference is empty
            1.yml:16:30: reference: in domain 'one' resource 'resource[0]' field 'group': resource-group reference 'gone' not found in domain 'one'
            1.yml:8:48: cycle: library 'gone' not found in domain 'one'
        "#]],
    );
}

#[test]
fn qualified_references_reach_other_domains_and_slashes_may_stand_in_mrns() {
    let one = domain_text(
        "one",
        "  roles: [{mrn: r, policy: two/p}]\n  groups: [{mrn: g, roles: [r, two/q]}]\n",
    );
    let two = domain_text("two", "  roles: [{mrn: q, policy: a/b}]\n")
        .replace("- {mrn: p", "- {mrn: a/b, rego: x}\n    - {mrn: p");
    check(&[&one, &two], expect![""]);
}

#[test]
fn circles_are_reported_once_each() {
    check_sections(
        "  policy-libraries:\n    - {mrn: a, rego: x, dependencies: [b]}\n    - {mrn: b, rego: x, dependencies: [c, one/b]}\n    \
         - {mrn: c, rego: x, dependencies: [a]}\n",
        expect![[r#"
            1.yml:10:40: cycle: circular dependency detected: one/a → one/b → one/c → one/a
            1.yml:9:43: cycle: circular dependency detected: one/b → one/b
        "#]],
    );
}

#[test]
fn names_are_there_and_unique() {
    let nameless = domain_text("''", "");
    check(
        &[&nameless],
        expect![["1.yml:3:18: domain: metadata.name is required and must not be empty\n"]],
    );
    let one = domain_text("one", "");
    check(
        &[&one, &one],
        expect![["2.yml:3:18: duplicate: domain 'one' is defined twice\n"]],
    );
    check_sections(
        "  roles:\n    - {policy: p}\n    - {mrn: r, policy: p}\n    - {mrn: r, policy: p}\n",
        expect![[r#"
            1.yml:8:7: domain: role entry at index 0 is missing required mrn field
            1.yml:10:13: duplicate: duplicate role mrn "r" (first defined at line 9)
        "#]],
    );
}

#[test]
fn rego_must_not_be_blank() {
    check_sections(
        "  policy-libraries: [{mrn: l}, {mrn: m, rego: ' '}]\n  mappers: [{selector: [x]}]\n",
        expect![[r#"
            1.yml:7:22: domain: library "l" is missing required rego field
            1.yml:7:47: domain: in domain 'one' library 'm' field 'rego': the rego text is blank
            1.yml:8:13: domain: mapper "mapper[0]" is missing required rego field
        "#]],
    );
}

#[test]
fn what_works_otherwise_than_it_looks_is_a_warning() {
    check_sections(
        "  annotation-defaults: {merge: union}\n  operations:\n    - {name: o, policy: p}\n    - {name: o, selector: [x], policy: p}\n  \
         roles: [{mrn: r, policy: p, annotations: [{name: a, value: 1, merge: Replace}]}]\n",
        expect![[r#"
            1.yml:7:32: warning: domain: `annotation-defaults.merge` has no effect
            1.yml:11:72: warning: domain: unknown merge strategy `Replace`; it merges as `deep` does
            1.yml:10:14: warning: duplicate: duplicate operation mrn "o" (first defined at line 9)
            1.yml:9:7: warning: domain: operation "o" is missing required selector field
        "#]],
    );
    let one = domain_text("one", "  roles: [{mrn: r, policy: p}]\n");
    let two = domain_text("two", "  roles: [{mrn: r, policy: p}]\n");
    check(
        &[&one, &two],
        expect![[
            "2.yml:7:17: warning: duplicate: role 'r' is also defined in domain 'one', which is used\n"
        ]],
    );
}

#[test]
fn selectors_are_judged_with_their_anchors() {
    check_sections(
        r"  operations:
    - {policy: p, selector: ['*', 'a|b', 'x\', 'a(', '[z-a]', '(?=a)', '^a$$']}
",
        expect![[r#"
            1.yml:8:48: selector: invalid selector regex "a(": error parsing regexp: missing closing ): `^a($`
            1.yml:8:54: selector: invalid selector regex "[z-a]": error parsing regexp: invalid character class range: `z-a`
            1.yml:8:63: selector: invalid selector regex "(?=a)": error parsing regexp: invalid or unsupported Perl syntax: `(?=`
        "#]],
    );
}

#[test]
fn selectors_that_match_otherwise_than_they_look_are_warned_of() {
    check_sections(
        r"  operations:
    - {policy: p, selector: ['a|b', '(a|b)', 'a$|^b', '*', '*x', '.*', '^a|^b$']}
",
        expect![[r#"
            1.yml:8:30: warning: selector: selector `a|b` means `^a|b$`, whose alternatives are not all anchored
            1.yml:8:55: warning: selector: selector `*` means `^*$`, which matches every text
            1.yml:8:60: warning: selector: selector `*x` means `^*x$`, which matches every text that ends in `x`
            1.yml:8:72: warning: selector: selector `^a|^b$` means `^a|^b$`, whose alternatives are not all anchored
            1.yml:8:7: warning: domain: operation entry at index 0 is missing required mrn field
        "#]],
    );
}

#[test]
fn keys_that_nothing_reads_are_warned_of() {
    check_sections(
        "  rolls: []\n  shared: &a [1]\n  x-notes: {}\n  operations: [{selectors: [x], selector: [y], policy: p, mrn: o}]\n  \
         roles: [{mrn: r, policy: p, annotations: [{name: a, value: 1, strategy: union}]}]\n",
        expect![[r#"
            1.yml:7:3: warning: domain: unknown key `rolls` in spec is ignored
            1.yml:11:65: warning: domain: unknown key `strategy` in an annotation is ignored
            1.yml:10:17: warning: domain: unknown key `selectors` in an operation is ignored
        "#]],
    );
}

#[test]
fn flow_collections_may_close_below_their_key() {
    check_sections(
        "  roles: [\n  ]\n  scopes:\n  - {\n    mrn: s,\n    policy: p\n  }\n  groups: [\n    {mrn: g,\n    roles: []},\n  ]\n",
        expect![""],
    );
}

#[test]
fn yaml_errors_name_the_line() {
    check(
        &["a: [1\nb: 2"],
        expect![[r#"
            1.yml:2:2: yaml: line 2: illegal placement of ':' indicator
        "#]],
    );
    check(
        &["a: 1\nb: 2\na: 3\n"],
        expect![[r#"
            1.yml:3:1: yaml: mapping key "a" already defined at line 1
        "#]],
    );
    check(
        &["a: &a [*a]"],
        expect![[r#"
            1.yml:1:8: yaml: anchor value contains itself
        "#]],
    );
    check(
        &["a: \u{2028}"],
        expect![[r#"
        1.yml:1:4: unsupported: yaml: the line break U+2028 is not supported
    "#]],
    );
    check(
        &["a: \u{7}"],
        expect![[r#"
            1.yml:1:4: yaml: control characters are not allowed: U+0007
        "#]],
    );
    check(
        &["<<: 3"],
        expect![[r#"
            1.yml:1:5: yaml: map merge requires map or sequence of maps as the value
        "#]],
    );
}

#[test]
fn a_colon_that_two_versions_read_otherwise_is_refused() {
    check(
        &["{kind:, a: 1}"],
        expect![[r#"
        1.yml:1:6: unsupported: yaml: a colon right in front of `,` or a bracket is not supported
    "#]],
    );
    check(
        &["{\"kind\":, a: 1}"],
        expect![[r#"
        1.yml:1:8: domain: expected PolicyDomain got 
    "#]],
    );
    check(
        &["{kind: , a: 1}"],
        expect![[r#"
        1.yml:1:6: domain: expected PolicyDomain got 
    "#]],
    );
}

#[test]
fn depth_and_size_are_bounded_with_aliases_counted() {
    let deep = |levels: usize| format!("a: {}{}", "[".repeat(levels), "]".repeat(levels));
    check(
        &[&deep(62)],
        expect![[r#"
        1.yml:1:1: domain: expected PolicyDomain got 
    "#]],
    );
    check(
        &[&deep(64)],
        expect![[r#"
        1.yml:1:67: limit: yaml: nested more than 64 levels deep
    "#]],
    );
    let mut bomb = String::from("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
    for level in 1..6 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    check(
        &[&bomb],
        expect![[r#"
        1.yml:5:55: limit: yaml: more than 100000 nodes, aliases included
    "#]],
    );
}

#[test]
fn the_summary_counts_errors_when_there_are_several() {
    let (_, loaded) = load(&[&domain_text(
        "one",
        "  roles: [{mrn: r, policy: x}, {mrn: s, policy: p}]\n",
    )]);
    expect!["in domain 'one' role 'r' field 'policy': policy reference 'x' not found in domain 'one'"]
        .assert_eq(&domain::summary(&loaded.unwrap_err()));
    let (_, loaded) = load(&[&domain_text(
        "one",
        "  roles: [{mrn: r, policy: x}, {mrn: r, policy: p}]\n",
    )]);
    expect![[r#"
        validation failed with 2 errors:
          1. [duplicate] duplicate role mrn "r" (first defined at line 7)
          2. [reference] in domain 'one' role 'r' field 'policy': policy reference 'x' not found in domain 'one'"#]]
    .assert_eq(&domain::summary(&loaded.unwrap_err()));
    assert_eq!(
        domain::without_place("in domain 'one' role 'r' field 'policy': policy reference 'x' not found"),
        "policy reference 'x' not found"
    );
}
