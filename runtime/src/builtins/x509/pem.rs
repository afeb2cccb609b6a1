//! PEM blocks, found and read as Go's `encoding/pem` does.

use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::base64::standard_bytes;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "\n-----END ";
const DASHES: &str = "-----";

/// A block.
#[derive(Clone, Copy, Debug)]
pub(in crate::builtins) struct Block<'r> {
    pub(in crate::builtins) label: &'r str,
    pub(in crate::builtins) bytes: &'r [u8],
}

/// The next block and what follows it; `None` if there is none.
///
/// A place that only looks like a block is left behind, so that time is linear in the text.
pub(in crate::builtins) fn next<'r>(
    arena: &'r Arena,
    text: &'r str,
) -> Result<Option<(Block<'r>, &'r str)>, Failure> {
    let mut rest = text;
    while let Some(end) = rest.find(END) {
        // The last beginning before the first end.
        let (before, from_end) = rest.split_at(end);
        rest = from_end.get(END.len()..).unwrap_or_default();
        let Some(begin) = before.rfind(BEGIN) else {
            continue;
        };
        if begin > 0 && before.as_bytes().get(begin - 1) != Some(&b'\n') {
            continue;
        }
        let inside = before.get(begin + BEGIN.len()..).unwrap_or_default();
        match block(arena, inside, rest) {
            Ok(found) => return Ok(Some(found)),
            Err(Failure::Error(_)) => {}
            Err(abort) => return Err(abort),
        }
    }
    Ok(None)
}

/// The block of what stands between the marks, and what follows the line of the end.
fn block<'r>(arena: &'r Arena, inside: &'r str, behind: &'r str) -> Result<(Block<'r>, &'r str), Failure> {
    let (label, mut body) = line(inside);
    let label = label.strip_suffix(DASHES).ok_or(Failure::BUILTIN)?;
    // Headers: lines with a colon.
    while let (first, next) = line(body)
        && first.contains(':')
    {
        // The line before the end is none of them: something has to follow a header.
        if next.is_empty() && !body.contains('\n') {
            return Err(Failure::BUILTIN);
        }
        body = next;
    }
    let behind = behind
        .strip_prefix(label)
        .and_then(|rest| rest.strip_prefix(DASHES));
    let (trailer, rest) = line(behind.ok_or(Failure::BUILTIN)?);
    if !trailer.is_empty() {
        return Err(Failure::BUILTIN);
    }
    let digits: String = body.chars().filter(|c| !matches!(c, ' ' | '\t')).collect();
    let bytes = standard_bytes(arena, &digits)?;
    Ok((Block { label, bytes }, rest))
}

/// The first line without blanks at its end, and what follows it.
fn line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let line = match text.len() == line.len() {
        true => line,
        false => line.strip_suffix('\r').unwrap_or(line),
    };
    (line.trim_end_matches([' ', '\t']), rest)
}
