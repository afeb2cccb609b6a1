//! Policies once more, compiled so that they tell what happens in them.

use std::sync::Arc;

use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::image::Image;

use crate::envoy::Mapper;
use crate::trace::Texts;

/// Policies compiled for tracing, and what they were made from.
pub struct Traced {
    /// The policies.
    pub image: Image,
    /// All texts.
    pub sources: SourceMap,
    /// Which of them each source of the image's program is.
    pub files: Vec<FileId>,
    /// The mapper for Envoy, where Envoy is served and there is one.
    pub mapper: Option<Mapper>,
}

/// Reads the sources of what is served and compiles them for tracing. It is given the digest of the image file that is
/// served, which the sources must make; otherwise it says why there is nothing.
pub type Retrace = Arc<dyn Fn(&[u8; 32]) -> Result<Traced, String> + Send + Sync>;

impl Traced {
    /// The texts behind the image's program.
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts {
            sources: &self.sources,
            files: &self.files,
        }
    }

    /// The mapper, and the texts behind its program.
    pub(super) fn mapper(&self) -> Option<(&Mapper, Texts<'_>)> {
        let mapper = self.mapper.as_ref()?;
        let texts = Texts {
            sources: &self.sources,
            files: &mapper.files,
        };
        Some((mapper, texts))
    }
}
