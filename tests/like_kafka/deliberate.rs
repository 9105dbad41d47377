//! Where Tidelog differs on purpose. `docs/compatibility.md` tells its readers the same, in the same words.

/// Differences that stay.
pub(crate) struct Deliberate {
    /// `file::function`
    pub(crate) scenario: &'static str,
    /// Each of them shows one of these.
    shows: &'static [&'static str],
    pub(crate) why: &'static str,
}

pub(crate) const DELIBERATE: &[Deliberate] = &[
    Deliberate {
        scenario: "produce::lz4_blocks_that_depend_on_one_another_are_refused",
        shows: &["error_code: -1 |  error_code: 87"],
        why: "LZ4 blocks that depend on one another are INVALID_RECORD with the reason, where Kafka's reader fails with \
              UNKNOWN_SERVER_ERROR.",
    },
    Deliberate {
        scenario: "produce::a_batch_that_contradicts_itself_is_refused",
        shows: &["error_message: "],
        why: "Error messages that only people read are Tidelog's own, and are there where Kafka has none; those that \
              programs are known to look for are Kafka's.",
    },
    Deliberate {
        scenario: "fetch_sessions::a_topic_made_anew_is_another_to_a_session",
        shows: &["error_code: 3 |  error_code: 100", "error_code: 103"],
        why: "A fetch session knows a topic by its id alone: a deleted topic is UNKNOWN_TOPIC_ID in it, where Kafka tells \
              UNKNOWN_TOPIC_OR_PARTITION, or INCONSISTENT_TOPIC_ID once another topic has the name.",
    },
    Deliberate {
        scenario: "create_topics::tiered_storage_is_not_there",
        shows: &["tiered storage is not supported"],
        why: "Settings of tiered storage are refused, where Kafka keeps those that have no effect.",
    },
    Deliberate {
        scenario: "create_topics::counts_that_cannot_be_are_refused",
        shows: &["log directories cordoned"],
        why: "A broker has one data directory, which cannot be cordoned.",
    },
];

impl Deliberate {
    pub(crate) fn covers(&self, scenario: &str, difference: &str) -> bool {
        self.scenario == scenario && self.shows.iter().any(|shown| difference.contains(shown))
    }
}

#[test]
fn the_documentation_gives_each_reason() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md");
    let page = std::fs::read_to_string(page).unwrap();
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for Deliberate { scenario, why, .. } in DELIBERATE {
        assert!(words.contains(why), "docs/compatibility.md does not say what {scenario} shows: {why}");
    }
}
