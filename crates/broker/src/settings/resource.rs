//! What AlterConfigs and IncrementalAlterConfigs name, read as Kafka reads it and refused in its words.

use config::Owner;
use controller::{Refusal, Resource};
use model::{BrokerId, ErrorCode, TopicName};

/// Reads what is to be changed by broker `me`.
pub(super) fn read(kind: i8, name: &str, me: BrokerId) -> Result<Resource, Refusal> {
    let invalid = |message: String| Err(Refusal::invalid_request(message));
    match kind {
        2 if name.is_empty() => invalid("Default topic resources are not allowed.".to_owned()),
        2 => match TopicName::parse(name) {
            Ok(name) => Ok(Resource::Topic(name)),
            Err(why) => Err(Refusal::new(ErrorCode::InvalidTopicException, why.to_string())),
        },
        4 if name.is_empty() => Ok(Resource::ClusterDefault),
        4 => match name.parse() {
            Ok(id) if BrokerId(id) == me => Ok(Resource::Broker(me)),
            Ok(id) => invalid(format!("Unexpected broker id, expected {me}, but received {id}")),
            Err(_) => invalid(format!("Node id must be an integer, but it is: {name}")),
        },
        16 if name.is_empty() => invalid("Subscription name can't be empty".to_owned()),
        16 => Ok(Resource::ClientMetrics(name.to_owned())),
        32 if name.is_empty() => invalid("Default group resources are not allowed.".to_owned()),
        32 => Ok(Resource::Group(name.to_owned())),
        _ => invalid(format!("Unknown resource type {kind}")),
    }
}

/// Whose settings those of a resource are.
pub(super) fn owner(resource: &Resource) -> Owner {
    match resource {
        Resource::Topic(_) => Owner::Topic,
        Resource::ClusterDefault => Owner::AllBrokers,
        Resource::Broker(_) => Owner::Broker,
        Resource::ClientMetrics(_) => Owner::ClientMetrics,
        Resource::Group(_) => Owner::Group,
    }
}
