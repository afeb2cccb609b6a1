//! Labels and annotations of the pod, from the files that the Kubernetes Downward API writes: `key="value"` lines whose
//! values are quoted as Go quotes strings.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::reason;
use crate::log::{self, Level};
use crate::{files, limits};

/// A Downward API directory. Files that are not there mean empty values.
pub(super) struct PodInfo {
    directory: PathBuf,
}

impl PodInfo {
    /// Where it is unless the configuration says otherwise.
    pub(super) const FOLDER: &str = "/etc/podinfo";

    /// The files that are read.
    pub(super) fn files(&self) -> [PathBuf; 2] {
        ["labels", "annotations"].map(|name| self.directory.join(name))
    }

    pub(super) fn at(directory: &str) -> PodInfo {
        PodInfo {
            directory: PathBuf::from(directory),
        }
    }

    pub(super) fn label(&self, key: &str) -> String {
        value(&self.directory.join("labels"), key)
    }

    pub(super) fn annotation(&self, key: &str) -> String {
        value(&self.directory.join("annotations"), key)
    }
}

fn value(path: &Path, key: &str) -> String {
    let bytes = match files::bytes(path, limits::TEXT_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                let (path, why) = (path.display(), reason(&error));
                log::line(
                    Level::Warn,
                    format_args!("audit.env: {path} cannot be read: {why}"),
                );
            }
            return String::new();
        }
    };
    parse(&String::from_utf8_lossy(&bytes))
        .remove(key)
        .unwrap_or_default()
}

/// A later line wins over an earlier one with its key; lines without `=` do not count.
fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().split_once('='))
        .map(|(key, value)| {
            (
                key.to_owned(),
                unquote(value).unwrap_or_else(|| value.trim_matches('"').to_owned()),
            )
        })
        .collect()
}

/// Undoes Go's `strconv.Quote`; nothing if the text is not quoted that way.
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let replaced = match c {
            '"' => return None,
            '\\' => match chars.next()? {
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                same @ ('\\' | '"' | '\'') => same,
                'x' => {
                    // A byte, not a character: text that is not UTF-8 is quoted byte by byte.
                    out.push(u8::try_from(hex(&mut chars, 2)?).ok()?);
                    continue;
                }
                'u' => char::from_u32(hex(&mut chars, 4)?)?,
                'U' => char::from_u32(hex(&mut chars, 8)?)?,
                _ => return None,
            },
            other => other,
        };
        out.extend_from_slice(replaced.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0u32, |sum, _| Some(sum * 16 + chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = "app=\"harbour\"\nrank = \"two words\"\nno equal sign\ntier=\"a=b\"\nplain=x\napp=\"\"\n\
                    a=\"say \\\"hi\\\"\"\nb=\"one\\ntwo\\u00e9\\x41\"\nodd=\"a\\q\"\n";
        let got = parse(text);
        let want = [
            ("a", "say \"hi\""),
            ("app", ""),
            ("b", "one\ntwoéA"),
            ("odd", "a\\q"),
            ("plain", "x"),
            ("rank ", " \"two words"),
            ("tier", "a=b"),
        ];
        assert_eq!(
            got.iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect::<Vec<_>>(),
            want
        );
    }
}
