//! The peer OPA as a server: the example's own modules, each policy in a package of its own, compiled into a bundle with
//! OPA's optimisation level 1; no logs of decisions or requests. Its server keeps prepared queries by itself.

use std::path::Path;
use std::process::{Command, Stdio};

use gavel_compiler::domain;
use gavel_compiler::source::SourceMap;
use gavel_runtime::decision::Phase;

use super::clinic::realised;
use super::regorus::asked;
use super::served::{Folder, Question, Served, program};
use crate::corpus::{self, Example};
use crate::process::{Process, free_port};

/// The four phases: which policies each asks comes with the request, and nothing is decided twice.
const PHASES: &str = r"package gavel

import rego.v1

default allow := false

verdict := data.policies[input.ask.operation].allow

allow if verdict > 0

allow if {
	verdict == 0
	identity
	resource
	scope
}

identity if {
	some policy in input.ask.identity
	data.policies[policy].allow == true
}

resource if {
	some policy in input.ask.resource
	data.policies[policy].allow == true
}

scope if count(input.ask.scope) == 0

scope if {
	some policy in input.ask.scope
	data.policies[policy].allow == true
}
";

/// Builds the bundle and starts the server on a processor.
///
/// # Errors
/// OPA is not there, or decides differently.
pub fn start(example: &Example, core: Option<usize>) -> Result<Served, String> {
    let opa = program("GAVEL_PEER_OPA", "opa")?;
    let folder = Folder::new("opa")?;
    let modules = folder.0.join("modules");
    write_modules(example, &modules)?;
    let built = Command::new(&opa)
        .args([
            "build",
            "--v0-compatible",
            "-O",
            "1",
            "-e",
            "gavel/allow",
            "-b",
            "modules",
            "-o",
        ])
        .arg("bundle.tar.gz")
        .current_dir(&folder.0)
        .output()
        .map_err(|error| format!("opa: {error}"))?;
    if !built.status.success() {
        return Err(format!("opa build: {}", String::from_utf8_lossy(&built.stderr)));
    }
    let port = free_port()?;
    let mut command = Command::new(&opa);
    command
        .args([
            "run",
            "--server",
            "--v0-compatible",
            "--log-level",
            "error",
            "--skip-version-check",
        ])
        .args(["--addr", &format!("127.0.0.1:{port}"), "-b", "bundle.tar.gz"])
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let served = Served {
        name: "OPA",
        process: Process::start(&mut command, core)?,
        port,
        caution: None,
        path: "/v1/data/gavel/allow",
        requests: questions(example)?,
        folder,
    };
    served.compared()
}

fn write_modules(example: &Example, folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(&example.domain).map_err(|error| error.to_string())?;
    let mut sources = SourceMap::default();
    let file = sources.add_file("domain", &text);
    let set = domain::load(&mut sources, &[file]).map_err(|problems| format!("{problems:?}"))?;
    let write =
        |name: String, text: &str| std::fs::write(folder.join(name), text).map_err(|error| error.to_string());
    for (at, policy) in set.policies.iter().enumerate() {
        let text = sources.source(policy.rego).text.to_string();
        let own = text.replacen("package authz", &format!("package policies.p{at}"), 1);
        write(format!("policy-{at}.rego"), &own)?;
    }
    for (at, library) in set.libraries.iter().enumerate() {
        write(format!("library-{at}.rego"), &sources.source(library.rego).text)?;
    }
    write("phases.rego".to_owned(), PHASES)
}

/// The requests with their documents resolved, and the policies to ask.
fn questions(example: &Example) -> Result<Vec<Question>, String> {
    let image = corpus::image(example)?;
    let mut decider = corpus::decider(&image);
    let mut questions = Vec::new();
    for (name, body) in &example.requests {
        let decision = corpus::decide(&mut decider, &image, body)?;
        let granted = decision.granted;
        let asked = asked(decision.references);
        let document = realised(&mut decider, &image, body)?;
        let mut input: serde_json::Value = serde_json::from_str(&document).map_err(|e| e.to_string())?;
        let of = |phase: Phase| {
            let policies = asked.iter().filter(move |(asked, _)| *asked == phase);
            let names = policies.filter_map(|(_, policy)| Some(format!("p{}", (*policy)?)));
            names.collect::<Vec<String>>()
        };
        let ask = serde_json::json!({
            "operation": of(Phase::Operation).first(),
            "identity": of(Phase::Identity),
            "resource": of(Phase::Resource),
            "scope": of(Phase::Scope),
        });
        if let Some(members) = input.as_object_mut() {
            members.insert("ask".to_owned(), ask);
        }
        questions.push(Question {
            name: name.clone(),
            body: serde_json::json!({ "input": input }).to_string(),
            answer: match granted {
                true => "{\"result\":true}",
                false => "{\"result\":false}",
            },
        });
    }
    Ok(questions)
}
