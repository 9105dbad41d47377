//! What Kafka has no setting for.

use crate::rule::Rule;
use crate::setting::{Setting, int, list, long, password, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    long("broker.replacement.ms").default("1800000").at_least(0)
        .works("How long a broker may be away before others take over what it carries."),
    long("catch.up.max.bytes.per.second").default("67108864").at_least(1_048_576)
        .works("Bytes a second at which this broker takes the states of shards that it is behind with from other brokers, and as many at which it gives them."),
    string("cluster.advertise")
        .works("`host:port` at which other brokers reach this one's cluster port; unset, where it listens."),
    list("cluster.join").default("")
        .works("`host:port` of brokers of a cluster that this broker is to join; `--join`."),
    string("cluster.listen")
        .works("`host:port` to accept other brokers on; unset, this broker's own address in cluster.nodes, or any free port where it joins. A broker with none of the three is alone."),
    list("cluster.nodes").default("")
        .works("The brokers that found the cluster, the same list on each: `host:port` of each cluster port, counted from node.id 1 on, or `id@host:port`; `--cluster`."),
    password("cluster.secret")
        .works("What brokers of a cluster prove to each other that they know: the same on each. Better kept in cluster.secret.file."),
    string("cluster.secret.file")
        .works("File that holds the secret; unset, `~/.config/tidelog/cluster.secret`, which is made if it is missing."),
    string("cluster.ssl.endpoint.identification.algorithm").default("https").one_of(&["", "https"])
        .works("`https`: a broker's certificate has to be for the host at which others reach its cluster port; empty: any by a trusted authority will do."),
    string("cluster.ssl.keystore.certificate.chain.file")
        .works("PEM file with the certificate that this broker shows other brokers, and those between it and a trusted one. Set, with the next two, it makes connections between brokers use TLS, both ends with certificates. Read again for new connections when it changes."),
    string("cluster.ssl.keystore.key.file")
        .works("PEM file with the private key of that certificate, without a password."),
    string("cluster.ssl.truststore.certificates.file")
        .works("PEM file with the certificates of the authorities by which other brokers' certificates have to be."),
    string("data-dir").default("tidelog-data").rule(Rule::NotEmpty)
        .works("The data directory: one a broker. It is made if it is missing."),
    long("disk.reserve.bytes").default("268435456").at_least(0)
        .works("Disk space that produce leaves free, so that deletes, retention and checkpoints still work on a full disk; unset, at most an eighth of the file system."),
    list("drained.brokers").default("").cluster()
        .works("Ids of brokers that are to carry nothing: others take over their replicas and votes. Counts for all brokers at once, while they run; `tidelog cluster drain` sets it."),
    string("durability").default("fsync").one_of(&["fsync", "relaxed"])
        .works("`fsync` acknowledges a record once it is on disk; `relaxed` once the kernel has it, which a power cut may undo."),
    long("journal.cache.bytes").default("33554432").at_least(1_048_576)
        .works("Memory for the newest entries of the journal, from which followers are fed."),
    long("journal.checkpoint.bytes").default("67108864").at_least(1_048_576)
        .works("Bytes in the journal after which logs are synced and the journal is let go: what a restart replays at most; unset, at most 1/32 of the file system."),
    long("journal.file.bytes").default("67108864").at_least(1_048_576)
        .works("Size of a journal file; files are written over again and again. Unset, at most 1/32 of the file system."),
    int("shards.per.broker").between(1, 64)
        .works("Raft groups that this broker leads; unset, as many as it has cores, at most 4. Counts when the data directory is made."),
];
