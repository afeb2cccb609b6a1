//! Blocks to annotations: each belongs to the first statement below its first line, and its scope must fit that.

use super::annotation::{Annotation, Scope, Target};
use super::blocks::Block;
use crate::ast::Module;
use crate::diagnostic::{Code, Diagnostic};

/// What may stand below a block.
#[derive(Clone, Copy)]
enum Below {
    Target(Target),
    Import,
    Nothing,
}

/// Finds what the blocks of a module belong to. `text` is the module's.
#[must_use]
pub fn attach(blocks: Vec<Block>, module: &Module<'_>, text: &str) -> (Vec<Annotation>, Vec<Diagnostic>) {
    if blocks.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let statements = statements(module);
    let mut annotations = Vec::new();
    let mut problems = Vec::new();
    for block in blocks {
        // The comment ends with its line, so what starts behind its end stands in a later one.
        let behind = line_end(text, block.span.end);
        let next = statements.partition_point(|(start, _)| *start < behind);
        let below = statements.get(next).map_or(Below::Nothing, |(_, below)| *below);
        match annotation(block, below) {
            Ok(annotation) => annotations.push(annotation),
            Err(found) => problems.extend(found),
        }
    }
    (annotations, problems)
}

fn line_end(text: &str, from: u32) -> u32 {
    let rest = text.get(from as usize..).unwrap_or("");
    let to = rest.find('\n').map_or(rest.len(), |at| at + 1);
    from + u32::try_from(to).unwrap_or(u32::MAX)
}

/// All statements by their first byte.
fn statements(module: &Module<'_>) -> Vec<(u32, Below)> {
    let mut found = vec![(module.package.span.start, Below::Target(Target::Package))];
    found.extend(
        module
            .imports
            .iter()
            .map(|import| (import.span.start, Below::Import)),
    );
    let rules = module.rules.iter().enumerate();
    found.extend(rules.map(|(at, rule)| (rule.span.start, Below::Target(Target::Rule(at)))));
    found.sort_by_key(|(start, _)| *start);
    found
}

fn annotation(block: Block, below: Below) -> Result<Annotation, Vec<Diagnostic>> {
    let Block { span, scope, fields } = block;
    let word = match (scope.as_str(), below) {
        ("", Below::Target(Target::Rule(_))) if fields.entrypoint => "document",
        ("", Below::Target(Target::Rule(_))) => "rule",
        ("", Below::Target(Target::Package)) => "package",
        // No scope, but it tells what is wrong.
        ("", Below::Import) => "import",
        (word, _) => word,
    };
    let refused = |message: String| Diagnostic::error(Code::RegoParse, span, message);
    let mut problems = Vec::new();
    let have = match below {
        Below::Target(Target::Rule(_)) => " (have rule)",
        Below::Target(Target::Package) => " (have package)",
        Below::Import => " (have import)",
        Below::Nothing => "",
    };
    let found = match (Scope::parse(word), below) {
        (Some(scope @ (Scope::Rule | Scope::Document)), Below::Target(target @ Target::Rule(_)))
        | (Some(scope @ (Scope::Package | Scope::Subpackages)), Below::Target(target @ Target::Package)) => {
            Some((scope, target))
        }
        (Some(scope), _) => {
            let wanted = match scope {
                Scope::Rule | Scope::Document => "rule",
                Scope::Package | Scope::Subpackages => "package",
            };
            problems.push(refused(format!(
                "annotation scope '{word}' must be applied to {wanted}{have}"
            )));
            None
        }
        (None, _) => {
            problems.push(refused(format!(
                "invalid annotation scope '{word}'. Use one of 'rule', 'document', 'package', or 'subpackages'"
            )));
            None
        }
    };
    if fields.entrypoint && !matches!(word, "document" | "package") {
        problems.push(refused(format!(
            "annotation entrypoint applied to non-document or package scope '{word}'"
        )));
    }
    match found.filter(|_| problems.is_empty()) {
        Some((scope, target)) => Ok(Annotation {
            span,
            scope,
            target,
            fields,
        }),
        None => Err(problems),
    }
}
