//! The list of targets.

use super::{bytecode, domain, front_end, porc, programs};

/// What must hold and does not; says what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding(pub String);

/// What is fuzzed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Bytes as Rego modules and queries: parsed or refused, in time.
    FrontEnd,
    /// Generated programs: the VM, optimised or not, agrees with the reference evaluator.
    Programs,
    /// Compiled programs with changed words: refused by the verifier, or harmless.
    Bytecode,
    /// Bytes as requests: decided or refused.
    Porc,
    /// Bytes as PolicyDomains: loaded or refused, in time.
    Domain,
}

impl Target {
    /// All of them.
    pub const ALL: &'static [Target] = &[
        Target::FrontEnd,
        Target::Programs,
        Target::Bytecode,
        Target::Porc,
        Target::Domain,
    ];

    /// For the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Target::FrontEnd => "front_end",
            Target::Programs => "programs",
            Target::Bytecode => "bytecode",
            Target::Porc => "porc",
            Target::Domain => "domain",
        }
    }

    /// The target of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Target> {
        Target::ALL.iter().copied().find(|target| target.name() == name)
    }

    /// Runs one input.
    ///
    /// # Errors
    /// What must hold and does not. A panic is a finding too; whoever drives the target catches it.
    pub fn run(self, bytes: &[u8]) -> Result<(), Finding> {
        match self {
            Target::FrontEnd => front_end::run(bytes),
            Target::Programs => programs::run(bytes),
            Target::Bytecode => bytecode::run(bytes),
            Target::Porc => porc::run(bytes),
            Target::Domain => domain::run(bytes),
        }
    }

    /// Texts that inputs are made from; none for targets whose input is a list of decisions.
    pub(super) fn seeds(self) -> &'static [&'static str] {
        match self {
            Target::FrontEnd => front_end::SEEDS,
            Target::Porc => porc::SEEDS,
            Target::Domain => domain::SEEDS,
            Target::Programs | Target::Bytecode => &[],
        }
    }

    /// Pieces that are put into inputs.
    pub(super) fn pieces(self) -> &'static [&'static str] {
        match self {
            Target::FrontEnd => front_end::PIECES,
            Target::Porc => porc::PIECES,
            Target::Domain => domain::PIECES,
            Target::Programs | Target::Bytecode => &[],
        }
    }
}
