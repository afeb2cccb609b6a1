//! Where the parts of a JSON text stand. What is found is parsed afterwards, so nothing here has to refuse.

/// The first value of a text, without what follows it.
pub(super) fn first_value(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !is_blank(*byte))
        .unwrap_or(text.len());
    let rest = text.get(start..).unwrap_or_default();
    rest.get(..value_len(rest)).unwrap_or(rest)
}

/// The value of the first member of a name; the last one is what a parser gives.
pub(super) fn first_member<'t>(text: &'t [u8], is_name: impl Fn(&'t [u8]) -> bool) -> Option<&'t [u8]> {
    let mut rest = trimmed(text).strip_prefix(b"{")?;
    loop {
        rest = trimmed(rest);
        let (name, behind) = rest.split_at_checked(value_len(rest))?;
        let behind = trimmed(trimmed(behind).strip_prefix(b":")?);
        let (value, behind) = behind.split_at_checked(value_len(behind))?;
        if is_name(name) {
            return Some(value);
        }
        rest = trimmed(behind).strip_prefix(b",")?;
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn trimmed(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !is_blank(*byte))
        .unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// The length of the value at the beginning of a text.
fn value_len(text: &[u8]) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().copied().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            if !in_string && depth == 0 {
                return at + 1;
            }
            continue;
        }
        match byte {
            b'"' if depth == 0 && at > 0 => return at,
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            b',' | b':' if depth == 0 => return at,
            _ if depth == 0 && is_blank(byte) => return at,
            _ => {}
        }
    }
    text.len()
}
