//! YAML text to the members of a block, by the rules that Go's yaml.v3 has for filling a struct: unknown members are not
//! looked at, a scalar of any type is text where text is wanted, null is nothing, and the first mismatch in the order of
//! the text is what is reported.

use std::sync::Arc;

use saphyr_parser::ScalarStyle;

use super::{repair, scan};
use crate::diagnostic::{Code, Diagnostic};
use crate::domain::scalar::{self, Typed};
use crate::domain::yaml::{self, Document, NodeId, NodeKind};
use crate::source::{FileId, position_in};
use gavel_runtime::number::f64_text;
use gavel_runtime::value::Constant;

/// Why a text has no members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// What yaml.v3 says about a line. The number is that of its message.
    At(usize, String),
    /// What yaml.v3 says without a line.
    Whole(String),
    /// Something that only we refuse.
    Own(Code, String),
}

/// The members as written. Values of any type keep keys that are no text; nobody has looked at what they say.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    pub(super) scope: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) entrypoint: bool,
    pub(super) organizations: Vec<String>,
    pub(super) related_resources: Vec<Constant>,
    pub(super) authors: Vec<Constant>,
    pub(super) schemas: Vec<Members>,
    pub(super) compile: Members,
    pub(super) custom: Members,
    pub(super) labels: Members,
}

/// A mapping with text keys.
pub(super) type Members = Vec<(String, Constant)>;

/// Deepest nesting of a value.
const DEPTH_MAX: usize = 100;

/// How often a text is rewritten for our parser; each time costs one reading.
const REPAIRS_MAX: usize = 8;

/// Reads the first document of a text.
pub(super) fn decode(text: &str) -> Result<Raw, Refusal> {
    let (text, document) = readable(text)?;
    if let Some((line, message)) = scan::refused(&text, &document) {
        return Err(match line {
            None => Refusal::Whole(message.to_owned()),
            Some(line) => Refusal::At(line, message.to_owned()),
        });
    }
    if let Some(line) = scan::stray_tab(&text) {
        let message = "yaml: found character that cannot start any token".to_owned();
        return Err(match line {
            1 => Refusal::Whole(message),
            _ => Refusal::At(line, message),
        });
    }
    let mut decoder = Decoder {
        document: &document,
        text: &text,
        first: None,
    };
    let raw = decoder.raw()?;
    match decoder.first {
        None => Ok(raw),
        Some((line, message)) => Err(Refusal::At(line, message)),
    }
}

/// The tree of a text, and the text as it was read.
fn readable(text: &str) -> Result<(Arc<str>, Document), Refusal> {
    let mut text: Arc<str> = repair::split_anchors(text).into();
    let mut repairs = 0;
    loop {
        let problem = match yaml::parse(FileId(0), &text) {
            Ok(document) => return Ok((text, document)),
            Err(problem) => problem,
        };
        repairs += 1;
        match repair::without(&text, &problem).filter(|_| repairs <= REPAIRS_MAX) {
            Some(next) => text = next.into(),
            None => return Err(unreadable(&text, &problem)),
        }
    }
}

/// What yaml.v3 would say of a text that is no YAML.
fn unreadable(text: &str, problem: &Diagnostic) -> Refusal {
    if problem.code != Code::Yaml {
        return Refusal::Own(problem.code, problem.message.clone());
    }
    let Some((line, reason)) = problem
        .message
        .strip_prefix("yaml: line ")
        .and_then(|rest| rest.split_once(": "))
        .and_then(|(line, reason)| Some((line.parse::<usize>().ok()?, reason)))
    else {
        return Refusal::Whole(problem.message.clone());
    };
    if let Some(at) = scan::bare_colon(text).filter(|at| *at < line) {
        let message = "yaml: did not find expected key".to_owned();
        return match at {
            0 => Refusal::Whole(message),
            _ => Refusal::At(at, message),
        };
    }
    let message = format!("yaml: {reason}");
    if reason.contains("unknown anchor") {
        return Refusal::Whole(message);
    }
    match scan::line(text, line, reason) {
        Some(line) => Refusal::At(line, message),
        None => Refusal::Whole(message),
    }
}

struct Decoder<'d> {
    document: &'d Document,
    text: &'d str,
    /// The first mismatch, with its line.
    first: Option<(usize, String)>,
}

impl Decoder<'_> {
    fn raw(&mut self) -> Result<Raw, Refusal> {
        let mut raw = Raw::default();
        let root = self.document.root();
        if self.is_null(root)? {
            return Ok(raw);
        }
        if !self.is_mapping(root) {
            self.mismatch(root, "ast.rawAnnotation");
            return Ok(raw);
        }
        for (key, value) in self.members(root)? {
            let Some(name) = self.text(key)? else { continue };
            match name.as_str() {
                "scope" => raw.scope = self.text(value)?.unwrap_or_default(),
                "title" => raw.title = self.text(value)?.unwrap_or_default(),
                "description" => raw.description = self.text(value)?.unwrap_or_default(),
                "entrypoint" => raw.entrypoint = self.boolean(value)?,
                "organizations" => {
                    for item in self.items(value, "[]string")? {
                        raw.organizations.extend(self.text(item)?);
                    }
                }
                "related_resources" => raw.related_resources = self.values(value)?,
                "authors" => raw.authors = self.values(value)?,
                "schemas" => {
                    for item in self.items(value, "[]map[string]interface {}")? {
                        let members = self.free(item)?;
                        raw.schemas.push(members);
                    }
                }
                "compile" => raw.compile = self.free(value)?,
                "custom" => raw.custom = self.free(value)?,
                "labels" => raw.labels = self.free(value)?,
                _ => {}
            }
        }
        Ok(raw)
    }

    fn mismatch(&mut self, id: NodeId, wanted: &str) {
        let line = self.line(id);
        let message = scalar::cannot_unmarshal(self.document, id, wanted);
        self.first
            .get_or_insert((line, format!("yaml: unmarshal errors:\n  line {line}: {message}")));
    }

    /// Line of a node; that of a block scalar is where its header stands.
    fn line(&self, id: NodeId) -> usize {
        let line = self.document.line(id);
        let is_block = |style: ScalarStyle| matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let node = self.document.node(id);
        if node.has_properties
            || !self
                .document
                .scalar(id)
                .is_some_and(|scalar| is_block(scalar.style))
        {
            return line;
        }
        let above: Vec<&str> = self.text.lines().take(line.saturating_sub(1)).collect();
        above
            .iter()
            .rposition(|line| !line.trim().is_empty())
            .map_or(line, |at| at + 1)
    }

    fn typed(&self, id: NodeId) -> Result<Typed, Refusal> {
        scalar::typed(self.document, id).map_err(|message| Refusal::Whole(format!("yaml: {message}")))
    }

    fn is_null(&self, id: NodeId) -> Result<bool, Refusal> {
        Ok(self.document.scalar(id).is_some() && self.typed(id)? == Typed::Null)
    }

    fn is_mapping(&self, id: NodeId) -> bool {
        matches!(self.document.node(id).kind, NodeKind::Mapping(_))
    }

    /// Members with `<<` resolved; none if a key stands twice.
    fn members(&mut self, id: NodeId) -> Result<Vec<(NodeId, NodeId)>, Refusal> {
        self.check_collections_as_keys(id);
        let mut problems = Vec::new();
        let members = self.document.members(id, &mut problems);
        let Some(problem) = problems.into_iter().next() else {
            return Ok(members);
        };
        let Some(message) = problem.message.strip_prefix("yaml: mapping key") else {
            return Err(Refusal::Whole(problem.message));
        };
        let line = problem
            .span
            .map_or(1, |span| position_in(self.text, span.start).row as usize);
        self.first.get_or_insert((
            line,
            format!("yaml: unmarshal errors:\n  line {line}: mapping key{message}"),
        ));
        Ok(Vec::new())
    }

    /// Two lists, or two mappings, as keys are the same key to yaml.v3.
    fn check_collections_as_keys(&mut self, id: NodeId) {
        let NodeKind::Mapping(entries) = &self.document.node(id).kind else {
            return;
        };
        let is_list = |id: &NodeId| matches!(self.document.node(*id).kind, NodeKind::Sequence(_));
        let keys = entries.iter().map(|(key, _)| *key);
        let keys: Vec<NodeId> = keys.filter(|key| self.document.scalar(*key).is_none()).collect();
        let (lists, mappings): (Vec<NodeId>, Vec<NodeId>) = keys.into_iter().partition(is_list);
        for again in [lists.get(1), mappings.get(1)].into_iter().flatten() {
            let line = self.document.line(*again);
            let message = format!("yaml: unmarshal errors:\n  line {line}: mapping key \"\" already defined");
            self.first.get_or_insert((line, message));
        }
    }

    /// The text of a scalar; nothing for null.
    fn text(&mut self, id: NodeId) -> Result<Option<String>, Refusal> {
        let Some(scalar) = self.document.scalar(id) else {
            self.mismatch(id, "string");
            return Ok(None);
        };
        match self.typed(id)? {
            Typed::Null => Ok(None),
            Typed::Binary => Err(binary()),
            _ => Ok(Some(scalar.text.to_string())),
        }
    }

    fn boolean(&mut self, id: NodeId) -> Result<bool, Refusal> {
        let word = self
            .document
            .scalar(id)
            .map(|scalar| scalar::bool_word(&scalar.text));
        let Some(word) = word else {
            self.mismatch(id, "bool");
            return Ok(false);
        };
        match (self.typed(id)?, word) {
            (Typed::Null, _) => Ok(false),
            (Typed::Bool(value), _) | (Typed::Text, Some(value)) => Ok(value),
            _ => {
                self.mismatch(id, "bool");
                Ok(false)
            }
        }
    }

    fn items(&mut self, id: NodeId, wanted: &str) -> Result<Vec<NodeId>, Refusal> {
        match &self.document.node(id).kind {
            NodeKind::Sequence(items) => return Ok(items.clone()),
            _ if self.is_null(id)? => {}
            _ => self.mismatch(id, wanted),
        }
        Ok(Vec::new())
    }

    fn values(&mut self, id: NodeId) -> Result<Vec<Constant>, Refusal> {
        let items = self.items(id, "[]interface {}")?;
        items.into_iter().map(|item| self.value(item, 0)).collect()
    }

    /// A mapping from texts to anything.
    fn free(&mut self, id: NodeId) -> Result<Members, Refusal> {
        let mut found = Members::new();
        if self.is_null(id)? {
            return Ok(found);
        }
        if !self.is_mapping(id) {
            self.mismatch(id, "map[string]interface {}");
            return Ok(found);
        }
        for (key, value) in self.members(id)? {
            if let Some(key) = self.text(key)? {
                let value = self.value(value, 0)?;
                found.push((key, value));
            }
        }
        Ok(found)
    }

    fn value(&mut self, id: NodeId, depth: usize) -> Result<Constant, Refusal> {
        if depth > DEPTH_MAX {
            let message = format!("a value of a METADATA block is nested more than {DEPTH_MAX} levels deep");
            return Err(Refusal::Own(Code::Limit, message));
        }
        let document = self.document;
        match &document.node(id).kind {
            NodeKind::Scalar(scalar) => Ok(match self.typed(id)? {
                Typed::Null => Constant::Null,
                Typed::Bool(value) => Constant::Bool(value),
                // OPA writes an integer above the signed ones as if it were signed.
                Typed::Int(value) => Constant::Int(value as i64),
                // Infinity and NaN keep Go's text, which is no number: whoever makes a value of it refuses it.
                Typed::Float(value) if value.is_nan() => Constant::Number("NaN".to_owned()),
                Typed::Float(value) if value.is_infinite() => {
                    Constant::Number(if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned())
                }
                Typed::Float(value) => Constant::number(&f64_text(value)),
                Typed::Timestamp(text) => Constant::String(text),
                Typed::Text => Constant::String(scalar.text.to_string()),
                Typed::Binary => return Err(binary()),
            }),
            NodeKind::Sequence(items) => {
                let items = items.iter().map(|item| self.value(*item, depth + 1));
                Ok(Constant::Array(items.collect::<Result<_, _>>()?))
            }
            NodeKind::Mapping(_) => {
                let mut entries = Vec::new();
                for (key, member) in self.members(id)? {
                    if document.scalar(key).is_none() {
                        return Err(Refusal::Whole("yaml: invalid map key".to_owned()));
                    }
                    entries.push((self.value(key, depth + 1)?, self.value(member, depth + 1)?));
                }
                Ok(Constant::object(entries))
            }
        }
    }
}

fn binary() -> Refusal {
    Refusal::Own(
        Code::Unsupported,
        "`!!binary` in METADATA blocks is not supported".to_owned(),
    )
}
