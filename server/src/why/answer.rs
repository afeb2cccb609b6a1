//! Decides one PORC, or what the mapper makes of a request of Envoy, and tells how. What is served decides; the same policies
//! compiled for tracing only say which bodies of rules ran.

use gavel_runtime::decision::{Decider, Frame, FrameReference, Phase, RecordOptions, Refusal, Settled};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::json::Escape;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use serde_json::{Value, json};

use super::bodies::Bodies;
use super::excerpts::Excerpts;
use super::mapped::Mapped;
use super::thread::{Answered, Question};
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
/// Why the body is none that can be asked about.
pub(super) fn answer(revision: &Revision, traced: Result<&Traced, &String>, question: &Question) -> Answered {
    let mut excerpts = traced.ok().map(|traced| Excerpts::new(&traced.sources));
    let mapped = match question {
        Question::Porc(_) => None,
        Question::Attributes(attributes) => {
            let watched = traced.ok().zip(excerpts.as_mut());
            Some(Mapped::of(revision, attributes, watched)?)
        }
    };
    let porc = match (question, &mapped) {
        (Question::Porc(porc), _) => Some(porc),
        (Question::Attributes(_), mapped) => mapped.as_ref().and_then(|mapped| mapped.porc.as_ref()),
    };
    let decided = porc.map(|porc| decided(revision, traced, porc, excerpts.as_mut()));
    let (decided, mapped) = match (decided, mapped) {
        (Some(Err(why)), Some(mapped)) => (None, Some(mapped.refused(&why))),
        (decided, mapped) => (decided.transpose()?, mapped),
    };
    let unexplained = decided.as_ref().and_then(|decided| decided.doubt.clone());
    let doubts = mapped.as_ref().and_then(Mapped::doubt).map(str::to_owned);
    let mut told = decided.map_or_else(|| denied(revision), |decided| decided.told);
    if let Value::Object(members) = &mut told {
        let unexplained = traced.err().cloned().or(unexplained).or(doubts);
        members.insert("unexplained".to_owned(), json!(unexplained));
        members.insert(
            "sources".to_owned(),
            json!(excerpts.map(|shown| shown.json()).unwrap_or_else(|| json!([]))),
        );
        members.insert(
            "mapper".to_owned(),
            json!(mapped.map(|mapped| mapped.json(&revision.records.opaque()))),
        );
    }
    Ok(told)
}

/// A decision over a PORC, without the texts of its rules.
struct Decided {
    told: Value,
    /// Why not all rules are shown, if so.
    doubt: Option<String>,
}

fn decided(
    revision: &Revision,
    traced: Result<&Traced, &String>,
    body: &[u8],
    excerpts: Option<&mut Excerpts<'_>>,
) -> Result<Decided, String> {
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
    let document = document(&mut decider, image, records, body);
    let (told, doubt) = match traced.ok().zip(excerpts) {
        Some((traced, excerpts)) => tell(traced, revision, &frame, (body, env), excerpts),
        None => (Told::default(), None),
    };
    let phases: Vec<Value> = PHASES
        .iter()
        .zip(told.phases(&frame, image, records))
        .map(|((phase, name), policies)| phase_json(&frame, *phase, name, policies))
        .collect();
    let told = json!({
        "decision": word(frame.granted),
        "settled": settled(frame.settled),
        "revision": revision.number,
        "digest": revision.digest,
        "operation": records.operation(frame.operation),
        "resource": records.resource(frame.resource),
        "tookNs": frame.overall_ns,
        "phases": phases,
        "document": document,
    });
    Ok(Decided { told, doubt })
}

/// What is said where there is no PORC to decide over.
fn denied(revision: &Revision) -> Value {
    json!({
        "decision": word(false),
        "settled": null,
        "revision": revision.number,
        "digest": revision.digest,
        "tookNs": null,
        "phases": [],
        "document": null,
    })
}

/// What the traced policies told, in the order of the frame's references.
#[derive(Default)]
struct Told {
    bodies: Vec<Vec<Value>>,
}

impl Told {
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
    (body, mut env): (&[u8], RequestEnv),
    excerpts: &mut Excerpts<'_>,
) -> (Told, Option<String>) {
    let texts = traced.texts();
    let mut watcher = Bodies::new(texts);
    let mut decider = Decider::new(&traced.image, &Limits::DEFAULT);
    // Being watched takes time.
    env.deadline_ns = Some(clock::monotonic_ns() + limits::WHY_NS_MAX);
    let decided = decider.decide_watched(&traced.image, body, Trailing::Refuse, &env, &mut watcher);
    let agrees = decided.is_ok_and(|decision| {
        let votes = decision.references.iter().map(|reference| reference.granted);
        decision.granted == frame.granted
            && votes.eq(frame.references.iter().map(|reference| reference.granted))
    });
    let shows_values = revision.records.redact.is_none();
    let bodies = frame.references.iter().map(|reference| {
        let policy = reference.policy.and_then(|index| revision.image().policy(index));
        let Some(policy) = policy else { return Vec::new() };
        let bodies = watcher.of(reference.phase, reference.id, &policy.mrn);
        bodies
            .into_iter()
            .filter_map(|(body, is_own)| excerpts.body(texts, body, is_own, shows_values))
            .collect()
    });
    let told = Told {
        bodies: bodies.collect(),
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

/// The document that policies saw, as JSON, as far as records show it.
fn document(decider: &mut Decider, image: &Image, records: &RecordOptions, body: &[u8]) -> Option<Value> {
    let mut text = Vec::new();
    if !decider.write_seen(image, body, Escape::Record, &mut text) {
        return None;
    }
    serde_json::from_slice(&records.document(&text)?).ok()
}
