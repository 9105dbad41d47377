//! ListConfigResources (key 74): version 0 lists subscriptions to client metrics (KIP-714), version 1
//! whatever has settings (KIP-1142).

use std::collections::BTreeSet;

use controller::{ClusterImage, Resource};
use model::ErrorCode;
use wire::messages::list_config_resources_response::ConfigResource;
use wire::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};

use crate::dispatch::Context;
use crate::text::text;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

/// Lists the resources of the types asked for; no list asks for all types.
pub(crate) async fn handle(context: Context, request: ListConfigResourcesRequest) -> ListConfigResourcesResponse {
    let all = BTreeSet::from([TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]);
    let asked: BTreeSet<i8> = match context.version {
        0 => BTreeSet::from([CLIENT_METRICS]),
        _ if request.resource_types.is_empty() => all.clone(),
        _ => request.resource_types.into_iter().collect(),
    };
    let response = ListConfigResourcesResponse::default();
    if !asked.is_subset(&all) {
        return response.with_error_code(ErrorCode::UnsupportedVersion.code());
    }
    let image = context.broker.image();
    let resources = asked.into_iter().rev().flat_map(|kind| names(&image, kind).into_iter().map(move |n| (kind, n)));
    let resources =
        resources.map(|(kind, name)| ConfigResource::default().with_resource_type(kind).with_resource_name(text(name)));
    response.with_config_resources(resources.collect())
}

fn names(image: &ClusterImage, kind: i8) -> Vec<String> {
    match kind {
        TOPIC => image.topics().map(|topic| topic.name.to_string()).collect(),
        BROKER | BROKER_LOGGER => image.live_brokers().map(|broker| broker.id.to_string()).collect(),
        _ => {
            let of_kind = image.all_settings().filter(|(resource, _)| resource.kind() == kind);
            of_kind.map(|(resource, _)| Resource::name(resource)).collect()
        }
    }
}
