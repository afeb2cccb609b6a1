//! Asking the policies: which ones a phase consults, what each votes, and the references that tell of it.
//!
//! Order of references: operation; groups that are missing, in the order of the request; roles, those of the principal
//! before those of its groups and each once; the resource's group; scopes in the order of the request, repeated ones too.

use super::ask::{Ask, Asked};
use super::porc::Porc;
use super::principal::Named;
use super::reason::{Reason, ReasonCode, ReasonText};
use crate::error::EvalError;
use crate::image::{Entry, Image, Operation, Subject};
use crate::value::{Kind, Value};
use crate::vm::Request;
use bumpalo::collections::Vec as BumpVec;

/// The four phases, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Phase {
    /// Phase 1, `SYSTEM` on the wire.
    Operation = 0,
    /// Phase 2.
    Identity = 1,
    /// Phase 3.
    Resource = 2,
    /// Phase 4.
    Scope = 3,
}

impl Phase {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Operation => "SYSTEM",
            Phase::Identity => "IDENTITY",
            Phase::Resource => "RESOURCE",
            Phase::Scope => "SCOPE",
        }
    }

    /// The phase of its number in a frame.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Phase> {
        match byte {
            0 => Some(Phase::Operation),
            1 => Some(Phase::Identity),
            2 => Some(Phase::Resource),
            3 => Some(Phase::Scope),
            _ => None,
        }
    }
}

/// One policy that was asked, or something that should have named one.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'r> {
    /// Phase.
    pub phase: Phase,
    /// What named the policy: operation, role, group, resource group, scope. May be empty.
    pub id: &'r str,
    /// Index of the policy in the image; `None` when there is none.
    pub policy: Option<u32>,
    /// The policy's vote.
    pub granted: bool,
    /// Why the vote is a deny although no policy said so.
    pub reason: Option<Reason<'r>>,
    /// Time the policy took; `None` when none was evaluated.
    pub duration_ns: Option<u64>,
}

/// What the operation phase settled before the others count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing: the other phases decide.
    Open,
    /// The positive number of the operation policy.
    Grant(i64),
    /// The negative number of the operation policy; failures count as -1.
    Deny(i64),
}

/// The scope that satisfies the scope phase by its name alone.
const API_SCOPE: &str = "mrn:iam:scope:api";

/// What a decision is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Its record: all that it names is asked and timed.
    Record,
    /// The answer alone: nothing is asked that cannot change it.
    Answer,
}

/// Runs phases and collects references.
pub(super) struct Phases<'a, 'r, A> {
    pub(super) image: &'r Image,
    /// How policies are asked.
    pub(super) ask: &'a mut A,
    pub(super) request: &'a mut Request<'r>,
    pub(super) wanted: Wanted,
    pub(super) references: BumpVec<'r, Reference<'r>>,
    /// Clock.
    pub(super) monotonic_ns: fn() -> u64,
    /// When the last measured step ended.
    pub(super) last_ns: u64,
}

impl<'r, A: Ask> Phases<'_, 'r, A> {
    /// Phase 1. `operation` is what the selectors made of the operation string.
    pub(super) fn operation(&mut self, porc: &Porc<'r>, operation: Operation) -> Settled {
        let phase = Phase::Operation;
        let found = match operation {
            Operation::Policy(policy) => Ok(policy),
            Operation::Unknown => Err(Reason::not_found(phase)),
            Operation::Ambiguous => Err(Reason::fixed(
                ReasonCode::NotFound,
                "operation not found: selectors of several domains match it",
            )),
        };
        let policy = match found {
            Ok(policy) => policy,
            Err(reason) => {
                self.fail(phase, porc.operation, reason);
                return Settled::Deny(-1);
            }
        };
        let (result, duration_ns) = self.evaluate(phase, porc.operation, policy);
        let reason = match result.map(integer_of) {
            Ok(Ok(number)) => {
                self.push(phase, porc.operation, policy, number >= 0, None, duration_ns);
                return match number {
                    0 => Settled::Open,
                    1.. => Settled::Grant(number),
                    _ => Settled::Deny(number),
                };
            }
            Ok(Err(reason)) | Err(reason) => reason,
        };
        self.push(phase, porc.operation, policy, false, Some(reason), duration_ns);
        Settled::Deny(-1)
    }

    /// Phase 2: one role is enough.
    pub(super) fn identity(&mut self, porc: &Porc<'r>) -> bool {
        let phase = Phase::Identity;
        for group in porc.who.groups.iter().filter(|group| group.known.is_none()) {
            let reason = Reason::fixed(ReasonCode::NotFound, "group not found");
            self.fail(phase, group.mrn, reason);
        }
        self.any(phase, porc.who.roles)
    }

    /// Phase 3: the policy of the resource's group.
    pub(super) fn resource(&mut self, porc: &Porc<'r>) -> bool {
        self.vote(Phase::Resource, porc.resource_group, porc.resource_policy)
    }

    /// Phase 4: one scope is enough; no scopes grant; scopes that cannot be read deny.
    pub(super) fn scope(&mut self, porc: &Porc<'r>) -> bool {
        let phase = Phase::Scope;
        if porc.who.scopes_malformed {
            let reason = Reason::fixed(ReasonCode::InvalidParameter, "scopes is no array of strings");
            self.fail(phase, "", reason);
            return false;
        }
        let scopes = porc.who.scopes;
        scopes.is_empty() || scopes.iter().any(|scope| scope.mrn == API_SCOPE) || self.any(phase, scopes)
    }

    /// Whether one of them grants. All are asked where a record names them.
    fn any(&mut self, phase: Phase, subjects: &[Named<'r, Subject>]) -> bool {
        let mut granted = false;
        for subject in subjects {
            granted |= self.vote(phase, subject.mrn, subject.known.map(|known| known.policy));
            if granted && self.wanted == Wanted::Answer {
                break;
            }
        }
        granted
    }

    /// A reference that denies without a policy.
    pub(super) fn fail(&mut self, phase: Phase, id: &'r str, reason: Reason<'r>) {
        self.references.push(Reference {
            phase,
            id,
            policy: None,
            granted: false,
            reason: Some(reason),
            duration_ns: None,
        });
    }

    fn vote(&mut self, phase: Phase, id: &'r str, policy: Option<u32>) -> bool {
        let Some(policy) = policy else {
            self.fail(phase, id, Reason::not_found(phase));
            return false;
        };
        let (result, duration_ns) = self.evaluate(phase, id, policy);
        let reason = match result {
            Ok(value) => match value.kind() {
                // Nearly all are, and a reason that is not there need not be moved.
                Kind::Bool(granted) => {
                    self.push(phase, id, policy, granted, None, duration_ns);
                    return granted;
                }
                _ => unexpected(value),
            },
            Err(reason) => reason,
        };
        self.push(phase, id, policy, false, Some(reason), duration_ns);
        false
    }

    #[inline(always)]
    fn push(
        &mut self,
        phase: Phase,
        id: &'r str,
        policy: u32,
        granted: bool,
        reason: Option<Reason<'r>>,
        duration_ns: u64,
    ) {
        let duration_ns = Some(duration_ns);
        self.references.push(Reference {
            phase,
            id,
            policy: Some(policy),
            granted,
            reason,
            duration_ns,
        });
    }

    /// The policy's result and the time since the last measured step.
    #[inline(always)]
    fn evaluate(&mut self, phase: Phase, id: &'r str, index: u32) -> (Result<Value<'r>, Reason<'r>>, u64) {
        let result = self.result_of(phase, id, index);
        if self.wanted == Wanted::Answer {
            return (result, 0);
        }
        let now_ns = (self.monotonic_ns)().max(self.last_ns);
        let duration_ns = now_ns - self.last_ns;
        self.last_ns = now_ns;
        (result, duration_ns)
    }

    #[inline(always)]
    fn result_of(&mut self, phase: Phase, id: &'r str, index: u32) -> Result<Value<'r>, Reason<'r>> {
        let Some(policy) = self.image.policy(index) else {
            return Err(Reason::fixed(ReasonCode::NotFound, "policy not found"));
        };
        let none = Reason {
            code: ReasonCode::Evaluation,
            text: ReasonText::NoResult { mrn: &policy.mrn },
        };
        let entry = match &policy.entry {
            Entry::Document(entry) => *entry,
            Entry::Missing => return Err(none),
            Entry::Function(text) => {
                return Err(Reason {
                    code: ReasonCode::Evaluation,
                    text: ReasonText::Given(text),
                });
            }
        };
        let asked = Asked {
            phase,
            id,
            policy: &policy.mrn,
        };
        match self.ask.call(self.request, &asked, entry) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(none),
            Err(error) => Err(aborted(self.image, &policy.mrn, error)),
        }
    }
}

#[inline(always)]
fn integer_of(value: Value<'_>) -> Result<i64, Reason<'_>> {
    match value.kind() {
        Kind::Int(int) => Ok(int),
        Kind::Number(text) => text.parse().map_err(|_| Reason {
            code: ReasonCode::Unknown,
            text: ReasonText::NotInteger { text },
        }),
        _ => Err(unexpected(value)),
    }
}

#[cold]
fn aborted<'r>(image: &'r Image, policy: &'r str, error: EvalError) -> Reason<'r> {
    let (module, row) = image.program().place_of(error.pc).unwrap_or((policy, 0));
    Reason {
        code: ReasonCode::Evaluation,
        text: ReasonText::Aborted {
            module,
            row,
            kind: error.kind,
        },
    }
}

#[cold]
fn unexpected(value: Value<'_>) -> Reason<'_> {
    Reason {
        code: ReasonCode::Unknown,
        text: ReasonText::Unexpected(value),
    }
}
