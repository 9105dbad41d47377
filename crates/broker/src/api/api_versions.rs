//! ApiVersions (key 18), versions 0 to 5. An unsupported version is answered in version 0 before a
//! request gets here (see [`wire::parse_request`]). Version 5 finds misrouted connections (KIP-1242).

use controller::supported;
use wire::Feature;
use wire::messages::{ApiVersionsRequest, ApiVersionsResponse};

use crate::dispatch::Context;
use crate::text::string;

/// Since this version clients say what they are.
const SOFTWARE_SINCE: i16 = 3;

/// What is remembered of it is held as long as the connection: longer ones are no library's.
const MAX_SOFTWARE_BYTES: usize = 256;

/// Answers with [`wire::APIS`] and the cluster's features.
pub(crate) async fn handle(context: Context, request: ApiVersionsRequest) -> ApiVersionsResponse {
    if context.version >= SOFTWARE_SINCE {
        let (name, version) = (&request.client_software_name, &request.client_software_version);
        if name.len() + version.len() <= MAX_SOFTWARE_BYTES {
            context.peer.software.set((string(name), string(version))).ok(); // the first word counts
        }
    }
    let image = context.broker.image();
    let finalized = image.features();
    let features = supported().map(|feature| Feature {
        name: feature.name,
        min: feature.min,
        max: feature.max,
        finalized: Some(finalized.level(feature.name)).filter(|level| *level > 0),
    });
    let features: Vec<Feature> = features.collect();
    let (cluster_id, node_id) = (image.cluster_id(), context.broker.id().0);
    let epoch = i64::try_from(finalized.epoch).unwrap_or(i64::MAX);
    wire::api_versions_response(context.version, &request, cluster_id, node_id, &features, epoch)
}
