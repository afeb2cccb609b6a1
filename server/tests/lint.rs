//! `gavel lint`: what it says about good and bad files, in which format, and with which exit status.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;

use common::cli::Folder;
use expect_test::{Expect, expect};

const HEAD: &str = "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\n";

/// A domain with one policy, whose Rego is given line by line, and whatever else `spec` has.
fn domain(name: &str, rego: &str, spec: &str) -> String {
    let lines: String = rego.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "{HEAD}metadata: {{name: {name}}}\nspec:\n  policies:\n    - mrn: p\n      rego: |\n{lines}{spec}"
    )
}

const GOOD: &str = "package authz\ndefault allow = false\n";

#[track_caller]
fn check(folder: &Folder, args: &str, status: i32, out: Expect, error: Expect) {
    let (found, stdout, stderr) = folder.gavel(args);
    out.assert_eq(&stdout);
    error.assert_eq(&stderr);
    assert_eq!(found, Some(status), "{args}");
}

#[test]
fn a_good_domain_is_listed_module_by_module() {
    let spec = "  mappers: [{name: m, selector: ['.*'], rego: \"package mapper\\nporc = {}\"}]\n";
    let folder = Folder::new("lint-good", &[("d.yml", &domain("d", GOOD, spec))]);
    check(
        &folder,
        "lint -f d.yml",
        0,
        expect![[r#"
            Linting YAML files...

            ---
            ✓ d.yml: Valid Rego in policy 'p'
            ✓ d.yml: Valid Rego in mapper 'm'
            All checks passed: 1 file(s) validated successfully
        "#]],
        expect![""],
    );
}

/// Every kind of finding, each once, in two files.
fn bad(name: &str) -> Folder {
    let rego = "package authz\nallow { x > 1 }\nallow { f(1) }\n";
    let spec = "  roles:\n    - {mrn: r, policy: gone}\n    - {mrn: r, policy: p}\n  operations:\n    \
                - {name: o, selector: ['a(', '*b'], policy: p}\n  rolls: []\n";
    Folder::new(
        name,
        &[("a.yml", &domain("a", rego, spec)), ("b.yml", "kind: Shop\n")],
    )
}

#[test]
fn every_stage_goes_on_behind_the_errors_of_the_others() {
    check(
        &bad("lint-bad-text"),
        "lint -f a.yml -f b.yml",
        1,
        expect![[r#"
        Linting YAML files...

        ✗ a.yml (Selector in operation 'o' at line 15)
          Error: invalid selector regex "a(": error parsing regexp: missing closing ): `^a($`
          --> a.yml:15:28
           |
        15 |     - {name: o, selector: ['a(', '*b'], policy: p}
           |                            ^^^^

        ✗ a.yml (Duplicate in role 'r' at line 13)
          Error: duplicate role mrn "r" (first defined at line 12)
          --> a.yml:13:13
           |
        12 |     - {mrn: r, policy: gone}
           |             - first defined here
        13 |     - {mrn: r, policy: p}
           |             ^

        ✗ a.yml (policy reference 'gone' not found in domain 'a')

        ✗ a.yml (Rego in policy 'p' at line 10)
          OPA Check Error: undefined function f
          --> a.yml:10:17
           |
        10 |         allow { f(1) }
           |                 ^^^^

        ⚠ a.yml (Schema at line 16)
          Warning: unknown key `rolls` in spec is ignored
          --> a.yml:16:3
           |
        16 |   rolls: []
           |   ^^^^^
           |
           = help: did you mean `roles`?

        ⚠ a.yml (Selector at line 15)
          Warning: selector `*b` means `^*b$`, which matches every text that ends in `b`
          --> a.yml:15:34
           |
        15 |     - {name: o, selector: ['a(', '*b'], policy: p}
           |                                  ^^^^
           |
           = help: write `.*b`

        ✗ b.yml (Schema at line 1)
          Error: expected PolicyDomain got Shop
         --> b.yml:1:7
          |
        1 | kind: Shop
          |       ^^^^
          |
          = help: a policy domain starts with `kind: PolicyDomain`

        ---
        2 warning(s)
    "#]],
        expect![[r#"
        error: linting failed: 5 error(s)
    "#]],
    );
}

#[test]
fn one_line_for_each_finding() {
    check(
        &bad("lint-bad-line"),
        "lint -f . --format line",
        1,
        expect![[r#"
        a.yml:15:28: error: selector: invalid selector regex "a(": error parsing regexp: missing closing ): `^a($`
        a.yml:13:13: error: duplicate: duplicate role mrn "r" (first defined at line 12)
        a.yml:12:24: error: reference: policy reference 'gone' not found in domain 'a'
        a.yml:10:17: error: rego_type_error: undefined function f
        a.yml:16:3: warning: domain: unknown key `rolls` in spec is ignored
        a.yml:15:34: warning: selector: selector `*b` means `^*b$`, which matches every text that ends in `b`
    "#]],
        expect![[r#"
        warn: b.yml: passed over: its kind is 'Shop', not PolicyDomain
        error: linting failed: 4 error(s)
    "#]],
    );
}

#[test]
fn annotations_for_github() {
    check(
        &bad("lint-bad-github"),
        "lint -f a.yml --format=github",
        1,
        expect![[r#"
            ::error file=a.yml,line=15,col=28,endColumn=32,title=selector::invalid selector regex "a(": error parsing regexp: missing closing ): `^a($`
            ::error file=a.yml,line=13,col=13,endColumn=14,title=duplicate::duplicate role mrn "r" (first defined at line 12)
            ::error file=a.yml,line=12,col=24,endColumn=28,title=reference::policy reference 'gone' not found in domain 'a'
            ::error file=a.yml,line=10,col=17,endColumn=21,title=rego_type_error::undefined function f
            ::warning file=a.yml,line=16,col=3,endColumn=8,title=domain::unknown key `rolls` in spec is ignored%0Ahelp: did you mean `roles`?
            ::warning file=a.yml,line=15,col=34,endColumn=38,title=selector::selector `*b` means `^*b$`, which matches every text that ends in `b`%0Ahelp: write `.*b`
        "#]],
        expect![[r#"
            error: linting failed: 4 error(s)
        "#]],
    );
}

#[test]
fn json_names_place_and_entry() {
    let folder = bad("lint-bad-json");
    let (status, out, error) = folder.gavel("lint -f a.yml -f gone.yml --format json");
    assert_eq!(status, Some(1), "{error}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["fileCount"], 2);
    assert_eq!(found["errorCount"], 5);
    assert_eq!(found["warningCount"], 2);
    let diagnostics = found["diagnostics"].as_array().unwrap();
    let of = |source: &str| {
        diagnostics
            .iter()
            .find(|found| found["source"] == source)
            .unwrap()
    };
    expect![[r#"
        {
          "source": "reference",
          "severity": "error",
          "category": "reference",
          "message": "policy reference 'gone' not found in domain 'a'",
          "location": {
            "file": "a.yml",
            "start": {
              "line": 12,
              "column": 24
            },
            "end": {
              "line": 12,
              "column": 28
            }
          },
          "entity": {
            "domain": "a",
            "type": "role",
            "id": "r",
            "field": "policy"
          }
        }"#]]
    .assert_eq(&format!("{:#}", of("reference")));
    expect![[r#"
        {
          "source": "duplicate",
          "severity": "error",
          "category": "duplicate",
          "message": "duplicate role mrn \"r\" (first defined at line 12)",
          "location": {
            "file": "a.yml",
            "start": {
              "line": 13,
              "column": 13
            },
            "end": {
              "line": 13,
              "column": 14
            }
          },
          "entity": {
            "domain": "a",
            "type": "role",
            "id": "r",
            "field": ""
          },
          "related": [
            {
              "message": "first defined here",
              "location": {
                "file": "a.yml",
                "start": {
                  "line": 12,
                  "column": 13
                },
                "end": {
                  "line": 12,
                  "column": 14
                }
              }
            }
          ]
        }"#]]
    .assert_eq(&format!("{:#}", of("duplicate")));
    let unread = of("yaml");
    assert_eq!(
        unread["message"],
        "failed to read file: no such file or directory"
    );
    assert_eq!(unread["location"]["file"], "gone.yml");
}

#[test]
fn sarif_is_what_scanners_read() {
    let name = "a b%.yml";
    let folder = Folder::new(
        "lint-sarif",
        &[(name, &domain("a", "package authz\nallow { \"é\" == f(1) }\n", ""))],
    );
    std::fs::rename(folder.0.join(name), folder.0.join("a b.yml")).unwrap();
    let (status, out, _) = folder.gavel("lint -f . --format sarif");
    assert_eq!(status, Some(1));
    expect![[r#"
        {
          "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
          "version": "2.1.0",
          "runs": [
            {
              "tool": {
                "driver": {
                  "name": "gavel",
                  "version": "0.1.0",
                  "rules": [
                    {
                      "id": "rego_type_error"
                    }
                  ]
                }
              },
              "columnKind": "unicodeCodePoints",
              "results": [
                {
                  "ruleId": "rego_type_error",
                  "level": "error",
                  "message": {
                    "text": "undefined function f"
                  },
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "a%20b.yml"
                        },
                        "region": {
                          "startLine": 9,
                          "startColumn": 24,
                          "endLine": 9,
                          "endColumn": 28
                        }
                      }
                    }
                  ],
                  "relatedLocations": [],
                  "properties": {
                    "source": "opa-check"
                  }
                }
              ]
            }
          ]
        }
    "#]]
    .assert_eq(&out);
}

#[test]
fn a_mistake_in_a_named_rego_file_is_shown_there() {
    let text = domain("d", GOOD, "").replace("kind: PolicyDomain", "kind: PolicyDomainReference");
    let (head, _) = text.split_once("rego: |").unwrap();
    let yaml = format!("{head}rego_filename: rules/p.rego\n");
    let folder = Folder::new(
        "lint-named",
        &[("d.yml", &yaml), ("rules/p.rego", "package authz\n\nallow = x\n")],
    );
    check(
        &folder,
        "lint -f d.yml",
        1,
        expect![[r#"
        Linting YAML files...

        ✗ d.yml (Rego in policy 'p' at line 3 of rules/p.rego)
          OPA Check Error: var x is unsafe
         --> rules/p.rego:3:9
          |
        3 | allow = x
          |         ^

        ---
    "#]],
        expect![[r#"
        error: linting failed: 1 error(s)
    "#]],
    );
    std::fs::remove_file(folder.0.join("rules/p.rego")).unwrap();
    let (status, out, error) = folder.gavel("lint -f d.yml");
    assert_eq!(status, Some(1));
    assert!(out.contains("--> d.yml:7:"), "{out}");
    assert!(
        error.contains("failed to build 'd.yml': failed to read rego file 'rules/p.rego': file not found: "),
        "{error}"
    );
    assert!(!folder.0.join("d-built.yml").exists());
}

#[test]
fn folders_are_searched_and_other_yaml_is_named_and_passed_over() {
    let folder = Folder::new(
        "lint-folder",
        &[
            ("p/one.yml", &domain("one", GOOD, "")),
            ("p/deep/two.YAML", &domain("two", GOOD, "")),
            ("p/suite.yml", "tests: []\n"),
            ("p/notes.txt", "no YAML"),
            ("p/.hidden/broken.yml", "["),
        ],
    );
    check(
        &folder,
        "lint -f p/one.yml -f p -f p/notes.txt",
        0,
        expect![[r#"
            ⚠ p/notes.txt: Unsupported file type (only .yml, .yaml supported)

            ⚠ p/suite.yml: passed over: without `kind` it is no PolicyDomain

            Linting YAML files...

            ---
            ✓ p/one.yml: Valid Rego in policy 'p'
            ✓ p/deep/two.YAML: Valid Rego in policy 'p'
            All checks passed: 2 file(s) validated successfully
        "#]],
        expect![""],
    );
    check(
        &folder,
        "lint -f p/notes.txt",
        1,
        expect![[r#"
        ⚠ p/notes.txt: Unsupported file type (only .yml, .yaml supported)

        Linting YAML files...

        ---
    "#]],
        expect![[r#"
        error: nothing to lint: no file is a PolicyDomain
    "#]],
    );
}

#[test]
fn lints_of_our_own_are_warnings() {
    let rego = "package authz\nimport data.unused\ndefault allow = true\n";
    let folder = Folder::new("lint-own", &[("d.yml", &domain("d", rego, ""))]);
    let (status, out, error) = folder.gavel("lint -f d.yml --regal");
    assert_eq!((status, &*error), (Some(0), ""));
    assert!(
        out.starts_with("Running Regal linting...\n\n⚠ d.yml (Lint in policy 'p' at line "),
        "{out}"
    );
    assert!(out.contains("Warning: unused-import: "), "{out}");
    assert!(out.contains("---\nRegal linting completed: "), "{out}");
    let (status, _, error) = folder.gavel("lint -f d.yml --regal=true --deny-warnings");
    assert_eq!(status, Some(1));
    assert!(
        error.contains("linting failed: ") && error.contains("warning(s)"),
        "{error}"
    );
    let (status, out, _) = folder.gavel("lint -f d.yml --deny-warnings");
    assert_eq!(status, Some(0), "{out}");
}

#[test]
fn what_is_not_read_is_told() {
    let two = domain("d", GOOD, "") + "# more\n---\n# and\nkind: Other\n";
    let folder = Folder::new("lint-two", &[("d.yml", &two)]);
    check(
        &folder,
        "lint -f d.yml --format line",
        0,
        expect![[r#"
            d.yml:13:1: warning: yaml: only the first document of a file is read
        "#]],
        expect![""],
    );
    let modern = domain("d", "package authz\nallow if true\n", "");
    std::fs::write(folder.0.join("d.yml"), modern).unwrap();
    let (_, out, _) = folder.gavel("lint -f d.yml");
    assert!(
        out.contains("= help: this is Rego v1: add --v1-compatible"),
        "{out}"
    );
    assert_eq!(folder.gavel("lint -f d.yml --v1-compatible").0, Some(0));
}

#[test]
fn builtins_are_those_of_the_engine() {
    let asks = "{name: m, selector: ['.*'], rego: \"package mapper\\nporc = http.send({})\"}";
    let spec = format!("  mappers: [{asks}]\n");
    let folder = Folder::new("lint-net", &[("d.yml", &domain("d", GOOD, &spec))]);
    let (status, out, _) = folder.gavel("lint -f d.yml");
    assert_eq!(status, Some(1));
    assert!(out.contains("✗ d.yml (Rego in mapper 'm' at line 10)"), "{out}");
    assert!(out.contains("http.send"), "{out}");
    assert_eq!(folder.gavel("lint -f d.yml --allow-net example.org").0, Some(0));
}
