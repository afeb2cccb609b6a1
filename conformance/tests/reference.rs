//! The golden decisions and access records of the reference, on the built server; skipped where they are not at hand.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

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

/// Cases that may fail today, out of all: those of suites whose domain uses something that is refused by name. May only
/// shrink.
const FAILED_MAX: usize = 150;

#[test]
fn decisions_equal_the_reference() {
    let shared = std::env::var_os("GAVEL_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let check = shared.join("reference/check.py");
    if !check.is_file() {
        eprintln!("skipped: {} is not there", check.display());
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
        eprintln!("driver {driver}: {last}");
        let failed: usize = last
            .split(", ")
            .find_map(|part| part.strip_suffix(" failed"))
            .and_then(|count| count.parse().ok())
            .unwrap_or(usize::MAX);
        assert!(failed <= FAILED_MAX, "{text}");
    }
}
