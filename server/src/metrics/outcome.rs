//! How requests end, in classes that an operator can act upon.

use gavel_runtime::decision::{Decision, ReasonCode, ReasonText, Reference, Refusal, Settled};
use gavel_runtime::error::EvalErrorKind;

/// The end of one request for a decision. Each is counted in exactly one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Granted by all phases.
    Grant = 0,
    /// Granted by the operation's policy alone.
    GrantOverride,
    /// Denied by the votes of policies.
    Policy,
    /// Denied by the number of the operation's policy alone.
    DenyOverride,
    /// Denied: an operation, role, group, resource group, scope or policy does not exist.
    NotFound,
    /// Denied: a policy gave no result or failed.
    Evaluation,
    /// Denied: a policy used up its instructions, memory, depth or time.
    Budget,
    /// Denied: a part of the request has the wrong shape.
    InvalidParameter,
    /// Denied: a policy's result has the wrong type.
    WrongType,
    /// The body is no PORC.
    Malformed,
    /// The body needs more memory than a request may have.
    TooLarge,
    /// Denied after a panic of ours.
    Fault,
    /// A grant that was turned into a denial, because its record could not be kept.
    Unrecorded,
}

impl Outcome {
    /// All classes, in order.
    pub const ALL: [Outcome; 13] = [
        Outcome::Grant,
        Outcome::GrantOverride,
        Outcome::Policy,
        Outcome::DenyOverride,
        Outcome::NotFound,
        Outcome::Evaluation,
        Outcome::Budget,
        Outcome::InvalidParameter,
        Outcome::WrongType,
        Outcome::Malformed,
        Outcome::TooLarge,
        Outcome::Fault,
        Outcome::Unrecorded,
    ];

    /// A word for labels.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Grant => "grant",
            Outcome::GrantOverride => "grant_override",
            Outcome::Policy => "policy",
            Outcome::DenyOverride => "deny_override",
            Outcome::NotFound => "not_found",
            Outcome::Evaluation => "evaluation",
            Outcome::Budget => "budget",
            Outcome::InvalidParameter => "invalid_parameter",
            Outcome::WrongType => "wrong_type",
            Outcome::Malformed => "malformed",
            Outcome::TooLarge => "too_large",
            Outcome::Fault => "fault",
            Outcome::Unrecorded => "unrecorded",
        }
    }

    /// Whether the answer was a grant.
    #[must_use]
    pub const fn is_grant(self) -> bool {
        matches!(self, Outcome::Grant | Outcome::GrantOverride)
    }

    /// Whether the request was refused without a decision.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(self, Outcome::Malformed | Outcome::TooLarge)
    }

    /// The class of a request that could not be decided.
    #[must_use]
    pub const fn of_refusal(refusal: &Refusal) -> Outcome {
        match refusal {
            Refusal::Malformed(_) => Outcome::Malformed,
            Refusal::Budget(_) => Outcome::TooLarge,
            Refusal::Fault => Outcome::Fault,
        }
    }

    /// The class of a denial for which no policy was asked.
    #[must_use]
    pub const fn of_code(code: ReasonCode) -> Outcome {
        match code {
            ReasonCode::NotFound => Outcome::NotFound,
            ReasonCode::Evaluation => Outcome::Evaluation,
            ReasonCode::InvalidParameter => Outcome::InvalidParameter,
            ReasonCode::Unknown => Outcome::WrongType,
        }
    }

    /// The class of a decision. `stands`: its record is kept, or none is wanted.
    #[must_use]
    pub fn of(decision: &Decision<'_>, stands: bool) -> Outcome {
        match (decision.granted, decision.settled) {
            (true, _) if !stands => Outcome::Unrecorded,
            (true, Settled::Grant(_)) => Outcome::GrantOverride,
            (true, _) => Outcome::Grant,
            (false, settled) => denied(settled, decision.references),
        }
    }
}

/// A failure in a phase that did not grant says more than the votes of others.
#[cold]
fn denied(settled: Settled, references: &[Reference<'_>]) -> Outcome {
    let failure = references
        .chunk_by(|a, b| a.phase == b.phase)
        .filter(|phase| !phase.iter().any(|reference| reference.granted))
        .flatten()
        .find_map(|reference| reference.reason.as_ref());
    let Some(reason) = failure else {
        return match settled {
            Settled::Deny(_) => Outcome::DenyOverride,
            Settled::Open | Settled::Grant(_) => Outcome::Policy,
        };
    };
    match reason.text {
        ReasonText::Aborted {
            kind:
                EvalErrorKind::FuelExhausted
                | EvalErrorKind::ArenaExhausted
                | EvalErrorKind::DepthExceeded
                | EvalErrorKind::DeadlineExceeded,
            ..
        } => Outcome::Budget,
        _ => Outcome::of_code(reason.code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gavel_runtime::decision::{Phase, Reason};

    fn reference<'r>(phase: Phase, granted: bool, code: Option<ReasonCode>) -> Reference<'r> {
        Reference {
            phase,
            id: "",
            policy: None,
            granted,
            reason: code.map(|code| Reason::fixed(code, "")),
            duration_ns: None,
        }
    }

    #[test]
    fn places_are_those_of_the_list() {
        for (at, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, at);
        }
    }

    #[test]
    fn a_failure_counts_only_in_a_phase_that_denied() {
        let not_found = Some(ReasonCode::NotFound);
        let granted_beside = [
            reference(Phase::Operation, true, None),
            reference(Phase::Identity, false, not_found),
            reference(Phase::Identity, true, None),
            reference(Phase::Resource, false, None),
        ];
        assert_eq!(denied(Settled::Open, &granted_beside), Outcome::Policy);
        let missing = [
            reference(Phase::Operation, true, None),
            reference(Phase::Identity, false, None),
            reference(Phase::Resource, false, Some(ReasonCode::Unknown)),
        ];
        assert_eq!(denied(Settled::Open, &missing), Outcome::WrongType);
        let settled = [reference(Phase::Operation, false, None)];
        assert_eq!(denied(Settled::Deny(-1), &settled), Outcome::DenyOverride);
        let absent = [reference(Phase::Operation, false, not_found)];
        assert_eq!(denied(Settled::Deny(-1), &absent), Outcome::NotFound);
    }
}
