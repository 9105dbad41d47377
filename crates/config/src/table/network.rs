//! Where clients connect, and how many.

use super::{COUNTED_IN_BYTES, KERNEL_BUFFERS, NO_EARLY_START, NO_POOLS, NODES, SECURITY};
use crate::rule::Rule;
use crate::setting::{Setting, int, list, long, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    list("advertised.listeners")
        .works("Addresses that clients are told to connect to, as `NAME://host:port`; unset, those of `listeners`."),
    int("connection.failed.authentication.delay.ms").default("100").at_least(0)
        .later(SECURITY, "Pause before a connection whose log-in failed is closed."),
    long("connections.max.idle.ms").default("600000")
        .works("A connection that stays silent so long is closed; a negative value keeps it open. Else it must be above connection.failed.authentication.delay.ms, as in Kafka."),
    list("early.start.listeners")
        .idle(NO_EARLY_START, "Listeners that accept before the metadata is caught up."),
    string("inter.broker.listener.name")
        .later(NODES, "Listener by which brokers talk to one another."),
    string("listener.security.protocol.map").default("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT").per_broker()
        .works("Protocol of each listener name, as `NAME:PROTOCOL`; only PLAINTEXT is served."),
    list("listeners").default("PLAINTEXT://localhost:9092").rule(Rule::NotEmpty).per_broker()
        .works("Addresses to accept connections on, as `NAME://host:port`. The default is this machine only, since nothing asks clients who they are; an empty host means every interface."),
    int("max.connection.creation.rate").default("2147483647").at_least(0).cluster()
        .works("Connections accepted in a second at most, by all listeners together; as many may come at once after a pause. Those beyond it wait."),
    int("max.connections").default("2147483647").at_least(0).cluster()
        .works("Connections open at once at most; one more is closed at once."),
    int("max.connections.per.ip").default("2147483647").at_least(0).cluster()
        .works("Connections open at once from one address at most."),
    string("max.connections.per.ip.overrides").default("").cluster()
        .works("Other limits for some addresses, as `address:limit`."),
    int("num.io.threads").default("8").at_least(1).cluster()
        .idle(NO_POOLS, "Threads that work on requests."),
    int("num.network.threads").default("3").at_least(1).cluster()
        .idle(NO_POOLS, "Threads that read and write sockets."),
    long("queued.max.request.bytes").default("-1")
        .works("Bytes of requests, and of answers that clients have not read yet, above which larger requests and those behind others of the same connection wait; -1 is 256 MiB, or twice `socket.request.max.bytes` if that is more."),
    int("queued.max.requests").default("500").at_least(1)
        .idle(COUNTED_IN_BYTES, "Requests that may be in work at once."),
    long("socket.connection.setup.timeout.max.ms").default("30000")
        .later(NODES, "Longest wait for a connection to another broker."),
    long("socket.connection.setup.timeout.ms").default("10000")
        .later(NODES, "First wait for a connection to another broker."),
    int("socket.listen.backlog.size").default("4096").at_least(1)
        .works("Connections that the kernel holds until they are accepted; one more waits a second and tries again (Kafka's default is 50)."),
    int("socket.receive.buffer.bytes").default("102400")
        .idle(KERNEL_BUFFERS, "Receive buffer of a socket."),
    int("socket.request.max.bytes").default("104857600").at_least(1)
        .works("Largest request; a connection that announces a larger one is closed."),
    int("socket.send.buffer.bytes").default("102400")
        .idle(KERNEL_BUFFERS, "Send buffer of a socket."),
];
