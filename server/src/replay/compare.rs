//! Which policies are behind a decision that changed: those whose vote is not what the record says.

use gavel_runtime::decision::{Decision, Phase, ReasonCode, Reference, Settled};
use gavel_runtime::image::Image;

use super::record::{Details, Reference as Recorded};

/// A reference whose vote changed, or that is there only once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// Phase as records name it.
    pub(super) phase: String,
    /// Operation, role, group, resource group or scope.
    pub(super) id: String,
    /// MRN of the policy that votes now, or did; empty where there is none.
    pub(super) policy: String,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
    /// The policy is another one, or its text or that of a library of it is.
    pub(super) edited: bool,
    /// Why the vote is a deny although no policy says so.
    pub(super) reason: Option<(ReasonCode, String)>,
}

/// A reference that the record, or the decision, does not have.
const ABSENT: &str = "not asked";

/// Everything that differs between the references of a record and those of a decision, in their order.
pub(super) fn causes(old: &Details<'_>, new: &Decision<'_>, image: &Image) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut left: Vec<&Recorded<'_>> = old.references.iter().collect();
    let settled = (override_word(old.settled()), override_word(new.settled));
    for reference in new.references {
        let place = left
            .iter()
            .position(|known| known.phase == reference.phase.word() && known.id == reference.id);
        let known = place.map(|place| left.remove(place));
        let overrides = reference.phase == Phase::Operation && settled.0 != settled.1;
        let (before, after) = match known {
            Some(_) if overrides => settled,
            _ => (known.map_or(ABSENT, word), vote(reference.granted)),
        };
        if before != after {
            causes.push(cause(known, reference, (before, after), image));
        }
    }
    causes.extend(left.into_iter().map(|known| Cause {
        phase: known.phase.to_string(),
        id: known.id.to_string(),
        policy: policy(known).0.to_owned(),
        before: word(known),
        after: ABSENT,
        edited: false,
        reason: None,
    }));
    causes
}

fn cause(
    known: Option<&Recorded<'_>>,
    reference: &Reference<'_>,
    (before, after): (&'static str, &'static str),
    image: &Image,
) -> Cause {
    let now = reference.policy.and_then(|index| image.policy(index));
    let now = now.map_or(("", ""), |policy| (&*policy.mrn, &*policy.fingerprint_base64));
    let then = known.map_or(("", ""), policy);
    let reason = reference.reason.map(|reason| {
        let mut text = Vec::new();
        reason.text.write(&mut text);
        (reason.code, String::from_utf8_lossy(&text).into_owned())
    });
    Cause {
        phase: reference.phase.word().to_owned(),
        id: reference.id.to_owned(),
        policy: if now.0.is_empty() { then.0 } else { now.0 }.to_owned(),
        before,
        after,
        edited: !now.0.is_empty() && !then.0.is_empty() && now != then,
        reason,
    }
}

fn policy<'r>(reference: &'r Recorded<'_>) -> (&'r str, &'r str) {
    reference
        .policies
        .first()
        .map_or(("", ""), |policy| (&policy.mrn, &policy.fingerprint))
}

fn vote(granted: bool) -> &'static str {
    if granted { "GRANT" } else { "DENY" }
}

fn word(reference: &Recorded<'_>) -> &'static str {
    vote(reference.decision == "GRANT")
}

fn override_word(settled: Settled) -> &'static str {
    match settled {
        Settled::Open => "no override",
        Settled::Grant(_) => "GRANT by override",
        Settled::Deny(_) => "DENY by override",
    }
}
