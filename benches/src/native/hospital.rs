//! The hospital's rules by hand.

use super::input::{Input, Texts, conjunction, fields, noun_and_verb, texts};
use gavel_runtime::value::Value;

fields! {
    Operation = "operation";
    Subject = "principal.sub";
    Roles = "principal.mroles";
    Groups = "principal.mgroups";
    Scopes = "principal.scopes";
    Work = "principal.mannotations.work";
    Profession = "principal.mannotations.profession";
    Wards = "principal.mannotations.wards";
    DutyFrom = "principal.mannotations.duty.from";
    DutyTo = "principal.mannotations.duty.to";
    Practice = "principal.mannotations.practice";
    Studies = "principal.mannotations.studies";
    Resource = "resource";
    ResourceGroup = "resource.group";
    Owner = "resource.owner";
    Patient = "resource.annotations.patient";
    Ward = "resource.annotations.ward";
    Age = "resource.annotations.age";
    CareTeam = "resource.annotations.care_team";
    Guardians = "resource.annotations.guardians";
    Confidential = "resource.annotations.confidential";
    Referrals = "resource.annotations.referrals";
    KeptFrom = "resource.annotations.kept_from";
    Deidentified = "resource.annotations.deidentified";
    SmallestGroup = "resource.annotations.smallest_group";
    Purpose = "context.purpose";
    Wanted = "context.fields";
    Justification = "context.justification";
    Network = "context.network";
    Hour = "context.time.hour";
    Date = "context.time.date";
    Factors = "context.login.factors";
    Study = "context.study";
}

const PHYSICIAN: &str = "mrn:hos:role:physician";
const NURSE: &str = "mrn:hos:role:nurse";
const CLERK: &str = "mrn:hos:role:clerk";
const PATIENT: &str = "mrn:hos:role:patient";
const RESEARCHER: &str = "mrn:hos:role:researcher";

/// The role and the annotations that a group brings.
#[derive(Clone, Copy)]
struct Group {
    role: &'static str,
    wards: &'static [&'static str],
    duty: Option<(i64, i64)>,
    study: Option<(&'static str, &'static str)>,
}

fn group(mrn: &str) -> Option<Group> {
    let plain = |role| Group {
        role,
        wards: &[],
        duty: None,
        study: None,
    };
    let ward = |role, wards, duty| Group {
        wards,
        duty: Some(duty),
        ..plain(role)
    };
    Some(match mrn {
        "mrn:hos:group:cardiology" => ward(PHYSICIAN, &["c1", "c2"], (7, 19)),
        "mrn:hos:group:ward-c2-night" => ward(NURSE, &["c2"], (21, 7)),
        "mrn:hos:group:ward-p1" => ward(NURSE, &["p1"], (6, 14)),
        "mrn:hos:group:billing" => plain(CLERK),
        "mrn:hos:group:insured" => plain(PATIENT),
        "mrn:hos:group:study-heart" => Group {
            study: Some(("HEART-2", "2032-06-30")),
            ..plain(RESEARCHER)
        },
        _ => return None,
    })
}

struct Person<'v> {
    subject: Option<&'v str>,
    roles: &'v [Value<'v>],
    groups: &'v [Value<'v>],
    work: Option<&'v str>,
    profession: Option<&'v str>,
}

impl<'v> Person<'v> {
    fn of(input: &mut Input<'v>) -> Person<'v> {
        let mut person = Person {
            subject: input.text(Field::Subject),
            roles: input.list(Field::Roles),
            groups: input.list(Field::Groups),
            work: input.text(Field::Work),
            profession: input.text(Field::Profession),
        };
        let known = |role| match role {
            PHYSICIAN => (Some("care"), Some("physician")),
            NURSE => (Some("care"), Some("nurse")),
            CLERK => (Some("billing"), Some("clerk")),
            PATIENT => (None, Some("patient")),
            RESEARCHER => (Some("research"), Some("analyst")),
            _ => (None, None),
        };
        person.work = person
            .work
            .or_else(|| person.all_roles().find_map(|role| known(role).0));
        person.profession = person
            .profession
            .or_else(|| person.all_roles().find_map(|role| known(role).1));
        person
    }

    fn all_groups(&self) -> impl Iterator<Item = Group> + use<'v> {
        texts(self.groups).filter_map(group)
    }

    fn all_roles(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        texts(self.roles).chain(self.all_groups().map(|group| group.role))
    }
}

enum Target {
    Chart,
    Sealed,
    Claim,
    Dataset {
        deidentified: bool,
        smallest_group: Option<i64>,
    },
    Unknown,
}

fn target(input: &mut Input<'_>) -> Target {
    let Some(mrn) = input.text(Field::Resource) else {
        return match input.text(Field::ResourceGroup) {
            Some("mrn:hos:resource-group:charts") => Target::Chart,
            Some("mrn:hos:resource-group:sealed") => Target::Sealed,
            Some("mrn:hos:resource-group:claims") => Target::Claim,
            Some("mrn:hos:resource-group:datasets") => Target::Dataset {
                deidentified: input.holds(Field::Deidentified),
                smallest_group: input.int(Field::SmallestGroup),
            },
            _ => Target::Unknown,
        };
    };
    let is_made_of = |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(is);
    if mrn
        .strip_prefix("mrn:hos:claim:")
        .is_some_and(|id| is_made_of(id, u8::is_ascii_digit))
    {
        Target::Claim
    } else if mrn
        .strip_prefix("mrn:hos:dataset:heart-")
        .is_some_and(|id| is_made_of(id, u8::is_ascii_lowercase))
    {
        Target::Dataset {
            deidentified: true,
            smallest_group: Some(25),
        }
    } else {
        Target::Chart
    }
}

pub(super) fn decide(input: &mut Input<'_>) -> bool {
    let operation = input.text(Field::Operation).unwrap_or_default();
    let known = noun_and_verb(operation, "hos").is_some();
    let person = Person::of(input);
    let target = target(input);
    let settled = if !known {
        -1
    } else if matches!(operation, "hos:record:erase" | "hos:audit:erase") {
        -2
    } else if input.differs(Field::Subject, "") && input.differs(Field::Purpose, "") {
        0
    } else {
        -1
    };
    let identity = person.all_roles().any(|role| match role {
        PHYSICIAN | NURSE => clinician(input, operation, &person),
        CLERK => {
            matches!(
                operation,
                "hos:claim:read" | "hos:claim:submit" | "hos:record:read"
            ) && purpose_fits(input, &person)
                && is_minimal(input, &person)
                && matches!(input.text(Field::Network), Some("office" | "vpn"))
        }
        PATIENT => {
            matches!(operation, "hos:record:read" | "hos:claim:read")
                && (is_patient(input, &person) || is_guardian(input, &person))
                && is_minimal(input, &person)
                && input.int(Field::Factors).is_some_and(|factors| factors >= 2)
        }
        RESEARCHER => {
            operation == "hos:dataset:query"
                && purpose_fits(input, &person)
                && is_minimal(input, &person)
                && is_approved(input, &person)
        }
        _ => false,
    });
    let resource = match target {
        Target::Chart => chart(input, &person),
        Target::Sealed => person.subject.is_some() && input.text(Field::Owner) == person.subject,
        Target::Claim => input.text(Field::Purpose) == Some("payment") || is_patient(input, &person),
        Target::Dataset {
            deidentified,
            smallest_group,
        } => deidentified && smallest_group.is_some_and(|size| size >= 11),
        Target::Unknown => false,
    };
    let scope = input.scopes(Field::Scopes, |_, scope| {
        scope == "mrn:hos:scope:portal" && matches!(operation, "hos:record:read" | "hos:claim:read")
    });
    conjunction(settled, identity, resource, scope)
}

fn purpose_fits(input: &Input<'_>, person: &Person<'_>) -> bool {
    matches!(
        (person.work, input.text(Field::Purpose)),
        (Some("care"), Some("treatment" | "emergency"))
            | (Some("billing"), Some("payment"))
            | (Some("quality"), Some("operations"))
            | (Some("research"), Some("research"))
    )
}

/// Whether a profession needs a field of a record.
fn needs(profession: &str, field: &str) -> bool {
    let demographic = matches!(field, "name" | "birth" | "address" | "phone");
    match profession {
        "physician" => {
            demographic
                || matches!(
                    field,
                    "vitals" | "notes" | "labs" | "imaging" | "medication" | "allergies"
                )
        }
        "nurse" => demographic || matches!(field, "vitals" | "medication" | "allergies" | "notes"),
        "clerk" => demographic || matches!(field, "insurance" | "procedures" | "dates"),
        "analyst" => matches!(field, "labs" | "vitals" | "birth_year" | "region"),
        "patient" => {
            demographic
                || matches!(
                    field,
                    "vitals"
                        | "notes"
                        | "labs"
                        | "imaging"
                        | "medication"
                        | "allergies"
                        | "insurance"
                        | "procedures"
                )
        }
        _ => false,
    }
}

fn is_minimal(input: &mut Input<'_>, person: &Person<'_>) -> bool {
    let profession = person.profession.unwrap_or_default();
    input.value(Field::Wanted).is_some()
        && input
            .list(Field::Wanted)
            .iter()
            .all(|field| field.as_str().is_some_and(|field| needs(profession, field)))
}

fn clinician(input: &mut Input<'_>, operation: &str, person: &Person<'_>) -> bool {
    let reads = matches!(operation, "hos:record:read" | "hos:record:search");
    let writes = match person.profession {
        Some("physician") => matches!(
            operation,
            "hos:record:amend" | "hos:order:place" | "hos:note:sign" | "hos:vitals:enter"
        ),
        Some("nurse") => matches!(operation, "hos:vitals:enter" | "hos:medication:give"),
        _ => false,
    };
    let purpose = input.text(Field::Purpose);
    if reads && purpose == Some("emergency") {
        let why = input.text(Field::Justification).unwrap_or_default();
        if why.trim().chars().count() >= 20 {
            return true;
        }
    }
    let may = (reads && purpose_fits(input, person) && is_minimal(input, person))
        || (writes && purpose == Some("treatment"));
    may && on_duty(input, person)
}

fn on_duty(input: &mut Input<'_>, person: &Person<'_>) -> bool {
    let known = person.all_groups().find_map(|group| group.duty);
    let from = input.int(Field::DutyFrom).or(known.map(|(from, _)| from));
    let to = input.int(Field::DutyTo).or(known.map(|(_, to)| to));
    match (input.int(Field::Hour), from, to) {
        (Some(hour), Some(from), Some(to)) if from > to => hour >= from || hour < to,
        (Some(hour), Some(from), Some(to)) => hour >= from && hour < to,
        _ => false,
    }
}

fn is_approved(input: &mut Input<'_>, person: &Person<'_>) -> bool {
    let (Some(study), Some(date)) = (input.text(Field::Study), input.text(Field::Date)) else {
        return false;
    };
    let fits = |id: &str, until: &str| id == study && until >= date;
    let mut known = person.all_groups().filter_map(|group| group.study);
    known.any(|(id, until)| fits(id, until))
        || input.list(Field::Studies).iter().any(|sent| {
            let text = |name| sent.field(name).and_then(Value::as_str);
            matches!((text("id"), text("until")), (Some(id), Some(until)) if fits(id, until))
        })
}

fn is_patient(input: &Input<'_>, person: &Person<'_>) -> bool {
    person.subject.is_some() && input.text(Field::Patient) == person.subject
}

fn is_guardian(input: &mut Input<'_>, person: &Person<'_>) -> bool {
    let guardians = Texts::Sent(input.list(Field::Guardians));
    person.subject.is_some_and(|subject| guardians.has(subject))
        && input.int(Field::Age).is_some_and(|age| age < 16)
        && !input.holds(Field::Confidential)
}

fn treats(input: &mut Input<'_>, person: &Person<'_>) -> bool {
    let team = Texts::Sent(input.list(Field::CareTeam));
    if person.subject.is_some_and(|subject| team.has(subject)) {
        return true;
    }
    if let Some(ward) = input.text(Field::Ward)
        && (person.all_groups().any(|group| group.wards.contains(&ward))
            || texts(input.list(Field::Wards)).any(|sent| sent == ward))
    {
        return true;
    }
    let practice = input.text(Field::Practice);
    practice.is_some()
        && input.list(Field::Referrals).iter().any(|referral| {
            let age = referral.field("age_days").and_then(Value::as_int);
            referral.field("practice").and_then(Value::as_str) == practice && age.is_some_and(|age| age <= 90)
        })
}

fn chart(input: &mut Input<'_>, person: &Person<'_>) -> bool {
    if is_patient(input, person) {
        return true;
    }
    let purpose = input.text(Field::Purpose);
    if purpose == Some("emergency") && person.work == Some("care") {
        return true;
    }
    let concerned = is_guardian(input, person) || (purpose == Some("treatment") && treats(input, person));
    let kept_from = Texts::Sent(input.list(Field::KeptFrom));
    concerned
        && person.subject.is_some_and(|subject| !kept_from.has(subject))
        && !kept_from.has(person.profession.unwrap_or("nobody"))
}
