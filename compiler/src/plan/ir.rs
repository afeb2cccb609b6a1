//! The plan: functions of linear instructions over virtual registers, with labels where control goes on failure.
//!
//! A body is a straight line of steps. A step that can fail names a label: the innermost open loop's next round, or the
//! way out when no loop is open. Most registers are written by exactly one instruction that dominates all readers;
//! builders, loop states and accumulators are the exceptions. Nothing here knows word layouts or register numbers of
//! the machine.

use super::cond::{Cond, Operand};
use super::direct::Direct;
use crate::source::{FileId, Span};
use gavel_runtime::builtins::BuiltinId;
use gavel_runtime::bytecode::{FnKind, PreparedSpec, SwitchSpec};
use gavel_runtime::value::Constant;
use std::sync::Arc;

/// A constant; shared because a base document may be large.
pub type K = Arc<Constant>;

/// A virtual register of one function. Parameters are the first ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(pub u32);

/// A place in one function's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

/// Index into [`Plan::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FnRef(pub usize);

/// Everything planned for one unit.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In any order; the call graph has no cycles.
    pub functions: Vec<Function>,
    /// What was asked for: path behind `data` and the function that yields the document there.
    pub entries: Vec<(Vec<String>, FnRef)>,
    /// One for each query, in the order they were given.
    pub queries: Vec<FnRef>,
    /// The base document.
    pub base: Option<K>,
    /// Some instruction reads the base document at run time.
    pub reads_base: bool,
    /// Texts of the modules, for line tables.
    pub files: Vec<FileId>,
}

/// One function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Unique within the plan; `data.authz.allow` for a rule.
    pub name: String,
    /// Kind.
    pub kind: FnKind,
    /// Number of parameters.
    pub params: u32,
    /// Number of virtual registers.
    pub regs: u32,
    /// Number of labels.
    pub labels: u32,
    /// The code. Control never runs off its end.
    pub code: Vec<Step>,
    /// Where the rule stands.
    pub span: Option<Span>,
    /// Path of the document that the function yields, for `with`; `None` for functions and queries.
    pub document: Option<Vec<String>>,
}

/// An instruction and the source it came from.
#[derive(Clone, Debug)]
pub struct Step {
    /// What to do.
    pub inst: Inst,
    /// Where it came from.
    pub span: Option<Span>,
}

/// What a mock cell stands for, and what it can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A function of the plan.
    Function(FnRef),
    /// A builtin.
    Builtin(BuiltinId),
}

/// What a second value for a key of an object does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Again {
    /// An unequal one aborts, of equal ones the first spelling stays.
    First,
    /// An unequal one aborts, of equal ones the last spelling stays.
    Last,
    /// It takes the place of the first.
    Replaces,
}

/// The three containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// `[…]`
    Array,
    /// `{…}`
    Set,
    /// `{k: v}`
    Object,
    /// Nested objects under construction; an object when it is finished.
    Tree,
}

/// One instruction. `fail` is where control goes when it has no result.
#[derive(Clone, Debug, PartialEq)]
pub enum Inst {
    /// Names this place.
    Label(Label),
    /// `dst := value`
    Const {
        /// Written.
        dst: Reg,
        /// Value.
        value: K,
    },
    /// `dst := src`
    Move {
        /// Written.
        dst: Reg,
        /// Read.
        src: Reg,
    },
    /// `dst` has no value.
    Unset {
        /// Written.
        dst: Reg,
    },
    /// The input at a path; no path: the whole input.
    Slot {
        /// Written.
        dst: Reg,
        /// String keys.
        path: Vec<String>,
        /// Undefined.
        fail: Label,
    },
    /// The input at a path, or a constant where it is undefined. Only optimisers write it.
    SlotOr {
        /// Written.
        dst: Reg,
        /// String keys.
        path: Vec<String>,
        /// Value where there is none.
        default: K,
    },
    /// The base document as `with` left it.
    Base {
        /// Written.
        dst: Reg,
        /// There is none.
        fail: Label,
    },
    /// `dst := of[key]`
    Index {
        /// Written.
        dst: Reg,
        /// Collection.
        of: Reg,
        /// Key.
        key: Reg,
        /// `of` is a part of the base document, which is looked into by the texts of keys: see [`Value::stored`].
        ///
        /// [`Value::stored`]: gavel_runtime::value::Value::stored
        stored: bool,
        /// Undefined.
        fail: Label,
    },
    /// `dst := of[key]`
    Field {
        /// Written.
        dst: Reg,
        /// Collection.
        of: Reg,
        /// Key.
        key: K,
        /// Undefined.
        fail: Label,
    },
    /// Falls through when the condition holds.
    Test {
        /// What must hold.
        cond: Cond,
        /// It does not.
        fail: Label,
    },
    /// Starts a loop. `state` stands for two machine registers.
    LoopInit {
        /// Written.
        state: Reg,
        /// Collection.
        over: Reg,
        /// A scalar.
        fail: Label,
    },
    /// As [`Inst::LoopInit`], over members whose value at a path equals another: at least those, in the same order.
    LoopFind {
        /// Written.
        state: Reg,
        /// Collection.
        over: Reg,
        /// Keys from a member to the value.
        path: Vec<K>,
        /// Read.
        value: Reg,
        /// A scalar.
        fail: Label,
    },
    /// Next member.
    LoopNext {
        /// Read and written.
        state: Reg,
        /// Written.
        key: Option<Reg>,
        /// Written.
        value: Option<Reg>,
        /// No more.
        fail: Label,
    },
    /// Starts a container in `dst`.
    New {
        /// What is built.
        kind: Container,
        /// Written.
        dst: Reg,
    },
    /// Appends to an array or adds to a set.
    Add {
        /// What is built.
        kind: Container,
        /// Builder.
        to: Reg,
        /// Read.
        value: Reg,
    },
    /// Adds a member to an object.
    Put {
        /// Builder.
        to: Reg,
        /// Read.
        key: Reg,
        /// Read.
        value: Reg,
        /// A second value for a key.
        again: Again,
    },
    /// A value at a path of a tree.
    TreePut {
        /// Builder.
        to: Reg,
        /// Keys.
        path: Vec<Reg>,
        /// Read.
        value: Reg,
    },
    /// A member of the set at a path of a tree; no member: the set is there.
    TreeAdd {
        /// Builder.
        to: Reg,
        /// Keys.
        path: Vec<Reg>,
        /// Read.
        member: Option<Reg>,
    },
    /// An object at a path of a tree, whose members yield to those that are put there.
    TreeMerge {
        /// Builder.
        to: Reg,
        /// Keys.
        path: Vec<Reg>,
        /// Read.
        value: Reg,
    },
    /// Finishes a container.
    End {
        /// What was built.
        kind: Container,
        /// Builder, then value.
        reg: Reg,
    },
    /// A container of given parts; an object of keys and values in turn.
    Collect {
        /// What is built; never a tree.
        kind: Container,
        /// Written.
        dst: Reg,
        /// Read.
        parts: Vec<Reg>,
    },
    /// Result of a rule.
    CallRule {
        /// Written.
        dst: Reg,
        /// Rule.
        func: FnRef,
        /// Undefined.
        fail: Label,
    },
    /// Result of a function.
    CallFn {
        /// Written.
        dst: Reg,
        /// Function.
        func: FnRef,
        /// Read.
        args: Vec<Reg>,
        /// Undefined.
        fail: Label,
    },
    /// Result of a builtin.
    CallBuiltin {
        /// Written.
        dst: Reg,
        /// Builtin.
        builtin: BuiltinId,
        /// Read.
        args: Vec<Reg>,
        /// A constant pattern among them.
        prepared: Option<PreparedSpec>,
        /// Undefined.
        fail: Label,
    },
    /// What a builtin gives for one value, without a call. Only optimisers write it.
    Direct {
        /// Written.
        dst: Reg,
        /// What is asked.
        what: Direct,
        /// Read.
        of: Reg,
        /// Undefined.
        fail: Label,
    },
    /// Result of what stands in a mock cell, or of the target itself.
    CallMocked {
        /// Written.
        dst: Reg,
        /// The cell's name and what is called when it is empty.
        target: Target,
        /// Read.
        args: Vec<Reg>,
        /// Undefined.
        fail: Label,
    },
    /// The function's result.
    Ret {
        /// Read.
        value: Reg,
        /// Which body decided.
        body: u16,
    },
    /// The function's result.
    RetConst {
        /// Value.
        value: K,
        /// Which body decided.
        body: u16,
    },
    /// The function has no result.
    RetUndefined,
    /// `dst := src` where `dst` is unset; an unequal value aborts.
    SetOnce {
        /// Read and written.
        dst: Reg,
        /// Read.
        src: Reg,
    },
    /// Goes there.
    Jump(Label),
    /// Goes to the place that an index names for a text.
    Switch {
        /// What is looked up: a register or an input path.
        on: Operand,
        /// Texts and the numbers of places.
        index: Arc<SwitchSpec>,
        /// Places by number.
        ways: Vec<Label>,
        /// Undefined, no text, or none of the index.
        miss: Label,
    },
    /// Opens a scope of replacements.
    WithBegin,
    /// Replaces the input at a path.
    WithInput {
        /// Read.
        value: Reg,
        /// String keys.
        path: Vec<String>,
    },
    /// Replaces the documents at and below a path behind `data`. The planner's last step resolves it.
    WithData {
        /// Read.
        value: Reg,
        /// String keys.
        path: Vec<String>,
    },
    /// Takes the value of the documents at and below a path behind `data`. The planner's last step resolves it.
    WithNoData {
        /// String keys, at least one.
        path: Vec<String>,
    },
    /// Replaces the base document at a path.
    WithBase {
        /// Read.
        value: Reg,
        /// String keys.
        path: Vec<String>,
    },
    /// Replaces the result of a rule; unset: undefined.
    WithRule {
        /// Read.
        value: Reg,
        /// Rule.
        func: FnRef,
    },
    /// Calls through the cell yield a value.
    WithMockValue {
        /// Cell.
        cell: Target,
        /// Read.
        value: Reg,
    },
    /// Calls through the cell go elsewhere.
    WithMockCall {
        /// Cell.
        cell: Target,
        /// What is called.
        target: Target,
    },
    /// Calls through the cell read a document.
    WithMockDocument {
        /// Cell.
        cell: Target,
        /// Reads the document; its arguments do not matter.
        func: FnRef,
    },
    /// Closes the scope.
    WithEnd,
    /// No code: what a trace shows when control comes here.
    Note(Note),
}

/// What a trace shows. Plans have notes only when they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// A body of a rule begins.
    Body(Span),
    /// What follows is code of a statement.
    Stmt(Span),
    /// What follows is code that a statement further down asks for.
    Asks(Span),
    /// What follows belongs to no statement.
    Rest,
    /// All statements of a body of a rule hold; what follows belongs to none.
    Yields(Span),
    /// The statement fails here; whether because something is undefined.
    Fails(Span, bool),
    /// The statement holds because what stands in it failed.
    Holds(Span),
    /// A variable has the value of a register.
    Bound {
        /// As written.
        name: String,
        /// Read.
        reg: Reg,
    },
}

/// How an instruction touches a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads.
    Use,
    /// Writes.
    Def,
    /// Reads and writes.
    UseDef,
}

/// [`Inst::Ret`]: which body decided is not known (several bodies agreed, or the default).
pub const NO_BODY: u16 = u16::MAX;
