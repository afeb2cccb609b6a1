//! The commands that run once: outcomes on standard output, reasons on standard error, exit statuses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::process::Stdio;

use common::cli::{Folder, Scratch, run, run_words};
use common::{DENIED, GRANTED, file, gavel};

#[track_caller]
fn check_status(args: &str, want: i32, said: &str) {
    let (status, output, error) = run(args, "");
    assert_eq!(status, Some(want), "{args}: {output}{error}");
    assert!(error.contains(said), "{args}: {error}");
    assert!(output.is_empty(), "{args}: {output}");
}

#[test]
fn exit_statuses() {
    check_status("fly", 3, "fly");
    check_status("test fly", 3, "fly");
    check_status("--fast version", 1, "--fast");
    check_status("serve --port quay -b {shop}", 1, "quay");
    check_status("serve --port 70000 -b {shop}", 1, "70000");
    check_status("serve --port=-1 -b {shop}", 1, "-1");
    check_status("serve", 1, "at least one bundle must be specified");
    check_status(
        "serve -p envoy --envoy-port 1 -b {shop}",
        1,
        "--envoy-port adds Envoy",
    );
    check_status("serve --envoy-port 70000 -b {shop}", 1, "70000");
    check_status("serve --envoy-path-prefix /a -b {shop}", 1, "--envoy-path-prefix");
    check_status("serve -p envoy-http --envoy-path-prefix a -b {shop}", 1, "slash");
    check_status("serve -p Envoy -b {shop}", 1, "unsupported protocol: Envoy");
    check_status("serve -b nowhere.yml", 1, "nowhere.yml");
    check_status("serve --trace --trace-filter ( -b {shop}", 1, "`(`");
    check_status("test decision -b nowhere.yml -i nowhere.json", 1, "nowhere.yml");
    check_status("test decision -b {shop} -i nowhere.json", 1, "nowhere.json");
    check_status("test decision", 1, "at least one bundle must be specified");
    check_status("test decisions -b {shop}", 1, "--input");
    check_status("--pretty-log=maybe version", 1, "maybe");
}

#[test]
fn help_is_no_error() {
    for args in [
        "",
        "help",
        "h",
        "--help",
        "test",
        "test h",
        "serve -h",
        "help serve",
        "version",
        "--pretty-log=false version",
    ] {
        let (status, output, error) = run(args, "");
        assert_eq!(status, Some(0), "{args}");
        assert!(!output.is_empty() && error.is_empty(), "{args}");
    }
}

#[test]
fn one_decision() {
    for (porc, word) in [(GRANTED, "GRANT"), (DENIED, "DENY"), (" {}\n", "DENY")] {
        let (status, output, error) = run("test decision -b {shop}", porc);
        assert_eq!((status, error.as_str()), (Some(0), ""));
        assert_eq!(output.lines().count(), 1);
        let record: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(record["decision"], word);
        let id = record["metadata"]["id"].as_str().unwrap();
        assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{id}");
        assert!(record["metadata"]["timestamp"].as_str().unwrap().ends_with('Z'));
    }
    let (_, output, _) = run("test decision -bundle={shop} -pretty-log -input -", GRANTED);
    assert!(output.starts_with("{\n  \"decision\": \"GRANT\",\n"), "{output}");
    let shop = file("shop.yml");
    let shop = shop.to_str().unwrap();
    for input in [&["-i", ""][..], &["--input", ""], &["--input="], &["-input="]] {
        let words = [&["test", "decision", "-b", shop], input].concat();
        let (status, output, error) = run_words(&words, GRANTED);
        assert_eq!((status, error.as_str()), (Some(0), ""), "{input:?}");
        assert!(output.starts_with("{\"decision\":\"GRANT\""), "{output}");
    }
    for broken in ["", "null", "[]", "{", "{}{}", "\u{feff}{}", "{\"a\":1e400}"] {
        let (status, output, error) = run("test decision -b {shop}", broken);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{broken}");
        assert!(!error.is_empty());
    }
}

#[test]
fn a_suite_of_decisions() {
    let suite = Scratch::new(
        "suite.yml",
        "tests:\n- {name: open, porc: {operation: 'shop:door:open'}, result: {allow: true}}\n\
         - {name: shut/1, porc: {operation: 'shop:door:shut'}, result: {allow: true}}\n\
         - {name: none, porc: ~}\n- {name: keys, porc: {context: {1: a}}}\n",
    );
    let (status, output, _) = run(&format!("test decisions -b {{shop}} -i {}", suite.path()), "");
    assert_eq!(status, Some(1));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "open: PASS",
            "shut/1: FAIL (expected allow=true, got allow=false)"
        ]
    );
    assert!(
        lines[2].starts_with("none: ERROR (") && lines[3].starts_with("keys: ERROR ("),
        "{output}"
    );
    assert_eq!(lines[4..], ["", "1/4 tests passed"]);
    let (status, output, error) = run(
        &format!("test decisions -b {{shop}} -i {} --test op*,x", suite.path()),
        "",
    );
    assert_eq!(
        (status, output.as_str(), error.as_str()),
        (Some(0), "open: PASS\n\n1/1 tests passed\n", "")
    );
}

#[test]
fn a_mapper() {
    let domain = Scratch::new(
        "mapper.yml",
        "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {name: gate}\nspec:\n  mappers:\n  \
         - name: m\n    rego: |\n      package mapper\n      porc = {\"operation\": \"a<b\", \"context\": input}\n",
    );
    let args = format!("test mapper -b {}", domain.path());
    let (status, output, error) = run(&args, "[1.0, 2.50, null]");
    assert_eq!((status, error.as_str()), (Some(0), ""));
    assert_eq!(output, "{\"context\":[1,2.5,null],\"operation\":\"a\\u003cb\"}\n");
    for broken in ["", "1,\"x\":2", "{"] {
        let (status, output, error) = run(&args, broken);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{broken}");
        assert!(error.contains("failed to parse Envoy input JSON: "), "{error}");
    }
    let (status, _, error) = run(&format!("{args} -n moon"), "{}");
    assert!(
        status == Some(1) && error.contains("domain 'moon' not found(code-NOTFOUND_ERROR)"),
        "{error}"
    );
    let (status, output, _) = run(&format!("test envoy -b {}", domain.path()), "{}");
    assert!(
        status == Some(0) && output.contains("\"decision\":\"DENY\""),
        "{output}"
    );
}

#[test]
fn every_finding_is_reported() {
    let domain = Scratch::new(
        "broken.yml",
        "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {name: mill}\nspec:\n  policies:\n  \
         - mrn: a\n    rego: |\n      package authz\n      allow { x }\n  - mrn: b\n    rego: |\n      package authz\n      \
         allow { frobnicate(1) }\n",
    );
    for args in ["test decision -b", "serve --port 0 -b", "compile"] {
        let (status, output, error) = run(&format!("{args} {}", domain.path()), "{}");
        assert_eq!((status, output.as_str()), (Some(1), ""), "{args}");
        assert!(error.contains("validation failed with 2 errors:"), "{error}");
        for place in [":9:15", ":13:15"] {
            assert!(error.contains(&format!("{}{place}", domain.path())), "{error}");
        }
        assert!(error.contains("undefined function frobnicate"), "{error}");
    }
}

#[test]
fn stages_of_the_compiler() {
    let module = Scratch::new("module.rego", "package a\n\np { input.x == 1 }\n");
    for stage in ["tokens", "ast", "plan", "passes", "bytecode"] {
        for target in [module.path(), "{shop}"] {
            let (status, output, error) = run(&format!("compile --emit {stage} {target}"), "");
            assert_eq!((status, error.as_str()), (Some(0), ""), "{stage} {target}");
            assert!(!output.is_empty(), "{stage} {target}");
        }
    }
    let (status, output, _) = run(&format!("compile {}", module.path()), "");
    assert_eq!((status, output.as_str()), (Some(0), ""));
    let (status, _, error) = run(&format!("compile --v1-compatible {}", module.path()), "");
    assert!(status == Some(1) && error.contains("rego_parse_error"), "{error}");
}

#[test]
fn passes_of_the_optimiser() {
    let module = Scratch::new(
        "passes.rego",
        "package a\n\nimport rego.v1\n\np if input.x == 1\n",
    );
    let emit = |args: &str| run(&format!("compile --emit {args} {}", module.path()), "");
    let (status, output, _) = emit("passes --pass conditions");
    let want = "# conditions: data.a.p\n  before\n    r2 = input.x -> L1\n    test r2 == 1 -> L1\n";
    assert_eq!(status, Some(0));
    assert!(output.contains(want), "{output}");
    assert!(output.contains("    test input.x == 1 -> L1\n"), "{output}");
    let (status, output, _) = emit("passes --without all");
    assert_eq!((status, output.as_str()), (Some(0), ""));
    let (_, output, _) = emit("plan --without conditions,inline");
    assert!(output.contains("test r2 == 1"), "{output}");
    for (args, want) in [
        ("passes --pass nosuch", "possible values: slots,"),
        ("plan --pass fold", "--pass goes with --emit passes"),
        (
            "ast --without fold",
            "--without goes with --emit plan, passes or bytecode",
        ),
    ] {
        let (status, output, error) = emit(args);
        assert!(status != Some(0) && output.is_empty(), "{args}");
        assert!(error.contains(want), "{args}: {error}");
    }
    let image = std::env::temp_dir().join("gavel-without.image");
    let command = format!("compile -o {} --without fold {}", image.display(), module.path());
    let (status, output, error) = run(&command, "");
    assert_eq!((status, output.as_str()), (Some(1), ""), "{error}");
    assert!(
        error.contains("cannot be used with") && !image.exists(),
        "{error}"
    );
}

#[test]
fn a_broken_configuration_is_refused() {
    let config = Scratch::new("config.yaml", "bundles: [\n");
    let shop = file("shop.yml");
    for (verb, want) in [(vec!["test", "decision"], 1), (vec!["serve", "--port", "0"], 1)] {
        let output = gavel()
            .args(verb)
            .arg("-b")
            .arg(&shop)
            .env("MPE_CONFIG_PATH", config.0.parent().unwrap())
            .env("MPE_CONFIG_FILENAME", config.0.file_name().unwrap())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(want));
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("error reading config")
        );
    }
}

const REFERENCE: &str = "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomainReference\nmetadata: {name: d}\nspec:\n  \
                         policies:\n    - mrn: p\n      rego_filename: p.rego # the gate\n  operations:\n    \
                         - {name: all, selector: [\".*\"], policy: p}\n";

#[test]
fn build_writes_the_rego_into_the_domain() {
    let folder = Folder::new(
        "build",
        &[("a/d.yml", REFERENCE), ("a/p.rego", "package authz\nallow = 1\n")],
    );
    let (status, out, error) = folder.gavel("build -f a/d.yml -f gone.yml");
    assert_eq!(
        (status, &*error),
        (Some(1), "error: build failed for one or more files\n")
    );
    assert_eq!(
        out,
        "Build Results:\n\n✓ a/d.yml → a/d-built.yml\n✗ gone.yml\n  Error: failed to read input file: \
         no such file or directory\n\n"
    );
    let built = std::fs::read_to_string(folder.0.join("a/d-built.yml")).unwrap();
    assert!(
        built.contains("rego: | # the gate\n        package authz\n        allow = 1\n"),
        "{built}"
    );
    let (status, out, _) = folder.gavel("build -f a/d.yml -o out.yml");
    assert_eq!(status, Some(0));
    assert!(out.ends_with("Successfully built 1 file(s)\n"), "{out}");
    let (_, record, _) = folder.gavel("test decision -b out.yml");
    let (_, unbuilt, error) = folder.gavel("test decision -b a/d.yml");
    let fingerprint = |record: &str| record.split("\"fingerprint\"").nth(1).map(str::to_owned);
    assert_eq!(fingerprint(&record), fingerprint(&unbuilt), "{record} {error}");
}

#[test]
fn build_reads_no_file_outside_of_its_folders() {
    let outside = Folder::new("outside", &[("p.rego", "package authz\nallow = 1\n")]);
    let named = outside.0.join("p.rego");
    let text = REFERENCE.replace("p.rego #", &format!("{} #", named.display()));
    let folder = Folder::new("confined", &[("d.yml", &text)]);
    let (status, out, _) = folder.gavel("build -f d.yml");
    assert_eq!(status, Some(1));
    assert!(out.contains("outside of the working directory"), "{out}");
    std::os::unix::fs::symlink(&named, folder.0.join("p.rego")).unwrap();
    std::fs::write(folder.0.join("link.yml"), REFERENCE).unwrap();
    assert_eq!(folder.gavel("build -f link.yml").0, Some(1));
    let allowed = format!("build -f d.yml --rego-root {}", outside.0.display());
    assert_eq!(folder.gavel(&allowed).0, Some(0));
}

#[test]
fn a_mistake_in_a_named_file_is_shown_there() {
    let folder = Folder::new(
        "named",
        &[("d.yml", REFERENCE), ("p.rego", "package authz\n\nallow = x\n")],
    );
    let (status, out, error) = folder.gavel("test decision -b d.yml");
    assert_eq!((status, &*out), (Some(1), ""));
    assert!(error.contains("--> p.rego:3:9: "), "{error}");
    std::fs::remove_file(folder.0.join("p.rego")).unwrap();
    let (_, _, error) = folder.gavel("test decision -b d.yml");
    assert!(
        error.contains("failed to build 'd.yml': failed to read rego file 'p.rego': file not found: "),
        "{error}"
    );
}
