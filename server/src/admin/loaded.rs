//! `/loaded.json`: what the revision that is served holds, page by page.

use gavel_runtime::image::{Image, Subject};
use serde_json::{Value, json};

use super::overview::Overview;
use crate::limits;

/// Which entries are wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    kind: String,
    from: usize,
    count: usize,
    /// Part of a name or of a selector.
    find: String,
}

impl Wanted {
    /// Of a query `kind=policies&from=0&count=50&find=TEXT`, of which each part may be missing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of(query: &str) -> Result<Wanted, String> {
        let mut wanted = Wanted {
            kind: "policies".to_owned(),
            from: 0,
            count: limits::ADMIN_PAGE_ENTRIES,
            find: String::new(),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value =
                crate::serve::api::unescape(value.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
            let value = value.ok_or("the query is no UTF-8, or is escaped wrongly")?;
            let number = || value.parse().map_err(|_| format!("`{name}` is no number"));
            match name {
                "kind" => wanted.kind = value,
                "from" => wanted.from = number()?,
                "count" => wanted.count = number()?.min(limits::ADMIN_PAGE_ENTRIES),
                "find" => wanted.find = value,
                _ => return Err(format!("there is no parameter `{name}`")),
            }
        }
        Ok(wanted)
    }
}

/// The answer.
///
/// # Errors
/// There are no entries of this kind, or nothing is loaded.
pub(super) fn json(overview: &Overview, wanted: &Wanted) -> Result<Value, String> {
    let service = overview.service.get().ok_or("nothing is loaded yet")?;
    let revision = service.publisher.current();
    let image = revision.image();
    let counts = json!({
        "domains": image.domains().len(),
        "policies": image.policies().len(),
        "roles": image.roles().len(),
        "groups": image.groups().len(),
        "scopes": image.scopes().len(),
        "resourceGroups": image.resource_groups().len(),
        "operations": image.operations().len(),
        "resources": image.resources().len(),
        "mappers": image.mappers().len(),
    });
    let (total, entries) = entries(image, wanted)?;
    Ok(json!({
        "revision": revision.number,
        "domains": image.domains(),
        "counts": counts,
        "kind": wanted.kind,
        "from": wanted.from,
        "total": total,
        "entries": entries,
    }))
}

/// How many there are, and those of the wanted page.
fn entries(image: &Image, wanted: &Wanted) -> Result<(usize, Vec<Value>), String> {
    let policy = |index: u32| image.policy(index).map(|policy| &*policy.mrn);
    let named = |subject: &Subject, part: &str| subject.mrn.contains(part);
    let selected =
        |selectors: &[String], part: &str| selectors.iter().any(|selector| selector.contains(part));
    let subject = |subject: &Subject| json!({"mrn": subject.mrn, "policy": policy(subject.policy)});
    Ok(match wanted.kind.as_str() {
        "policies" => page(
            wanted,
            image.policies(),
            |policy, part| policy.mrn.contains(part),
            |policy| json!({"mrn": policy.mrn, "fingerprint": policy.fingerprint_base64}),
        ),
        "roles" => page(wanted, image.roles(), named, subject),
        "scopes" => page(wanted, image.scopes(), named, subject),
        "resource-groups" => page(wanted, image.resource_groups(), named, subject),
        "groups" => {
            let groups: Vec<_> = image.groups().collect();
            page(
                wanted,
                &groups,
                |(mrn, _), part| mrn.contains(part),
                |(mrn, group)| {
                    let roles = group.roles.iter().filter_map(|role| image.role(*role));
                    let roles: Vec<&str> = roles.map(|role| &*role.mrn).collect();
                    json!({"mrn": mrn, "roles": roles})
                },
            )
        }
        "operations" => {
            let operations: Vec<_> = image.operations().collect();
            page(
                wanted,
                &operations,
                |(selectors, _), part| selected(selectors, part),
                |(selectors, policy)| json!({"selectors": selectors, "policy": policy.map(|policy| &policy.mrn)}),
            )
        }
        "resources" => page(
            wanted,
            image.resources(),
            |resource, part| selected(&resource.selectors, part),
            |resource| {
                let policy = policy(resource.policy);
                json!({"selectors": resource.selectors, "group": resource.group, "policy": policy})
            },
        ),
        other => return Err(format!("there are no entries of kind `{other}`")),
    })
}

fn page<T>(
    wanted: &Wanted,
    all: &[T],
    holds: impl Fn(&T, &str) -> bool,
    show: impl Fn(&T) -> Value,
) -> (usize, Vec<Value>) {
    let found: Vec<&T> = all.iter().filter(|one| holds(one, &wanted.find)).collect();
    let shown = found.iter().skip(wanted.from).take(wanted.count);
    (found.len(), shown.map(|one| show(one)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let wanted = Wanted::of("kind=roles&from=7&count=3&find=a%20b").unwrap();
        let want = Wanted {
            kind: "roles".to_owned(),
            from: 7,
            count: 3,
            find: "a b".to_owned(),
        };
        assert_eq!(wanted, want);
        assert_eq!(
            Wanted::of("count=99999").unwrap().count,
            limits::ADMIN_PAGE_ENTRIES
        );
        for wrong in ["from=x", "from=-1", "other=1", "find=%ff"] {
            assert!(Wanted::of(wrong).is_err(), "{wrong}");
        }
    }
}
