//! What hand-written rules read of a request: typed looks at the fields that they name.

use gavel_runtime::bytecode::SlotId;
use gavel_runtime::value::{Kind, Value};
use gavel_runtime::vm::Request;

/// Names fields by their paths: an enum `Field`, and `PATHS` in its order.
macro_rules! fields {
    ($($name:ident = $path:literal;)*) => {
        #[derive(Clone, Copy)]
        pub(super) enum Field { $($name),* }
        impl From<Field> for usize {
            fn from(field: Field) -> usize {
                field as usize
            }
        }
        pub(super) const PATHS: &[&str] = &[$($path),*];
    };
}
pub(super) use fields;

/// One request.
pub(super) struct Input<'v> {
    request: Request<'v>,
    slots: &'v [SlotId],
}

impl<'v> Input<'v> {
    pub(super) fn new(request: Request<'v>, slots: &'v [SlotId]) -> Input<'v> {
        Input { request, slots }
    }

    /// The value, if there is one.
    #[inline]
    pub(super) fn value(&mut self, field: impl Into<usize>) -> Option<Value<'v>> {
        let slot = self.slots.get(field.into())?;
        self.request.slot(*slot).ok().flatten()
    }

    #[inline]
    pub(super) fn text(&self, field: impl Into<usize>) -> Option<&'v str> {
        self.request.slot_text(*self.slots.get(field.into())?)
    }

    #[inline]
    pub(super) fn int(&mut self, field: impl Into<usize>) -> Option<i64> {
        self.value(field).and_then(Value::as_int)
    }

    /// The elements of a list; nothing for what is none.
    #[inline]
    pub(super) fn list(&mut self, field: impl Into<usize>) -> &'v [Value<'v>] {
        self.value(field).map(items).unwrap_or_default()
    }

    /// Whether there is a value other than `false`.
    #[inline]
    pub(super) fn holds(&mut self, field: impl Into<usize>) -> bool {
        self.value(field).is_some_and(|value| !value.is_false())
    }

    /// Whether there is a value other than this text.
    #[inline]
    pub(super) fn differs(&mut self, field: impl Into<usize>, text: &str) -> bool {
        self.value(field)
            .is_some_and(|value| value.as_str() != Some(text))
    }

    /// The fourth phase: no scopes grant, `api` grants, else one that `grants` does. Scopes that are no texts deny.
    #[inline]
    pub(super) fn scopes(
        &mut self,
        field: impl Into<usize>,
        mut grants: impl FnMut(&mut Self, &str) -> bool,
    ) -> bool {
        let Some(scopes) = self.value(field) else {
            return true;
        };
        let scopes = match scopes.kind() {
            Kind::Null => return true,
            Kind::Array(scopes) if scopes.iter().all(|scope| scope.as_str().is_some()) => scopes,
            _ => return false,
        };
        scopes.is_empty()
            || texts(scopes).any(|scope| scope == "mrn:iam:scope:api")
            || texts(scopes).any(|scope| grants(self, scope))
    }
}

/// The elements of a list; nothing for what is none.
#[inline]
pub(super) fn items(value: Value<'_>) -> &[Value<'_>] {
    match value.kind() {
        Kind::Array(items) => items,
        _ => &[],
    }
}

/// The texts among values.
#[inline]
pub(super) fn texts<'v>(values: &'v [Value<'v>]) -> impl Iterator<Item = &'v str> {
    values.iter().filter_map(|value| value.as_str())
}

/// A list that the rules know or that was sent.
#[derive(Clone, Copy)]
pub(super) enum Texts<'v> {
    Known(&'static [&'static str]),
    Sent(&'v [Value<'v>]),
}

impl Texts<'_> {
    #[inline]
    pub(super) fn has(self, text: &str) -> bool {
        match self {
            Texts::Known(known) => known.contains(&text),
            Texts::Sent(sent) => texts(sent).any(|other| other == text),
        }
    }
}

/// The votes of the four phases, combined.
#[inline]
pub(super) fn conjunction(operation: i64, identity: bool, resource: bool, scope: bool) -> bool {
    match operation {
        0 => identity & resource & scope,
        settled => settled > 0,
    }
}

/// `[a-z]+`
#[inline]
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Noun and verb of `SERVICE:[a-z]+:[a-z]+`.
#[inline]
pub(super) fn noun_and_verb<'t>(operation: &'t str, service: &str) -> Option<(&'t str, &'t str)> {
    let (noun, verb) = operation
        .strip_prefix(service)?
        .strip_prefix(':')?
        .split_once(':')?;
    (is_word(noun) && is_word(verb)).then_some((noun, verb))
}
