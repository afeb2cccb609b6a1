//! A loop that only looks for one member is a test: of membership, or of what a text starts or ends with.

use super::code::{is_plain, label_places, of};
use super::facts::Facts;
use crate::plan::{Again, Cmp, Cond, Container, Function, Inst, K, Label, Operand, Reg, Step, TextTest};
use gavel_runtime::value::Constant;

/// Runs the pass; whether anything changed. `calls`: builtins need not be called.
pub(super) fn run(function: &mut Function, calls: bool) -> bool {
    let has_loop = |step: &Step| matches!(step.inst, Inst::LoopInit { .. });
    if !function.code.iter().any(has_loop) {
        return false;
    }
    let facts = Facts::of(function);
    let places = label_places(function);
    // How often each label is gone to, and from where at the latest.
    let mut jumps = vec![(0_usize, 0); function.labels as usize];
    for (at, step) in function.code.iter().enumerate() {
        step.inst.for_each_target(|label| {
            if let Some(jumps) = jumps.get_mut(label.0 as usize) {
                *jumps = (jumps.0 + 1, at);
            }
        });
    }
    let searches = (0..function.code.len()).filter_map(|at| {
        let search = Search::at(function, &facts, at, calls)?;
        let (count, last) = jumps.get(search.round.0 as usize).copied()?;
        let end = match of(&places, search.fail) {
            end if end < at => function.code.len(),
            end => end,
        };
        let is_alone = count == search.len - 3;
        let may_go = is_alone || (last < end && is_repeatable(&function.code, at + search.len, end));
        may_go.then_some((at, search))
    });
    let found: Vec<(usize, Search)> = searches.collect();
    if found.is_empty() {
        return false;
    }
    rewrite(function, found);
    true
}

/// Puts tests in the place of searches.
fn rewrite(function: &mut Function, found: Vec<(usize, Search)>) {
    let rounds: Vec<(Label, Label)> = found
        .iter()
        .map(|(_, search)| (search.round, search.fail))
        .collect();
    let mut found = found.into_iter().peekable();
    let mut code = Vec::with_capacity(function.code.len());
    let mut steps = std::mem::take(&mut function.code).into_iter().enumerate();
    while let Some((at, step)) = steps.next() {
        let Some((_, search)) = found.next_if(|(start, _)| *start == at) else {
            code.push(step);
            continue;
        };
        let span = step.span;
        let mut cond = search.cond;
        if let Cond::In(item, _) = &mut cond
            && let Operand::Const(value) = item
        {
            let dst = Reg(function.regs);
            function.regs += 1;
            let value = K::clone(value);
            let inst = Inst::Const { dst, value };
            code.push(Step { inst, span });
            *item = Operand::Reg(dst);
        }
        let fail = search.fail;
        let inst = Inst::Test { cond, fail };
        code.push(Step { inst, span });
        // The rest of the search.
        steps.nth(search.len - 2);
    }
    // What asked for another member finds none that differs. Searches may stand in each other.
    for step in &mut code {
        step.inst.for_each_target_mut(|label| {
            while let Some((_, fail)) = rounds.iter().find(|(round, _)| round == label) {
                *label = *fail;
            }
        });
    }
    function.code = code;
}

/// Whether code that is run again for another member that passes, with nothing of the member in it, does the same again and
/// nothing more.
fn is_repeatable(code: &[Step], start: usize, end: usize) -> bool {
    let Some(region) = code.get(start..end.min(code.len())) else {
        return false;
    };
    let mut made: Vec<Reg> = Vec::new();
    region.iter().all(|step| match &step.inst {
        Inst::New { dst, .. } => {
            made.push(*dst);
            true
        }
        Inst::Add {
            kind: Container::Array,
            to,
            ..
        } => made.contains(to),
        Inst::Put {
            to,
            again: Again::Replaces | Again::Last,
            ..
        } => made.contains(to),
        Inst::CallBuiltin { builtin, .. } => is_plain(*builtin),
        Inst::CallMocked { .. }
        | Inst::TreePut { .. }
        | Inst::TreeAdd { .. }
        | Inst::TreeMerge { .. }
        | Inst::Note(_) => false,
        inst => !inst.is_with(),
    })
}

struct Search {
    cond: Cond,
    round: Label,
    fail: Label,
    /// Number of instructions.
    len: usize,
}

impl Search {
    /// `loop s over c -> F; L: next s: _, v -> F; test v == x -> L`, or with `d = endswith(x, v) -> L; test d -> L`.
    fn at(function: &Function, facts: &Facts, at: usize, calls: bool) -> Option<Search> {
        let inst = |offset: usize| function.code.get(at + offset).map(|step| &step.inst);
        let (
            Inst::LoopInit { state, over, fail },
            Inst::Label(round),
            Inst::LoopNext {
                state: next,
                key: None,
                value: Some(value),
                fail: end,
            },
        ) = (inst(0)?, inst(1)?, inst(2)?)
        else {
            return None;
        };
        if state != next || fail != end || facts.uses(*value) != 1 {
            return None;
        }
        let is_before = |reg: Reg| match facts.single_def(function, reg) {
            Some((def, _)) => def < at,
            None => facts.is_single(reg),
        };
        let (cond, len) = match (inst(3)?, inst(4)) {
            (
                Inst::Test {
                    cond: Cond::Compare(Cmp::Eq, left, right),
                    fail: again,
                },
                _,
            ) if again == round => {
                let is_value = |operand: &Operand| *operand == Operand::Reg(*value);
                let item = match (is_value(left), is_value(right)) {
                    (true, false) => right,
                    (false, true) => left,
                    _ => return None,
                };
                match item {
                    Operand::Reg(reg) if !is_before(*reg) => return None,
                    Operand::Slot(_) => return None,
                    Operand::Reg(_) | Operand::Const(_) => {}
                }
                (Cond::In(item.clone(), Operand::Reg(*over)), 4)
            }
            (
                Inst::CallBuiltin {
                    dst,
                    builtin,
                    args,
                    fail: undefined,
                    ..
                },
                Some(Inst::Test {
                    cond: Cond::Truthy(Operand::Reg(tested)),
                    fail: again,
                }),
            ) if calls && undefined == round && again == round && dst == tested && facts.uses(*dst) == 1 => {
                let [text, affix] = args.as_slice() else {
                    return None;
                };
                let test = match builtin.get().name {
                    "startswith" => TextTest::Starts,
                    "endswith" => TextTest::Ends,
                    _ => return None,
                };
                if affix != value || !is_before(*text) {
                    return None;
                }
                let affixes = texts(&*facts.constant(function, *over)?)?;
                (Cond::Text(test, Operand::Reg(*text), affixes), 5)
            }
            _ => return None,
        };
        Some(Search {
            cond,
            round: *round,
            fail: *fail,
            len,
        })
    }
}

/// The members of a constant collection that are texts; others start and end nothing.
fn texts(collection: &Constant) -> Option<K> {
    let members: Vec<&Constant> = match collection {
        Constant::Array(items) | Constant::Set(items) => items.iter().collect(),
        Constant::Object(members) => members.iter().map(|(_, value)| value).collect(),
        _ => return None,
    };
    let is_text = |member: &&Constant| matches!(member, Constant::String(_));
    let texts = members.into_iter().filter(is_text).cloned().collect();
    Some(K::new(Constant::Array(texts)))
}
