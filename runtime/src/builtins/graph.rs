//! Reachability in graphs: objects of neighbours by node.

use super::operand::{args, list, object};
use super::{BuiltinResult, Call, Failure};
use crate::arena::List;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::{Kind, Object, Value, set_from};

/// `graph.reachable(graph, initial)`: the nodes of the graph that can be reached, those to start from included.
pub(super) fn reachable<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [graph, initial] = self::args(args)?;
    let (graph, initial) = (object(graph)?, list(initial)?);
    let reached = call.arena.filled(graph.len(), false)?;
    let mut waiting = List::new(call.arena);
    waiting.extend(initial)?;
    let mut found = List::new(call.arena);
    let mut next = 0;
    // First come, first served, as in OPA: of several spellings of a node the first one that is met counts.
    while let Some(node) = waiting.items().get(next).copied() {
        next += 1;
        call.charge(1)?;
        let Ok(at) = graph.binary_search_by(|entry| entry.key.compare(node)) else {
            continue;
        };
        match reached.get_mut(at) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        found.push(node)?;
        let neighbours = graph.get(at).map_or(&[][..], |entry| neighbours(entry.value));
        call.charge(neighbours.len())?;
        waiting.extend(neighbours)?;
    }
    Ok(set_from(call.arena, found.finish())?)
}

fn neighbours<'r>(value: Value<'r>) -> &'r [Value<'r>] {
    match value.kind() {
        Kind::Array(items) | Kind::Set(items) => items,
        _ => &[],
    }
}

/// `graph.reachable_paths(graph, initial)`: the paths that cannot be made longer, or that meet themselves.
pub(super) fn reachable_paths<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [graph, initial] = self::args(args)?;
    let (graph, initial) = (object(graph)?, list(initial)?);
    let mut walk = Walk {
        graph,
        path: List::new(call.arena),
        found: List::new(call.arena),
    };
    for node in initial {
        let Some(next) = walk.edges(*node) else { continue };
        walk.path.truncate(0);
        walk.path.push(*node)?;
        if next.is_empty() {
            walk.keep(call)?;
        }
        for neighbour in next {
            walk.follow(call, *neighbour)?;
        }
    }
    Ok(set_from(call.arena, walk.found.finish())?)
}

struct Walk<'r> {
    graph: Object<'r>,
    path: List<'r, Value<'r>>,
    found: List<'r, Value<'r>>,
}

impl<'r> Walk<'r> {
    fn edges(&self, node: Value<'r>) -> Option<&'r [Value<'r>]> {
        let at = self
            .graph
            .binary_search_by(|entry| entry.key.compare(node))
            .ok()?;
        self.graph.get(at).map(|entry| neighbours(entry.value))
    }

    fn keep(&mut self, call: &mut Call<'_, 'r>) -> Result<(), Failure> {
        call.charge(1 + self.path.items().len() / 4)?;
        let path = call.arena.values(self.path.items())?;
        Ok(self.found.push(Value::array(path))?)
    }

    /// Goes on from the end of the path to a node; the path is the same afterwards.
    fn follow(&mut self, call: &mut Call<'_, 'r>, node: Value<'r>) -> Result<(), Failure> {
        let Some(next) = self.edges(node) else {
            return self.keep(call);
        };
        let len = self.path.items().len();
        if len > BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.path.push(node)?;
        if next.is_empty() {
            self.keep(call)?;
        }
        for neighbour in next {
            call.charge(1 + len / 4)?;
            let meets_itself = self.path.items().iter().any(|step| step.equals(*neighbour));
            match meets_itself {
                true => self.keep(call)?,
                false => self.follow(call, *neighbour)?,
            }
        }
        self.path.truncate(len);
        Ok(())
    }
}
