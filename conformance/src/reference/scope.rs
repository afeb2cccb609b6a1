//! What `with` replaces: documents and functions, for the statements under it.

use super::machine::{Flow, Machine, Next, Stop, Tried};
use super::value::Value;
use gavel_compiler::hir::{Block, Callee, Stmt, With, WithTarget, WithValue};
use gavel_runtime::value::Constant;
use std::collections::{BTreeMap, HashMap};

/// Documents and functions as they are seen now.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// The input document.
    pub(super) input: Option<Value>,
    /// The base document.
    pub(super) base: Option<Value>,
    /// The base document without replacements.
    store: Option<Value>,
    /// Paths behind `data` at and below which no rule counts.
    replaced: Vec<Vec<String>>,
    /// Functions that mean something else.
    pub(super) mocks: HashMap<Callee, Mock>,
    /// Documents that were worked out, by path and keys.
    pub(super) documents: BTreeMap<(Vec<String>, Vec<Value>), Option<Value>>,
    /// Values of calls, by function and arguments.
    pub(super) calls: BTreeMap<(Vec<String>, Vec<Value>), Value>,
}

/// What stands for a function.
#[derive(Clone, Debug)]
pub(super) enum Mock {
    /// Each call has this value.
    Value(Value),
    /// Another function.
    Call(Callee),
    /// What stands at these keys behind `data`, read at each call.
    Document(Vec<Value>),
}

impl Scope {
    /// Nothing is replaced.
    pub(super) fn new(input: Option<&Constant>, base: Option<&Constant>) -> Scope {
        Scope {
            input: input.map(Value::of),
            base: base.map(Value::of),
            store: base.map(Value::of),
            replaced: Vec::new(),
            mocks: HashMap::new(),
            documents: BTreeMap::new(),
            calls: BTreeMap::new(),
        }
    }

    /// Whether a path is at or below a replaced one.
    pub(super) fn is_replaced(&self, path: &[String]) -> bool {
        self.replaced.iter().any(|replaced| path.starts_with(replaced))
    }

    /// Whether keys lead to or into something that was replaced.
    pub(super) fn replaces(&self, keys: &[Value]) -> bool {
        let leads_to = |path: &Vec<String>| {
            path.len() <= keys.len() && path.iter().zip(keys).all(|(name, key)| Value::text(name) == *key)
        };
        self.replaced.iter().any(leads_to)
    }

    /// The base document at a path.
    pub(super) fn base_at(&self, path: &[String]) -> Option<Value> {
        let base = self.base.clone()?;
        path.iter()
            .try_fold(base, |value, name| value.index(&Value::text(name)))
    }

    /// A part of the base document as what is read: where something below it was replaced by an object, the members of the
    /// object in the store are there, too.
    pub(super) fn whole(&self, keys: &[Value], part: Value) -> Value {
        let is_below = |path: &Vec<String>| {
            path.len() > keys.len() && path.iter().zip(keys).all(|(name, key)| Value::text(name) == *key)
        };
        if self.replaces(keys) || !self.replaced.iter().any(is_below) {
            return part;
        }
        let store = self.store.clone();
        let store = store.and_then(|store| keys.iter().try_fold(store, |value, key| value.index(key)));
        match store {
            Some(store) => part.over(store),
            None => part,
        }
    }

    /// The same without what was worked out: it may be different now.
    pub(super) fn inner(&self) -> Scope {
        Scope {
            documents: BTreeMap::new(),
            calls: BTreeMap::new(),
            ..self.clone()
        }
    }
}

impl<'u> Machine<'u> {
    /// A block under modifiers: they hold while its statements run and not for what comes next.
    pub(super) fn with(&mut self, modifiers: &'u [With], block: &'u Block, next: Next<'_, 'u>) -> Tried {
        let mut inner = self.scope.inner();
        for modifier in modifiers {
            if !self.modify(&mut inner, modifier)? {
                return Ok(Flow::More);
            }
        }
        self.each_in(&inner, &block.stmts, next)
    }

    /// Statements each in a scope of its own, which begins without results.
    fn each_in(&mut self, inner: &Scope, stmts: &'u [Stmt], next: Next<'_, 'u>) -> Tried {
        let Some((first, rest)) = stmts.split_first() else {
            return next(self);
        };
        // Holds the scope that is not in force.
        let mut other = inner.clone();
        std::mem::swap(&mut self.scope, &mut other);
        let tried = self.block(std::slice::from_ref(first), &mut |machine| {
            std::mem::swap(&mut machine.scope, &mut other);
            let tried = machine.each_in(inner, rest, next);
            std::mem::swap(&mut machine.scope, &mut other);
            tried
        });
        std::mem::swap(&mut self.scope, &mut other);
        tried
    }

    /// Applies one modifier; false: its value is undefined.
    fn modify(&mut self, scope: &mut Scope, modifier: &'u With) -> Result<bool, Stop> {
        let mock = |scope: &mut Scope, callee: Callee, mock: Mock| {
            scope.mocks.insert(callee, mock);
            Ok(true)
        };
        let callee = match &modifier.target {
            WithTarget::Input(path) => {
                let value = self.modifier_value(&modifier.value)?;
                scope.input = Some(Value::replaced(scope.input.as_ref(), path, value));
                return Ok(true);
            }
            WithTarget::Data(path) if matches!(modifier.value, WithValue::Function(_)) => {
                scope.base = scope.base.take().map(|base| base.without(path));
                scope.replaced.push(path.clone());
                return Ok(true);
            }
            WithTarget::Data(path) => {
                let value = self.modifier_value(&modifier.value)?;
                scope.base = Some(Value::replaced(scope.base.as_ref(), path, value));
                scope.replaced.push(path.clone());
                return Ok(true);
            }
            WithTarget::Function(path) => Callee::Function(path.clone()),
            WithTarget::Builtin(id) => Callee::Builtin(*id),
        };
        if let WithValue::Function(path) = &modifier.value {
            return mock(scope, callee, Mock::Call(Callee::Function(path.clone())));
        }
        if let WithValue::Builtin(id) = &modifier.value {
            return mock(scope, callee, Mock::Call(Callee::Builtin(*id)));
        }
        if let WithValue::Document(keys) = &modifier.value {
            let keys = keys.iter().map(Value::of).collect();
            return mock(scope, callee, Mock::Document(keys));
        }
        let value = self.modifier_value(&modifier.value)?;
        mock(scope, callee, Mock::Value(value))
    }

    fn modifier_value(&mut self, value: &'u WithValue) -> Result<Value, Stop> {
        match value {
            WithValue::Term(term) => self.value(term),
            WithValue::Function(_) | WithValue::Document(_) | WithValue::Builtin(_) => {
                Err(Stop::Strange("a function in the place of a document"))
            }
        }
    }
}
