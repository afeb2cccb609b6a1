//! The quotas' rules by hand. Patterns of keys are words and `*` between colons.

use super::input::{Input, conjunction, fields, is_word, noun_and_verb, texts};
use gavel_runtime::value::Value;

fields! {
    Operation = "operation";
    Subject = "principal.sub";
    Roles = "principal.mroles";
    Groups = "principal.mgroups";
    Scopes = "principal.scopes";
    KeyState = "principal.key.state";
    KeyEndpoints = "principal.key.endpoints";
    KeyAddresses = "principal.key.addresses";
    Plan = "principal.mannotations.plan";
    Burst = "principal.mannotations.burst";
    Priority = "principal.mannotations.priority";
    Overage = "principal.mannotations.overage";
    Ceiling = "principal.mannotations.overage.ceiling";
    Resource = "resource";
    ResourceGroup = "resource.group";
    Load = "resource.annotations.load_percent";
    Model = "context.call.model";
    TokensMax = "context.call.tokens_max";
    Address = "context.call.address";
    Minute = "context.usage.minute";
    Month = "context.usage.month";
    BurstSeconds = "context.usage.burst_seconds";
    FleetShare = "context.usage.fleet_share";
    Hour = "context.clock.hour";
}

const CALLER: &str = "mrn:api:role:caller";
const SERVICE: &str = "mrn:api:role:service";

/// The role and the annotations that a group brings.
#[derive(Clone, Copy, Default)]
struct Group {
    role: &'static str,
    plan: Option<&'static str>,
    burst: bool,
    priority: bool,
    ceiling: Option<i64>,
}

fn group(mrn: &str) -> Option<Group> {
    let plan = |plan, burst| Group {
        role: CALLER,
        plan: Some(plan),
        burst,
        ..Group::default()
    };
    Some(match mrn {
        "mrn:api:group:plan-trial" => plan("trial", false),
        "mrn:api:group:plan-solo" => plan("solo", false),
        "mrn:api:group:plan-team" => plan("team", true),
        "mrn:api:group:plan-scale" => Group {
            priority: true,
            ceiling: Some(1_000_000),
            ..plan("scale", true)
        },
        "mrn:api:group:fleet" => Group {
            role: SERVICE,
            ..Group::default()
        },
        _ => return None,
    })
}

/// What a plan sells: calls a minute, units a month, models.
fn sold(plan: &str) -> Option<(i64, i64, &'static [&'static str])> {
    Some(match plan {
        "trial" => (20, 1_000, &["small"]),
        "solo" => (300, 100_000, &["small", "medium"]),
        "team" => (3_000, 5_000_000, &["small", "medium", "large"]),
        "scale" => (60_000, 200_000_000, &["small", "medium", "large", "custom"]),
        _ => return None,
    })
}

struct Person<'v> {
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

    fn has_priority(&self, input: &mut Input<'_>) -> bool {
        match input.value(Field::Priority) {
            Some(sent) => !sent.is_false(),
            None => {
                self.all_groups().any(|group| group.priority) || self.all_roles().any(|role| role == SERVICE)
            }
        }
    }
}

/// The endpoint's load; `None` in its place: the resource is in no group.
fn endpoint(input: &mut Input<'_>) -> Option<Option<i64>> {
    let Some(mrn) = input.text(Field::Resource) else {
        let known = input.text(Field::ResourceGroup) == Some("mrn:api:resource-group:endpoints");
        return known.then(|| input.int(Field::Load));
    };
    let (region, name) = mrn
        .strip_prefix("mrn:api:region-")
        .and_then(|rest| rest.split_once(':'))
        .unwrap_or_default();
    let name = name
        .strip_prefix("model:")
        .or_else(|| name.strip_prefix("batch:"));
    let fits = name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    });
    Some(match region {
        "1" if fits => Some(71),
        "2" if fits => Some(97),
        _ => None,
    })
}

pub(super) fn decide(input: &mut Input<'_>) -> bool {
    let operation = input.text(Field::Operation).unwrap_or_default();
    let known = noun_and_verb(operation, "api");
    let person = Person {
        roles: input.list(Field::Roles),
        groups: input.list(Field::Groups),
    };
    let load = endpoint(input);
    let settled = match known {
        None => -1,
        Some(("status", _)) => 1,
        Some(_) if matches!(input.text(Field::KeyState), Some("revoked" | "expired")) => -1,
        Some(_) if input.differs(Field::Subject, "") => 0,
        Some(_) => -1,
    };
    let identity = person.all_roles().any(|role| match role {
        CALLER => caller(input, operation, &person),
        SERVICE => {
            let address = input.text(Field::Address).unwrap_or_default();
            let own = address.starts_with("10.") || address.starts_with("172.20.");
            own && input.value(Field::FleetShare).is_some_and(is_below_two_fifths)
        }
        _ => false,
    });
    let resource = load.is_some_and(|load| {
        if operation == "api:batch:create" {
            let hour = input.int(Field::Hour);
            hour.is_some_and(|hour| !(6..22).contains(&hour)) && load.is_some_and(|load| load < 80)
        } else {
            load.is_some_and(|load| load < 95) || person.has_priority(input)
        }
    });
    let scope = input.scopes(Field::Scopes, |input, scope| {
        scope == "mrn:api:scope:bound-key" && is_bound(input, operation)
    });
    conjunction(settled, identity, resource, scope)
}

fn is_below_two_fifths(share: Value<'_>) -> bool {
    use gavel_runtime::value::Kind;
    match share.kind() {
        Kind::Int(whole) => whole < 1,
        Kind::Number(text) => text.parse::<f64>().is_ok_and(|share| share < 0.4),
        _ => false,
    }
}

fn caller(input: &mut Input<'_>, operation: &str, person: &Person<'_>) -> bool {
    if matches!(operation, "api:usage:get" | "api:key:list") {
        return true;
    }
    let plan = input
        .text(Field::Plan)
        .or_else(|| person.all_groups().find_map(|group| group.plan));
    let Some((per_minute, per_month, models)) = plan.and_then(sold) else {
        return false;
    };
    operation.starts_with("api:")
        && input
            .text(Field::Model)
            .is_some_and(|model| models.contains(&model))
        && within_rate(input, person, per_minute)
        && within_volume(input, person, per_month, operation)
}

fn within_rate(input: &mut Input<'_>, person: &Person<'_>, per_minute: i64) -> bool {
    let Some(used) = input.int(Field::Minute) else {
        return false;
    };
    if used < per_minute {
        return true;
    }
    let bursts = match input.value(Field::Burst) {
        Some(sent) => !sent.is_false(),
        None => person.all_groups().any(|group| group.burst),
    };
    bursts
        && used.saturating_mul(10) < per_minute * 11
        && input.int(Field::BurstSeconds).is_some_and(|seconds| seconds < 10)
}

fn within_volume(input: &mut Input<'_>, person: &Person<'_>, per_month: i64, operation: &str) -> bool {
    let price = match operation {
        "api:complete:create" => 4,
        "api:image:create" => 25,
        "api:batch:create" => 2,
        _ => 1,
    };
    let weight = match input.int(Field::TokensMax) {
        Some(8_001..) => 3,
        Some(2_001..) => 2,
        _ => 1,
    };
    let Some(used) = input.int(Field::Month) else {
        return false;
    };
    let units = price * weight;
    let left = per_month.saturating_sub(used);
    if left >= units {
        return true;
    }
    let ceiling = match input.value(Field::Overage) {
        Some(_) => input.int(Field::Ceiling),
        None => person.all_groups().find_map(|group| group.ceiling),
    };
    ceiling.is_some_and(|ceiling| left.saturating_add(ceiling) >= units)
}

fn is_bound(input: &mut Input<'_>, operation: &str) -> bool {
    let covers = |pattern: &str| {
        let (mut wanted, mut words) = (pattern.split(':'), operation.split(':'));
        loop {
            match (wanted.next(), words.next()) {
                (None, None) => return true,
                (Some("*"), Some(_)) => {}
                (Some(wanted), Some(word)) if is_word(wanted) && wanted == word => {}
                _ => return false,
            }
        }
    };
    if !texts(input.list(Field::KeyEndpoints)).any(covers) {
        return false;
    }
    let address = input.text(Field::Address);
    !input.holds(Field::KeyAddresses)
        || (address.is_some() && texts(input.list(Field::KeyAddresses)).any(|bound| Some(bound) == address))
}
