//! What an observer is told about a run. The loop is compiled twice: once for [`Unwatched`], where nothing of this is left,
//! and once for [`Watched`], which reads the marks of a program that was compiled for tracing.

use crate::builtins::BuiltinId;
use crate::bytecode::{Extent, FnKind, Inst, Mark, MarkKind, Op, Program};
use crate::value::Value;

/// Is told what happens, in order.
pub trait Observer {
    /// One thing that happened.
    fn event(&mut self, event: &Event<'_>);

    /// An instruction is about to run, which stands at a word of the program.
    fn instruction(&mut self, op: Op, word: u32) {
        let _ = (op, word);
    }
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'e> {
    /// A rule, function or query begins.
    Enter {
        /// Its name in the program.
        name: &'e str,
        /// What it is.
        kind: FnKind,
        /// Its arguments.
        args: &'e [Value<'e>],
    },
    /// It ends; `None`: undefined.
    Leave(Option<Value<'e>>),
    /// The result of a rule that was evaluated before.
    Known {
        /// Its name in the program.
        name: &'e str,
        /// `None`: undefined.
        value: Option<Value<'e>>,
    },
    /// A body of a rule begins.
    Body(Extent),
    /// All statements of a body of a rule hold.
    Yields(Extent),
    /// A statement begins, or is asked for its next solution.
    Stmt(Extent),
    /// A statement fails.
    Fails(Extent, Reason<'e>),
    /// A statement holds because what stands in it failed.
    Holds(Extent),
    /// A variable has a value.
    Bound {
        /// As written.
        name: &'e str,
        /// The value.
        value: Value<'e>,
    },
}

/// Why a statement fails.
#[derive(Clone, Copy, Debug)]
pub enum Reason<'e> {
    /// What was negated holds, or nothing could be equal.
    Never,
    /// Something has no value.
    Undefined,
    /// This has no member with this key.
    NoMember(Value<'e>, Value<'e>),
    /// The value is `false`.
    False,
    /// Two values do not compare so.
    Compare(Value<'e>, &'static str, Value<'e>),
    /// The value has another shape than the pattern.
    Shape(Value<'e>),
    /// There are no (more) members.
    NoMore,
    /// A builtin has no result for these arguments.
    Builtin(&'static str, &'e [Value<'e>]),
}

/// How the loop reports; a type for each of its two copies.
pub(super) trait Watch {
    /// Whether anybody watches.
    const ON: bool;
    /// The instruction at `pc` is about to run.
    fn before<'e>(&mut self, program: &'e Program, pc: usize, register: impl Fn(u16) -> Value<'e>);
    /// The frame of a function has begun; `args` gives the first registers.
    fn enter<'e>(&mut self, program: &'e Program, function: u32, args: impl FnOnce(usize) -> &'e [Value<'e>]);
    /// It ends; unset: undefined.
    fn leave(&mut self, value: Value<'_>);
    /// A rule has a result already; unset: undefined.
    fn known(&mut self, program: &Program, function: u32, value: Value<'_>);
    /// An instruction failed. Shown when there is a reason and it belongs to a statement.
    fn fails(&mut self, program: &Program, reason: Option<Reason<'_>>);
}

/// Nobody watches.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    const ON: bool = false;
    #[inline(always)]
    fn before<'e>(&mut self, _: &'e Program, _: usize, _: impl Fn(u16) -> Value<'e>) {}
    #[inline(always)]
    fn enter<'e>(&mut self, _: &'e Program, _: u32, _: impl FnOnce(usize) -> &'e [Value<'e>]) {}
    #[inline(always)]
    fn leave(&mut self, _: Value<'_>) {}
    #[inline(always)]
    fn known(&mut self, _: &Program, _: u32, _: Value<'_>) {}
    #[inline(always)]
    fn fails(&mut self, _: &Program, _: Option<Reason<'_>>) {}
}

/// An observer, and the mark that governs each frame.
pub(super) struct Watched<'o> {
    observer: &'o mut dyn Observer,
    governing: Vec<Option<usize>>,
}

impl<'o> Watched<'o> {
    pub(super) fn new(observer: &'o mut dyn Observer) -> Watched<'o> {
        Watched {
            observer,
            governing: Vec::new(),
        }
    }
}

impl Watch for Watched<'_> {
    const ON: bool = true;

    fn before<'e>(&mut self, program: &'e Program, pc: usize, register: impl Fn(u16) -> Value<'e>) {
        let (Some(&word), Some(inst)) = (program.words.get(pc), program.code.get(pc)) else {
            return;
        };
        self.observer.instruction(inst.op, word);
        let marks = &program.marks;
        let after = marks.partition_point(|mark| mark.pc <= word);
        let first = marks.partition_point(|mark| mark.pc < word);
        let governing = marks.iter().take(after).rposition(Mark::governs);
        for (at, mark) in (first..after).zip(marks.get(first..after).unwrap_or_default()) {
            let event = match &mark.what {
                MarkKind::Bound { name, reg } => {
                    let value = register(*reg);
                    if value.is_unset() {
                        continue;
                    }
                    Event::Bound { name, value }
                }
                MarkKind::Body(extent) => Event::Body(*extent),
                MarkKind::Yields(extent) => Event::Yields(*extent),
                MarkKind::Holds(extent) => Event::Holds(*extent),
                MarkKind::Fails(extent, undefined) => {
                    let reason = if *undefined {
                        Reason::Undefined
                    } else {
                        Reason::Never
                    };
                    Event::Fails(*extent, reason)
                }
                // A statement without code of its own; the last one is looked at below.
                MarkKind::Stmt(extent) if Some(at) != governing => Event::Stmt(*extent),
                MarkKind::Stmt(_) | MarkKind::Asks(_) | MarkKind::Rest => continue,
            };
            self.observer.event(&event);
        }
        let Some(current) = self.governing.last_mut() else {
            return;
        };
        if *current != governing {
            *current = governing;
            if let Some(Mark {
                what: MarkKind::Stmt(extent),
                ..
            }) = governing.and_then(|at| marks.get(at))
            {
                self.observer.event(&Event::Stmt(*extent));
            }
        }
    }

    fn enter<'e>(
        &mut self,
        program: &'e Program,
        function: u32,
        args: impl FnOnce(usize) -> &'e [Value<'e>],
    ) {
        self.governing.push(None);
        if let Some(function) = program.functions.get(function as usize) {
            self.observer.event(&Event::Enter {
                name: &function.name,
                kind: function.kind,
                args: args(function.params.into()),
            });
        }
    }

    fn leave(&mut self, value: Value<'_>) {
        self.governing.pop();
        self.observer.event(&Event::Leave(defined(value)));
    }

    fn known(&mut self, program: &Program, function: u32, value: Value<'_>) {
        if let Some(function) = program.functions.get(function as usize) {
            self.observer.event(&Event::Known {
                name: &function.name,
                value: defined(value),
            });
        }
    }

    fn fails(&mut self, program: &Program, reason: Option<Reason<'_>>) {
        let governing = self.governing.last().copied().flatten();
        if let Some(reason) = reason
            && let Some(Mark {
                what: MarkKind::Stmt(extent) | MarkKind::Asks(extent),
                ..
            }) = governing.and_then(|at| program.marks.get(at))
        {
            self.observer.event(&Event::Fails(*extent, reason));
        }
    }
}

fn defined(value: Value<'_>) -> Option<Value<'_>> {
    (!value.is_unset()).then_some(value)
}

/// Why an instruction that went to its label did so.
pub(super) fn reason<'e>(
    program: &'e Program,
    inst: &Inst,
    register: impl Fn(u16) -> Value<'e>,
    arguments: &'e [Value<'e>],
) -> Option<Reason<'e>> {
    let constant = |index: u32| {
        let values = program.constants.values();
        values.get(index as usize).copied().unwrap_or(Value::UNSET)
    };
    let short = |index: u16| constant(u32::from(index));
    let compare = |sign: &'static str, right| Some(Reason::Compare(register(inst.a), sign, right));
    match inst.op {
        Op::Jump | Op::IsSet => None,
        Op::Index | Op::IndexStored => Some(Reason::NoMember(register(inst.b), register(inst.d))),
        Op::Field => Some(Reason::NoMember(register(inst.b), constant(inst.f))),
        Op::Truthy | Op::SlotTruthy => Some(Reason::False),
        Op::Eq => compare("==", register(inst.b)),
        Op::Ne => compare("!=", register(inst.b)),
        Op::Lt => compare("<", register(inst.b)),
        Op::Le => compare("<=", register(inst.b)),
        Op::In => compare("in", register(inst.b)),
        Op::EqK => compare("==", short(inst.b)),
        Op::NeK => compare("!=", short(inst.b)),
        Op::LtK => compare("<", short(inst.b)),
        Op::LeK => compare("<=", short(inst.b)),
        Op::GtK => compare(">", short(inst.b)),
        Op::GeK => compare(">=", short(inst.b)),
        Op::InK => compare("in", short(inst.b)),
        Op::StartsK => compare("starts with", short(inst.b)),
        Op::EndsK => compare("ends with", short(inst.b)),
        Op::IsArrayOf | Op::IsObjectOf => Some(Reason::Shape(register(inst.a))),
        Op::LoopInit | Op::LoopFind => Some(Reason::Shape(register(inst.b))),
        Op::LoopNext => Some(Reason::NoMore),
        Op::CallBuiltin => Some(Reason::Builtin(BuiltinId(inst.e).get().name, arguments)),
        _ => Some(Reason::Undefined),
    }
}
