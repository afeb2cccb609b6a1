//! Elements of any type, as Go's `encoding/asn1` reads them into a variable of any type.

use super::der::{
    BIT_STRING, BMP_STRING, BOOLEAN, Bits, Element, GENERALIZED_TIME, IA5_STRING, INTEGER, NUMERIC_STRING,
    OBJECT_IDENTIFIER, OCTET_STRING, PRINTABLE_STRING, Read, Reader, T61_STRING, UTC_TIME, UTF8_STRING,
    int_of,
};
use super::json::Maker;
use super::moment::Moment;
use super::strings::decoded;
use crate::builtins::Failure;
use crate::value::Value;

/// The value of an element; null for the types that nobody expects.
pub(super) fn any<'r>(make: &mut Maker<'_, 'r>, element: Element<'r>) -> Read<Value<'r>> {
    let mut reader = Reader::new(element.whole);
    match element.tag {
        BOOLEAN => Ok(Value::bool(reader.optional_boolean()?)),
        INTEGER => Ok(Value::int(int_of(reader.integer()?)?)),
        BIT_STRING => {
            let bits = Bits::new(element.content)?;
            let fields = [
                ("Bytes", make.bytes(bits.bytes)?),
                ("BitLength", Value::int(bits.len() as i64)),
            ];
            make.object(fields)
        }
        OCTET_STRING => make.bytes(element.content),
        OBJECT_IDENTIFIER => make.oid(reader.oid()?),
        UTC_TIME | GENERALIZED_TIME => {
            let moment = Moment::decoded(element.tag, element.content).ok_or(Failure::BUILTIN)?;
            make.owned_text(&moment.text())
        }
        UTF8_STRING | NUMERIC_STRING | PRINTABLE_STRING | T61_STRING | IA5_STRING | BMP_STRING => {
            let text = decoded(make.arena, element.tag, element.content)?;
            make.text(text.as_bytes())
        }
        _ => Ok(Value::NULL),
    }
}
