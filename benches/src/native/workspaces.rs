//! The rules of the service for teams by hand.

use super::input::{Input, Texts, conjunction, fields, items, noun_and_verb, texts};
use gavel_runtime::value::Value;

fields! {
    Operation = "operation";
    Subject = "principal.sub";
    Roles = "principal.mroles";
    Groups = "principal.mgroups";
    Scopes = "principal.scopes";
    Grants = "principal.grants";
    Tenant = "principal.mannotations.tenant";
    Plan = "principal.mannotations.plan";
    State = "principal.mannotations.state";
    SecondFactor = "principal.mannotations.second_factor";
    Everywhere = "principal.mannotations.everywhere";
    Workspaces = "principal.mannotations.workspaces";
    Resource = "resource";
    ResourceGroup = "resource.group";
    Classification = "resource.classification";
    ResourceTenant = "resource.annotations.tenant";
    Workspace = "resource.annotations.workspace";
    Region = "resource.annotations.region";
    SharedWith = "resource.annotations.shared_with";
    CommentsOpen = "resource.annotations.comments_open";
    Maintenance = "context.maintenance";
    Factors = "context.session.factors";
    SessionAge = "context.session.age_minutes";
    EndpointRegion = "context.endpoint.region";
    Consents = "context.consents";
    Now = "context.now";
    CallsThisMinute = "context.token.calls_this_minute";
}

const MEMBER: &str = "mrn:ws:role:member";
const GUEST: &str = "mrn:ws:role:guest";
const SUPPORT: &str = "mrn:ws:role:support";
const MACHINE: &str = "mrn:ws:role:machine";

/// The role and the annotations that a group brings.
#[derive(Clone, Copy, Default)]
struct Group {
    role: &'static str,
    tenant: Option<&'static str>,
    plan: Option<&'static str>,
    state: Option<&'static str>,
    second_factor: bool,
    everywhere: Option<&'static str>,
    roadmap: Option<&'static str>,
}

fn group(mrn: &str) -> Option<Group> {
    let member = Group {
        role: MEMBER,
        ..Group::default()
    };
    Some(match mrn {
        "mrn:ws:group:kestrel" => Group {
            tenant: Some("kestrel"),
            plan: Some("business"),
            second_factor: true,
            everywhere: Some("viewer"),
            roadmap: Some("editor"),
            ..member
        },
        "mrn:ws:group:kestrel-owners" => Group {
            everywhere: Some("owner"),
            roadmap: Some("owner"),
            ..member
        },
        "mrn:ws:group:plover" => Group {
            tenant: Some("plover"),
            everywhere: Some("editor"),
            ..member
        },
        "mrn:ws:group:wren" => Group {
            tenant: Some("wren"),
            plan: Some("team"),
            everywhere: Some("owner"),
            state: Some("suspended"),
            ..member
        },
        "mrn:ws:group:visitors" => Group {
            role: GUEST,
            ..member
        },
        "mrn:ws:group:help-desk" => Group {
            role: SUPPORT,
            ..member
        },
        "mrn:ws:group:integrations" => Group {
            role: MACHINE,
            ..member
        },
        _ => return None,
    })
}

struct Person<'v> {
    subject: Option<&'v str>,
    roles: &'v [Value<'v>],
    groups: &'v [Value<'v>],
}

impl<'v> Person<'v> {
    fn all_groups(&self) -> impl Iterator<Item = Group> + use<'v> {
        texts(self.groups).filter_map(group)
    }

    fn all_roles(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        texts(self.roles).chain(self.all_groups().map(|group| group.role))
    }

    fn annotation(
        &self,
        sent: Option<&'v str>,
        of_group: impl Fn(Group) -> Option<&'static str>,
    ) -> Option<&'v str> {
        sent.or_else(|| self.all_groups().find_map(of_group))
    }
}

struct Document<'v> {
    known: bool,
    tenant: Option<&'v str>,
    workspace: Option<&'v str>,
    region: Option<&'v str>,
    shared_with: Texts<'v>,
    comments_open: bool,
    sealed: bool,
}

impl Document<'_> {
    fn is_shared_with(&self, person: &Person<'_>) -> bool {
        person
            .subject
            .is_some_and(|subject| self.shared_with.has(subject))
    }
}

fn document<'v>(input: &mut Input<'v>) -> Document<'v> {
    let Some(mrn) = input.text(Field::Resource) else {
        return Document {
            known: input.text(Field::ResourceGroup) == Some("mrn:ws:resource-group:tenants"),
            tenant: input.text(Field::ResourceTenant),
            workspace: input.text(Field::Workspace),
            region: input.text(Field::Region),
            shared_with: Texts::Sent(input.list(Field::SharedWith)),
            comments_open: input.holds(Field::CommentsOpen),
            sealed: input.text(Field::Classification) == Some("sealed"),
        };
    };
    let (tenant, workspace, region) = match mrn.strip_prefix("mrn:ws:").and_then(|rest| rest.split_once(':'))
    {
        Some(("kestrel", rest)) if rest.starts_with("roadmap:") => {
            (Some("kestrel"), Some("roadmap"), Some("eu"))
        }
        Some(("kestrel", _)) => (Some("kestrel"), Some("other"), None),
        Some(("plover", _)) => (Some("plover"), Some("main"), None),
        Some(("wren", _)) => (Some("wren"), Some("main"), None),
        _ => (None, None, None),
    };
    Document {
        known: true,
        tenant,
        workspace,
        region,
        shared_with: Texts::Known(&[]),
        comments_open: false,
        sealed: false,
    }
}

pub(super) fn decide(input: &mut Input<'_>) -> bool {
    let operation = input.text(Field::Operation).unwrap_or_default();
    let (noun, verb) = noun_and_verb(operation, "ws").unwrap_or_default();
    let looks = matches!(verb, "get" | "list" | "search" | "export");
    let person = Person {
        subject: input.text(Field::Subject),
        roles: input.list(Field::Roles),
        groups: input.list(Field::Groups),
    };
    let document = document(input);

    let settled = front(input, noun, looks, verb);
    let identity = person.all_roles().any(|role| match role {
        MEMBER => member(input, &person, &document, noun, verb),
        GUEST => {
            let shared = document.is_shared_with(&person);
            let comments = operation == "ws:comment:create" && document.comments_open;
            let reads = matches!(noun, "document" | "comment") && looks && verb != "export";
            shared && (reads || comments)
        }
        SUPPORT => looks && is_consented(input, &person, &document),
        MACHINE => {
            is_active(input, &person)
                && is_contracted(input, &person, noun, verb)
                && is_granted(input.list(Field::Grants), noun, verb)
        }
        _ => false,
    });
    let resource = document.known && walls(input, &person, &document);
    let scope = input.scopes(Field::Scopes, |input, scope| match scope {
        "mrn:ws:scope:looking" => looks,
        "mrn:ws:scope:automation" => {
            matches!(noun, "document" | "comment" | "automation")
                && verb != "delete"
                && input.int(Field::CallsThisMinute).is_some_and(|calls| calls < 120)
        }
        _ => false,
    });
    conjunction(settled, identity, resource, scope)
}

fn front(input: &mut Input<'_>, noun: &str, looks: bool, verb: &str) -> i64 {
    match noun {
        "catalogue" if matches!(verb, "get" | "list") => 1,
        "document" | "comment" | "automation" | "member" | "billing" | "workspace"
            if input.differs(Field::Subject, "") && (looks || !input.holds(Field::Maintenance)) =>
        {
            0
        }
        _ => -1,
    }
}

fn is_active(input: &Input<'_>, person: &Person<'_>) -> bool {
    let state = person.annotation(input.text(Field::State), |group| group.state);
    state.unwrap_or("active") == "active"
}

fn is_contracted(input: &Input<'_>, person: &Person<'_>, noun: &str, verb: &str) -> bool {
    let needs = if verb == "export" { "export" } else { noun };
    if matches!(needs, "billing" | "member" | "workspace") {
        return true;
    }
    let plan = person.annotation(input.text(Field::Plan), |group| group.plan);
    let features: &[&str] = match plan.unwrap_or("free") {
        "free" => &["document", "comment"],
        "team" => &["document", "comment", "automation", "export"],
        "business" => &["document", "comment", "automation", "export", "audit", "sso"],
        _ => return false,
    };
    features.contains(&needs)
}

fn member(
    input: &mut Input<'_>,
    person: &Person<'_>,
    document: &Document<'_>,
    noun: &str,
    verb: &str,
) -> bool {
    is_active(input, person)
        && is_contracted(input, person, noun, verb)
        && required(noun, verb)
            .is_some_and(|least| rank(input, person, document).is_some_and(|rank| rank >= least))
        && is_trusted(input, person)
}

fn required(noun: &str, verb: &str) -> Option<u8> {
    Some(match (noun, verb) {
        ("document", "get" | "list" | "search")
        | ("comment", "get" | "list")
        | ("automation", "get" | "list") => 1,
        ("document", "export") | ("comment", "create" | "update") | ("member", "list") => 2,
        ("document", "create" | "update" | "delete") | ("comment", "delete") | ("automation", "run") => 3,
        ("automation", "create" | "delete")
        | ("member", "invite" | "remove")
        | ("billing", "get" | "update") => 4,
        _ => return None,
    })
}

fn rank(input: &mut Input<'_>, person: &Person<'_>, document: &Document<'_>) -> Option<u8> {
    let sent = document
        .workspace
        .zip(input.value(Field::Workspaces))
        .and_then(|(workspace, sent)| sent.field(workspace))
        .and_then(Value::as_str);
    let here = person.annotation(sent, |group| {
        group.roadmap.filter(|_| document.workspace == Some("roadmap"))
    });
    let name = match here {
        Some(name) => Some(name),
        None => person.annotation(input.text(Field::Everywhere), |group| group.everywhere),
    };
    match name? {
        "viewer" => Some(1),
        "commenter" => Some(2),
        "editor" => Some(3),
        "owner" => Some(4),
        _ => None,
    }
}

fn is_trusted(input: &mut Input<'_>, person: &Person<'_>) -> bool {
    let asked_for = match input.value(Field::SecondFactor) {
        Some(sent) => !sent.is_false(),
        None => person.all_groups().any(|group| group.second_factor),
    };
    !asked_for
        || (texts(input.list(Field::Factors)).any(|factor| factor == "otp")
            && input.int(Field::SessionAge).is_some_and(|age| age < 720))
}

fn is_consented(input: &mut Input<'_>, person: &Person<'_>, document: &Document<'_>) -> bool {
    let now = input.int(Field::Now);
    input.list(Field::Consents).iter().any(|consent| {
        let text = |name| consent.field(name).and_then(Value::as_str);
        let until = consent.field("until").and_then(Value::as_int);
        document.tenant.is_some()
            && text("tenant") == document.tenant
            && text("agent") == person.subject
            && matches!((until, now), (Some(until), Some(now)) if until > now)
    })
}

fn is_granted(grants: &[Value<'_>], noun: &str, verb: &str) -> bool {
    grants.iter().any(|grant| {
        let verbs = grant.field("verbs").map(items).unwrap_or_default();
        grant.field("noun").and_then(Value::as_str) == Some(noun) && texts(verbs).any(|given| given == verb)
    })
}

fn walls(input: &mut Input<'_>, person: &Person<'_>, document: &Document<'_>) -> bool {
    let region_fits = document.region.is_none() || document.region == input.text(Field::EndpointRegion);
    let tenant = person.annotation(input.text(Field::Tenant), |group| group.tenant);
    let has = |role| texts(person.roles).any(|direct| direct == role);
    (region_fits && tenant.is_some() && tenant == document.tenant)
        || (region_fits && has(GUEST) && document.is_shared_with(person))
        || (has(SUPPORT) && !document.sealed)
}
