//! Stand-in for the decision engine: grants whatever looks like an object.

/// Values of one request that come from outside.
pub struct RequestEnv {
    /// Wall clock.
    pub wall_ns: i64,
    /// Random bits.
    pub random: [u64; 2],
    /// Monotonic clock.
    pub monotonic: fn() -> u64,
    /// No record.
    pub probe: bool,
}

/// Compiled domains.
pub struct Image;

/// Per-core machine.
#[derive(Default)]
pub struct Vm;

/// Outcome.
pub struct Decision {
    allow: bool,
    wall_ns: i64,
}

/// The body is no PORC.
pub struct PorcError {
    wall_ns: i64,
}

impl Vm {
    /// New.
    #[must_use]
    pub fn new() -> Vm {
        Vm
    }

    /// Decides.
    ///
    /// # Errors
    /// Not a PORC.
    pub fn decide(
        &mut self,
        _image: &Image,
        porc: &mut [u8],
        env: &RequestEnv,
    ) -> Result<Decision, PorcError> {
        let text = porc.trim_ascii();
        assert!(text != b"\"panic\"", "asked for");
        if text.first() == Some(&b'{') && text.last() == Some(&b'}') {
            Ok(Decision {
                allow: !text.ends_with(b"shut\"}"),
                wall_ns: env.wall_ns,
            })
        } else {
            Err(PorcError { wall_ns: env.wall_ns })
        }
    }
}

impl Decision {
    /// Allowed.
    #[must_use]
    pub fn allow(&self) -> bool {
        self.allow
    }

    /// Frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.allow));
        out.extend_from_slice(&self.wall_ns.to_le_bytes());
    }
}

impl PorcError {
    /// Frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(0);
        out.extend_from_slice(&self.wall_ns.to_le_bytes());
    }

    /// Text.
    #[must_use]
    pub fn message(&self) -> String {
        "malformed PORC".to_owned()
    }
}

/// Frame of a decision that could not be made.
pub fn failure_frame(wall_ns: i64, out: &mut Vec<u8>) {
    out.push(0);
    out.extend_from_slice(&wall_ns.to_le_bytes());
}

/// JSON line.
pub fn write_json(_image: &Image, frame: &[u8], _scratch: &mut Vm, out: &mut Vec<u8>, _pretty: bool) {
    let word = if frame.first() == Some(&1) {
        "GRANT"
    } else {
        "DENY"
    };
    out.extend_from_slice(format!("{{\"decision\":\"{word}\",\"metadata\":{{}}}}\n").as_bytes());
}
