//! The request as the decision reads it: principal, operation, resource, and the document that policies see.
//!
//! The fields are read through slots of the program, filled in the same walk over the body that fills the slots of the policies.
//! Then `resource` and `principal.mannotations` are replaced by what the image knows about them.
//!
//! As in the reference engine: a principal that is no object has no roles, groups, scopes or annotations; members of lists
//! that are no strings are left out; a resource given as a string gets the group and annotations of the first selector that
//! matches, else the default group; `mannotations` is replaced by what PORC, scopes, groups and roles say together.

use super::annotations::{Annotation, layer_of, merge, object};
use super::facts::{Facts, Resolution, ResourceFacts};
use crate::bytecode::{RawProgram, SlotId};
use crate::error::EvalErrorKind;
use crate::image::{Image, Layer, SelectorCaches};
use crate::value::{Entry, Kind, Value};
use crate::vm::Request;

/// Slots of the program that the decision itself reads.
#[derive(Clone, Copy, Debug)]
pub struct PorcSlots {
    document: SlotId,
    principal: SlotId,
    subject: SlotId,
    realm: SlotId,
    roles: SlotId,
    groups: SlotId,
    scopes: SlotId,
    mannotations: SlotId,
    operation: SlotId,
    resource: SlotId,
    id: SlotId,
    owner: SlotId,
    group: SlotId,
    classification: SlotId,
    annotations: SlotId,
}

impl PorcSlots {
    /// Asks for the slots, before the program is verified.
    /// `None`: the program has too many slots.
    pub(crate) fn intern(program: &mut RawProgram) -> Option<PorcSlots> {
        let mut slot = |path: &[&str]| program.intern_slot(path);
        Some(PorcSlots {
            document: slot(&[])?,
            principal: slot(&["principal"])?,
            subject: slot(&["principal", "sub"])?,
            realm: slot(&["principal", "mrealm"])?,
            roles: slot(&["principal", "mroles"])?,
            groups: slot(&["principal", "mgroups"])?,
            scopes: slot(&["principal", "scopes"])?,
            mannotations: slot(&["principal", "mannotations"])?,
            operation: slot(&["operation"])?,
            resource: slot(&["resource"])?,
            id: slot(&["resource", "id"])?,
            owner: slot(&["resource", "owner"])?,
            group: slot(&["resource", "group"])?,
            classification: slot(&["resource", "classification"])?,
            annotations: slot(&["resource", "annotations"])?,
        })
    }
}

/// The strings of an array member; other elements and other types count as nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Names<'r> {
    elements: &'r [Value<'r>],
}

impl<'r> Names<'r> {
    fn of(value: Option<Value<'r>>) -> Names<'r> {
        match value.map(Value::kind) {
            Some(Kind::Array(elements)) => Names { elements },
            _ => Names::default(),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'r str> {
        self.elements.iter().filter_map(|element| match element.kind() {
            Kind::String(text) => Some(text),
            _ => None,
        })
    }

    pub(super) fn len(self) -> usize {
        self.elements.len()
    }

    /// Whether every element is a string.
    fn all_strings(self) -> bool {
        self.iter().count() == self.elements.len()
    }
}

/// What the decision needs of the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Porc<'r> {
    pub(super) subject: &'r str,
    pub(super) realm: &'r str,
    pub(super) roles: Names<'r>,
    pub(super) groups: Names<'r>,
    pub(super) scopes: Names<'r>,
    /// `scopes` is there and is neither null nor an array of strings. The reference takes that for no scopes, which grant.
    pub(super) scopes_malformed: bool,
    pub(super) operation: &'r str,
    /// MRN as sent.
    pub(super) resource: &'r str,
    /// MRN of the resource's group, empty when it has none.
    pub(super) resource_group: &'r str,
    /// A resource MRN that no selector and no default group takes.
    pub(super) resource_unknown: bool,
    /// Annotations that JSON cannot hold: why.
    pub(super) unprintable: Option<&'static str>,
}

fn text<'r>(request: &Request<'r>, slot: SlotId) -> &'r str {
    request.slot_text(slot).unwrap_or_default()
}

/// Reads the request and puts resource and annotations into the document that policies see.
pub(super) fn realise<'r>(
    image: &'r Image,
    caches: &mut SelectorCaches,
    request: &mut Request<'r>,
    facts: &mut Facts<'_>,
) -> Result<Porc<'r>, EvalErrorKind> {
    let slots = image.porc_slots();
    let scopes = request.slot(slots.scopes)?;
    let mut porc = Porc {
        subject: text(request, slots.subject),
        realm: text(request, slots.realm),
        roles: Names::of(request.slot(slots.roles)?),
        groups: Names::of(request.slot(slots.groups)?),
        scopes: Names::of(scopes),
        scopes_malformed: false,
        operation: text(request, slots.operation),
        resource: "",
        resource_group: "",
        resource_unknown: false,
        unprintable: None,
    };
    porc.scopes_malformed = match scopes.map(Value::kind) {
        None | Some(Kind::Null) => false,
        Some(Kind::Array(_)) => !porc.scopes.all_strings(),
        Some(_) => true,
    };
    let recorded = matches!(facts, Facts::Recorded);
    if recorded && request.slot_is_object(slots.resource) {
        porc.resource = text(request, slots.id);
        porc.resource_group = text(request, slots.group);
    } else {
        let resource = match resolved(request, slots.resource, &mut porc, facts)? {
            Some(resource) => resource,
            None => realise_resource(image, caches, request, &mut porc)?,
        };
        if image.has_unprintable_annotations() || matches!(facts, Facts::Resolver(_)) {
            porc.unprintable = unprintable(resource);
        }
        request.replace_input(&["resource"], resource)?;
    }
    if request.slot_has_members(slots.principal) && !(recorded && request.slot_is_object(slots.mannotations))
    {
        let merged = principal_annotations(image, request, &porc)?;
        if image.has_unprintable_annotations() {
            porc.unprintable = porc.unprintable.or(unprintable(merged));
        }
        request.replace_input(&["principal", "mannotations"], merged)?;
    }
    Ok(porc)
}

/// What the resolver says of a resource given by MRN; `None`: the image is to be asked.
fn resolved<'r>(
    request: &mut Request<'r>,
    slot: SlotId,
    porc: &mut Porc<'r>,
    facts: &mut Facts<'_>,
) -> Result<Option<Value<'r>>, EvalErrorKind> {
    let (Facts::Resolver(resolver), Some(mrn)) = (facts, request.slot_text(slot)) else {
        return Ok(None);
    };
    let found = match resolver.resolve(mrn) {
        Resolution::AskImage => return Ok(None),
        Resolution::Found(found) => found,
        Resolution::Unknown => {
            porc.resource_unknown = true;
            ResourceFacts::default()
        }
    };
    let arena = request.arena();
    porc.resource = mrn;
    porc.resource_group = arena.text(&found.group)?;
    let annotations = found.annotation_object().map(|object| object.to_value(arena));
    let members = [
        annotations.transpose()?,
        member(arena.text(&found.classification)?),
        member(porc.resource_group),
        member(mrn),
        member(arena.text(&found.owner)?),
    ];
    resource_object(request, members).map(Some)
}

fn realise_resource<'r>(
    image: &'r Image,
    caches: &mut SelectorCaches,
    request: &mut Request<'r>,
    porc: &mut Porc<'r>,
) -> Result<Value<'r>, EvalErrorKind> {
    let slots = image.porc_slots();
    if let Some(mrn) = request.slot_text(slots.resource) {
        porc.resource = mrn;
        let Some(found) = image.find_resource(caches, mrn) else {
            porc.resource_unknown = true;
            return resource_object(request, [None, None, None, member(mrn), None]);
        };
        porc.resource_group = &found.group;
        let annotations = (!found.layer.is_empty()).then(|| image.annotation_object(found.layer));
        return resource_object(
            request,
            [annotations, None, member(&found.group), member(mrn), None],
        );
    }
    porc.resource = text(request, slots.id);
    porc.resource_group = text(request, slots.group);
    let annotations = request
        .slot(slots.annotations)?
        .filter(|sent| has_members(Some(*sent)));
    let classification = member(text(request, slots.classification));
    let owner = member(text(request, slots.owner));
    resource_object(
        request,
        [
            annotations,
            classification,
            member(porc.resource_group),
            member(porc.resource),
            owner,
        ],
    )
}

/// Why JSON cannot hold a value, in the words of Go's encoder. Only YAML brings in such values, so the nesting is that of
/// a PolicyDomain.
fn unprintable(value: Value<'_>) -> Option<&'static str> {
    match value.kind() {
        Kind::Number("+Inf") => Some("json: unsupported value: +Inf"),
        Kind::Number("-Inf") => Some("json: unsupported value: -Inf"),
        Kind::Number("NaN") => Some("json: unsupported value: NaN"),
        Kind::Array(items) | Kind::Set(items) => items.iter().copied().find_map(unprintable),
        Kind::Object(entries) => entries.iter().find_map(|entry| match entry.key.kind() {
            Kind::String(_) => unprintable(entry.value),
            _ => Some("json: unsupported type: map[interface {}]interface {}"),
        }),
        _ => None,
    }
}

fn has_members(value: Option<Value<'_>>) -> bool {
    matches!(value.map(Value::kind), Some(Kind::Object([_, ..])))
}

/// The document that policies see.
pub(super) fn document<'r>(image: &Image, request: &mut Request<'r>) -> Result<Value<'r>, EvalErrorKind> {
    Ok(request
        .slot(image.porc_slots().document)?
        .unwrap_or(Value::object(&[])))
}

fn member(text: &str) -> Option<Value<'_>> {
    (!text.is_empty()).then(|| Value::string(text))
}

/// The resource as policies see it; `members` in the order of their names.
fn resource_object<'r>(
    request: &Request<'r>,
    members: [Option<Value<'r>>; 5],
) -> Result<Value<'r>, EvalErrorKind> {
    const NAMES: [&str; 5] = ["annotations", "classification", "group", "id", "owner"];
    let mut entries = request.arena().list(NAMES.len())?;
    for (name, value) in NAMES.into_iter().zip(members) {
        if let Some(value) = value {
            entries.push(Entry {
                key: Value::string(name),
                value,
            });
        }
    }
    Ok(Value::object(entries.into_bump_slice()))
}

/// PORC over scopes over groups over roles, each in request order; unknown names say nothing.
fn principal_annotations<'r>(
    image: &'r Image,
    request: &mut Request<'r>,
    porc: &Porc<'r>,
) -> Result<Value<'r>, EvalErrorKind> {
    let sent = request.slot(image.porc_slots().mannotations)?;
    let mut layers = Layers {
        image,
        arena: request.arena(),
        state: State::Empty,
    };
    if let Some(Kind::Object(entries @ [_, ..])) = sent.map(Value::kind) {
        layers.state = State::Merged(layer_of(layers.arena, entries)?);
    }
    for scope in porc.scopes.iter() {
        layers.under(image.find_scope(scope).map(|s| s.layer))?;
    }
    for group in porc.groups.iter() {
        layers.under(image.find_group(group).map(|g| g.layer))?;
    }
    let roles = super::phase::role_set(image, layers.arena, porc)?;
    for role in roles.iter().filter_map(|role| role.index) {
        layers.under(image.role(role).map(|r| r.layer))?;
    }
    layers.into_object()
}

struct Layers<'r> {
    image: &'r Image,
    arena: &'r crate::arena::Arena,
    state: State<'r>,
}

/// Most principals have at most one layer; that one is a constant of the image.
enum State<'r> {
    Empty,
    One(Layer),
    Merged(&'r [Annotation<'r>]),
}

impl<'r> Layers<'r> {
    fn under(&mut self, layer: Option<Layer>) -> Result<(), EvalErrorKind> {
        let Some(layer) = layer.filter(|layer| !layer.is_empty()) else {
            return Ok(());
        };
        let higher = match self.state {
            State::Empty => {
                self.state = State::One(layer);
                return Ok(());
            }
            State::One(higher) => self.load(higher)?,
            State::Merged(higher) => higher,
        };
        self.state = State::Merged(merge(self.arena, self.load(layer)?, higher)?);
        Ok(())
    }

    fn load(&self, layer: Layer) -> Result<&'r [Annotation<'r>], EvalErrorKind> {
        let annotations = self.image.annotations(layer);
        let mut list = self.arena.list(annotations.len())?;
        list.extend(annotations);
        Ok(list.into_bump_slice())
    }

    fn into_object(self) -> Result<Value<'r>, EvalErrorKind> {
        match self.state {
            State::Empty => Ok(Value::object(&[])),
            State::One(layer) => Ok(self.image.annotation_object(layer)),
            State::Merged(layer) => object(self.arena, layer),
        }
    }
}
