//! The scenarios of `crates/broker/tests/api`, played on Apache Kafka and on Tidelog: what they say must hold on both,
//! and both must give the same answers, word for word, but for ids, addresses and times.
//!
//! Kafka is started for this once (`tests/kafka/run.sh`); `KAFKA=host:port` names a new one that runs already, with the
//! same settings. `SCENARIO=word` plays only those with the word in their names, and shows Kafka's answers.
#![allow(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

/// A list of the scenarios named.
macro_rules! scenarios {
    ($($scenario:ident)*) => {
        pub(crate) const ALL: &[crate::Scenario] = &[$(crate::Scenario {
            file: module_path!(),
            function: stringify!($scenario),
            play: |target| Box::pin($scenario(target)),
        }),*];
    };
}

/// The files of the scenarios, and all that stands in them.
macro_rules! apis {
    ($($api:ident)*) => {
        #[path = "../../crates/broker/tests/api"]
        mod api {
            pub(crate) mod own;
            pub(crate) mod support;
            $(pub(crate) mod $api;)*
        }
        const SCENARIOS: &[&[Scenario]] = &[$(api::$api::ALL),*];
    };
}

mod compare;
mod deliberate;
mod kafka;

apis! {
    alter_configs
    api_versions
    connections
    create_partitions
    create_topics
    delete_groups
    delete_records
    delete_topics
    describe_cluster
    describe_configs
    describe_groups
    describe_log_dirs
    describe_producers
    describe_quorum
    describe_topic_partitions
    elect_leaders
    fetch
    fetch_sessions
    find_coordinator
    heartbeat
    idempotent_produce
    incremental_alter_configs
    init_producer_id
    join_group
    leave_group
    list_config_resources
    list_groups
    list_offsets
    metadata
    offset_commit
    offset_delete
    offset_fetch
    offset_for_leader_epoch
    produce
    reassignments
    recompressed_produce
    sync_group
    unregister_broker
    update_features
}

use std::collections::BTreeSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

// The scenarios know these by the paths that they have in their own crate.
use api::{
    describe_log_dirs, incremental_alter_configs, offset_commit, offset_delete, offset_fetch, own, produce, support,
};
use deliberate::DELIBERATE;
use kafka::Kafka;

/// A scenario, with where it stands.
struct Scenario {
    file: &'static str,
    function: &'static str,
    play: fn(api::support::Target) -> Pin<Box<dyn Future<Output = ()>>>,
}

impl Scenario {
    /// `file::function`
    fn name(&self) -> String {
        format!("{}::{}", self.file.trim_start_matches("like_kafka::api::"), self.function)
    }
}

#[test]
fn kafka_gives_the_same_answers() {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let kafka = Kafka::start();
    let (mut differing, mut seen) = (Vec::new(), BTreeSet::new());
    for scenario in SCENARIOS.iter().copied().flatten().filter(|scenario| scenario.name().contains(&wanted)) {
        let name = scenario.name();
        let theirs = play(scenario, false, || kafka.target(&name));
        let ours = play(scenario, true, || own::new_target(&name));
        let mut differences = compare::differences(&theirs, &ours);
        differences.retain(|difference| {
            let deliberate = DELIBERATE.iter().find(|deliberate| deliberate.covers(&name, difference));
            seen.extend(deliberate.map(|deliberate| deliberate.scenario));
            deliberate.is_none()
        });
        if !differences.is_empty() || !wanted.is_empty() {
            eprintln!("\n{name}:");
            theirs.iter().filter(|_| !wanted.is_empty()).for_each(|line| eprintln!("    {line}"));
            differences.iter().for_each(|difference| eprintln!("{difference}"));
        }
        if !differences.is_empty() {
            differing.push(name);
        }
    }
    assert!(differing.is_empty(), "{} scenarios differ: {differing:#?}", differing.len());
    let gone = DELIBERATE.iter().map(|deliberate| deliberate.scenario).filter(|scenario| !seen.contains(scenario));
    let gone: Vec<_> = gone.filter(|scenario| scenario.contains(&wanted)).collect();
    assert!(gone.is_empty(), "these do not differ any more: {gone:#?}");
}

/// The answers, and how the scenario failed if it did. Time passes by itself on a broker of our own.
fn play<F: Future<Output = api::support::Target>>(
    scenario: &Scenario,
    own: bool,
    target: impl FnOnce() -> F,
) -> Vec<String> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(own).build().unwrap();
    let target = runtime.block_on(target());
    let transcript = target.transcript.clone();
    let played = catch_unwind(AssertUnwindSafe(|| runtime.block_on((scenario.play)(target))));
    if let Err(why) = played {
        let why = why.downcast_ref::<String>().cloned().or_else(|| why.downcast_ref::<&str>().map(|s| s.to_string()));
        transcript.note(format!("{} {}", compare::FAILED, why.unwrap_or_default().replace('\n', " ")));
    }
    transcript.lines()
}
