//! Lints: modules and domains in, findings out. Cases stand in `lints/CODE.txt`, one file for each lint:
//!
//! ```text
//! == fires: title                    or `== silent: title`
//! -- policy                          or `operation`, `library`, `mapper` (a module), `domain` (a whole file)
//! text
//! -- findings
//! NAME:ROW:COL: SEVERITY[CODE]: MESSAGE
//! ```
//!
//! A module becomes a domain in which a role, an operation, or a policy (a library) uses it. Places are those of the module.
//! `UPDATE_EXPECT=1` writes the findings anew.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use expect_test::expect_file;
use gavel_compiler::diagnostic::{Code, Diagnostic, Severity};
use gavel_compiler::domain;
use gavel_compiler::lint::{LintOptions, Rule, lint};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_compiler::{Options, compile, render};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

struct Case {
    fires: bool,
    title: String,
    /// Kind and text.
    texts: Vec<(String, String)>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("== ") {
            let (kind, title) = head.split_once(": ").unwrap();
            assert!(matches!(kind, "fires" | "silent"), "{head}");
            cases.push(Case {
                fires: kind == "fires",
                title: title.to_owned(),
                texts: Vec::new(),
            });
        } else if let Some(kind) = line.strip_prefix("-- ") {
            cases
                .last_mut()
                .unwrap()
                .texts
                .push((kind.to_owned(), String::new()));
        } else if let Some((_, text)) = cases.last_mut().and_then(|case| case.texts.last_mut()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    for case in &mut cases {
        case.texts.retain(|(kind, _)| kind != "findings");
    }
    cases
}

/// The domain file in which modules are used. Every JSON text is a YAML text.
fn domain_of(modules: &[(String, String)]) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let of_kind = |wanted: &'static str| modules.iter().filter(move |(kind, _)| kind == wanted);
    let joined = |entries: Vec<String>| entries.join(", ");
    let library = |(kind, text): &(String, String)| format!("{{mrn: {kind}, rego: {}}}", quoted(text));
    let mapper = |(_, text): &(String, String)| {
        format!("{{name: mapper, selector: [\".*\"], rego: {}}}", quoted(text))
    };
    let has_library = of_kind("library").next().is_some();
    let dependencies = if has_library {
        "dependencies: [library], "
    } else {
        ""
    };
    let mut policies = Vec::new();
    for (kind, text) in modules
        .iter()
        .filter(|(kind, _)| kind == "policy" || kind == "operation")
    {
        policies.push(format!("{{mrn: {kind}, {dependencies}rego: {}}}", quoted(text)));
    }
    let (mut roles, mut groups, mut operations) = ("", "", "");
    if has_library && policies.is_empty() {
        let user = quoted("package authz\ndefault allow = false\nallow { input.context.ok }\n");
        policies.push(format!("{{mrn: policy, {dependencies}rego: {user}}}"));
    }
    if policies.iter().any(|policy| policy.starts_with("{mrn: policy")) {
        roles = "{mrn: role, policy: policy}";
        groups = "{mrn: group, roles: [role]}";
    }
    if of_kind("operation").next().is_some() {
        operations = "{name: operation, selector: [\"a:b\"], policy: operation}";
    }
    format!(
        "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {{name: test}}\nspec:\n  \
         policy-libraries: [{}]\n  policies: [{}]\n  roles: [{roles}]\n  groups: [{groups}]\n  \
         operations: [{operations}]\n  mappers: [{}]\n",
        joined(of_kind("library").map(library).collect()),
        joined(policies),
        joined(of_kind("mapper").map(mapper).collect()),
    )
}

/// The findings of texts, and how they are shown.
fn findings(texts: &[(String, String)]) -> (Vec<Diagnostic>, String) {
    let mut files: Vec<String> = texts
        .iter()
        .filter(|(kind, _)| kind == "domain")
        .map(|(_, text)| text.clone())
        .collect();
    if files.is_empty() {
        files.push(domain_of(texts));
    }
    let mut sources = SourceMap::default();
    let ids: Vec<FileId> = (1..)
        .zip(&files)
        .map(|(nth, text)| sources.add_file(&format!("{nth}.yml"), text))
        .collect();
    let domains = domain::read(&mut sources, &ids).unwrap();
    let found = lint(&sources, &domains, LintOptions::default());
    let whole = texts.iter().any(|(kind, _)| kind == "domain");
    let mut shown = String::new();
    for finding in &found {
        let span = finding.span.unwrap();
        let span = if whole { sources.on_disk(span) } else { span };
        let place = sources.position(span);
        let name = &sources.source(span.file).name;
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let (code, message) = (finding.code.as_str(), &finding.message);
        writeln!(
            shown,
            "{name}:{}:{}: {severity}[{code}]: {message}",
            place.row, place.col
        )
        .unwrap();
    }
    // Cases are to show what compiles; what does not is shown, too.
    if let Err(problems) = compile(&mut sources, &ids, &Options::default()) {
        shown.push_str(&render::lines(&sources, &problems));
    }
    (found, shown)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lints")
}

/// Whether a finding is of a lint.
fn is_of(finding: &Diagnostic, rule: Rule) -> bool {
    finding.code == Code::Lint(rule)
}

#[test]
fn cases_find_what_they_say() {
    let mut wrong = Vec::new();
    for rule in Rule::ALL {
        let path = folder().join(format!("{}.txt", rule.code()));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut written = String::new();
        for case in cases(&text) {
            let kind = if case.fires { "fires" } else { "silent" };
            writeln!(written, "== {kind}: {}", case.title).unwrap();
            for (kind, text) in &case.texts {
                write!(written, "-- {kind}\n{text}").unwrap();
            }
            let (found, shown) = findings(&case.texts);
            write!(written, "-- findings\n{shown}\n").unwrap();
            if found.iter().any(|finding| is_of(finding, *rule)) != case.fires {
                wrong.push(format!("{}: {}: {shown}", rule.code(), case.title));
            }
        }
        expect_file![path].assert_eq(&written);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_lint_has_cases_and_a_section() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lints.md"));
    let docs = docs.unwrap();
    let sections: BTreeSet<&str> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .collect();
    let codes: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    assert_eq!(sections, codes);
    for rule in Rule::ALL {
        let text = std::fs::read_to_string(folder().join(format!("{}.txt", rule.code()))).unwrap();
        let cases = cases(&text);
        assert!(cases.iter().any(|case| case.fires), "{}", rule.code());
        assert!(cases.iter().any(|case| !case.fires), "{}", rule.code());
        assert_eq!(Rule::find(rule.code()), Some(*rule));
    }
}

/// Kind and text of the blocks of a section of the page.
fn blocks(section: &str) -> Vec<Vec<(String, String)>> {
    let mut found = Vec::new();
    for block in section.split("\n```").skip(1).step_by(2) {
        let (info, text) = block.split_once('\n').unwrap();
        let text = format!("{text}\n");
        found.push(match info.split_once(' ').unwrap_or((info, "policy")) {
            ("yaml", _) => text.split("---\n").zip(1..).map(spec).collect(),
            ("rego", kind) if text.starts_with("package ") => vec![(kind.to_owned(), text)],
            ("rego", kind) => {
                let start = "package authz\n";
                vec![(kind.to_owned(), format!("{start}{text}default allow = false\n"))]
            }
            other => unreachable!("{other:?}"),
        });
    }
    found
}

/// A domain of which the page shows the sections; a policy `p` is there if it shows none.
fn spec((sections, nth): (&str, usize)) -> (String, String) {
    let mut text = format!(
        "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {{name: test-{nth}}}\nspec:\n"
    );
    for line in sections.lines() {
        writeln!(text, "  {line}").unwrap();
    }
    if !sections.contains("policies:") && !sections.contains("mappers:") {
        text.push_str("  policies: [{mrn: p, rego: \"package authz\\ndefault allow = false\"}]\n");
    }
    ("domain".to_owned(), text)
}

#[test]
fn examples_of_the_page_are_what_they_say() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lints.md"));
    let docs = docs.unwrap();
    for section in docs.split("\n### `").skip(1) {
        let code = section.split('`').next().unwrap();
        let rule = Rule::find(code).unwrap();
        let blocks = blocks(section);
        let [bad, good] = blocks.as_slice() else {
            unreachable!("{code}: {} blocks", blocks.len());
        };
        let (found, shown) = findings(bad);
        assert!(
            found.iter().any(|finding| is_of(finding, rule)),
            "{code}: {shown}"
        );
        let (found, shown) = findings(good);
        assert!(found.is_empty(), "{code}: {shown}");
    }
}
