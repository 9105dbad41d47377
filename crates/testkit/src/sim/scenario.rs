//! What a run does, drawn from its seed: the brokers and their settings, the topics, the clients.

use std::time::Duration;

use config::{BrokerConfig, Sources};
use record::Compression;

use super::client::{Style, Wanted};
use super::fleet;
use super::network::cluster_address;
use super::rng::Rng;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) brokers: i32,
    /// Whether the last of them is none of the founders, and joins later.
    pub(crate) joins: bool,
    /// Whether one may lose its disk: no partition has its only replica there.
    pub(crate) wipes: bool,
    /// `key=value`, as on the command line, for all brokers.
    pub(crate) settings: Vec<String>,
    /// Whether an acknowledgement waits for the disk; if not, power is never cut.
    pub(crate) fsync: bool,
    /// Topics that live as long as the run.
    pub(crate) topics: Vec<Wanted>,
    /// How each producer sends, and to which of the topics.
    pub(crate) producers: Vec<(Style, Vec<usize>)>,
    /// Which topics each reader reads.
    pub(crate) readers: Vec<Vec<usize>>,
    /// Members of each group, and the topics that it reads.
    pub(crate) groups: Vec<(usize, Vec<usize>)>,
    /// Whether topics come and go.
    pub(crate) churn: bool,
    /// Whether records are deleted.
    pub(crate) deletes_records: bool,
    /// How long clients work while faults strike.
    pub(crate) storm: Duration,
}

impl Scenario {
    pub(crate) fn draw(rng: &mut Rng, brokers: i32) -> Scenario {
        let fsync = !rng.one_in(8);
        let joins = brokers > 3 && rng.one_in(2);
        let wipes = brokers > 1 && fsync && rng.one_in(3);
        let copies = Copies { brokers, always: wipes };
        let topics: Vec<Wanted> = (0..1 + rng.index(3)).map(|number| topic(rng, copies, number)).collect();
        let some = |rng: &mut Rng| -> Vec<usize> {
            let all = 0..topics.len();
            let first = rng.index(topics.len());
            all.filter(|number| *number == first || rng.one_in(2)).collect()
        };
        Scenario {
            brokers,
            joins,
            wipes,
            settings: settings(rng, fsync),
            fsync,
            producers: (0..1 + rng.index(3)).map(|_| (style(rng), some(rng))).collect(),
            readers: (0..1 + rng.index(2)).map(|_| some(rng)).collect(),
            groups: (0..rng.index(3)).map(|_| (1 + rng.index(3), some(rng))).collect(),
            churn: rng.one_in(3),
            deletes_records: rng.one_in(3),
            storm: rng.millis(3_000..if brokers == 1 { 30_000 } else { 15_000 }),
            topics,
        }
    }

    /// On how many brokers topics are.
    pub(crate) fn copies(&self) -> Copies {
        Copies { brokers: self.brokers, always: self.wipes }
    }

    /// The configuration of a broker.
    pub(crate) fn config(&self, id: i32) -> BrokerConfig {
        let mut set = self.settings.clone();
        set.push(format!("node.id={id}"));
        set.push(format!("listeners=PLAINTEXT://{}", fleet::address(id)));
        if self.brokers > 1 {
            let founders = if self.joins { self.brokers - 1 } else { self.brokers };
            let key = if id > founders { "cluster.join" } else { "cluster.nodes" };
            let nodes: Vec<String> = (1..=founders).map(cluster_address).collect();
            set.push(format!("{key}={}", nodes.join(",")));
            set.push(format!("cluster.listen={}", cluster_address(id)));
            set.push("cluster.secret=known to all simulated brokers".to_owned());
        }
        let sources = Sources { set, host_name: format!("broker-{id}.sim"), ..Sources::default() };
        BrokerConfig::load(&sources).expect("a scenario's settings are good ones")
    }
}

fn settings(rng: &mut Rng, fsync: bool) -> Vec<String> {
    let durability = if fsync { "fsync" } else { "relaxed" };
    vec![
        "data-dir=data".to_owned(),
        format!("durability={durability}"),
        format!("shards.per.broker={}", 1 + rng.index(3)),
        format!("offsets.topic.num.partitions={}", 1 + rng.index(2)),
        // As small as may be, so that a short run sees many files, checkpoints and restarts from them.
        "journal.file.bytes=1048576".to_owned(),
        "journal.checkpoint.bytes=1048576".to_owned(),
        "journal.cache.bytes=1048576".to_owned(),
        format!("disk.reserve.bytes={}", 4 << 20),
        format!("group.initial.rebalance.delay.ms={}", rng.pick(&[0, 100, 3_000])),
        format!("log.segment.delete.delay.ms={}", rng.pick(&[0, 1_000, 60_000])),
        "log.retention.check.interval.ms=5000".to_owned(),
    ]
}

/// On how many brokers topics are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copies {
    brokers: i32,
    /// Whether each is on several.
    always: bool,
}

impl Copies {
    /// Of one topic.
    pub(crate) fn draw(self, rng: &mut Rng) -> i16 {
        if self.brokers == 1 || !self.always && rng.one_in(6) { 1 } else { 3.min(self.brokers as i16) }
    }
}

fn topic(rng: &mut Rng, copies: Copies, number: usize) -> Wanted {
    let segment_bytes = rng.pick(&[4_000, 50_000, 1 << 20]);
    let mut configs = vec![
        ("internal.segment.bytes".to_owned(), segment_bytes.to_string()),
        ("index.interval.bytes".to_owned(), rng.pick(&[0, 1_000, 4_096]).to_string()),
    ];
    if rng.one_in(3) {
        configs.push(("segment.ms".to_owned(), rng.within(500..5_000).to_string()));
    }
    if rng.one_in(4) {
        configs.push(("message.timestamp.type".to_owned(), "LogAppendTime".to_owned()));
    }
    let (partitions, replicas) = (1 + rng.index(3) as i32, copies.draw(rng));
    Wanted { name: format!("topic-{number}"), partitions, replicas, configs, nth: 0 }
}

fn style(rng: &mut Rng) -> Style {
    use Compression::{Gzip, Lz4, None, Snappy, Zstd};
    Style {
        idempotent: !rng.one_in(4),
        by_id: false,
        acks: *rng.pick(&[-1, -1, 1]),
        compression: *rng.pick(&[None, None, None, Gzip, Snappy, Lz4, Zstd]),
        padding: *rng.pick(&[0, 100, 2_000, 20_000]),
        records: *rng.pick(&[1, 3, 10]),
        pause_ms: *rng.pick(&[5, 50, 500]),
    }
}
