//! What commands that end by themselves cost: the time that the whole process, with all of its threads, spends on
//! processors.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gavel_benches::corpus::Example;
use gavel_benches::measure::median;

/// Records of one file.
const RECORDS: usize = 10_000;

/// How often a replay reads the file.
const PASSES: usize = 20;

/// ms of `gavel lint`, the lints of our own included, for one PolicyDomain.
///
/// # Errors
/// A domain with errors.
pub(crate) fn lint_ms(binary: &Path, domain: &Path, rounds: usize) -> Result<f64, String> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let mut command = Command::new(binary);
        command.args(["lint", "--regal", "-f"]).arg(domain);
        times.push(spent_s(&mut command)? * 1000.0);
    }
    Ok(median(&mut times))
}

/// Records that `gavel test replay` decides in a second of processor time, of all of its threads: all requests of an example, over and over, with its own domain.
///
/// # Errors
/// A record that cannot be made, or that is decided otherwise.
pub(crate) fn replayed_per_s(binary: &Path, example: &Example, rounds: usize) -> Result<f64, String> {
    let mut records = Vec::new();
    for (name, _) in &example.requests {
        records.push(record(binary, example, name)?);
    }
    let text: String = records.iter().map(String::as_str).cycle().take(RECORDS).collect();
    let file = Scratch(std::env::temp_dir().join(format!("gavel-report-{}.jsonl", std::process::id())));
    std::fs::write(&file.0, text).map_err(|error| error.to_string())?;
    let mut rates = Vec::new();
    for _ in 0..rounds {
        let mut command = Command::new(binary);
        command.args(["test", "replay"]).args([&file.0; PASSES]);
        command.arg("-b").arg(&example.domain);
        rates.push((RECORDS * PASSES) as f64 / spent_s(&mut command)?);
    }
    let rate = median(&mut rates);
    println!(
        "{}: {rate:.0} records replayed in a second of processor time",
        example.name
    );
    Ok(rate)
}

/// The access record of one request, one line.
fn record(binary: &Path, example: &Example, name: &str) -> Result<String, String> {
    let body = example.domain.with_file_name(format!("{name}.json"));
    let mut command = Command::new(binary);
    command.args(["test", "decision", "-b"]).arg(&example.domain);
    let text = output(command.arg("-i").arg(body))?;
    if text.lines().count() == 1 && text.ends_with('\n') {
        return Ok(text);
    }
    Err(format!("{}/{name}: no record: {text}", example.name))
}

/// A file that is deleted with the value.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // It lies in the folder for such files.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Seconds on processors of a command that must succeed.
fn spent_s(command: &mut Command) -> Result<f64, String> {
    let before = children_ticks()?;
    output(command)?;
    Ok((children_ticks()? - before) as f64 / TICKS_PER_S)
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|error| error.to_string());
    }
    Err(format!(
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// The unit of times in `/proc`, the same on all that Linux tells programs.
const TICKS_PER_S: f64 = 100.0;

/// Time on processors, in user mode and in the kernel, of all children that have ended.
fn children_ticks() -> Result<u64, String> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    // The name of the program, which may hold blanks, ends with the last bracket; the state is the third field.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let (user, kernel) = (16 - 3, 17 - 3);
    let ticks: Vec<u64> = fields
        .enumerate()
        .filter(|(at, _)| [user, kernel].contains(at))
        .filter_map(|(_, field)| field.parse().ok())
        .collect();
    match ticks.as_slice() {
        [user, kernel] => Ok(user + kernel),
        _ => Err(format!("no times in {stat}")),
    }
}
