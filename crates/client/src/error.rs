//! What can go wrong, each said with the address or the name it is about, and the remedy.

use model::ErrorCode;
use wire::StrBytes;

use crate::Address;

/// Why something could not be done. Every message is one line, meant for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers at any of the bootstrap addresses.
    #[error("cannot reach {}: {why}; {}", list(.addresses), why.remedy(.addresses))]
    Unreachable {
        /// Those that were tried.
        addresses: Vec<Address>,
        /// What happened at the last.
        why: NoConnection,
    },
    /// The cluster names an address for one of its brokers that this machine cannot reach.
    #[error(
        "{bootstrap} answered, but tells clients to reach broker {broker} at {advertised}, and that fails: {why}; \
         set the address by which clients reach broker {broker}: start it with `--advertise HOST:PORT` for the \
         listener of {bootstrap} (setting advertised.listeners)"
    )]
    Misadvertised {
        /// Who answered.
        bootstrap: Address,
        /// The broker's id.
        broker: i32,
        /// What Metadata says of it.
        advertised: Address,
        /// What happened there.
        why: NoConnection,
        /// How many brokers there are: one of several may have died a moment ago, and others lead in its place soon.
        brokers: usize,
    },
    /// A broker that was reached before is gone.
    #[error("lost the connection to {address}: {why}")]
    Lost {
        /// The broker.
        address: Address,
        /// What the system said.
        why: String,
    },
    /// Somebody answers, but does not speak Kafka's protocol.
    #[error(
        "{address} does not speak Kafka's protocol ({why}); is the port right? a broker's is {} unless it says \
         otherwise",
        crate::DEFAULT_PORT
    )]
    NotKafka {
        /// Who was asked.
        address: Address,
        /// What was wrong with the answer.
        why: String,
    },
    /// A request was not answered in time.
    #[error("{address} did not answer {api} within {waited_ms} ms")]
    Silent {
        /// Who was asked.
        address: Address,
        /// What it was asked for.
        api: &'static str,
        /// How long was waited.
        waited_ms: u128,
    },
    /// The broker has no version of an API that we speak.
    #[error("{address} serves no version of {api} that this client speaks; use a client of the broker's own version")]
    Unsupported {
        /// Who was asked.
        address: Address,
        /// What it does not serve.
        api: &'static str,
    },
    /// No such topic.
    #[error("there is no topic '{topic}'; {}make it with `tidelog topic create {topic}`", did_you_mean(.nearest))]
    UnknownTopic {
        /// As it was asked for.
        topic: String,
        /// The name that was perhaps meant.
        nearest: Option<String>,
    },
    /// No such partition.
    #[error("{topic} has no partition {partition}: it has {}", partitions(*.count))]
    UnknownPartition {
        /// The topic.
        topic: String,
        /// As it was asked for.
        partition: i32,
        /// How many there are.
        count: usize,
    },
    /// A broker refused.
    #[error("{what} failed: {}", refusal(*.code, .message))]
    Refused {
        /// What was asked for: "producing to orders-0".
        what: String,
        /// Kafka's code.
        code: ErrorCode,
        /// What the broker says besides.
        message: Option<String>,
    },
    /// A batch came back that cannot be read.
    #[error(
        "{topic}-{partition} cannot be read at offset {offset}: {why}; skip it with `--partition {partition} --offset {skip_to}`"
    )]
    Unreadable {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The first offset that cannot be had.
        offset: i64,
        /// The offset behind the damage.
        skip_to: i64,
        /// What is wrong.
        why: String,
    },
    /// The caller asked for what cannot be sent.
    #[error("{0}")]
    Invalid(String),
    /// Retried until the time was up.
    #[error("{last} (gave up after {waited_ms} ms)")]
    GaveUp {
        /// The error at the last try.
        last: Box<ClientError>,
        /// How long was tried.
        waited_ms: u128,
    },
}

/// Why a connection could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoConnection {
    /// The machine is there, and nobody listens at the port.
    #[error("connection refused")]
    Refused,
    /// No such machine.
    #[error("the name {0} is not known")]
    UnknownName(String),
    /// Nothing came back.
    #[error("no answer within {waited_ms} ms")]
    Silent {
        /// How long was waited.
        waited_ms: u128,
    },
    /// What else the system says.
    #[error("{0}")]
    Other(String),
}

impl NoConnection {
    fn remedy(&self, addresses: &[Address]) -> &'static str {
        match self {
            NoConnection::UnknownName(_) => "is it spelled right?",
            _ if addresses.iter().all(Address::is_local) => "is the broker running? start one with `tidelog`",
            NoConnection::Refused => {
                "is a broker running there, and open to other machines? start it with `tidelog --listen :9092 \
                 --advertise HOST:PORT`"
            }
            NoConnection::Silent { .. } | NoConnection::Other(_) => {
                "is the address right, and does a firewall let the port through?"
            }
        }
    }
}

impl ClientError {
    /// A refusal by this code.
    pub(crate) fn refused(what: impl Into<String>, code: ErrorCode, message: Option<String>) -> Self {
        ClientError::Refused { what: what.into(), code, message: message.filter(|text| !text.is_empty()) }
    }

    /// Nothing, or a refusal by this code.
    pub(crate) fn check(
        code: i16,
        what: impl FnOnce() -> String,
        message: Option<&StrBytes>,
    ) -> Result<(), ClientError> {
        match ErrorCode::from_code(code) {
            ErrorCode::None => Ok(()),
            code => Err(ClientError::refused(what(), code, message.map(StrBytes::to_string))),
        }
    }

    /// The broker's code, if it was one that refused.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Refused { code, .. } => Some(*code),
            ClientError::GaveUp { last, .. } => last.code(),
            _ => None,
        }
    }

    /// Whether the same may succeed a little later: a broker restarts, a leader changes.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            ClientError::Lost { .. } | ClientError::Silent { .. } => true,
            ClientError::Refused { code, .. } => code.is_retriable(),
            ClientError::Misadvertised { brokers, .. } => *brokers > 1,
            _ => false,
        }
    }
}

fn list(addresses: &[Address]) -> String {
    addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(" or ")
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("did you mean '{name}'? otherwise "))
}

fn partitions(count: usize) -> String {
    match count {
        1 => "only partition 0".to_owned(),
        _ => format!("{count}, 0 to {}", count.saturating_sub(1)),
    }
}

fn refusal(code: ErrorCode, message: &Option<String>) -> String {
    let said = match message {
        Some(message) => message.trim_end_matches('.').to_owned(),
        None => code.name().to_lowercase().replace('_', " "),
    };
    // What the broker says of a name is advice enough.
    match advice(code).filter(|_| message.is_none() || code != ErrorCode::InvalidTopicException) {
        Some(advice) => format!("{said}; {advice}"),
        None => said,
    }
}

/// What a person can do about it, where there is something.
fn advice(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::MessageTooLarge => "raise the topic's max.message.bytes, or send smaller records",
        ErrorCode::TopicAlreadyExists => "choose another name, or say --if-not-exists",
        ErrorCode::NotEnoughReplicas | ErrorCode::NotEnoughReplicasAfterAppend => {
            "start the missing brokers, or lower min.insync.replicas"
        }
        ErrorCode::KafkaStorageError => "look at the broker's log: its disk is full or failing",
        ErrorCode::LeaderNotAvailable | ErrorCode::NotLeaderOrFollower => "no broker leads the partition just now",
        ErrorCode::InvalidTopicException => {
            "names are 1 to 249 letters, digits, '.', '_' or '-', and not a broker's own"
        }
        ErrorCode::TopicDeletionDisabled => "the broker has delete.topic.enable=false",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable(addresses: &str, why: NoConnection) -> String {
        ClientError::Unreachable { addresses: Address::parse_list(addresses).unwrap(), why }.to_string()
    }

    #[test]
    fn nobody_listening_here_says_how_to_start_a_broker() {
        let said = "cannot reach localhost:9092: connection refused; is the broker running? start one with `tidelog`";
        assert_eq!(unreachable("localhost:9092", NoConnection::Refused), said);
    }

    #[test]
    fn nobody_listening_elsewhere_says_how_to_let_others_in() {
        let said = unreachable("a:1,b:2", NoConnection::Refused);
        assert!(said.starts_with("cannot reach a:1 or b:2: connection refused; "), "{said}");
        assert!(said.contains("--listen :9092"), "{said}");
    }

    #[test]
    fn silence_and_unknown_names_have_remedies_of_their_own() {
        assert!(unreachable("a:1", NoConnection::Silent { waited_ms: 5000 }).contains("firewall"));
        assert!(unreachable("a:1", NoConnection::UnknownName("a".into())).contains("spelled"));
    }

    #[test]
    fn a_refusal_carries_what_the_broker_says_and_what_to_do() {
        let refused = ClientError::refused("producing to t-0", ErrorCode::MessageTooLarge, None);
        assert_eq!(
            refused.to_string(),
            "producing to t-0 failed: message too large; raise the topic's max.message.bytes, or send smaller records"
        );
        let refused = ClientError::refused("creating t", ErrorCode::InvalidConfig, Some("no such key".into()));
        assert_eq!(refused.to_string(), "creating t failed: no such key");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let unknown = ClientError::UnknownTopic { topic: "ordes".into(), nearest: Some("orders".into()) };
        let said =
            "there is no topic 'ordes'; did you mean 'orders'? otherwise make it with `tidelog topic create ordes`";
        assert_eq!(unknown.to_string(), said);
    }
}
