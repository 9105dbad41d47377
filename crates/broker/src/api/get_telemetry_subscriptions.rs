//! GetTelemetrySubscriptions (key 71), version 0 (KIP-714).

use uuid::Builder;
use wire::messages::{GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse};

use crate::dispatch::Context;
use crate::telemetry::Client;
use crate::text::{string, text};

/// Codecs of pushes, the best first: zstd, lz4, gzip, snappy.
const COMPRESSION_TYPES: [i8; 4] = [4, 3, 1, 2];

/// Tells a client which metrics to push. One without an id is given one.
pub(crate) async fn handle(
    context: Context,
    request: GetTelemetrySubscriptionsRequest,
) -> GetTelemetrySubscriptionsResponse {
    let broker = &context.broker;
    let instance = match request.client_instance_id {
        none if none.is_nil() => Builder::from_random_bytes(broker.env.random.bytes()).into_uuid(),
        known => known,
    };
    let (client, now_ms) = (client(&context), broker.env.clock.now_ms());
    let response = GetTelemetrySubscriptionsResponse::default();
    match broker.telemetry.subscribe(&broker.image(), instance, &client, now_ms) {
        Err(error) => response.with_error_code(error.code()),
        Ok(subscription) => response
            .with_client_instance_id(instance)
            .with_subscription_id(subscription.id)
            .with_accepted_compression_types(COMPRESSION_TYPES.to_vec())
            .with_push_interval_ms(subscription.interval_ms)
            .with_telemetry_max_bytes(broker.config().telemetry_max_bytes())
            .with_delta_temporality(true)
            .with_requested_metrics(subscription.metrics.iter().map(text).collect()),
    }
}

/// What the client of a connection says of itself.
pub(super) fn client(context: &Context) -> Client {
    let (software_name, software_version) = context.peer.software.get().cloned().unwrap_or_default();
    Client {
        id: context.client_id.as_ref().map(string).unwrap_or_default(),
        software_name,
        software_version,
        address: context.peer.address,
    }
}
