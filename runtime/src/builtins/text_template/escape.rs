//! Escaping for HTML, JavaScript and the query of a URL.

use crate::builtins::Failure;
use crate::builtins::bytes::byte_of;
use crate::builtins::output::Text;
use crate::builtins::rego_text::is_printable;

/// For HTML text and attributes.
pub(super) fn html(out: &mut Text<'_>, text: &str) -> Result<(), Failure> {
    for c in text.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }?;
    }
    Ok(())
}

/// For a JavaScript text.
pub(super) fn js(out: &mut Text<'_>, text: &str) -> Result<(), Failure> {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => out.format(format_args!("\\u{:04X}", u32::from(c))),
            c if c.is_ascii() || is_printable(c) || byte_of(c).is_some() => out.push(c),
            c => out.format(format_args!("\\u{:04X}", u32::from(c))),
        }?;
    }
    Ok(())
}

/// For a part of a URL's query.
pub(super) fn url_query(out: &mut Text<'_>, text: &str) -> Result<(), Failure> {
    for c in text.chars() {
        match c {
            ' ' => out.push('+')?,
            'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_' | '.' | '~' => out.push(c)?,
            c => {
                let mut buffer = [0; 4];
                let encoded: &[u8] = match byte_of(c) {
                    Some(byte) => &[byte],
                    None => c.encode_utf8(&mut buffer).as_bytes(),
                };
                for byte in encoded {
                    out.format(format_args!("%{byte:02X}"))?;
                }
            }
        }
    }
    Ok(())
}
