//! Values that own their parts, in OPA's order.

use gavel_runtime::number::compare_text;
use gavel_runtime::value::{Constant, array_index};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A Rego value. Collections are shared, because backtracking copies environments.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// By its text.
    Number(Rc<str>),
    /// A string.
    String(Rc<str>),
    /// An array.
    Array(Rc<Vec<Value>>),
    /// An object; and its members in the order in which they are iterated while it is the literal that made it, see
    /// `literal`.
    Object(Rc<BTreeMap<Value, Value>>, Option<Rc<Vec<(Value, Value)>>>),
    /// A set, and the same of it.
    Set(Rc<BTreeSet<Value>>, Option<Rc<Vec<Value>>>),
}

impl Value {
    /// A string.
    pub(super) fn text(text: &str) -> Value {
        Value::String(Rc::from(text))
    }

    /// An array.
    pub(super) fn array(items: Vec<Value>) -> Value {
        Value::Array(Rc::new(items))
    }

    /// A set; of equal members the first stays.
    pub(super) fn set(items: Vec<Value>) -> Value {
        let mut members = BTreeSet::new();
        for item in items {
            if !members.contains(&item) {
                members.insert(item);
            }
        }
        Value::Set(Rc::new(members), None)
    }

    /// The collection without its order as a literal.
    pub(super) fn settled(self) -> Value {
        match self {
            Value::Set(members, Some(_)) => Value::Set(members, None),
            Value::Object(entries, Some(_)) => Value::Object(entries, None),
            other => other,
        }
    }

    /// An object; of equal keys the first spelling stays with the last value.
    pub(super) fn object(entries: Vec<(Value, Value)>) -> Value {
        let mut members = BTreeMap::new();
        for (key, value) in entries {
            members.insert(key, value);
        }
        Value::Object(Rc::new(members), None)
    }

    /// What a compiler or runner gave.
    pub(super) fn of(constant: &Constant) -> Value {
        match constant {
            Constant::Null => Value::Null,
            Constant::Bool(flag) => Value::Bool(*flag),
            Constant::Int(int) => Value::Number(Rc::from(int.to_string())),
            Constant::Number(text) => Value::Number(Rc::from(text.as_str())),
            Constant::String(text) => Value::text(text),
            Constant::Array(items) => Value::array(items.iter().map(Value::of).collect()),
            Constant::Set(items) => Value::set(items.iter().map(Value::of).collect()),
            Constant::Object(entries) => Value::object(
                entries
                    .iter()
                    .map(|(k, v)| (Value::of(k), Value::of(v)))
                    .collect(),
            ),
        }
    }

    /// For builtins and results.
    pub(super) fn to_constant(&self) -> Constant {
        match self {
            Value::Null => Constant::Null,
            Value::Bool(flag) => Constant::Bool(*flag),
            Value::Number(text) => Constant::number(text),
            Value::String(text) => Constant::String(text.to_string()),
            Value::Array(items) => Constant::Array(items.iter().map(Value::to_constant).collect()),
            Value::Set(members, _) => Constant::Set(members.iter().map(Value::to_constant).collect()),
            Value::Object(entries, _) => Constant::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.to_constant(), value.to_constant()))
                    .collect(),
            ),
        }
    }

    /// Whether a statement that has this value succeeds.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Value::Bool(false))
    }

    /// Whether it has members.
    pub(super) fn is_collection(&self) -> bool {
        matches!(self, Value::Array(_) | Value::Object(_, _) | Value::Set(..))
    }

    /// `self[key]`
    pub(super) fn index(&self, key: &Value) -> Option<Value> {
        match (self, key) {
            (Value::Array(items), Value::Number(text)) if !text.contains(['e', 'E']) => (0..)
                .zip(items.iter())
                .find(|(at, _): &(usize, _)| compare_text(&at.to_string(), text).is_eq())
                .map(|(_, item)| item.clone()),
            (Value::Object(entries, _), key) => entries.get(key).cloned(),
            // As the key is spelled.
            (Value::Set(members, _), key) => members.contains(key).then(|| key.clone()),
            _ => None,
        }
    }

    /// `self[key]` as OPA's store has it, for parts of the base document: the texts of keys count.
    pub(super) fn stored(&self, key: &Value) -> Option<Value> {
        let (Value::String(text) | Value::Number(text)) = key else {
            return None;
        };
        match self {
            Value::Object(entries, _) => entries.get(&Value::String(Rc::clone(text))).cloned(),
            Value::Array(items) => items.get(array_index(text)?).cloned(),
            _ => None,
        }
    }

    /// Keys and what stands at them, in OPA's order; none for what is no collection.
    pub(super) fn members(&self) -> Vec<(Value, Value)> {
        match self {
            Value::Array(items) => (0..)
                .zip(items.iter())
                .map(|(at, item): (usize, _)| (Value::Number(Rc::from(at.to_string())), item.clone()))
                .collect(),
            Value::Object(_, Some(order)) => order.to_vec(),
            Value::Object(entries, None) => entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            Value::Set(_, Some(order)) => order.iter().map(|m| (m.clone(), m.clone())).collect(),
            Value::Set(members, None) => members.iter().map(|m| (m.clone(), m.clone())).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        }
    }

    /// The value with another at a path: what is no object on the way becomes one.
    pub(super) fn replaced(old: Option<&Value>, path: &[String], new: Value) -> Value {
        let Some((key, rest)) = path.split_first() else {
            return new;
        };
        let mut entries = match old {
            Some(Value::Object(entries, _)) => BTreeMap::clone(entries),
            _ => BTreeMap::new(),
        };
        let key = Value::text(key);
        let part = Value::replaced(entries.get(&key), rest, new);
        entries.insert(key, part);
        Value::Object(Rc::new(entries), None)
    }

    /// The value without what stands at a path of it.
    pub(super) fn without(self, path: &[String]) -> Value {
        let (Value::Object(entries, _), Some((key, rest))) = (&self, path.split_first()) else {
            return self;
        };
        let key = Value::text(key);
        let mut entries = BTreeMap::clone(entries);
        if let (Some(part), [_, ..]) = (entries.remove(&key), rest) {
            entries.insert(key, part.without(rest));
        }
        Value::Object(Rc::new(entries), None)
    }

    /// Two documents of one place as one: members of objects are merged, of anything else this one stays.
    pub(super) fn over(self, other: Value) -> Value {
        let (Value::Object(own, _), Value::Object(below, _)) = (&self, other) else {
            return self;
        };
        let mut entries = BTreeMap::clone(own);
        for (key, value) in below.iter() {
            let merged = match own.get(key) {
                Some(own) => own.clone().over(value.clone()),
                None => value.clone(),
            };
            entries.insert(key.clone(), merged);
        }
        Value::Object(Rc::new(entries), None)
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::String(_) => 3,
            Value::Array(_) => 4,
            Value::Object(_, _) => 5,
            Value::Set(..) => 6,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => compare_text(a, b),
            (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Array(a), Value::Array(b)) => a.iter().cmp(b.iter()),
            (Value::Set(a, _), Value::Set(b, _)) => a.iter().cmp(b.iter()),
            (Value::Object(a, _), Value::Object(b, _)) => a.iter().cmp(b.iter()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}
