//! Documents as values: aliases expanded, `<<` merged, keys as strings.

use super::document::{Document, Node};
use super::scalar::Meaning;
use crate::arena::List;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::{Entry, Value, object_from};
use std::collections::BTreeMap;

/// The value of a document.
pub(super) fn decode<'r>(call: &mut Call<'_, 'r>, document: &Document<'_>) -> BuiltinResult<'r> {
    let mut decoder = Decoder {
        call,
        document,
        expanding: Vec::new(),
        depth: 0,
        visits: 0,
        alias_visits: 0,
    };
    decoder.value(0)
}

type Fields<'r> = BTreeMap<String, Value<'r>>;

struct Decoder<'d, 'c, 'r, 't> {
    call: &'d mut Call<'c, 'r>,
    document: &'d Document<'t>,
    /// Aliases that are being expanded.
    expanding: Vec<usize>,
    depth: usize,
    visits: u64,
    /// Visits inside of aliases.
    alias_visits: u64,
}

impl<'r, 't> Decoder<'_, '_, 'r, 't> {
    fn value(&mut self, at: usize) -> BuiltinResult<'r> {
        self.visit()?;
        self.depth += 1;
        if self.depth > BUILTIN_DEPTH_MAX {
            return Err(Failure::Abort(EvalErrorKind::DepthExceeded));
        }
        let document = self.document;
        let value = match document.node(at)? {
            Node::Alias(anchor) => {
                let target = document.target(*anchor)?;
                self.inside_alias(at, |decoder| decoder.value(target))
            }
            Node::Scalar(scalar) => scalar.value(self.call.arena),
            Node::Sequence(items) => {
                let mut values = List::new(self.call.arena);
                for item in items {
                    values.push(self.value(*item)?)?;
                }
                Ok(Value::array(values.finish()))
            }
            Node::Mapping(parts) => {
                let mut fields = Fields::new();
                let keeps_texts = self.has_string_keys(parts)?;
                self.fields(parts, keeps_texts, false, &mut fields)?;
                self.object(&fields)
            }
        };
        self.depth -= 1;
        value
    }

    /// Counts a node, as OPA does, whose reader refuses documents that consist of expanded aliases.
    fn visit(&mut self) -> Result<(), Failure> {
        self.call.charge(1)?;
        self.visits += 1;
        if !self.expanding.is_empty() {
            self.alias_visits += 1;
        }
        let (visits, alias_visits) = (self.visits as f64, self.alias_visits as f64);
        let share_max = (0.99 - 0.89 * ((visits - 400_000.0) / 3_600_000.0)).clamp(0.10, 0.99);
        if self.alias_visits > 100 && self.visits > 1000 && alias_visits / visits > share_max {
            return Err(Failure::BUILTIN);
        }
        Ok(())
    }

    fn inside_alias<T>(
        &mut self,
        at: usize,
        run: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.expanding.contains(&at) {
            return Err(Failure::BUILTIN);
        }
        self.expanding.push(at);
        let result = run(self);
        self.expanding.pop();
        result
    }

    fn has_string_keys(&self, parts: &[usize]) -> Result<bool, Failure> {
        for key in parts.iter().step_by(2) {
            match self.document.resolved(*key)? {
                Node::Scalar(scalar) if scalar.is_string() => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Adds the entries of a mapping, then those of what it merges. The last of equal keys counts; what is merged
    /// replaces nothing.
    fn fields(
        &mut self,
        parts: &[usize],
        keeps_texts: bool,
        is_merged: bool,
        fields: &mut Fields<'r>,
    ) -> Result<(), Failure> {
        let mut merges = Vec::new();
        let mut last = BTreeMap::new();
        for pair in parts.chunks_exact(2) {
            let [key, value] = pair else { continue };
            if matches!(self.document.node(*key)?, Node::Scalar(key) if key.is_merge()) {
                merges.push(*value);
            } else if let Some(key) = self.key(*key, keeps_texts)? {
                last.insert(key, *value);
            }
        }
        for (key, value) in last {
            if !(is_merged && fields.contains_key(&key)) {
                let value = self.value(value)?;
                fields.insert(key, value);
            }
        }
        for merge in merges {
            match self.document.node(merge)? {
                Node::Sequence(sources) => {
                    for source in sources {
                        self.merge(*source, keeps_texts, fields)?;
                    }
                }
                _ => self.merge(merge, keeps_texts, fields)?,
            }
        }
        Ok(())
    }

    fn merge(&mut self, source: usize, keeps_texts: bool, fields: &mut Fields<'r>) -> Result<(), Failure> {
        self.visit()?;
        let document = self.document;
        let Node::Mapping(parts) = document.resolved(source)? else {
            return Err(Failure::BUILTIN);
        };
        self.depth += 1;
        if self.depth > BUILTIN_DEPTH_MAX {
            return Err(Failure::Abort(EvalErrorKind::DepthExceeded));
        }
        match document.node(source)? {
            Node::Alias(_) => self.inside_alias(source, |decoder| {
                decoder.visit()?;
                decoder.fields(parts, keeps_texts, true, fields)
            })?,
            _ => self.fields(parts, keeps_texts, true, fields)?,
        }
        self.depth -= 1;
        Ok(())
    }

    /// The key that a node becomes. `keeps_texts`: the object began with string keys only, so that merged ones stay as
    /// written, and a merged null is left out.
    fn key(&mut self, at: usize, keeps_texts: bool) -> Result<Option<String>, Failure> {
        self.visit()?;
        let Node::Scalar(scalar) = self.document.resolved(at)? else {
            return Err(Failure::BUILTIN);
        };
        if keeps_texts {
            return Ok((scalar.meaning()? != Meaning::Null).then(|| scalar.text.clone().into_owned()));
        }
        scalar.key()?.ok_or(Failure::BUILTIN).map(Some)
    }

    fn object(&mut self, fields: &Fields<'r>) -> BuiltinResult<'r> {
        let arena = self.call.arena;
        let mut entries = List::new(arena);
        for (key, value) in fields {
            let key = super::scalar::text_value(arena, key)?;
            entries.push(Entry { key, value: *value })?;
        }
        Ok(object_from(arena, entries.finish())?)
    }
}
