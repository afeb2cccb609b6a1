//! Cases as files hold them: OPA's YAML suite and JSON lines with the same member names.
//!
//! Format: the README of the conformance data; every member that changes what a case means is read, an unknown one is not.

use crate::json;
use gavel_compiler::domain::yaml;
use gavel_compiler::source::SourceMap;
use gavel_runtime::value::Constant;
use std::path::{Path, PathBuf};

/// One case.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Unique name.
    pub note: String,
    /// How its modules are parsed.
    pub dialect: Dialect,
    /// The query; absent for modules that must be refused.
    pub query: Option<String>,
    /// Module texts.
    pub modules: Vec<String>,
    /// Base document.
    pub data: Option<Constant>,
    /// Input document.
    pub input: Option<Constant>,
    /// Input as a Rego term.
    pub input_term: Option<String>,
    /// Builtin errors abort.
    pub strict_builtins: bool,
    /// The compiler's strict mode.
    pub strict: bool,
    /// The case belongs to OPA's own suite, whose runner differs from OPA's command line: the clock is today's and not
    /// that of when the data was made, metadata is not checked, rules may hide base documents, and there are the builtins
    /// of its test binary.
    pub of_opa_suite: bool,
    /// Errors after which the compiler ends; absent: all are reported.
    pub error_limit: Option<usize>,
    /// Result order inside bindings does not matter.
    pub sort_bindings: bool,
    /// What must come out.
    pub want: Want,
}

/// How modules of a case are parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Rego v0.
    V0,
    /// Rego v1.
    #[default]
    V1,
    /// As `import rego.v2` in every module.
    V2,
}

/// What a case wants; the first member that is there counts, in the order of the variants.
#[derive(Clone, Debug, Default)]
pub enum Want {
    /// The modules are refused with these errors.
    Errors(Vec<WantError>),
    /// Compilation or evaluation ends with this OPA code; a text that the message contains may be given too.
    Code(String),
    /// Compilation or evaluation ends with an error.
    AnyError,
    /// The list of bindings, as an array of objects.
    Result(Constant),
    /// The query has a result, or has none.
    Defined(bool),
    /// The case says nothing.
    #[default]
    Nothing,
}

/// One error that must be reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantError {
    /// OPA's code.
    pub code: String,
    /// Index of the module.
    pub module: usize,
    /// Row, 0: none.
    pub row: u32,
    /// Column, 0: none.
    pub col: u32,
    /// OPA's message.
    pub message: String,
}

/// Case files below the paths, sorted: `.yaml` and `.jsonl`.
pub fn files(paths: &[PathBuf]) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = paths.to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if path
            .extension()
            .is_some_and(|ext| ext == "yaml" || ext == "yml" || ext == "jsonl")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The cases of one file.
pub fn load(path: &Path) -> Result<Vec<Case>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let v0 = path.components().any(|part| part.as_os_str() == "v0");
    let dialect = if v0 { Dialect::V0 } else { Dialect::V1 };
    if path.extension().is_some_and(|ext| ext == "jsonl") {
        return text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let value = json::from_json(line).map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(case(&value, Dialect::V1))
            })
            .collect();
    }
    let mut sources = SourceMap::default();
    let file = sources.add_file(&path.display().to_string(), &text);
    let document = yaml::parse(file, &sources.source(file).text)
        .map_err(|problem| format!("{}: {}", path.display(), problem.message))?;
    let root = json::from_yaml(&document, document.root());
    match root.get("cases") {
        Some(Constant::Array(cases)) => Ok(cases
            .iter()
            .map(|one| Case {
                of_opa_suite: true,
                ..case(one, dialect)
            })
            .collect()),
        _ => Err(format!("{}: no `cases`", path.display())),
    }
}

/// A case without an answer as one line, for OPA to answer.
#[must_use]
pub fn to_line(case: &Case) -> String {
    let string = |text: &str| Constant::String(text.to_owned());
    let dialect = match case.dialect {
        Dialect::V0 => "v0",
        Dialect::V1 => "v1",
        Dialect::V2 => "v2",
    };
    let modules = case.modules.iter().map(|module| string(module)).collect();
    let mut members = vec![
        (string("note"), string(&case.note)),
        (string("dialect"), string(dialect)),
        (string("modules"), Constant::Array(modules)),
    ];
    let texts = [("query", &case.query), ("input_term", &case.input_term)];
    for (name, text) in texts {
        members.extend(text.as_ref().map(|text| (string(name), string(text))));
    }
    for (name, document) in [("data", &case.data), ("input", &case.input)] {
        members.extend(
            document
                .as_ref()
                .map(|value| (string(name), json::as_json(value))),
        );
    }
    for (name, flag) in [("strict_error", case.strict_builtins), ("strict", case.strict)] {
        if flag {
            members.push((string(name), Constant::Bool(true)));
        }
    }
    json::text(&Constant::object(members))
}

fn case(doc: &Constant, dialect: Dialect) -> Case {
    let flag = |name: &str| matches!(doc.get(name), Some(Constant::Bool(true)));
    Case {
        note: text(doc.get("note")),
        dialect: match doc.get("dialect") {
            Some(Constant::String(word)) if word == "v0" => Dialect::V0,
            Some(Constant::String(word)) if word == "v2" => Dialect::V2,
            Some(_) => Dialect::V1,
            None => dialect,
        },
        query: doc.get("query").map(|query| text(Some(query))),
        modules: list(doc.get("modules"))
            .iter()
            .map(|module| text(Some(module)))
            .collect(),
        data: doc.get("data").filter(|data| **data != Constant::Null).cloned(),
        input: doc.get("input").cloned(),
        input_term: doc.get("input_term").map(|term| text(Some(term))),
        strict_builtins: flag("strict_error"),
        strict: flag("strict"),
        of_opa_suite: false,
        error_limit: match doc.get("error_limit") {
            Some(Constant::Int(limit)) => usize::try_from(*limit).ok(),
            _ => None,
        },
        sort_bindings: flag("sort_bindings"),
        want: want(doc),
    }
}

fn want(doc: &Constant) -> Want {
    if let Some(Constant::Array(errors)) = doc.get("want_errors") {
        return Want::Errors(errors.iter().map(want_error).collect());
    }
    if let Some(code) = doc.get("want_error_code") {
        return Want::Code(text(Some(code)));
    }
    if doc.get("want_error").is_some() {
        return Want::AnyError;
    }
    if let Some(result) = doc.get("want_result") {
        return Want::Result(if *result == Constant::Null {
            Constant::Array(Vec::new())
        } else {
            result.clone()
        });
    }
    match doc.get("want_defined") {
        Some(Constant::Bool(defined)) => Want::Defined(*defined),
        _ => Want::Nothing,
    }
}

fn want_error(doc: &Constant) -> WantError {
    let number = |name: &str| match doc.get(name) {
        Some(Constant::Int(n)) => u32::try_from(*n).unwrap_or(0),
        _ => 0,
    };
    WantError {
        code: text(doc.get("code")),
        module: number("module") as usize,
        row: number("row"),
        col: number("col"),
        message: text(doc.get("message")),
    }
}

fn text(value: Option<&Constant>) -> String {
    match value {
        Some(Constant::String(text)) => text.clone(),
        Some(other) => json::text(&json::as_json(other)),
        None => String::new(),
    }
}

fn list(value: Option<&Constant>) -> &[Constant] {
    match value {
        Some(Constant::Array(items)) => items,
        _ => &[],
    }
}
