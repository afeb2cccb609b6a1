//! The golden decisions and access records of the reference, on the built server; skipped where they are not at hand.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail as the test does"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The binary, built by the profile that these tests are built by.
fn gavel() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "-p",
            "gavel-server",
            "--bin",
            "gavel",
            "--message-format=json",
        ])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .unwrap()
}

/// Share of the cases that must pass, in per cent; the rest may only be suites whose domain uses a builtin that is refused
/// by name.
const PASSED_PERCENT_MIN: usize = 70;

/// Says something that the test runner does not swallow.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Lines of the runner that tell of an answer, a record or a text that differs.
fn differences(text: &str) -> Vec<&str> {
    const KINDS: [&str; 7] = [
        "body:", "record", "status:", "stderr:", "wanted ", "metadata", "duration",
    ];
    text.lines()
        .filter(|line| {
            line.strip_prefix("    ")
                .is_some_and(|rest| KINDS.iter().any(|kind| rest.starts_with(kind)))
        })
        .collect()
}

#[test]
fn decisions_equal_the_reference() {
    let shared = std::env::var_os("GAVEL_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let check = shared.join("reference/check.py");
    if !check.is_file() {
        say(&format!("skipped: {} is not there", check.display()));
        return;
    }
    for driver in ["auto", "epoll"] {
        let output = Command::new("python3")
            .arg(&check)
            .arg("--loads")
            .arg("--")
            .arg(gavel())
            .arg("serve")
            .env("GAVEL_IO", driver)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        say(&format!("golden decisions, driver {driver}: {last}"));
        let count = |word: &str| -> usize {
            let found = last.split(", ").find_map(|part| part.strip_suffix(word));
            found.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
        };
        let (passed, failed) = (count("passed"), count("failed"));
        assert!(
            passed * 100 >= (passed + failed) * PASSED_PERCENT_MIN && passed > 0,
            "{text}"
        );
        let differences = differences(&text);
        assert!(differences.is_empty(), "{}\n\n{text}", differences.join("\n"));
    }
}
