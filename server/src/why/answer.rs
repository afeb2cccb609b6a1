//! Decides one PORC and tells how. What is served decides; the same policies compiled for tracing only say which bodies of
//! rules ran.

use gavel_runtime::decision::{Decider, Frame, FrameReference, Phase, RecordOptions, Refusal, Settled};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::json::{self, Escape};
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use serde_json::{Value, json};

use super::bodies::Bodies;
use super::excerpts::Excerpts;
use super::thread::Answered;
use super::traced::Traced;
use crate::clock;
use crate::limits;
use crate::publish::Revision;
use crate::random::Random;
use crate::serve::desk;

/// The phases, with their names in answers.
const PHASES: [(Phase, &str); 4] = [
    (Phase::Operation, "operation"),
    (Phase::Identity, "identity"),
    (Phase::Resource, "resource"),
    (Phase::Scope, "scope"),
];

/// The explanation of one decision.
///
/// # Errors
/// Why the body is no PORC.
pub(super) fn answer(revision: &Revision, traced: Result<&Traced, &String>, body: &[u8]) -> Answered {
    let image = revision.image();
    let mut decider = Decider::new(image, &Limits::DEFAULT);
    let (env, stamp) = desk::moment(&mut Random::seeded());
    let refused = |refusal: Refusal| refusal.to_string();
    let mut frame = Vec::new();
    decider
        .decide(image, body, Trailing::Refuse, &env)
        .map_err(refused)?
        .encode(body, stamp, &mut frame);
    let frame = Frame::decode(&frame).ok_or("the decision cannot be read")?;
    // Whoever asks chooses the values: hashes would let them be tried.
    let records = &revision.records.opaque();
    let document = document(&mut decider, image, records, body, &env);
    let (told, unexplained) = match traced {
        Ok(traced) => tell(traced, revision, &frame, body, env),
        Err(why) => (Told::nothing(), Some(why.clone())),
    };
    let phases: Vec<Value> = PHASES
        .iter()
        .zip(told.phases(&frame, image, records))
        .map(|((phase, name), policies)| phase_json(&frame, *phase, name, policies))
        .collect();
    Ok(json!({
        "decision": word(frame.granted),
        "settled": settled(frame.settled),
        "revision": revision.number,
        "digest": revision.digest,
        "operation": records.operation(frame.operation),
        "resource": records.resource(frame.resource),
        "tookNs": frame.overall_ns,
        "phases": phases,
        "sources": told.sources,
        "unexplained": unexplained,
        "document": document,
    }))
}

/// What the traced policies told, in the order of the frame's references.
struct Told {
    bodies: Vec<Vec<Value>>,
    sources: Value,
}

impl Told {
    fn nothing() -> Told {
        Told {
            bodies: Vec::new(),
            sources: json!([]),
        }
    }

    /// The policies of each phase.
    fn phases(&self, frame: &Frame<'_>, image: &Image, records: &RecordOptions) -> [Vec<Value>; 4] {
        let mut phases: [Vec<Value>; 4] = Default::default();
        for (at, reference) in frame.references.iter().enumerate() {
            let bodies = self.bodies.get(at);
            if let Some(policies) = phases.get_mut(reference.phase as usize) {
                policies.push(policy_json(reference, (image, records), bodies));
            }
        }
        phases
    }
}

/// Decides once more, watched; also why not all that it tells can be trusted, if so.
fn tell(
    traced: &Traced,
    revision: &Revision,
    frame: &Frame<'_>,
    body: &[u8],
    mut env: RequestEnv,
) -> (Told, Option<String>) {
    let mut watcher = Bodies::new(traced.texts());
    let mut decider = Decider::new(&traced.image, &Limits::DEFAULT);
    // Being watched takes time.
    env.deadline_ns = Some(clock::monotonic_ns() + limits::WHY_NS_MAX);
    let decided = decider.decide_watched(&traced.image, body, Trailing::Refuse, &env, &mut watcher);
    let agrees = decided.is_ok_and(|decision| {
        let votes = decision.references.iter().map(|reference| reference.granted);
        decision.granted == frame.granted
            && votes.eq(frame.references.iter().map(|reference| reference.granted))
    });
    let mut excerpts = Excerpts::new(traced.texts());
    let shows_values = revision.records.redact.is_none();
    let bodies = frame.references.iter().map(|reference| {
        let policy = reference.policy.and_then(|index| revision.image().policy(index));
        let Some(policy) = policy else { return Vec::new() };
        let bodies = watcher.of(reference.phase, reference.id, &policy.mrn);
        bodies
            .into_iter()
            .filter_map(|(body, is_own)| {
                let place = excerpts.place(body.extent)?;
                let failure = body.failure.as_ref().and_then(|(extent, why)| {
                    let rows = excerpts.place(*extent)?.rows;
                    // It shows values that stand somewhere in the document.
                    let why = if shows_values { why } else { NOT_SHOWN };
                    Some(json!({"rows": [rows.0, rows.1], "why": why}))
                });
                Some(json!({
                    "rule": body.rule,
                    "source": place.text,
                    "rows": [place.rows.0, place.rows.1],
                    "file": place.on_disk,
                    "held": body.held,
                    "decided": body.held && is_own,
                    "failure": failure,
                }))
            })
            .collect()
    });
    let told = Told {
        bodies: bodies.collect(),
        sources: excerpts.json(),
    };
    let doubt = if !agrees {
        Some(
            "the traced policies needed more than a decision may, so that not all rules are shown".to_owned(),
        )
    } else if watcher.is_cut() {
        Some(format!(
            "more than {} bodies of rules ran",
            limits::WHY_BODIES_MAX
        ))
    } else {
        None
    };
    (told, doubt)
}

fn phase_json(frame: &Frame<'_>, phase: Phase, name: &str, policies: Vec<Value>) -> Value {
    let time_ns = frame
        .phases_ns
        .and_then(|times| times.get(phase as usize).copied());
    json!({
        "phase": name,
        "vote": vote(frame, phase),
        "counts": phase == Phase::Operation || frame.settled == Settled::Open,
        "tookNs": time_ns,
        "policies": policies,
    })
}

/// What a phase said, if it was asked.
fn vote(frame: &Frame<'_>, phase: Phase) -> Option<&'static str> {
    if phase == Phase::Operation {
        let settled = match frame.settled {
            Settled::Open => "OPEN",
            Settled::Grant(_) => "GRANT",
            Settled::Deny(_) => "DENY",
        };
        return frame.phases_ns.map(|_| settled);
    }
    let asked = |phase: Phase| frame.references.iter().filter(move |one| one.phase == phase);
    if asked(phase).next().is_some() {
        return Some(word(asked(phase).any(|reference| reference.granted)));
    }
    let earlier_denied = PHASES
        .iter()
        .take_while(|(earlier, _)| *earlier != phase)
        .any(|(earlier, _)| asked(*earlier).next().is_some() && !asked(*earlier).any(|one| one.granted));
    if frame.settled != Settled::Open || frame.phases_ns.is_none() || earlier_denied {
        return None;
    }
    // Nobody to ask: without a role nobody vouches for the principal, without scopes nothing narrows the request.
    Some(word(phase == Phase::Scope))
}

fn policy_json(
    reference: &FrameReference<'_>,
    (image, records): (&Image, &RecordOptions),
    bodies: Option<&Vec<Value>>,
) -> Value {
    let policy = reference.policy.and_then(|index| image.policy(index));
    let reason = reference
        .reason
        .map(|(code, text)| json!({"code": code.word(), "text": records.reason(text)}));
    json!({
        "id": records.reference(reference.phase, reference.id),
        "policy": policy.map(|policy| &policy.mrn),
        "vote": word(reference.granted),
        "reason": reason,
        "tookNs": reference.duration_ns,
        "bodies": bodies,
    })
}

fn settled(settled: Settled) -> Option<i64> {
    match settled {
        Settled::Open => None,
        Settled::Grant(number) | Settled::Deny(number) => Some(number),
    }
}

fn word(granted: bool) -> &'static str {
    if granted { "GRANT" } else { "DENY" }
}

/// In place of why a statement failed, where something of requests may not be shown.
const NOT_SHOWN: &str = "[redacted]";

/// The document that policies saw, as JSON, as far as records show it.
fn document(
    decider: &mut Decider,
    image: &Image,
    records: &RecordOptions,
    body: &[u8],
    env: &RequestEnv,
) -> Option<Value> {
    let realised = decider.realised(image, body, env).ok()?;
    let mut text = Vec::new();
    json::write(&mut text, realised, Escape::Plain).ok()?;
    serde_json::from_slice(&records.document(&text)?).ok()
}
