//! What a client goes by.

use std::time::Duration;

/// How a client names itself, and how long it tries.
#[derive(Clone, Debug)]
pub struct Options {
    /// `client.id` in the broker's logs and quotas.
    pub client_id: String,
    /// How long one operation may take, with all its retries.
    pub timeout: Duration,
    /// How long a connection may take to be made: a firewall that drops packets would have us wait for minutes.
    pub connect_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            client_id: "tidelog".to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
        }
    }
}
