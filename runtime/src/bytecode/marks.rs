//! What a trace shows: which code belongs to which statement of a rule, and where variables get their values. Only programs
//! that were compiled for tracing have it; nothing that runs without a trace reads it.

/// A range of bytes of a module's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Index into [`super::RawProgram::sources`].
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// One thing to show when the instruction at a word is about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The word.
    pub pc: u32,
    /// What it shows.
    pub what: MarkKind,
}

/// Kinds of [`Mark`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// A body of a rule begins.
    Body(Extent),
    /// The code from here to the next `Stmt`, `Asks` or `Rest` is that of a statement.
    Stmt(Extent),
    /// The code from here asks in advance for something that a statement further down needs.
    Asks(Extent),
    /// The code from here belongs to no statement.
    Rest,
    /// All statements of a body of a rule hold; the code from here belongs to none.
    Yields(Extent),
    /// The statement fails here without an instruction of its own that does; whether because something is undefined.
    Fails(Extent, bool),
    /// The statement holds because what stands in it failed.
    Holds(Extent),
    /// A variable has the value of this register.
    Bound {
        /// As written.
        name: String,
        /// The register.
        reg: u16,
    },
}

impl Mark {
    /// Whether the mark says which statement the code from its word on belongs to.
    #[must_use]
    pub fn governs(&self) -> bool {
        matches!(
            self.what,
            MarkKind::Stmt(_) | MarkKind::Asks(_) | MarkKind::Rest | MarkKind::Yields(_)
        )
    }
}
