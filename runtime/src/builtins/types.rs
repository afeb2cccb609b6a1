//! Types of builtin arguments and results, as constants.

/// A Rego type as OPA's type checker knows it.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// Anything.
    Any,
    /// `null`
    Null,
    /// Booleans.
    Boolean,
    /// Numbers.
    Number,
    /// Strings.
    String,
    /// Fixed first elements, then any number of the second type (`None`: no more).
    Array(&'static [Type], Option<&'static Type>),
    /// Fixed members, then any number of `key: value` (`None`: no more).
    Object(
        &'static [(&'static str, Type)],
        Option<(&'static Type, &'static Type)>,
    ),
    /// Members.
    Set(&'static Type),
    /// One of several.
    Or(&'static [Type]),
}
