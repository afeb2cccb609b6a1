//! YAML that is no PolicyDomain: text in, JSON values with their places out. The compiler's front reads it, within its
//! bounds, so that scalars, anchors and merge keys mean the same in every file that people write.

use std::fmt;
use std::sync::Arc;

use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::domain::further_document;
use gavel_compiler::domain::scalar::{self, Typed};
use gavel_compiler::domain::yaml::{self, NodeId, NodeKind};
use gavel_compiler::render;
use gavel_compiler::source::SourceMap;
use serde_json::{Map, Number, Value};

/// The one document of a text.
pub(crate) struct Document {
    sources: SourceMap,
    tree: yaml::Document,
}

/// A member of a mapping.
pub(crate) struct Member<'d> {
    /// The text of its key.
    pub(crate) name: &'d str,
    /// Where the key stands.
    pub(crate) key: NodeId,
    /// What it is.
    pub(crate) value: NodeId,
}

impl Document {
    /// Reads a text; `name` is what errors call it.
    ///
    /// # Errors
    /// The text is no YAML, has more than one document, or is over a bound: with place and excerpt, as all errors here.
    pub(crate) fn read(name: &str, text: &str) -> Result<Document, String> {
        let mut sources = SourceMap::default();
        let file = sources.add_file(name, text);
        let tree = yaml::parse(file, &Arc::from(text)).map_err(|problem| told(&sources, &problem))?;
        if let Some(place) = further_document(&tree) {
            let problem = Diagnostic::error(Code::Yaml, place, "there is more than one document");
            return Err(told(&sources, &problem));
        }
        Ok(Document { sources, tree })
    }

    /// The top of the document; null in an empty text.
    pub(crate) fn root(&self) -> NodeId {
        self.tree.root()
    }

    /// The line of a node, from 1. An alias is where its anchor is.
    pub(crate) fn line(&self, node: NodeId) -> usize {
        self.tree.line(node)
    }

    /// What is wrong with a node, with its place.
    pub(crate) fn wrong(&self, node: NodeId, why: impl fmt::Display) -> String {
        let problem = Diagnostic::error(Code::Yaml, self.tree.node(node).span, why.to_string());
        told(&self.sources, &problem)
    }

    /// The members of a mapping, what it merges among them; nothing for other nodes.
    ///
    /// # Errors
    /// A key that stands twice or is no text, or a merge of what is no mapping.
    pub(crate) fn members(&self, node: NodeId) -> Result<Option<Vec<Member<'_>>>, String> {
        if !matches!(self.tree.node(node).kind, NodeKind::Mapping(_)) {
            return Ok(None);
        }
        let mut problems = Vec::new();
        let entries = self.tree.members(node, &mut problems);
        if let Some(problem) = problems.first() {
            return Err(told(&self.sources, problem));
        }
        let member = |(key, value)| match self.tree.scalar(key) {
            Some(scalar) => Ok(Member {
                name: &scalar.text,
                key,
                value,
            }),
            None => Err(self.wrong(key, "a key has to be a text")),
        };
        entries
            .into_iter()
            .map(member)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A node as JSON. Keys are their texts, and so are dates.
    ///
    /// # Errors
    /// As [`Document::members`], a number that JSON does not have, or a tag that does not fit.
    pub(crate) fn value(&self, node: NodeId) -> Result<Value, String> {
        match &self.tree.node(node).kind {
            NodeKind::Scalar(scalar) => self.scalar(node, &scalar.text),
            NodeKind::Sequence(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.value(*item)).collect();
                Ok(Value::Array(items?))
            }
            NodeKind::Mapping(_) => {
                let mut object = Map::new();
                for member in self.members(node)?.unwrap_or_default() {
                    object.insert(member.name.to_owned(), self.value(member.value)?);
                }
                Ok(Value::Object(object))
            }
        }
    }

    fn scalar(&self, node: NodeId, text: &str) -> Result<Value, String> {
        let typed = scalar::typed(&self.tree, node).map_err(|why| self.wrong(node, why))?;
        let number = match typed {
            Typed::Null => return Ok(Value::Null),
            Typed::Bool(value) => return Ok(Value::Bool(value)),
            Typed::Text | Typed::Timestamp(_) => return Ok(Value::from(text)),
            Typed::Binary => return Err(self.wrong(node, "`!!binary` is not supported")),
            Typed::Int(value) => Number::from_i128(value),
            Typed::Float(value) => Number::from_f64(value),
        };
        let number = number.ok_or_else(|| self.wrong(node, "no finite number"))?;
        Ok(Value::Number(number))
    }
}

/// A problem on one line, and below it the lines that it speaks of.
fn told(sources: &SourceMap, problem: &Diagnostic) -> String {
    let problem = Diagnostic {
        message: bare(&problem.message).to_owned(),
        ..problem.clone()
    };
    let mut text = render::lines(sources, std::slice::from_ref(&problem));
    text.push_str(&render::excerpt(sources, &problem, false));
    text.trim_end().to_owned()
}

/// A message without what it begins with for users of the reference, `yaml: line 7: `: the place is told already.
fn bare(message: &str) -> &str {
    let text = message.strip_prefix("yaml: ").unwrap_or(message);
    let behind_line = text.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    match behind_line {
        Some((line, rest)) if line.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value, or the first line of what is wrong.
    #[track_caller]
    fn check(text: &str, want: &str) {
        let document = Document::read("conf.yaml", text);
        let value = document.and_then(|document| document.value(document.root()));
        let told = value.map_or_else(|why| why, |value| value.to_string());
        assert_eq!(told.lines().next(), Some(want), "{told}");
    }

    #[test]
    fn scalars_are_what_they_are_in_a_domain() {
        check(
            "{n: 7, h: 0x10, o: 017, u: 1_000, big: 18446744073709551615, f: 1.50, e: 1e3, t: '7', d: 2024-01-02}",
            r#"{"n":7,"h":16,"o":15,"u":1000,"big":18446744073709551615,"f":1.5,"e":1000.0,"t":"7","d":"2024-01-02"}"#,
        );
        check(
            "{b: TRUE, y: yes, z: ~, s: !!str 7}",
            r#"{"b":true,"y":"yes","z":null,"s":"7"}"#,
        );
        check("", "null");
        check("# nothing", "null");
        check("a: .inf", "conf.yaml:1:4: yaml: no finite number");
        check(
            "a: !!int seven",
            "conf.yaml:1:4: yaml: cannot decode !!str `seven` as a !!int",
        );
        check(
            "a: !!binary aGk=",
            "conf.yaml:1:4: yaml: `!!binary` is not supported",
        );
    }

    #[test]
    fn anchors_and_merge_keys() {
        check(
            "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nboth:\n  <<: [*base, *more]\n  a: 5\nsame: *base\n",
            r#"{"base":{"a":1,"b":2},"more":{"b":3,"c":4},"both":{"a":5,"b":2,"c":4},"same":{"a":1,"b":2}}"#,
        );
        check(
            "a:\n  <<: 7\n",
            "conf.yaml:2:7: yaml: map merge requires map or sequence of maps as the value",
        );
        check(
            "a: &a\n  b: *a\n",
            "conf.yaml:2:6: yaml: anchor value contains itself",
        );
        check(
            "a: *b",
            "conf.yaml:1:4: yaml: while parsing node, found unknown anchor",
        );
        let levels = ('b'..='g').zip('a'..).map(|(this, last)| {
            let aliases = vec![format!("*{last}"); 10].join(",");
            format!("{this}: &{this} [{aliases}]\n")
        });
        let bomb: String = std::iter::once("a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned())
            .chain(levels)
            .collect();
        check(
            &bomb,
            "conf.yaml:5:35: limit: more than 100000 nodes, aliases included",
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        check(
            "a:\n  b: 1\n  b: 2\n",
            r#"conf.yaml:3:3: yaml: mapping key "b" already defined at line 2"#,
        );
        check(
            "{\"a\":1,\n \"a\":2}",
            r#"conf.yaml:2:2: yaml: mapping key "a" already defined at line 1"#,
        );
        check(
            "a: [",
            "conf.yaml:1:5: yaml: while parsing a node, did not find expected node content",
        );
        check(
            "a:\n\tb: 1\n",
            "conf.yaml:2:2: yaml: tabs disallowed within this context (block indentation)",
        );
        check("[a]: 1", "conf.yaml:1:1: yaml: a key has to be a text");
        check(
            "a: 1\n---\na: 2\n",
            "conf.yaml:3:1: yaml: there is more than one document",
        );
        check(
            &format!("a: {}{}", "[".repeat(70), "]".repeat(70)),
            "conf.yaml:1:67: limit: nested more than 64 levels deep",
        );
    }
}
