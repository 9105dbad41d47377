//! What settings can be set for.

use std::fmt;

use model::{BrokerId, TopicName};
use serde::{Deserialize, Serialize};

/// A resource as DescribeConfigs and its kin name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "(i8, String)", into = "(i8, String)")]
pub enum Resource {
    /// A topic.
    Topic(TopicName),
    /// Every broker (Kafka: broker "").
    ClusterDefault,
    /// One broker.
    Broker(BrokerId),
    /// A subscription to client metrics (KIP-714).
    ClientMetrics(String),
    /// A group, which need not exist yet (KIP-1043).
    Group(String),
}

/// Why a pair of type and name is no resource.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidResource {
    /// A type that has no settings in the image (broker loggers have none that last).
    #[error("resource type {0} keeps no settings")]
    Type(i8),
    /// A name that this type does not take.
    #[error("'{1}' names no resource of type {0}")]
    Name(i8, String),
}

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

impl Resource {
    /// Reads Kafka's pair of resource type and name.
    pub fn from_kafka(kind: i8, name: &str) -> Result<Resource, InvalidResource> {
        let invalid_name = || InvalidResource::Name(kind, name.to_owned());
        match kind {
            TOPIC => TopicName::parse(name).map(Resource::Topic).map_err(|_| invalid_name()),
            BROKER if name.is_empty() => Ok(Resource::ClusterDefault),
            BROKER => name.parse().map(|id| Resource::Broker(BrokerId(id))).map_err(|_| invalid_name()),
            CLIENT_METRICS | GROUP if name.is_empty() => Err(invalid_name()),
            CLIENT_METRICS => Ok(Resource::ClientMetrics(name.to_owned())),
            GROUP => Ok(Resource::Group(name.to_owned())),
            _ => Err(InvalidResource::Type(kind)),
        }
    }

    /// Kafka's number for this type of resource.
    pub fn kind(&self) -> i8 {
        match self {
            Resource::Topic(_) => TOPIC,
            Resource::ClusterDefault | Resource::Broker(_) => BROKER,
            Resource::ClientMetrics(_) => CLIENT_METRICS,
            Resource::Group(_) => GROUP,
        }
    }

    /// Kafka's name for this resource.
    pub fn name(&self) -> String {
        match self {
            Resource::Topic(name) => name.as_str().to_owned(),
            Resource::ClusterDefault => String::new(),
            Resource::Broker(id) => id.to_string(),
            Resource::ClientMetrics(name) | Resource::Group(name) => name.clone(),
        }
    }
}

impl TryFrom<(i8, String)> for Resource {
    type Error = InvalidResource;

    fn try_from((kind, name): (i8, String)) -> Result<Self, InvalidResource> {
        Resource::from_kafka(kind, &name)
    }
}

impl From<Resource> for (i8, String) {
    fn from(resource: Resource) -> Self {
        (resource.kind(), resource.name())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Topic(name) => write!(f, "topic {name}"),
            Resource::ClusterDefault => f.write_str("the cluster's default"),
            Resource::Broker(id) => write!(f, "broker {id}"),
            Resource::ClientMetrics(name) => write!(f, "client metrics {name}"),
            Resource::Group(name) => write!(f, "group {name}"),
        }
    }
}
