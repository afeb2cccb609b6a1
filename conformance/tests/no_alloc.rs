//! After warm-up a decision calls the allocator zero times: counted for every request of the examples and of the domains that
//! speed is measured on, and of the golden cases where they are at hand.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]
#![expect(unsafe_code, reason = "a global allocator that counts is an unsafe trait")]

use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile};
use gavel_runtime::decision::{Decider, Stamp};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};

struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is being torn down has no counter any more; its calls belong to no decision.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every call is handed to the system allocator unchanged; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: `pointer` came from `alloc` or `realloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as for `dealloc`; the new size is the caller's promise.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Says something that the test runner does not swallow.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn image(files: &[PathBuf]) -> Result<Image, String> {
    let mut sources = SourceMap::default();
    let ids: Vec<_> = files
        .iter()
        .map(|path| {
            sources.add_file(
                &path.display().to_string(),
                &std::fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    match compile(&mut sources, &ids, &Options::default()) {
        Ok(compiled) => Ok(compiled.image),
        Err(problems) => Err(format!("{problems:?}")),
    }
}

const ENV: RequestEnv = RequestEnv::timeless(1_700_000_000_000_000_000, 1);

fn decide(decider: &mut Decider, image: &Image, body: &[u8], frame: &mut Vec<u8>) {
    frame.clear();
    let stamp = Stamp {
        wall_ns: 0,
        random: [0; 16],
    };
    match decider.decide(image, body, Trailing::Ignore, &ENV) {
        Ok(decision) => decision.encode(body, stamp, frame),
        Err(refusal) => refusal.encode(stamp, frame),
    }
}

/// Whether a golden case asks for a builtin that cannot do without the allocator: the events of the YAML parser own their
/// texts.
fn may_allocate(note: &str) -> bool {
    note.starts_with("yaml.")
}

/// Allocator calls of the second decision on each body; the first one warms up.
fn check(name: &str, image: &Image, bodies: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut decider = Decider::new(image, &Limits::DEFAULT);
    let mut frame = Vec::with_capacity(1 << 20);
    let mut guilty = Vec::new();
    for (note, body) in bodies {
        decide(&mut decider, image, body, &mut frame);
        decide(&mut decider, image, body, &mut frame);
        let before = CALLS.get();
        decide(&mut decider, image, body, &mut frame);
        let calls = CALLS.get() - before;
        if calls > 0 && !may_allocate(note) {
            guilty.push(format!("{name}: {note}: {calls} allocator calls"));
        }
    }
    guilty
}

/// Folders of the domains, from the checkout's root.
const DOMAINS: [&str; 8] = [
    "examples/clinic",
    "examples/saas",
    "examples/toolgate",
    "benches/domains/fileserver",
    "benches/domains/mcp",
    "benches/domains/workspaces",
    "benches/domains/hospital",
    "benches/domains/quotas",
];

#[test]
fn examples_allocate_nothing() {
    let mut guilty = Vec::new();
    for path in DOMAINS {
        let folder = root().join(path);
        let name = folder.file_name().unwrap().to_str().unwrap();
        let image = image(&[folder.join(format!("{name}.yml"))]).unwrap();
        let mut bodies: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
            .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
            .collect();
        bodies.sort();
        assert!(!bodies.is_empty());
        guilty.extend(check(name, &image, &bodies));
    }
    assert!(guilty.is_empty(), "{}", guilty.join("\n"));
}

/// What is needed of a golden case; its record may be nested deeper than a JSON reader builds.
#[derive(serde::Deserialize)]
struct Golden {
    note: String,
    /// Absent where the bytes are not text.
    porc: Option<String>,
    /// Absent where the request is refused: its reason is spelled out for it, and no policy is asked.
    allow: Option<bool>,
}

/// The bodies of a suite that are decided.
fn golden_bodies(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let text = std::fs::read_to_string(folder.join("cases.jsonl")).unwrap();
    let cases = text
        .lines()
        .map(|line| serde_json::from_str::<Golden>(line).unwrap());
    cases
        .filter(|case| case.allow.is_some())
        .filter_map(|case| Some((case.note, case.porc?.into_bytes())))
        .collect()
}

#[test]
fn golden_decisions_allocate_nothing() {
    let shared = std::env::var_os("GAVEL_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let decisions = shared.join("reference/decisions");
    if !decisions.is_dir() {
        say(&format!("skipped: {} is not there", decisions.display()));
        return;
    }
    let mut guilty = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&decisions).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(folder.join("suite.json")) else {
            continue;
        };
        let suite: serde_json::Value = serde_json::from_str(&text).unwrap();
        let files: Vec<PathBuf> = suite["domains"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| folder.join(name.as_str().unwrap()))
            .collect();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let image = match image(&files) {
            Ok(image) => image,
            Err(why) => {
                say(&format!(
                    "skipped: suite {name}: {}",
                    why.lines().next().unwrap_or_default()
                ));
                continue;
            }
        };
        let bodies = golden_bodies(&folder);
        count += bodies.len();
        guilty.extend(check(&name, &image, &bodies));
    }
    say(&format!("{count} golden decisions"));
    assert!(guilty.is_empty(), "{}", guilty.join("\n"));
}
