//! What the documentation says of bounds and settings is what the program has.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use std::collections::BTreeSet;
use std::path::Path;

use gavel_compiler::domain::limits as domain;
use gavel_server::limits::*;

fn text_of(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// A number as the documents write it.
fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or_default().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size as the documents write it.
fn bytes(number: impl TryInto<u64>) -> String {
    let number = number.try_into().unwrap_or_default();
    match number {
        n if n >= 1 << 30 && n.is_multiple_of(1 << 30) => format!("{} GiB", n >> 30),
        n if n >= 1 << 20 && n.is_multiple_of(1 << 20) => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 && n.is_multiple_of(1 << 10) => format!("{} KiB", n >> 10),
        n => format!("{n} B"),
    }
}

/// A time as the documents write it.
fn seconds(number: u64) -> String {
    match number {
        n if n >= 300 && n.is_multiple_of(60) => format!("{} minutes", n / 60),
        n => format!("{n} s"),
    }
}

/// A constant of the server, the row of `docs/limits.md` that it stands in, and how it stands there.
macro_rules! rows {
    ($($how:ident $name:ident $row:literal)*) => { vec![$((stringify!($name), $row, $how($name))),*] };
}

/// Constants that nobody meets who sends requests, writes policies or runs the service: sizes of buffers, shares of time.
const INNER: &[&str] = &[
    "DOCUMENT_BYTES_COPIED",
    "TURN_NS",
    "OUTPUT_BYTES_FLUSH",
    "READS_PER_TURN",
    "ACCEPTS_PER_TURN",
    "INPUT_BYTES_IDLE",
    "INPUT_BYTES_START",
    "OUTPUT_BYTES_START",
    "BUFFER_BYTES_KEEP",
    "BUFFERS_KEEP",
    "BATCH_SLICE_NS",
    "BATCH_PACE_NS",
    "DEALT_CONNECTIONS_PER_WORKER",
    "AUDIT_BATCH_BYTES",
    "AUDIT_RECORDS_BEFORE_YIELD",
    "AUDIT_TEXT_BYTES_KEEP",
    "AUDIT_LOOK_US",
    "AUDIT_RETRY_MS_MIN",
    "AUDIT_RETRY_MS_MAX",
    "SPOOL_INTERVAL_MS",
    "STACK_BYTES",
    "ENVOY_STREAM_WINDOW_BYTES",
    "ENVOY_CONNECTION_WINDOW_BYTES",
    "UNIX_SOCKET_MODE",
    "WATCH_QUIET_MS",
    "WATCH_SETTLE_MS_MAX",
    "CACHE_LINE_BYTES_MAX",
    "REPLAY_BUFFER_BYTES",
    "OPA_PACKED_BYTES_MIN",
    "TLS_READ_BYTES",
    "TLS_READ_BYTES_IDLE",
    "TLS_RECORD_BYTES",
    "WHY_LOOK_SECONDS",
    "MESSAGE_DEPTH_MAX",
    "BODY_BYTES_PER_SECOND_MIN",
];

fn nanoseconds(number: u64) -> String {
    match number / 1_000_000 {
        ms if ms >= 1000 => seconds(ms / 1000),
        ms => format!("{ms} ms"),
    }
}

fn milliseconds(number: u64) -> String {
    nanoseconds(number * 1_000_000)
}

fn microseconds(number: u64) -> String {
    nanoseconds(number * 1000)
}

fn of_the_server() -> Vec<(&'static str, &'static str, String)> {
    rows! {
        bytes HEAD_BYTES_MAX "request line and header fields"
        count HEADERS_MAX "header fields"
        bytes TARGET_BYTES_MAX "request target"
        bytes BODY_BYTES_MAX_DEFAULT "body"
        bytes BODY_BYTES_MAX_CEILING "body"
        bytes CHUNK_LINE_BYTES_MAX "chunk-size line"
        bytes CHUNK_EXTENSION_BYTES_MAX "all chunk extensions"
        bytes TRAILER_BYTES_MAX "trailers"
        count BATCH_DECISIONS_MAX "PORCs in a batch"
        nanoseconds BATCH_NS_MAX "time of a batch"
        count AUTHZEN_EVALUATIONS_MAX "questions of an AuthZEN batch"
        bytes AUTHZEN_PORC_BYTES_MAX "bytes of their PORCs"
        count AUTHZEN_RESULTS_MAX "results of a page of an AuthZEN search"
        count AUTHZEN_ASKED_MAX "candidates of a page"
        bytes OPA_ANSWER_BYTES_MAX "answer of OPA's data API"
        bytes OPA_INDENTED_BYTES_MAX "the same, indented"
        bytes REQUEST_ID_BYTES_MAX "`X-Request-ID` that goes back"
        count CONNECTIONS_PER_WORKER_DEFAULT "open connections of a thread"
        count CONNECTIONS_PER_WORKER_DEFAULT_TLS "open connections of a thread"
        bytes TLS_HANDSHAKE_BYTES_MAX "bytes that a client sends before its handshake is over"
        count LISTEN_BACKLOG "connections in that queue"
        count IN_FLIGHT_PER_WORKER_DEFAULT "requests that a thread works on at the same time"
        count RETRY_AFTER_SECONDS "requests that a thread works on at the same time"
        bytes INPUT_BYTES_PER_WORKER "bytes of large requests that a thread holds"
        bytes SEND_BUFFER_BYTES "bytes of answers that the kernel keeps"
        bytes OUTPUT_BYTES_PER_WORKER "bytes of large answers"
        bytes KEPT_BYTES_PER_WORKER "bytes that batches"
        bytes KEPT_BYTES_SMALL "bytes that batches"
        bytes WRITE_BYTES "bytes of an answer that are sent at once"
        seconds IDLE_SECONDS "time without a request"
        seconds HEAD_SECONDS "time for a head, or a TLS handshake"
        seconds BODY_SECONDS "time for a body"
        seconds BODY_SECONDS_KEPT "time for which a body"
        seconds WRITE_SECONDS "time for taking an answer"
        seconds LINGER_SECONDS "time after the last answer"
        bytes LINGER_BYTES_MAX "time after the last answer"
        seconds DRAIN_SECONDS_DEFAULT "time to drain"
        count DRAIN_SECONDS_MAX "time to drain"
        count DRAIN_SECONDS_MAX "time before that"
        seconds AUDIT_FLUSH_SECONDS "time to write what is left of the records then"
        nanoseconds DECISION_NS_MAX "time of one decision"
        bytes ENVOY_BODY_BYTES_MAX_DEFAULT "body of a request"
        bytes ENVOY_ATTRIBUTES_BYTES_MAX "everything besides the body"
        count MESSAGE_FIELDS_MAX "fields of one message"
        bytes ENVOY_HEAD_BYTES_MAX "header section of a request over HTTP"
        count ENVOY_HEADERS_MAX "header fields of it"
        seconds HEAD_SECONDS "time for a head of a request over HTTP"
        seconds ENVOY_REQUEST_SECONDS "time until a message is here"
        count ENVOY_CONNECTIONS_MAX_DEFAULT "connections of all threads"
        count ENVOY_LEAVING_MAX "connections beside these that are going"
        milliseconds ENVOY_FAREWELL_MS "connections beside these that are going"
        seconds ENVOY_LEAVE_SECONDS "time for which one that has to go is still served"
        milliseconds ENVOY_READ_MS "time for which one that has to go is still served"
        count ENVOY_STREAMS_MAX "calls on one connection at the same time"
        seconds ENVOY_PING_SECONDS "pause between two pings"
        seconds ENVOY_PONG_SECONDS "time for the answer to a ping"
        count MAPPER_LANES "mappers that wait at the same time"
        count MAPPER_QUEUE_MAX "requests that wait for their turn"
        seconds FETCH_SECONDS_MAX "time of all `http.send` of one evaluation"
        count FETCH_REQUESTS_MAX "different calls of one evaluation"
        count FETCH_REDIRECTS_MAX "redirects of one call"
        bytes FETCH_ANSWER_BYTES_MAX "body of one answer"
        bytes FETCH_KEPT_BYTES_MAX "answers that are kept"
        count FETCH_KEPT_MAX "answers that are kept"
        bytes AUDIT_RING_BYTES_MIN "ring of access records of a thread"
        count AUDIT_REVISIONS_MAX "revisions that are kept for records alone"
        milliseconds AUDIT_REVISIONS_WAIT_MS "revisions that are kept for records alone"
        microseconds AUDIT_WAIT_US "wait for room in it"
        bytes SPOOL_BYTES_DEFAULT "spool"
        bytes SPOOL_BYTES_MIN "spool"
        bytes SPOOL_SEGMENT_BYTES "one file of the spool"
        bytes AUDIT_FILE_BYTES_DEFAULT "file of access records"
        count AUDIT_FILES_DEFAULT "renamed files"
        bytes TEXT_BYTES_MAX "a PolicyDomain file, a Rego file, a configuration file"
        bytes INPUT_FILE_BYTES_MAX "input of the verbs of `test`"
        bytes DOCUMENT_BYTES_MAX "values of one file that `gavel eval` reads"
        bytes REPLAY_RECORD_BYTES_MAX "one record of a replay"
        bytes REPLAY_SKIP_BYTES_MAX "one record of a replay"
        bytes IMAGE_BYTES_MAX "an image file"
        bytes CERTIFICATE_BYTES_MAX "certificates and keys"
        bytes SIGNATURE_BYTES_MAX "a signature, or the key"
        count LABEL_CHARS_MAX "label of a revision"
        seconds SOURCE_SECONDS_MAX "time of one question with its answer"
        seconds SOURCE_POLL_SECONDS "pause between two questions"
        count SOURCE_POLL_SECONDS_MAX "pause between two questions"
        seconds SOURCE_PAUSE_SECONDS_MAX "longest pause after failures in a row"
        seconds WATCH_POLL_SECONDS "pause between two looks at watched files"
        seconds CERTIFICATE_SECONDS "pause between two looks at certificates"
        count CERTIFICATE_DAYS_WARNED "time before a certificate runs out"
        count ADMIN_CONNECTIONS_MAX "connections"
        seconds ADMIN_CONNECTION_SECONDS "time of a connection"
        count TOKEN_BYTES_MIN "the token"
        bytes TOKEN_BYTES_MAX "the file with the token"
        count ADMIN_DECISIONS_MAX "records that are kept for the page"
        bytes ADMIN_DECISION_BYTES_MAX "one of them"
        count ADMIN_PAGE_ENTRIES "entries of one answer of `/loaded.json`"
        bytes WHY_BODY_BYTES_MAX "a PORC for `/why`"
        seconds WHY_SECONDS_MAX "time of the answer of `/why`"
        nanoseconds WHY_NS_MAX "time of the decision that is watched for it"
        count WHY_BODIES_MAX "bodies of rules in the answer"
        bytes WHY_TEXT_BYTES_MAX "one text in it"
        seconds WHY_KEEP_SECONDS "time for which policies are kept"
    }
}

/// The same of the compiler and of the runtime.
fn of_the_rest() -> Vec<(&'static str, &'static str, String)> {
    use gavel_compiler::limits as compiler;
    use gavel_runtime::limits as runtime;
    const BUDGET: runtime::Limits = runtime::Limits::DEFAULT;
    const CALLS: &str = "nested calls";
    const ERRORS: &str = "errors that are told for one module";
    const FILES: &str = "a PolicyDomain file; a Rego module";
    const PATTERNS: &str = "one constant pattern, compiled; all of a program";
    vec![
        ("fuel", "steps", count(BUDGET.fuel)),
        (
            "arena_max_bytes",
            "memory for values of one request",
            bytes(BUDGET.arena_max_bytes),
        ),
        ("frames_max", CALLS, count(BUDGET.frames_max)),
        ("stack_cells_max", CALLS, count(BUDGET.stack_cells_max)),
        (
            "BUILTIN_DEPTH_MAX",
            "nesting of documents, schemas and queries",
            count(runtime::BUILTIN_DEPTH_MAX),
        ),
        (
            "JSON_DEPTH_MAX",
            "nesting of JSON in a request",
            count(runtime::JSON_DEPTH_MAX),
        ),
        ("PREPARED_BYTES_MAX", PATTERNS, bytes(runtime::PREPARED_BYTES_MAX)),
        ("MODULE_BYTES_MAX", FILES, bytes(compiler::MODULE_BYTES_MAX)),
        ("FILE_BYTES_MAX", FILES, bytes(domain::FILE_BYTES_MAX)),
        (
            "NESTING_MAX",
            "nesting of a statement's",
            count(compiler::NESTING_MAX),
        ),
        (
            "REF_ELEMENTS_MAX",
            "elements of a reference",
            count(compiler::REF_ELEMENTS_MAX),
        ),
        (
            "MODIFIER_COPIES_MAX",
            "calls of one statement",
            count(compiler::MODIFIER_COPIES_MAX),
        ),
        (
            "NUMBER_EXPONENT_MAX",
            "binary exponent of a number",
            count(compiler::NUMBER_EXPONENT_MAX),
        ),
        ("PARSE_ERRORS_MAX", ERRORS, count(compiler::PARSE_ERRORS_MAX)),
        ("COMPILE_ERRORS_MAX", ERRORS, count(compiler::COMPILE_ERRORS_MAX)),
        ("DEPTH_MAX", "nesting of YAML", count(domain::DEPTH_MAX)),
        ("NODES_MAX", "nodes of YAML", count(domain::NODES_MAX)),
        (
            "domain::JSON_DEPTH_MAX",
            "nesting of a JSON text in an annotation",
            count(domain::JSON_DEPTH_MAX),
        ),
        (
            "SELECTOR_BYTES_MAX",
            "one selector",
            bytes(domain::SELECTOR_BYTES_MAX),
        ),
        (
            "LIBRARIES_MAX",
            "libraries that a module needs",
            count(domain::LIBRARIES_MAX),
        ),
    ]
}

#[test]
fn the_page_of_limits_has_every_bound_of_the_server() {
    let page = text_of("docs/limits.md");
    let rows: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| ")).collect();
    let server = of_the_server();
    for (name, begin, value) in server.iter().chain(&of_the_rest()) {
        let has = |row: &&str| {
            let cells: Vec<&str> = row.split(" | ").collect();
            row.starts_with(begin)
                && cells
                    .iter()
                    .skip(1)
                    .any(|cell| words(cell).any(|word| word == *value))
        };
        assert!(
            rows.iter().any(has),
            "docs/limits.md: `| {begin}` lacks {value} ({name})"
        );
    }
    let source = text_of("server/src/limits.rs");
    let declared: BTreeSet<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split(':').next())
        .filter(|name| !name.starts_with("fn "))
        .collect();
    let known: BTreeSet<&str> = server
        .iter()
        .map(|(name, ..)| *name)
        .chain(INNER.iter().copied())
        .collect();
    let new: Vec<&&str> = declared.difference(&known).collect();
    assert!(
        new.is_empty(),
        "{new:?}: give each a row in docs/limits.md and in `of_the_server`, or name it in `INNER`"
    );
    let gone: Vec<&&str> = known.difference(&declared).collect();
    assert!(
        gone.is_empty(),
        "{gone:?} are no constants of the server any more"
    );
}

/// The words of a cell, and each with the one behind it: `4 MiB` is found and `64 MiB` is no `4 MiB`.
fn words(cell: &str) -> impl Iterator<Item = String> {
    let parts: Vec<&str> = cell
        .split([' ', ';'])
        .map(|part| part.trim_matches([',', '`']))
        .collect();
    let pairs: Vec<String> = parts.windows(2).map(|pair| pair.join(" ")).collect();
    parts
        .into_iter()
        .map(str::to_owned)
        .chain(pairs)
        .collect::<Vec<_>>()
        .into_iter()
}

#[test]
fn every_limit_has_a_default_an_outcome_and_a_reason() {
    const COLUMNS: &str = "| limit | default | set by | over it | why |";
    let page = text_of("docs/limits.md");
    let table: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    let (heads, rows): (Vec<&str>, Vec<&str>) = table.iter().partition(|row| **row == COLUMNS);
    let rules = rows.iter().filter(|row| **row == "|---|---|---|---|---|").count();
    assert_eq!(heads.len(), rules, "every table has the columns {COLUMNS}");
    for row in rows.iter().filter(|row| !row.starts_with("|-")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [limit, default, _, over, why] = cells[..] else {
            panic!("docs/limits.md: `{row}` has {} cells", cells.len());
        };
        assert!(
            ![limit, default, over].contains(&"") && why.len() >= 8,
            "docs/limits.md: `{limit}` lacks its default, what happens over it, or why it is there"
        );
    }
}

/// Words of others that the runbook names.
const FOREIGN: &[&str] = &["subPath", "sha256sum", "ss -tn"];

/// All text of the files below a folder, with texts of Rust that go on in the next line in one piece.
fn texts_below(folder: &Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts_below(&path, out);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let mut parts = text.split("\\\n");
            out.push_str(parts.next().unwrap_or_default());
            parts.for_each(|part| out.push_str(part.trim_start()));
        }
    }
}

#[test]
fn what_the_runbook_quotes_is_said_by_the_program() {
    let mut code = String::new();
    for folder in ["server/src", "compiler/src", "runtime/src", "deploy"] {
        texts_below(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder),
            &mut code,
        );
    }
    let page = text_of("docs/runbook.md");
    let prose = page.split("```").step_by(2).flat_map(str::lines);
    let spans = prose.flat_map(|line| line.split('`').skip(1).step_by(2));
    // Commands, flags, paths and JSON are what `conformance/docs/check.py` looks at.
    let is_other = |span: &&str| {
        ["gavel ", "curl ", "--", "/", "{"]
            .iter()
            .any(|begin| span.starts_with(begin))
    };
    for span in spans.filter(|span| !is_other(span)) {
        let name = span.split('{').next().unwrap_or(span);
        for piece in name.split(['…', ':']).map(str::trim) {
            let known = code.contains(piece) || FOREIGN.contains(&piece);
            assert!(
                known,
                "docs/runbook.md: `{span}`: nothing of the program says `{piece}`"
            );
        }
    }
}
