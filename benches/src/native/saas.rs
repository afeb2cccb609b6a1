//! The rules of the multi-tenant service by hand.

use super::input::{Input, conjunction, fields, noun_and_verb, texts};

fields! {
    Operation = "operation";
    Subject = "principal.sub";
    Roles = "principal.mroles";
    Groups = "principal.mgroups";
    Scopes = "principal.scopes";
    Tenant = "principal.mannotations.tenant";
    Plan = "principal.mannotations.plan";
    Resource = "resource";
    ResourceGroup = "resource.group";
    ResourceTenant = "resource.annotations.tenant";
    Private = "resource.annotations.private";
    Projects = "context.usage.projects";
    Seats = "context.usage.seats";
    Rpm = "context.usage.rpm";
    Ticket = "context.ticket";
}

const PROJECTS: &str = "mrn:saas:resource-group:projects";

/// Tenant and plan that a group brings, apart from the role of a member.
fn group(mrn: &str) -> Option<(&'static str, Option<&'static str>)> {
    match mrn {
        "mrn:saas:group:acme" => Some(("acme", Some("team"))),
        "mrn:saas:group:globex" => Some(("globex", None)),
        _ => None,
    }
}

struct Project<'v> {
    known: bool,
    tenant: Option<&'v str>,
    private: bool,
}

fn project<'v>(input: &mut Input<'v>) -> Project<'v> {
    let Some(mrn) = input.text(Field::Resource) else {
        return Project {
            known: input.text(Field::ResourceGroup) == Some(PROJECTS),
            tenant: input.text(Field::ResourceTenant),
            private: input.holds(Field::Private),
        };
    };
    let tenant = if mrn.starts_with("mrn:saas:acme:project:") {
        Some("acme")
    } else if mrn.starts_with("mrn:saas:globex:project:") {
        Some("globex")
    } else {
        None
    };
    Project {
        known: true,
        tenant,
        private: tenant == Some("globex"),
    }
}

pub(super) fn decide(input: &mut Input<'_>) -> bool {
    let operation = input.text(Field::Operation).unwrap_or_default();
    let known = noun_and_verb(operation, "saas");
    let verb = known.map_or("", |(_, verb)| verb);
    let reads = matches!(verb, "read" | "list" | "export");
    let (roles, groups) = (input.list(Field::Roles), input.list(Field::Groups));
    let groups = || texts(groups).filter_map(group);
    let project = project(input);

    let settled = if matches!(operation, "saas:status:read" | "saas:pricing:read") {
        1
    } else if known.is_some() && input.holds(Field::Subject) {
        0
    } else {
        -1
    };
    let tenant = input
        .text(Field::Tenant)
        .or_else(|| groups().next().map(|(tenant, _)| tenant));
    let plan = input
        .text(Field::Plan)
        .or_else(|| groups().find_map(|(_, plan)| plan))
        .unwrap_or("free");
    let member = groups().map(|_| "mrn:saas:role:member");
    let identity = texts(roles).chain(member).any(|role| match role {
        "mrn:saas:role:member" => reads || (matches!(verb, "create" | "update") && within(input, plan)),
        "mrn:saas:role:admin" => {
            reads
                || matches!(verb, "update" | "delete" | "invite")
                || (verb == "create" && within(input, plan))
        }
        "mrn:saas:role:support" => {
            let ticket = input.text(Field::Ticket).unwrap_or_default();
            reads && ticket.starts_with("SUP-") && !project.private
        }
        _ => false,
    });
    let same_tenant = tenant.is_some() && tenant == project.tenant;
    let resource = project.known && (same_tenant || texts(roles).any(|role| role == "mrn:saas:role:support"));
    let scope = input.scopes(Field::Scopes, |_, scope| {
        scope == "mrn:saas:scope:readonly" && reads
    });
    conjunction(settled, identity, resource, scope)
}

fn within(input: &mut Input<'_>, plan: &str) -> bool {
    let (projects, seats, rpm) = match plan {
        "free" => (3, 5, 60),
        "team" => (50, 100, 1_200),
        "enterprise" => (10_000, 100_000, 60_000),
        _ => return false,
    };
    input.int(Field::Projects).is_some_and(|used| used < projects)
        && input.int(Field::Seats).is_some_and(|used| used < seats)
        && input.int(Field::Rpm).is_some_and(|used| used < rpm)
}
