//! One request from bytes to decision: read, four phases, conjunction.
//!
//! The operation phase settles the decision alone when its number is not zero. Otherwise a resource that cannot be found
//! denies, and identity, resource and scope must all grant. All of them are asked even so where the record lists every
//! policy; where it lists those up to the first phase that denied (`bundles.includeall: false`), or where there is none, the
//! others are not asked.

use super::ask::{Ask, Unwatched, Watched, Watcher};
use super::facts::Facts;
use super::phase::{Phase, Phases, Reference, Settled, Wanted};
use super::porc::{Porc, document, realise};
use super::reason::{Reason, ReasonCode};
use super::seen::Seen;
use crate::arena::reserve;
use crate::error::EvalErrorKind;
use crate::image::{Image, SelectorCaches};
use crate::input::{PorcError, Trailing};
use crate::json::{Escape, Page};
use crate::limits::Limits;
use crate::value::Value;
use crate::vm::{Request, RequestEnv, Vm};
use bumpalo::collections::Vec as BumpVec;

/// What one core needs to decide: a VM and the caches of an image's selectors. [`Decider::exchange`] takes it to another image.
#[derive(Debug)]
pub struct Decider {
    vm: Vm,
    caches: SelectorCaches,
}

/// The outcome of one request, valid until the next one.
#[derive(Debug)]
pub struct Decision<'r> {
    /// The answer.
    pub granted: bool,
    /// What the operation phase settled.
    pub settled: Settled,
    /// `principal.sub`, empty when it is no string.
    pub subject: &'r str,
    /// `principal.mrealm`, empty when it is no string.
    pub realm: &'r str,
    /// The operation, empty when it is no string.
    pub operation: &'r str,
    /// The resource's MRN, may be empty.
    pub resource: &'r str,
    /// In the order of the record.
    pub references: &'r [Reference<'r>],
    /// Time of each phase; `None` when no phase ran, or none was timed.
    pub phases_ns: Option<[u64; 4]>,
    /// Time from entry.
    pub overall_ns: u64,
    /// The document that policies saw, where the image and the request alone cannot tell: a resolver was asked.
    pub document: Option<Value<'r>>,
    /// The copy of the body that texts of the request point into, and something behind it; empty where there is none.
    pub(super) copy: &'r [u8],
}

/// A request that cannot be decided: malformed, or too large to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is no JSON object.
    Malformed(PorcError),
    /// The request itself does not fit the memory budget.
    Budget(EvalErrorKind),
    /// A fault of ours: whoever called the engine caught a panic.
    Fault,
}

impl From<EvalErrorKind> for Refusal {
    fn from(kind: EvalErrorKind) -> Refusal {
        Refusal::Budget(kind)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Malformed(error) => error.fmt(f),
            Refusal::Budget(kind) => f.write_str(kind.message()),
            Refusal::Fault => f.write_str("internal fault"),
        }
    }
}

impl Decider {
    /// A decider for an image.
    #[must_use]
    pub fn new(image: &Image, limits: &Limits) -> Decider {
        Decider {
            vm: Vm::new(limits),
            caches: image.selector_caches(),
        }
    }

    /// From now on this decides by the image that `caches` were made for; in exchange they become those that it had. Takes no
    /// time: whoever publishes an image makes the caches, and drops what comes back.
    pub fn exchange(&mut self, caches: &mut SelectorCaches) {
        std::mem::swap(&mut self.caches, caches);
    }

    /// Bytes that the decider holds between requests.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.vm.memory_bytes()
    }

    /// Decides. Allocates nothing once the buffers have grown to the size of the requests.
    /// Text behind the object is refused or not looked at, by `trailing`.
    pub fn decide<'r>(
        &'r mut self,
        image: &'r Image,
        body: &[u8],
        trailing: Trailing,
        env: &RequestEnv,
    ) -> Result<Decision<'r>, Refusal> {
        self.decide_with(image, body, trailing, env, &mut Facts::Image)
    }

    /// As [`Decider::decide`]; `facts` says where resource and annotations come from.
    pub fn decide_with<'r>(
        &'r mut self,
        image: &'r Image,
        body: &[u8],
        trailing: Trailing,
        env: &RequestEnv,
        facts: &mut Facts<'_>,
    ) -> Result<Decision<'r>, Refusal> {
        self.decide_asking(
            image,
            body,
            trailing,
            env,
            facts,
            (&mut Unwatched, Wanted::Record),
        )
    }

    /// As [`Decider::decide`] for who keeps no record: policies that cannot change the answer are not asked, and nothing is
    /// timed.
    pub fn probe<'r>(
        &'r mut self,
        image: &'r Image,
        body: &[u8],
        trailing: Trailing,
        env: &RequestEnv,
    ) -> Result<Decision<'r>, Refusal> {
        let asking = (&mut Unwatched, Wanted::Answer);
        self.decide_asking(image, body, trailing, env, &mut Facts::Image, asking)
    }

    /// As [`Decider::decide`], telling a watcher which policies are asked. It is told most about an image that was compiled
    /// for tracing.
    pub fn decide_watched<'r>(
        &'r mut self,
        image: &'r Image,
        body: &[u8],
        trailing: Trailing,
        env: &RequestEnv,
        watcher: &mut dyn Watcher,
    ) -> Result<Decision<'r>, Refusal> {
        self.decide_asking(
            image,
            body,
            trailing,
            env,
            &mut Facts::Image,
            (&mut Watched(watcher), Wanted::Record),
        )
    }

    #[inline(always)]
    fn decide_asking<'r, A: Ask>(
        &'r mut self,
        image: &'r Image,
        body: &[u8],
        trailing: Trailing,
        env: &RequestEnv,
        facts: &mut Facts<'_>,
        asking: (&mut A, Wanted),
    ) -> Result<Decision<'r>, Refusal> {
        // Nobody reads the times of a decision without a record, and looks at the clock cost as much as a policy.
        let clock: (fn() -> u64, u64) = match asking.1 {
            Wanted::Record => (env.monotonic_ns, env.begun_ns),
            Wanted::Answer => (|| 0, 0),
        };
        let caches = &mut self.caches;
        let mut request = self.vm.request(image.program(), env);
        let layouts = Some(&mut caches.layouts);
        request
            .read_porc_by(body, trailing, layouts)
            .map_err(Refusal::Malformed)?;
        decide(image, caches, &mut request, facts, asking, clock)
    }

    /// Reads a body as [`Decider::decide`] does, and decides nothing: for who measures what that takes.
    pub fn read(
        &mut self,
        image: &Image,
        body: &[u8],
        trailing: Trailing,
        env: &RequestEnv,
    ) -> Result<(), PorcError> {
        let layouts = Some(&mut self.caches.layouts);
        self.vm
            .request(image.program(), env)
            .read_porc_by(body, trailing, layouts)
    }

    /// Appends the JSON of the document that policies see for a body; with [`Escape::Record`] as the access record prints it.
    /// False: it has none, and nothing was appended.
    pub fn write_seen(&mut self, image: &Image, body: &[u8], escape: Escape, out: &mut Vec<u8>) -> bool {
        let begin = out.len();
        let mut page = Page::new(out);
        let is_written = self.write_seen_on(image, body, escape, &mut page).is_some();
        if !is_written {
            page.truncate(begin);
        }
        is_written
    }

    /// As [`Decider::write_seen`], on a page, which may have a part of it after a failure.
    pub(super) fn write_seen_on(
        &mut self,
        image: &Image,
        body: &[u8],
        escape: Escape,
        page: &mut Page<'_>,
    ) -> Option<()> {
        let SelectorCaches {
            selectors,
            texts,
            layouts,
            ..
        } = &mut self.caches;
        let mut request = self.vm.request(image.program(), &RequestEnv::timeless(0, 0));
        let sent = request.read_whole_porc(body, Trailing::Ignore, layouts).ok()?;
        let arena = request.arena();
        let seen = Seen::new(image, selectors, arena, sent).ok()?;
        // What is kept is what records show.
        let texts = (escape == Escape::Record).then_some(texts);
        seen.write(page, arena, escape, texts)
    }
}

fn decide<'r, A: Ask>(
    image: &'r Image,
    caches: &'r mut SelectorCaches,
    request: &mut Request<'r>,
    facts: &mut Facts<'_>,
    (ask, wanted): (&mut A, Wanted),
    (monotonic_ns, start_ns): (fn() -> u64, u64),
) -> Result<Decision<'r>, Refusal> {
    let SelectorCaches {
        selectors, together, ..
    } = caches;
    let mut porc = Porc::default();
    realise(image, (selectors, together), request, facts, &mut porc)?;
    if let Some(why) = porc.unprintable {
        return unprintable(request, &porc, why, monotonic_ns().saturating_sub(start_ns));
    }
    let asked = matches!(facts, Facts::Resolver(_));
    let document = asked.then(|| document(image, request)).transpose()?;
    let operation = image.find_operation(selectors, porc.operation);
    let who = &porc.who;
    let reference_count = who.groups.len() + who.roles.len() + who.scopes.len() + 4;
    let references = BumpVec::new_in(request.arena().bump());
    let begun_ns = monotonic_ns();
    let mut phases = Phases {
        image,
        ask,
        request,
        wanted,
        references,
        monotonic_ns,
        last_ns: begun_ns,
    };
    // Where the list stays: to move it once it has room would wait until that is written.
    reserve(&mut phases.references, reference_count)?;

    let settled = phases.operation(&porc, operation);
    let end_operation = phases.mark();
    // A phase that neither answer nor record need is not asked: behind the one that denied, or that settled the decision.
    let all = A::ASKS_ALL || wanted == Wanted::Record && image.include_all_references();
    let open = settled == Settled::Open && !porc.resource_unknown;
    let identity = (all || open) && phases.identity(&porc);
    let end_identity = phases.mark();
    let resource = !porc.resource_unknown && (all || open && identity) && phases.resource(&porc);
    let end_resource = phases.mark();
    let scope = (all || open && identity && resource) && phases.scope(&porc);
    let end_scope = phases.mark();
    if porc.resource_unknown && settled == Settled::Open {
        let text = "no matching resource and no default resource group found";
        let reason = Reason::fixed(ReasonCode::NotFound, text);
        phases.fail(Phase::Resource, porc.resource, reason);
    }

    let granted = match settled {
        Settled::Grant(_) => true,
        Settled::Deny(_) => false,
        Settled::Open => identity && resource && scope,
    };
    if !image.include_all_references() {
        let ends = [end_operation, end_identity, end_resource].map(|end| end.references);
        shorten(&mut phases.references, &porc, settled, (identity, resource), ends);
    }
    let overall_ns = phases.last_ns.saturating_sub(start_ns);
    Ok(Decision {
        granted,
        settled,
        subject: porc.subject,
        realm: porc.realm,
        operation: porc.operation,
        resource: porc.resource,
        references: phases.references.into_bump_slice(),
        phases_ns: (wanted == Wanted::Record).then(|| {
            let ends = [end_operation, end_identity, end_resource, end_scope];
            times(begun_ns, ends, &porc)
        }),
        overall_ns,
        document,
        copy: phases.request.kept_body(),
    })
}

/// Keeps the references up to the first phase that denied, where more was asked than a record names.
fn shorten(
    references: &mut BumpVec<'_, Reference<'_>>,
    porc: &Porc<'_>,
    settled: Settled,
    (identity, resource): (bool, bool),
    [end_operation, end_identity, end_resource]: [usize; 3],
) {
    match settled {
        Settled::Grant(_) | Settled::Deny(_) => references.truncate(end_operation),
        Settled::Open if porc.resource_unknown => {
            let last = references.len().saturating_sub(1);
            references.drain(end_operation..last.max(end_operation));
        }
        Settled::Open if !identity => references.truncate(end_identity),
        Settled::Open if !resource => references.truncate(end_resource),
        Settled::Open => {}
    }
}

/// Time of each phase. A resource that was not found is not asked for.
fn times(begun_ns: u64, ends: [Mark; 4], porc: &Porc<'_>) -> [u64; 4] {
    let [operation, identity, resource, scope] = ends.map(|end| end.time_ns);
    [
        operation.saturating_sub(begun_ns),
        identity.saturating_sub(operation),
        if porc.resource_unknown {
            0
        } else {
            resource.saturating_sub(identity)
        },
        scope.saturating_sub(resource),
    ]
}

/// The document that policies would see cannot be written: nobody is asked.
fn unprintable<'r>(
    request: &Request<'r>,
    porc: &Porc<'r>,
    why: &'static str,
    overall_ns: u64,
) -> Result<Decision<'r>, Refusal> {
    let reference = Reference {
        phase: Phase::Resource,
        id: porc.resource,
        policy: None,
        granted: false,
        reason: Some(Reason::fixed(ReasonCode::InvalidParameter, why)),
        duration_ns: None,
    };
    let mut references = request.arena().list(1)?;
    references.push(reference);
    Ok(Decision {
        granted: false,
        settled: Settled::Open,
        subject: porc.subject,
        realm: porc.realm,
        operation: porc.operation,
        resource: porc.resource,
        references: references.into_bump_slice(),
        phases_ns: None,
        overall_ns,
        document: None,
        copy: &[],
    })
}

/// Where a phase ended.
#[derive(Clone, Copy)]
struct Mark {
    references: usize,
    time_ns: u64,
}

impl<A> Phases<'_, '_, A> {
    fn mark(&self) -> Mark {
        Mark {
            references: self.references.len(),
            time_ns: self.last_ns,
        }
    }
}
