//! The peer Cerbos as a server: `benches/peers/clinic/cerbos`, over its HTTP API, which is the way that suits every client
//! and not its fastest, which is gRPC; no audit log, no telemetry, policies from disk and not watched.

use std::path::Path;
use std::process::{Command, Stdio};

use super::clinic::{Facts, realised};
use super::served::{Folder, Question, Served, program};
use crate::corpus::{self, Example};
use crate::process::{Process, free_port};

/// Starts the server on a processor.
///
/// # Errors
/// Cerbos is not there, or decides differently.
pub fn start(example: &Example, core: Option<usize>) -> Result<Served, String> {
    let cerbos = program("GAVEL_PEER_CERBOS", "cerbos")?;
    let folder = Folder::new("cerbos")?;
    let port = free_port()?;
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/clinic/cerbos");
    let settings = serde_json::json!({
        "server": {
            "httpListenAddr": format!("127.0.0.1:{port}"),
            "grpcListenAddr": format!("unix:{}", folder.0.join("grpc.sock").display()),
            "logRequestPayloads": false,
        },
        "audit": { "enabled": false },
        "telemetry": { "disabled": true },
        "storage": { "driver": "disk", "disk": { "directory": policies, "watchForChanges": false } },
    });
    let file = folder.0.join("cerbos.yaml");
    // JSON is YAML.
    std::fs::write(&file, settings.to_string()).map_err(|error| error.to_string())?;
    let mut command = Command::new(&cerbos);
    command
        .args(["server", "--log-level", "error", "--config"])
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let served = Served {
        name: "Cerbos",
        process: Process::start(&mut command, core)?,
        port,
        caution: Some(
            "asked over HTTP with JSON as gavel is; its SDKs speak gRPC, which its documentation recommends",
        ),
        path: "/api/check/resources",
        requests: questions(example)?,
        folder,
    };
    served.compared()
}

fn questions(example: &Example) -> Result<Vec<Question>, String> {
    let image = corpus::image(example)?;
    let mut decider = corpus::decider(&image);
    let mut questions = Vec::new();
    for (name, body) in &example.requests {
        let granted = corpus::decide(&mut decider, &image, body)?.granted;
        let facts = Facts::read(&realised(&mut decider, &image, body)?)?;
        questions.push(Question {
            name: name.clone(),
            body: question(facts),
            answer: match granted {
                true => "EFFECT_ALLOW",
                false => "EFFECT_DENY",
            },
        });
    }
    Ok(questions)
}

fn question(facts: Facts) -> String {
    // Cerbos wants a role of everybody.
    let roles = match facts.roles.is_empty() {
        true => vec!["anonymous"],
        false => facts.roles,
    };
    let mut attributes = facts.attributes;
    attributes.insert("context".to_owned(), facts.context.into());
    serde_json::json!({
        "requestId": "1",
        "principal": { "id": facts.subject, "roles": roles, "attr": facts.principal },
        "resources": [{
            "actions": [facts.operation],
            "resource": { "kind": facts.kind, "id": facts.resource, "attr": attributes },
        }],
    })
    .to_string()
}
