//! Idempotent producers and transactions.

use super::{NO_LOADING, OWN_TRANSACTIONS, TRANSACTIONS};
use crate::setting::{Setting, boolean, int, short};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    int("add.partitions.to.txn.retry.backoff.max.ms").default("100").at_least(0)
        .idle(OWN_TRANSACTIONS, "Longest wait before a partition is added to a transaction again."),
    int("add.partitions.to.txn.retry.backoff.ms").default("20").at_least(1)
        .idle(OWN_TRANSACTIONS, "First wait before a partition is added to a transaction again."),
    int("producer.id.expiration.ms").default("86400000").at_least(1).cluster()
        .works("How long the sequence numbers of a silent idempotent producer are remembered."),
    int("transaction.abort.timed.out.transaction.cleanup.interval.ms").default("10000").at_least(1)
        .later(TRANSACTIONS, "How often transactions are checked for their timeout."),
    int("transaction.max.timeout.ms").default("900000").at_least(1)
        .later(TRANSACTIONS, "Longest timeout that a transactional producer may ask for."),
    boolean("transaction.partition.verification.enable").default("true").cluster()
        .later(TRANSACTIONS, "Whether a transactional write is checked against its transaction."),
    int("transaction.remove.expired.transaction.cleanup.interval.ms").default("3600000").at_least(1)
        .later(TRANSACTIONS, "How often transactional ids are checked for their age."),
    int("transaction.state.log.load.buffer.size").default("5242880").at_least(1)
        .idle(NO_LOADING, "Bytes read at once when transactions are loaded."),
    int("transaction.state.log.min.isr").default("2").at_least(1)
        .later(TRANSACTIONS, "min.insync.replicas of `__transaction_state`."),
    int("transaction.state.log.num.partitions").default("50").at_least(1)
        .later(TRANSACTIONS, "Partitions of `__transaction_state`; counts when it is created."),
    short("transaction.state.log.replication.factor").default("3").at_least(1)
        .later(TRANSACTIONS, "Replicas of `__transaction_state`."),
    int("transaction.state.log.segment.bytes").default("104857600").at_least(1)
        .later(TRANSACTIONS, "Segment size of `__transaction_state`."),
    boolean("transaction.two.phase.commit.enable").default("false")
        .later(TRANSACTIONS, "Whether producers may take part in two-phase commits (KIP-939)."),
    int("transactional.id.expiration.ms").default("604800000").at_least(1)
        .later(TRANSACTIONS, "How long an idle transactional id is remembered."),
];
