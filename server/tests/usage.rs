//! What a new user meets: help, the binary under another name, completion, streams without a terminal, and files that are
//! not what they should be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::process::{Command, Stdio};

use common::cli::{Folder, run};
use common::{GRANTED, file, gavel};

#[track_caller]
fn check_help(args: &str, want: &[&str]) {
    let (status, output, error) = run(args, "");
    assert_eq!((status, error.as_str()), (Some(0), ""), "{args}");
    for text in want {
        assert!(output.contains(text), "{args} lacks {text}: {output}");
    }
}

#[test]
fn help_teaches() {
    check_help(
        "--help",
        &[
            "Examples:",
            "Environment:",
            "MPE_CONFIG_PATH",
            "NO_COLOR",
            "Exit status:",
            "--trace-filter",
        ],
    );
    check_help("-h", &["test", "serve", "build", "completion", "version"]);
    check_help(
        "serve --help",
        &["Service:", "9000", "Policies:", "--bundle", "curl", "GAVEL_IO"],
    );
    check_help("serve help", &["Service:"]);
    check_help(
        "test decisions --help",
        &["Reports:", "--coverage-min", "--junit", "A suite is YAML:"],
    );
    check_help("test help decision", &["--input", "Examples:"]);
    check_help("test mapper h", &["--name", "Examples:"]);
}

#[test]
fn no_colour_without_a_terminal() {
    for args in ["--help", "test decisions -b {shop} -i none.yml", "fly"] {
        let (_, output, error) = run(args, "");
        assert!(!(output + &error).contains('\u{1b}'), "{args}");
    }
}

#[test]
fn under_another_name() {
    let folder = Folder::new("name", &[("x", "")]);
    let link = folder.0.join("mpe");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gavel"), &link).unwrap();
    let mpe = |args: &[&str]| {
        let output = Command::new(&link)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (_, help) = mpe(&["--help"]);
    assert!(
        help.contains("mpe serve -b domain.yml") && !help.contains("gavel"),
        "{help}"
    );
    let (status, usage) = mpe(&["serve", "--fast"]);
    assert_eq!(status, Some(1));
    assert!(usage.contains("Usage: mpe serve"), "{usage}");
    let (_, script) = mpe(&["completion", "bash"]);
    assert!(script.contains("mpe") && !script.contains("gavel"), "{script}");
    let shop = file("shop.yml");
    let (status, record) = mpe(&[
        "test",
        "decision",
        "-b",
        shop.to_str().unwrap(),
        "-i",
        "/dev/null",
    ]);
    assert_eq!(status, Some(1), "{record}");
}

#[test]
fn completion_of_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (status, script, error) = run(&format!("completion {shell}"), "");
        assert_eq!((status, error.as_str()), (Some(0), ""), "{shell}");
        for word in ["coverage-min", "decisions", "trace-filter", "gavel"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    let (status, _, error) = run("completion cmd", "");
    assert!(status == Some(1) && error.contains("powershell"), "{error}");
}

#[test]
fn misspelt_words_are_guessed() {
    for (args, status, said) in [
        ("serv -b x", 3, "'serve'"),
        ("test decison", 3, "'decision'"),
        ("serve --bundel x", 1, "'--bundle'"),
        ("test decisions -b x -i y --covrage", 1, "'--coverage'"),
    ] {
        let (got, _, error) = run(args, "");
        assert_eq!(got, Some(status), "{args}");
        assert!(error.contains(said), "{args}: {error}");
    }
}

#[test]
fn a_stray_word_is_told_of_with_the_flags_of_the_verb() {
    for (args, flags) in [
        ("lint {shop}", "a flag, --file (-f)\n"),
        ("build {shop}", "a flag, --file (-f)\n"),
        ("serve {shop}", "a flag, --bundle (-b)\n"),
        (
            "test decision -b {shop} extra",
            "a flag, --bundle (-b) or --input (-i)\n",
        ),
        ("eval 1 {shop}", "a flag, --data (-d) or --input (-i)\n"),
    ] {
        let (status, _, error) = run(args, "");
        assert_eq!(status, Some(1), "{args}");
        assert!(error.ends_with(flags), "{args}: {error}");
    }
    let (_, _, error) = run("completion bash extra", "");
    assert!(!error.contains("stands alone"), "{error}");
}

#[test]
fn flags_of_serve_that_cannot_be_meant() {
    for (args, said) in [
        ("--port abc", "a port is a number from 0 to 65535"),
        ("--envoy-port 70000", "a port is a number from 0 to 65535"),
        (
            "--port 9000 --envoy-port 9000",
            "--port and --envoy-port are both 9000",
        ),
        ("--envoy-port 9000", "are both 9000"),
        (
            "-p envoy-http --port 7000 --envoy-port 7000",
            "--port and --envoy-port are both 7000",
        ),
        (
            "-p envoy --max-body-bytes 0",
            "--max-body-bytes must be at least 1",
        ),
        ("-n shop", "no mapper is asked: --name has no effect"),
        ("--allow-net a", "no mapper is asked: --allow-net only lets"),
        (
            "--admin-decisions 5",
            "--admin-decisions has no effect without --admin",
        ),
        (
            "--admin-tls-client-ca a",
            "--admin-tls-client-ca has no effect without --admin",
        ),
        (
            "-p envoy --public-url https://a",
            "--public-url has no effect where the decision API is not served",
        ),
        (
            "-p envoy --max-in-flight 5",
            "--max-in-flight has no effect where the decision API is not served",
        ),
        (
            "--source-key k.pub",
            "--source-key is for what --source has, and the policies come from --bundle",
        ),
        ("--source-poll 7", "--source-poll is for what --source has"),
        (
            "--port 9000 --admin 9000",
            "--admin 9000: the decision API has this port",
        ),
        (
            "--listen 127.0.0.1:9000 --admin [::]:9000",
            "--admin [::]:9000: the decision API has this port",
        ),
        ("--listen 127.0.0.2:9000 --admin 9000", "nowhere.yml"),
        ("--watch=maybe", "it must be true or false"),
        (
            "--listen unix:/s --host 127.0.0.1",
            "--host has no effect where nothing has a port",
        ),
    ] {
        let (status, _, error) = run(&format!("serve -b nowhere.yml {args}"), "");
        assert_eq!(status, Some(1), "{args}");
        assert!(error.contains(said), "{args}: {error}");
    }
    for args in [
        "-p envoy -n shop",
        "--envoy-port 0 --port 0 --allow-net a",
        "-p envoy-http --envoy-socket s --envoy-port 9000",
    ] {
        let (_, _, error) = run(&format!("serve -b nowhere.yml {args}"), "");
        assert!(error.starts_with("error: open nowhere.yml"), "{args}: {error}");
    }
}

#[test]
fn an_unknown_form_of_the_log_is_json_with_a_warning() {
    for (format, warned) in [("xml", true), ("TEXT", true), ("json", false), ("text", false)] {
        let output = gavel()
            .args(["serve", "-b", "nowhere.yml"])
            .env("MPE_LOG_FORMATTER", format)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let said = error.starts_with('{') && error.contains("neither text nor json");
        assert_eq!(said, warned, "{format}: {error}");
    }
}

#[test]
fn build_spares_its_input() {
    let folder = Folder::new("onto", &[("x.yml", "kind: PolicyDomain\n")]);
    std::fs::hard_link(folder.0.join("x.yml"), folder.0.join("hard.yml")).unwrap();
    std::os::unix::fs::symlink("x.yml", folder.0.join("soft.yml")).unwrap();
    for output in ["x.yml", "./x.yml", "hard.yml", "soft.yml"] {
        let (status, said, _) = folder.gavel(&format!("build -f x.yml -o {output}"));
        assert_eq!(status, Some(1), "{output}");
        assert!(said.contains("the output is the input"), "{output}: {said}");
    }
    let text = std::fs::read_to_string(folder.0.join("x.yml")).unwrap();
    assert_eq!(text, "kind: PolicyDomain\n");
}

#[test]
fn what_is_empty_or_missing_is_named() {
    let files = [("none.yml", "other: 1\n"), ("nulls.yml", "tests:\n-\n- ~\n")];
    let folder = Folder::new("empty", &files);
    let shop = file("shop.yml");
    let shop = shop.to_str().unwrap();
    for (args, said) in [
        (
            "test decision".to_owned(),
            "standard input: unexpected end of JSON input (it is empty",
        ),
        (
            "test decision -i /dev/null".to_owned(),
            "/dev/null: unexpected end of JSON input (it is empty",
        ),
        (
            "test decisions -i none.yml".to_owned(),
            "none.yml: no tests found in test suite; a suite is YAML with a list `tests`",
        ),
        (
            "test decisions -i nulls.yml".to_owned(),
            "nulls.yml: no tests found in test suite; a suite is YAML with a list `tests`",
        ),
    ] {
        let (status, _, error) = folder.gavel(&format!("{args} -b {shop}"));
        assert_eq!(status, Some(1), "{args}");
        assert!(error.contains(said), "{args}: {error}");
    }
    let (status, output, error) = folder.gavel("lint -f gone");
    assert_eq!(status, Some(1));
    assert!(
        error.contains("gone") && error.contains("no such file") && !output.contains("Unsupported"),
        "{output}{error}"
    );
}

#[test]
fn flags_that_name_no_dialect_are_warned_about() {
    let (_, _, error) = run("lint -f {shop} --opa-flags --strict", "");
    assert!(
        error.contains("Unrecognized OPA flags '--strict', defaulting to v0"),
        "{error}"
    );
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let folder = Folder::new(
        "odd",
        &[("d/x", ""), ("p.rego", "package a\n"), ("porc.json", GRANTED)],
    );
    std::os::unix::fs::symlink("loop", folder.0.join("loop")).unwrap();
    std::fs::write(folder.0.join("latin.yml"), b"a: \xe9\n").unwrap();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..10 {
        let list = format!("*a{}, ", at - 1).repeat(10);
        bomb.push_str(&format!("a{at}: &a{at} [{list}]\n"));
    }
    std::fs::write(folder.0.join("bomb.yml"), bomb).unwrap();
    let shop = file("shop.yml");
    let shop = shop.to_str().unwrap();
    for (path, said) in [
        ("loop", "symbolic links"),
        ("d", "directory"),
        ("gone", "no such file"),
        ("latin.yml", "line 1 is not UTF-8"),
        ("bomb.yml", "100000 nodes"),
        ("/dev/zero", "larger than"),
    ] {
        for args in [
            format!("test decision -i porc.json -b {path}"),
            format!("serve --port 0 -b {path}"),
            format!("test decisions -b {shop} -i {path}"),
            format!("build -o out.yml -f {path}"),
            format!("compile {path}"),
        ] {
            let (status, out, error) = folder.gavel(&args);
            assert_eq!(status, Some(1), "{args}: {out}{error}");
            assert!(format!("{out}{error}").contains(said), "{args}: {out}{error}");
        }
        assert!(!folder.0.join("out.yml").exists(), "{path}");
    }
    for path in ["loop", "d", "gone", "/dev/zero", "/dev/null", "bomb.yml"] {
        for verb in ["test decision", "test mapper", "test envoy"] {
            let (status, out, error) = folder.gavel(&format!("{verb} -b {shop} -i {path}"));
            assert_eq!((status, out.as_str()), (Some(1), ""), "{verb} {path}");
            assert!(!error.is_empty(), "{verb} {path}");
        }
    }
}

#[test]
fn a_configuration_that_is_not_what_it_should_be() {
    let folder = Folder::new(
        "conf",
        &[
            ("d/mpe-config.yaml", "bundels: {includeall: true}\n"),
            ("s/mpe-config.yaml", "audit: {spool: /var/spool}\n"),
            (
                "k/mpe-config.yaml",
                "audit: {hash: [/resource], hashkeyfile: nokey}\n",
            ),
            ("e/x", ""),
        ],
    );
    std::os::unix::fs::symlink("nowhere", folder.0.join("e/mpe-config.yml")).unwrap();
    for (place, said) in [
        (
            "d",
            "unknown key `bundels.includeall`, the nearest known one is `bundles.includeall`",
        ),
        (
            "s",
            "audit.spool must be a mapping, of `audit.spool.folder`, `audit.spool.bytes`, `audit.spool.fsync`",
        ),
        ("k", "audit.hashkeyfile: nokey: no such file or directory"),
        ("e", "mpe-config.yml: no such file"),
        ("e/x", "not a directory"),
    ] {
        let output = gavel()
            .args(["test", "decision", "-b"])
            .arg(file("shop.yml"))
            .env("MPE_CONFIG_PATH", folder.0.join(place))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{place}");
        assert!(error.contains(said), "{place}: {error}");
    }
}
