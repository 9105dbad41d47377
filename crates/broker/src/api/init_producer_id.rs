//! InitProducerId (key 22), versions 0 to 5, for idempotent producers. Transactions are not served
//! yet: a request with a transactional id is refused at once.

use model::ErrorCode;
use wire::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::dispatch::Context;

/// Hands out a producer id that nobody had before, with epoch 0.
pub(crate) async fn handle(context: Context, request: InitProducerIdRequest) -> InitProducerIdResponse {
    let names_id = request.producer_id.0 != -1;
    let names_epoch = request.producer_epoch != -1;
    match request.transactional_id {
        Some(id) if id.is_empty() => return refused(ErrorCode::InvalidRequest),
        // Whoever goes on with an id (KIP-360) must name its epoch, too.
        _ if names_id != names_epoch => return refused(ErrorCode::InvalidRequest),
        Some(_) => return refused(ErrorCode::UnsupportedVersion),
        None => {}
    }
    match context.broker.controller.allocate_producer_id().await {
        Ok(id) => InitProducerIdResponse::default().with_producer_id(ProducerId(id)).with_producer_epoch(0),
        Err(why) => refused(why.code()),
    }
}

fn refused(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse::default()
        .with_error_code(error.code())
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1)
}
