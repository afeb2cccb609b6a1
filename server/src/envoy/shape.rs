//! What a mapper sees of each protobuf message of a CheckRequest: member names and kinds, by field number.
//!
//! The names are those of the reference, which hands Go's structures to `encoding/json`: the protocol's own names, but a
//! choice stands below the Go name of its group, and its members have Go names too.

/// A message: its plain members, and at most one group of which one member is set.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) members: &'static [Member],
    pub(super) choice: Option<Choice>,
}

/// A member of a message.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// A group of members of which at most one is set.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) name: &'static str,
    pub(super) members: &'static [Member],
}

/// How a member stands on the wire, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// UTF-8.
    Text,
    /// Bytes; base64 in JSON.
    Bytes,
    /// A varint that is true or false.
    Flag,
    /// A varint of 32 bits without sign, enums too.
    Unsigned,
    /// A varint of 64 bits with sign in two's complement.
    Signed,
    /// A message.
    One(&'static Message),
    /// Messages, one after the other.
    Many(&'static Message),
    /// Pairs of a text and a value of this kind, the last of equal texts counts.
    Map(&'static Kind),
    /// `google.protobuf.Struct`: a JSON object.
    Object,
}

const fn member(number: u32, name: &'static str, kind: Kind) -> Member {
    Member { number, name, kind }
}

const fn message(members: &'static [Member]) -> Message {
    Message {
        members,
        choice: None,
    }
}

/// `envoy.service.auth.v3.AttributeContext`
pub(super) static ATTRIBUTES: Message = message(&[
    member(1, "source", Kind::One(&PEER)),
    member(2, "destination", Kind::One(&PEER)),
    member(4, "request", Kind::One(&REQUEST)),
    member(10, "context_extensions", Kind::Map(&Kind::Text)),
    member(11, "metadata_context", Kind::One(&METADATA)),
    member(12, "tls_session", Kind::One(&TLS_SESSION)),
    member(13, "route_metadata_context", Kind::One(&METADATA)),
]);

static PEER: Message = message(&[
    member(1, "address", Kind::One(&ADDRESS)),
    member(2, "service", Kind::Text),
    member(3, "labels", Kind::Map(&Kind::Text)),
    member(4, "principal", Kind::Text),
    member(5, "certificate", Kind::Text),
]);

static REQUEST: Message = message(&[
    member(1, "time", Kind::One(&TIMESTAMP)),
    member(2, "http", Kind::One(&HTTP)),
]);

static HTTP: Message = message(&[
    member(1, "id", Kind::Text),
    member(2, "method", Kind::Text),
    member(3, "headers", Kind::Map(&Kind::Text)),
    member(4, "path", Kind::Text),
    member(5, "host", Kind::Text),
    member(6, "scheme", Kind::Text),
    member(7, "query", Kind::Text),
    member(8, "fragment", Kind::Text),
    member(9, "size", Kind::Signed),
    member(10, "protocol", Kind::Text),
    member(11, "body", Kind::Text),
    member(12, "raw_body", Kind::Bytes),
    member(13, "header_map", Kind::One(&HEADER_MAP)),
]);

static HEADER_MAP: Message = message(&[member(1, "headers", Kind::Many(&HEADER))]);

static HEADER: Message = message(&[
    member(1, "key", Kind::Text),
    member(2, "value", Kind::Text),
    member(3, "raw_value", Kind::Bytes),
]);

static TLS_SESSION: Message = message(&[member(1, "sni", Kind::Text)]);

static TIMESTAMP: Message = message(&[
    member(1, "seconds", Kind::Signed),
    member(2, "nanos", Kind::Signed),
]);

static METADATA: Message = message(&[
    member(1, "filter_metadata", Kind::Map(&Kind::Object)),
    member(2, "typed_filter_metadata", Kind::Map(&Kind::One(&ANY))),
]);

static ANY: Message = message(&[member(1, "type_url", Kind::Text), member(2, "value", Kind::Bytes)]);

static ADDRESS: Message = Message {
    members: &[],
    choice: Some(Choice {
        name: "Address",
        members: &[
            member(1, "SocketAddress", Kind::One(&SOCKET_ADDRESS)),
            member(2, "Pipe", Kind::One(&PIPE)),
            member(3, "EnvoyInternalAddress", Kind::One(&INTERNAL_ADDRESS)),
        ],
    }),
};

static SOCKET_ADDRESS: Message = Message {
    members: &[
        member(1, "protocol", Kind::Unsigned),
        member(2, "address", Kind::Text),
        member(5, "resolver_name", Kind::Text),
        member(6, "ipv4_compat", Kind::Flag),
        member(7, "network_namespace_filepath", Kind::Text),
    ],
    choice: Some(Choice {
        name: "PortSpecifier",
        members: &[
            member(3, "PortValue", Kind::Unsigned),
            member(4, "NamedPort", Kind::Text),
        ],
    }),
};

static PIPE: Message = message(&[member(1, "path", Kind::Text), member(2, "mode", Kind::Unsigned)]);

static INTERNAL_ADDRESS: Message = Message {
    members: &[member(2, "endpoint_id", Kind::Text)],
    choice: Some(Choice {
        name: "AddressNameSpecifier",
        members: &[member(1, "ServerListenerName", Kind::Text)],
    }),
};
