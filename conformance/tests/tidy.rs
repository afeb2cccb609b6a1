//! House rules that a machine can check: dependency edges, where `unsafe` stands, what every file says first.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = ["compiler", "runtime", "server", "benches", "conformance"]
        .iter()
        .map(|name| root().join(name))
        .collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
                open.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The members that each member may depend on, tests and benches included.
const EDGES: &[(&str, &[&str], &[&str])] = &[
    ("gavel-runtime", &[], &[]),
    ("gavel-compiler", &["gavel-runtime"], &[]),
    ("gavel-server", &["gavel-compiler", "gavel-runtime"], &[]),
    (
        "gavel-conformance",
        &["gavel-compiler", "gavel-runtime"],
        &["gavel-server"],
    ),
    (
        "gavel-benches",
        &["gavel-compiler", "gavel-runtime"],
        &["gavel-server"],
    ),
];

#[test]
fn members_depend_only_downwards() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), EDGES.len());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let (_, normal, dev) = EDGES.iter().find(|(known, ..)| *known == name).unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            let allowed = match dependency["kind"].as_str() {
                Some("dev") => normal.contains(&on) || dev.contains(&on),
                _ => normal.contains(&on),
            };
            assert!(
                !on.starts_with("gavel-") || allowed,
                "{name} must not depend on {on}"
            );
        }
    }
}

/// Files that may hold `unsafe`; each says why in its `#![expect]`.
const UNSAFE_FILES: &[&str] = &[
    "conformance/tests/no_alloc.rs",
    "runtime/src/arena.rs",
    "runtime/src/value/repr.rs",
    "runtime/src/vm/run.rs",
    "server/src/sys.rs",
];

#[test]
fn unsafe_code_stands_only_in_the_listed_files() {
    let allowed: BTreeSet<String> = UNSAFE_FILES.iter().map(|name| (*name).to_owned()).collect();
    let with_unsafe: BTreeSet<String> = rust_files()
        .iter()
        .filter(|path| {
            std::fs::read_to_string(path)
                .unwrap()
                .contains("expect(unsafe_code")
        })
        .map(|path| name_of(path))
        .filter(|name| name != "conformance/tests/tidy.rs")
        .collect();
    let strangers: Vec<&String> = with_unsafe.difference(&allowed).collect();
    assert!(
        strangers.is_empty(),
        "unsafe code in files that are not on the list: {strangers:?}"
    );
}

#[test]
fn every_file_says_its_job_first() {
    let silent: Vec<String> = rust_files()
        .iter()
        .filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//!"))
        .map(|path| name_of(path))
        .collect();
    assert!(silent.is_empty(), "files without a `//!` line: {silent:?}");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("XX", "X"),
        concat!("todo", "!("),
    ];
    let found: Vec<String> = rust_files()
        .iter()
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            marks.iter().any(|mark| text.contains(mark))
        })
        .map(|path| name_of(path))
        .collect();
    assert!(found.is_empty(), "left-over marks in {found:?}");
}

/// Lines above which a file must be on the list below, which may only shrink.
const FILE_LINES_MAX: usize = 600;

/// Longer files, with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

#[test]
fn files_stay_readable() {
    let mut long = Vec::new();
    for path in rust_files() {
        let name = name_of(&path);
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        if lines > FILE_LINES_MAX && !LONG_FILES.iter().any(|(known, _)| *known == name) {
            long.push(format!("{name}: {lines}"));
        }
    }
    assert!(
        long.is_empty(),
        "files of more than {FILE_LINES_MAX} lines: {long:?}"
    );
}
