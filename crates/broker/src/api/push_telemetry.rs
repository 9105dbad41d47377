//! PushTelemetry (key 72), version 0 (KIP-714). The last push of each client is kept, within bounds.

use model::ErrorCode;
use wire::messages::{PushTelemetryRequest, PushTelemetryResponse};

use super::get_telemetry_subscriptions::client;
use crate::dispatch::Context;
use crate::telemetry::Push;

/// Keeps what a client pushes.
pub(crate) async fn handle(context: Context, request: PushTelemetryRequest) -> PushTelemetryResponse {
    let broker = &context.broker;
    if request.client_instance_id.is_nil() {
        return refused(ErrorCode::InvalidRequest);
    }
    let push = Push {
        instance: request.client_instance_id,
        subscription: request.subscription_id,
        is_last: request.terminating,
        compression: request.compression_type,
        metrics: request.metrics,
    };
    let max_bytes = usize::try_from(broker.config().telemetry_max_bytes()).unwrap_or(0);
    let now_ms = broker.env.clock.now_ms();
    match broker.telemetry.push(&broker.image(), push, &client(&context), now_ms, max_bytes) {
        Ok(()) => PushTelemetryResponse::default(),
        Err(error) => refused(error),
    }
}

fn refused(error: ErrorCode) -> PushTelemetryResponse {
    PushTelemetryResponse::default().with_error_code(error.code())
}
