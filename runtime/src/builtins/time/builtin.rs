//! The builtins.

use super::civil::{Shift, WEEKDAYS, days_in};
use super::layout::{RFC3339, RFC3339_NANO, named};
use super::moment::{Moment, nanoseconds, offset_at};
use super::{duration, parse};
use crate::builtins::operand::{args, int, string};
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::Value;

/// `time.parse_rfc3339_ns(text)`
pub(in crate::builtins) fn parse_rfc3339_ns<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    parsed(call, RFC3339, string(text)?)
}

/// `time.parse_ns(layout, text)`
pub(in crate::builtins) fn parse_ns<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [layout, text] = self::args(args)?;
    let (layout, text) = (string(layout)?, string(text)?);
    parsed(call, named(layout), text)
}

fn parsed<'r>(call: &mut Call<'_, 'r>, layout: &str, text: &str) -> BuiltinResult<'r> {
    call.charge((layout.len() + text.len()) / 8)?;
    let (seconds, nanosecond) = parse::parse(layout, text).ok_or(Failure::BUILTIN)?;
    nanoseconds(seconds, nanosecond).map(Value::int)
}

/// `time.parse_duration_ns(text)`
pub(in crate::builtins) fn parse_duration_ns<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 8)?;
    duration::parse(text).map(Value::int).ok_or(Failure::BUILTIN)
}

/// `time.format(ns)`, `time.format([ns, zone, layout])`
pub(in crate::builtins) fn format<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [moment] = self::args(args)?;
    let (moment, layout) = Moment::of(call, moment)?;
    let layout = if layout.is_empty() {
        RFC3339_NANO
    } else {
        named(layout)
    };
    call.charge(layout.len() / 4)?;
    let mut out = Text::new(call.arena);
    super::format::write(&mut out, &moment, layout)?;
    out.value()
}

/// `time.date(ns)`: `[year, month, day]`
pub(in crate::builtins) fn date<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [moment] = self::args(args)?;
    let civil = Moment::of(call, moment)?.0.civil();
    numbers(call, &[civil.year, civil.month.into(), civil.day.into()])
}

/// `time.clock(ns)`: `[hour, minute, second]`
pub(in crate::builtins) fn clock<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [moment] = self::args(args)?;
    let civil = Moment::of(call, moment)?.0.civil();
    numbers(
        call,
        &[civil.hour.into(), civil.minute.into(), civil.second.into()],
    )
}

fn numbers<'r>(call: &mut Call<'_, 'r>, numbers: &[i64]) -> BuiltinResult<'r> {
    let items = call.arena.filled(numbers.len(), Value::NULL)?;
    for (place, number) in items.iter_mut().zip(numbers) {
        *place = Value::int(*number);
    }
    Ok(Value::array(items))
}

/// `time.weekday(ns)`: the English name.
pub(in crate::builtins) fn weekday<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [moment] = self::args(args)?;
    let civil = Moment::of(call, moment)?.0.civil();
    Ok(Value::string(
        WEEKDAYS.get(civil.weekday()).copied().unwrap_or_default(),
    ))
}

/// `time.add_date(ns, years, months, days)`
pub(in crate::builtins) fn add_date<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [moment, years, months, days] = self::args(args)?;
    let (moment, _) = Moment::of(call, moment)?;
    let shift = Shift {
        years: int(years)?,
        months: int(months)?,
        days: int(days)?,
    };
    let civil = moment.civil();
    let local = civil.seconds(shift);
    // The offset in force at the local time, taken once more at the instant that it gives.
    let zone = moment.zone.as_ref();
    let near = local.wrapping_sub(offset_at(zone, local));
    let seconds = local.wrapping_sub(offset_at(zone, near));
    nanoseconds(seconds, civil.nanosecond).map(Value::int)
}

/// `time.diff(ns1, ns2)`: `[years, months, days, hours, minutes, seconds]` between two instants, in the first one's zone.
pub(in crate::builtins) fn diff<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [first, second] = self::args(args)?;
    let (first, _) = Moment::of(call, first)?;
    let (mut second, _) = Moment::of(call, second)?;
    second.zone.clone_from(&first.zone);
    let (from, to) = if first.ns > second.ns {
        (second, first)
    } else {
        (first, second)
    };
    let (from, to) = (from.civil(), to.civil());
    let between = |to: u32, from: u32| i64::from(to) - i64::from(from);
    let mut years = to.year - from.year;
    let mut months = between(to.month, from.month);
    let mut days = between(to.day, from.day);
    let mut hours = between(to.hour, from.hour);
    let mut minutes = between(to.minute, from.minute);
    let mut seconds = between(to.second, from.second);
    // What is negative borrows from the next larger unit.
    let borrow = |small: &mut i64, large: &mut i64, size: i64| {
        if *small < 0 {
            *small += size;
            *large -= 1;
        }
    };
    borrow(&mut seconds, &mut minutes, 60);
    borrow(&mut minutes, &mut hours, 60);
    borrow(&mut hours, &mut days, 24);
    borrow(&mut days, &mut months, i64::from(days_in(from.year, from.month)));
    borrow(&mut months, &mut years, 12);
    numbers(call, &[years, months, days, hours, minutes, seconds])
}
