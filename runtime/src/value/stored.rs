//! Constants in image files: a tag, then lengths and parts. What is read is checked as its constructors would have made
//! it, and no deeper than [`CONSTANT_DEPTH_MAX`], since whatever walks constants is recursive.

use super::Constant;
use crate::limits::CONSTANT_DEPTH_MAX;
use borsh::io::{Error, ErrorKind, Read, Result, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use std::cmp::Ordering;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const NUMBER: u8 = 4;
const STRING: u8 = 5;
const ARRAY: u8 = 6;
const OBJECT: u8 = 7;
const SET: u8 = 8;

fn wrong(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// The nesting below a value is one level less than what is left for it.
fn descend(left: usize) -> Result<usize> {
    left.checked_sub(1)
        .ok_or_else(|| wrong("a constant is nested too deep"))
}

impl BorshSerialize for Constant {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        write(self, writer, CONSTANT_DEPTH_MAX)
    }
}

fn write<W: Write>(value: &Constant, writer: &mut W, left: usize) -> Result<()> {
    match value {
        Constant::Null => NULL.serialize(writer),
        Constant::Bool(false) => FALSE.serialize(writer),
        Constant::Bool(true) => TRUE.serialize(writer),
        Constant::Int(int) => (INT, *int).serialize(writer),
        Constant::Number(text) => (NUMBER, text).serialize(writer),
        Constant::String(text) => (STRING, text).serialize(writer),
        Constant::Array(items) => write_list(ARRAY, items, writer, descend(left)?),
        Constant::Set(items) => write_list(SET, items, writer, descend(left)?),
        Constant::Object(members) => {
            let left = descend(left)?;
            (OBJECT, count(members.len())?).serialize(writer)?;
            members.iter().try_for_each(|(key, member)| {
                write(key, writer, left)?;
                write(member, writer, left)
            })
        }
    }
}

fn write_list<W: Write>(tag: u8, items: &[Constant], writer: &mut W, left: usize) -> Result<()> {
    (tag, count(items.len())?).serialize(writer)?;
    items.iter().try_for_each(|item| write(item, writer, left))
}

fn count(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| wrong("a constant has too many parts"))
}

impl BorshDeserialize for Constant {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Constant> {
        read(reader, CONSTANT_DEPTH_MAX)
    }
}

fn read<R: Read>(reader: &mut R, left: usize) -> Result<Constant> {
    Ok(match u8::deserialize_reader(reader)? {
        NULL => Constant::Null,
        FALSE => Constant::Bool(false),
        TRUE => Constant::Bool(true),
        INT => Constant::Int(i64::deserialize_reader(reader)?),
        NUMBER => number(String::deserialize_reader(reader)?)?,
        STRING => Constant::String(String::deserialize_reader(reader)?),
        ARRAY => Constant::Array(read_list(reader, descend(left)?)?),
        SET => {
            let items = read_list(reader, descend(left)?)?;
            sorted(&items, |a, b| a.compare(b))?;
            Constant::Set(items)
        }
        OBJECT => {
            let left = descend(left)?;
            let count = u32::deserialize_reader(reader)?;
            let mut members = Vec::new();
            for _ in 0..count {
                members.push((read(reader, left)?, read(reader, left)?));
            }
            sorted(&members, |a, b| a.0.compare(&b.0))?;
            Constant::Object(members)
        }
        _ => return Err(wrong("no constant has this tag")),
    })
}

/// The list grows with what is there: a count alone takes no memory.
fn read_list<R: Read>(reader: &mut R, left: usize) -> Result<Vec<Constant>> {
    let count = u32::deserialize_reader(reader)?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(read(reader, left)?);
    }
    Ok(items)
}

fn sorted<T>(items: &[T], order: impl Fn(&T, &T) -> Ordering) -> Result<()> {
    let in_order = items
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if order(a, b) == Ordering::Less));
    if in_order {
        Ok(())
    } else {
        Err(wrong("the members of a set or an object are not in order"))
    }
}

/// A number that is no plain integer: JSON's grammar, or one of the words that YAML brings into annotations.
fn number(text: String) -> Result<Constant> {
    let is_word = matches!(text.as_str(), "+Inf" | "-Inf" | "NaN");
    if (is_word || is_json_number(text.as_bytes())) && matches!(Constant::number(&text), Constant::Number(_))
    {
        Ok(Constant::Number(text))
    } else {
        Err(wrong("a constant is no number"))
    }
}

fn is_json_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with(b"0")) {
        return false;
    }
    let rest = match rest.strip_prefix(b".") {
        Some(rest) => match digits(rest) {
            ([], _) => return false,
            (_, rest) => rest,
        },
        None => rest,
    };
    let Some(rest) = rest.strip_prefix(b"e").or(rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let rest = rest
        .strip_prefix(b"+")
        .or(rest.strip_prefix(b"-"))
        .unwrap_or(rest);
    matches!(digits(rest), ([_, ..], []))
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at_checked(count).unwrap_or((text, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round(value: Constant) {
        let bytes = borsh::to_vec(&value).unwrap();
        let back: Constant = borsh::from_slice(&bytes).unwrap();
        assert_eq!(format!("{back:?}"), format!("{value:?}"));
    }

    #[track_caller]
    fn check_wrong(bytes: &[u8], said: &str) {
        let error = borsh::from_slice::<Constant>(bytes).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }

    #[test]
    fn constants_come_back_as_they_were() {
        let numbers = [
            "1.50",
            "1e2",
            "-0",
            "123456789012345678901234567890",
            "NaN",
            "-Inf",
        ];
        let mut items: Vec<Constant> = numbers.iter().map(|text| Constant::number(text)).collect();
        items.extend([Constant::Null, Constant::Bool(true), Constant::Int(i64::MIN)]);
        let key = Constant::String("ключ".to_owned());
        check_round(Constant::object(vec![
            (key, Constant::Array(items)),
            (
                Constant::Int(1),
                Constant::set(vec![Constant::Int(2), Constant::Int(1)]),
            ),
        ]));
    }

    #[test]
    fn what_no_constructor_makes_is_refused() {
        check_wrong(&[9], "tag");
        check_wrong(&[SET, 2, 0, 0, 0, TRUE, TRUE], "order");
        check_wrong(&[OBJECT, 2, 0, 0, 0, TRUE, NULL, FALSE, NULL], "order");
        for text in ["", "1", "01", "1.", ".5", "1e", "+1", "Inf", "0x1"] {
            let bytes = borsh::to_vec(&(NUMBER, text)).unwrap();
            check_wrong(&bytes, "no number");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "constants of 1,000 levels, and all of it safe code")]
    fn nesting_is_bounded_both_ways() {
        let nested = |levels| (0..levels).fold(Constant::Null, |inner, _| Constant::Array(vec![inner]));
        check_round(nested(CONSTANT_DEPTH_MAX));
        assert!(borsh::to_vec(&nested(CONSTANT_DEPTH_MAX + 1)).is_err());
        check_wrong(&[ARRAY, 1, 0, 0, 0].repeat(CONSTANT_DEPTH_MAX + 1), "too deep");
    }
}
