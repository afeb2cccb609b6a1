//! What the commands tell beside their outcome: traces, coverage of the Rego, JUnit XML.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use common::cli::{Folder, run};
use common::{GRANTED, Server};
use expect_test::{Expect, expect};

/// A domain with a policy in the YAML, one in a file of its own, and a library; line numbers matter.
const DOMAIN: &str = "\
apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomainReference
metadata: {name: port}
spec:
  policy-libraries:
    - mrn: mrn:lib
      rego: |
        package ranks

        senior = {\"master\"}

        unused(x) {
          x > 1
        }
  policies:
    - mrn: mrn:gate
      rego: |
        package authz

        default allow = 0

        allow = 1 { input.operation == \"tide:read\" }

        allow = -1 {
          input.operation == \"dock:burn\"
        }
    - mrn: mrn:crew
      rego_filename: crew.rego
      dependencies: [mrn:lib]
  roles:
    - {mrn: mrn:sailor, policy: mrn:crew}
  resource-groups:
    - {mrn: mrn:open, default: true, policy: mrn:crew}
  operations:
    - {name: all, selector: [\".*\"], policy: mrn:gate}
";

const CREW: &str = "\
package authz

default allow = false

allow {
  some i
  input.principal.ranks[i] == \"master\"
  data.ranks.senior[input.principal.ranks[i]]
}

allow {
  not input.context.closed
  input.context.open
}
";

const SUITE: &str = "\
tests:
  - name: tide
    porc: {operation: tide:read}
    result: {allow: true}
  - name: master
    porc: {operation: berth:take, principal: {mroles: [mrn:sailor], ranks: [mate, master]}, resource: mrn:berth:1}
    result: {allow: true}
  - name: nobody
    porc: {operation: berth:take, context: {closed: true}}
    result: {allow: true}
  - name: broken
    porc:
";

fn port(name: &str) -> Folder {
    let files = [("port.yml", DOMAIN), ("crew.rego", CREW), ("suite.yml", SUITE)];
    Folder::new(name, &files)
}

const OUTCOMES: &str =
    "tide: PASS\nmaster: PASS\nnobody: FAIL (expected allow=true, got allow=false)\nbroken: ERROR (";

#[test]
fn coverage_as_text_stands_behind_the_outcomes() {
    let (status, out, error) = port("text").gavel("test decisions -b port.yml -i suite.yml --coverage");
    assert_eq!(status, Some(1), "{error}");
    assert!(out.starts_with(OUTCOMES), "{out}");
    let report = out.split("2/4 tests passed\n\n").nth(1).unwrap();
    expect![[r#"
        coverage 50.0% (7 of 14 lines of Rego)
        crew.rego 42.9% (3/7)
          mrn:crew 42.9% (3/7), not reached: 3, 11-13
        port.yml 57.1% (4/7)
          mrn:lib 33.3% (1/3), not reached: 12-13
          mrn:gate 75.0% (3/4), not reached: 24
    "#]]
    .assert_eq(report);
}

#[test]
fn coverage_for_tools() {
    let folder = port("tools");
    let args =
        "test decisions -b port.yml -i suite.yml --test tide,master --coverage=lcov --coverage-out cov.info";
    let (status, out, error) = folder.gavel(args);
    assert_eq!(
        (status, out.as_str()),
        (Some(0), "tide: PASS\nmaster: PASS\n\n2/2 tests passed\n"),
        "{error}"
    );
    let lcov = std::fs::read_to_string(folder.0.join("cov.info")).unwrap();
    expect![[r#"
        TN:
        SF:crew.rego
        DA:3,0
        DA:5,1
        DA:7,1
        DA:8,1
        DA:11,0
        DA:12,0
        DA:13,0
        LF:7
        LH:3
        end_of_record
        TN:
        SF:port.yml
        DA:10,1
        DA:12,0
        DA:13,0
        DA:20,1
        DA:22,2
        DA:24,0
        DA:25,1
        LF:7
        LH:4
        end_of_record
    "#]]
    .assert_eq(&lcov);
    let args = "test decisions -b port.yml -i suite.yml --test tide --coverage=json --coverage-out cov.json";
    assert_eq!(folder.gavel(args).0, Some(0));
    let json = std::fs::read(folder.0.join("cov.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        json["files"]["port.yml"]["covered"][0]["start"]["row"], 22,
        "{json:#}"
    );
    assert_eq!(
        json["covered_lines"].as_u64().unwrap() + json["not_covered_lines"].as_u64().unwrap(),
        14,
        "{json:#}"
    );
}

#[test]
fn coverage_can_be_asked_for_and_missed() {
    let folder = port("least");
    let run = |flags: &str| {
        folder.gavel(&format!(
            "test decisions -b port.yml -i suite.yml --test tide {flags}"
        ))
    };
    let (status, out, error) = run("--coverage-min 90%");
    assert!(out.contains("\ncoverage "), "{out}");
    assert_eq!(status, Some(1));
    assert!(error.contains("less than 90%"), "{error}");
    assert_eq!(run("--coverage --coverage-min 5").0, Some(0));
    for (flags, said) in [
        ("--coverage-min 101", "0 to 100"),
        ("--coverage-min NaN", "0 to 100"),
        ("--coverage=xml", "lcov"),
        ("--coverage=json", "--coverage-out"),
        ("--coverage-out x", "--coverage"),
        ("--coverage --coverage-out no/where", "no/where"),
        ("--junit no/where", "no/where"),
    ] {
        let (status, _, error) = run(flags);
        assert_eq!(status, Some(1), "{flags}");
        assert!(error.contains(said), "{flags}: {error}");
    }
}

#[test]
fn junit() {
    let folder = port("junit");
    let (status, _, _) = folder.gavel("test decisions -b port.yml -i suite.yml --junit report.xml");
    assert_eq!(status, Some(1));
    let report = std::fs::read_to_string(folder.0.join("report.xml")).unwrap();
    for text in [
        "<testsuite name=\"suite.yml\" tests=\"4\" failures=\"1\" errors=\"1\" ",
        "<testcase name=\"tide\" classname=\"suite.yml\" time=\"0.",
        "<failure type=\"decision\" message=\"expected allow=true, got allow=false\">{&quot;decision&quot;:&quot;DENY&quot;",
        "<error type=\"error\" message=\"",
    ] {
        assert!(report.contains(text), "{text} in {report}");
    }
}

#[track_caller]
fn check_trace(flags: &str, want: &Expect) {
    let folder = port(&format!("trace{}", flags.len()));
    let porc =
        r#"{"operation":"berth:take","principal":{"mroles":["mrn:sailor"],"ranks":["mate","master"]}}"#;
    std::fs::write(folder.0.join("porc.json"), porc).unwrap();
    let (status, out, error) = folder.gavel(&format!("{flags} test decision -b port.yml -i porc.json"));
    assert_eq!(status, Some(0));
    assert!(
        out.starts_with("{\"decision\":") && out.lines().count() == 1,
        "{out}"
    );
    let lines: Vec<&str> = error.lines().filter(|line| !line.starts_with("info: ")).collect();
    want.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn traces_of_decisions() {
    check_trace(
        "--trace",
        &expect![[r#"
        --- SYSTEM berth:take asks policy mrn:gate
        query:1       Eval data.authz.allow
        mrn:gate:5    | Enter data.authz.allow (port.yml:22)
        mrn:gate:5    | | Eval input.operation == "tide:read"
        mrn:gate:5    | | Fail input.operation == "tide:read" (not "berth:take" == "tide:read")
        mrn:gate:7    | Enter data.authz.allow (port.yml:24)
        mrn:gate:8    | | Eval input.operation == "dock:burn"
        mrn:gate:8    | | Fail input.operation == "dock:burn" (not "berth:take" == "dock:burn")
        mrn:gate:3    | Enter data.authz.allow (port.yml:20)
        mrn:gate:3    | Exit data.authz.allow
        query:1       Result data.authz.allow = 0
        --- IDENTITY mrn:sailor asks policy mrn:crew
        query:1       Eval data.authz.allow
        mrn:crew:5    | Enter data.authz.allow (crew.rego:5)
        mrn:crew:7    | | Eval input.principal.ranks[i] == "master"
        mrn:crew:7    | | Unify i = 0
        mrn:crew:7    | | Fail input.principal.ranks[i] == "master" (not "mate" == "master")
        mrn:crew:7    | | Unify i = 1
        mrn:crew:8    | | Eval data.ranks.senior[input.principal.ranks[i]]
        mrn:crew:8    | | Call data.ranks.senior
        mrn:lib:3     | | | Enter data.ranks.senior (port.yml:10)
        mrn:lib:3     | | | Exit data.ranks.senior
        mrn:crew:8    | | Result data.ranks.senior = {"master"}
        mrn:crew:5    | Exit data.authz.allow
        query:1       Result data.authz.allow = true
    "#]],
    );
    check_trace(
        "--trace --trace-filter gate$ --trace-filter nothing",
        &expect![[r#"
            --- SYSTEM berth:take asks policy mrn:gate
            query:1       Eval data.authz.allow
            mrn:gate:5    | Enter data.authz.allow (port.yml:22)
            mrn:gate:5    | | Eval input.operation == "tide:read"
            mrn:gate:5    | | Fail input.operation == "tide:read" (not "berth:take" == "tide:read")
            mrn:gate:7    | Enter data.authz.allow (port.yml:24)
            mrn:gate:8    | | Eval input.operation == "dock:burn"
            mrn:gate:8    | | Fail input.operation == "dock:burn" (not "berth:take" == "dock:burn")
            mrn:gate:3    | Enter data.authz.allow (port.yml:20)
            mrn:gate:3    | Exit data.authz.allow
            query:1       Result data.authz.allow = 0
        "#]],
    );
    check_trace(
        "--trace-filter gate$",
        &expect!["warn: --trace-filter has no effect without --trace\n"],
    );
}

#[test]
fn traces_of_suites_come_with_their_records() {
    let args = "test decisions -b port.yml -i suite.yml --test tide --trace --coverage";
    let (status, out, error) = port("suite").gavel(args);
    assert_eq!(status, Some(0));
    assert!(out.starts_with("tide: PASS\n\n1/1 tests passed\n"), "{out}");
    assert!(error.contains("Enter data.authz.allow (port.yml:22)"), "{error}");
    assert!(error.contains("{\"decision\":\"GRANT\""), "{error}");
}

#[test]
fn traces_of_mappers() {
    let domain = "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {name: gate}\nspec:\n  mappers:\n  \
                  - name: quay\n    rego: |\n      package mapper\n      porc = {\"operation\": input.o}\n";
    let folder = Folder::new("mapper", &[("gate.yml", domain), ("in.json", "{\"o\": \"x\"}")]);
    let (status, out, error) = folder.gavel("--trace test mapper -b gate.yml -i in.json");
    assert_eq!((status, out.as_str()), (Some(0), "{\"operation\":\"x\"}\n"));
    assert!(
        error.contains("--- mapper quay\n") && error.contains("quay:2 "),
        "{error}"
    );
    let (_, out, error) = folder.gavel("--trace test envoy -b gate.yml -i in.json");
    assert!(
        out.starts_with("{\"decision\":\"DENY\"") && error.contains("data.mapper.porc"),
        "{error}"
    );
    let (_, _, error) = folder.gavel("--trace --trace-filter pier test mapper -b gate.yml -i in.json");
    assert!(!error.contains("quay"), "{error}");
}

#[test]
fn a_service_traces_to_its_log() {
    let mut server = Server::start("auto", &["--trace", "--trace-filter", "gate$"]);
    let answer = server.connect().post(GRANTED);
    assert_eq!(answer.body, "{\"allow\":true}\n");
    server.wait_for("Enter data.authz.allow");
    server.stop();
}

#[test]
fn what_cannot_be_traced_says_so() {
    let (status, _, error) = run("serve --port 0 --trace --trace-filter [ -b {shop}", "");
    assert_eq!(status, Some(1));
    assert!(
        error.contains("invalid pattern `[` for flag --trace-filter"),
        "{error}"
    );
    let folder = port("image");
    assert_eq!(folder.gavel("compile -b port.yml -o port.img").0, Some(0));
    for flags in ["--trace test decision", "test decisions -i suite.yml --coverage"] {
        let (status, _, error) = folder.gavel(&format!("{flags} -b port.img"));
        assert_eq!(status, Some(1));
        assert!(error.contains("port.img is an image file"), "{error}");
    }
}
