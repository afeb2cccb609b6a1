//! `RawProgram` → [`Program`]: the only way to a program that runs. What is proved here is what the loop relies on.
//!
//! This file checks tables and operands one by one; `flow` follows the ways through each function.

use super::flow::{self, Flow, Tracks};
use super::verified::Function;
use super::{
    FnInfo, FnKind, Inst, Line, MOCK_BUILTIN, NO_PREPARED, NO_REG, Op, Prepared, PreparedSpec, Program,
    RawProgram, Role,
};
use crate::builtins::{BUILTINS, Builtin};
use crate::input::SlotTrie;
use crate::limits::PATH_LEN_MAX;
use crate::value::{Constant, Pool};

/// What is wrong with a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// Index of a code word.
    pub pc: u32,
    /// What must hold and does not.
    pub what: &'static str,
}

impl std::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bytecode word {}: {}", self.pc, self.what)
    }
}

impl std::error::Error for VerifyError {}

/// Checks a program and prepares it to run.
pub fn verify(raw: RawProgram) -> Result<Program, VerifyError> {
    let table = |what| VerifyError { pc: 0, what };
    let (trie, slot_cells) = SlotTrie::build(&raw.slots).ok_or(table("too many or too long input paths"))?;
    let mut checker = Checker {
        raw: &raw,
        slot_cells: &slot_cells,
        mock_arity: vec![None; usize::from(raw.mocks)],
        code: Vec::new(),
        words: Vec::new(),
        tracks: Tracks::default(),
    };
    // An instruction has one word or two. Lists that grow touch twice the memory, which a start waits for.
    let code = checker.code.try_reserve_exact(raw.code.len());
    let words = checker.words.try_reserve_exact(raw.code.len());
    if code.is_err() || words.is_err() {
        return Err(table("the code does not fit into memory"));
    }
    let functions = checker.functions()?;
    let (code, words) = (checker.code, checker.words);
    let is_known = |line: &Line| (line.source as usize) < raw.sources.len();
    if !raw.lines.iter().all(is_known) || !raw.lines.is_sorted_by_key(|line| line.pc) {
        return Err(table(
            "the rows of the sources are out of order, or of a source that is not there",
        ));
    }
    let mut constants = raw.constants;
    let base = raw.base.map(|base| {
        constants.push(base);
        constants.len() - 1
    });
    Ok(Program {
        code: code.into_boxed_slice(),
        functions: functions.into_boxed_slice(),
        constants: Pool::new(&constants).map_err(|_| table("the constants do not fit into memory"))?,
        base,
        trie,
        slot_cells,
        prepared: Prepared::all(&raw.prepared),
        strict_builtins: raw.strict_builtins,
        parse_module: raw.parse_module,
        sleep: raw.sleep,
        words: words.into_boxed_slice(),
        sources: raw.sources.into_boxed_slice(),
        lines: raw.lines.into_boxed_slice(),
        marks: raw.marks.into_boxed_slice(),
    })
}

struct Checker<'p> {
    raw: &'p RawProgram,
    slot_cells: &'p [u16],
    /// Number of arguments of the calls through each mock cell.
    mock_arity: Vec<Option<u16>>,
    /// Decoded code so far.
    code: Vec<Inst>,
    words: Vec<u32>,
    tracks: Tracks,
}

impl Checker<'_> {
    fn functions(&mut self) -> Result<Vec<Function>, VerifyError> {
        let mut functions = Vec::with_capacity(self.raw.functions.len());
        let mut end = 0;
        for (id, info) in self.raw.functions.iter().enumerate() {
            // Code that two functions share would be checked, and decoded, once for each of them.
            if info.entry < end || info.end < info.entry {
                return Err(VerifyError {
                    pc: info.entry,
                    what: "a function begins before the one in front of it ends",
                });
            }
            end = info.end;
            let entry = self.function(id, info)?;
            functions.push(Function {
                name: info.name.clone(),
                kind: info.kind,
                entry,
                params: info.params,
                regs: info.regs,
            });
        }
        Ok(functions)
    }

    /// Checks one function and appends its decoded code; the index of its first instruction.
    fn function(&mut self, id: usize, info: &FnInfo) -> Result<u32, VerifyError> {
        let fail = |what| VerifyError { pc: info.entry, what };
        if info.params > info.regs || info.regs == NO_REG {
            return Err(fail(
                "a frame holds its parameters and has less than 65,535 registers",
            ));
        }
        if !info.kind.takes_arguments() && info.params > 0 {
            return Err(fail("rules and queries have no parameters"));
        }
        let first = self.code.len();
        self.decode(info)?;
        for at in first..self.code.len() {
            let (Some(inst), Some(&pc)) = (self.code.get(at).copied(), self.words.get(at)) else {
                return Err(fail("an instruction is missing"));
            };
            self.operands(id, info, inst)
                .and_then(|()| self.ways(at, inst))
                .map_err(|what| VerifyError { pc, what })?;
            let resolved = self
                .resolve(first, inst)
                .map_err(|what| VerifyError { pc, what })?;
            if let Some(place) = self.code.get_mut(at) {
                *place = resolved;
            }
        }
        let code = self.code.get(first..).unwrap_or_default();
        let flow = Flow {
            code,
            first,
            params: info.params,
            regs: info.regs,
        };
        flow::check(&flow, &mut self.tracks).map_err(|(at, what)| VerifyError {
            pc: self.words.get(first + at).copied().unwrap_or(info.entry),
            what,
        })?;
        u32::try_from(first).map_err(|_| fail("too much code"))
    }

    fn decode(&mut self, info: &FnInfo) -> Result<(), VerifyError> {
        let end = info.end as usize;
        let mut at = info.entry as usize;
        if end > self.raw.code.len() {
            return Err(VerifyError {
                pc: info.entry,
                what: "a function ends behind the code",
            });
        }
        while at < end {
            let pc = u32::try_from(at).unwrap_or(u32::MAX);
            let Some(inst) = Inst::decode(&self.raw.code, at) else {
                return Err(VerifyError {
                    pc,
                    what: "no op has this code",
                });
            };
            at += inst.len_words();
            if at > end {
                return Err(VerifyError {
                    pc,
                    what: "an op reaches beyond its function",
                });
            }
            self.code.push(inst);
            self.words.push(pc);
        }
        Ok(())
    }

    /// Checks each operand by its role, then what single ops ask for beyond that.
    fn operands(&mut self, id: usize, info: &FnInfo, inst: Inst) -> Result<(), &'static str> {
        let roles = inst.op.shape().roles;
        let values = [
            u32::from(inst.a),
            u32::from(inst.b),
            inst.c,
            u32::from(inst.d),
            u32::from(inst.e),
            inst.f,
        ];
        for (&role, &value) in roles.iter().zip(&values) {
            self.operand(info, inst, role, value)?;
        }
        match inst.op {
            Op::CallRule => {
                self.callee(id, inst.f, &[FnKind::Rule])?;
            }
            Op::CallFn => {
                let callee = self.callee(id, inst.f, &[FnKind::Function])?;
                same_arity(callee.params, inst.d)?;
            }
            Op::CallMemo => {
                let callee = self.callee(id, inst.f, &[FnKind::Memo])?;
                same_arity(callee.params, inst.d)?;
            }
            Op::CallBuiltin => {
                let builtin = builtin(u32::from(inst.e))?;
                same_arity(arity(builtin), inst.d)?;
            }
            Op::CallMocked => {
                let arity = self.target_arity(inst.f)?;
                if inst.f & MOCK_BUILTIN == 0 {
                    self.callee(id, inst.f, &[FnKind::Function, FnKind::Memo])?;
                }
                same_arity(arity, inst.d)?;
                self.mock_arity(inst.e, inst.d)?;
            }
            Op::WithMockCall => {
                let arity = self.target_arity(inst.f)?;
                self.mock_arity(inst.e, arity)?;
            }
            Op::WithMockDocument => {
                let reader = self.info(inst.f)?;
                if reader.kind != FnKind::Function {
                    return Err("the callee is of another kind");
                }
                self.mock_arity(inst.e, reader.params)?;
            }
            Op::WithRule if self.info(inst.f)?.kind != FnKind::Rule => return Err("`with` replaces a rule"),
            Op::WithInput | Op::WithBase => match self.raw.constants.get(inst.c as usize) {
                Some(Constant::Array(path)) if path.len() <= PATH_LEN_MAX => {}
                _ => return Err("the target of `with` is an array of at most 128 keys"),
            },
            Op::LoopFind => match self.raw.constants.get(inst.f as usize) {
                Some(Constant::Array(path)) if (1..=PATH_LEN_MAX).contains(&path.len()) => {}
                _ => return Err("the path of `loop.find` is an array of at most 128 keys"),
            },
            Op::Piece => match self.raw.constants.get(inst.f as usize) {
                Some(Constant::String(separator)) if !separator.is_empty() => {}
                _ => return Err("the separator of `piece` is a text that is not empty"),
            },
            Op::TreePut | Op::TreeAdd | Op::TreeSet | Op::TreeMerge if usize::from(inst.d) > PATH_LEN_MAX => {
                return Err("paths of trees have at most 128 steps");
            }
            _ => {}
        }
        Ok(())
    }

    /// Behind a switch stands a jump for each number of its index.
    fn ways(&self, at: usize, inst: Inst) -> Result<(), &'static str> {
        if !matches!(inst.op, Op::Switch | Op::SlotSwitch) {
            return Ok(());
        }
        let Some(PreparedSpec::Switch(index)) = self.raw.prepared.get(inst.f as usize) else {
            return Err("the table of a switch is an index");
        };
        if index.ways().any(|way| way >= inst.b) {
            return Err("an index has a number beyond the jumps behind its switch");
        }
        let ways = at + 1..at + 1 + usize::from(inst.b);
        match self.code.get(ways) {
            Some(jumps) if jumps.iter().all(|jump| jump.op == Op::Jump) => Ok(()),
            _ => Err("behind a switch stand its jumps"),
        }
    }

    fn operand(&self, info: &FnInfo, inst: Inst, role: Role, value: u32) -> Result<(), &'static str> {
        let regs = u32::from(info.regs);
        let is_inside = |len: usize| (value as usize) < len;
        let ok = match role {
            Role::None => value == 0,
            Role::Def | Role::Use | Role::UseDef => value < regs,
            Role::DefLoop | Role::Loop => value + 1 < regs,
            Role::DefOpt => value == u32::from(NO_REG) || value < regs,
            Role::Run => value + run_len(inst) <= regs,
            // Checked with the run, the label, the frame.
            Role::Count | Role::CountPairs | Role::Label | Role::Imm => true,
            Role::Const => is_inside(self.raw.constants.len()),
            Role::Slot => is_inside(self.raw.slots.len()),
            Role::Func => is_inside(self.raw.functions.len()),
            Role::Builtin => builtin(value).is_ok(),
            Role::Prepared => value == NO_PREPARED || is_inside(self.raw.prepared.len()),
            Role::Mock => is_inside(usize::from(self.raw.mocks)),
            Role::Target => self.target_arity(value).is_ok(),
        };
        // Ops whose constant is in `b` have an operand of 16 bits; the table says so and nothing else is to check.
        if ok { Ok(()) } else { Err(complaint(role)) }
    }

    fn info(&self, function: u32) -> Result<&FnInfo, &'static str> {
        self.raw
            .functions
            .get(function as usize)
            .ok_or("no such function")
    }

    /// A function that is called by name stands before its caller, so that calls end.
    fn callee(&self, caller: usize, function: u32, kinds: &[FnKind]) -> Result<&FnInfo, &'static str> {
        let info = self.info(function)?;
        if function as usize >= caller {
            return Err("a callee stands before its callers");
        }
        if !kinds.contains(&info.kind) {
            return Err("the callee is of another kind");
        }
        Ok(info)
    }

    fn target_arity(&self, target: u32) -> Result<u16, &'static str> {
        if target & MOCK_BUILTIN != 0 {
            return builtin(target & !MOCK_BUILTIN).map(arity);
        }
        let info = self.info(target)?;
        if info.kind == FnKind::Query {
            return Err("a query is not called");
        }
        Ok(info.params)
    }

    /// All calls and replacements of one mock cell have the same number of arguments.
    fn mock_arity(&mut self, mock: u16, arity: u16) -> Result<(), &'static str> {
        let known = self
            .mock_arity
            .get_mut(usize::from(mock))
            .ok_or("no such mock cell")?;
        same_arity(*known.get_or_insert(arity), arity)
    }

    /// Labels as indices of instructions, slots as cells.
    fn resolve(&self, first: usize, mut inst: Inst) -> Result<Inst, &'static str> {
        let [a, b, c, ..] = inst.op.shape().roles;
        if c == Role::Label {
            let words = self.words.get(first..).unwrap_or_default();
            let at = words
                .binary_search(&inst.c)
                .map_err(|_| "a label is no op of the function")?;
            inst.c = u32::try_from(first + at).map_err(|_| "too much code")?;
        }
        let cell = |slot: u16| {
            self.slot_cells
                .get(usize::from(slot))
                .copied()
                .ok_or("no such slot")
        };
        if a == Role::Slot {
            inst.a = cell(inst.a)?;
        }
        if b == Role::Slot {
            inst.b = cell(inst.b)?;
        }
        Ok(inst)
    }
}

/// Number of registers of an op's run.
pub(super) fn run_len(inst: Inst) -> u32 {
    match inst.op.shape().roles[3] {
        Role::CountPairs => 2 * u32::from(inst.d),
        _ => u32::from(inst.d),
    }
}

fn builtin(id: u32) -> Result<&'static Builtin, &'static str> {
    match BUILTINS.get(id as usize) {
        Some(builtin) if builtin.run.is_some() => Ok(builtin),
        _ => Err("no such builtin, or a refused one"),
    }
}

fn arity(builtin: &Builtin) -> u16 {
    u16::try_from(builtin.args.len()).unwrap_or(u16::MAX)
}

fn same_arity(wanted: u16, found: u16) -> Result<(), &'static str> {
    if wanted == found {
        Ok(())
    } else {
        Err("the number of arguments differs")
    }
}

fn complaint(role: Role) -> &'static str {
    match role {
        Role::None => "an operand that is not used is zero",
        Role::Const => "no such constant",
        Role::Slot => "no such slot",
        Role::Func => "no such function",
        Role::Builtin => "no such builtin, or a refused one",
        Role::Prepared => "no such prepared pattern",
        Role::Mock => "no such mock cell",
        Role::Target => "no such function or builtin",
        Role::Def
        | Role::Use
        | Role::UseDef
        | Role::DefLoop
        | Role::Loop
        | Role::DefOpt
        | Role::Run
        | Role::Count
        | Role::CountPairs
        | Role::Label
        | Role::Imm => "a register is outside of the frame",
    }
}
