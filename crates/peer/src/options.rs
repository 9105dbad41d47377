//! Times and bounds.

use std::time::Duration;

/// Times and bounds of the connections between brokers.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often each end of a connection gives a sign of life, with its news.
    pub heartbeat: Duration,
    /// A connection on which nothing has come for so long is broken.
    pub silence: Duration,
    /// A call that has no reply for so long fails. Whoever wants less drops the call earlier. Looked at with
    /// each heartbeat.
    pub call_timeout: Duration,
    /// How long a connection may take to come about.
    pub dial_timeout: Duration,
    /// How long both ends may take to prove themselves, after that.
    pub handshake_timeout: Duration,
    /// The wait after a first attempt to connect that failed; doubled with each one, up to
    /// [`Options::longest_wait`]. A quarter of it is left to chance.
    pub first_wait: Duration,
    /// The longest wait between two attempts.
    pub longest_wait: Duration,
    /// Bulk calls from one broker that this one holds at a time, in bytes: it tells the other, which does not
    /// send more before some are answered. Urgent ones have a sixteenth.
    pub window_bytes: usize,
    /// Bulk calls to one broker that wait to be sent, in bytes. More are refused with
    /// [`crate::CallError::Busy`]. Urgent ones have a sixteenth.
    pub queue_bytes: usize,
    /// Connections whose other end has not proved itself yet. One more closes the oldest of them: an honest
    /// one takes milliseconds.
    pub max_handshakes: usize,
    /// Connections of those that only ask (see [`crate::Peers::ask`]).
    pub max_asking: usize,
    /// Whether a process is held for gone when its connection broke and its port refuses another. So it is
    /// where nothing stands between brokers; a proxy or a firewall that refuses instead of its broker would
    /// make a live one look gone.
    pub refusal_means_gone: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            heartbeat: Duration::from_millis(100),
            silence: Duration::from_millis(500),
            call_timeout: Duration::from_secs(10),
            dial_timeout: Duration::from_secs(1),
            handshake_timeout: Duration::from_secs(2),
            first_wait: Duration::from_millis(10),
            longest_wait: Duration::from_millis(500),
            window_bytes: 32 << 20,
            queue_bytes: 64 << 20,
            max_handshakes: 64,
            max_asking: 64,
            refusal_means_gone: true,
        }
    }
}
