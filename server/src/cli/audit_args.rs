//! Flags of `serve` that say where access records go and what happens when they cannot.

use std::fs::{self, File, Metadata};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::PathBuf;

use clap::Args;

use crate::audit::spool::{Fsync, SpoolOptions};
use crate::audit::{FileOptions, FullPolicy, Output};
use crate::error::Failure;
use crate::limits;
use crate::log::{self, Level};

#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Access records")]
pub(crate) struct AuditArgs {
    /// What happens when access records come faster than they can be written, or cannot be written.
    #[arg(long, value_enum, default_value = "wait")]
    pub(crate) audit_full: FullPolicy,
    /// File for access records in place of standard output; SIGHUP opens it again.
    #[arg(long, value_name = "FILE")]
    pub(crate) audit_file: Option<PathBuf>,
    /// Size at which it is renamed to FILE.1 and begun anew; 0 never [default: 104857600].
    #[arg(long, value_name = "BYTES", requires = "audit_file")]
    pub(crate) audit_file_bytes: Option<u64>,
    /// Renamed files that are kept [default: 10].
    #[arg(long, value_name = "N", requires = "audit_file")]
    pub(crate) audit_file_count: Option<u32>,
    /// Folder into which access records are written first and from which they are delivered, also after a crash.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) audit_spool: Option<PathBuf>,
    /// What the spool may take; delivered records are kept until their room is needed [default: 1073741824].
    #[arg(long, value_name = "BYTES", requires = "audit_spool")]
    pub(crate) audit_spool_bytes: Option<u64>,
    /// When the spool is made to outlive a loss of power [default: interval].
    #[arg(long, value_enum, value_name = "WHEN", requires = "audit_spool")]
    pub(crate) audit_fsync: Option<Fsync>,
}

impl AuditArgs {
    /// What cannot be meant.
    ///
    /// # Errors
    /// A bound that is too small, or an empty name.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let names = [
            ("--audit-file", &self.audit_file),
            ("--audit-spool", &self.audit_spool),
        ];
        for (flag, path) in names {
            if path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
                return Err(Failure::Usage(format!("{flag} must not be empty")));
            }
        }
        let least = limits::SPOOL_BYTES_MIN;
        if self.audit_spool_bytes.is_some_and(|bytes| bytes < least) {
            return Err(Failure::Usage(format!(
                "--audit-spool-bytes must be at least {least}"
            )));
        }
        Ok(())
    }

    /// A process that is started with standard output closed has the null device in its place, which keeps nothing and never
    /// says so.
    fn check_standard_output(&self, output: &File) -> Result<(), Failure> {
        if !is_null_device(output) {
            return Ok(());
        }
        if self.audit_full == FullPolicy::Deny && self.audit_spool.is_none() {
            let text = "standard output is closed or /dev/null, and --audit-full deny has no decision without a record: name a file with \
                        --audit-file or a folder with --audit-spool";
            return Err(Failure::Operator(text.to_owned()));
        }
        let what = match self.audit_spool {
            Some(_) => "access records are delivered to nobody, and kept only while the spool has room",
            None => "access records are kept nowhere",
        };
        let text =
            format_args!("{what}: standard output is closed or /dev/null, and --audit-file is not given");
        log::line(Level::Warn, text);
        Ok(())
    }

    /// Opens what records go to.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(crate) fn output(&self) -> Result<Output, Failure> {
        let output = match &self.audit_file {
            Some(path) => Output::file(FileOptions {
                path: path.clone(),
                bytes_max: self.audit_file_bytes.unwrap_or(limits::AUDIT_FILE_BYTES_DEFAULT),
                keep: self.audit_file_count.unwrap_or(limits::AUDIT_FILES_DEFAULT),
            })?,
            None => {
                // A duplicate of the descriptor writes each batch with one call; `Stdout` would split it at its buffer's
                // size.
                let output = std::io::stdout().as_fd().try_clone_to_owned().map(File::from);
                let output = output.map_err(|e| Failure::Operator(format!("standard output: {e}")))?;
                self.check_standard_output(&output)?;
                Output::stream(Box::new(output), "standard output")
            }
        };
        match &self.audit_spool {
            Some(folder) => output.spooled(SpoolOptions {
                folder: folder.clone(),
                fsync: self.audit_fsync.unwrap_or_default(),
                bytes_max: self.audit_spool_bytes.unwrap_or(limits::SPOOL_BYTES_DEFAULT),
            }),
            None => Ok(output),
        }
    }
}

fn is_null_device(file: &File) -> bool {
    let device = |found: std::io::Result<Metadata>| {
        let found = found.ok()?;
        found.file_type().is_char_device().then(|| found.rdev())
    };
    let null = device(fs::metadata("/dev/null"));
    null.is_some() && device(file.metadata()) == null
}
