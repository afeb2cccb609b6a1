//! Comments to METADATA blocks: a comment in the first column that starts with `METADATA`, and the comments in the lines
//! right below it, as one YAML text.

use super::annotation::Fields;
use super::decode::{self, Refusal};
use super::fields;
use crate::ast::Comment;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// A block before it is known what it belongs to.
#[derive(Clone, Debug)]
pub struct Block {
    /// The comment `# METADATA`.
    pub span: Span,
    /// As written; empty if it is left to the statement below.
    pub scope: String,
    /// What it says.
    pub fields: Fields,
}

/// Reads the blocks of a module. `text` is the module's.
#[must_use]
pub fn read(text: &str, comments: &[Comment<'_>]) -> (Vec<Block>, Vec<Diagnostic>) {
    let mut blocks = Vec::new();
    let mut problems = Vec::new();
    let mut rest = comments;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if !opens(text, first) {
            continue;
        }
        let mut above = first;
        let mut count = 0;
        for comment in behind {
            if !is_next_line(text, above, comment) || opens(text, comment) {
                break;
            }
            above = comment;
            count += 1;
        }
        let (lines, after) = behind.split_at(count);
        rest = after;
        match block(first, lines) {
            Ok(block) => blocks.push(block),
            Err(problem) => problems.push(problem),
        }
    }
    (blocks, problems)
}

fn opens(text: &str, comment: &Comment<'_>) -> bool {
    starts_line(text, comment) && comment.text.trim().starts_with("METADATA")
}

fn starts_line(text: &str, comment: &Comment<'_>) -> bool {
    let before = text.get(..comment.span.start as usize).unwrap_or("");
    before.is_empty() || before.ends_with('\n')
}

/// Whether a comment stands in the first column of the line below another's.
fn is_next_line(text: &str, above: &Comment<'_>, comment: &Comment<'_>) -> bool {
    let between = text
        .get(above.span.end as usize..comment.span.start as usize)
        .unwrap_or("");
    starts_line(text, comment) && between.bytes().filter(|byte| *byte == b'\n').count() == 1
}

fn block(first: &Comment<'_>, lines: &[Comment<'_>]) -> Result<Block, Diagnostic> {
    let mut yaml = String::new();
    for line in lines {
        yaml.push_str(line.text.strip_prefix(' ').unwrap_or(line.text));
        yaml.push('\n');
    }
    let refused = |span: Span, message: String| Diagnostic::error(Code::RegoParse, span, message);
    if yaml.trim().is_empty() {
        let message = "expected METADATA block, found whitespace";
        return Err(refused(first.span, message.to_owned()));
    }
    let raw = decode::decode(&yaml).map_err(|refusal| match refusal {
        Refusal::At(line, message) => {
            // OPA counts the marker as the first line.
            let comment = lines.get(line).or(lines.last()).unwrap_or(first);
            refused(comment.span, message)
        }
        Refusal::Whole(message) => refused(lines.first().unwrap_or(first).span, message),
        Refusal::Own(code, message) => Diagnostic::error(code, first.span, message),
    })?;
    let scope = raw.scope.clone();
    let fields = fields::fields(raw).map_err(|message| refused(first.span, message))?;
    Ok(Block {
        span: first.span,
        scope,
        fields,
    })
}
