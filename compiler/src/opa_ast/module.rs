//! Text to JSON, and the outermost parts.

use crate::ast::{Comment, Import, Module};
use crate::parse::{self, BaseDialect, BlanketImport, ParseOptions};
use crate::source::SourceMap;
use bumpalo::Bump;
use gavel_runtime::builtins::base64_text;
use gavel_runtime::value::Constant;

/// What all nodes of one module share.
pub(super) struct Writer<'m> {
    pub(super) sources: &'m SourceMap,
    pub(super) comments: &'m [Comment<'m>],
    /// `not` takes bodies in the module.
    pub(super) new_not: bool,
    /// Wildcards so far: OPA numbers them in the order of the text.
    pub(super) wildcards: usize,
    /// A number is written in a way that JSON does not know.
    pub(super) is_unwritable: bool,
}

/// Parses a v1 module, without its annotations. Nothing: it is none, or has a number that is no JSON (`.5`).
#[must_use]
pub fn parse_module(filename: &str, text: &str) -> Option<Constant> {
    let mut sources = SourceMap::default();
    let file = sources.add_file(filename, text);
    let bump = Bump::new();
    let options = ParseOptions {
        base: BaseDialect::V1,
        blanket_import: BlanketImport::Opa,
        annotations: false,
    };
    let module = parse::parse_module(&bump, &sources, file, options).ok()?;
    let mut writer = Writer {
        sources: &sources,
        comments: module.comments,
        new_not: false,
        wildcards: 0,
        is_unwritable: false,
    };
    let json = writer.module(&module);
    (!writer.is_unwritable).then_some(json)
}

impl Writer<'_> {
    fn module(&mut self, module: &Module<'_>) -> Constant {
        let package = module.package.path.iter().map(|name| string(name.text));
        let path = std::iter::once(variable("data")).chain(package).collect();
        let mut members = vec![("package", object(vec![("path", Constant::Array(path))]))];
        if !module.imports.is_empty() {
            members.push((
                "imports",
                Constant::Array(module.imports.iter().map(|import| self.import(import)).collect()),
            ));
        }
        if !module.rules.is_empty() {
            members.push(("rules", Constant::Array(self.rules(module.rules))));
        }
        if !module.comments.is_empty() {
            let comments = module.comments.iter().map(|comment| self.comment(comment));
            members.push(("comments", Constant::Array(comments.collect())));
        }
        object(members)
    }

    fn import(&mut self, import: &Import<'_>) -> Constant {
        let steps = import.path.iter().enumerate().map(|(at, name)| match at {
            0 => variable(name.text),
            _ => string(name.text),
        });
        let mut members = vec![("path", typed("ref", Constant::Array(steps.collect())))];
        if let Some(alias) = import.alias {
            let alias = match alias.text {
                "_" => self.wildcard_name(),
                name => name.to_owned(),
            };
            members.push(("alias", Constant::String(alias)));
        }
        object(members)
    }

    fn comment(&self, comment: &Comment<'_>) -> Constant {
        let at = self.sources.position(comment.span);
        let name = &self.sources.source(comment.span.file).name;
        let place = object(vec![
            ("file", text(name)),
            ("row", Constant::Int(at.row.into())),
            ("col", Constant::Int(at.col.into())),
        ]);
        object(vec![
            ("Location", place),
            ("Text", text(&base64_text(comment.text.as_bytes()))),
        ])
    }
}

pub(super) fn text(text: &str) -> Constant {
    Constant::String(text.to_owned())
}

pub(super) fn object(members: Vec<(&str, Constant)>) -> Constant {
    Constant::object(
        members
            .into_iter()
            .map(|(key, value)| (text(key), value))
            .collect(),
    )
}

/// A term.
pub(super) fn typed(name: &str, value: Constant) -> Constant {
    object(vec![("type", text(name)), ("value", value)])
}

pub(super) fn string(value: &str) -> Constant {
    typed("string", text(value))
}

pub(super) fn variable(name: &str) -> Constant {
    typed("var", text(name))
}
