//! Why bytes make no image.

use super::tables::ImageError;

/// Why [`super::load`] refused.
#[derive(Debug)]
pub enum LoadError {
    /// The bytes do not begin as an image file does.
    NoImage,
    /// A later format than this version knows.
    Newer {
        /// The version of gavel that wrote the file.
        made_by: String,
    },
    /// Written by another version of gavel.
    OtherVersion {
        /// That version.
        made_by: String,
    },
    /// Written by a build of this version with other tables of ops or builtins.
    OtherBuild,
    /// The file ends too early.
    Truncated,
    /// There is more in the file than it says.
    TooLong,
    /// The bytes are not those that were written.
    Checksum,
    /// The checksum fits, but the parts cannot be read.
    Malformed(String),
    /// The parts can be read, but make no image.
    Image(ImageError),
    /// A policy calls a builtin that may not be called.
    Disallowed(String),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let this = env!("CARGO_PKG_VERSION");
        match self {
            LoadError::NoImage => f.write_str("no image file"),
            LoadError::Newer { made_by } => write!(
                f,
                "an image file of a newer format, made by gavel {made_by}; this is {this}: compile the domains again"
            ),
            LoadError::OtherVersion { made_by } => write!(
                f,
                "an image file made by gavel {made_by}; this is {this}, and an image only fits the version that made it: \
                 compile the domains again"
            ),
            LoadError::OtherBuild => write!(
                f,
                "an image file made by another build of gavel {this}: compile the domains again"
            ),
            LoadError::Truncated => f.write_str("the image file is truncated"),
            LoadError::TooLong => f.write_str("the image file has bytes behind its end"),
            LoadError::Checksum => f.write_str("the image file is corrupt: its checksum does not match"),
            LoadError::Malformed(what) => write!(f, "the image file is malformed: {what}"),
            LoadError::Image(error) => write!(f, "the image file is wrong: {error}"),
            LoadError::Disallowed(name) => {
                write!(
                    f,
                    "the image calls the builtin `{name}`, which is not allowed here"
                )
            }
        }
    }
}

impl std::error::Error for LoadError {}
