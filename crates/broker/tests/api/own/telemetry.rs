//! GetTelemetrySubscriptions (key 71) and PushTelemetry (key 72). Kafka serves them only with a plug-in.

use std::rc::Rc;
use std::sync::Arc;

use broker::Running;
use bytes::Bytes;
use disk::SimDisk;
use model::{Clock, ErrorCode};
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;
use wire::messages::{
    ApiVersionsRequest, GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse, PushTelemetryRequest,
};

use crate::incremental_alter_configs::{CLIENT_METRICS, DONE, SET, alter};
use crate::own::in_process::start_by;
use crate::own::target;
use crate::support::requests::str_bytes;
use crate::support::{Connection, error};

/// A clock that stands until it is moved.
#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        1_000_000 + self.0.load(Ordering::Relaxed)
    }
}

async fn broker() -> (Rc<Running>, Arc<Hand>) {
    let clock = Arc::new(Hand::default());
    let running = start_by(clock.clone(), &SimDisk::new(0), &["telemetry.max.bytes=100"]).await;
    (Rc::new(running), clock)
}

async fn subscription(connection: &mut Connection, instance: Uuid) -> GetTelemetrySubscriptionsResponse {
    connection.ask(0, &GetTelemetrySubscriptionsRequest::default().with_client_instance_id(instance)).await
}

fn push(told: &GetTelemetrySubscriptionsResponse, metrics: &'static [u8]) -> PushTelemetryRequest {
    PushTelemetryRequest::default()
        .with_client_instance_id(told.client_instance_id)
        .with_subscription_id(told.subscription_id)
        .with_metrics(Bytes::from_static(metrics))
}

async fn pushed(connection: &mut Connection, push: &PushTelemetryRequest) -> ErrorCode {
    error(connection.ask(0, push).await.error_code)
}

#[tokio::test(start_paused = true)]
async fn a_client_is_told_what_matches_it_and_its_last_push_is_kept() {
    let (running, clock) = broker().await;
    let target = target("telemetry::kept", &running);
    let mut connection = target.connect().await;
    let hello = ApiVersionsRequest {
        client_software_name: str_bytes("some-library"),
        client_software_version: str_bytes("1.2"),
        ..ApiVersionsRequest::default()
    };
    connection.ask(4, &hello).await;
    for (name, selector, metrics) in [
        ("one", "client_id=scen.*,client_software_name=some-.*", "b.,a."),
        ("two", "client_source_address=127[.]0[.]0[.]1", "c."),
        ("other", "client_id=someone-else", "d."),
    ] {
        let changes =
            [("match", SET, Some(selector)), ("metrics", SET, Some(metrics)), ("interval.ms", SET, Some("1000"))];
        assert_eq!(alter(&mut connection, CLIENT_METRICS, name, &changes).await, DONE);
    }
    let told = subscription(&mut connection, Uuid::nil()).await;
    assert_eq!(error(told.error_code), ErrorCode::None);
    assert!(!told.client_instance_id.is_nil() && told.delta_temporality);
    assert_eq!((told.push_interval_ms, told.telemetry_max_bytes), (1000, 100));
    assert_eq!(told.accepted_compression_types, [4, 3, 1, 2]);
    let metrics: Vec<&str> = told.requested_metrics.iter().map(|name| name.as_str()).collect();
    assert_eq!(metrics, ["a.", "b.", "c."]);

    assert_eq!(pushed(&mut connection, &push(&told, b"first")).await, ErrorCode::None);
    assert_eq!(pushed(&mut connection, &push(&told, b"early")).await, ErrorCode::ThrottlingQuotaExceeded);
    clock.0.fetch_add(1000, Ordering::Relaxed);
    assert_eq!(pushed(&mut connection, &push(&told, b"second")).await, ErrorCode::None);
    let kept = running.broker.client_metrics();
    assert_eq!((kept.len(), &kept[0].metrics[..], &*kept[0].client_id), (1, &b"second"[..], "scenario"));
    assert_eq!((kept[0].instance, kept[0].at_ms), (told.client_instance_id, 1_001_000));
    let last = push(&told, b"last").with_terminating(true);
    assert_eq!(pushed(&mut connection, &last).await, ErrorCode::None);
    assert_eq!(pushed(&mut connection, &last).await, ErrorCode::InvalidRequest);
    let after = subscription(&mut connection, told.client_instance_id).await;
    assert_eq!(error(after.error_code), ErrorCode::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn a_push_that_breaks_a_rule_is_refused() {
    let (running, clock) = broker().await;
    let mut connection = target("telemetry::rules", &running).connect().await;
    let told = subscription(&mut connection, Uuid::nil()).await;
    assert_eq!((told.push_interval_ms, told.requested_metrics.len()), (300_000, 0));
    let again = subscription(&mut connection, told.client_instance_id).await;
    assert_eq!(error(again.error_code), ErrorCode::ThrottlingQuotaExceeded);
    let good = push(&told, b"metrics");
    for (bad, code) in [
        (good.clone().with_client_instance_id(Uuid::nil()), ErrorCode::InvalidRequest),
        (good.clone().with_compression_type(9), ErrorCode::UnsupportedCompressionType),
        (good.clone().with_compression_type(-1), ErrorCode::UnsupportedCompressionType),
        (good.clone().with_metrics(Bytes::from_static(&[0; 101])), ErrorCode::TelemetryTooLarge),
        (good.clone().with_subscription_id(told.subscription_id ^ 1), ErrorCode::UnknownSubscriptionId),
    ] {
        assert_eq!(pushed(&mut connection, &bad).await, code);
        clock.0.fetch_add(300_000, Ordering::Relaxed);
    }
    assert!(running.broker.client_metrics().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_changed_subscription_is_asked_for_at_once() {
    let (running, _) = broker().await;
    let mut connection = target("telemetry::changed", &running).connect().await;
    let told = subscription(&mut connection, Uuid::nil()).await;
    assert_eq!(alter(&mut connection, CLIENT_METRICS, "all", &[("metrics", SET, Some("*,a."))]).await, DONE);
    assert_eq!(pushed(&mut connection, &push(&told, b"old")).await, ErrorCode::UnknownSubscriptionId);
    let anew = subscription(&mut connection, told.client_instance_id).await;
    assert_eq!((error(anew.error_code), anew.requested_metrics[0].as_str()), (ErrorCode::None, "*"));
    assert_ne!(anew.subscription_id, told.subscription_id);
}
