//! The one table of ops. Names, operand roles and word layout are derived from it by encoder, disassembler and verifier.
//!
//! An op is one or two 64-bit words. First word: `op:8 a:16 b:16 c:24` from the low bits up; second word, where the op has
//! any of `d`, `e`, `f`: `d:16 e:16 f:32`. Registers are numbers of the running frame. **`c` as a label is where control
//! goes when the op fails**: undefined is control flow, never a value; control falls through when it succeeds.

/// What an operand means; decides how it is checked and printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Not used; zero.
    None,
    /// Register that is written.
    Def,
    /// Register that is read; was written on every way here.
    Use,
    /// Register that is read and written.
    UseDef,
    /// First of two registers of a loop's state, written.
    DefLoop,
    /// First of two registers of a loop's state, read and written.
    Loop,
    /// Register that is written, or [`NO_REG`].
    DefOpt,
    /// First register of a run that is read; its length is the op's `Count`.
    Run,
    /// Length of the run.
    Count,
    /// Length of the run in pairs of registers.
    CountPairs,
    /// Index into the constants.
    Const,
    /// Index into the slots.
    Slot,
    /// Index of a code word.
    Label,
    /// Index into the functions.
    Func,
    /// Index into the builtins.
    Builtin,
    /// Index into the prepared patterns, or [`NO_PREPARED`].
    Prepared,
    /// Index of a mock cell.
    Mock,
    /// A function, or with [`MOCK_BUILTIN`] set a builtin: what a mockable call calls when nothing is mocked.
    Target,
    /// A number.
    Imm,
}

/// [`Role::DefOpt`]: the value is not wanted.
pub const NO_REG: u16 = u16::MAX;
/// [`Role::Prepared`]: nothing was prepared.
pub const NO_PREPARED: u32 = u32::MAX;
/// [`Role::Target`]: the rest of the number is a builtin.
pub const MOCK_BUILTIN: u32 = 1 << 31;

/// Operand roles of an op, in the order `a b c d e f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Roles of `a` to `f`.
    pub roles: [Role; 6],
}

impl Shape {
    /// Whether the op has a second word.
    #[must_use]
    pub const fn is_wide(self) -> bool {
        !(matches!(self.roles[3], Role::None)
            && matches!(self.roles[4], Role::None)
            && matches!(self.roles[5], Role::None))
    }
}

macro_rules! ops {
    ($( $(#[$doc:meta])* $name:ident $text:literal [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident], )*) => {
        /// Operation codes.
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Op { $( $(#[$doc])* $name, )* }

        impl Op {
            /// Every op, by code.
            pub const ALL: &'static [Op] = &[$( Op::$name, )*];

            /// The name in dumps.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Op::$name => $text, )* }
            }

            /// Roles of the operands.
            #[must_use]
            pub const fn shape(self) -> Shape {
                match self {
                    $( Op::$name => Shape {
                        roles: [Role::$a, Role::$b, Role::$c, Role::$d, Role::$e, Role::$f],
                    }, )*
                }
            }

            /// The op of a code.
            #[must_use]
            pub fn from_code(code: u8) -> Option<Op> {
                Op::ALL.get(code as usize).copied()
            }
        }
    };
}

ops! {
    // Loads.
    /// a := constant c.
    Const "const" [Def None Const None None None],
    /// a := b.
    Move "move" [Def Use None None None None],
    /// a := unset.
    Unset "unset" [Def None None None None None],
    /// a := slot b of the input; undefined → c. Slot 0 is the whole input.
    Slot "slot" [Def Slot Label None None None],
    /// a := slot b of the input, or constant f where it is undefined.
    SlotOr "slot.or" [Def Slot None None None Const],
    /// a := the base document as `with` left it; none → c.
    Base "base" [Def None Label None None None],
    /// a := `b[d]` by Rego's rules (array index, object key, set member); undefined → c.
    Index "index" [Def Use Label Use None None],
    /// a := b[d] where b is a part of the base document, by the text of d; undefined → c.
    IndexStored "index.stored" [Def Use Label Use None None],
    /// a := b[constant f]; undefined → c.
    Field "field" [Def Use Label None None Const],

    // Tests: fall through when the condition holds, else → c.
    /// a is not `false`.
    Truthy "truthy" [Use None Label None None None],
    /// a == b.
    Eq "eq" [Use Use Label None None None],
    /// a != b.
    Ne "ne" [Use Use Label None None None],
    /// a < b.
    Lt "lt" [Use Use Label None None None],
    /// a <= b.
    Le "le" [Use Use Label None None None],
    /// a == constant b.
    EqK "eq.k" [Use Const Label None None None],
    /// a != constant b.
    NeK "ne.k" [Use Const Label None None None],
    /// a < constant b.
    LtK "lt.k" [Use Const Label None None None],
    /// a <= constant b.
    LeK "le.k" [Use Const Label None None None],
    /// a > constant b.
    GtK "gt.k" [Use Const Label None None None],
    /// a >= constant b.
    GeK "ge.k" [Use Const Label None None None],
    /// slot a is defined and == constant b.
    SlotEqK "slot.eq.k" [Slot Const Label None None None],
    /// slot a is defined and != constant b.
    SlotNeK "slot.ne.k" [Slot Const Label None None None],
    /// slot a is defined.
    SlotDefined "slot.def" [Slot None Label None None None],
    /// slot a is defined and not `false`.
    SlotTruthy "slot.truthy" [Slot None Label None None None],
    /// slot a is an object.
    SlotIsObject "slot.object" [Slot None Label None None None],
    /// slots a and b are defined and equal.
    SlotEqSlot "slot.eq.slot" [Slot Slot Label None None None],
    /// a is a member (a value) of collection b; a scalar has no members.
    In "in" [Use Use Label None None None],
    /// a is a member of the constant collection b.
    InK "in.k" [Use Const Label None None None],
    /// slot a is defined and a member of the constant collection b.
    SlotInK "slot.in.k" [Slot Const Label None None None],
    /// a is a string that starts with the constant string b, or with one of an array of them.
    StartsK "starts.k" [Use Const Label None None None],
    /// a is a string that ends with the constant string b, or with one of an array of them.
    EndsK "ends.k" [Use Const Label None None None],
    /// slot a is defined and passes `starts.k`.
    SlotStartsK "slot.starts.k" [Slot Const Label None None None],
    /// slot a is defined and passes `ends.k`.
    SlotEndsK "slot.ends.k" [Slot Const Label None None None],
    /// a is not unset.
    IsSet "is.set" [Use None Label None None None],
    /// a is an array of exactly b elements.
    IsArrayOf "is.array" [Use Imm Label None None None],
    /// a is an object of exactly b members.
    IsObjectOf "is.object" [Use Imm Label None None None],

    /// Mock cell e reads a document.
    IsDocument "is.document" [None None Label None Mock None],

    // Loops. State: register a (the collection) and a+1 (position).
    /// Starts a loop over the members of b; a scalar → c.
    LoopInit "loop.init" [DefLoop Use Label None None None],
    /// As `loop.init`; of the members whose value at the path of constant f equals d none is left out.
    LoopFind "loop.find" [DefLoop Use Label Use None Const],
    /// Next member: key (index, object key, or the set member itself) → b, value → d; none left → c. Charges fuel.
    LoopNext "loop.next" [Loop DefOpt Label DefOpt None None],

    // Builders: register a holds a handle between New and End, the finished value after End.
    /// Starts an array.
    ArrayNew "array.new" [Def None None None None None],
    /// Appends b.
    ArrayPush "array.push" [Use Use None None None None],
    /// a := the array.
    ArrayEnd "array.end" [UseDef None None None None None],
    /// Starts a set.
    SetNew "set.new" [Def None None None None None],
    /// Adds b; of equal members the first stays.
    SetAdd "set.add" [Use Use None None None None],
    /// a := the set.
    SetEnd "set.end" [UseDef None None None None None],
    /// Starts an object.
    ObjectNew "object.new" [Def None None None None None],
    /// Member b: d. An unequal second value for a key aborts with `ObjectConflict`, here or at the end.
    ObjectPut "object.put" [Use Use None Use None None],
    /// As `object.put`, but of equal values for a key the last one's spelling stays.
    ObjectPutLast "object.put.last" [Use Use None Use None None],
    /// Member b: d; a later value replaces an earlier one (extents, literals with equal keys).
    ObjectSet "object.set" [Use Use None Use None None],
    /// a := the object.
    ObjectEnd "object.end" [UseDef None None None None None],
    /// Starts a tree: nested objects (and sets at leaves) that rules with general references fill.
    TreeNew "tree.new" [Def None None None None None],
    /// Value e at the path in registers b, b+1, …; an unequal value, or a value above or below another one that is no
    /// object of the tree, aborts with `ObjectConflict`.
    TreePut "tree.put" [Use Run None Count Use None],
    /// Member e of the set at the path in registers b, b+1, ….
    TreeAdd "tree.add" [Use Run None Count Use None],
    /// An empty set at the path in registers b, b+1, …, if nothing is there.
    TreeSet "tree.set" [Use Run None Count None None],
    /// Deep-merges object e at the path in registers b, b+1, …: members of the tree win over those of e.
    TreeMerge "tree.merge" [Use Run None Count Use None],
    /// a := the object.
    TreeEnd "tree.end" [UseDef None None None None None],
    /// a := the array of registers b, b+1, ….
    ArrayOf "array.of" [Def Run None Count None None],
    /// a := the set of registers b, b+1, ….
    SetOf "set.of" [Def Run None Count None None],
    /// a := the object of register pairs b: b+1, ….
    ObjectOf "object.of" [Def Run None CountPairs None None],

    // Calls.
    /// a := rule f, from the request's cache when it is there; undefined → c.
    CallRule "call.rule" [Def None Label None None Func],
    /// a := function f of registers b, b+1, …; undefined → c.
    CallFn "call.fn" [Def Run Label Count None Func],
    /// a := function f of registers b, b+1, …, from the results of this scope when equal arguments are among them;
    /// undefined → c.
    CallMemo "call.memo" [Def Run Label Count None Func],
    /// a := builtin e of registers b, b+1, …; a failing builtin → c (in strict mode it aborts).
    CallBuiltin "call.builtin" [Def Run Label Count Builtin Prepared],
    /// a := the number of members of collection b, or of the characters of text b; other scalars → c.
    Count "count" [Def Use Label None None None],
    /// a := the d-th of the pieces between which constant text f, which is not empty, stands in text b; there is none → c.
    Piece "piece" [Def Use Label Imm None Const],
    /// As `call.fn` and `call.builtin`, through mock cell e: the replacement when there is one, else target f. While a replacement
    /// function runs, all cells are empty.
    CallMocked "call.mocked" [Def Run Label Count Mock Target],
    /// The frame's result is a; b tells which body decided.
    Ret "ret" [Use Imm None None None None],
    /// The frame's result is constant c; b tells which body decided.
    RetK "ret.k" [None Imm Const None None None],
    /// The frame has no result.
    RetUndefined "ret.undef" [None None None None None None],
    /// a := b if a is unset; an unequal value aborts with the conflict of the function's kind.
    SetOnce "set.once" [UseDef Use None None None None],
    /// → c.
    Jump "jump" [None None Label None None None],
    /// The value a by index f: number n → where the n-th of the b jumps behind this op goes; none → c.
    Switch "switch" [Use Imm Label None None Prepared],
    /// The value in slot a by index f, as `switch`; undefined → c.
    SlotSwitch "slot.switch" [Slot Imm Label None None Prepared],

    // `with`: replacements between Begin and End, undone at End. Rule results cached before stay valid after it.
    /// Opens a scope of replacements with an empty rule cache.
    WithBegin "with.begin" [None None None None None None],
    /// `input` at the constant path c is a.
    WithInput "with.input" [Use None Const None None None],
    /// The base document at the constant path c is a.
    WithBase "with.base" [Use None Const None None None],
    /// Rule f is a (undefined when a is unset).
    WithRule "with.rule" [Use None None None None Func],
    /// Mock cell e answers with value a.
    WithMockValue "with.mock.value" [Use None None None Mock None],
    /// Mock cell e calls target f.
    WithMockCall "with.mock.call" [None None None None Mock Target],
    /// Mock cell e reads a document: calls go to function f, which takes the arguments and leaves all cells as they are.
    WithMockDocument "with.mock.document" [None None None None Mock Func],
    /// Closes the scope.
    WithEnd "with.end" [None None None None None None],
}

/// One decoded op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inst {
    /// What to do.
    pub op: Op,
    /// 16 bits.
    pub a: u16,
    /// 16 bits.
    pub b: u16,
    /// 24 bits.
    pub c: u32,
    /// 16 bits of the second word.
    pub d: u16,
    /// 16 bits of the second word.
    pub e: u16,
    /// 32 bits of the second word.
    pub f: u32,
}

impl Inst {
    /// An op with all operands zero.
    #[must_use]
    pub const fn new(op: Op) -> Inst {
        Inst {
            op,
            a: 0,
            b: 0,
            c: 0,
            d: 0,
            e: 0,
            f: 0,
        }
    }

    /// First word.
    #[must_use]
    pub const fn low_word(self) -> u64 {
        self.op as u64 | (self.a as u64) << 8 | (self.b as u64) << 24 | (self.c as u64) << 40
    }

    /// Second word; meaningful for wide ops.
    #[must_use]
    pub const fn high_word(self) -> u64 {
        self.d as u64 | (self.e as u64) << 16 | (self.f as u64) << 32
    }

    /// The op at word `at` of `code`; `None` where the code ends or the op code is unknown.
    #[must_use]
    pub fn decode(code: &[u64], at: usize) -> Option<Inst> {
        let low = *code.get(at)?;
        let op = Op::from_code((low & 0xff) as u8)?;
        let mut inst = Inst::new(op);
        inst.a = (low >> 8) as u16;
        inst.b = (low >> 24) as u16;
        inst.c = (low >> 40) as u32;
        if op.shape().is_wide() {
            let high = *code.get(at + 1)?;
            inst.d = high as u16;
            inst.e = (high >> 16) as u16;
            inst.f = (high >> 32) as u32;
        }
        Some(inst)
    }

    /// Number of words.
    #[must_use]
    pub const fn len_words(self) -> usize {
        if self.op.shape().is_wide() { 2 } else { 1 }
    }
}
