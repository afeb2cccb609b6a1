//! The file of `gavel test decisions`: YAML with names, PORCs and expected decisions; a PORC becomes JSON by the rules of
//! the YAML library that the reference uses.

use std::sync::Arc;

use gavel_compiler::domain::scalar::{self, Typed};
use gavel_compiler::domain::yaml::{self, Document, NodeId, NodeKind};
use gavel_compiler::source::SourceMap;

/// One expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// Need not be unique.
    pub(crate) name: String,
    /// The PORC as JSON, or why it cannot be JSON.
    pub(crate) porc: Result<String, String>,
    /// The expected decision.
    pub(crate) allow: bool,
}

/// Reads the cases of a suite in their order.
///
/// # Errors
/// Text that is no YAML, or a member of a wrong type.
pub(crate) fn parse(name: &str, text: &str) -> Result<Vec<Case>, String> {
    let file = SourceMap::default().add_file(name, text);
    let document = yaml::parse(file, &Arc::from(text)).map_err(|problem| problem.message)?;
    let reader = Reader { document: &document };
    let Some(tests) = reader.member(document.root(), "tests")? else {
        return Ok(Vec::new());
    };
    match &document.node(tests).kind {
        // The library that the reference uses drops entries that are null.
        NodeKind::Sequence(items) => items
            .iter()
            .filter(|item| !reader.is_null(**item))
            .map(|item| reader.case(*item))
            .collect(),
        _ if reader.is_null(tests) => Ok(Vec::new()),
        _ => Err(reader.mismatch(tests, "[]TestCase")),
    }
}

struct Reader<'d> {
    document: &'d Document,
}

impl Reader<'_> {
    fn case(&self, node: NodeId) -> Result<Case, String> {
        let name = match self.member(node, "name")? {
            Some(name) => self.text(name)?,
            None => String::new(),
        };
        let porc = match self.member(node, "porc")?.filter(|porc| !self.is_null(*porc)) {
            Some(porc) => self.porc(porc)?,
            None => Ok("null".to_owned()),
        };
        let allow = match self.member(node, "result")? {
            Some(result) => self.member(result, "allow")?,
            None => None,
        };
        let allow = allow.map_or(Ok(false), |allow| self.boolean(allow))?;
        Ok(Case { name, porc, allow })
    }

    /// Members of a mapping; nothing for null.
    fn members(&self, node: NodeId) -> Result<Vec<(NodeId, NodeId)>, String> {
        if self.is_null(node) {
            return Ok(Vec::new());
        }
        if !matches!(self.document.node(node).kind, NodeKind::Mapping(_)) {
            return Err(self.mismatch(node, "map[string]interface {}"));
        }
        let mut problems = Vec::new();
        let members = self.document.members(node, &mut problems);
        match problems.into_iter().next() {
            Some(problem) => Err(problem.message),
            None => Ok(members),
        }
    }

    fn member(&self, node: NodeId, name: &str) -> Result<Option<NodeId>, String> {
        let members = self.members(node)?;
        let named = |key: NodeId| {
            self.document
                .scalar(key)
                .is_some_and(|scalar| &*scalar.text == name)
        };
        Ok(members
            .into_iter()
            .find(|(key, _)| named(*key))
            .map(|(_, value)| value))
    }

    fn is_null(&self, node: NodeId) -> bool {
        self.document.scalar(node).is_some() && matches!(scalar::typed(self.document, node), Ok(Typed::Null))
    }

    fn text(&self, node: NodeId) -> Result<String, String> {
        match self.document.scalar(node) {
            Some(_) if self.is_null(node) => Ok(String::new()),
            Some(scalar) => Ok(scalar.text.to_string()),
            None => Err(self.mismatch(node, "string")),
        }
    }

    fn boolean(&self, node: NodeId) -> Result<bool, String> {
        let word = self
            .document
            .scalar(node)
            .and_then(|scalar| scalar::bool_word(&scalar.text));
        match scalar::typed(self.document, node)? {
            Typed::Bool(value) => Ok(value),
            Typed::Null => Ok(false),
            Typed::Text if word.is_some() => Ok(word.unwrap_or_default()),
            _ => Err(self.mismatch(node, "bool")),
        }
    }

    fn mismatch(&self, node: NodeId, wanted: &str) -> String {
        let (line, tag) = (self.document.line(node), scalar::short_tag(self.document, node));
        format!("yaml: unmarshal errors:\n  line {line}: cannot unmarshal {tag} into {wanted}")
    }

    /// The outer error is one of the file, the inner one of this case alone.
    fn porc(&self, node: NodeId) -> Result<Result<String, String>, String> {
        let members = self.members(node)?;
        let mut out = String::from("{");
        for (nth, (key, value)) in members.into_iter().enumerate() {
            // At the top of a PORC any scalar is taken for a key, further down only texts are.
            let name = self.text(key)?;
            separate(&mut out, nth);
            push_string(&mut out, &name);
            out.push(':');
            if let Err(why) = self.json(value, &mut out) {
                return Ok(Err(why));
            }
        }
        out.push('}');
        Ok(Ok(out))
    }

    fn json(&self, node: NodeId, out: &mut String) -> Result<(), String> {
        match &self.document.node(node).kind {
            NodeKind::Scalar(scalar) => match scalar::typed(self.document, node)? {
                Typed::Null => out.push_str("null"),
                Typed::Bool(value) => out.push_str(if value { "true" } else { "false" }),
                Typed::Int(value) => out.push_str(&value.to_string()),
                Typed::Float(value) if value.is_finite() => out.push_str(&value.to_string()),
                Typed::Float(value) => return Err(format!("json: unsupported value: {value}")),
                Typed::Timestamp(text) => push_string(out, &text),
                Typed::Text => push_string(out, &scalar.text),
                Typed::Binary => return Err("json: unsupported value: binary".to_owned()),
            },
            NodeKind::Sequence(items) => {
                out.push('[');
                for (nth, item) in items.iter().enumerate() {
                    separate(out, nth);
                    self.json(*item, out)?;
                }
                out.push(']');
            }
            NodeKind::Mapping(_) => {
                out.push('{');
                for (nth, (key, value)) in self.members(node)?.into_iter().enumerate() {
                    let Some(name) = self.document.scalar(key).filter(|_| {
                        matches!(
                            scalar::typed(self.document, key),
                            Ok(Typed::Text | Typed::Timestamp(_))
                        )
                    }) else {
                        return Err("json: unsupported type: map[interface {}]interface {}".to_owned());
                    };
                    separate(out, nth);
                    push_string(out, &name.text);
                    out.push(':');
                    self.json(value, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}

fn separate(out: &mut String, nth: usize) {
    if nth > 0 {
        out.push(',');
    }
}

fn push_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, Result<&str, &str>, bool)]) {
        let got = parse("suite.yml", text).unwrap();
        let got: Vec<_> = got
            .iter()
            .map(|c| {
                (
                    c.name.as_str(),
                    c.porc.as_deref().map_err(String::as_str),
                    c.allow,
                )
            })
            .collect();
        assert_eq!(got, want);
    }

    #[test]
    fn scalars_become_json() {
        check(
            "tests:\n- name: a\n  porc: {n: 1, f: 1.5, hex: 0x1f, big: 12345678901234567890, t: '5', yes: on, none: ~, \
             day: 2024-03-05, deep: {list: [true, x]}}\n  result: {allow: yes}\n",
            &[(
                "a",
                Ok(concat!(
                    r#"{"n":1,"f":1.5,"hex":31,"big":12345678901234567890,"t":"5","yes":"on","none":null,"#,
                    r#""day":"2024-03-05T00:00:00Z","deep":{"list":[true,"x"]}}"#
                )),
                true,
            )],
        );
    }

    #[test]
    fn what_may_be_missing() {
        check("", &[]);
        check("other: 1\n", &[]);
        check("tests: []\n", &[]);
        check("tests: [~]\n", &[]);
        check("tests:\n-\n- name: a\n", &[("a", Ok("null"), false)]);
        check(
            "tests:\n- name: 7\n- porc: null\n  result: {}\n  extra: 1\n",
            &[("7", Ok("null"), false), ("", Ok("null"), false)],
        );
    }

    #[test]
    fn keys_that_json_cannot_hold() {
        check(
            "tests:\n- {name: top, porc: {1: a}}\n- {name: deep, porc: {a: {1: b}}}\n",
            &[
                ("top", Ok(r#"{"1":"a"}"#), false),
                (
                    "deep",
                    Err("json: unsupported type: map[interface {}]interface {}"),
                    false,
                ),
            ],
        );
    }

    #[test]
    fn wrong_types_spoil_the_file() {
        for text in [
            "tests: x\n",
            "tests:\n- porc: []\n",
            "tests:\n- {result: {allow: perhaps}}\n",
            "tests: [\n",
            "- a\n",
        ] {
            assert!(parse("suite.yml", text).is_err(), "{text}");
        }
    }
}
