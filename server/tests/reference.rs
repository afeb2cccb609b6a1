//! The golden decisions and access records of the reference, on the built server; skipped where they are not at hand.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The binary that was built for these tests.
const GAVEL: &str = env!("CARGO_BIN_EXE_gavel");

/// Says something that the test runner does not swallow.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A runner of the golden answers; `None`, said aloud, where it is not at hand.
fn runner(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("GAVEL_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = shared.join("reference").join(name);
    if path.is_file() {
        return Some(path);
    }
    say(&format!("skipped: {} is not there", path.display()));
    None
}

/// Runs a runner to its end, says its last line, and gives all that it printed.
fn run(what: &str, command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    say(&format!("{what}: {}", text.lines().last().unwrap_or_default()));
    text
}

#[test]
fn decisions_equal_the_reference() {
    let Some(check) = runner("check.py") else { return };
    for driver in ["auto", "epoll"] {
        let mut command = Command::new("python3");
        command
            .arg(&check)
            .args(["--loads", "--"])
            .arg(GAVEL)
            .arg("serve");
        let text = run(
            &format!("golden decisions, driver {driver}"),
            command.env("GAVEL_IO", driver),
        );
        assert!(text.trim_end().ends_with(" passed, 0 failed"), "{text}");
    }
}

/// Cases that want no record of a body for which `decisions/porc-forms` wants one, over the same route: the record is
/// written (O-63).
const CONTRADICTED: [&str; 2] = ["FAIL http/bom", "FAIL http/too-deep"];

#[test]
fn commands_and_http_equal_the_reference() {
    let Some(check) = runner("check_cli.py") else {
        return;
    };
    let mut command = Command::new("python3");
    let text = run(
        "golden command lines and HTTP",
        command.arg(&check).arg("--bin").arg(GAVEL),
    );
    let failed: Vec<&str> = text.lines().filter(|line| line.starts_with("FAIL ")).collect();
    assert!(text.contains(" passed, "), "{text}");
    assert!(
        failed
            .iter()
            .all(|line| CONTRADICTED.iter().any(|known| line.starts_with(known))),
        "{text}"
    );
}
