//! The peer `cedar-policy` in process: `benches/peers/clinic/clinic.cedar`, parsed once. Of the document only what
//! the policies read is looked at, without a copy, and entities are made with its own types, which is faster than its JSON; those
//! of operations are made once.

use std::collections::HashMap;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use serde::Deserialize;

const POLICIES: &str = include_str!("../../peers/clinic/clinic.cedar");

/// The operations that the policies name, and the groups of operations that each is in.
const OPERATIONS: [(&str, &[&str]); 7] = [
    ("clinic:record:read", &["read", "app", "anything on records"]),
    ("clinic:record:list", &["read", "app", "anything on records"]),
    ("clinic:record:history", &["read", "anything on records"]),
    ("clinic:record:amend", &["write", "anything on records"]),
    ("clinic:record:sign", &["write", "anything on records"]),
    ("clinic:record:purge", &["anything on records"]),
    ("clinic:hours:read", &[]),
];

/// Policies, types and all entities that no request changes, ready.
pub struct Peer {
    authorizer: Authorizer,
    policies: PolicySet,
    user: EntityTypeName,
    action: EntityTypeName,
    resource: EntityTypeName,
    staff: EntityUid,
    patient: EntityUid,
    actions: HashMap<&'static str, Entity>,
}

/// A request in the peer's form.
pub struct Prepared {
    request: Request,
    entities: Entities,
}

/// What the policies read of the document that ours see, borrowed from its text. Numbers have types, so that no feature of the
/// parser makes them dearer than they are.
#[derive(Debug, Deserialize)]
struct Document<'d> {
    #[serde(default)]
    principal: Principal<'d>,
    operation: &'d str,
    #[serde(default)]
    resource: Resource<'d>,
    #[serde(default)]
    context: Circumstances<'d>,
}

#[derive(Debug, Default, Deserialize)]
struct Principal<'d> {
    sub: Option<&'d str>,
    #[serde(default)]
    mroles: Vec<&'d str>,
    #[serde(default)]
    mgroups: Vec<&'d str>,
    scopes: Option<Vec<&'d str>>,
    #[serde(default)]
    mannotations: Person<'d>,
}

#[derive(Debug, Default, Deserialize)]
struct Person<'d> {
    profession: Option<&'d str>,
    wards: Option<Vec<&'d str>>,
    shift: Option<Shift>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Shift {
    from: i64,
    to: i64,
}

#[derive(Debug, Default, Deserialize)]
struct Resource<'d> {
    #[serde(default)]
    id: &'d str,
    #[serde(default)]
    annotations: Record<'d>,
}

#[derive(Debug, Default, Deserialize)]
struct Record<'d> {
    ward: Option<&'d str>,
    patient: Option<&'d str>,
    sensitivity: Option<&'d str>,
    care_team: Option<Vec<&'d str>>,
    withheld: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct Circumstances<'d> {
    network: Option<&'d str>,
    hour: Option<i64>,
    emergency: Option<bool>,
    reason: Option<&'d str>,
}

fn name(text: &str) -> Result<EntityTypeName, String> {
    EntityTypeName::from_str(text).map_err(|error| error.to_string())
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn entity<const N: usize>(
    uid: &EntityUid,
    attributes: [Option<Attribute>; N],
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, String> {
    let attributes = attributes.into_iter().flatten();
    Entity::new_with_tags(uid.clone(), attributes, parents, []).map_err(|error| error.to_string())
}

/// Name and value.
type Attribute = (String, RestrictedExpression);

fn text(name: &str, value: Option<&str>) -> Option<Attribute> {
    Some((
        name.to_owned(),
        RestrictedExpression::new_string(value?.to_owned()),
    ))
}

fn long(name: &str, value: Option<i64>) -> Option<Attribute> {
    Some((name.to_owned(), RestrictedExpression::new_long(value?)))
}

fn bit(name: &str, value: Option<bool>) -> Option<Attribute> {
    Some((name.to_owned(), RestrictedExpression::new_bool(value?)))
}

fn set(name: &str, values: Option<&[&str]>) -> Option<Attribute> {
    let texts = values?
        .iter()
        .map(|text| RestrictedExpression::new_string((*text).to_owned()));
    Some((name.to_owned(), RestrictedExpression::new_set(texts)))
}

/// How high a word ranks: one for the first.
fn rank(words: [&str; 3], word: Option<&str>) -> Option<i64> {
    (1..)
        .zip(words)
        .find_map(|(rank, known)| (Some(known) == word).then_some(rank))
}

impl Peer {
    /// Parses the policies.
    ///
    /// # Errors
    /// Policies that do not parse.
    pub fn new() -> Result<Peer, String> {
        let (action, role) = (name("Action")?, name("Role")?);
        let known = OPERATIONS.iter().map(|(operation, groups)| {
            let parents = groups.iter().map(|group| uid(&action, group)).collect();
            (*operation, Entity::new_no_attrs(uid(&action, operation), parents))
        });
        Ok(Peer {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(POLICIES).map_err(|error| error.to_string())?,
            user: name("User")?,
            resource: name("Resource")?,
            staff: uid(&role, "staff"),
            patient: uid(&role, "patient"),
            actions: known.collect(),
            action,
        })
    }

    /// The request and its entities, from the document that our policies see: what a service does for each request before it
    /// can ask.
    ///
    /// # Errors
    /// A document of another shape, or with escapes in its texts.
    pub fn prepare(&self, document: &str) -> Result<Prepared, String> {
        let facts: Document<'_> = serde_json::from_str(document).map_err(|error| error.to_string())?;
        let (person, record) = (&facts.principal.mannotations, &facts.resource.annotations);
        let subject = match facts.principal.sub {
            None | Some("") => "anonymous",
            Some(subject) => subject,
        };
        let (who, which) = (uid(&self.user, subject), uid(&self.resource, facts.resource.id));
        let action = match self.actions.get(facts.operation) {
            Some(action) => action.clone(),
            None => Entity::with_uid(uid(&self.action, facts.operation)),
        };
        let what = action.uid();
        let principal = [
            text("sub", Some(subject)),
            text("profession", person.profession),
            long(
                "clearance",
                rank(["clerk", "nurse", "physician"], person.profession),
            ),
            set("wards", person.wards.as_deref()),
            set("scopes", facts.principal.scopes.as_deref()),
            person.shift.map(shift).transpose()?,
        ];
        let resource = [
            text("ward", record.ward),
            text("patient", record.patient),
            long(
                "sensitivity",
                rank(["routine", "clinical", "psychiatric"], record.sensitivity),
            ),
            set("care_team", record.care_team.as_deref()),
            bit("withheld", record.withheld),
        ];
        let circumstances = &facts.context;
        let context = [
            text("network", circumstances.network),
            long("hour", circumstances.hour),
            bit("emergency", circumstances.emergency),
            bit(
                "reason_suffices",
                circumstances.reason.map(|reason| reason.chars().count() >= 10),
            ),
        ];
        let context =
            Context::from_pairs(context.into_iter().flatten()).map_err(|error| error.to_string())?;
        let entities = [
            entity(&who, principal, self.roles(&facts.principal))?,
            action,
            entity(&which, resource, [])?,
        ];
        Ok(Prepared {
            request: Request::new(who, what, which, context, None).map_err(|error| error.to_string())?,
            entities: Entities::from_entities(entities, None).map_err(|error| error.to_string())?,
        })
    }

    /// Roles by what the policies call them; each group of the clinic gives its members the role of a nurse.
    fn roles(&self, principal: &Principal<'_>) -> impl Iterator<Item = EntityUid> {
        let has = |known: &[&str]| principal.mroles.iter().any(|role| known.contains(role));
        let is_staff =
            !principal.mgroups.is_empty() || has(&["mrn:clinic:role:nurse", "mrn:clinic:role:physician"]);
        let is_patient = has(&["mrn:clinic:role:patient"]);
        let staff = is_staff.then(|| self.staff.clone());
        let patient = is_patient.then(|| self.patient.clone());
        staff.into_iter().chain(patient)
    }

    /// Decides.
    #[must_use]
    pub fn decide(&self, prepared: &Prepared) -> bool {
        let answer = self
            .authorizer
            .is_authorized(&prepared.request, &self.policies, &prepared.entities);
        answer.decision() == Decision::Allow
    }
}

fn shift(shift: Shift) -> Result<Attribute, String> {
    let members = [long("from", Some(shift.from)), long("to", Some(shift.to))];
    let record = RestrictedExpression::new_record(members.into_iter().flatten());
    Ok(("shift".to_owned(), record.map_err(|error| error.to_string())?))
}
