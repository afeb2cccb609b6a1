//! The document that policies see, as JSON: what was sent, with what resource and principal are by the image.
//!
//! A decision puts that into cells (`porc.rs`, `said.rs`) and seldom needs an object around them. Who shows the document needs all
//! of it and no cell, so here no object is made anew: what differs from what was sent is written in its place.

use super::principal::Belongings;
use super::said::{Said, Whole, has_members};
use crate::arena::Arena;
use crate::error::EvalErrorKind;
use crate::image::{Image, Selectors, Texts};
use crate::json::{self, Escape, Page};
use crate::value::{Entry, Kind, Object, Value};

/// The document.
pub(super) struct Seen<'r> {
    said: Said<'r>,
    sent: Object<'r>,
    /// What the principal's annotations are.
    mannotations: Whole<'r>,
    resource: Resource<'r>,
}

/// The resource, whose members are left out where they are empty.
#[derive(Default)]
struct Resource<'r> {
    /// None where none are said.
    annotations: Whole<'r>,
    classification: &'r str,
    group: &'r str,
    id: &'r str,
    owner: &'r str,
}

/// A member of what was sent, if that is an object which has one.
fn member<'r>(sent: Value<'r>, name: &'static str) -> Option<Value<'r>> {
    sent.index(Value::string(name))
}

fn members(sent: Value<'_>) -> Object<'_> {
    match sent.kind() {
        Kind::Object(members) => members,
        _ => &[],
    }
}

impl<'r> Seen<'r> {
    /// The document that the image makes of what was sent.
    pub(super) fn new(
        image: &'r Image,
        selectors: &mut Selectors,
        arena: &'r Arena,
        sent: Value<'r>,
    ) -> Result<Seen<'r>, EvalErrorKind> {
        let resource = Resource::new(image, selectors, member(sent, "resource"));
        let mut said = Said {
            image,
            who: Belongings::default(),
        };
        let mannotations = match member(sent, "principal") {
            Some(principal) if has_members(principal) => {
                let lists = ["mroles", "mgroups", "scopes"].map(|name| member(principal, name));
                said.who = Belongings::find(image, arena, lists)?;
                said.whole(arena, member(principal, "mannotations"))?
            }
            _ => Whole::Sent,
        };
        Ok(Seen {
            said,
            sent: members(sent),
            mannotations,
            resource,
        })
    }

    /// Appends its JSON, as [`json::write`] does; `texts` are those that were written before with the same
    /// escapes, if somebody keeps them. `None`: it has none, whatever was appended.
    pub(super) fn write(
        &self,
        page: &mut Page<'_>,
        arena: &'r Arena,
        escape: Escape,
        texts: Option<&mut Texts>,
    ) -> Option<()> {
        let mut writing = Writing {
            page,
            arena,
            escape,
            texts,
            said: self.said,
        };
        writing.object_with(
            self.sent,
            "resource",
            |writing| writing.resource(&self.resource),
            |writing, entry| match (&self.mannotations, entry.key.as_str()) {
                (mannotations @ (Whole::Value(_) | Whole::Layers(..)), Some("principal")) => {
                    writing.principal(entry.value, mannotations)
                }
                _ => writing.member(entry),
            },
        )
    }
}

impl<'r> Resource<'r> {
    fn new(image: &'r Image, selectors: &mut Selectors, sent: Option<Value<'r>>) -> Resource<'r> {
        let Some(sent) = sent else {
            return Resource::default();
        };
        if let Some(mrn) = sent.as_str() {
            let Some(found) = image.find_resource(selectors, mrn) else {
                return Resource {
                    id: mrn,
                    ..Resource::default()
                };
            };
            return Resource {
                annotations: Whole::of(image, found.layer),
                group: &found.group,
                id: mrn,
                ..Resource::default()
            };
        }
        let text = |name| member(sent, name).and_then(Value::as_str).unwrap_or_default();
        let annotations = member(sent, "annotations").filter(|it| has_members(*it));
        Resource {
            annotations: annotations.map_or(Whole::Sent, Whole::Value),
            classification: text("classification"),
            group: text("group"),
            id: text("id"),
            owner: text("owner"),
        }
    }
}

/// A document on its way to the page.
struct Writing<'w, 'o, 'r> {
    page: &'w mut Page<'o>,
    arena: &'r Arena,
    escape: Escape,
    texts: Option<&'w mut Texts>,
    said: Said<'r>,
}

impl<'r> Writing<'_, '_, 'r> {
    /// Appends an object of which one member, whether it was sent or not, is written by `other`.
    #[inline(always)]
    fn object_with(
        &mut self,
        sent: Object<'r>,
        name: &str,
        other: impl Fn(&mut Self) -> Option<()>,
        member: impl Fn(&mut Self, &Entry<'r>) -> Option<()>,
    ) -> Option<()> {
        self.page.put(b"{");
        let before = sent.partition_point(|entry| entry.key.as_str().is_some_and(|key| key < name));
        let (before, rest) = sent.split_at_checked(before)?;
        for entry in before {
            member(self, entry)?;
        }
        other(self)?;
        let behind = match rest {
            [same, behind @ ..] if same.key.as_str() == Some(name) => behind,
            behind => behind,
        };
        for entry in behind {
            member(self, entry)?;
        }
        self.page.end_with(b'}');
        Some(())
    }

    fn member(&mut self, entry: &Entry<'r>) -> Option<()> {
        json::write_member(self.page, entry.key.as_str()?, entry.value, self.escape).ok()
    }

    fn principal(&mut self, sent: Value<'r>, mannotations: &Whole<'r>) -> Option<()> {
        self.page.put(b"\"principal\":");
        self.object_with(
            members(sent),
            "mannotations",
            |writing| {
                writing.page.put(b"\"mannotations\":");
                writing.whole(mannotations)
            },
            |writing, entry| writing.member(entry),
        )?;
        self.page.put(b",");
        Some(())
    }

    fn resource(&mut self, resource: &Resource<'r>) -> Option<()> {
        self.page.put(b"\"resource\":{");
        let begin = self.page.len();
        if !matches!(resource.annotations, Whole::Sent) {
            self.page.put(b"\"annotations\":");
            self.whole(&resource.annotations)?;
        }
        self.text(b"\"classification\":", resource.classification);
        self.text(b"\"group\":", resource.group);
        self.text(b"\"id\":", resource.id);
        self.text(b"\"owner\":", resource.owner);
        if self.page.len() > begin {
            self.page.end_with(b'}');
        } else {
            self.page.put(b"}");
        }
        self.page.put(b",");
        Some(())
    }

    /// Appends what is said together, and a comma.
    fn whole(&mut self, whole: &Whole<'r>) -> Option<()> {
        match whole {
            Whole::Sent => {}
            Whole::Value(value) => json::write_on(self.page, *value, self.escape).ok()?,
            Whole::Layers(layers, first) => match self.texts.as_ref().and_then(|texts| texts.find(layers)) {
                Some(text) => self.page.put_all(text),
                None => {
                    let begin = self.page.len();
                    let value = self.said.of_layers(self.arena, (layers, *first)).ok()?;
                    json::write_on(self.page, value, self.escape).ok()?;
                    if let Some(texts) = &mut self.texts {
                        texts.keep(layers, self.page.since(begin));
                    }
                }
            },
        }
        self.page.put(b",");
        Some(())
    }

    /// Appends a member, unless it is empty.
    #[inline(always)]
    fn text<const N: usize>(&mut self, name: &[u8; N], text: &str) {
        if !text.is_empty() {
            self.page.put(name);
            self.page.text_and(text, self.escape, b',');
        }
    }
}
