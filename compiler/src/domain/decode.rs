//! Reads typed fields out of a YAML tree the way yaml.v3 fills a Go struct: unknown keys are ignored, null is nothing, a
//! scalar of any type is text where text is wanted, and every mismatch is a problem with a place.

use std::collections::HashMap;
use std::sync::Arc;

use super::scalar::{self, Typed};
use super::yaml::{Document, NodeId, NodeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// Text of a field with its place. A missing field is empty and has the place of what should contain it.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text; empty if missing or null.
    pub text: Arc<str>,
    /// The value in the file.
    pub span: Span,
    /// Its line in the file, from 1.
    pub line: usize,
    /// The scalar, if the field is there and not null.
    pub node: Option<NodeId>,
}

impl Text {
    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// Fields of one mapping.
pub(super) struct Fields<'d> {
    /// The mapping in the file.
    pub(super) span: Span,
    line: usize,
    by_name: HashMap<&'d str, NodeId>,
    /// Keys in the order of the file.
    keys: Vec<NodeId>,
}

impl Fields<'_> {
    /// What a field that is missing, or that the version does not have, reads as.
    pub(super) fn nothing(&self) -> Text {
        Text {
            text: "".into(),
            span: self.span,
            line: self.line,
            node: None,
        }
    }
}

/// A document being decoded, with the problems found so far.
pub(super) struct Decoder<'d> {
    pub(super) document: &'d Document,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl<'d> Decoder<'d> {
    pub(super) fn span(&self, id: NodeId) -> Span {
        self.document.node(id).span
    }

    pub(super) fn problem(&mut self, id: NodeId, message: String) {
        self.problems
            .push(Diagnostic::error(Code::Domain, self.span(id), message));
    }

    fn mismatch(&mut self, id: NodeId, wanted: &str) {
        self.problem(
            id,
            format!("yaml: {}", scalar::cannot_unmarshal(self.document, id, wanted)),
        );
    }

    pub(super) fn is_null(&self, id: NodeId) -> bool {
        matches!(self.document.node(id).kind, NodeKind::Scalar(_))
            && matches!(scalar::typed(self.document, id), Ok(Typed::Null))
    }

    /// The fields of a mapping; none for null; `wanted` names the type in the message for anything else.
    pub(super) fn fields(&mut self, id: NodeId, wanted: &str) -> Fields<'d> {
        let mut fields = Fields {
            span: self.span(id),
            line: self.document.line(id),
            by_name: HashMap::new(),
            keys: Vec::new(),
        };
        if self.is_null(id) {
            return fields;
        }
        if !matches!(self.document.node(id).kind, NodeKind::Mapping(_)) {
            self.mismatch(id, wanted);
            return fields;
        }
        for (key, value) in self.document.members(id, &mut self.problems) {
            match self.document.scalar(key) {
                _ if self.is_null(key) => {}
                Some(scalar) => {
                    fields.by_name.insert(&scalar.text, value);
                    fields.keys.push(key);
                }
                None => self.mismatch(key, "string"),
            }
        }
        fields
    }

    /// Warns of keys that are none of `known`: they are ignored. A key that only holds an anchor for others to use, or is
    /// marked `x-`, is meant to be, unless it looks like a known one.
    pub(super) fn check_keys(&mut self, fields: &Fields<'d>, holder: &str, known: &[&str]) {
        for &key in &fields.keys {
            let Some(scalar) = self.document.scalar(key) else {
                continue;
            };
            if known.contains(&&*scalar.text) {
                continue;
            }
            let near = known.iter().find(|known| is_near(known, &scalar.text));
            let value = fields.by_name.get(&*scalar.text);
            let holds_anchor = value.is_some_and(|value| self.document.node(*value).has_properties);
            if near.is_none() && (holds_anchor || scalar.text.starts_with("x-")) {
                continue;
            }
            let message = format!("unknown key `{}` in {holder} is ignored", scalar.text);
            let mut warning = Diagnostic::warning(Code::Domain, self.span(key), message);
            if let Some(near) = near {
                warning = warning.help(format!("did you mean `{near}`?"));
            }
            self.warnings.push(warning);
        }
    }

    /// The text of a scalar as written; empty for null.
    pub(super) fn text(&mut self, id: NodeId) -> Text {
        let mut text = Text {
            text: "".into(),
            span: self.span(id),
            line: self.document.line(id),
            node: None,
        };
        let Some(scalar) = self.document.scalar(id) else {
            self.mismatch(id, "string");
            return text;
        };
        match scalar::typed(self.document, id) {
            Ok(Typed::Null) => {}
            Ok(Typed::Binary) => {
                let message = "yaml: `!!binary` is not supported".to_owned();
                self.problems
                    .push(Diagnostic::error(Code::Unsupported, self.span(id), message));
            }
            Ok(_) => {
                text.text = Arc::clone(&scalar.text);
                text.node = Some(id);
            }
            Err(message) => self.problem(id, format!("yaml: {message}")),
        }
        text
    }

    pub(super) fn text_field(&mut self, fields: &Fields<'d>, name: &str) -> Text {
        match fields.by_name.get(name) {
            Some(&id) => self.text(id),
            None => fields.nothing(),
        }
    }

    pub(super) fn bool_field(&mut self, fields: &Fields<'d>, name: &str) -> bool {
        let Some(&id) = fields.by_name.get(name) else {
            return false;
        };
        let word = self
            .document
            .scalar(id)
            .and_then(|scalar| scalar::bool_word(&scalar.text));
        match scalar::typed(self.document, id) {
            Ok(Typed::Null) => false,
            Ok(Typed::Bool(value)) => value,
            Ok(Typed::Text) if word.is_some() => word == Some(true),
            Ok(_) => {
                self.mismatch(id, "bool");
                false
            }
            Err(message) => {
                self.problem(id, format!("yaml: {message}"));
                false
            }
        }
    }

    /// The elements of a list; `wanted` names the type in the message for anything but a list and null.
    pub(super) fn list_field(&mut self, fields: &Fields<'d>, name: &str, wanted: &str) -> Vec<NodeId> {
        let Some(&id) = fields.by_name.get(name) else {
            return Vec::new();
        };
        match &self.document.node(id).kind {
            NodeKind::Sequence(items) => items.clone(),
            _ if self.is_null(id) => Vec::new(),
            _ => {
                self.mismatch(id, wanted);
                Vec::new()
            }
        }
    }

    /// A list of texts; null elements are left out, as yaml.v3 leaves them out.
    pub(super) fn texts_field(&mut self, fields: &Fields<'d>, name: &str) -> Vec<Text> {
        let items = self.list_field(fields, name, "[]string");
        let items: Vec<_> = items.into_iter().filter(|&id| !self.is_null(id)).collect();
        items.into_iter().map(|id| self.text(id)).collect()
    }

    pub(super) fn record_field(&mut self, fields: &Fields<'d>, name: &str) -> Fields<'d> {
        match fields.by_name.get(name) {
            Some(&id) => self.fields(id, name),
            None => Fields {
                span: fields.span,
                line: fields.line,
                by_name: HashMap::new(),
                keys: Vec::new(),
            },
        }
    }

    pub(super) fn raw_field(&self, fields: &Fields<'d>, name: &str) -> Option<NodeId> {
        fields.by_name.get(name).copied()
    }
}

/// Whether two keys differ by at most two letters added, left out or changed.
fn is_near(known: &str, written: &str) -> bool {
    let written: Vec<char> = written.chars().take(known.len() + 3).collect();
    let mut row: Vec<usize> = (0..=written.len()).collect();
    for (at, letter) in known.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&written) {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().is_some_and(|distance| *distance <= 2)
}
