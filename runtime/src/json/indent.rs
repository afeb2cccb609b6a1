//! Compact JSON text → the same text indented by two blanks a level.

/// Appends `compact`, indented. Text in, text out: what is no JSON comes out as it is, with other blanks.
pub fn indent(out: &mut Vec<u8>, compact: &[u8]) {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    for (at, &byte) in compact.iter().enumerate() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        let next = compact.get(at + 1).copied();
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                depth += 1;
                if !matches!(next, Some(b'}' | b']')) {
                    line(out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !matches!(
                    at.checked_sub(1).and_then(|before| compact.get(before)),
                    Some(b'{' | b'[')
                ) {
                    line(out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_string = byte == b'"';
                out.push(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn strings_and_empty_collections_stay_as_they_are() {
        let mut out = Vec::new();
        indent(&mut out, br#"{"a":[],"b":{"c:,":"[\"]"},"d":[1,{}]}"#);
        let want =
            "{\n  \"a\": [],\n  \"b\": {\n    \"c:,\": \"[\\\"]\"\n  },\n  \"d\": [\n    1,\n    {}\n  ]\n}";
        assert_eq!(String::from_utf8_lossy(&out), want);
    }
}
