//! Where OPA's reader of streams is stricter than ours, which follows YAML 1.2 to the letter.

/// Whether OPA's reader refuses the text for something that ours does not look at: other versions of YAML, an end of
/// document without a document, content that a tab indents.
pub(super) fn is_refused(text: &str) -> bool {
    let mut expects_document = true;
    let mut is_first = true;
    for line in text.lines() {
        if is_marker(line, "---") {
            expects_document = line.trim_end() == "---";
            is_first = false;
            continue;
        }
        if expects_document && line.starts_with('%') {
            let version = line.strip_prefix("%YAML").map(str::trim_start);
            if version.is_some_and(|version| version.starts_with("1.1")) || line.starts_with("%TAG") {
                continue;
            }
            return true;
        }
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if is_first && expects_document && is_marker(line, "...") {
            return true;
        }
        if expects_document && line.trim_start_matches(' ').starts_with('\t') {
            return true;
        }
        expects_document = is_marker(line, "...");
        is_first = false;
    }
    false
}

/// Whether a line begins or ends a document: a marker has nothing or a blank behind it.
pub(super) fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Whether lines of a plain mapping begin with tabs, which both readers refuse wherever such a line belongs to.
pub(super) fn is_indented_by_tabs(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let behind_key = text.trim_start_matches(is_word);
    let is_mapping =
        behind_key.len() < text.len() && [": ", ":\n"].iter().any(|end| behind_key.starts_with(end));
    let has_tab = |line: &str| line.starts_with('\t') && !line.trim().is_empty();
    is_mapping && !text.contains(['"', '\'', '|', '>', '[', '{', '#']) && text.lines().any(has_tab)
}

/// Whether the name of an anchor or alias seems to end at a bracket, which OPA's reader refuses.
pub(super) fn has_glued_anchor(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.split(['&', '*']).skip(1).any(|rest| {
        let behind = rest.trim_start_matches(is_name);
        behind.len() < rest.len() && behind.starts_with(['{', '['])
    })
}

/// Whether tabs stand where the two readers differ about them: before the content of a line, or behind a dash. Within
/// brackets they do not.
pub(super) fn has_unclear_tabs(text: &str) -> bool {
    let has_tab_first = |rest: &str| rest.trim_start_matches(' ').starts_with('\t');
    let is_in_brackets = text.trim_start().starts_with(['{', '[']);
    let is_unclear = |line: &str| {
        let behind_dash = line.trim_start().trim_start_matches("- ").strip_prefix('-');
        let behind_colon = line.trim_start().strip_prefix(':');
        has_tab_first(line)
            || behind_colon.is_some_and(has_tab_first)
            || behind_dash.is_some_and(has_tab_first)
            || line.contains("- \t")
    };
    !is_in_brackets && text.contains('\t') && text.lines().any(is_unclear)
}
