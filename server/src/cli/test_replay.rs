//! `gavel test replay`: recorded requests decided again; what changed, and by which policies.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Error, ErrorKind, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::Instant;

use flate2::bufread::MultiGzDecoder;

use crate::cli::args::{Global, ReplayArgs};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::load::{self, Loaded};
use crate::error::{Failure, reason};
use crate::limits::REPLAY_BUFFER_BYTES;
use crate::log::{self, Level};
use crate::replay::{Replay, Stopped, Totals};
use crate::serve::desk;

/// Replays all files, in their order.
///
/// # Errors
/// Domains or files that cannot be used; a decision that changed or a record that is refused or malformed, of which nothing
/// more needs to be said.
pub(crate) fn run(args: &ReplayArgs, global: &Global) -> Result<(), Failure> {
    if global.trace {
        return Err(Failure::Usage(
            "a replay traces nothing: give one `porc` of the records to `test decision --trace`".to_owned(),
        ));
    }
    let loaded = load::load(&args.domains, global)?;
    let start = Instant::now();
    let totals = on_a_deep_stack(|| replay(args, &loaded))??;
    let seconds = start.elapsed().as_secs_f64();
    let rate = totals.records() as f64 / seconds.max(1e-9);
    log::line(
        Level::Info,
        format_args!("replayed in {seconds:.1} s, {rate:.0} records a second"),
    );
    match totals {
        Totals {
            same: 0, changed: 0, ..
        } => Err(Failure::Input(
            "no access record could be decided again".to_owned(),
        )),
        Totals {
            changed: 0,
            refused: 0,
            malformed: 0,
            ..
        } => Ok(()),
        _ => Err(Failure::Input(String::new())),
    }
}

fn replay(args: &ReplayArgs, loaded: &Loaded) -> Result<Totals, Failure> {
    let mut replay = Replay::new(&loaded.image, args.format, args.resolve, desk::wall_ns());
    let mut out = BufWriter::new(std::io::stdout().lock());
    for path in &args.records {
        let name = path.to_string_lossy();
        let stream = open(path)?;
        replay
            .stream(&name, stream, &mut out)
            .map_err(|stopped| match stopped {
                Stopped::Input(error) => Failure::Operator(format!("replay {name}: {}", reason(&error))),
                Stopped::Output(error) => unwritten(&error),
            })?;
    }
    let written = args.format.summary(&replay.totals, &mut out);
    match written.and_then(|()| out.flush()) {
        // Everything was decided: the status says it.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten(&error)),
        _ => Ok(replay.totals),
    }
}

/// Standard output that takes no more. A reader who has seen enough (`| head`) needs no message; there is something to
/// see only where the status is 1.
fn unwritten(error: &Error) -> Failure {
    Failure::Input(match error.kind() {
        ErrorKind::BrokenPipe => String::new(),
        _ => format!("standard output: {}", reason(error)),
    })
}

/// The lines of a file or of standard input, unpacked if it is in gzip's format.
fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    let unreadable = |error: Error| Failure::unreadable(path, &error);
    let mut plain: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::with_capacity(REPLAY_BUFFER_BYTES, std::io::stdin()))
    } else {
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.file_type().is_char_device() {
            let text = "a character device may never end; `-` reads standard input";
            return Err(unreadable(Error::new(ErrorKind::InvalidInput, text)));
        }
        Box::new(BufReader::with_capacity(REPLAY_BUFFER_BYTES, file))
    };
    // A pipe may bring its first byte alone; then that one has to do, and no record begins with it.
    if plain.fill_buf().map_err(unreadable)?.starts_with(&[0x1f]) {
        let unpacked = MultiGzDecoder::new(plain);
        return Ok(Box::new(BufReader::with_capacity(REPLAY_BUFFER_BYTES, unpacked)));
    }
    Ok(plain)
}
