//! Who asks: roles, groups and scopes of the principal, each looked up once.

use crate::arena::Arena;
use crate::error::EvalErrorKind;
use crate::image::{Group, Image, Subject};
use crate::value::{Kind, Value};
use bumpalo::collections::Vec as BumpVec;

/// A name of the request, with what the image knows by it.
#[derive(Debug)]
pub(super) struct Named<'r, T> {
    pub(super) mrn: &'r str,
    pub(super) known: Option<&'r T>,
}

impl<T> Clone for Named<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Named<'_, T> {}

/// What the principal is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Belongings<'r> {
    /// In request order.
    pub(super) groups: &'r [Named<'r, Group>],
    /// Direct roles in request order, then the roles of the groups in group order, each once.
    pub(super) roles: &'r [Named<'r, Subject>],
    /// In request order.
    pub(super) scopes: &'r [Named<'r, Subject>],
    /// `scopes` is there and is neither null nor an array of strings. The reference takes that for no scopes, which grant.
    pub(super) scopes_malformed: bool,
    /// All roles are those of the one group.
    pub(super) is_one_group: bool,
}

impl<'r> Belongings<'r> {
    /// Looks up the elements of three lists of the request. Elements that are no strings, and what is no list, count as
    /// nothing.
    #[inline(always)]
    pub(super) fn find(
        image: &'r Image,
        arena: &'r Arena,
        [roles, groups, scopes]: [Option<Value<'r>>; 3],
    ) -> Result<Belongings<'r>, EvalErrorKind> {
        let (direct, of_groups) = (elements(roles), elements(groups));
        let groups = named(arena, of_groups, |mrn| image.find_group(mrn))?;
        let scopes_malformed = match scopes.map(Value::kind) {
            None | Some(Kind::Null) => false,
            Some(Kind::Array(items)) => texts(items).count() < items.len(),
            Some(_) => true,
        };
        Ok(Belongings {
            groups,
            roles: role_set(image, arena, direct, groups)?,
            scopes: named(arena, elements(scopes), |mrn| image.find_scope(mrn))?,
            scopes_malformed,
            is_one_group: groups.len() == 1 && texts(direct).next().is_none(),
        })
    }
}

fn elements(list: Option<Value<'_>>) -> &[Value<'_>] {
    match list.map(Value::kind) {
        Some(Kind::Array(items)) => items,
        _ => &[],
    }
}

fn texts<'r>(items: &'r [Value<'r>]) -> impl Iterator<Item = &'r str> {
    items.iter().filter_map(|item| item.as_str())
}

#[inline(always)]
fn named<'r, T>(
    arena: &'r Arena,
    items: &'r [Value<'r>],
    find: impl Fn(&str) -> Option<&'r T>,
) -> Result<&'r [Named<'r, T>], EvalErrorKind> {
    if items.is_empty() {
        return Ok(&[]);
    }
    let list = arena.filled(items.len(), Named { mrn: "", known: None })?;
    let mut count = 0;
    for (place, mrn) in list.iter_mut().zip(texts(items)) {
        let known = find(mrn);
        *place = Named { mrn, known };
        count += 1;
    }
    Ok(list.get(..count).unwrap_or_default())
}

/// Up to this many roles a look for duplicates compares all pairs.
const PAIRWISE_ROLES_MAX: usize = 16;

#[inline(always)]
fn role_set<'r>(
    image: &'r Image,
    arena: &'r Arena,
    direct: &'r [Value<'r>],
    groups: &'r [Named<'r, Group>],
) -> Result<&'r [Named<'r, Subject>], EvalErrorKind> {
    let of_groups = groups.iter().filter_map(|group| group.known);
    let count = direct.len() + of_groups.clone().map(|group| group.roles.len()).sum::<usize>();
    if count == 0 {
        return Ok(&[]);
    }
    if count > PAIRWISE_ROLES_MAX {
        return large_role_set(image, arena, direct, groups, count);
    }
    let roles = arena.filled(count, Named { mrn: "", known: None })?;
    let mut len = 0;
    let mut add = |role: Named<'r, Subject>| {
        let (earlier, free) = roles.split_at_mut(len);
        if let Some(free) = free.first_mut()
            && !earlier.iter().any(|earlier| earlier.mrn == role.mrn)
        {
            *free = role;
            len += 1;
        }
    };
    for mrn in texts(direct) {
        let known = image.find_role(mrn).and_then(|index| image.role(index));
        add(Named { mrn, known });
    }
    for group in of_groups {
        for index in &group.roles {
            if let Some(role) = image.role(*index) {
                add(known(role));
            }
        }
    }
    Ok(roles.get(..len).unwrap_or_default())
}

fn known(role: &Subject) -> Named<'_, Subject> {
    Named {
        mrn: &role.mrn,
        known: Some(role),
    }
}

/// As [`role_set`] for more roles than can be compared pair by pair.
fn large_role_set<'r>(
    image: &'r Image,
    arena: &'r Arena,
    direct: &'r [Value<'r>],
    groups: &'r [Named<'r, Group>],
    count: usize,
) -> Result<&'r [Named<'r, Subject>], EvalErrorKind> {
    let mut roles: BumpVec<'r, Named<'r, Subject>> = arena.list(count)?;
    let direct = texts(direct).map(|mrn| {
        let index = image.find_role(mrn);
        let known = index.and_then(|index| image.role(index));
        (index, Named { mrn, known })
    });
    let of_groups = groups
        .iter()
        .filter_map(|group| group.known)
        .flat_map(|group| &group.roles);
    let of_groups = of_groups.filter_map(|index| Some((Some(*index), known(image.role(*index)?))));
    // A bit for each role of the image.
    let seen = arena.filled(image.role_count().div_ceil(64), 0_u64)?;
    let mut is_new = |index: u32| {
        let first = image.first_of_name(index);
        let bit = 1 << (first % 64);
        let word = seen.get_mut(first as usize / 64)?;
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new.then_some(())
    };
    for (index, role) in direct.chain(of_groups) {
        if index.is_none_or(|index| is_new(index).is_some()) {
            roles.push(role);
        }
    }
    without_repeated_strangers(arena, &mut roles)?;
    Ok(roles.into_bump_slice())
}

/// Keeps the first of equal names that the image does not know.
fn without_repeated_strangers<'r>(
    arena: &'r Arena,
    roles: &mut BumpVec<'r, Named<'r, Subject>>,
) -> Result<(), EvalErrorKind> {
    let strangers = || roles.iter().enumerate().filter(|(_, role)| role.known.is_none());
    let mut order: BumpVec<'r, (&str, usize)> = arena.list(strangers().count())?;
    order.extend(strangers().map(|(place, role)| (role.mrn, place)));
    order.sort_unstable();
    let again = arena.filled(roles.len(), false)?;
    for pair in order.windows(2) {
        if let [(kept, _), (later, place)] = pair
            && kept == later
            && let Some(again) = again.get_mut(*place)
        {
            *again = true;
        }
    }
    let mut again = again.iter();
    roles.retain(|_| again.next() == Some(&false));
    Ok(())
}
