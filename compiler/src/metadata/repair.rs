//! Texts that yaml.v3 reads and our YAML parser does not, rewritten to what both read alike. No line moves.

use crate::diagnostic::Diagnostic;

/// `&name: x` at the start of a line: to yaml.v3 the name ends in front of the colon, and the key is an empty node.
pub(super) fn split_anchors(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match glued_colon(line).and_then(|at| line.split_at_checked(at)) {
            Some((before, behind)) => {
                out.push_str(before);
                out.push(' ');
                out.push_str(behind);
            }
            None => out.push_str(line),
        }
    }
    out
}

/// Where the colon of `&name:` stands in a line that begins so.
fn glued_colon(line: &str) -> Option<usize> {
    let mut content = line.trim_start_matches(' ');
    while let Some(item) = content.strip_prefix("- ") {
        content = item.trim_start_matches(' ');
    }
    let name = content.strip_prefix('&')?;
    let behind = name.trim_start_matches(is_name);
    let colon = behind.strip_prefix(':')?;
    let glued = behind.len() < name.len() && (colon.is_empty() || colon.starts_with([' ', '\t', '\n']));
    glued.then(|| line.len() - behind.len())
}

/// What the name of an anchor may consist of.
pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// The text without what our parser has just stopped at, if yaml.v3 does not stop there.
pub(super) fn without(text: &str, problem: &Diagnostic) -> Option<String> {
    let at = problem.span?.start as usize;
    let (before, behind) = text.split_at_checked(at)?;
    // Only the first document is read, and what follows it may be anything.
    if problem
        .message
        .ends_with("did not find expected <document start>")
    {
        return (!before.trim().is_empty()).then(|| before.to_owned());
    }
    // A comment may touch what it follows.
    let touches = problem.message.contains("comments must be separated");
    (touches && behind.starts_with('#') && !before.ends_with(' ')).then(|| format!("{before} {behind}"))
}
