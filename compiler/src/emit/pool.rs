//! Tables that all functions of a program share: constants, input slots, prepared patterns, mock cells. Equal entries
//! are stored once.

use crate::plan::K;
use gavel_runtime::bytecode::{PreparedSpec, SlotPath};
use gavel_runtime::value::Constant;
use std::collections::HashMap;
use std::hash::Hash;

/// Values by first use; equal ones share an index.
#[derive(Debug)]
pub(super) struct Table<T> {
    items: Vec<T>,
    index: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Table<T> {
    /// Starts with the given entries.
    pub(super) fn new(items: Vec<T>) -> Table<T> {
        let index = items.iter().cloned().zip(0..).collect();
        Table { items, index }
    }

    /// The index of a value.
    pub(super) fn at(&mut self, value: &T) -> u32 {
        if let Some(at) = self.index.get(value) {
            return *at;
        }
        let at = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(value.clone());
        self.index.insert(value.clone(), at);
        at
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The entries.
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    /// The entries, without the index.
    pub(super) fn into_items(self) -> Vec<T> {
        self.items
    }
}

/// The shared tables.
#[derive(Debug)]
pub(super) struct Pools {
    constants: Vec<K>,
    by_spelling: HashMap<Vec<u8>, u32>,
    /// Input paths; the first is the whole input.
    pub slots: Table<SlotPath>,
    /// Prepared patterns.
    pub prepared: Table<PreparedSpec>,
    /// Mock cells by what they replace.
    pub mocks: Table<String>,
}

impl Pools {
    /// Empty tables.
    pub(super) fn new() -> Pools {
        Pools {
            constants: Vec::new(),
            by_spelling: HashMap::new(),
            slots: Table::new(vec![SlotPath::new()]),
            prepared: Table::new(Vec::new()),
            mocks: Table::new(Vec::new()),
        }
    }

    /// The index of a constant. Numbers of different spelling are different constants.
    pub(super) fn constant(&mut self, value: &K) -> u32 {
        let mut spelling = Vec::new();
        spell(value, &mut spelling);
        let next = u32::try_from(self.constants.len()).unwrap_or(u32::MAX);
        let at = *self.by_spelling.entry(spelling).or_insert(next);
        if at == next {
            self.constants.push(K::clone(value));
        }
        at
    }

    /// Number of constants.
    pub(super) fn constant_count(&self) -> usize {
        self.constants.len()
    }

    /// The index of the array of a path's keys.
    pub(super) fn path(&mut self, path: &[String]) -> u32 {
        let keys = path.iter().cloned().map(Constant::String).collect();
        self.constant(&K::new(Constant::Array(keys)))
    }

    /// The constants.
    pub(super) fn take_constants(&mut self) -> Vec<Constant> {
        self.by_spelling.clear();
        std::mem::take(&mut self.constants)
            .into_iter()
            .map(|value| K::try_unwrap(value).unwrap_or_else(|shared| (*shared).clone()))
            .collect()
    }
}

/// An unambiguous text of a constant.
pub(super) fn spell(value: &Constant, out: &mut Vec<u8>) {
    fn text(tag: u8, text: &str, out: &mut Vec<u8>) {
        out.push(tag);
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    }
    fn list(tag: u8, len: usize, out: &mut Vec<u8>) {
        out.push(tag);
        out.extend((len as u64).to_le_bytes());
    }
    match value {
        Constant::Null => out.push(b'n'),
        Constant::Bool(value) => out.push(if *value { b't' } else { b'f' }),
        Constant::Int(value) => {
            out.push(b'i');
            out.extend(value.to_le_bytes());
        }
        Constant::Number(value) => text(b'd', value, out),
        Constant::String(value) => text(b's', value, out),
        Constant::Array(items) => {
            list(b'a', items.len(), out);
            items.iter().for_each(|item| spell(item, out));
        }
        Constant::Set(items) => {
            list(b'e', items.len(), out);
            items.iter().for_each(|item| spell(item, out));
        }
        Constant::Object(members) => {
            list(b'o', members.len(), out);
            for (key, value) in members {
                spell(key, out);
                spell(value, out);
            }
        }
    }
}
