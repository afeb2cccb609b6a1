//! References between schemas: URLs as Go's `net/url` reads, resolves and prints them, and the JSON pointers behind `#`.

use crate::builtins::uri::{
    IN_FRAGMENT, IN_HOST, IN_PATH, Parts, escaped, escaped_path, is_encoded, why_invalid,
};
use crate::value::{Kind, Value};

/// A URL reference in parts, each spelled as Go prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reference {
    scheme: String,
    /// What follows the scheme where that does not begin with a slash.
    opaque: String,
    /// `user@`
    user: String,
    host: String,
    /// A scheme and a path, but no `//` between them.
    omits_host: bool,
    path: String,
    /// With its question mark.
    query: String,
    /// With its `#`; empty for an empty fragment.
    fragment: String,
    /// The fragment without escapes.
    pointer: String,
}

impl Reference {
    /// Reads a text; Go's error for what is no URL.
    pub(super) fn parse(text: &str) -> Result<Reference, String> {
        let Some(parts) = Parts::of(text) else {
            return Err(why_invalid(text));
        };
        let (rest, _) = text.split_once('#').unwrap_or((text, ""));
        let rest = match parts.scheme.as_str() {
            "" => rest,
            scheme => rest.get(scheme.len() + 1..).unwrap_or_default(),
        };
        let (rest, query) = match rest.find('?') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let mut reference = Reference {
            query: query.to_owned(),
            pointer: String::from_utf8_lossy(&parts.fragment).into_owned(),
            ..Reference::default()
        };
        if let Some((_, fragment)) = text.split_once('#')
            && !fragment.is_empty()
        {
            reference.fragment = if is_encoded(fragment.as_bytes(), IN_FRAGMENT) {
                format!("#{fragment}")
            } else {
                format!("#{}", escaped(&parts.fragment, IN_FRAGMENT))
            };
        }
        if !parts.scheme.is_empty() && !rest.starts_with('/') {
            reference.opaque = rest.to_owned();
        } else if let Some(behind) = rest.strip_prefix("//").filter(|behind| !behind.starts_with('/')) {
            let authority = behind.split('/').next().unwrap_or_default();
            if let Some((user, _)) = authority.rsplit_once('@') {
                reference.user = format!("{user}@");
            }
            reference.host = escaped(&parts.host, IN_HOST);
        } else {
            reference.omits_host = !parts.scheme.is_empty() && !rest.starts_with("//");
        }
        reference.path = match parts.raw_path.as_str() {
            raw if !raw.is_empty() && is_encoded(raw.as_bytes(), IN_PATH) => raw.to_owned(),
            _ => escaped_path(&parts.path),
        };
        reference.scheme = parts.scheme;
        Ok(reference)
    }

    /// What a reference means that stands in a document with this address.
    pub(super) fn resolve(&self, child: &Reference) -> Result<Reference, String> {
        let mut url = child.clone();
        if child.scheme.is_empty() {
            url.scheme.clone_from(&self.scheme);
        }
        if !child.scheme.is_empty() || !child.host.is_empty() || !child.user.is_empty() {
            url.path = resolved_path(&child.path, "");
            return Reference::parse(&url.text());
        }
        if child.path.is_empty() && child.query.is_empty() {
            url.query.clone_from(&self.query);
        }
        if child.path.is_empty() && !self.opaque.is_empty() {
            url.opaque.clone_from(&self.opaque);
            return Reference::parse(&url.text());
        }
        url.host.clone_from(&self.host);
        url.user.clone_from(&self.user);
        url.path = resolved_path(&self.path, &child.path);
        Reference::parse(&url.text())
    }

    /// The reference without what stands behind `#`.
    pub(super) fn document(&self) -> String {
        let mut out = String::new();
        self.write_document(&mut out);
        out
    }

    /// The whole reference.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.write_document(&mut out);
        out.push_str(&self.fragment);
        out
    }

    /// Whether it names a document on its own.
    pub(super) fn is_canonical(&self) -> bool {
        match self.scheme.as_str() {
            "file" => self.path.starts_with('/'),
            scheme => !scheme.is_empty() && !self.host.is_empty(),
        }
    }

    /// The part of a document that the pointer behind `#` leads to. What is no pointer leads to the document itself.
    pub(super) fn find<'r>(&self, document: Value<'r>) -> Result<Value<'r>, String> {
        let Some(steps) = self.pointer.strip_prefix('/') else {
            return Ok(document);
        };
        let mut at = document;
        for step in steps.split('/') {
            at = match at.kind() {
                Kind::Object(_) => {
                    let key = step.replace("~1", "/").replace("~0", "~");
                    at.field(&key)
                        .ok_or_else(|| format!("Object has no key '{key}'"))?
                }
                Kind::Array(items) => {
                    let index: i64 = step
                        .parse()
                        .map_err(|_| format!("Invalid array index '{step}'"))?;
                    let item = usize::try_from(index).ok().and_then(|index| items.get(index));
                    *item.ok_or_else(|| format!("Out of bound array[0,{}] index '{index}'", items.len()))?
                }
                _ => return Err(format!("Invalid token reference '{step}'")),
            };
        }
        Ok(at)
    }

    fn write_document(&self, out: &mut String) {
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            let has_authority = !self.scheme.is_empty() || !self.host.is_empty() || !self.user.is_empty();
            let omitted = self.omits_host && self.host.is_empty() && self.user.is_empty();
            let is_empty = self.host.is_empty() && self.path.is_empty() && self.user.is_empty();
            if has_authority && !omitted && !is_empty {
                out.push_str("//");
                out.push_str(&self.user);
                out.push_str(&self.host);
            }
            if !self.path.is_empty() && !self.path.starts_with('/') && !self.host.is_empty() {
                out.push('/');
            }
            let first = self.path.split('/').next().unwrap_or_default();
            if out.is_empty() && first.contains(':') {
                out.push_str("./");
            }
            out.push_str(&self.path);
        } else {
            out.push_str(&self.opaque);
        }
        out.push_str(&self.query);
    }
}

/// A path seen from another one, without `.` and `..`.
fn resolved_path(base: &str, path: &str) -> String {
    let full = if path.is_empty() {
        base.to_owned()
    } else if path.starts_with('/') {
        path.to_owned()
    } else {
        let folder = base.rfind('/').map_or(0, |at| at + 1);
        format!("{}{path}", base.get(..folder).unwrap_or_default())
    };
    if full.is_empty() {
        return full;
    }
    let mut steps: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for step in full.strip_prefix('/').unwrap_or(&full).split('/') {
        ends_open = matches!(step, "." | "..");
        match step {
            "." => {}
            ".." => {
                steps.pop();
            }
            _ => steps.push(step),
        }
    }
    let mut out = format!("/{}", steps.join("/"));
    if ends_open && !out.ends_with('/') {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, reference: &str, want: &str) {
        let base = Reference::parse(base).unwrap();
        let reference = Reference::parse(reference).unwrap();
        assert_eq!(base.resolve(&reference).unwrap().text(), want);
    }

    #[test]
    fn references_resolve_as_in_go() {
        check("", "#", "");
        check("", "#/definitions/a b", "#/definitions/a%20b");
        check("", "x.json#/a", "/x.json#/a");
        check("http://a.b/c/d?q#x", "../e#f", "http://a.b/e#f");
        check("http://a.b/c/d?q#x", "#f", "http://a.b/c/d?q#f");
        check("http://a.b", "x", "http://a.b/x");
        check("http://a.b/c/", "/x/./y/..", "http://a.b/x/");
        check("urn:a:b", "#x", "urn:a:b#x");
        check("x:/a", "b", "x:///b");
    }
}
