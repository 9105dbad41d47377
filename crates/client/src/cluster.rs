//! The cluster as a whole.

use model::BrokerId;
use wire::messages::DescribeClusterRequest;
use wire::messages::describe_cluster_response::DescribeClusterBroker;
use wire::{ApiKey, StrBytes};

use crate::{Address, Client, ClientError};

/// What DescribeCluster and ApiVersions say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its identity.
    pub id: String,
    /// Who leads the controller; nobody during an election.
    pub controller: Option<BrokerId>,
    /// The brokers that are there, by id.
    pub brokers: Vec<ClusterBroker>,
    /// Those that are away, by id, if the cluster tells.
    pub away: Vec<ClusterBroker>,
    /// The features that the cluster runs, by name.
    pub features: Vec<FinalizedFeature>,
}

/// A broker of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterBroker {
    /// Its id.
    pub id: BrokerId,
    /// Where clients that came in as we did reach it.
    pub address: Address,
    /// Where it stands (`broker.rack`).
    pub rack: Option<String>,
}

/// A feature (KIP-584) and the level at which the cluster runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizedFeature {
    /// Such as `metadata.version`.
    pub name: String,
    /// Above 0.
    pub level: i16,
}

impl Client {
    /// Describes the cluster.
    ///
    /// # Errors
    /// If no broker can be reached.
    pub async fn describe_cluster(&self) -> Result<Cluster, ClientError> {
        let mut response = self.ask(&DescribeClusterRequest::default()).await?;
        // Older versions have no place for the question.
        if self.any().await?.served().best(ApiKey::DescribeCluster) >= Some(2) {
            response = self.ask(&DescribeClusterRequest::default().with_include_fenced_brokers(true)).await?;
        }
        let what = || "describing the cluster".to_owned();
        ClientError::check(response.error_code, what, response.error_message.as_ref())?;
        let brokers = |fenced: bool| -> Vec<ClusterBroker> {
            let some = response.brokers.iter().filter(|broker| broker.is_fenced == fenced);
            let mut some: Vec<ClusterBroker> = some.map(broker).collect();
            some.sort_by_key(|broker| broker.id);
            some
        };
        let connection = self.any().await?;
        let features = connection.served().features.iter();
        Ok(Cluster {
            id: response.cluster_id.to_string(),
            controller: Some(BrokerId(response.controller_id.0)).filter(|id| id.0 >= 0),
            brokers: brokers(false),
            away: brokers(true),
            features: features.map(|(name, level)| FinalizedFeature { name: name.clone(), level: *level }).collect(),
        })
    }
}

fn broker(described: &DescribeClusterBroker) -> ClusterBroker {
    ClusterBroker {
        id: BrokerId(described.broker_id.0),
        address: Address { host: described.host.to_string(), port: u16::try_from(described.port).unwrap_or_default() },
        rack: described.rack.as_ref().map(StrBytes::to_string),
    }
}
