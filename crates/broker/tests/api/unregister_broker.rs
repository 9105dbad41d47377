//! UnregisterBroker (key 64).

use model::ErrorCode;
use wire::messages::{BrokerId, UnregisterBrokerRequest};

use crate::support::{Target, error};

pub(crate) async fn a_broker_that_is_not_there_cannot_be_forgotten(target: Target) {
    let mut connection = target.connect().await;
    let response = connection.call(0, &UnregisterBrokerRequest::default().with_broker_id(BrokerId(77))).await;
    assert_eq!(error(response.error_code), ErrorCode::BrokerIdNotRegistered);
}

scenarios! {
    a_broker_that_is_not_there_cannot_be_forgotten
}
