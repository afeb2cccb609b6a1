//! Conditions of a plan's tests, and what they compare.

use super::ir::{K, Reg, Target};
use gavel_runtime::value::Constant;

/// What is compared: planners write registers, optimisers the rest.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A register.
    Reg(Reg),
    /// A constant.
    Const(K),
    /// The input at a path; the test fails when it is undefined.
    Slot(Vec<String>),
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cmp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Cmp {
    /// The comparison with its sides exchanged.
    #[must_use]
    pub fn flip(self) -> Cmp {
        match self {
            Cmp::Eq => Cmp::Eq,
            Cmp::Ne => Cmp::Ne,
            Cmp::Lt => Cmp::Gt,
            Cmp::Le => Cmp::Ge,
            Cmp::Gt => Cmp::Lt,
            Cmp::Ge => Cmp::Le,
        }
    }

    /// Whether an ordering of the sides satisfies it.
    #[must_use]
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Cmp::Eq => ordering.is_eq(),
            Cmp::Ne => ordering.is_ne(),
            Cmp::Lt => ordering.is_lt(),
            Cmp::Le => ordering.is_le(),
            Cmp::Gt => ordering.is_gt(),
            Cmp::Ge => ordering.is_ge(),
        }
    }
}

/// What is asked of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// It starts with another.
    Starts,
    /// It ends with another.
    Ends,
}

impl TextTest {
    /// Whether a value passes.
    #[must_use]
    pub fn holds(self, value: &Constant, other: &Constant) -> bool {
        let Constant::String(text) = value else {
            return false;
        };
        let holds = |other: &Constant| match (self, other) {
            (TextTest::Starts, Constant::String(other)) => text.starts_with(other.as_str()),
            (TextTest::Ends, Constant::String(other)) => text.ends_with(other.as_str()),
            _ => false,
        };
        match other {
            Constant::Array(others) => others.iter().any(holds),
            other => holds(other),
        }
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Cond {
    /// Not `false`.
    Truthy(Operand),
    /// Two values compare so.
    Compare(Cmp, Operand, Operand),
    /// The first is a value of the second.
    In(Operand, Operand),
    /// A value is a text that passes a test with a constant one, or one of an array; fails for everything else. Only
    /// optimisers write it.
    Text(TextTest, Operand, K),
    /// The input has a value at the path.
    Defined(Vec<String>),
    /// The input has an object at the path. Only optimisers write it.
    IsObject(Vec<String>),
    /// The register is not unset.
    IsSet(Reg),
    /// An array of exactly so many elements.
    IsArrayOf(Reg, u16),
    /// An object of exactly so many members.
    IsObjectOf(Reg, u16),
    /// Calls through the mock cell read a document.
    IsDocument(Target),
}
