//! What access records do not show: values at JSON Pointers of the request's document, removed or replaced by a keyed hash.
//!
//! Works on the text of a document as the runtime writes it (valid, without blanks), so that everything else stays as it is,
//! byte for byte. A token `*` of a pointer is any member or element.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use gavel_runtime::decision::Redact;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What stands in place of a value that is removed.
const REMOVED: &str = "[redacted]";

/// Reasons of errors that end with a value of the policy's making, which may be one of the request's.
const TELLING_REASONS: [&str; 2] = [
    "unexpected evaluation result: ",
    "cannot extract integer result: ",
];

/// The key of hashed values. Never shown; its debug text is a hash.
#[derive(Clone)]
pub struct HashKey(Hmac<Sha256>);

impl HashKey {
    /// A key of any length that HMAC takes, which is all.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<HashKey> {
        Hmac::new_from_slice(key).ok().map(HashKey)
    }

    fn hash(&self, bytes: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(bytes);
        let digest = mac.finalize().into_bytes();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("hmac-sha256:{hex}")
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tells keys apart without showing one.
        f.write_str(&self.hash(b""))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Hash,
    Remove,
}

/// The rules below one place.
#[derive(Debug, Default)]
struct Node {
    act: Option<Act>,
    members: BTreeMap<String, Node>,
    any: Option<Box<Node>>,
}

/// All rules.
#[derive(Debug, Default)]
pub struct Redactions {
    root: Arc<Node>,
    key: Option<HashKey>,
}

impl Redactions {
    /// Values at the pointers `remove` are removed, those at `hash` hashed; what is both is removed.
    ///
    /// # Errors
    /// A text is no pointer, or there are values to hash and no key.
    pub fn new(remove: &[String], hash: &[String], key: Option<HashKey>) -> Result<Redactions, String> {
        if !hash.is_empty() && key.is_none() {
            return Err("values are to be hashed and there is no key".to_owned());
        }
        let mut root = Node::default();
        for (pointers, act) in [(hash, Act::Hash), (remove, Act::Remove)] {
            for pointer in pointers {
                let mut node = &mut root;
                for token in tokens(pointer)? {
                    node = match token.as_str() {
                        "*" => node.any.get_or_insert_default(),
                        _ => node.members.entry(token).or_default(),
                    };
                }
                node.act = Some(act);
            }
        }
        let root = Arc::new(root);
        Ok(Redactions { root, key })
    }

    fn replacement(&self, act: Act, value: &[u8]) -> String {
        match (act, &self.key) {
            (Act::Hash, Some(key)) => match serde_json::from_slice::<String>(value) {
                // A text by itself, so that other programs can make the same hash; anything else as JSON.
                Ok(text) => key.hash(text.as_bytes()),
                Err(_) => key.hash(value),
            },
            _ => REMOVED.to_owned(),
        }
    }

    /// Appends the value that `text` begins with: how long it is.
    fn value(&self, nodes: &[&Node], text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let length = extent(text)?;
        let value = text.get(..length)?;
        // Removing wins over hashing.
        if let Some(act) = nodes.iter().filter_map(|node| node.act).reduce(stronger) {
            let replacement = self.replacement(act, value);
            out.extend_from_slice(format!("\"{replacement}\"").as_bytes());
            return Some(length);
        }
        let is_leaf = nodes
            .iter()
            .all(|node| node.members.is_empty() && node.any.is_none());
        match value.first()? {
            b'{' | b'[' if !is_leaf => self.members(nodes, value, out)?,
            _ => out.extend_from_slice(value),
        }
        Some(length)
    }

    /// Appends an object or array.
    fn members(&self, nodes: &[&Node], value: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let is_object = value.first() == Some(&b'{');
        let mut rest = value.get(1..value.len() - 1)?;
        out.extend(value.first());
        let mut index = 0;
        while !rest.is_empty() {
            if index > 0 {
                rest = rest.strip_prefix(b",")?;
                out.push(b',');
            }
            let name = if is_object {
                let (key, behind) = rest.split_at_checked(extent(rest)?)?;
                out.extend_from_slice(key);
                out.push(b':');
                rest = behind.strip_prefix(b":")?;
                serde_json::from_slice(key).ok()?
            } else {
                index.to_string()
            };
            let within: Vec<&Node> = nodes.iter().flat_map(|node| below(node, &name)).collect();
            rest = rest.get(self.value(&within, rest, out)?..)?;
            index += 1;
        }
        out.extend(value.last());
        Some(())
    }
}

impl Redact for Redactions {
    fn document(&self, json: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let whole = self.value(&[&self.root], json, out) == Some(json.len());
        if !whole {
            // What is not understood is not shown.
            out.truncate(start);
        }
        whole
    }

    fn text(&self, pointer: &str, text: &str) -> Option<String> {
        let mut nodes = vec![&*self.root];
        let tokens = tokens(pointer).ok()?;
        for (at, token) in tokens.iter().enumerate() {
            nodes = nodes.iter().flat_map(|node| below_any(node, token)).collect();
            let act = nodes.iter().filter_map(|node| node.act).reduce(stronger);
            // A text within a value that is hashed as a whole has no hash of its own.
            match (act, &self.key) {
                (None, _) => {}
                (Some(Act::Hash), Some(key)) if at + 1 == tokens.len() => {
                    return Some(key.hash(text.as_bytes()));
                }
                (Some(_), _) => return Some(REMOVED.to_owned()),
            }
        }
        None
    }

    fn reason(&self, text: &str) -> Option<String> {
        let beginning = TELLING_REASONS
            .iter()
            .find(|beginning| text.starts_with(**beginning))?;
        Some(format!("{beginning}{REMOVED}"))
    }

    fn opaque(&self) -> Arc<dyn Redact> {
        // Without the key what would be hashed is removed.
        Arc::new(Redactions {
            root: Arc::clone(&self.root),
            key: None,
        })
    }
}

fn stronger(one: Act, other: Act) -> Act {
    if one == Act::Remove { one } else { other }
}

fn below<'n>(node: &'n Node, name: &str) -> impl Iterator<Item = &'n Node> {
    node.members.get(name).into_iter().chain(node.any.as_deref())
}

/// As [`below`] for a text that is known to be an element of a list, though not which one.
fn below_any<'n>(node: &'n Node, name: &str) -> impl Iterator<Item = &'n Node> {
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let elements = node.members.iter().filter(move |(member, _)| is_number(member));
    let (element, other) = match is_number(name) {
        true => (Some(elements.map(|(_, node)| node)), None),
        false => (None, node.members.get(name)),
    };
    element
        .into_iter()
        .flatten()
        .chain(other)
        .chain(node.any.as_deref())
}

/// The tokens of a JSON Pointer (RFC 6901).
fn tokens(pointer: &str) -> Result<Vec<String>, String> {
    let Some(rest) = pointer.strip_prefix('/') else {
        return Err(format!(
            "`{pointer}` is no JSON Pointer: it begins with a slash, as /principal/sub"
        ));
    };
    Ok(rest
        .split('/')
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect())
}

/// Length of the JSON value that `text` begins with.
fn extent(text: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0u32, false, false);
    for (at, byte) in text.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            if !in_string && depth == 0 {
                return Some(at + 1);
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    (depth == 0 && !in_string).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "{\"a/b\":{\"~\":1},\"n\":1.50,\"principal\":{\"mannotations\":{\"ssn\":\"12\\\"3\",\
        \"tags\":[{\"v\":1,\"w\":[]},{\"v\":\"x,]\"},3]},\"sub\":\"\\u003cann\\u003e\"}}";

    fn redactions(remove: &[&str], hash: &[&str]) -> Redactions {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Redactions::new(&owned(remove), &owned(hash), HashKey::new(b"key")).unwrap()
    }

    /// The document with each of `changes` made in its text.
    #[track_caller]
    fn check(remove: &[&str], hash: &[&str], changes: &[(&str, &str)]) {
        let mut want = DOCUMENT.to_owned();
        for (from, to) in changes {
            assert!(want.contains(from));
            want = want.replace(from, to);
        }
        let mut out = Vec::new();
        assert!(redactions(remove, hash).document(DOCUMENT.as_bytes(), &mut out));
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn values_at_pointers() {
        check(&[], &[], &[]);
        check(&["/nothing", "/n/x", "/principal/sub/0"], &[], &[]);
        check(&["/n"], &[], &[("1.50", "\"[redacted]\"")]);
        check(&["/a~1b/~0"], &[], &[("\"~\":1", "\"~\":\"[redacted]\"")]);
        check(
            &["/principal/mannotations/ssn"],
            &[],
            &[("\"12\\\"3\"", "\"[redacted]\"")],
        );
        check(
            &["/principal/mannotations/tags/*/v"],
            &[],
            &[("\"v\":1", "\"v\":\"[redacted]\""), ("\"x,]\"", "\"[redacted]\"")],
        );
        check(
            &["/principal/mannotations/tags/1/*"],
            &[],
            &[("\"x,]\"", "\"[redacted]\"")],
        );
        check(
            &["/principal/mannotations/tags/2"],
            &[],
            &[(",3]", ",\"[redacted]\"]")],
        );
        check(
            &["/principal/*/ssn", "/*/x"],
            &[],
            &[("\"12\\\"3\"", "\"[redacted]\"")],
        );
    }

    #[test]
    fn hashes_can_be_made_elsewhere() {
        // printf '<ann>' | openssl dgst -sha256 -hmac key
        let want = "hmac-sha256:746f62c67ab3f1d6c3a547d9fe1f5e8c9fcac206297a02da541570de7802b81f";
        let made = redactions(&[], &["/principal/sub"])
            .text("/principal/sub", "<ann>")
            .unwrap();
        assert_eq!(made, want);
        check(
            &[],
            &["/principal/sub"],
            &[("\"\\u003cann\\u003e\"", &format!("\"{made}\""))],
        );
        // The same by both, and removing wins.
        check(&["/n"], &["/n"], &[("1.50", "\"[redacted]\"")]);
        assert!(Redactions::new(&[], &["/n".to_owned()], None).is_err());
    }

    #[test]
    fn texts_beside_the_document() {
        let redactions = redactions(
            &["/principal/mroles", "/principal/mgroups/7", "/operation"],
            &["/resource", "/principal/sub"],
        );
        let removed = Some("[redacted]".to_owned());
        assert_eq!(redactions.text("/operation", "x"), removed);
        assert_eq!(redactions.text("/principal/mroles/0", "x"), removed);
        assert_eq!(redactions.text("/principal/mrealm", "x"), None);
        assert_eq!(redactions.text("/principal/mgroups/0", "x"), removed);
        assert_eq!(redactions.text("/principal/scopes/0", "x"), None);
        assert_eq!(redactions.text("/resource/id", "x"), removed);
        assert!(
            redactions
                .text("/principal/sub", "x")
                .unwrap()
                .starts_with("hmac-sha256:")
        );
        assert_eq!(redactions.reason("role not found"), None);
        let told = redactions.reason("unexpected evaluation result: 123-45").unwrap();
        assert_eq!(told, "unexpected evaluation result: [redacted]");
        // Whoever may try values sees no hash of them.
        let opaque = redactions.opaque();
        assert_eq!(opaque.text("/principal/sub", "x"), removed);
        assert_eq!(opaque.text("/principal/mrealm", "x"), None);
    }

    #[test]
    fn what_is_no_document_is_not_shown() {
        let redactions = redactions(&["/a/b"], &[]);
        for text in [
            "",
            "{",
            "{\"a\":",
            "{\"a\":{\"b\":1}",
            "{\"a\"}",
            "{\"a\":{\"b\"}}",
            "{\"a\":1}x",
        ] {
            let mut out = b"before".to_vec();
            assert!(!redactions.document(text.as_bytes(), &mut out), "{text}");
            assert_eq!(out, b"before");
        }
        assert!(Redactions::new(&["principal/sub".to_owned()], &[], None).is_err());
    }
}
