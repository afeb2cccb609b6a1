//! Cases of the conformance data, read in place: YAML suite files and JSON lines.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail as the test does"
)]

use std::fs;
use std::path::{Path, PathBuf};

use gavel_compiler::parse::BaseDialect;
use saphyr_parser::{Event, Parser};
use serde_json::Value;

/// One case, as far as the parser is concerned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) note: String,
    pub(crate) dialect: BaseDialect,
    pub(crate) modules: Vec<String>,
    pub(crate) query: Option<String>,
    /// Code, module, row and column of OPA's first error.
    pub(crate) want: Option<Want>,
    /// All of OPA's errors.
    pub(crate) wants: Vec<Want>,
    /// Strict mode.
    pub(crate) strict: bool,
    /// The base document.
    pub(crate) data: Option<Value>,
    /// Code of the error that evaluation or compilation ends with.
    pub(crate) want_error_code: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Want {
    pub(crate) code: String,
    pub(crate) module: usize,
    pub(crate) row: u64,
    pub(crate) col: u64,
    pub(crate) message: String,
}

/// The folder of the conformance data, if it is there.
pub(crate) fn folder() -> Option<PathBuf> {
    let shared = match std::env::var_os("GAVEL_SHARED") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    };
    Some(shared.join("opa-conformance")).filter(|path| path.is_dir())
}

/// All files below a folder with an extension, sorted.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("readable folder") {
            let path = entry.expect("readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The cases of a JSON lines file.
pub(crate) fn json_cases(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).expect("readable file");
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(json_case)
        .collect()
}

fn json_case(line: &str) -> Case {
    let value: Value = serde_json::from_str(line).expect("JSON line");
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let wants: Vec<Want> = value["want_errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(want)
        .collect();
    Case {
        note: text(&value["note"]),
        dialect: match value["dialect"].as_str() {
            Some("v0") => BaseDialect::V0,
            Some("v2") => BaseDialect::V2,
            _ => BaseDialect::V1,
        },
        modules: value["modules"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect(),
        query: value["query"].as_str().map(str::to_owned),
        want: wants.first().cloned(),
        wants,
        strict: value["strict"].as_bool().unwrap_or(false),
        data: value.get("data").cloned(),
        want_error_code: value["want_error_code"].as_str().map(str::to_owned),
    }
}

fn want(error: &Value) -> Want {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    Want {
        code: text(&error["code"]),
        module: usize::try_from(error["module"].as_u64().unwrap_or(0)).expect("small"),
        row: error["row"].as_u64().unwrap_or(0),
        col: error["col"].as_u64().unwrap_or(0),
        message: text(&error["message"]),
    }
}

/// The cases of a suite file: what stands under `cases`.
pub(crate) fn yaml_cases(path: &Path, dialect: BaseDialect) -> Vec<Case> {
    let text = fs::read_to_string(path).expect("readable file");
    let mut cases = Vec::new();
    // The keys (or list marks) on the way to the current node, and whether a mapping waits for a key.
    let mut way: Vec<(String, bool)> = Vec::new();
    for event in Parser::new_from_str(&text) {
        let (event, _) = event.expect("a case file is YAML");
        match event {
            Event::MappingStart(..) => {
                if way.len() == 2 {
                    cases.push(Case {
                        dialect,
                        ..Case::default()
                    });
                }
                way.push((String::new(), true));
            }
            Event::SequenceStart(..) => way.push(("-".to_owned(), false)),
            Event::MappingEnd | Event::SequenceEnd => {
                way.pop();
                value_done(&mut way);
            }
            Event::Scalar(scalar, ..) => match way.last_mut() {
                Some((key, waits @ true)) => {
                    *key = scalar.into_owned();
                    *waits = false;
                }
                _ => {
                    scalar_value(&way, &scalar, &mut cases);
                    value_done(&mut way);
                }
            },
            Event::Alias(_) => value_done(&mut way),
            _ => {}
        }
    }
    cases
}

fn value_done(way: &mut [(String, bool)]) {
    if let Some((key, waits)) = way.last_mut()
        && key != "-"
    {
        *waits = true;
    }
}

fn scalar_value(way: &[(String, bool)], scalar: &str, cases: &mut [Case]) {
    let keys: Vec<&str> = way.iter().map(|(key, _)| key.as_str()).collect();
    let Some(case) = cases.last_mut() else { return };
    match keys.as_slice() {
        ["cases", "-", "note"] => case.note = scalar.to_owned(),
        ["cases", "-", "want_error_code"] => case.want_error_code = Some(scalar.to_owned()),
        ["cases", "-", "query"] => case.query = Some(scalar.to_owned()),
        ["cases", "-", "modules", "-"] => case.modules.push(scalar.to_owned()),
        _ => {}
    }
}
