//! House rules that a machine can check: dependency edges, where `unsafe` stands, what every file says first.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use std::collections::{BTreeMap, BTreeSet};
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
        &["gavel-compiler", "gavel-runtime", "gavel-server"],
        &[],
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

/// Crates that are there to be compared with, or to measure.
const BENCHES_ONLY: &[&str] = &[
    "regorus",
    "cedar-policy",
    "cedar-policy-core",
    "criterion",
    "hdrhistogram",
    "rustix",
];

/// A feature of a peer's dependency would be a feature of the product's.
#[test]
fn peers_are_no_part_of_the_product() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "gavel-server",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("gavel-runtime"), "{tree}");
    let strangers: Vec<&&str> = BENCHES_ONLY
        .iter()
        .filter(|name| names.contains(**name))
        .collect();
    assert!(strangers.is_empty(), "gavel-server depends on {strangers:?}");
}

/// The list behind `allow` in `deny.toml`.
fn allowed_licences() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let list = text.split_once("allow = [").unwrap().1.split_once(']').unwrap().0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether a licence expression (SPDX, and cargo's older `/`) can be met with allowed licences alone.
fn is_licence_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let (open, close) = (expression.find('('), expression.rfind(')'));
    if let (Some(open), Some(close)) = (open, close) {
        // One group is as deep as they get: its answer stands for it.
        let answer = match is_licence_allowed(&expression[open + 1..close], allowed) {
            true => "MIT",
            false => "none",
        };
        let flat = format!("{}{answer}{}", &expression[..open], &expression[close + 1..]);
        return is_licence_allowed(&flat, allowed);
    }
    let is_met = |all: &str| all.split(" AND ").all(|one| allowed.contains(one.trim()));
    expression.split(" OR ").any(is_met)
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = allowed_licences();
    let cases = [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("Unlicense OR MIT", true),
        ("MIT AND BSD-3-Clause", true),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0-only", true),
        ("NCSA", false),
        ("MIT AND NCSA", false),
        ("(GPL-3.0-only OR NCSA) AND MIT", false),
        ("", false),
    ];
    for (expression, want) in cases {
        assert_eq!(is_licence_allowed(expression, &allowed), want, "{expression}");
    }
}

#[test]
fn dependencies_have_allowed_licences_and_one_source() {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            host,
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let allowed = allowed_licences();
    let registry = concat!("registry+https://github.com/rust-lang/crates", ".io-index");
    let wrong: Vec<String> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or_default();
            let source = package["source"].as_str().unwrap_or(registry);
            let is_right = is_licence_allowed(licence, &allowed) && source == registry;
            (!is_right).then(|| format!("{}: {licence:?} from {source}", package["name"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files that may hold `unsafe`; each says why in its `#![expect]`.
const UNSAFE_FILES: &[&str] = &[
    "conformance/tests/no_alloc.rs",
    "runtime/src/arena.rs",
    "runtime/src/input/utf8.rs",
    "runtime/src/value/repr.rs",
    "runtime/src/vm/run.rs",
    "server/src/audit/ring.rs",
    "server/src/sys.rs",
];

#[test]
fn unsafe_code_is_allowed_only_in_the_listed_files() {
    let allowed: BTreeSet<String> = UNSAFE_FILES.iter().map(|name| (*name).to_owned()).collect();
    let with_unsafe: BTreeSet<String> = rust_files()
        .iter()
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let packed: String = text.split_whitespace().collect();
            // `forbid` and `deny` are welcome anywhere.
            ["[expect(", "[allow(", "[warn("].iter().any(|level| {
                let attributes = packed.split(level).skip(1);
                attributes
                    .filter_map(|rest| rest.split(")]").next())
                    .any(|lints| lints.contains("unsafe_code"))
            })
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
const FILE_LINES_MAX: usize = 500;

/// Longer files with their lines.
const LONG_FILES: &[(&str, usize)] = &[];

/// Lines above which a function must be on the list below, which may only shrink.
const FUNCTION_LINES_MAX: usize = 80;

/// Longer functions with their lines.
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[
    // The loop: one flat match over all ops.
    ("runtime/src/vm/run.rs", "run_with", 282),
    // One flat match over the elements of a layout.
    ("runtime/src/builtins/time/parse.rs", "read", 97),
];

/// Names and lengths of the functions of a formatted text.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words = code.split_once("fn ").filter(|(before, _)| {
            let words = |word: &str| matches!(word, "const" | "async" | "unsafe") || word.starts_with("pub");
            before
                .split_whitespace()
                .all(|word| words(word) || word.ends_with(')'))
        });
        let Some((_, rest)) = words else { continue };
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let end = format!("{}}}", " ".repeat(line.len() - code.len()));
        let rest = lines.get(at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|line| *line == end)
            .map_or(1, |last| last + 1);
        if !line.ends_with(';') && !line.ends_with('}') {
            found.push((name, length));
        }
    }
    found
}

#[test]
fn files_and_functions_stay_readable() {
    let mut wrong = Vec::new();
    let mut judge = |what: String, lines: usize, max: usize, known: Option<usize>| match known {
        Some(known) if lines <= max => {
            wrong.push(format!("{what} has {lines} lines: off the list ({known})"))
        }
        Some(known) if lines > known => wrong.push(format!("{what} has {lines} lines, more than {known}")),
        None if lines > max => wrong.push(format!("{what} has {lines} lines, more than {max}")),
        Some(_) | None => {}
    };
    for path in rust_files() {
        let name = name_of(&path);
        let text = std::fs::read_to_string(&path).unwrap();
        let known = LONG_FILES.iter().find(|(known, _)| *known == name);
        judge(
            name.clone(),
            text.lines().count(),
            FILE_LINES_MAX,
            known.map(|(_, lines)| *lines),
        );
        // A test may be one long table.
        if name.contains("/tests/") {
            continue;
        }
        let mut longest: BTreeMap<String, usize> = BTreeMap::new();
        for (function, lines) in functions(&text) {
            let entry = longest.entry(function).or_default();
            *entry = lines.max(*entry);
        }
        for (function, lines) in longest {
            let known = LONG_FUNCTIONS
                .iter()
                .find(|(file, known, _)| *file == name && *known == function);
            judge(
                format!("{name} {function}"),
                lines,
                FUNCTION_LINES_MAX,
                known.map(|(.., lines)| *lines),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files of the repository other than Rust code that people read or tools run.
fn all_files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|name| root().join(name))
            .filter(|path| path.is_file())
            .collect(),
        // Not a checkout: at least the code.
        _ => rust_files(),
    }
}

#[test]
fn no_machine_shows_through() {
    let marks = [
        concat!("/wo", "rk/"),
        concat!("/tm", "p/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("crates", ".io"),
        concat!("proxy.", "golang"),
        concat!("pypi", ".org"),
        concat!("npmjs", ".org"),
    ];
    let found: Vec<String> = all_files()
        .iter()
        .filter(|path| path.file_name().is_none_or(|name| name != "Cargo.lock"))
        .filter_map(|path| {
            let text = std::fs::read(path).unwrap();
            let text = String::from_utf8_lossy(&text);
            let mark = marks.iter().find(|mark| text.contains(**mark))?;
            Some(format!("{}: {mark}", name_of(path)))
        })
        .collect();
    assert!(
        found.is_empty(),
        "paths of a machine, hosts of registries: {found:?}"
    );
}
