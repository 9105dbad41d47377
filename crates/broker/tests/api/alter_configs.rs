//! AlterConfigs (key 33).

use model::ErrorCode;
use wire::messages::AlterConfigsRequest;
use wire::messages::alter_configs_request::{AlterConfigsResource, AlterableConfig};

use crate::incremental_alter_configs::{TOPIC, value};
use crate::support::requests::str_bytes;
use crate::support::{Target, a_moment, error};

const NEWEST: i16 = 2;

fn request(topic: &str, settings: &[(&str, Option<&str>)]) -> AlterConfigsRequest {
    let settings = settings
        .iter()
        .map(|(name, value)| AlterableConfig::default().with_name(str_bytes(name)).with_value(value.map(str_bytes)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(str_bytes(topic))
        .with_configs(settings.collect());
    AlterConfigsRequest::default().with_resources(vec![resource])
}

pub(crate) async fn every_version_replaces_all_settings(target: Target) {
    let mut connection = target.connect().await;
    for version in 0..=NEWEST {
        let settings = [("segment.bytes", "2000000"), ("retention.ms", "1")];
        let topic = target.topic_with(&format!("v{version}"), 1, &settings).await;
        let response = connection.call(version, &request(&topic.name, &[("retention.ms", Some("1234"))])).await;
        assert_eq!(error(response.responses[0].error_code), ErrorCode::None);
        while value(&mut connection, TOPIC, &topic.name, "retention.ms").await.0 != "1234" {
            a_moment().await;
        }
        assert_eq!(value(&mut connection, TOPIC, &topic.name, "segment.bytes").await, ("1073741824".to_owned(), 5));
    }
}

pub(crate) async fn bad_settings_are_refused_and_nothing_is_reset(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic_with("a", 1, &[("retention.ms", "5000")]).await;
    for (settings, code, message) in [
        (&[("foo", Some("1"))][..], ErrorCode::InvalidConfig, "Unknown topic config name: foo"),
        (
            &[("retention.ms", None), ("segment.ms", None)],
            ErrorCode::InvalidRequest,
            "Null value not supported for : retention.ms, segment.ms",
        ),
        (
            &[("retention.ms", Some("1")), ("retention.ms", Some("2"))],
            ErrorCode::InvalidRequest,
            "Error due to duplicate config keys",
        ),
    ] {
        let response = connection.call(NEWEST, &request(&topic.name, settings)).await;
        let result = &response.responses[0];
        assert_eq!((error(result.error_code), result.error_message.as_deref()), (code, Some(message)));
    }
    let valid = request(&topic.name, &[]).with_validate_only(true);
    assert_eq!(error(connection.call(NEWEST, &valid).await.responses[0].error_code), ErrorCode::None);
    assert_eq!(value(&mut connection, TOPIC, &topic.name, "retention.ms").await, ("5000".to_owned(), 1));
}

scenarios! {
    every_version_replaces_all_settings
    bad_settings_are_refused_and_nothing_is_reset
}
