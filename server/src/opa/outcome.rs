//! How requests to the data API end, for their metric.

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// A document.
    Result = 0,
    /// There is none.
    Undefined,
    /// The request is wrong, or asks for what is not there.
    Refused,
    /// The evaluation was given up.
    Failed,
}

impl Outcome {
    /// All of them, in order.
    pub const ALL: [Outcome; 4] = [
        Outcome::Result,
        Outcome::Undefined,
        Outcome::Refused,
        Outcome::Failed,
    ];

    /// A word for labels.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Result => "result",
            Outcome::Undefined => "undefined",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        }
    }
}
