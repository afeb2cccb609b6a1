//! No function of a plan may call itself, however indirectly: the machine's stack is sized for the longest chain.

use super::ir::{Inst, Plan, Target};
use super::planner::refusal;
use crate::diagnostic::Diagnostic;

/// Functions in an order where each stands behind all that it calls; `Err`: one that is on a cycle.
pub fn order(plan: &Plan) -> Result<Vec<usize>, usize> {
    let callees: Vec<Vec<usize>> = plan.functions.iter().map(|f| callees(&f.code)).collect();
    let mut marks = vec![Mark::New; callees.len()];
    let mut order = Vec::with_capacity(callees.len());
    for root in 0..callees.len() {
        let mut stack = vec![(root, 0)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 {
                match marks.get(at) {
                    Some(Mark::New) => {}
                    Some(Mark::Open) => return Err(at),
                    Some(Mark::Done) | None => continue,
                }
                mark(&mut marks, at, Mark::Open);
            }
            match callees.get(at).and_then(|list| list.get(next)) {
                Some(callee) => {
                    stack.push((at, next + 1));
                    stack.push((*callee, 0));
                }
                None => {
                    mark(&mut marks, at, Mark::Done);
                    order.push(at);
                }
            }
        }
    }
    Ok(order)
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

fn mark(marks: &mut [Mark], at: usize, to: Mark) {
    if let Some(place) = marks.get_mut(at) {
        *place = to;
    }
}

/// Whether each function can run, beginning from entries and queries: what was copied into all its callers cannot.
#[must_use]
pub fn reachable(plan: &Plan) -> Vec<bool> {
    let entries = plan.entries.iter().map(|(_, func)| func.0);
    reachable_from(
        plan,
        entries.chain(plan.queries.iter().map(|func| func.0)).collect(),
    )
}

/// Whether each function can run when some do.
pub(super) fn reachable_from(plan: &Plan, mut open: Vec<usize>) -> Vec<bool> {
    let mut reached = vec![false; plan.functions.len()];
    while let Some(at) = open.pop() {
        let (Some(function), Some(mark)) = (plan.functions.get(at), reached.get_mut(at)) else {
            continue;
        };
        if std::mem::replace(mark, true) {
            continue;
        }
        open.extend(callees(&function.code));
        open.extend(function.code.iter().filter_map(|step| match &step.inst {
            Inst::WithRule { func, .. } | Inst::WithMockDocument { func, .. } => Some(func.0),
            Inst::WithMockCall {
                target: Target::Function(func),
                ..
            } => Some(func.0),
            _ => None,
        }));
    }
    reached
}

/// Refuses a plan with a cycle.
pub(super) fn check(plan: &Plan) -> Result<(), Vec<Diagnostic>> {
    let Err(at) = order(plan) else {
        return Ok(());
    };
    let problem = plan.functions.get(at).map(|function| {
        let message = format!(
            "evaluation of `{}` that needs the same document is not supported",
            function.name
        );
        refusal(function, message)
    });
    Err(problem.into_iter().collect())
}

/// Functions that are called directly. Replacements of `with` are not: a mock's frame is found at run time.
fn callees(code: &[super::ir::Step]) -> Vec<usize> {
    code.iter()
        .filter_map(|step| match &step.inst {
            Inst::CallRule { func, .. } | Inst::CallFn { func, .. } => Some(func.0),
            Inst::CallMocked {
                target: Target::Function(func),
                ..
            } => Some(func.0),
            _ => None,
        })
        .collect()
}
