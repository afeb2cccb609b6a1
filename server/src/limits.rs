//! Every bound of the server with its reason. A request over a bound is answered with a 4xx, never cut silently.

/// Request line and header fields together; more is 431. Real heads are below 4 KiB, proxies allow 8 to 16 KiB.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Header fields of one request; more is 431.
pub const HEADERS_MAX: usize = 64;

/// Request target; more is 414.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;

/// Body of one request unless the command line says otherwise; more is 413.
pub const BODY_BYTES_MAX_DEFAULT: usize = 1024 * 1024;

/// Largest value that `--max-body-bytes` takes: spans and frame lengths are 32-bit.
pub const BODY_BYTES_MAX_CEILING: usize = 256 * 1024 * 1024;

/// One chunk-size line with its extension; more is 400.
pub const CHUNK_LINE_BYTES_MAX: usize = 256;

/// All chunk extensions of one request; more is 400. They carry nothing that we read.
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 8 * 1024;

/// Trailer section of one chunked request; more is 431.
pub const TRAILER_BYTES_MAX: usize = 8 * 1024;

/// Answers that may wait in memory before they are written although more requests are already buffered. A connection whose
/// client takes nothing holds as much.
pub const OUTPUT_BYTES_FLUSH: usize = 16 * 1024;

/// Bytes of an answer that are handed to the kernel at once; the others get their turn before the next ones. The kernel
/// copies some gigabytes a second, so that this holds up nobody for longer than a few decisions take.
pub const WRITE_BYTES: usize = 16 * 1024;

/// Longest document of the service's own that is copied behind the head of its answer; a longer one is sent from where it is.
pub const DOCUMENT_BYTES_COPIED: usize = 1024;

/// What the kernel may keep of one connection's answers that the client has not taken; it counts its own costs, too, and
/// doubles this. Without the bound it grows to some megabytes for each client that does not read. Enough for a megabyte a
/// second over the slowest of links.
pub const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Bytes of large answers (batches, AuthZEN, OPA's data API) of one worker that wait to be taken; while there are more, such
/// requests get 503.
pub const OUTPUT_BYTES_PER_WORKER: usize = 64 * 1024 * 1024;

/// Time that the requests of one connection which are here at once may take until the others get their turn.
pub const TURN_NS: u64 = 100_000;

/// Bytes of a file with policies, tests or documents, and of a configuration file; what the compiler reads of one.
pub const TEXT_BYTES_MAX: usize = gavel_compiler::domain::limits::FILE_BYTES_MAX;

/// Bytes of what is given with `--input` or on standard input: a PORC as large as a service may take.
pub const INPUT_FILE_BYTES_MAX: usize = BODY_BYTES_MAX_CEILING;

/// Memory that the values of one file may take which `gavel eval` reads.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 30;

/// Reads after which a connection that always has more to read lets the others run.
pub const READS_PER_TURN: u32 = 4;

/// Connections that are accepted one after the other until those that are open get their turn: some 100 µs, with what each of
/// them does first.
pub const ACCEPTS_PER_TURN: u32 = 4;

/// Receive buffer that a connection keeps while it waits for its next request: a head and a PORC of the usual size. One
/// whose requests are larger waits without any and reads in two steps.
pub const INPUT_BYTES_IDLE: usize = 1024;

/// First size of a receive buffer for what is larger: some twenty pipelined requests. Connections share these.
pub const INPUT_BYTES_START: usize = 8 * 1024;

/// First size of a send buffer; connections share these.
pub const OUTPUT_BYTES_START: usize = 2 * 1024;

/// A buffer that grew beyond this is given back once its connection is idle or closed, or its record handed over.
pub const BUFFER_BYTES_KEEP: usize = 64 * 1024;

/// Bytes by which all receive buffers of one worker together may exceed their first size; a request that needs more gets
/// 503. Some sixty bodies of the default bound at the same time; a larger bound on bodies raises it, see [`input_bytes`].
pub const INPUT_BYTES_PER_WORKER: usize = 64 * 1024 * 1024;

/// The same where the command line bounds bodies: room for two of the largest, whose buffers grow by doubling.
#[must_use]
pub const fn input_bytes(body_bytes_max: usize) -> usize {
    larger(body_bytes_max.saturating_mul(4), INPUT_BYTES_PER_WORKER)
}

/// `Ord::max` is no `const fn`.
const fn larger(one: usize, other: usize) -> usize {
    if one > other { one } else { other }
}

/// Shared buffers of either kind that a worker keeps while no connection needs them.
pub const BUFFERS_KEEP: usize = 256;

/// Requests in one batch; more is 413. Their bodies together are bounded as one body is.
pub const BATCH_DECISIONS_MAX: usize = 10_000;

/// Time after which a batch lets the other connections of its core run.
pub const BATCH_SLICE_NS: u64 = 100_000;

/// Time that all decisions of a batch may take; what was not decided then is denied, with a record each.
pub const BATCH_NS_MAX: u64 = 10_000_000_000;

/// Longest time that a batch waits before a slice, so that the audit thread can make room in a ring that is half full.
pub const BATCH_PACE_NS: u64 = 100_000_000;

/// Open connections for each worker up to which new ones go to the worker that has the fewest. With more of them the
/// kernel's own spreading is even enough, and costs nothing.
pub const DEALT_CONNECTIONS_PER_WORKER: usize = 50;

/// Bytes that the batches of one worker (of decisions, of AuthZEN, of OPA's data API) keep between their turns; while there are
/// more, those that are not small get 503.
pub const KEPT_BYTES_PER_WORKER: usize = 64 * 1024 * 1024;

/// A batch that keeps no more is small.
pub const KEPT_BYTES_SMALL: usize = 64 * 1024;

/// Open connections of one worker unless the command line says otherwise; at the bound one that waits for its client goes for
/// each that comes. Each takes some 2 KiB, with [`INPUT_BYTES_START`] on top while a head or a body is not complete, and
/// [`OUTPUT_BYTES_FLUSH`] while its client takes no answers: 254 MiB, of which idle ones are 22.
pub const CONNECTIONS_PER_WORKER_DEFAULT: usize = 10_000;

/// The same where the worker speaks TLS: a connection takes some 12 KiB when it is idle, and at the most 72, with a part of the
/// largest record ([`TLS_RECORD_BYTES`]) or handshake ([`TLS_HANDSHAKE_BYTES_MAX`]) besides the part of a request, and with answers
/// in clear and sealed: 176 MiB.
pub const CONNECTIONS_PER_WORKER_DEFAULT_TLS: usize = 2_500;

/// Requests that one worker works on at the same time unless the command line says otherwise. Decisions are over before the
/// next begins, so these are batches and answers that wait for a disk: more of them than this is a disk that stands still.
pub const IN_FLIGHT_PER_WORKER_DEFAULT: usize = 1_024;

/// Seconds after which a client that was shed may come again.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// Seconds that a connection may stay open without a request.
pub const IDLE_SECONDS: u64 = 75;

/// Seconds from the first byte of a request to the end of its head.
pub const HEAD_SECONDS: u64 = 10;

/// Seconds for which a body that is being sent keeps its connection from going for a newcomer: the usual ones are here at once.
pub const BODY_SECONDS_KEPT: u64 = 2;

/// Seconds that a body may take in any case; [`BODY_BYTES_PER_SECOND_MIN`] adds to them.
pub const BODY_SECONDS: u64 = 10;

/// Rate that a large body must keep up on average.
pub const BODY_BYTES_PER_SECOND_MIN: usize = 128 * 1024;

/// Seconds that a body may take where the command line bounds bodies.
#[must_use]
pub const fn body_seconds(body_bytes_max: usize) -> u64 {
    BODY_SECONDS + (body_bytes_max / BODY_BYTES_PER_SECOND_MIN) as u64
}

/// Seconds in which the client must take an answer.
pub const WRITE_SECONDS: u64 = 10;

/// Seconds for which input is still read and thrown away after the last answer, so that the client sees that answer
/// and not a reset.
pub const LINGER_SECONDS: u64 = 2;

/// Bytes that are thrown away for the same reason.
pub const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Time that one decision may take. Far beyond any useful policy; it bounds how long a hostile request blocks its core.
pub const DECISION_NS_MAX: u64 = 250_000_000;

/// Seconds that a drain may take before open connections are cut.
pub const DRAIN_SECONDS_DEFAULT: u64 = 20;

/// Most seconds that a drain may take, and that may pass before it begins.
pub const DRAIN_SECONDS_MAX: u64 = 86_400;

/// Seconds that the audit thread gets to write what is left after the last worker stopped.
pub const AUDIT_FLUSH_SECONDS: u64 = 10;

/// Smallest audit ring of one worker; it also holds twice the largest body.
pub const AUDIT_RING_BYTES_MIN: usize = 4 * 1024 * 1024;

/// The same where the command line bounds bodies: room for two of the largest.
#[must_use]
pub const fn audit_ring_bytes(body_bytes_max: usize) -> usize {
    larger(body_bytes_max.saturating_mul(2), AUDIT_RING_BYTES_MIN)
}

/// Bytes of text that the audit thread gathers before it writes.
pub const AUDIT_BATCH_BYTES: usize = 256 * 1024;

/// Records that the audit thread renders before it offers its processor to others: about 100 us. Where it shares one
/// with a worker and Linux knows no short turns (before 6.12), it would else go on for milliseconds while requests wait.
pub const AUDIT_RECORDS_BEFORE_YIELD: u32 = 16;

/// Size of the audit thread's text between two writes: a batch and the record that ends it, unless that one is large.
pub const AUDIT_TEXT_BYTES_KEEP: usize = AUDIT_BATCH_BYTES + 64 * 1024;

/// Time between two looks whether the audit thread has made room.
pub const AUDIT_LOOK_US: u64 = 20;

/// Under the policy `wait` a worker whose ring is full waits as long as the audit thread goes on, with any ring. One that took and
/// wrote nothing for so long cannot write: requests do not wait for that.
pub const AUDIT_WAIT_US: u64 = 100_000;

/// Pause before an outlet of records that failed is tried again; it doubles with every failure.
pub const AUDIT_RETRY_MS_MIN: u64 = 10;

/// The longest such pause: so long after a disk has room again records are written.
pub const AUDIT_RETRY_MS_MAX: u64 = 1000;

/// Revisions that are kept only because records of them wait to be written: so many images, at most, are what an outage of the
/// records' outlet costs besides the rings. Of a revision beyond that no record is taken until there is room.
pub const AUDIT_REVISIONS_MAX: usize = 8;

/// Time for which the next revision waits for room among them: the audit thread, where it is well, has made some in 50 ms.
pub const AUDIT_REVISIONS_WAIT_MS: u64 = 200;

/// Size at which a file of access records is turned over, unless the command line says otherwise.
pub const AUDIT_FILE_BYTES_DEFAULT: u64 = 100 * 1024 * 1024;

/// Full files of access records that are kept, unless the command line says otherwise: with the open one 1.1 GB.
pub const AUDIT_FILES_DEFAULT: u32 = 10;

/// Size of one file of the spool: large enough that a busy process makes few, small enough that room comes back in
/// pieces.
pub const SPOOL_SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// What the spool may take, unless the command line says otherwise.
pub const SPOOL_BYTES_DEFAULT: u64 = 1024 * 1024 * 1024;

/// The least that a spool may be bounded by; it has four segments.
pub const SPOOL_BYTES_MIN: u64 = 256 * 1024;

/// Milliseconds after which what was written to the spool is synced, under the policy `interval`; and after which it is
/// noted how far records were delivered from it.
pub const SPOOL_INTERVAL_MS: u64 = 100;

/// Stack of a worker, the audit thread, the reloader and the compiling thread: parsing and comparing recurse to their depth limits.
pub const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Body of a request over which is decided for Envoy, unless the command line says otherwise. Envoy sends as much of it as
/// its filter is told to, often 8 KiB.
pub const ENVOY_BODY_BYTES_MAX_DEFAULT: usize = 8 * 1024 * 1024;

/// What a CheckRequest may have besides the body; Envoy's own bound on headers is 60 KiB, metadata comes on top.
pub const ENVOY_ATTRIBUTES_BYTES_MAX: usize = 1024 * 1024;

/// Largest message over gRPC; more is denied.
#[must_use]
pub const fn envoy_message_bytes(body_bytes_max: usize) -> usize {
    body_bytes_max.saturating_add(ENVOY_ATTRIBUTES_BYTES_MAX)
}

/// Bytes of bodies and messages that one thread for Envoy holds at the same time: sixteen of the largest; more are denied.
#[must_use]
pub const fn envoy_held_bytes(body_bytes_max: usize) -> usize {
    envoy_message_bytes(body_bytes_max).saturating_mul(16)
}

/// Audit ring of one thread for Envoy: mappers put parts of a request into the PORC, bytes as base64.
#[must_use]
pub const fn envoy_ring_bytes(body_bytes_max: usize) -> usize {
    envoy_message_bytes(body_bytes_max).saturating_mul(4)
}

/// Open connections of all threads for Envoy unless the command line says otherwise; at the bound one that asks for nothing goes
/// for each that comes. An Envoy has one or two for each of its own threads. Each takes 23 KiB, with a part of a head on top: with
/// those that are going 59 MiB over gRPC, 160 MiB over HTTP.
pub const ENVOY_CONNECTIONS_MAX_DEFAULT: usize = 1024;

/// Connections beside these that have given way to newcomers and are going. With more of them newcomers wait for their end:
/// one on which nothing was begun has [`ENVOY_FAREWELL_MS`] then, and a first call, or half a head over HTTP,
/// [`ENVOY_LEAVE_SECONDS`].
pub const ENVOY_LEAVING_MAX: usize = 64;

/// Seconds for which a connection that has to go is still served: what its Envoy sent before it heard of that is answered, and
/// the answers go out. What has begun is waited for longer, [`FETCH_SECONDS_MAX`] at the most.
pub const ENVOY_LEAVE_SECONDS: u64 = 1;

/// Milliseconds in which one that keeps a newcomer waiting hears that it goes, if nothing was begun on it.
pub const ENVOY_FAREWELL_MS: u64 = 1;

/// Milliseconds before that in which it is told nothing: what the kernel has of it is read.
pub const ENVOY_READ_MS: u64 = 1;

/// Calls at the same time on one connection; Envoy keeps more back, or opens another connection.
pub const ENVOY_STREAMS_MAX: u32 = 256;

/// Bytes that one call may send ahead of what was read: the usual message whole.
pub const ENVOY_STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// The same for all calls of a connection.
pub const ENVOY_CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// Header section of one request over HTTP. Envoy lets clients send 60 KiB and adds its own.
pub const ENVOY_HEAD_BYTES_MAX: usize = 128 * 1024;

/// Header fields of one request over HTTP; Envoy's own bound is 100.
pub const ENVOY_HEADERS_MAX: usize = 256;

/// Seconds in which a message or body must be here.
pub const ENVOY_REQUEST_SECONDS: u64 = 10;

/// Seconds between two pings on an HTTP/2 connection, which find out whether its Envoy is still there.
pub const ENVOY_PING_SECONDS: u64 = 30;

/// Seconds in which a ping must be answered.
pub const ENVOY_PONG_SECONDS: u64 = 20;

/// Seconds that all `http.send` of one evaluation may take, whatever timeouts the policy sets.
pub const FETCH_SECONDS_MAX: u64 = 30;

/// Different requests of one evaluation.
pub const FETCH_REQUESTS_MAX: usize = 64;

/// Redirects of one request, as in Go.
pub const FETCH_REDIRECTS_MAX: u32 = 10;

/// Body of one answer.
pub const FETCH_ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Answers that are kept for later evaluations; the oldest go first.
pub const FETCH_KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Their number: the oldest is looked for among all.
pub const FETCH_KEPT_MAX: usize = 4096;

/// Threads on which mappers wait for `http.send`: so many requests to the outside at the same time.
pub const MAPPER_LANES: usize = 32;

/// Requests that wait for such a thread; more are denied.
pub const MAPPER_QUEUE_MAX: usize = 256;

/// Nesting of a protobuf message: what protobuf's own libraries take.
pub const MESSAGE_DEPTH_MAX: usize = 100;

/// Fields of one protobuf message besides metadata, whose list is kept while it is read: half a MiB. Headers are the most
/// that Envoy sends in one: 100 unless it is told otherwise.
pub const MESSAGE_FIELDS_MAX: usize = 16 * 1024;

/// Who may connect to a unix socket: its owner and its group.
pub const UNIX_SOCKET_MODE: u32 = 0o660;

/// Seconds after which watched files are looked at although nothing was heard of a change: some file systems tell nothing.
pub const WATCH_POLL_SECONDS: u64 = 5;

/// Milliseconds without a further change after which files are taken for written.
pub const WATCH_QUIET_MS: u64 = 200;

/// Milliseconds after which they are read although they still change.
pub const WATCH_SETTLE_MS_MAX: u64 = 2000;

/// Connections to the admin port at the same time: probes, a scraper or two, a person. More wait.
pub const ADMIN_CONNECTIONS_MAX: usize = 64;

/// Seconds that a connection to the admin port may last, whatever it does; a scraper that keeps one opens another then.
pub const ADMIN_CONNECTION_SECONDS: u64 = 600;

/// Shortest token of the admin port: one of random letters that nobody tries out.
pub const TOKEN_BYTES_MIN: usize = 16;

/// Bytes of the file with the token.
pub const TOKEN_BYTES_MAX: usize = 4096;

/// Seconds that one question to the source of policies may take, with its answer.
pub const SOURCE_SECONDS_MAX: u64 = 60;

/// Seconds between two questions to the source, unless the command line says otherwise.
pub const SOURCE_POLL_SECONDS: u64 = 30;

/// Most seconds between two questions to the source.
pub const SOURCE_POLL_SECONDS_MAX: u64 = 86_400;

/// Longest pause after failures in a row.
pub const SOURCE_PAUSE_SECONDS_MAX: u64 = 300;

/// Bytes of a signature or a public key, in any of their forms.
pub const SIGNATURE_BYTES_MAX: usize = 4096;

/// Bytes of the first line of what is kept of a source: a URL, a tag, a signature.
pub const CACHE_LINE_BYTES_MAX: usize = 64 * 1024;

/// Characters of the label of a revision, which stands in every record.
pub const LABEL_CHARS_MAX: usize = 200;

/// Connections that wait to be accepted.
pub const LISTEN_BACKLOG: i32 = 1024;

/// Bytes of an image file: what the compiler makes of several PolicyDomains of the largest size.
pub const IMAGE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Bytes of one record of a replay: the largest body of the service, spelled with escapes, and its references.
pub const REPLAY_RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of a record behind which a replay gives up: no records are written like that, and the input may never end.
pub const REPLAY_SKIP_BYTES_MAX: usize = 4 * REPLAY_RECORD_BYTES_MAX;

/// Bytes that a replay reads at once.
pub const REPLAY_BUFFER_BYTES: usize = 256 * 1024;

const _: () = assert!(TARGET_BYTES_MAX < HEAD_BYTES_MAX);
const _: () = assert!(AUDIT_RING_BYTES_MIN >= 2 * BODY_BYTES_MAX_DEFAULT);
const _: () = assert!(INPUT_BYTES_IDLE < INPUT_BYTES_START && INPUT_BYTES_START <= BUFFER_BYTES_KEEP);

/// Questions of one AuthZEN batch; more is 400.
pub const AUTHZEN_EVALUATIONS_MAX: usize = 1_000;

/// Bytes of the PORCs that one AuthZEN batch may make before the rest of it is denied: defaults are written into each.
pub const AUTHZEN_PORC_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Results of one page of an AuthZEN search.
pub const AUTHZEN_RESULTS_MAX: usize = 1_000;

/// Candidates that one page of an AuthZEN search asks about: some milliseconds of its core.
pub const AUTHZEN_ASKED_MAX: usize = 4_096;

/// Bytes of the answer of OPA's data API; a larger document is an error.
pub const OPA_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes from which on an answer of OPA's data API is packed for clients that take that; OPA's default.
pub const OPA_PACKED_BYTES_MIN: usize = 1024;

/// Bytes that an indented answer of OPA's data API may have at the most; it stays on one line where it could be more.
pub const OPA_INDENTED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of an `X-Request-ID` that goes back with the answer; a longer one does not.
pub const REQUEST_ID_BYTES_MAX: usize = 256;

/// Bytes of a file with certificates or a key.
pub const CERTIFICATE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes that are read at once from a connection under TLS: a handshake, or a part of a large request.
pub const TLS_READ_BYTES: usize = 4 * 1024;

/// The same while a request of the usual size is waited for, with what its record adds to it.
pub const TLS_READ_BYTES_IDLE: usize = INPUT_BYTES_IDLE + 64;

/// Bytes that a client may send before its handshake is over: half of what rustls would keep of one that goes on and on. Chains
/// of certificates have a few KiB.
pub const TLS_HANDSHAKE_BYTES_MAX: usize = 32 * 1024;

/// Bytes of text in the largest record of TLS (RFC 8446, 5.1).
pub const TLS_RECORD_BYTES: usize = 16 * 1024;

/// Seconds between two looks at the files with certificates.
pub const CERTIFICATE_SECONDS: u64 = 5;

/// Days before the end of a certificate from which the log warns: those who renew them do so weeks before, and who has to do it
/// by hand has a working day left, whatever the day.
pub const CERTIFICATE_DAYS_WARNED: i64 = 7;

/// Most access records that the admin port keeps for its page: what a person looks through.
pub const ADMIN_DECISIONS_MAX: usize = 1000;

/// Longest record that is kept there; of longer ones only the length is. With [`ADMIN_DECISIONS_MAX`] at most 16 MiB.
pub const ADMIN_DECISION_BYTES_MAX: usize = 16 * 1024;

/// Entries of what is loaded in one answer.
pub const ADMIN_PAGE_ENTRIES: usize = 200;

/// Largest PORC that the admin port explains: people paste them.
pub const WHY_BODY_BYTES_MAX: usize = 1024 * 1024;

/// Seconds that the answer may take, of which most goes into compiling the policies for tracing.
pub const WHY_SECONDS_MAX: u64 = 60;

/// Time of the decision that is watched. Watching is slow, and nothing waits for it but its asker.
pub const WHY_NS_MAX: u64 = 5_000_000_000;

/// Seconds after the last question until the traced policies are dropped.
pub const WHY_KEEP_SECONDS: u64 = 300;

/// Seconds between looks whether they still are what is served.
pub const WHY_LOOK_SECONDS: u64 = 10;

/// Bodies of rules in one explanation.
pub const WHY_BODIES_MAX: usize = 500;

/// Bytes of one text that an explanation shows.
pub const WHY_TEXT_BYTES_MAX: usize = 64 * 1024;
