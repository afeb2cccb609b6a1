//! How much a request may add to what is remembered of earlier ones: enough to be learned soon, too little to be a burden or to
//! displace what others need.

/// What one request may add while there is room, and later. To add a piece costs some hundred instructions, and some thousand
/// where all places are looked through.
const ROOMY: u8 = 32;
const FULL: u8 = 8;

/// When there is no more room, or nothing was new in what the last one wanted to add, of so many requests with something
/// unknown one may add it.
const WAIT: u8 = 64;

/// What may be added.
#[derive(Debug)]
pub(super) struct Lessons {
    /// What this request may still add; `None`: all was known so far.
    left: Option<u8>,
    /// Whether the last request that was allowed to has added something: some have what is never kept.
    has_added: bool,
    /// Requests with something unknown until one may add it.
    wait: u8,
}

impl Lessons {
    pub(super) fn new() -> Lessons {
        Lessons {
            left: None,
            has_added: true,
            wait: 0,
        }
    }

    /// Another request comes.
    pub(super) fn begin(&mut self) {
        self.left = None;
    }

    /// Something was unknown: whether it may be added. `is_room`: without displacing anything.
    pub(super) fn take(&mut self, is_room: bool) -> bool {
        let left = self.left.unwrap_or_else(|| self.granted(is_room));
        self.left = Some(left.saturating_sub(1));
        left > 0
    }

    fn granted(&mut self, is_room: bool) -> u8 {
        if std::mem::take(&mut self.has_added) && is_room {
            return ROOMY;
        }
        self.wait = self.wait.checked_sub(1).unwrap_or(WAIT - 1);
        if self.wait == 0 { FULL } else { 0 }
    }

    /// What was allowed was new, and is kept.
    pub(super) fn added(&mut self) {
        self.has_added = true;
    }
}
