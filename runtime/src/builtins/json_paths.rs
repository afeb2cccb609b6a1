//! `json.filter` and `json.remove`: parts of documents by paths.

use super::operand::{args, list, object};
use super::{BuiltinResult, Call, Failure};
use crate::arena::{Arena, List};
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::{Entry, Kind, Value, set_from, sort_stable, with_int_text};
use std::cmp::Ordering;

/// The steps of a path.
pub(super) type Path<'r> = &'r [Value<'r>];

/// `json.filter(document, paths)`: only what lies on a path.
pub(super) fn filter<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [document, paths] = self::args(args)?;
    object(document)?;
    let paths = sorted_paths(call, paths)?;
    kept(call, document, Branch { paths, depth: 0 })
}

/// `json.remove(document, paths)`: everything but what lies at the end of a path.
pub(super) fn remove<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [document, paths] = self::args(args)?;
    object(document)?;
    let paths = sorted_paths(call, paths)?;
    let rest = without(call, document, Branch { paths, depth: 0 })?;
    Ok(rest.unwrap_or(Value::UNSET))
}

/// The steps of a path: text with `/` between the steps (`~1` for `/`, `~0` for `~`), or an array.
pub(super) fn path_of<'r>(arena: &'r Arena, path: Value<'r>) -> Result<Path<'r>, Failure> {
    let text = match path.kind() {
        Kind::Array(steps) => return Ok(steps),
        Kind::String("") => return Ok(&[]),
        Kind::String(text) => text.trim_start_matches('/'),
        _ => return Err(Failure::TYPE),
    };
    let mut steps = List::new(arena);
    for step in text.split('/') {
        let step = if step.contains('~') {
            arena.text(&step.replace("~1", "/").replace("~0", "~"))?
        } else {
            step
        };
        steps.push(Value::string(step))?;
    }
    Ok(steps.finish())
}

/// The paths in order, so that those with a common beginning stand together; empty ones count for nothing.
fn sorted_paths<'r>(call: &mut Call<'_, 'r>, paths: Value<'r>) -> Result<&'r [Path<'r>], Failure> {
    let mut sorted = List::new(call.arena);
    for path in list(paths)? {
        let path = path_of(call.arena, *path)?;
        call.charge(1 + path.len())?;
        if !path.is_empty() {
            sorted.push(path)?;
        }
    }
    let sorted = sorted.finish();
    sort_stable(call.arena, sorted, &[], |a, b| compare_paths(a, b))?;
    Ok(sorted)
}

fn compare_paths(a: Path<'_>, b: Path<'_>) -> Ordering {
    let mut steps = a.iter().zip(b).map(|(x, y)| x.compare(*y));
    steps.find(|order| order.is_ne()).unwrap_or(a.len().cmp(&b.len()))
}

/// The paths that lead through one place of the document, which is `depth` steps from the root.
#[derive(Clone, Copy)]
struct Branch<'r> {
    paths: &'r [Path<'r>],
    depth: usize,
}

impl<'r> Branch<'r> {
    /// Whether a path ends here: a shorter path stands before those that go on.
    fn ends_here(self) -> bool {
        self.paths.first().is_some_and(|path| path.len() == self.depth)
    }

    /// The paths that go on with a step; `None` for none.
    fn step(self, step: Value<'_>) -> Option<Branch<'r>> {
        let next = |path: &Path<'r>| path.get(self.depth).copied();
        let before = |path: &Path<'r>| next(path).is_none_or(|at| at.compare(step).is_lt());
        let from = self.paths.partition_point(before);
        let rest = self.paths.get(from..)?;
        let count = rest.partition_point(|path| next(path).is_some_and(|at| at.equals(step)));
        let paths = rest.get(..count).filter(|paths| !paths.is_empty())?;
        Some(Branch {
            paths,
            depth: self.depth + 1,
        })
    }

    /// Elements of arrays are named by the text of their index.
    fn element(self, at: usize) -> Option<Branch<'r>> {
        with_int_text(at as i64, |text| self.step(Value::string(text)))
    }
}

fn kept<'r>(call: &mut Call<'_, 'r>, value: Value<'r>, branch: Branch<'r>) -> BuiltinResult<'r> {
    if branch.depth > BUILTIN_DEPTH_MAX {
        return Err(EvalErrorKind::DepthExceeded.into());
    }
    if branch.ends_here() {
        return Ok(value);
    }
    match value.kind() {
        Kind::Array(items) => {
            call.charge(items.len())?;
            let mut out = List::new(call.arena);
            for (at, item) in items.iter().enumerate() {
                if let Some(inner) = branch.element(at) {
                    out.push(kept(call, *item, inner)?)?;
                }
            }
            Ok(Value::array(out.finish()))
        }
        Kind::Set(members) => {
            call.charge(members.len())?;
            let mut out = List::new(call.arena);
            for member in members {
                if let Some(inner) = branch.step(*member) {
                    out.push(kept(call, *member, inner)?)?;
                }
            }
            Ok(set_from(call.arena, out.finish())?)
        }
        Kind::Object(entries) => {
            call.charge(entries.len())?;
            let mut out = List::new(call.arena);
            for entry in entries {
                if let Some(inner) = branch.step(entry.key) {
                    let value = kept(call, entry.value, inner)?;
                    out.push(Entry {
                        key: entry.key,
                        value,
                    })?;
                }
            }
            Ok(Value::object(out.finish()))
        }
        _ => Ok(value),
    }
}

/// `None` when a path ends here.
fn without<'r>(
    call: &mut Call<'_, 'r>,
    value: Value<'r>,
    branch: Branch<'r>,
) -> Result<Option<Value<'r>>, Failure> {
    if branch.depth > BUILTIN_DEPTH_MAX {
        return Err(EvalErrorKind::DepthExceeded.into());
    }
    if branch.ends_here() {
        return Ok(None);
    }
    let inner = |call: &mut Call<'_, 'r>, part: Value<'r>, branch: Option<Branch<'r>>| match branch {
        Some(branch) => without(call, part, branch),
        None => Ok(Some(part)),
    };
    Ok(Some(match value.kind() {
        Kind::Array(items) => {
            call.charge(items.len())?;
            let mut out = List::new(call.arena);
            for (at, item) in items.iter().enumerate() {
                if let Some(item) = inner(call, *item, branch.element(at))? {
                    out.push(item)?;
                }
            }
            Value::array(out.finish())
        }
        Kind::Set(members) => {
            call.charge(members.len())?;
            let mut out = List::new(call.arena);
            for member in members {
                if let Some(member) = inner(call, *member, branch.step(*member))? {
                    out.push(member)?;
                }
            }
            set_from(call.arena, out.finish())?
        }
        Kind::Object(entries) => {
            call.charge(entries.len())?;
            let mut out = List::new(call.arena);
            for entry in entries {
                if let Some(value) = inner(call, entry.value, branch.step(entry.key))? {
                    out.push(Entry {
                        key: entry.key,
                        value,
                    })?;
                }
            }
            Value::object(out.finish())
        }
        _ => value,
    }))
}
