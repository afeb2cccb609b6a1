//! The type language: what a value may be, as far as the checker knows.
//!
//! Types are immutable and shared. Bounds keep the work of every operation, and the stack of the recursive ones, small: a type
//! over [`SIZE_MAX`], [`DEPTH_MAX`] or [`OPTIONS_MAX`] is widened to [`Type::Any`], which only accepts more programs.

use gavel_runtime::value::Constant;
use std::cmp::Ordering;
use std::rc::Rc;

/// Nodes of the largest type that is kept; the checker pays for each of them at every use.
const SIZE_MAX: u32 = 8192;

/// Alternatives of one type; more of them say as much as none.
const OPTIONS_MAX: usize = 256;

/// Levels of the deepest type that is kept.
const DEPTH_MAX: u32 = 256;

/// What is known of a value.
#[derive(Clone, Debug)]
pub(super) enum Type {
    /// Nothing yet: a variable before its first use.
    Unknown,
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
    /// Arrays.
    Array(Rc<ArrayType>),
    /// Objects.
    Object(Rc<ObjectType>),
    /// Sets; members of an unknown type are those of the empty set.
    Set(Rc<SetType>),
    /// One of several, none of them `Any` or itself such a list; sorted, without duplicates.
    OneOf(Rc<OneOfType>),
    /// A function; never a value.
    Function(Rc<FunctionType>),
}

/// Extent of a type and whether something in it is unknown.
#[derive(Clone, Copy, Debug)]
struct Shape {
    size: u32,
    depth: u32,
    unknown: bool,
}

/// An array: known first elements, then any number of `rest`.
#[derive(Debug)]
pub(super) struct ArrayType {
    shape: Shape,
    /// First elements.
    pub(super) items: Vec<Type>,
    /// Further elements; `None`: no more.
    pub(super) rest: Option<Type>,
}

/// An object: known members, then any number of `rest`.
#[derive(Debug)]
pub(super) struct ObjectType {
    shape: Shape,
    /// Known members, sorted by key.
    pub(super) members: Vec<(Constant, Type)>,
    /// Types of further keys and values; `None`: no more.
    pub(super) rest: Option<(Type, Type)>,
}

/// A set.
#[derive(Debug)]
pub(super) struct SetType {
    shape: Shape,
    /// Type of the members.
    pub(super) member: Type,
}

/// Alternatives.
#[derive(Debug)]
pub(super) struct OneOfType {
    shape: Shape,
    /// At least two.
    pub(super) options: Vec<Type>,
}

/// A function.
#[derive(Debug)]
pub(super) struct FunctionType {
    /// Types of the parameters.
    pub(super) args: Vec<Type>,
    /// Type of the result.
    pub(super) result: Type,
}

impl Type {
    /// An array type. An unknown `rest` says nothing and counts as none.
    pub(super) fn array(items: Vec<Type>, rest: Option<Type>) -> Type {
        let rest = rest.filter(|t| !matches!(t, Type::Unknown));
        let shape = Shape::of(items.iter().chain(&rest));
        if shape.too_large() {
            return Type::Any;
        }
        Type::Array(Rc::new(ArrayType { shape, items, rest }))
    }

    /// An object type. A key can occur twice, because sets are filed as arrays (see [`super::select::property`]).
    pub(super) fn object(mut members: Vec<(Constant, Type)>, rest: Option<(Type, Type)>) -> Type {
        let shape = Shape::of(
            members
                .iter()
                .map(|(_, t)| t)
                .chain(rest.iter().flat_map(|(k, v)| [k, v])),
        );
        if shape.too_large() {
            return Type::Any;
        }
        members.sort_by(|a, b| a.0.compare(&b.0));
        Type::Object(Rc::new(ObjectType { shape, members, rest }))
    }

    /// A set type.
    pub(super) fn set(member: Type) -> Type {
        let shape = Shape::of([&member]);
        if shape.too_large() {
            return Type::Any;
        }
        Type::Set(Rc::new(SetType { shape, member }))
    }

    /// A function type.
    pub(super) fn function(args: Vec<Type>, result: Type) -> Type {
        Type::Function(Rc::new(FunctionType { args, result }))
    }

    /// What is one or the other. Unknown adds nothing; a function and a value have nothing in common.
    pub(super) fn or(&self, other: &Type) -> Type {
        match (self, other) {
            (Type::Unknown, t) | (t, Type::Unknown) => t.clone(),
            (Type::Function(a), Type::Function(b)) => a.or(b),
            (Type::Function(_), _) | (_, Type::Function(_)) => Type::Unknown,
            (Type::Any, _) | (_, Type::Any) => Type::Any,
            _ => Type::one_of([self.clone(), other.clone()]),
        }
    }

    /// The alternatives as one type. O(n log n) comparisons.
    pub(super) fn one_of(types: impl IntoIterator<Item = Type>) -> Type {
        let mut options = Vec::new();
        for t in types {
            match t {
                Type::Any => return Type::Any,
                Type::Unknown | Type::Function(_) => {}
                Type::OneOf(inner) => options.extend(inner.options.iter().cloned()),
                other => options.push(other),
            }
        }
        options.sort_by(Type::compare);
        options.dedup_by(|a, b| Type::compare(a, b).is_eq());
        if options.len() < 2 {
            return options.pop().unwrap_or(Type::Unknown);
        }
        let shape = Shape::of(&options);
        if options.len() > OPTIONS_MAX || shape.too_large() {
            return Type::Any;
        }
        Type::OneOf(Rc::new(OneOfType { shape, options }))
    }

    /// Whether the type, or a part of it, is not known. The empty set counts: its members have no type.
    pub(super) fn has_unknown(&self) -> bool {
        match self {
            Type::Unknown => true,
            Type::Any | Type::Null | Type::Boolean | Type::Number | Type::String => false,
            Type::Array(t) => t.shape.unknown,
            Type::Object(t) => t.shape.unknown,
            Type::Set(t) => t.shape.unknown,
            // OPA does not look into alternatives either.
            Type::OneOf(_) => false,
            Type::Function(f) => f.args.iter().chain([&f.result]).any(Type::has_unknown),
        }
    }

    /// Whether the type is that of a collection without members.
    pub(super) fn is_empty_collection(&self) -> bool {
        match self {
            Type::Array(t) => t.items.is_empty() && t.rest.is_none(),
            Type::Object(t) => t.members.is_empty() && t.rest.is_none(),
            Type::Set(t) => matches!(t.member, Type::Unknown),
            _ => false,
        }
    }

    fn shape(&self) -> Shape {
        match self {
            Type::Array(t) => t.shape,
            Type::Object(t) => t.shape,
            Type::Set(t) => t.shape,
            Type::OneOf(t) => t.shape,
            Type::Unknown
            | Type::Any
            | Type::Null
            | Type::Boolean
            | Type::Number
            | Type::String
            | Type::Function(_) => Shape {
                size: 1,
                depth: 1,
                unknown: self.has_unknown(),
            },
        }
    }

    /// A total order, the one that alternatives are kept in. O(size of the smaller).
    pub(super) fn compare(&self, other: &Type) -> Ordering {
        let lists = |a: &[Type], b: &[Type]| {
            a.iter()
                .zip(b)
                .map(|(x, y)| x.compare(y))
                .find(|o| o.is_ne())
                .unwrap_or(a.len().cmp(&b.len()))
        };
        match (self, other) {
            (Type::Array(a), Type::Array(b)) if !Rc::ptr_eq(a, b) => {
                compare_option(&a.rest, &b.rest, Type::compare).then_with(|| lists(&a.items, &b.items))
            }
            (Type::Object(a), Type::Object(b)) if !Rc::ptr_eq(a, b) => {
                let pairs =
                    |x: &(Type, Type), y: &(Type, Type)| x.0.compare(&y.0).then_with(|| x.1.compare(&y.1));
                compare_option(&a.rest, &b.rest, pairs).then_with(|| {
                    a.members
                        .iter()
                        .zip(&b.members)
                        .map(|(x, y)| x.0.compare(&y.0).then_with(|| x.1.compare(&y.1)))
                        .find(|o| o.is_ne())
                        .unwrap_or(a.members.len().cmp(&b.members.len()))
                })
            }
            (Type::Set(a), Type::Set(b)) => a.member.compare(&b.member),
            (Type::OneOf(a), Type::OneOf(b)) if !Rc::ptr_eq(a, b) => lists(&a.options, &b.options),
            (Type::Function(a), Type::Function(b)) => {
                lists(&a.args, &b.args).then_with(|| a.result.compare(&b.result))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Type::Unknown => 0,
            Type::Null => 1,
            Type::Boolean => 2,
            Type::Number => 3,
            Type::String => 4,
            Type::Array(_) => 5,
            Type::Object(_) => 6,
            Type::Set(_) => 7,
            Type::OneOf(_) => 8,
            Type::Any => 9,
            Type::Function(_) => 10,
        }
    }
}

impl FunctionType {
    /// A function that is one or the other; nothing when the numbers of parameters differ.
    fn or(&self, other: &FunctionType) -> Type {
        if self.args.len() != other.args.len() {
            return Type::Unknown;
        }
        let args = self.args.iter().zip(&other.args).map(|(a, b)| a.or(b));
        Type::function(args.collect(), self.result.or(&other.result))
    }
}

impl Shape {
    fn of<'t>(parts: impl IntoIterator<Item = &'t Type>) -> Shape {
        let mut whole = Shape {
            size: 1,
            depth: 1,
            unknown: false,
        };
        for part in parts {
            let shape = part.shape();
            whole.size = whole.size.saturating_add(shape.size);
            whole.depth = whole.depth.max(shape.depth + 1);
            // `has_unknown` and not the shape: alternatives are not looked into.
            whole.unknown |= part.has_unknown();
        }
        whole
    }

    fn too_large(self) -> bool {
        self.size > SIZE_MAX || self.depth > DEPTH_MAX
    }
}

/// `None` first.
fn compare_option<T>(a: &Option<T>, b: &Option<T>, compare: impl Fn(&T, &T) -> Ordering) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => compare(a, b),
    }
}
