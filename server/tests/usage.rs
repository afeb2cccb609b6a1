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
            ("e/x", ""),
        ],
    );
    std::os::unix::fs::symlink("nowhere", folder.0.join("e/mpe-config.yml")).unwrap();
    for (place, said) in [
        (
            "d",
            "unknown key `bundels.includeall`, the nearest known one is `bundles.includeall`",
        ),
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
