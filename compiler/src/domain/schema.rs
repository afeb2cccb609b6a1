//! A PolicyDomain file as written, typed: one struct for each kind of entry, with places.
//!
//! The three API versions differ little: v1alpha3 has no `resources`, no `merge` and no `annotation-defaults` (they are
//! ignored there), and only v1beta1 takes annotation values of any type.

use std::collections::HashMap;
use std::sync::Arc;

use super::annotations;
use super::decode::{Decoder, Fields, Text};
use super::yaml::{Document, NodeId};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};
use gavel_runtime::value::Constant;

/// Version of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiVersion {
    /// `iamlite.manetu.io/v1alpha3`
    V1Alpha3,
    /// `iamlite.manetu.io/v1alpha4`
    V1Alpha4,
    /// `iamlite.manetu.io/v1beta1`
    V1Beta1,
}

impl ApiVersion {
    fn parse(text: &str) -> Option<ApiVersion> {
        match text.strip_prefix("iamlite.manetu.io/")? {
            "v1alpha3" => Some(ApiVersion::V1Alpha3),
            "v1alpha4" => Some(ApiVersion::V1Alpha4),
            "v1beta1" => Some(ApiVersion::V1Beta1),
            _ => None,
        }
    }
}

/// One file.
#[derive(Clone, Debug)]
pub struct PolicyDomain {
    /// The file.
    pub file: FileId,
    /// `apiVersion`
    pub version: ApiVersion,
    /// `metadata.name`
    pub name: Text,
    /// `spec.annotation-defaults.merge`
    pub default_merge: Text,
    /// `policy-libraries`
    pub libraries: Vec<Module>,
    /// `policies`
    pub policies: Vec<Module>,
    /// `roles`
    pub roles: Vec<PolicyEntry>,
    /// `groups`
    pub groups: Vec<Group>,
    /// `resource-groups`
    pub resource_groups: Vec<PolicyEntry>,
    /// `scopes`
    pub scopes: Vec<PolicyEntry>,
    /// `operations`
    pub operations: Vec<Operation>,
    /// `mappers`
    pub mappers: Vec<Mapper>,
    /// `resources`
    pub resources: Vec<Resource>,
    /// Keys that nothing reads.
    pub warnings: Vec<Diagnostic>,
}

/// A policy or a library.
#[derive(Clone, Debug)]
pub struct Module {
    /// The entry.
    pub span: Span,
    /// `mrn`
    pub mrn: Text,
    /// `rego`
    pub rego: Text,
    /// `dependencies`
    pub dependencies: Vec<Text>,
}

/// A role, scope or resource group.
#[derive(Clone, Debug)]
pub struct PolicyEntry {
    /// The entry.
    pub span: Span,
    /// `mrn`
    pub mrn: Text,
    /// `policy`
    pub policy: Text,
    /// `default`
    pub is_default: bool,
    /// `annotations`
    pub annotations: Vec<Annotation>,
}

/// A group of roles.
#[derive(Clone, Debug)]
pub struct Group {
    /// The entry.
    pub span: Span,
    /// `mrn`
    pub mrn: Text,
    /// `roles`
    pub roles: Vec<Text>,
    /// `annotations`
    pub annotations: Vec<Annotation>,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The entry.
    pub span: Span,
    /// `mrn`, which only people read.
    pub mrn: Text,
    /// `name`
    pub name: Text,
    /// `selector`
    pub selectors: Vec<Text>,
    /// `policy`
    pub policy: Text,
}

/// A mapper.
#[derive(Clone, Debug)]
pub struct Mapper {
    /// The entry.
    pub span: Span,
    /// `mrn`, which only people read.
    pub mrn: Text,
    /// `name`
    pub name: Text,
    /// `selector`
    pub selectors: Vec<Text>,
    /// `rego`
    pub rego: Text,
}

/// A resource entry.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The entry.
    pub span: Span,
    /// `mrn`, which only people read.
    pub mrn: Text,
    /// `name`
    pub name: Text,
    /// `selector`
    pub selectors: Vec<Text>,
    /// `group`
    pub group: Text,
    /// `annotations`
    pub annotations: Vec<Annotation>,
}

/// One annotation.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// `name`
    pub name: Text,
    /// `value`, decoded.
    pub value: Constant,
    /// `merge`; empty where the version has none.
    pub merge: Text,
}

/// Types a document.
///
/// # Errors
/// Everything in it that is not a PolicyDomain of a known version.
pub fn decode(file: FileId, document: &Document) -> Result<PolicyDomain, Vec<Diagnostic>> {
    let mut decoder = Decoder {
        document,
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let top = decoder.fields(document.root(), "PolicyDomain");
    let kind = decoder.text_field(&top, "kind");
    if !decoder.problems.is_empty() {
        return Err(decoder.problems);
    }
    if &*kind.text != "PolicyDomain" {
        let message = format!("expected PolicyDomain got {}", kind.text);
        let help = "a policy domain starts with `kind: PolicyDomain`";
        return Err(vec![
            Diagnostic::error(Code::Domain, kind.span, message).help(help),
        ]);
    }
    let version = decoder.text_field(&top, "apiVersion");
    let Some(api) = ApiVersion::parse(&version.text) else {
        let message = format!("unsupported PolicyDomain API Version {}", version.text);
        let help = "known are iamlite.manetu.io/v1alpha3, /v1alpha4 and /v1beta1";
        decoder
            .problems
            .push(Diagnostic::error(Code::Domain, version.span, message).help(help));
        return Err(decoder.problems);
    };
    let metadata = decoder.record_field(&top, "metadata");
    let name = decoder.text_field(&metadata, "name");
    let spec = decoder.record_field(&top, "spec");
    let mut domain = Spec {
        api,
        decoder: &mut decoder,
    }
    .domain(file, name, &spec);
    domain.warnings = std::mem::take(&mut decoder.warnings);
    if decoder.problems.is_empty() {
        Ok(domain)
    } else {
        Err(decoder.problems)
    }
}

/// Keys of `spec`.
const SECTIONS: &[&str] = &[
    "annotation-defaults",
    "policy-libraries",
    "policies",
    "roles",
    "groups",
    "resource-groups",
    "scopes",
    "operations",
    "mappers",
    "resources",
];

/// Keys of `spec` in v1alpha3.
const SECTIONS_V1ALPHA3: &[&str] = &[
    "policy-libraries",
    "policies",
    "roles",
    "groups",
    "resource-groups",
    "scopes",
    "operations",
    "mappers",
];

/// Keys that each entry may have, for people.
const FOR_PEOPLE: [&str; 3] = ["mrn", "name", "description"];

/// Decodes the sections of one version.
struct Spec<'a, 'd> {
    api: ApiVersion,
    decoder: &'a mut Decoder<'d>,
}

impl<'d> Spec<'_, 'd> {
    fn domain(&mut self, file: FileId, name: Text, spec: &Fields<'d>) -> PolicyDomain {
        let has_merge = self.api >= ApiVersion::V1Alpha4;
        let known = if has_merge { SECTIONS } else { SECTIONS_V1ALPHA3 };
        self.decoder.check_keys(spec, "spec", known);
        let default_merge = if has_merge {
            let defaults = self.decoder.record_field(spec, "annotation-defaults");
            self.decoder.text_field(&defaults, "merge")
        } else {
            spec.nothing()
        };
        PolicyDomain {
            file,
            version: self.api,
            name,
            default_merge,
            libraries: self.section(spec, "policy-libraries", Self::module),
            policies: self.section(spec, "policies", Self::module),
            roles: self.section(spec, "roles", Self::policy_entry),
            groups: self.section(spec, "groups", Self::group),
            resource_groups: self.section(spec, "resource-groups", Self::policy_entry),
            scopes: self.section(spec, "scopes", Self::policy_entry),
            operations: self.section(spec, "operations", Self::operation),
            mappers: self.section(spec, "mappers", Self::mapper),
            resources: if has_merge {
                self.section(spec, "resources", Self::resource)
            } else {
                Vec::new()
            },
            warnings: Vec::new(),
        }
    }

    fn section<T>(
        &mut self,
        spec: &Fields<'d>,
        name: &str,
        entry: fn(&mut Self, &Fields<'d>) -> T,
    ) -> Vec<T> {
        let items = self.decoder.list_field(spec, name, &format!("list of {name}"));
        let mut entries = Vec::with_capacity(items.len());
        for id in items {
            if self.decoder.is_null(id) {
                continue;
            }
            let fields = self.decoder.fields(id, &format!("entry of {name}"));
            entries.push(entry(self, &fields));
        }
        entries
    }

    fn module(&mut self, fields: &Fields<'d>) -> Module {
        self.known(fields, "a policy or library", &["rego", "dependencies"]);
        self.described(fields);
        Module {
            span: fields.span,
            mrn: self.text(fields, "mrn"),
            rego: self.text(fields, "rego"),
            dependencies: self.decoder.texts_field(fields, "dependencies"),
        }
    }

    fn policy_entry(&mut self, fields: &Fields<'d>) -> PolicyEntry {
        self.known(
            fields,
            "a role, scope or resource group",
            &["policy", "default", "annotations"],
        );
        self.described(fields);
        PolicyEntry {
            span: fields.span,
            mrn: self.text(fields, "mrn"),
            policy: self.text(fields, "policy"),
            is_default: self.decoder.bool_field(fields, "default"),
            annotations: self.annotations(fields),
        }
    }

    fn group(&mut self, fields: &Fields<'d>) -> Group {
        self.known(fields, "a group", &["roles", "annotations"]);
        self.described(fields);
        Group {
            span: fields.span,
            mrn: self.text(fields, "mrn"),
            roles: self.decoder.texts_field(fields, "roles"),
            annotations: self.annotations(fields),
        }
    }

    fn operation(&mut self, fields: &Fields<'d>) -> Operation {
        self.known(fields, "an operation", &["selector", "policy"]);
        Operation {
            span: fields.span,
            mrn: self.mrn_for_people(fields),
            name: self.text(fields, "name"),
            selectors: self.decoder.texts_field(fields, "selector"),
            policy: self.text(fields, "policy"),
        }
    }

    fn mapper(&mut self, fields: &Fields<'d>) -> Mapper {
        self.known(fields, "a mapper", &["selector", "rego"]);
        Mapper {
            span: fields.span,
            mrn: self.mrn_for_people(fields),
            name: self.text(fields, "name"),
            selectors: self.decoder.texts_field(fields, "selector"),
            rego: self.text(fields, "rego"),
        }
    }

    fn resource(&mut self, fields: &Fields<'d>) -> Resource {
        self.known(fields, "a resource", &["selector", "group", "annotations"]);
        self.described(fields);
        Resource {
            span: fields.span,
            mrn: self.mrn_for_people(fields),
            name: self.text(fields, "name"),
            selectors: self.decoder.texts_field(fields, "selector"),
            group: self.text(fields, "group"),
            annotations: self.annotations(fields),
        }
    }

    /// Warns of keys that are neither among `keys` nor for people.
    fn known(&mut self, fields: &Fields<'d>, holder: &str, keys: &[&str]) {
        let known: Vec<_> = FOR_PEOPLE.iter().chain(keys).copied().collect();
        self.decoder.check_keys(fields, holder, &known);
    }

    /// Fields without a meaning of their own still have to be text.
    fn described(&mut self, fields: &Fields<'d>) {
        let _ = self.text(fields, "name");
        let _ = self.text(fields, "description");
    }

    /// The MRN of an entry that nothing finds by it: whatever stands there is no error.
    fn mrn_for_people(&mut self, fields: &Fields<'d>) -> Text {
        match self.decoder.raw_field(fields, "mrn") {
            Some(value) if self.decoder.document.scalar(value).is_some() => self.text(fields, "mrn"),
            _ => fields.nothing(),
        }
    }

    fn text(&mut self, fields: &Fields<'d>, name: &str) -> Text {
        self.decoder.text_field(fields, name)
    }

    fn annotations(&mut self, fields: &Fields<'d>) -> Vec<Annotation> {
        let items = self
            .decoder
            .list_field(fields, "annotations", "list of annotations");
        let mut found: Vec<Annotation> = Vec::with_capacity(items.len());
        let mut places: HashMap<Arc<str>, usize> = HashMap::with_capacity(items.len());
        for id in items {
            if self.decoder.is_null(id) {
                continue;
            }
            let annotation = self.annotation(id);
            let next = found.len();
            let place = *places.entry(Arc::clone(&annotation.name.text)).or_insert(next);
            match found.get_mut(place) {
                Some(earlier) => *earlier = annotation,
                None => found.push(annotation),
            }
        }
        found
    }

    fn annotation(&mut self, id: NodeId) -> Annotation {
        let fields = self.decoder.fields(id, "annotation");
        let known: &[&str] = if self.api >= ApiVersion::V1Alpha4 {
            &["name", "value", "merge"]
        } else {
            &["name", "value"]
        };
        self.decoder.check_keys(&fields, "an annotation", known);
        let name = self.text(&fields, "name");
        let value = match (self.api, self.decoder.raw_field(&fields, "value")) {
            (ApiVersion::V1Beta1, Some(value)) => annotations::native(self.decoder, value),
            (ApiVersion::V1Beta1, None) => Constant::Null,
            _ => {
                let value = self.text(&fields, "value");
                annotations::from_text(self.decoder, &value)
            }
        };
        let merge = if self.api >= ApiVersion::V1Alpha4 {
            self.text(&fields, "merge")
        } else {
            fields.nothing()
        };
        Annotation { name, value, merge }
    }
}
