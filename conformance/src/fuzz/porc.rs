//! Bytes as requests: each gets a decision or a refusal, and a record that is JSON; what is no object never grants.

use super::Finding;
use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile};
use gavel_runtime::decision::{Decider, RecordOptions, Stamp, write_json};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use std::cell::RefCell;

const STAMP: Stamp = Stamp {
    wall_ns: 1_700_000_000_000_000_000,
    random: [7; 16],
};

/// The domain that decides.
const DOMAIN: &str = include_str!("../../../examples/clinic/clinic.yml");

pub(super) const SEEDS: &[&str] = &[
    include_str!("../../../examples/clinic/nurse-reads.json"),
    include_str!("../../../examples/clinic/patient-app.json"),
    r#"{"principal":{"sub":"u1","mroles":["mrn:iam:role:nurse"],"scopes":[],"mannotations":{"ward":"w1"}},"operation":"chart:read","resource":{"id":"mrn:chart:1","group":"mrn:iam:resource-group:charts","annotations":{"ward":"\"w1\""}},"context":{}}"#,
    r#"{"principal":{"sub":"","mroles":[],"mgroups":["g"]},"operation":"a:b","resource":"mrn:x:y","context":{"n":[1,1.5,1e2,-0,true,null,"\u00e9\ud83d\ude00"]}}"#,
];

pub(super) const PIECES: &[&str] = &[
    "\"principal\":",
    "\"sub\":",
    "\"mroles\":",
    "\"mgroups\":",
    "\"scopes\":",
    "\"mannotations\":",
    "\"operation\":",
    "\"resource\":",
    "\"id\":",
    "\"group\":",
    "\"owner\":",
    "\"annotations\":",
    "\"classification\":",
    "\"context\":",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "false",
    "1",
    "-",
    "1e999",
    "0.1",
    "1234567890123456789012",
    "{\"a\":{\"a\":{\"a\":",
    "[[[[[[",
    "\u{0}",
    " ",
    "\n",
    "mrn:iam:role:",
    "HIGH",
];

struct Desk {
    image: Image,
    decider: Decider,
}

thread_local! {
    /// Made once a thread: the domain never changes.
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
}

pub(super) fn run(bytes: &[u8]) -> Result<(), Finding> {
    DESK.with_borrow_mut(|desk| {
        if desk.is_none() {
            *desk = Some(open()?);
        }
        match desk {
            Some(desk) => decide(desk, bytes),
            None => Ok(()),
        }
    })
}

fn open() -> Result<Desk, Finding> {
    let mut sources = SourceMap::default();
    let file = sources.add_file("domain.yml", DOMAIN);
    let image = compile(&mut sources, &[file], &Options::default())
        .map_err(|problems| Finding(format!("the domain does not compile: {problems:?}")))?
        .image;
    let decider = Decider::new(&image, &Limits::DEFAULT);
    Ok(Desk { image, decider })
}

fn decide(desk: &mut Desk, bytes: &[u8]) -> Result<(), Finding> {
    let env = RequestEnv::timeless(STAMP.wall_ns, 1);
    let Desk { image, decider } = desk;
    let mut frame = Vec::new();
    let granted = match decider.decide(image, bytes, Trailing::Ignore, &env) {
        Ok(decision) => {
            decision.encode(bytes, STAMP, &mut frame);
            decision.granted
        }
        Err(refusal) => {
            refusal.encode(STAMP, &mut frame);
            false
        }
    };
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if granted && !is_object {
        return Err(Finding("a request that is no object is granted".to_owned()));
    }
    let mut line = Vec::new();
    if !write_json(image, &frame, &RecordOptions::default(), decider, &mut line) {
        return Err(Finding("the frame of a record cannot be read".to_owned()));
    }
    let record: serde_json::Value =
        serde_json::from_slice(&line).map_err(|error| Finding(format!("a record is no JSON: {error}")))?;
    let recorded = record.get("decision").and_then(serde_json::Value::as_str);
    let expected = if granted { "GRANT" } else { "DENY" };
    if recorded != Some(expected) {
        return Err(Finding(format!("decided {expected}, recorded {recorded:?}")));
    }
    Ok(())
}
