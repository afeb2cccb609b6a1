//! Every bound of the runtime, with its reason and who pays for it.

/// Nesting of JSON documents. Go's decoder stops at the same depth, so the same requests are refused.
pub const JSON_DEPTH_MAX: usize = 10_000;

/// Depth up to which recursive walks over values use the machine stack; deeper ones switch to a list on the heap. A level
/// costs below 300 bytes even without optimisation, so this is at most 20 KiB of any thread's stack.
pub const NATIVE_DEPTH: usize = 64;

/// Longest path of an input slot, a `with` target or a tree builder. Bounds the recursion of the walks along paths;
/// references in policies have a handful of steps.
pub const PATH_LEN_MAX: usize = 128;

/// Input slots of a program, interior nodes included: cells are numbered in 16 bits, and the last two numbers mean none.
pub const SLOT_CELLS_MAX: usize = u16::MAX as usize - 1;

/// Registers of one frame: operands have 16 bits and the last number means "none".
pub const FRAME_REGS_MAX: u16 = u16::MAX;

/// Builders of one request that are not finished. They nest as comprehensions do, so more is a runaway loop.
pub const BUILDERS_MAX: usize = 1 << 16;

/// Instructions between two looks at the clock. At about 1 ns each the deadline is overrun by some microseconds.
pub const DEADLINE_POLL_FUEL: u64 = 8192;

/// Recursion of builtins along nested documents (`object.union`, `json.filter`, …): below 500 bytes of stack a level.
pub const BUILTIN_DEPTH_MAX: usize = 500;

/// Compiled constant patterns of one program. Each may be large (`\pL{1,99}` takes 5 MB), so without a bound a short
/// module would take gigabytes; the service pays, once for all cores.
pub const PREPARED_BYTES_MAX: usize = 128 << 20;

/// Nesting of a constant in an image file: reading, converting and dropping it is recursive, below 500 bytes of stack a
/// level. Literals of policies have half of it at most.
pub const CONSTANT_DEPTH_MAX: usize = 1000;

/// Items of a list that room is taken for on the word of an image file, some hundred KiB at the most. Nobody touches it before
/// items stand there; a list that grew would touch twice as much, which whoever starts waits for.
pub const LIST_ROOM_MAX: usize = 1 << 16;

/// Registers times labels of one function while it is verified: one byte each, which whoever loads a program pays.
/// Functions that the compiler makes stay far below.
pub const FLOW_BYTES_MAX: usize = 1 << 30;

/// Bounds of one core's VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Loop rounds, calls and size-dependent steps of builtins that one call from outside may make.
    pub fuel: u64,
    /// Arena memory that is kept ready.
    pub arena_warm_bytes: usize,
    /// Arena memory that is kept after a request needed more than the warm amount.
    pub arena_keep_bytes: usize,
    /// Arena memory that one request may use.
    pub arena_max_bytes: usize,
    /// Register cells (16 bytes each) over all nested calls.
    pub stack_cells_max: usize,
    /// Nested calls.
    pub frames_max: usize,
    /// Request body for which buffers are kept ready; longer ones grow them.
    pub body_warm_bytes: usize,
}

impl Limits {
    /// What the service uses.
    pub const DEFAULT: Limits = Limits {
        // About a tenth of a second of work: no policy that answers in useful time comes near.
        fuel: 50_000_000,
        // A typical decision uses below 16 KiB.
        arena_warm_bytes: 256 << 10,
        arena_keep_bytes: 4 << 20,
        // One hostile request must not take the memory of the host: cores × this is the worst case.
        arena_max_bytes: 64 << 20,
        // 1 MiB: some thousand nested calls of usual frames.
        stack_cells_max: 64 << 10,
        frames_max: 8192,
        body_warm_bytes: 16 << 10,
    };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}
