//! InitProducerId (key 22), versions 0 to 5, for idempotent producers. Transactions are not served
//! yet: a request with a transactional id is refused at once.

use model::ErrorCode;
use wire::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::dispatch::Context;

/// Hands out a producer id that nobody had before, with epoch 0.
pub(crate) async fn handle(context: Context, request: InitProducerIdRequest) -> InitProducerIdResponse {
    if request.transactional_id.is_some() {
        return refused(ErrorCode::UnsupportedVersion);
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
