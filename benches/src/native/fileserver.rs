//! The file server's rules by hand.

use super::input::{Input, conjunction, fields, is_word, texts};
use gavel_runtime::value::Value;

fields! {
    Operation = "operation";
    Subject = "principal.sub";
    Roles = "principal.mroles";
    Groups = "principal.mgroups";
    Scopes = "principal.scopes";
    Uid = "principal.mannotations.uid";
    Gids = "principal.mannotations.gids";
    Locked = "principal.mannotations.locked";
    Resource = "resource";
    ResourceId = "resource.id";
    ResourceGroup = "resource.group";
    FileUid = "resource.annotations.uid";
    FileGid = "resource.annotations.gid";
    FileMode = "resource.annotations.mode";
    FileAcl = "resource.annotations.acl";
    FolderUid = "resource.annotations.parent.uid";
    FolderGid = "resource.annotations.parent.gid";
    FolderMode = "resource.annotations.parent.mode";
    FolderSticky = "resource.annotations.parent.sticky";
    Signed = "context.session.signed";
    Host = "context.session.host";
    Job = "context.job.state";
    Ticket = "context.ticket.id";
    TicketAge = "context.ticket.age_minutes";
}

const USER: &str = "mrn:fs:role:user";
const BACKUP: &str = "mrn:fs:role:backup";
const SUPERUSER: &str = "mrn:fs:role:superuser";

/// The gids that a group brings, apart from the role of a user.
fn group(mrn: &str) -> Option<&'static [i64]> {
    match mrn {
        "mrn:fs:group:engineering" => Some(&[200]),
        "mrn:fs:group:finance" => Some(&[300, 301]),
        "mrn:fs:group:contractors" => Some(&[900]),
        _ => None,
    }
}

struct Person<'v> {
    subject: Option<&'v str>,
    uid: Option<i64>,
    roles: &'v [Value<'v>],
    groups: &'v [Value<'v>],
    gids: &'v [Value<'v>],
}

impl<'v> Person<'v> {
    fn all_groups(&self) -> impl Iterator<Item = &'static [i64]> + use<'v> {
        texts(self.groups).filter_map(group)
    }

    fn all_roles(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        texts(self.roles).chain(self.all_groups().map(|_| USER))
    }

    fn in_group(&self, gid: i64) -> bool {
        self.gids.iter().any(|sent| sent.as_int() == Some(gid))
            || self.all_groups().any(|gids| gids.contains(&gid))
            || (gid == 100 && self.all_roles().any(|role| role == USER))
    }
}

/// A file or a folder.
#[derive(Clone, Copy)]
struct Entry<'v> {
    uid: Option<i64>,
    gid: Option<i64>,
    mode: Option<&'v str>,
}

impl Entry<'_> {
    fn is_owned(self, person: &Person<'_>) -> bool {
        person.uid.is_some() && person.uid == self.uid
    }

    fn permits(self, person: &Person<'_>, bit: u8) -> bool {
        let class = if self.is_owned(person) {
            0
        } else if self.gid.is_some_and(|gid| person.in_group(gid)) {
            1
        } else {
            2
        };
        let digit = self.mode.and_then(|mode| mode.as_bytes().get(class));
        digit.is_some_and(|digit| digit.is_ascii_digit() && (digit - b'0') & bit != 0)
    }
}

/// What an operation wants of a file: a bit of the mode, a letter of the access list.
fn wanted(operation: &str) -> Option<(u8, char)> {
    match operation {
        "fs:file:read" | "fs:dir:list" => Some((4, 'r')),
        "fs:file:write" | "fs:file:truncate" | "fs:dir:create" => Some((2, 'w')),
        "fs:file:execute" | "fs:dir:enter" => Some((1, 'x')),
        _ => None,
    }
}

pub(super) fn decide(input: &mut Input<'_>) -> bool {
    let operation = input.text(Field::Operation).unwrap_or_default();
    let person = Person {
        subject: input.text(Field::Subject),
        uid: input.int(Field::Uid),
        roles: input.list(Field::Roles),
        groups: input.list(Field::Groups),
        gids: input.list(Field::Gids),
    };
    let (id, file) = file(input);
    let looks = matches!(operation, "fs:file:read" | "fs:dir:list" | "fs:dir:enter");
    let settled = door(input, operation);
    let identity = person.all_roles().any(|role| match role {
        USER => operation.starts_with("fs:") && input.holds(Field::Signed) && !input.holds(Field::Locked),
        BACKUP => {
            looks && input.text(Field::Host) == Some("backup-1") && input.text(Field::Job) == Some("running")
        }
        SUPERUSER => {
            input.text(Field::Ticket).is_some_and(is_ticket)
                && input.int(Field::TicketAge).is_some_and(|age| age < 60)
        }
        _ => false,
    });
    let resource = file.is_some_and(|file| tree(input, operation, &person, file));
    let scope = input.scopes(Field::Scopes, |_, scope| match scope {
        "mrn:fs:scope:readonly" => looks,
        "mrn:fs:scope:desktop" => {
            id.starts_with("mrn:fs:shared:") || person.subject.is_some_and(|subject| is_home(id, subject))
        }
        _ => false,
    });
    conjunction(settled, identity, resource, scope)
}

fn door(input: &mut Input<'_>, operation: &str) -> i64 {
    let known = operation
        .strip_prefix("fs:")
        .and_then(|rest| rest.split_once(':'));
    match known {
        Some(("volume", "status")) => 1,
        Some(("volume", "format")) => -2,
        Some(("file" | "dir" | "volume", verb)) if is_word(verb) && input.differs(Field::Subject, "") => 0,
        _ => -1,
    }
}

/// `^CHG-[0-9]{4,8}$`
fn is_ticket(id: &str) -> bool {
    id.strip_prefix("CHG-").is_some_and(|digits| {
        (4..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_home(id: &str, subject: &str) -> bool {
    id.strip_prefix("mrn:fs:home:")
        .and_then(|rest| rest.strip_prefix(subject))
        .is_some_and(|rest| rest.starts_with(':'))
}

/// The resource's name, and what is known of it; `None`: it is in no group.
fn file<'v>(input: &mut Input<'v>) -> (&'v str, Option<Entry<'v>>) {
    let Some(mrn) = input.text(Field::Resource) else {
        let known = input.text(Field::ResourceGroup) == Some("mrn:fs:resource-group:tree");
        let id = input.text(Field::ResourceId).unwrap_or_default();
        let entry = Entry {
            uid: input.int(Field::FileUid),
            gid: input.int(Field::FileGid),
            mode: input.text(Field::FileMode),
        };
        return (id, known.then_some(entry));
    };
    let (uid, gid, mode) = match mrn.strip_prefix("mrn:fs:shared") {
        Some("") => (Some(0), Some(100), Some("755")),
        Some(rest) if rest.strip_prefix(":ledger:").is_some_and(is_period) => {
            (Some(1300), Some(300), Some("640"))
        }
        _ => (None, None, None),
    };
    (mrn, Some(Entry { uid, gid, mode }))
}

/// `[0-9]{4}(-q[1-4])?`
fn is_period(text: &str) -> bool {
    match text.as_bytes() {
        [year @ .., b'-', b'q', b'1'..=b'4'] | year => year.len() == 4 && year.iter().all(u8::is_ascii_digit),
    }
}

fn tree(input: &mut Input<'_>, operation: &str, person: &Person<'_>, file: Entry<'_>) -> bool {
    if texts(person.roles).any(|role| matches!(role, SUPERUSER | BACKUP)) {
        return true;
    }
    if operation == "fs:file:remove" {
        let folder = Entry {
            uid: input.int(Field::FolderUid),
            gid: input.int(Field::FolderGid),
            mode: input.text(Field::FolderMode),
        };
        return folder.permits(person, 2)
            && (!input.holds(Field::FolderSticky) || file.is_owned(person) || folder.is_owned(person));
    }
    wanted(operation).is_some_and(|(bit, letter)| file.permits(person, bit) || listed(input, person, letter))
}

fn listed(input: &mut Input<'_>, person: &Person<'_>, letter: char) -> bool {
    input.list(Field::FileAcl).iter().any(|entry| {
        let user = entry.field("user").and_then(Value::as_str);
        let gid = entry.field("gid").and_then(Value::as_int);
        let may = entry.field("may").and_then(Value::as_str).unwrap_or_default();
        let meant = (user.is_some() && user == person.subject) || gid.is_some_and(|gid| person.in_group(gid));
        meant && may.contains(letter)
    })
}
