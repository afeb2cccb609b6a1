//! The rules of the MCP server by hand. Patterns of servers are those of roles and groups.

use super::input::{Input, Texts, conjunction, fields, is_word, texts};
use gavel_runtime::value::{Kind, Value};

fields! {
    Operation = "operation";
    Subject = "principal.sub";
    ClientOfToken = "principal.client_id";
    Roles = "principal.mroles";
    Groups = "principal.mgroups";
    Scopes = "principal.scopes";
    EffectMax = "principal.mannotations.effect_max";
    SecrecyMax = "principal.mannotations.secrecy_max";
    Resource = "resource";
    ResourceGroup = "resource.group";
    Server = "resource.annotations.server";
    Effect = "resource.annotations.effect";
    Secrecy = "resource.annotations.secrecy";
    Takes = "resource.annotations.takes";
    Fields = "resource.annotations.fields";
    Protocol = "context.client.protocol";
    Client = "context.client.id";
    Roots = "context.client.roots";
    Call = "context.call";
    ConfirmedCall = "context.confirmation.call";
    ConfirmedBy = "context.confirmation.by";
    ConfirmedAge = "context.confirmation.age_seconds";
    Arguments = "context.arguments";
    Query = "context.arguments.query";
    Limit = "context.arguments.limit";
    Path = "context.arguments.path";
}

const ANALYST: &str = "mrn:mcp:role:analyst";
const DEVELOPER: &str = "mrn:mcp:role:developer";
const OPERATOR: &str = "mrn:mcp:role:operator";
const RESEARCH: &str = "mrn:mcp:group:research";

fn roles_of(group: &str) -> &'static [&'static str] {
    match group {
        RESEARCH => &[ANALYST],
        "mrn:mcp:group:platform" => &[DEVELOPER, ANALYST],
        "mrn:mcp:group:on-call" => &[OPERATOR],
        _ => &[],
    }
}

fn effect_step(name: &str) -> Option<u8> {
    match name {
        "reads" => Some(1),
        "changes" => Some(2),
        "destroys" => Some(3),
        _ => None,
    }
}

fn secrecy_step(name: &str) -> Option<u8> {
    match name {
        "public" => Some(1),
        "internal" => Some(2),
        "secret" => Some(3),
        _ => None,
    }
}

struct Person<'v> {
    roles: &'v [Value<'v>],
    groups: &'v [Value<'v>],
    effect_max: Option<u8>,
    secrecy_max: Option<u8>,
}

impl<'v> Person<'v> {
    fn of(input: &mut Input<'v>) -> Person<'v> {
        let mut person = Person {
            roles: input.list(Field::Roles),
            groups: input.list(Field::Groups),
            effect_max: None,
            secrecy_max: None,
        };
        let first = person.all_roles().find_map(|role| match role {
            ANALYST => Some(("reads", "internal")),
            DEVELOPER => Some(("changes", "internal")),
            OPERATOR => Some(("destroys", "secret")),
            _ => None,
        });
        let effect = input.text(Field::EffectMax).or(first.map(|(effect, _)| effect));
        let secrecy = input
            .text(Field::SecrecyMax)
            .or(first.map(|(_, secrecy)| secrecy));
        person.effect_max = effect.and_then(effect_step);
        person.secrecy_max = secrecy.and_then(secrecy_step);
        person
    }

    fn all_roles(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        texts(self.roles).chain(texts(self.groups).flat_map(|group| roles_of(group).iter().copied()))
    }

    /// Whether a pattern of roles and groups covers the server.
    fn is_given(&self, server: &str) -> bool {
        let below = |folder| {
            server
                .strip_prefix(folder)
                .is_some_and(|name: &str| !name.contains('/'))
        };
        let analyst = self.all_roles().any(|role| role == ANALYST);
        (analyst && (below("warehouse/") || server.starts_with("docs/")))
            || (below("papers/") && texts(self.groups).any(|group| group == RESEARCH))
    }
}

/// A tool.
struct Tool<'v> {
    server: Option<&'v str>,
    effect: u8,
    secrecy: Option<u8>,
    takes: Option<&'v str>,
    fields: Texts<'v>,
}

enum Target {
    Tool,
    Catalogue,
    Unknown,
}

fn target<'v>(input: &mut Input<'v>) -> (Target, Tool<'v>) {
    let Some(mrn) = input.text(Field::Resource) else {
        let target = match input.text(Field::ResourceGroup) {
            Some("mrn:mcp:resource-group:tools") => Target::Tool,
            Some("mrn:mcp:resource-group:catalogue") => Target::Catalogue,
            _ => Target::Unknown,
        };
        let tool = Tool {
            server: input.text(Field::Server),
            effect: input.text(Field::Effect).and_then(effect_step).unwrap_or(3),
            secrecy: input.text(Field::Secrecy).and_then(secrecy_step),
            takes: input.text(Field::Takes),
            fields: Texts::Sent(input.list(Field::Fields)),
        };
        return (target, tool);
    };
    let tool = |server, effect, takes, fields| Tool {
        server: Some(server),
        effect,
        secrecy: Some(2),
        takes: Some(takes),
        fields: Texts::Known(fields),
    };
    const ISSUE: &[&str] = &["title", "body", "labels", "assignee"];
    let known = match mrn.strip_prefix("mrn:mcp:tool:") {
        Some("forge:create_issue" | "forge:update_issue") => tool("forge/main", 2, "fields", ISSUE),
        Some("forge:delete_branch") => tool("forge/main", 3, "fields", &["repository", "branch"]),
        Some(name) if name.strip_prefix("warehouse:query").is_some_and(is_suffix) => {
            tool("warehouse/eu", 1, "sql", &[])
        }
        _ => {
            let nothing = Tool {
                server: None,
                effect: 3,
                secrecy: None,
                takes: None,
                fields: Texts::Known(&[]),
            };
            return (Target::Catalogue, nothing);
        }
    };
    (Target::Tool, known)
}

/// `(_[a-z]+)?`
fn is_suffix(text: &str) -> bool {
    text.is_empty() || text.strip_prefix('_').is_some_and(is_word)
}

pub(super) fn decide(input: &mut Input<'_>) -> bool {
    let operation = input.text(Field::Operation).unwrap_or_default();
    let person = Person::of(input);
    let (target, tool) = target(input);
    let lists = matches!(
        operation,
        "mcp:tools:list" | "mcp:resources:list" | "mcp:prompts:list"
    );
    let fetches = matches!(operation, "mcp:resources:read" | "mcp:prompts:get");
    let calls = operation == "mcp:tools:call";
    let within = person.effect_max.is_some_and(|most| tool.effect <= most);

    let settled = transport(input, operation);
    let identity = person.all_roles().any(|role| match role {
        ANALYST => {
            lists || fetches || (calls && within && tool.server.is_some_and(|server| person.is_given(server)))
        }
        DEVELOPER | OPERATOR => {
            lists || fetches || (calls && within && (tool.effect < 3 || is_confirmed(input)))
        }
        _ => false,
    });
    let resource = match target {
        Target::Tool => {
            let shown = matches!((tool.secrecy, person.secrecy_max), (Some(is), Some(most)) if is <= most);
            shown && (fetches || (calls && acceptable(input, &tool)))
        }
        Target::Catalogue => lists,
        Target::Unknown => false,
    };
    let scope = input.scopes(Field::Scopes, |input, scope| match scope {
        "mrn:mcp:scope:read" => !calls || tool.effect == 1,
        "mrn:mcp:scope:write" => {
            let client = input.text(Field::Client);
            client.is_some() && client == input.text(Field::ClientOfToken)
        }
        _ => false,
    });
    conjunction(settled, identity, resource, scope)
}

fn transport(input: &mut Input<'_>, operation: &str) -> i64 {
    if matches!(operation, "mcp:initialize" | "mcp:ping") {
        return 1;
    }
    let known = match operation
        .strip_prefix("mcp:")
        .map(|rest| rest.split_once(':').ok_or(rest))
    {
        Some(Ok(("tools" | "resources" | "prompts", verb))) => is_word(verb),
        Some(Err(word)) => is_word(word),
        _ => false,
    };
    let signed_in = input
        .text(Field::Subject)
        .is_some_and(|subject| !subject.is_empty());
    let recent = input
        .text(Field::Protocol)
        .is_some_and(|version| version >= "2025-01-01");
    if known && signed_in && recent { 0 } else { -1 }
}

/// A person other than the caller has confirmed this very call, not long ago.
fn is_confirmed(input: &mut Input<'_>) -> bool {
    let call = input.text(Field::Call);
    let by = input.text(Field::ConfirmedBy);
    call.is_some()
        && input.text(Field::ConfirmedCall) == call
        && by.is_some()
        && by != input.text(Field::Subject)
        && input.int(Field::ConfirmedAge).is_some_and(|age| age < 300)
}

fn acceptable(input: &mut Input<'_>, tool: &Tool<'_>) -> bool {
    match tool.takes {
        Some("sql") => {
            input.text(Field::Query).is_some_and(is_one_select)
                && input.int(Field::Limit).is_some_and(|limit| limit <= 10_000)
        }
        Some("path") => {
            let roots = input.list(Field::Roots);
            input
                .text(Field::Path)
                .is_some_and(|path| !path.contains("/../") && texts(roots).any(|root| path.starts_with(root)))
        }
        Some("fields") => match input.value(Field::Arguments).map(Value::kind) {
            Some(Kind::Object(members)) => members
                .iter()
                .all(|member| member.key.as_str().is_some_and(|name| tool.fields.has(name))),
            _ => false,
        },
        _ => false,
    }
}

fn is_one_select(query: &str) -> bool {
    let start = query.trim().as_bytes().get(..7).unwrap_or_default();
    start.eq_ignore_ascii_case(b"select ") && !query.contains(';')
}
