//! DescribeConfigs (key 32).

use model::ErrorCode;
use wire::messages::DescribeConfigsRequest;
use wire::messages::describe_configs_request::DescribeConfigsResource;

use crate::incremental_alter_configs::{BROKER, CLIENT_METRICS, DONE, GROUP, SET, TOPIC, alter, described};
use crate::support::requests::str_bytes;
use crate::support::{Target, a_moment, error};

const NEWEST: i16 = 4;
const LOGGER: i8 = 8;

fn request(kind: i8, name: &str) -> DescribeConfigsRequest {
    let resource = DescribeConfigsResource::default().with_resource_type(kind).with_resource_name(str_bytes(name));
    let nothing = resource.with_configuration_keys(Some(vec![]));
    DescribeConfigsRequest::default().with_resources(vec![nothing])
}

pub(crate) async fn every_version_describes(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic_with("a", 1, &[("segment.ms", "1000")]).await;
    for version in 1..=NEWEST {
        let mut asked = request(TOPIC, &topic.name);
        asked.resources[0].configuration_keys = Some(vec![str_bytes("segment.ms"), str_bytes("no.such")]);
        asked.include_synonyms = true;
        let response = connection.call(version, &asked).await;
        let setting = &response.results[0].configs[0];
        assert_eq!((setting.value.as_deref(), setting.config_source, setting.read_only), (Some("1000"), 1, false));
        assert_eq!(response.results[0].configs.len(), 1);
    }
}

pub(crate) async fn what_is_not_there_is_refused_in_kafkas_words(target: Target) {
    let mut connection = target.connect().await;
    let nobody = target.name("nobody");
    let invalid = ErrorCode::InvalidRequest;
    let response = connection.call(NEWEST, &request(TOPIC, &nobody)).await;
    assert_eq!(error(response.results[0].error_code), ErrorCode::UnknownTopicOrPartition);
    for (kind, name, code, message) in [
        (TOPIC, "", ErrorCode::InvalidTopicException, "Topic name is invalid: the empty string is not allowed"),
        (BROKER, "abc", invalid, "Broker id must be an integer, but it is: abc"),
        (BROKER, "7", invalid, "Unexpected broker id, expected 1 or empty string, but received 7"),
        (LOGGER, "2", invalid, "Unexpected broker id, expected 1 but received 2"),
        (LOGGER, "", invalid, "Broker id must not be empty"),
        (LOGGER, "abc", invalid, "Broker id must be an integer, but it is: abc"),
        (GROUP, "", invalid, "Group name must not be empty"),
        (CLIENT_METRICS, "", invalid, "Client metrics subscription name must not be empty"),
    ] {
        let response = connection.call(NEWEST, &request(kind, name)).await;
        let result = &response.results[0];
        assert_eq!((error(result.error_code), result.error_message.as_deref()), (code, Some(message)), "{name}");
    }
    let response = connection.call(NEWEST, &request(99, "x")).await;
    assert_eq!(error(response.results[0].error_code), invalid);
}

pub(crate) async fn a_subscription_shows_what_was_set_and_the_rest_by_default(target: Target) {
    let mut connection = target.connect().await;
    let name = target.name("metrics");
    let set = [("interval.ms", SET, Some("1000"))];
    assert_eq!(alter(&mut connection, CLIENT_METRICS, &name, &set).await, DONE);
    loop {
        let interval = described(&mut connection, CLIENT_METRICS, &name, "interval.ms").await;
        if interval.config_source == 7 {
            assert_eq!((interval.value.as_deref(), interval.config_type), (Some("1000"), 3));
            assert_eq!((interval.synonyms.len(), interval.synonyms[0].source), (1, 7));
            break;
        }
        a_moment().await;
    }
    let patterns = described(&mut connection, CLIENT_METRICS, &name, "match").await;
    assert_eq!((patterns.value.as_deref(), patterns.config_type, patterns.config_source), (Some(""), 7, 5));
    assert!(patterns.synonyms.is_empty());
    assert_eq!(alter(&mut connection, CLIENT_METRICS, &name, &[("interval.ms", 1, None)]).await, DONE);
}

scenarios! {
    every_version_describes
    what_is_not_there_is_refused_in_kafkas_words
    a_subscription_shows_what_was_set_and_the_rest_by_default
}
