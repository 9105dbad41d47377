//! UnregisterBroker (key 64), version 0 (KIP-500): forgets a broker for good. Kafka would leave its replicas behind; here
//! that would be members that never answer, so one that still has any is refused.

use controller::{Command, UnregisterBroker};
use model::{BrokerId, ErrorCode};
use wire::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};

use crate::dispatch::Context;
use crate::text::text;

/// Has the controller forget the broker, if it carries nothing.
pub(crate) async fn handle(context: Context, request: UnregisterBrokerRequest) -> UnregisterBrokerResponse {
    let command = Command::UnregisterBroker(UnregisterBroker { id: BrokerId(request.broker_id.0) });
    let (code, message) = match context.broker.controller.submit(command).await {
        Ok(_) => (ErrorCode::None, None),
        Err(controller::SubmitError::Refused(refusal)) => (refusal.code, Some(text(refusal.message))),
        Err(why) => (why.code(), Some(text(why.to_string()))),
    };
    UnregisterBrokerResponse::default().with_error_code(code.code()).with_error_message(message)
}
