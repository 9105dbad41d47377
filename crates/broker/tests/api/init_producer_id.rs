//! InitProducerId (key 22).

use std::collections::BTreeSet;

use model::ErrorCode;
use wire::StrBytes;
use wire::messages::{InitProducerIdRequest, ProducerId};

use crate::support::{Connection, Target, a_moment, error};

const NEWEST: i16 = 5;

fn request() -> InitProducerIdRequest {
    InitProducerIdRequest::default().with_transactional_id(None).with_transaction_timeout_ms(60_000)
}

/// A connection to a broker that has ids to give.
async fn connect(target: &Target) -> Connection {
    let mut connection = target.connect().await;
    while error(connection.ask(NEWEST, &request()).await.error_code) == ErrorCode::CoordinatorLoadInProgress {
        a_moment().await;
    }
    connection
}

pub(crate) async fn every_version_gives_an_id_that_nobody_has(target: Target) {
    let mut ids = BTreeSet::new();
    let mut connection = connect(&target).await;
    for version in 0..=NEWEST {
        let response = connection.call(version, &request()).await;
        assert_eq!((error(response.error_code), response.producer_epoch), (ErrorCode::None, 0));
        assert!(response.producer_id.0 >= 0);
        assert!(ids.insert(response.producer_id.0), "id {} twice", response.producer_id.0);
    }
}

pub(crate) async fn connections_share_no_ids(target: Target) {
    let mut ids = BTreeSet::new();
    let (mut one, mut other) = (connect(&target).await, target.connect().await);
    for _ in 0..20 {
        for connection in [&mut one, &mut other] {
            let response = connection.ask(NEWEST, &request()).await;
            assert!(ids.insert(response.producer_id.0));
        }
    }
}

pub(crate) async fn an_idempotent_producer_names_its_old_id_and_epoch_or_neither(target: Target) {
    let mut connection = connect(&target).await;
    let first = connection.ask(NEWEST, &request()).await.producer_id;
    for (id, epoch, expected) in [
        (first, 0, ErrorCode::None),
        (ProducerId(999_999), 3, ErrorCode::None),
        (first, -1, ErrorCode::InvalidRequest),
        (ProducerId(-1), 0, ErrorCode::InvalidRequest),
    ] {
        for version in [3, NEWEST] {
            let again = request().with_producer_id(id).with_producer_epoch(epoch);
            let response = connection.call(version, &again).await;
            assert_eq!(error(response.error_code), expected, "{id:?} {epoch}");
            assert!(expected != ErrorCode::None || response.producer_id != id, "it is given another");
        }
    }
}

pub(crate) async fn a_transactional_id_is_not_empty(target: Target) {
    let mut connection = connect(&target).await;
    for version in 0..=NEWEST {
        let request = request().with_transactional_id(Some(StrBytes::default().into()));
        let refused = connection.call(version, &request).await;
        assert_eq!(error(refused.error_code), ErrorCode::InvalidRequest);
    }
}

scenarios! {
    every_version_gives_an_id_that_nobody_has
    connections_share_no_ids
    a_transactional_id_is_not_empty
    an_idempotent_producer_names_its_old_id_and_epoch_or_neither
}
