//! What is counted: domains with requests, of the corpus or of a suite of golden decisions.

use gavel_benches::corpus::Example;
use gavel_compiler::parse::BaseDialect;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Domains that are loaded together, with requests to them.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Folder name.
    pub(crate) name: String,
    /// PolicyDomains, in the order in which they are loaded.
    pub(crate) domains: Vec<PathBuf>,
    /// Their Rego.
    pub(crate) dialect: BaseDialect,
    /// Name and body of each request.
    pub(crate) requests: Vec<(String, Vec<u8>)>,
    /// Some of the requests are meant to be refused.
    pub(crate) has_unreadable: bool,
}

impl Subject {
    /// A domain of the corpus.
    pub(crate) fn of_example(example: Example) -> Subject {
        Subject {
            name: example.name,
            domains: vec![example.domain],
            dialect: BaseDialect::V0,
            requests: example.requests,
            has_unreadable: false,
        }
    }

    /// A folder with `suite.json`, which names `domains` and says whether they are `v1`, and `cases.jsonl`, each line of which
    /// has the body of a request as `porc`.
    pub(crate) fn of_suite(folder: &Path) -> Result<Subject, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let parsed = |text: &str| {
            serde_json::from_str::<Value>(text).map_err(|error| format!("{}: {error}", folder.display()))
        };
        let suite = parsed(&read("suite.json")?)?;
        let domains = suite.get("domains").and_then(Value::as_array);
        let domains = domains.into_iter().flatten().filter_map(Value::as_str);
        let mut requests = Vec::new();
        for line in read("cases.jsonl")?.lines() {
            let case = parsed(line)?;
            let text = |member: &str| case.get(member).and_then(Value::as_str);
            if let Some(porc) = text("porc") {
                let name = text("note").unwrap_or("a case without a name");
                requests.push((name.to_owned(), porc.as_bytes().to_vec()));
            }
        }
        let is_v1 = suite.get("v1").and_then(Value::as_bool) == Some(true);
        let name = folder.file_name().unwrap_or_default();
        Ok(Subject {
            name: name.to_string_lossy().into_owned(),
            domains: domains.map(|name| folder.join(name)).collect(),
            dialect: if is_v1 { BaseDialect::V1 } else { BaseDialect::V0 },
            requests,
            has_unreadable: true,
        })
    }

    /// The same with one of its requests.
    pub(crate) fn only(&self, request: &str) -> Result<Subject, String> {
        let mut one = self.clone();
        one.requests.retain(|(name, _)| name == request);
        match one.requests.is_empty() {
            true => Err(format!("no request {request} of {}", self.name)),
            false => Ok(one),
        }
    }
}
