//! The clinic's rules by hand.

use super::input::{Input, Texts, conjunction, fields, texts};
use gavel_runtime::value::Value;

fields! {
    Operation = "operation";
    Subject = "principal.sub";
    Roles = "principal.mroles";
    Groups = "principal.mgroups";
    Scopes = "principal.scopes";
    Wards = "principal.mannotations.wards";
    Profession = "principal.mannotations.profession";
    ShiftFrom = "principal.mannotations.shift.from";
    ShiftTo = "principal.mannotations.shift.to";
    Resource = "resource";
    ResourceGroup = "resource.group";
    Ward = "resource.annotations.ward";
    CareTeam = "resource.annotations.care_team";
    Patient = "resource.annotations.patient";
    Sensitivity = "resource.annotations.sensitivity";
    Withheld = "resource.annotations.withheld";
    Network = "context.network";
    Hour = "context.hour";
    Emergency = "context.emergency";
    Reason = "context.reason";
}

/// What a group brings, apart from the role of a nurse.
struct Group {
    ward: &'static str,
    shift: (i64, i64),
}

fn group(mrn: &str) -> Option<Group> {
    let (ward, shift) = match mrn {
        "mrn:clinic:group:ward-3" => ("w3", (6, 18)),
        "mrn:clinic:group:ward-5-night" => ("w5", (0, 6)),
        _ => return None,
    };
    Some(Group { ward, shift })
}

const NURSE: &str = "mrn:clinic:role:nurse";

struct Person<'v> {
    roles: &'v [Value<'v>],
    groups: &'v [Value<'v>],
    wards: &'v [Value<'v>],
    profession: Option<&'v str>,
}

impl<'v> Person<'v> {
    fn of(input: &mut Input<'v>) -> Person<'v> {
        let (roles, groups) = (input.list(Field::Roles), input.list(Field::Groups));
        let mut person = Person {
            roles,
            groups,
            wards: input.list(Field::Wards),
            profession: input.text(Field::Profession),
        };
        if person.profession.is_none() {
            person.profession = person.all_roles().find_map(|role| match role {
                NURSE => Some("nurse"),
                "mrn:clinic:role:physician" => Some("physician"),
                _ => None,
            });
        }
        person
    }

    fn all_groups(&self) -> impl Iterator<Item = Group> + use<'v> {
        texts(self.groups).filter_map(group)
    }

    fn all_roles(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        texts(self.roles).chain(self.all_groups().map(|_| NURSE))
    }

    fn works_on(&self, ward: &str) -> bool {
        texts(self.wards).any(|sent| sent == ward) || self.all_groups().any(|group| group.ward == ward)
    }

    fn on_shift(&self, input: &mut Input<'_>) -> bool {
        let known = self.all_groups().next().map(|group| group.shift);
        let from = input.int(Field::ShiftFrom).or(known.map(|(from, _)| from));
        let to = input.int(Field::ShiftTo).or(known.map(|(_, to)| to));
        match (input.int(Field::Hour), from, to) {
            (Some(hour), Some(from), Some(to)) => from <= hour && hour < to,
            _ => false,
        }
    }
}

/// A medical record; `None` in its place is what is public.
struct Record<'v> {
    ward: Option<&'v str>,
    care_team: Texts<'v>,
    patient: Option<&'v str>,
    sensitivity: Option<&'v str>,
    withheld: bool,
}

enum Target<'v> {
    Record(Record<'v>),
    Public,
    Unknown,
}

fn target<'v>(input: &mut Input<'v>) -> Target<'v> {
    let Some(mrn) = input.text(Field::Resource) else {
        return match input.text(Field::ResourceGroup) {
            Some("mrn:clinic:resource-group:records") => Target::Record(Record {
                ward: input.text(Field::Ward),
                care_team: Texts::Sent(input.list(Field::CareTeam)),
                patient: input.text(Field::Patient),
                sensitivity: input.text(Field::Sensitivity),
                withheld: input.holds(Field::Withheld),
            }),
            Some("mrn:clinic:resource-group:public") => Target::Public,
            _ => Target::Unknown,
        };
    };
    let known = |ward, care_team, patient, sensitivity| {
        Target::Record(Record {
            ward: Some(ward),
            care_team: Texts::Known(care_team),
            patient: Some(patient),
            sensitivity: Some(sensitivity),
            withheld: false,
        })
    };
    match mrn.strip_prefix("mrn:clinic:record:") {
        Some(id) if id.starts_with("psy-") => known("w5", &["dr-okafor"], "pat-118", "psychiatric"),
        Some(id) => match id.strip_prefix("w3-") {
            Some(number) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                known("w3", &["dr-lind", "nurse-amara"], "pat-204", "clinical")
            }
            _ => Target::Public,
        },
        None => Target::Public,
    }
}

pub(super) fn decide(input: &mut Input<'_>) -> bool {
    let operation = input.text(Field::Operation).unwrap_or_default();
    let subject = input.text(Field::Subject);
    let person = Person::of(input);
    let target = target(input);
    let settled = gate(input, operation);
    let identity = identity(input, operation, subject, &person, &target);
    let resource = match &target {
        Target::Record(record) => record_grants(subject, &person, record),
        Target::Public => true,
        Target::Unknown => false,
    };
    let scope = input.scopes(Field::Scopes, |_, scope| {
        scope == "mrn:clinic:scope:app" && matches!(operation, "clinic:record:read" | "clinic:record:list")
    });
    conjunction(settled, identity, resource, scope)
}

fn gate(input: &mut Input<'_>, operation: &str) -> i64 {
    if operation == "clinic:hours:read" {
        1
    } else if !operation.starts_with("clinic:") || !input.differs(Field::Subject, "") {
        -1
    } else if operation.ends_with(":purge") {
        -2
    } else {
        0
    }
}

fn is_read(operation: &str) -> bool {
    matches!(
        operation,
        "clinic:record:read" | "clinic:record:list" | "clinic:record:history"
    )
}

fn identity(
    input: &mut Input<'_>,
    operation: &str,
    subject: Option<&str>,
    person: &Person<'_>,
    target: &Target<'_>,
) -> bool {
    person.all_roles().any(|role| match role {
        NURSE | "mrn:clinic:role:physician" => staff(input, operation, person),
        "mrn:clinic:role:patient" => {
            let own = matches!(target, Target::Record(record)
                if subject.is_some() && record.patient == subject && !record.withheld);
            is_read(operation) && own
        }
        _ => false,
    })
}

fn staff(input: &mut Input<'_>, operation: &str, person: &Person<'_>) -> bool {
    let writes = matches!(operation, "clinic:record:amend" | "clinic:record:sign");
    let may = is_read(operation) || (writes && person.profession == Some("physician"));
    if may && input.text(Field::Network) == Some("clinic") && person.on_shift(input) {
        return true;
    }
    let reason = input.text(Field::Reason).unwrap_or_default();
    is_read(operation) && input.holds(Field::Emergency) && reason.chars().count() >= 10
}

fn record_grants(subject: Option<&str>, person: &Person<'_>, record: &Record<'_>) -> bool {
    let own = subject.is_some() && subject == record.patient;
    own || (cleared(person, record) && related(subject, person, record))
}

fn cleared(person: &Person<'_>, record: &Record<'_>) -> bool {
    let clearance = match person.profession {
        Some("clerk") => 1,
        Some("nurse") => 2,
        Some("physician") => 3,
        _ => return false,
    };
    let sensitivity = match record.sensitivity {
        Some("routine") => 1,
        Some("clinical") => 2,
        Some("psychiatric") => 3,
        _ => return false,
    };
    clearance >= sensitivity
}

fn related(subject: Option<&str>, person: &Person<'_>, record: &Record<'_>) -> bool {
    subject.is_some_and(|subject| record.care_team.has(subject))
        || record.ward.is_some_and(|ward| person.works_on(ward))
}
