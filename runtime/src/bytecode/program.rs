//! The program as the compiler emits it: code, tables, debug rows. Only `verify` turns it into one that runs.

use super::{Inst, MOCK_BUILTIN, Mark, PreparedSpec, Role};
use crate::builtins::{BUILTINS, Builtin};
use crate::limits::LIST_ROOM_MAX;
use crate::value::Constant;
use borsh::{BorshDeserialize, BorshSerialize};
use std::io;
use std::time::Duration;

/// Index into [`RawProgram::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct FnId(pub u32);

/// Index into [`RawProgram::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u16);

/// What a function is, which decides how it is called and cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum FnKind {
    /// A rule or an extent: no parameters, its result is cached for the request. Conflicts are `CompleteConflict`.
    Rule,
    /// A function rule. Conflicts are `FunctionConflict`.
    Function,
    /// A function whose results are kept by arguments until the scope that they were found in ends.
    Memo,
    /// A query: no parameters, not cached; its result is an array with one array of values for each solution.
    Query,
}

impl FnKind {
    /// Whether its calls have arguments.
    #[must_use]
    pub const fn takes_arguments(self) -> bool {
        matches!(self, FnKind::Function | FnKind::Memo)
    }
}

/// One function of the program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct FnInfo {
    /// For dumps and messages: `data.authz.allow`.
    pub name: String,
    /// Kind.
    pub kind: FnKind,
    /// First word of its code.
    pub entry: u32,
    /// One past its last word.
    pub end: u32,
    /// Parameters: registers `0..params` at entry.
    pub params: u16,
    /// Registers of its frame, parameters included.
    pub regs: u16,
}

/// Path of one slot below `input`; slot 0 has the empty path. String keys only.
pub type SlotPath = Vec<String>;

/// Source line of the code from word `pc` on, until the next row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Line {
    /// First word.
    pub pc: u32,
    /// Index into [`RawProgram::sources`].
    pub source: u32,
    /// Row in that module's text, from 1.
    pub row: u32,
}

/// Parses Rego for `rego.parse_module`: file name and text in, OPA's syntax tree as JSON out; nothing for what is no module.
/// The machine has no parser of its own.
pub type ParseModule = fn(filename: &str, text: &str) -> Option<Constant>;

/// Waits for `test.sleep`. The machine has no clock of its own.
pub type Sleep = fn(Duration);

/// A program that nobody has checked.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct RawProgram {
    /// Words of all functions.
    #[borsh(deserialize_with = "long_list")]
    pub code: Vec<u64>,
    /// Functions; a callee stands before its callers.
    pub functions: Vec<FnInfo>,
    /// Constants.
    pub constants: Vec<Constant>,
    /// Input paths that are read; the first is empty.
    pub slots: Vec<SlotPath>,
    /// Constant patterns.
    pub prepared: Vec<PreparedSpec>,
    /// Number of mock cells.
    pub mocks: u16,
    /// The base document.
    pub base: Option<Constant>,
    /// Failing builtins abort.
    pub strict_builtins: bool,
    /// For `rego.parse_module`, which aborts the policy without it.
    #[borsh(skip)]
    pub parse_module: Option<ParseModule>,
    /// For `test.sleep`, which aborts the policy without it.
    #[borsh(skip)]
    pub sleep: Option<Sleep>,
    /// Names of modules, for messages.
    pub sources: Vec<String>,
    /// Sorted by `pc`.
    #[borsh(deserialize_with = "long_list")]
    pub lines: Vec<Line>,
    /// Sorted by `pc`; empty unless the program was compiled for tracing. Not in image files.
    #[borsh(skip)]
    pub marks: Vec<Mark>,
}

impl RawProgram {
    /// The slot of a path below `input`, added when there is none yet; `None` when all numbers are used up.
    pub fn intern_slot(&mut self, path: &[&str]) -> Option<SlotId> {
        if self.slots.is_empty() {
            self.slots.push(Vec::new());
        }
        let at = match self.slots.iter().position(|slot| slot == path) {
            Some(at) => at,
            None => {
                self.slots.push(path.iter().map(|&key| key.to_owned()).collect());
                self.slots.len() - 1
            }
        };
        u16::try_from(at).ok().map(SlotId)
    }

    /// The builtins that some function calls or passes on, each as often as it does. Ends at functions out of order and at
    /// code that cannot be decoded, neither of which gets past the verifier. O(code).
    pub fn builtins(&self) -> impl Iterator<Item = &'static Builtin> {
        let mut end = 0;
        self.functions
            .iter()
            .take_while(move |info| {
                let in_order = end <= info.entry && info.entry <= info.end;
                end = info.end;
                in_order
            })
            .flat_map(|info| self.insts(info))
            .filter_map(called)
            .filter_map(|id| BUILTINS.get(id as usize))
    }

    /// The instructions of a function, up to one that cannot be decoded.
    fn insts(&self, info: &FnInfo) -> impl Iterator<Item = Inst> {
        let (mut at, end) = (info.entry as usize, info.end as usize);
        std::iter::from_fn(move || {
            let inst = (at < end).then(|| Inst::decode(&self.code, at)).flatten()?;
            at += inst.len_words();
            Some(inst)
        })
    }

    /// Whether some function calls or passes on a builtin that goes out into the network, so that it may have to wait.
    #[must_use]
    pub fn asks_network(&self) -> bool {
        self.builtins().any(|builtin| builtin.network)
    }
}

/// Number of the builtin that an instruction names.
fn called(inst: Inst) -> Option<u32> {
    let [.., e, f] = inst.op.shape().roles;
    match (e, f) {
        (Role::Builtin, _) => Some(u32::from(inst.e)),
        (_, Role::Target) => Some(inst.f)
            .filter(|target| target & MOCK_BUILTIN != 0)
            .map(|target| target & !MOCK_BUILTIN),
        _ => None,
    }
}

/// A list of items that are some bytes each, from an image file.
fn long_list<T: BorshDeserialize>(reader: &mut impl io::Read) -> io::Result<Vec<T>> {
    let len = u32::deserialize_reader(reader)?;
    let mut list = Vec::with_capacity((len as usize).min(LIST_ROOM_MAX));
    for _ in 0..len {
        list.push(T::deserialize_reader(reader)?);
    }
    Ok(list)
}
