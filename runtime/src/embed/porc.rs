//! A PORC put together field by field.

use crate::decision::ResourceFacts;
use crate::json::{Escape, write_string};
use crate::value::Constant;

/// Builds a PORC: the fields that the engine reads by their names, and whatever policies look at beside them.
///
/// ```
/// use gavel_runtime::embed::PorcBuilder;
///
/// let porc = PorcBuilder::new("shop:order:read")
///     .subject("ann")
///     .role("mrn:iam:role:clerk")
///     .claim("mclearance", "HIGH")
///     .resource("mrn:shop:order:7")
///     .context("hour", 11)
///     .to_json();
/// assert_eq!(
///     String::from_utf8_lossy(&porc),
///     concat!(
///         r#"{"principal":{"sub":"ann","mclearance":"HIGH","mroles":["mrn:iam:role:clerk"]},"#,
///         r#""operation":"shop:order:read","resource":"mrn:shop:order:7","context":{"hour":11}}"#,
///     ),
/// );
/// ```
#[derive(Clone, Debug, Default)]
pub struct PorcBuilder {
    operation: String,
    claims: Vec<(String, Constant)>,
    roles: Vec<Constant>,
    groups: Vec<Constant>,
    scopes: Vec<Constant>,
    annotations: Vec<(String, Constant)>,
    resource: Option<Resource>,
    context: Vec<(String, Constant)>,
}

#[derive(Clone, Debug)]
enum Resource {
    Mrn(String),
    Object(String, ResourceFacts),
}

impl PorcBuilder {
    /// A PORC for an operation, by nobody, on nothing.
    #[must_use]
    pub fn new(operation: impl Into<String>) -> PorcBuilder {
        PorcBuilder {
            operation: operation.into(),
            ..PorcBuilder::default()
        }
    }

    /// `principal.sub`
    #[must_use]
    pub fn subject(self, subject: &str) -> PorcBuilder {
        self.claim("sub", subject)
    }

    /// `principal.mrealm`
    #[must_use]
    pub fn realm(self, realm: &str) -> PorcBuilder {
        self.claim("mrealm", realm)
    }

    /// Any other member of the principal. Of equal names the last counts. Roles, groups, scopes and annotations have
    /// methods of their own, whose members stand behind the claims and so win over claims of their names.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Constant>) -> PorcBuilder {
        self.claims.push((name.to_owned(), value.into()));
        self
    }

    /// One more of `principal.mroles`.
    #[must_use]
    pub fn role(mut self, mrn: &str) -> PorcBuilder {
        self.roles.push(mrn.into());
        self
    }

    /// One more of `principal.mgroups`.
    #[must_use]
    pub fn group(mut self, mrn: &str) -> PorcBuilder {
        self.groups.push(mrn.into());
        self
    }

    /// One more of `principal.scopes`. Without any, the scope phase grants.
    #[must_use]
    pub fn scope(mut self, mrn: &str) -> PorcBuilder {
        self.scopes.push(mrn.into());
        self
    }

    /// One more of `principal.mannotations`.
    #[must_use]
    pub fn annotation(mut self, name: &str, value: impl Into<Constant>) -> PorcBuilder {
        self.annotations.push((name.to_owned(), value.into()));
        self
    }

    /// The resource by its MRN: its group and annotations are looked up.
    #[must_use]
    pub fn resource(mut self, mrn: &str) -> PorcBuilder {
        self.resource = Some(Resource::Mrn(mrn.to_owned()));
        self
    }

    /// The resource with everything that is known of it: nothing is looked up, and without a group it is denied.
    #[must_use]
    pub fn resource_object(mut self, mrn: &str, facts: ResourceFacts) -> PorcBuilder {
        self.resource = Some(Resource::Object(mrn.to_owned(), facts));
        self
    }

    /// One more member of `context`.
    #[must_use]
    pub fn context(mut self, name: &str, value: impl Into<Constant>) -> PorcBuilder {
        self.context.push((name.to_owned(), value.into()));
        self
    }

    /// The PORC as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Appends the PORC as JSON. What JSON cannot hold (a number that is no JSON, an object whose keys are no strings) makes
    /// it unreadable, so that the request is refused.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"principal\":{");
        let mut first = true;
        for (name, value) in &self.claims {
            key(name, &mut first, out);
            json(value, out);
        }
        for (name, list) in [
            ("mroles", &self.roles),
            ("mgroups", &self.groups),
            ("scopes", &self.scopes),
        ] {
            if !list.is_empty() {
                key(name, &mut first, out);
                items(list, out);
            }
        }
        if !self.annotations.is_empty() {
            key("mannotations", &mut first, out);
            members(&self.annotations, out);
        }
        out.extend_from_slice(b"},\"operation\":");
        write_string(out, &self.operation, Escape::Plain);
        match &self.resource {
            None => {}
            Some(Resource::Mrn(mrn)) => {
                out.extend_from_slice(b",\"resource\":");
                write_string(out, mrn, Escape::Plain);
            }
            Some(Resource::Object(mrn, facts)) => {
                out.extend_from_slice(b",\"resource\":");
                resource(mrn, facts, out);
            }
        }
        if !self.context.is_empty() {
            out.extend_from_slice(b",\"context\":");
            members(&self.context, out);
        }
        out.push(b'}');
    }
}

fn resource(mrn: &str, facts: &ResourceFacts, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    write_string(out, mrn, Escape::Plain);
    let mut first = false;
    for (name, text) in [
        ("group", &facts.group),
        ("owner", &facts.owner),
        ("classification", &facts.classification),
    ] {
        key(name, &mut first, out);
        write_string(out, text, Escape::Plain);
    }
    key("annotations", &mut first, out);
    members(&facts.annotations, out);
    out.push(b'}');
}

fn key(name: &str, first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
    write_string(out, name, Escape::Plain);
    out.push(b':');
}

fn members(members: &[(String, Constant)], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (name, value) in members {
        key(name, &mut first, out);
        json(value, out);
    }
    out.push(b'}');
}

fn items(items: &[Constant], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json(item, out);
    }
    out.push(b']');
}

/// Recursive over the nesting, as all that walks constants.
fn json(value: &Constant, out: &mut Vec<u8>) {
    match value {
        Constant::Null => out.extend_from_slice(b"null"),
        Constant::Bool(true) => out.extend_from_slice(b"true"),
        Constant::Bool(false) => out.extend_from_slice(b"false"),
        Constant::Int(int) => out.extend_from_slice(int.to_string().as_bytes()),
        Constant::Number(text) => out.extend_from_slice(text.as_bytes()),
        Constant::String(text) => write_string(out, text, Escape::Plain),
        Constant::Array(list) | Constant::Set(list) => items(list, out),
        Constant::Object(entries) => {
            out.push(b'{');
            for (at, (name, member)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                json(name, out);
                out.push(b':');
                json(member, out);
            }
            out.push(b'}');
        }
    }
}
