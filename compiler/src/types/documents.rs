//! The types of all documents below `data`, as a tree of paths.
//!
//! A node with a type of its own is a rule (or a function); one without is a package or a common prefix of rules, and is open: base
//! data may add anything to it. A rule that makes an object can have further rules below its path; their types are then merged
//! into the object's, so that iterating it sees them. Wrong rules whose head has variables stand where no reference meets them.

use super::ty::Type;
use gavel_runtime::value::Constant;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The type of a document made of more parts than this is not put together.
const EXTENT_MAX: u32 = 4096;

/// A document and what is below it.
#[derive(Debug)]
pub(super) struct Documents {
    value: Type,
    children: BTreeMap<Key, Documents>,
    /// Made at first use, forgotten when something below changes.
    whole: OnceCell<Whole>,
}

/// An open document as one value.
#[derive(Debug)]
struct Whole {
    document: Type,
    keys: Type,
    /// What a member may be.
    member: Type,
}

/// A step from a document to one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A constant, in Rego's order.
    Constant(Constant),
    /// A variable in the head of a rule.
    Variable,
}

/// An element of a path for the sake of its type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'t> {
    /// A key without parts.
    Scalar(&'t Constant),
    /// A collection without variables.
    Composite(&'t Constant),
    /// Anything with a variable.
    Open,
}

impl Documents {
    /// No documents.
    pub(super) fn new() -> Documents {
        Documents {
            value: Type::Unknown,
            children: BTreeMap::new(),
            whole: OnceCell::new(),
        }
    }

    /// Whether nothing was put in.
    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty() && !self.is_leaf()
    }

    /// Whether the document has a type of its own.
    pub(super) fn is_leaf(&self) -> bool {
        !matches!(self.value, Type::Unknown)
    }

    /// The type of its own.
    pub(super) fn value(&self) -> &Type {
        &self.value
    }

    /// The document one step below.
    pub(super) fn child(&self, key: &Constant) -> Option<&Documents> {
        self.children.get(&Key::Constant(key.clone()))
    }

    /// Sets the type at a path.
    pub(super) fn put(&mut self, path: impl IntoIterator<Item = Key>, value: Type) {
        let node = path.into_iter().fold(self, |node, key| node.step(key));
        node.whole.take();
        node.value = value;
    }

    /// Adds the type of one more rule at a path.
    pub(super) fn insert(&mut self, path: &[Constant], value: Type) {
        let path: Vec<Key> = path.iter().cloned().map(Key::Constant).collect();
        let mut node = self;
        for (at, key) in path.iter().enumerate() {
            node = node.step(key.clone());
            let below = path.get(at + 1..).unwrap_or_default();
            if !below.is_empty() {
                node.value = insert_into(&node.value, below, &value);
            }
        }
        node.whole.take();
        let had_object = matches!(node.value, Type::Object(_));
        let is_object = matches!(value, Type::Object(_));
        node.value = merge(&node.value, value);
        if is_object && !had_object {
            let mut leaves = Vec::new();
            for (key, child) in &node.children {
                child.leaves(vec![key.clone()], &mut leaves);
            }
            for (path, value) in leaves {
                node.value = insert_into(&node.value, &path, &value);
            }
        }
    }

    /// The document below, which is about to change.
    fn step(&mut self, key: Key) -> &mut Documents {
        self.whole.take();
        self.children.entry(key).or_insert_with(Documents::new)
    }

    fn leaves(&self, path: Vec<Key>, into: &mut Vec<(Vec<Key>, Type)>) {
        if self.is_leaf() {
            into.push((path, self.value.clone()));
            return;
        }
        for (key, child) in &self.children {
            let mut below = path.clone();
            below.push(key.clone());
            child.leaves(below, into);
        }
    }

    /// The type at the end of a path; `None` when this tree does not know.
    pub(super) fn type_at(&self, path: &[Step<'_>]) -> Option<Type> {
        let mut node = self;
        for (at, step) in path.iter().enumerate() {
            let child = match step {
                Step::Scalar(key) | Step::Composite(key) => node.child(key),
                Step::Open => None,
            };
            match child {
                Some(child) => node = child,
                None if node.is_leaf() => {
                    return Some(select(&node.value, path.get(at..).unwrap_or_default()));
                }
                None if matches!(step, Step::Open) => {
                    let rest = path.get(at + 1..).unwrap_or_default();
                    return Some(select(&node.whole().member, rest));
                }
                None => return None,
            }
        }
        Some(node.extent())
    }

    /// The type of the whole document.
    fn extent(&self) -> Type {
        if self.is_leaf() {
            return self.value.clone();
        }
        self.whole().document.clone()
    }

    /// What the keys of an open document may be.
    pub(super) fn key_types(&self) -> Type {
        self.whole().keys.clone()
    }

    fn whole(&self) -> &Whole {
        self.whole.get_or_init(|| {
            let mut parts = EXTENT_MAX;
            let document = self.assemble(&mut parts);
            let named = self.children.keys().filter_map(Key::named).map(Type::of_constant);
            // Anything, but see [`Type::values`] for functions among the members.
            let functions = self
                .children
                .values()
                .any(|child| matches!(child.value, Type::Function(_)));
            Whole {
                keys: Type::one_of(named.chain([Type::String])),
                member: if functions { document.values() } else { Type::Any },
                document,
            }
        })
    }

    fn assemble(&self, parts: &mut u32) -> Type {
        if self.is_leaf() {
            return self.value.clone();
        }
        let mut members = Vec::new();
        for (key, child) in &self.children {
            let Some(left) = parts.checked_sub(1) else {
                return Type::Any;
            };
            *parts = left;
            let value = child.assemble(parts);
            // Other keys are left to the open rest, as in OPA.
            if let Some(key) = key.named() {
                members.push((key.clone(), value));
            }
        }
        Type::object(members, Some((Type::String, Type::Any)))
    }
}

impl Key {
    /// A key that counts as a member of an open document.
    fn named(&self) -> Option<&Constant> {
        match self {
            Key::Constant(
                key @ (Constant::String(_) | Constant::Bool(_) | Constant::Int(_) | Constant::Number(_)),
            ) => Some(key),
            Key::Constant(_) | Key::Variable => None,
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Constant(a), Key::Constant(b)) => a.compare(b),
            (Key::Variable, Key::Variable) => Ordering::Equal,
            (Key::Variable, Key::Constant(_)) => Ordering::Less,
            (Key::Constant(_), Key::Variable) => Ordering::Greater,
        }
    }
}

/// The type at the end of a path that starts at a value.
pub(super) fn select(value: &Type, path: &[Step<'_>]) -> Type {
    let mut value = value.clone();
    for step in path {
        value = match step {
            Step::Scalar(key) => value.member(key),
            // Nothing comes out of an empty collection, so nothing can be wrong with it.
            Step::Composite(_) | Step::Open if value.is_empty_collection() => return Type::Any,
            Step::Composite(_) | Step::Open => value.values(),
        };
        if matches!(value, Type::Unknown) {
            break;
        }
    }
    value
}

/// An object type that has a value at a path below it as well; any other type as it is.
fn insert_into(object: &Type, path: &[Key], value: &Type) -> Type {
    let (Type::Object(t), Some((key, below))) = (object, path.split_first()) else {
        return object.clone();
    };
    if matches!(value, Type::Function(_)) {
        return object.clone();
    }
    let value = if below.is_empty() {
        value.clone()
    } else {
        insert_into(&Type::object(Vec::new(), None), below, value)
    };
    let key = match key {
        Key::Constant(key) => Type::of_constant(key),
        Key::Variable => Type::Unknown,
    };
    let rest = match &t.rest {
        Some((keys, values)) => (keys.or(&key), values.or(&value)),
        None => (key, value),
    };
    Type::object(t.members.clone(), Some(rest))
}

/// The type of a document that two rules make together.
///
/// Sets are joined. Objects without known members are joined key by key, the empty one adding nothing. Everything else is one
/// or the other.
fn merge(a: &Type, b: Type) -> Type {
    match (a, &b) {
        (Type::Unknown, _) => b,
        (_, Type::Unknown) => a.clone(),
        (Type::Set(x), Type::Set(y)) => Type::set(x.member.or(&y.member)),
        (Type::Object(x), Type::Object(y)) if x.members.is_empty() && y.members.is_empty() => {
            match (&x.rest, &y.rest) {
                (None, _) => b,
                (_, None) => a.clone(),
                (Some((k1, v1)), Some((k2, v2))) => {
                    Type::object(Vec::new(), Some((k1.or(k2), merge(v1, v2.clone()))))
                }
            }
        }
        (Type::OneOf(options), object @ Type::Object(_))
        | (object @ Type::Object(_), Type::OneOf(options)) => {
            merge_into_options(&options.options, object).unwrap_or_else(|| a.or(&b))
        }
        _ => a.or(&b),
    }
}

/// Alternatives with an object joined into the first open object among them.
fn merge_into_options(options: &[Type], object: &Type) -> Option<Type> {
    let Type::Object(new) = object else { return None };
    let (keys, values) = new.rest.as_ref().filter(|_| new.members.is_empty())?;
    let mut merged = options.to_vec();
    for option in &mut merged {
        if let Type::Object(old) = option
            && old.members.is_empty()
            && let Some((k, v)) = &old.rest
        {
            *option = Type::object(Vec::new(), Some((k.or(keys), v.or(values))));
            return Some(Type::one_of(merged));
        }
    }
    None
}
