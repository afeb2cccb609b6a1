//! Time: nanoseconds since 1970 as 64-bit integers, Go's layouts, the IANA time zones.

mod builtin;
mod civil;
mod duration;
mod format;
mod layout;
mod moment;
mod parse;

pub(super) use builtin::{
    add_date, clock, date, diff, format, parse_duration_ns, parse_ns, parse_rfc3339_ns, weekday,
};
pub(crate) use civil::Civil;
pub(super) use duration::parse as parse_duration;
pub(super) use moment::Zones;
pub(super) use parse::{is_moment, rfc3339};
