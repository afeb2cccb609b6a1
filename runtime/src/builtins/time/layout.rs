//! Go's layouts: a text in which the parts of a reference time (`Mon Jan _2 15:04:05 MST 2006`) stand for elements.

/// What stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// `06`, `2006`
    Year,
    LongYear,
    /// `Jan`, `January`, `1`, `01`
    Month,
    LongMonth,
    NumMonth,
    ZeroMonth,
    /// `Mon`, `Monday`
    WeekDay,
    LongWeekDay,
    /// `2`, `_2`, `02`
    Day,
    UnderDay,
    ZeroDay,
    /// `__2`, `002`
    UnderYearDay,
    ZeroYearDay,
    /// `15`, `3`, `03`
    Hour,
    Hour12,
    ZeroHour12,
    /// `4`, `04`, `5`, `05`
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    /// `PM`, `pm`
    UpperPm,
    LowerPm,
    /// `MST`
    Zone,
    /// `-0700`, `Z07:00`, …
    Offset {
        z_for_utc: bool,
        colons: bool,
        minutes: bool,
        seconds: bool,
    },
    /// `.000`, `.999`, also with a comma.
    Fraction {
        trimmed: bool,
        digits: usize,
        separator: u8,
    },
}

const FIXED: [(&[u8], Element); 12] = [
    (b"2006", Element::LongYear),
    (b"MST", Element::Zone),
    (b"002", Element::ZeroYearDay),
    (b"__2", Element::UnderYearDay),
    (b"01", Element::ZeroMonth),
    (b"02", Element::ZeroDay),
    (b"03", Element::ZeroHour12),
    (b"04", Element::ZeroMinute),
    (b"05", Element::ZeroSecond),
    (b"06", Element::Year),
    (b"PM", Element::UpperPm),
    (b"pm", Element::LowerPm),
];

const SINGLE: [(u8, Element); 5] = [
    (b'1', Element::NumMonth),
    (b'2', Element::Day),
    (b'3', Element::Hour12),
    (b'4', Element::Minute),
    (b'5', Element::Second),
];

/// Offsets behind their `-` or `Z`, longest first where one begins another.
const OFFSETS: [(&[u8], bool, bool, bool); 5] = [
    (b"070000", false, true, true),
    (b"07:00:00", true, true, true),
    (b"0700", false, true, false),
    (b"07:00", true, true, false),
    (b"07", false, false, false),
];

/// The literal text before the next element, the element, and what follows it.
pub(super) fn next(layout: &[u8]) -> (&[u8], Option<Element>, &[u8]) {
    for at in 0..layout.len() {
        let (before, rest) = layout.split_at(at);
        // `_2006` is an underscore and a year.
        if rest.starts_with(b"_2") && !rest.starts_with(b"_2006") {
            return (before, Some(Element::UnderDay), rest.get(2..).unwrap_or_default());
        }
        if let Some((element, len)) = starts(rest) {
            return (before, Some(element), rest.get(len..).unwrap_or_default());
        }
    }
    (layout, None, &[])
}

/// The element that a layout starts with, and its length.
fn starts(layout: &[u8]) -> Option<(Element, usize)> {
    let first = *layout.first()?;
    match first {
        b'J' => name(layout, b"January", 3, Element::LongMonth, Element::Month),
        b'M' if !layout.starts_with(b"MST") => {
            name(layout, b"Monday", 3, Element::LongWeekDay, Element::WeekDay)
        }
        b'1' if layout.starts_with(b"15") => Some((Element::Hour, 2)),
        b'-' | b'Z' => {
            let rest = layout.get(1..)?;
            let (text, colons, minutes, seconds) =
                OFFSETS.iter().find(|(text, ..)| rest.starts_with(text))?;
            let element = Element::Offset {
                z_for_utc: first == b'Z',
                colons: *colons,
                minutes: *minutes,
                seconds: *seconds,
            };
            Some((element, 1 + text.len()))
        }
        b'.' | b',' => {
            let digit = *layout.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
            let digits = layout.iter().skip(1).take_while(|b| **b == digit).count();
            // Only a fraction of equal digits is one.
            if layout.get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            let element = Element::Fraction {
                trimmed: digit == b'9',
                digits,
                separator: first,
            };
            Some((element, 1 + digits))
        }
        _ => {
            let fixed = FIXED.iter().find(|(text, _)| layout.starts_with(text));
            fixed.map(|(text, element)| (*element, text.len())).or_else(|| {
                let single = SINGLE.iter().find(|(digit, _)| *digit == first);
                single.map(|(_, element)| (*element, 1))
            })
        }
    }
}

/// A name in full, or its first letters when no small letter follows.
fn name(
    layout: &[u8],
    full: &[u8],
    short: usize,
    long_element: Element,
    short_element: Element,
) -> Option<(Element, usize)> {
    if layout.starts_with(full) {
        return Some((long_element, full.len()));
    }
    let is_short =
        layout.starts_with(full.get(..short)?) && !layout.get(short).is_some_and(u8::is_ascii_lowercase);
    is_short.then_some((short_element, short))
}

/// Go's named layouts; other texts are layouts themselves.
pub(super) fn named(layout: &str) -> &str {
    match layout {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => RFC3339,
        "RFC3339Nano" => RFC3339_NANO,
        _ => layout,
    }
}

pub(super) const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
pub(super) const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";
