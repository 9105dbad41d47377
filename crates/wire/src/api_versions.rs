//! The answer to ApiVersions, and the checks that come with the request.

use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::protocol::StrBytes;
use model::ErrorCode;

use crate::messages::{ApiVersionsRequest, ApiVersionsResponse};
use crate::{APIS, Api, ApiKey};

/// A feature of the cluster (KIP-584).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Its name, such as `group.version`.
    pub name: &'static str,
    /// The lowest level that this broker can run.
    pub min: i16,
    /// The highest level that this broker can run.
    pub max: i16,
    /// The level that the cluster runs; `None` (or level 0, which is as good) is not listed.
    pub finalized: Option<i16>,
}

/// Those of Kafka 4.4.0, with its ranges. A fresh Kafka cluster finalizes all at their highest but
/// `kraft.version`, and `group.version` and what follows are promises to clients: finalize what is
/// really served.
impl Feature {
    /// `metadata.version`; 33 is 4.4-IV2. Java's tools print it.
    pub const METADATA: Feature = Feature::new("metadata.version", 7, 33);
    /// `transaction.version`; 2 is KIP-890, by which Java's producers choose their protocol.
    pub const TRANSACTION: Feature = Feature::new("transaction.version", 0, 2);
    /// `group.version`; 1 is KIP-848.
    pub const GROUP: Feature = Feature::new("group.version", 0, 1);
    /// `share.version`; 1 is KIP-932, 2 adds dead letters (KIP-1191).
    pub const SHARE: Feature = Feature::new("share.version", 0, 2);
    /// `streams.version`; 1 is KIP-1071.
    pub const STREAMS: Feature = Feature::new("streams.version", 0, 1);
    /// `eligible.leader.replicas.version`; 1 is KIP-966.
    pub const ELIGIBLE_LEADER_REPLICAS: Feature = Feature::new("eligible.leader.replicas.version", 0, 1);
    /// `kraft.version`; 1 is KIP-853.
    pub const KRAFT: Feature = Feature::new("kraft.version", 0, 1);

    const fn new(name: &'static str, min: i16, max: i16) -> Feature {
        Feature { name, min, max, finalized: None }
    }

    /// The same feature, run at `level`.
    pub const fn finalized_at(self, level: i16) -> Feature {
        Feature { finalized: Some(level), ..self }
    }
}

/// Answers a request: its checks, then the table of APIs and the features.
///
/// * A software name or version that is malformed is INVALID_REQUEST (KIP-511).
/// * `cluster_id` and `node_id` are this broker's; a client that means another cluster or broker
///   is told REBOOTSTRAP_REQUIRED, one that gives only one of the two INVALID_REQUEST (KIP-1242).
/// * Up to version 3, features that start at 0 are left out of the supported ones (KAFKA-17011).
///
/// Without `finalized_features_epoch` >= 0 Java's clients stay on old protocols.
pub fn api_versions_response(
    version: i16,
    request: &ApiVersionsRequest,
    cluster_id: &str,
    node_id: i32,
    features: &[Feature],
    finalized_features_epoch: i64,
) -> ApiVersionsResponse {
    if let Err(error) = check(version, request, cluster_id, node_id) {
        return ApiVersionsResponse::default().with_error_code(error.code());
    }
    ApiVersionsResponse::default()
        .with_api_keys(APIS.iter().filter_map(advertised).collect())
        .with_supported_features(
            features.iter().filter(|feature| version > 3 || feature.min > 0).map(supported).collect(),
        )
        .with_finalized_features_epoch(finalized_features_epoch)
        .with_finalized_features(features.iter().filter_map(finalized).collect())
}

/// The answer, in version 0, to an ApiVersions request of a version that is not served: the range
/// of ApiVersions itself, so that the client can choose (KIP-511).
pub fn unsupported_api_versions_response() -> ApiVersionsResponse {
    ApiVersionsResponse::default()
        .with_error_code(ErrorCode::UnsupportedVersion.code())
        .with_api_keys(advertised(ApiKey::ApiVersions.api()).into_iter().collect())
}

fn advertised(api: &Api) -> Option<ApiVersion> {
    let versions = api.advertised()?;
    Some(
        ApiVersion::default()
            .with_api_key(api.key.code())
            .with_min_version(versions.min)
            .with_max_version(versions.max),
    )
}

fn supported(feature: &Feature) -> SupportedFeatureKey {
    SupportedFeatureKey::default()
        .with_name(StrBytes::from_static_str(feature.name))
        .with_min_version(feature.min)
        .with_max_version(feature.max)
}

fn finalized(feature: &Feature) -> Option<FinalizedFeatureKey> {
    let level = feature.finalized.filter(|level| *level > 0)?;
    let name = StrBytes::from_static_str(feature.name);
    Some(FinalizedFeatureKey::default().with_name(name).with_min_version_level(level).with_max_version_level(level))
}

fn check(version: i16, request: &ApiVersionsRequest, cluster_id: &str, node_id: i32) -> Result<(), ErrorCode> {
    if version >= 3 {
        let words = [&request.client_software_name, &request.client_software_version];
        if !words.into_iter().all(|word| is_software_word(word)) {
            return Err(ErrorCode::InvalidRequest);
        }
    }
    if version >= 5 {
        return match (request.cluster_id.as_deref(), request.node_id) {
            (None, -1) => Ok(()),
            (None, _) | (_, -1) => Err(ErrorCode::InvalidRequest),
            (Some(cluster), node) if cluster == cluster_id && node == node_id => Ok(()),
            _ => Err(ErrorCode::RebootstrapRequired),
        };
    }
    Ok(())
}

/// Kafka's `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?` (KIP-511).
fn is_software_word(word: &str) -> bool {
    let bytes = word.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    bytes.iter().all(inner)
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests;
