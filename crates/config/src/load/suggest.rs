//! What an unknown key was meant to be.

use crate::table;

/// The rest of an error about an unknown broker setting: what to write instead.
pub(crate) fn remedy(name: &str) -> String {
    let plain = plain(name);
    if let Some(setting) = table::find_topic(&plain) {
        return match setting.inherits.first() {
            Some(from) => format!(": it belongs to topics; the broker's default for it is {}", from.name),
            None => ": it belongs to topics, set it there".to_owned(),
        };
    }
    if let Some(setting) = table::find_group(&plain) {
        return match setting.inherits.first() {
            Some(from) => format!(": it belongs to groups; the broker's default for it is {}", from.name),
            None => ": it belongs to groups, set it there".to_owned(),
        };
    }
    if plain.starts_with("listener.name.") {
        return ": settings of a single listener are not there yet".to_owned();
    }
    match nearest(&plain) {
        Some(known) => format!(": did you mean {known}?"),
        None => "; `tidelog config effective --all` lists all settings".to_owned(),
    }
}

/// The setting of the least edit distance, if it is near enough to be a slip of the fingers.
fn nearest(name: &str) -> Option<&'static str> {
    let distance = |known: &str| strsim::damerau_levenshtein(name, &plain(known));
    let best = table::broker().iter().map(|setting| (distance(setting.name), setting.name)).min()?;
    (best.0 <= 2.max(name.len() / 4)).then_some(best.1)
}

/// Dashes, underscores and capitals are slips too.
fn plain(name: &str) -> String {
    name.replace(['-', '_'], ".").to_lowercase()
}
