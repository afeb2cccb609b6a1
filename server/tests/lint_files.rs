//! `gavel lint` over files that are hostile, broken or none: an error each, and never a hang.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::cli::Folder;
use expect_test::expect;

const GOOD: &str = "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {name: good}\nspec:\n  policies:\n    \
    - mrn: p\n      rego: |\n        package authz\n        default allow = false\n";

#[test]
fn files_that_cannot_be_used_are_errors_and_never_a_hang() {
    let begun = Instant::now();
    let folder = Folder::new("lint-hostile", &[("good.yml", GOOD), ("latin.yml", "kind: x\n")]);
    let path = |name: &str| folder.0.join(name);
    std::os::unix::fs::symlink("loop.yml", path("loop.yml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("zero.yml")).unwrap();
    let made = Command::new("mkfifo").arg(path("pipe.yml")).status().unwrap();
    assert!(made.success());
    std::fs::File::create(path("big.yml"))
        .unwrap()
        .set_len(100 << 20)
        .unwrap();
    std::fs::create_dir_all(path("around/and")).unwrap();
    std::os::unix::fs::symlink("..", path("around/and/around")).unwrap();
    std::fs::create_dir_all(path("empty.yml")).unwrap();
    std::fs::write(path("latin.yml"), b"kind: x\nname: caf\xe9\n").unwrap();
    let levels = (1..12).map(|at| {
        format!(
            "a{at}: &a{at} [*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0}]\n",
            at - 1
        )
    });
    let bomb: String = std::iter::once("a0: &a0 [x]\n".to_owned())
        .chain(levels)
        .collect();
    std::fs::write(path("bomb.yml"), format!("kind: PolicyDomain\n{bomb}")).unwrap();
    for (name, said) in [
        ("loop.yml", "loop.yml: too many levels of symbolic links"),
        ("zero.yml", "zero.yml: not a regular file"),
        ("pipe.yml", "pipe.yml: not a regular file"),
        ("big.yml", "big.yml: larger than 64 MiB"),
        ("around", "around/and/around: a link back to around"),
        ("empty.yml", "empty.yml: a directory without .yml or .yaml files"),
        ("latin.yml", "latin.yml: line 2 is not UTF-8"),
        (
            "bomb.yml",
            "'bomb.yml': failed to parse YAML: yaml: more than 100000 nodes, aliases included",
        ),
        (
            "good.yml,bomb.yml",
            "good.yml,bomb.yml: no such file or directory",
        ),
    ] {
        let (status, out, error) = folder.gavel(&format!("lint -f {name} -f good.yml"));
        assert_eq!(status, Some(1), "{name}");
        assert!(error.contains(said), "{name}: {error}");
        assert!(error.ends_with("linting failed: 1 error(s)\n"), "{error}");
        assert!(
            out.contains("✓ good.yml: Valid Rego in policy 'p'"),
            "{name}: {out}"
        );
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn a_file_of_one_line_with_many_findings_takes_no_longer() {
    let begun = Instant::now();
    let roles = vec![r#"{"mrn":"r","policy":"gone"}"#; 30_000].join(",");
    let text = format!(
        r#"{{"apiVersion":"iamlite.manetu.io/v1beta1","kind":"PolicyDomain","metadata":{{"name":"é"}},"spec":{{"roles":[{roles}]}}}}"#
    );
    let folder = Folder::new("lint-one-line", &[("d.yml", &text)]);
    let (status, out, error) = folder.gavel("lint -f d.yml");
    assert_eq!(status, Some(1));
    assert!(out.len() < 4 << 20, "{}", out.len());
    let first: String = out
        .lines()
        .skip(2)
        .take(3)
        .map(|line| format!("{line}\n"))
        .collect();
    expect![[r#"
        ✗ d.yml (Duplicate in role 'r' at line 1)
          Error: duplicate role mrn "r" (first defined at line 1)
        --> d.yml:1:141
    "#]]
    .assert_eq(&first);
    assert!(
        out.contains("49999 more findings in this file are not told"),
        "{error}"
    );
    assert_eq!(error, "error: linting failed: 10001 error(s)\n");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
