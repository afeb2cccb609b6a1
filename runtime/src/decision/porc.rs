//! The request as the decision reads it: principal, operation, resource, and the document that policies see.
//!
//! The fields are read from the cells of the slots that they asked for, filled in the same walk over the body that fills those of the
//! policies. Then the cells of `resource` and `principal.mannotations` get what the image knows about them; the objects around
//! them are built only if somebody asks for one as a whole.
//!
//! As in the reference engine: a principal that is no object has no roles, groups, scopes or annotations; members of lists
//! that are no strings are left out; a resource given as a string gets the group and annotations of the first selector that
//! matches, else the default group; `mannotations` is replaced by what PORC, scopes, groups and roles say together.

use super::facts::{Facts, Resolution, ResourceFacts};
use super::principal::Belongings;
use super::said::Said;
use crate::bytecode::{Program, RawProgram, SlotId};
use crate::error::EvalErrorKind;
use crate::image::{Image, Selectors, Together};
use crate::value::{Kind, Value};
use crate::vm::Request;

/// What of the input the decision itself reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PorcPlaces<T> {
    document: T,
    principal: T,
    subject: T,
    realm: T,
    roles: T,
    groups: T,
    scopes: T,
    mannotations: T,
    operation: T,
    resource: T,
    id: T,
    owner: T,
    group: T,
    classification: T,
    annotations: T,
}

/// The slots, which are asked for before the program is verified.
pub(crate) type PorcSlots = PorcPlaces<SlotId>;

/// The cells that the slots are in a verified program.
pub(crate) type PorcCells = PorcPlaces<u16>;

impl PorcSlots {
    /// Asks for the slots, before the program is verified.
    /// `None`: the program has too many slots.
    pub(crate) fn intern(program: &mut RawProgram) -> Option<PorcSlots> {
        let mut slot = |path: &[&str]| program.intern_slot(path);
        Some(PorcPlaces {
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

    /// Their cells.
    pub(crate) fn cells(&self, program: &Program) -> PorcCells {
        let cell = |slot| program.cell_of(slot);
        PorcPlaces {
            document: cell(self.document),
            principal: cell(self.principal),
            subject: cell(self.subject),
            realm: cell(self.realm),
            roles: cell(self.roles),
            groups: cell(self.groups),
            scopes: cell(self.scopes),
            mannotations: cell(self.mannotations),
            operation: cell(self.operation),
            resource: cell(self.resource),
            id: cell(self.id),
            owner: cell(self.owner),
            group: cell(self.group),
            classification: cell(self.classification),
            annotations: cell(self.annotations),
        }
    }
}

impl PorcCells {
    /// Where annotations stand: those of the principal, those of the resource.
    pub(crate) fn annotations(&self) -> [u16; 2] {
        [self.mannotations, self.annotations]
    }

    /// Cells right below the resource that stand for none of its members as policies see it.
    pub(crate) fn resource_strangers(&self, program: &Program) -> Box<[u16]> {
        let members = [
            self.annotations,
            self.classification,
            self.group,
            self.id,
            self.owner,
        ];
        let kids = program.trie.kids_of(self.resource);
        let cells = kids
            .into_iter()
            .flat_map(|kids| kids.iter().map(|(_, cell)| cell));
        cells.filter(|cell| !members.contains(cell)).collect()
    }
}

const RESOURCE: [Value<'static>; 1] = [Value::string("resource")];
const MANNOTATIONS: [Value<'static>; 2] = [Value::string("principal"), Value::string("mannotations")];

/// What the decision needs of the request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Porc<'r> {
    pub(super) subject: &'r str,
    pub(super) realm: &'r str,
    pub(super) who: Belongings<'r>,
    pub(super) operation: &'r str,
    /// MRN as sent.
    pub(super) resource: &'r str,
    /// MRN of the resource's group, empty when it has none.
    pub(super) resource_group: &'r str,
    /// Index of that group's policy; `None`: there is no such group.
    pub(super) resource_policy: Option<u32>,
    /// A resource MRN that no selector and no default group takes.
    pub(super) resource_unknown: bool,
    /// Annotations that JSON cannot hold: why.
    pub(super) unprintable: Option<&'static str>,
}

fn text<'r>(request: &Request<'r>, cell: u16) -> &'r str {
    request.cell_text(cell).unwrap_or_default()
}

/// Reads the request and puts resource and annotations into the document that policies see. `porc` is empty: a value of its
/// size would be copied twice on its way through a result.
pub(super) fn realise<'r>(
    image: &'r Image,
    (selectors, together): (&mut Selectors, &'r mut Together),
    request: &mut Request<'r>,
    facts: &mut Facts<'_>,
    porc: &mut Porc<'r>,
) -> Result<(), EvalErrorKind> {
    let cells = image.porc_cells();
    let lists = [
        request.cell(cells.roles)?,
        request.cell(cells.groups)?,
        request.cell(cells.scopes)?,
    ];
    porc.subject = text(request, cells.subject);
    porc.realm = text(request, cells.realm);
    porc.who = Belongings::find(image, request.arena(), lists)?;
    porc.operation = text(request, cells.operation);
    let recorded = matches!(facts, Facts::Recorded);
    let is_object = request.cell_has_members(cells.resource).is_some();
    if is_object {
        porc.resource = text(request, cells.id);
        porc.resource_group = text(request, cells.group);
    }
    let mrn = request.cell_text(cells.resource);
    if mrn.is_none() {
        porc.resource_policy = policy_of(image, porc.resource_group);
    }
    if !(recorded && is_object) {
        match mrn {
            Some(mrn) => find_resource(image, selectors, request, porc, facts, mrn)?,
            None => clean_resource(cells, request),
        }
        request.gather_cell(cells.resource, image.resource_strangers());
        request.outdate_cell(cells.document, &RESOURCE, cells.resource)?;
    }
    let has_members = request.cell_has_members(cells.principal) == Some(true);
    if has_members && !(recorded && request.cell_has_members(cells.mannotations).is_some()) {
        let said = Said { image, who: porc.who };
        let has_changed = said.settle(request, cells.mannotations, together)?;
        if image.has_unprintable_annotations() {
            let said = request.cell(cells.mannotations)?;
            porc.unprintable = porc.unprintable.or(said.and_then(unprintable));
        }
        if has_changed {
            let [principal, mannotations] = &MANNOTATIONS;
            request.outdate_cell(
                cells.principal,
                std::slice::from_ref(mannotations),
                cells.mannotations,
            )?;
            request.outdate_cell(cells.document, std::slice::from_ref(principal), cells.principal)?;
        }
    }
    Ok(())
}

/// Index of the policy of a resource group.
fn policy_of(image: &Image, group: &str) -> Option<u32> {
    image.find_resource_group(group).map(|group| group.policy)
}

/// What resolver and image say of a resource given by MRN.
#[inline(always)]
fn find_resource<'r>(
    image: &'r Image,
    selectors: &mut Selectors,
    request: &mut Request<'r>,
    porc: &mut Porc<'r>,
    facts: &mut Facts<'_>,
    mrn: &'r str,
) -> Result<(), EvalErrorKind> {
    porc.resource = mrn;
    let cells = image.porc_cells();
    // It was sent as a text, so that nothing stands below it yet.
    if let Some([annotations, classification, owner]) = resolved(request, porc, facts, mrn)? {
        porc.resource_policy = policy_of(image, porc.resource_group);
        porc.unprintable = annotations.and_then(unprintable);
        request.settle_cell(cells.annotations, annotations);
        request.settle_cell(cells.classification, classification);
        request.settle_cell(cells.owner, owner);
    } else if let Some(found) = image.find_resource(selectors, mrn) {
        porc.resource_group = &found.group;
        porc.resource_policy = Some(found.policy);
        if !found.layer.is_empty() {
            if image.has_unprintable_annotations() {
                porc.unprintable = unprintable(image.annotation_object(found.layer));
            }
            request.settle_known_cell(cells.annotations, image.layer_cells(found.layer));
        }
    } else {
        porc.resource_unknown = true;
    }
    request.settle_cell(cells.group, member(porc.resource_group));
    request.settle_cell(cells.id, member(mrn));
    Ok(())
}

/// What a resolver says: annotations, classification and owner; `None`: the image is to be asked.
fn resolved<'r>(
    request: &Request<'r>,
    porc: &mut Porc<'r>,
    facts: &mut Facts<'_>,
    mrn: &str,
) -> Result<Option<[Option<Value<'r>>; 3]>, EvalErrorKind> {
    let Facts::Resolver(resolver) = facts else {
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
    porc.resource_group = arena.text(&found.group)?;
    let annotations = found.annotation_object().map(|object| object.to_value(arena));
    Ok(Some([
        annotations.transpose()?,
        member(arena.text(&found.classification)?),
        member(arena.text(&found.owner)?),
    ]))
}

/// A resource that was sent as an object keeps the members that have the right types and are not empty.
fn clean_resource(cells: &PorcCells, request: &mut Request<'_>) {
    if request.cell_has_members(cells.annotations) != Some(true) {
        request.settle_cell(cells.annotations, None);
    }
    for cell in [cells.classification, cells.group, cells.id, cells.owner] {
        if request.cell_text(cell).is_none_or(str::is_empty) {
            request.settle_cell(cell, None);
        }
    }
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

/// The document that policies see.
pub(super) fn document<'r>(image: &Image, request: &mut Request<'r>) -> Result<Value<'r>, EvalErrorKind> {
    Ok(request
        .cell(image.porc_cells().document)?
        .unwrap_or(Value::object(&[])))
}

fn member(text: &str) -> Option<Value<'_>> {
    (!text.is_empty()).then(|| Value::string(text))
}
