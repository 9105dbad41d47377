//! What one command costs at 10,000 topics, with every image kept by a reader, as in a broker:
//! `cargo bench -p controller`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use controller::image::{Draft, PartitionImage, Resource};
use controller::placement::{Layout, Planner, TopicSpec};
use controller::{
    AllocateProducerIds, Bootstrap, ClusterImage, Command, CreateTopics, DeleteTopics, NewTopic, Registration,
    SetSettings, SettingChange, SettingsChange, apply, initial_levels,
};
use model::{BrokerId, GroupId, TopicId, TopicName};
use uuid::Uuid;

const TOPICS: u128 = 10_000;
const ROUNDS: u128 = 2_000;

fn main() {
    let mut draft = Draft::default();
    let broker = Registration::new(BrokerId(1), Uuid::from_u128(1));
    let bootstrap =
        Bootstrap { cluster_id: "bench".into(), broker, shards: 4, features: initial_levels(), founders: vec![] };
    apply(&mut draft, Command::Bootstrap(bootstrap), 1).expect("an empty image takes a bootstrap");
    for number in 0..TOPICS {
        apply(&mut draft, create(number), 2).expect("names are new");
    }
    report("create a topic", measure(&mut draft, |round| create(TOPICS + round)));
    report("delete a topic", measure(&mut draft, |round| delete(TOPICS + round)));
    report("set a topic's setting", measure(&mut draft, set));
    report(
        "allocate producer ids",
        measure(&mut draft, |_| Command::AllocateProducerIds(AllocateProducerIds { broker: BrokerId(1), count: 1000 })),
    );
    lookups(draft.image());
    plan(draft.image());
}

fn create(number: u128) -> Command {
    let partitions = vec![PartitionImage::new(GroupId((number % 4) as u32 + 1))];
    Command::CreateTopics(CreateTopics {
        topics: vec![NewTopic { id: id(number), name: name(number), partitions, configs: [].into() }],
    })
}

fn delete(number: u128) -> Command {
    Command::DeleteTopics(DeleteTopics { topics: vec![id(number)] })
}

fn set(round: u128) -> Command {
    let changes = vec![SettingChange { name: "retention.ms".into(), value: Some(round.to_string()), expected: None }];
    let resource = Resource::Topic(name(scatter(round)));
    Command::SetSettings(SetSettings { resources: vec![SettingsChange { resource, replace: false, changes }] })
}

/// Some topic, far from the one before.
fn scatter(round: u128) -> u128 {
    round * 7919 % TOPICS
}

/// Ids as random as real ones are.
fn id(number: u128) -> TopicId {
    TopicId(Uuid::from_u128((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)))
}

fn name(number: u128) -> TopicName {
    TopicName::parse(&format!("team-{}.topic-{number}", number % 50)).expect("legal")
}

/// Time of decoding, applying, and taking the new image, while the one before is still in use.
fn measure(draft: &mut Draft, command: impl Fn(u128) -> Command) -> Vec<Duration> {
    let mut held = draft.image().clone();
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let entry = command(round).encode();
        let start = Instant::now();
        let command = Command::decode(&entry).expect("just encoded");
        black_box(apply(draft, command, 3)).ok();
        let image = draft.image().clone();
        times.push(start.elapsed());
        held = image;
    }
    black_box(held);
    times
}

fn lookups(image: &ClusterImage) {
    let names: Vec<TopicName> = (0..ROUNDS).map(|round| name(scatter(round))).collect();
    let times = names.iter().map(|name| timed(|| image.topic(name.as_str()).is_some())).collect();
    report("find a topic by name", times);
    let times = (0..ROUNDS).map(|round| timed(|| image.topic_by_id(id(scatter(round))).is_some())).collect();
    report("find a topic by id", times);
    let times = (0..20).map(|_| timed(|| image.topics().map(|topic| topic.partitions.len()).sum::<usize>())).collect();
    report("walk all topics", times);
}

fn plan(image: &ClusterImage) {
    let layout = Layout::Spread { partitions: 10, replication_factor: 1 };
    let spec = TopicSpec { name: name(TOPICS * 2), layout, configs: [].into() };
    let times = (0..ROUNDS).map(|_| timed(|| Planner::new(image).topic(&spec, id(0)).is_ok())).collect();
    report("plan a topic of 10 partitions", times);
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_nanos() as f64 / 1000.0;
    println!("{what:<32} median {:>8.2} us   p99 {:>8.2} us", at(50), at(99));
}
