//! The rules of the gateway between agents and tools by hand. Patterns of tools are those of the roles.

use super::input::{Input, conjunction, fields, noun_and_verb, texts};
use gavel_runtime::value::{Kind, Value};

fields! {
    Operation = "operation";
    Roles = "principal.mroles";
    Scopes = "principal.scopes";
    MaxRisk = "principal.mannotations.max_risk";
    Owner = "principal.mannotations.owner";
    Teams = "principal.mannotations.teams";
    Resource = "resource";
    ResourceGroup = "resource.group";
    Team = "resource.annotations.team";
    Root = "resource.annotations.root";
    Arguments = "context.arguments";
    Paths = "context.arguments.paths";
    ApprovedBy = "context.approval.by";
    ApprovedOperation = "context.approval.operation";
    ApprovedArguments = "context.approval.arguments";
    Calls = "context.session.calls";
    AgeSeconds = "context.session.age_seconds";
}

const CODER: &str = "mrn:toolgate:role:coder";
const RESEARCHER: &str = "mrn:toolgate:role:researcher";

/// Team and root of a workspace.
fn workspace<'v>(input: &Input<'v>) -> Option<(Option<&'v str>, Option<&'v str>)> {
    let Some(mrn) = input.text(Field::Resource) else {
        let known = input.text(Field::ResourceGroup) == Some("mrn:toolgate:resource-group:workspaces");
        return known.then(|| (input.text(Field::Team), input.text(Field::Root)));
    };
    let name = mrn.strip_prefix("mrn:toolgate:workspace:")?;
    let is = |team| {
        name.strip_prefix(team)
            .is_some_and(|rest: &str| rest.is_empty() || rest.starts_with(':'))
    };
    if is("red") {
        Some((Some("red"), Some("/ws/red/")))
    } else if is("blue") {
        Some((Some("blue"), Some("/ws/blue/")))
    } else {
        None
    }
}

pub(super) fn decide(input: &mut Input<'_>) -> bool {
    let operation = input.text(Field::Operation).unwrap_or_default();
    let parts = noun_and_verb(operation, "tool");
    let roles = input.list(Field::Roles);
    let settled = if parts.is_some() && !roles.is_empty() {
        0
    } else {
        -1
    };
    let identity = parts.is_some_and(|(server, action)| agent(input, roles, operation, server, action));
    let resource = workspace(input).is_some_and(|(team, root)| confined(input, team, root));
    let scope = input.scopes(Field::Scopes, |input, scope| {
        scope == "mrn:toolgate:scope:session"
            && input.int(Field::Calls).is_some_and(|calls| calls < 100)
            && input.int(Field::AgeSeconds).is_some_and(|age| age < 900)
    });
    conjunction(settled, identity, resource, scope)
}

fn agent(input: &mut Input<'_>, roles: &[Value<'_>], operation: &str, server: &str, action: &str) -> bool {
    let given = texts(roles).any(|role| match role {
        CODER => matches!(server, "files" | "git") || (server == "shell" && action == "exec"),
        RESEARCHER => {
            (server == "web" && matches!(action, "search" | "read"))
                || (server == "files" && action == "read")
        }
        _ => false,
    });
    given && (tolerated(input, roles, action) || approved(input, operation))
}

fn tolerated(input: &Input<'_>, roles: &[Value<'_>], action: &str) -> bool {
    let risk = match action {
        "read" | "search" => 1,
        "write" | "send" => 2,
        _ => 3,
    };
    let known = || {
        texts(roles).find_map(|role| match role {
            CODER => Some("medium"),
            RESEARCHER => Some("low"),
            _ => None,
        })
    };
    let most = match input.text(Field::MaxRisk).or_else(known) {
        Some("low") => 1,
        Some("medium") => 2,
        Some("high") => 3,
        _ => return false,
    };
    risk <= most
}

fn approved(input: &mut Input<'_>, operation: &str) -> bool {
    let owner = input.text(Field::Owner);
    owner.is_some()
        && input.text(Field::ApprovedBy) == owner
        && input.text(Field::ApprovedOperation) == Some(operation)
        && match (
            input.value(Field::ApprovedArguments),
            input.value(Field::Arguments),
        ) {
            (Some(approved), Some(asked)) => approved.equals(asked),
            _ => false,
        }
}

fn confined(input: &mut Input<'_>, team: Option<&str>, root: Option<&str>) -> bool {
    let Some(team) = team else {
        return false;
    };
    if !texts(input.list(Field::Teams)).any(|of| of == team) {
        return false;
    }
    match (input.value(Field::Paths), root) {
        (None, _) => matches!(
            input.value(Field::Arguments).map(Value::kind),
            Some(Kind::Object(_))
        ),
        (Some(paths), root) => match (paths.kind(), root) {
            (Kind::String(text), _) => text == "none",
            (Kind::Array([]), _) => true,
            (Kind::Array(paths), Some(root)) => paths.iter().all(|path| {
                path.as_str()
                    .is_some_and(|path| path.starts_with(root) && !path.contains(".."))
            }),
            _ => false,
        },
    }
}
