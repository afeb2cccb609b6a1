//! What decides at one time: an image with everything that was loaded with it, under a number.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use gavel_runtime::decision::RecordOptions;
use gavel_runtime::image::Image;

use crate::authzen::Listed;
use crate::envoy::Lens;
use crate::opa::Documents;
use crate::trace::Tracing;

/// What was loaded and waits for its number.
pub struct Fresh {
    /// The policies.
    pub image: Arc<Image>,
    /// SHA-256 of the image file that these policies make.
    pub digest: [u8; 32],
    /// What the operator calls them.
    pub label: Option<String>,
    /// The mapper for Envoy, where Envoy is served.
    pub lens: Option<Lens>,
    /// All documents of the policies, where OPA's data API is served.
    pub documents: Option<Documents>,
    /// What is needed to trace decisions, if they are traced.
    pub tracing: Option<Tracing>,
    /// How access records are written.
    pub records: RecordOptions,
    /// Records say by which revision they were decided.
    pub is_recorded: bool,
}

/// A [`Fresh`] that was given its number. It does not change any more.
pub struct Revision {
    /// 1 for what the process started with, one more for each that took its place.
    pub number: u64,
    /// SHA-256 of the image file that these policies make, in hexadecimal digits.
    pub digest: String,
    /// When it was published.
    pub since: SystemTime,
    /// What decides, and what came with it.
    pub loaded: Fresh,
    /// How access records are written, with what they say of this revision.
    pub records: RecordOptions,
    /// What searches of AuthZEN may find.
    pub listed: Arc<Listed>,
    /// The archive has it, so that records may name it.
    is_kept: AtomicBool,
}

/// Bytes in front of what the engine says of a decision: the number of the revision.
const NUMBER_BYTES: usize = 8;

impl Revision {
    /// Gives a number to what was loaded.
    #[must_use]
    pub fn new(number: u64, loaded: Fresh) -> Revision {
        let digest = hexadecimal(&loaded.digest);
        let mut records = loaded.records.clone();
        if loaded.is_recorded {
            note(&mut records, "policy.digest", &digest);
            note(&mut records, "policy.revision", &number.to_string());
            if let Some(label) = &loaded.label {
                note(&mut records, "policy.label", label);
            }
        }
        Revision {
            number,
            digest,
            since: SystemTime::now(),
            listed: Arc::new(Listed::of(&loaded.image)),
            loaded,
            records,
            is_kept: AtomicBool::new(false),
        }
    }

    /// The archive has it from now on, until its last record is written.
    pub(super) fn keep(&self) {
        self.is_kept.store(true, Ordering::Release);
    }

    /// Whether records of this are taken. Where they are not, nobody could write them.
    #[inline]
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Acquire)
    }

    /// What decides.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.loaded.image
    }

    /// Whether nothing would change if `fresh` took the place of this.
    #[must_use]
    pub fn says_the_same_as(&self, fresh: &Fresh) -> bool {
        let ours = &self.loaded;
        // A trace shows the places of texts, which the digest does not cover.
        ours.tracing.is_none()
            && ours.digest == fresh.digest
            && ours.label == fresh.label
            && ours.image.include_all_references() == fresh.image.include_all_references()
            && ours.records.env == fresh.records.env
            && ours.records.grants_sample == fresh.records.grants_sample
            // What tells rules from others is in their text.
            && format!("{:?}", ours.records.redact) == format!("{:?}", fresh.records.redact)
            && ours.is_recorded == fresh.is_recorded
            && match (&ours.documents, &fresh.documents) {
                (Some(ours), Some(fresh)) => ours.has_libraries_of(fresh),
                (ours, fresh) => ours.is_some() == fresh.is_some(),
            }
    }

    /// Begins a frame for the audit thread. What the engine says of the decision comes behind it.
    pub fn begin_frame(&self, frame: &mut Vec<u8>) {
        frame.extend_from_slice(&self.number.to_le_bytes());
    }

    /// The number that a frame begins with, and what the engine said.
    #[must_use]
    pub fn split_frame(frame: &[u8]) -> Option<(u64, &[u8])> {
        let (number, rest) = frame.split_first_chunk::<NUMBER_BYTES>()?;
        Some((u64::from_le_bytes(*number), rest))
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Sets one member of a record's `metadata.env`, which is sorted by name. The truth wins over a setting of the same name.
fn note(records: &mut RecordOptions, name: &str, value: &str) {
    let entry = (name.to_owned(), value.to_owned());
    let place = records
        .env
        .binary_search_by(|(known, _)| known.as_str().cmp(name));
    match place {
        Ok(at) => {
            if let Some(known) = records.env.get_mut(at) {
                *known = entry;
            }
        }
        Err(at) => records.env.insert(at, entry),
    }
}
