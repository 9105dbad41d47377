//! Nodes and what passes between them.

use super::{BOTH_ROLES, CHECKPOINTS, NO_TIERS, NODES, ONE_DIRECTORY, OWN_CONTROLLER, RAFT_COPIES};
use crate::setting::{Setting, boolean, int, list, long, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    int("alter.log.dirs.replication.quota.window.num").default("11").at_least(1)
        .idle(ONE_DIRECTORY, "Samples by which moves between directories are measured."),
    int("alter.log.dirs.replication.quota.window.size.seconds").default("1").at_least(1)
        .idle(ONE_DIRECTORY, "Length of such a sample."),
    boolean("auto.leader.rebalance.enable").default("true")
        .works("Whether leadership goes back to the preferred replica by itself."),
    int("broker.heartbeat.interval.ms").default("2000")
        .later(NODES, "How often a broker tells the controller that it lives."),
    int("broker.id").default("-1")
        .works("Old name of node.id; both must agree."),
    string("broker.rack")
        .works("Rack of this broker, which clients and placement are told."),
    int("broker.session.timeout.ms").default("9000")
        .works("A broker that the controller has not heard of so long is taken for dead."),
    boolean("controlled.shutdown.enable").default("true")
        .works("Whether a broker hands over what it leads before it stops."),
    list("controller.listener.names").default("")
        .idle(OWN_CONTROLLER, "Listeners of the controller."),
    int("controller.quorum.append.linger.ms").default("25").at_least(0)
        .idle(OWN_CONTROLLER, "How long the controller gathers records before it writes them."),
    boolean("controller.quorum.auto.join.enable").default("false")
        .idle(OWN_CONTROLLER, "Whether a new controller becomes a voter by itself."),
    list("controller.quorum.bootstrap.servers").default("")
        .idle(OWN_CONTROLLER, "Controllers to ask for the quorum."),
    int("controller.quorum.election.backoff.max.ms").default("1000").at_least(0)
        .idle(OWN_CONTROLLER, "Longest wait before the next election."),
    int("controller.quorum.election.timeout.ms").default("1000").at_least(0)
        .idle(OWN_CONTROLLER, "How long a vote may take."),
    int("controller.quorum.fetch.max.bytes").default("1048576").at_least(1)
        .idle(OWN_CONTROLLER, "Bytes of the metadata log fetched at once."),
    int("controller.quorum.fetch.snapshot.max.bytes").default("1048576").at_least(1)
        .idle(OWN_CONTROLLER, "Bytes of a metadata snapshot fetched at once."),
    int("controller.quorum.fetch.timeout.ms").default("2000").at_least(0)
        .idle(OWN_CONTROLLER, "How long a voter may go without news of the leader."),
    int("controller.quorum.request.timeout.ms").default("2000").at_least(0)
        .idle(OWN_CONTROLLER, "How long a request between controllers may take."),
    int("controller.quorum.retry.backoff.ms").default("20").at_least(0)
        .idle(OWN_CONTROLLER, "Wait before such a request is sent again."),
    list("controller.quorum.voters").default("")
        .idle(OWN_CONTROLLER, "The voters, as `id@host:port`."),
    int("controller.socket.timeout.ms").default("30000")
        .later(NODES, "How long a request to the controller may take."),
    boolean("follower.fetch.last.tiered.offset.enable").default("false").cluster()
        .refused(NO_TIERS, "Whether a new follower starts where remote storage ends."),
    int("initial.broker.registration.timeout.ms").default("60000")
        .later(NODES, "How long a broker tries to register at its start."),
    long("leader.imbalance.check.interval.seconds").default("300").at_least(1)
        .later(NODES, "How often leadership is checked against the preferred replicas."),
    string("metadata.log.dir")
        .idle(OWN_CONTROLLER, "Directory of the metadata log."),
    long("metadata.log.max.record.bytes.between.snapshots").default("20971520").at_least(1)
        .idle(OWN_CONTROLLER, "Bytes of the metadata log between two snapshots."),
    long("metadata.log.max.snapshot.interval.ms").default("3600000").at_least(0)
        .idle(OWN_CONTROLLER, "Time between two metadata snapshots."),
    int("metadata.log.segment.bytes").default("1073741824").at_least(8_388_608)
        .idle(OWN_CONTROLLER, "Segment size of the metadata log."),
    long("metadata.log.segment.ms").default("604800000")
        .idle(OWN_CONTROLLER, "Age at which the metadata log begins a new segment."),
    int("metadata.max.idle.interval.ms").default("500").at_least(0)
        .idle(OWN_CONTROLLER, "How often an idle controller writes a record."),
    long("metadata.max.retention.bytes").default("104857600")
        .idle(OWN_CONTROLLER, "Size of the metadata log above which its oldest part goes."),
    long("metadata.max.retention.ms").default("604800000")
        .idle(OWN_CONTROLLER, "Age above which the oldest part of the metadata log goes."),
    int("node.id").default("1").at_least(0)
        .works("Identity of this broker in its cluster."),
    int("num.replica.fetchers").default("1").at_least(1).cluster()
        .idle(RAFT_COPIES, "Threads that copy from another broker."),
    list("process.roles").default("broker,controller").one_of(&["broker", "controller"])
        .idle(BOTH_ROLES, "Whether the node is a broker, a controller, or both."),
    int("replica.fetch.backoff.ms").default("1000").at_least(0)
        .idle(RAFT_COPIES, "Pause of a follower after an error."),
    int("replica.fetch.max.bytes").default("1048576").at_least(0)
        .idle(RAFT_COPIES, "Bytes of a partition that a follower fetches at once."),
    int("replica.fetch.min.bytes").default("1")
        .idle(RAFT_COPIES, "Bytes that a follower waits for."),
    int("replica.fetch.response.max.bytes").default("10485760").at_least(0)
        .idle(RAFT_COPIES, "Bytes that a follower fetches at once."),
    int("replica.fetch.wait.max.ms").default("500")
        .idle(RAFT_COPIES, "How long a follower waits for them."),
    long("replica.high.watermark.checkpoint.interval.ms").default("5000")
        .idle(CHECKPOINTS, "How often high watermarks are written."),
    long("replica.lag.time.max.ms").default("30000")
        .works("A follower that has not caught up for so long leaves the in-sync replicas."),
    string("replica.selector.class")
        .works("`org.apache.kafka.common.replica.RackAwareReplicaSelector`: consumers that say their rack (`client.rack`) read from an in-sync replica whose `broker.rack` is the same (KIP-392). Unset, from the leader. To be set on all brokers alike."),
    int("replica.socket.receive.buffer.bytes").default("65536")
        .idle(RAFT_COPIES, "Receive buffer of a follower's socket."),
    int("replica.socket.timeout.ms").default("30000")
        .idle(RAFT_COPIES, "How long a follower's request may take."),
    int("replication.quota.window.num").default("11").at_least(1)
        .later(NODES, "Samples by which copying is measured for its throttle."),
    int("replication.quota.window.size.seconds").default("1").at_least(1)
        .later(NODES, "Length of such a sample."),
    int("request.timeout.ms").default("30000")
        .later(NODES, "How long a request to another broker may take."),
];
