//! Every bound of the compiler's front end, with its reason and who pays for it.

/// Deepest nesting of one statement: brackets plus chained infix operators on the way from its root to a leaf.
///
/// Later stages walk the tree recursively; a walk of this depth must fit the 2 MiB stack of a test thread in a build
/// without optimisation. OPA's own bound is 100,000 levels of its parser, of which a bracket takes two to eight. The
/// author of a generated policy pays.
pub const NESTING_MAX: u32 = 500;

/// Elements of one reference, of a path of `package` and `import` too. The runtime bounds the paths that it walks
/// (`gavel_runtime::limits::PATH_LEN_MAX`), and rule trees grow one level with each element. People write a handful.
pub const REF_ELEMENTS_MAX: usize = 120;

/// Calls lifted out of one statement, times the `with` modifiers that each of them carries: every lifted call is
/// evaluated under all of them, so this is what the statement becomes. Generated policies have a few dozen.
pub const MODIFIER_COPIES_MAX: usize = 10_000;

/// How often one statement is read again because a `{` or `|` turned out to mean its other reading.
///
/// Each reading is linear in the statement, so this bounds the work on hostile text. Look-ahead settles nearly all
/// brackets at first sight; a retry is needed where a union in a list stands beside `some` or `every`, and for
/// messages.
pub const REREADS_MAX: u32 = 64;

/// How deep the search for OPA's first error goes, in terms, expressions and statements: a bracket takes two or three.
/// It is recursive, and shares the stack that [`NESTING_MAX`] speaks of. Deeper errors stand where the grammar stops.
pub const REFUSAL_NESTING_MAX: u32 = 300;

/// How many tokens the search for OPA's errors reads for each lexeme of a module, and besides, before it gives up: texts
/// can be made that OPA reads over and over.
pub const REFUSAL_STEPS_PER_LEXEME: usize = 16;
/// See [`REFUSAL_STEPS_PER_LEXEME`].
pub const REFUSAL_STEPS: usize = 10_000;

/// Parse errors reported for one module; what follows the tenth is rarely about anything else.
pub const PARSE_ERRORS_MAX: usize = 10;

/// Errors of an analysis after which it ends: OPA's default.
pub const COMPILE_ERRORS_MAX: usize = 10;

/// Largest binary exponent (either sign) of a number literal: OPA's bound, which keeps arithmetic on it affordable.
pub const NUMBER_EXPONENT_MAX: i64 = 100_000;

/// Longest module text in bytes: offsets are `u32`.
pub const MODULE_BYTES_MAX: usize = 64 << 20;

const _: () = assert!(MODULE_BYTES_MAX < u32::MAX as usize);
const _: () = assert!(REF_ELEMENTS_MAX < gavel_runtime::limits::PATH_LEN_MAX);

/// Comprehensions of one body that are looked into a second time, from outside of what is around them; each look takes the
/// time of what is inside. OPA has no bound here and takes twice the time for each level of nesting.
pub(crate) const SECOND_LOOKS_MAX: usize = 256;
