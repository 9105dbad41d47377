//! DescribeConfigs (key 32), versions 1 to 4 (KIP-133, KIP-226, KIP-569): topics, brokers and their
//! loggers, groups, subscriptions to client metrics.

use config::{
    BrokerConfig, Described, describe_broker, describe_client_metrics, describe_cluster_default, describe_group,
    describe_topic,
};
use controller::{ClusterImage, Refusal, Resource, Settings};
use model::{BrokerId, ErrorCode, TopicName};
use wire::messages::describe_configs_request::DescribeConfigsResource;
use wire::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use wire::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

use crate::dispatch::Context;
use crate::text::text;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

/// Kafka has no better words for it.
const UNKNOWN_TYPE: &str = "This most likely occurs because of a request being malformed by the client library or the \
                            message was sent to an incompatible broker. See the broker logs for more details.";

/// Describes resources, each by itself.
pub(crate) async fn handle(context: Context, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let image = context.broker.image();
    let (synonyms, documentation) = (request.include_synonyms, request.include_documentation);
    let results = request.resources.into_iter().map(|resource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match describe(&context, &image, &resource) {
            Ok(settings) => {
                let settings = settings.into_iter().filter(|setting| is_asked_for(&resource, setting));
                let settings = settings.map(|setting| answer(setting, synonyms, documentation));
                result.with_error_message(Some(text(""))).with_configs(settings.collect())
            }
            Err(refusal) => result.with_error_code(refusal.code.code()).with_error_message(Some(text(refusal.message))),
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn describe(
    context: &Context,
    image: &ClusterImage,
    asked: &DescribeConfigsResource,
) -> Result<Vec<Described>, Refusal> {
    let (config, me, name) = (context.broker.config(), context.broker.id(), asked.resource_name.as_str());
    let nothing = Settings::new();
    let set = |resource: Resource| image.settings(&resource).unwrap_or(&nothing).clone();
    match asked.resource_type {
        TOPIC => describe_topic_named(image, name, &config),
        BROKER if name.is_empty() => Ok(describe_cluster_default(&config)),
        BROKER => match broker_id(name)? {
            id if id == me => Ok(describe_broker(&config)),
            id => Err(Refusal::invalid_request(format!(
                "Unexpected broker id, expected {me} or empty string, but received {id}"
            ))),
        },
        BROKER_LOGGER if name.is_empty() => Err(Refusal::invalid_request("Broker id must not be empty")),
        BROKER_LOGGER => match broker_id(name)? {
            id if id == me => Ok(context.broker.describe_loggers()),
            id => Err(Refusal::invalid_request(format!("Unexpected broker id, expected {me} but received {id}"))),
        },
        CLIENT_METRICS if name.is_empty() => {
            Err(Refusal::invalid_request("Client metrics subscription name must not be empty"))
        }
        CLIENT_METRICS => Ok(describe_client_metrics(&set(Resource::ClientMetrics(name.to_owned())))),
        GROUP if name.is_empty() => Err(Refusal::invalid_request("Group name must not be empty")),
        GROUP => Ok(describe_group(&set(Resource::Group(name.to_owned())), &config)),
        _ => Err(Refusal::invalid_request(UNKNOWN_TYPE)),
    }
}

fn describe_topic_named(image: &ClusterImage, name: &str, config: &BrokerConfig) -> Result<Vec<Described>, Refusal> {
    let name = TopicName::parse(name).map_err(|why| Refusal::new(ErrorCode::InvalidTopicException, why.to_string()))?;
    match image.topic(name.as_str()) {
        Some(topic) => Ok(describe_topic(&topic.configs, config)),
        None => {
            Err(Refusal::new(ErrorCode::UnknownTopicOrPartition, "This server does not host this topic-partition."))
        }
    }
}

fn broker_id(name: &str) -> Result<BrokerId, Refusal> {
    let no_number = |_| Refusal::invalid_request(format!("Broker id must be an integer, but it is: {name}"));
    name.parse().map(BrokerId).map_err(no_number)
}

/// No list asks for all.
fn is_asked_for(resource: &DescribeConfigsResource, setting: &Described) -> bool {
    let keys = resource.configuration_keys.as_ref();
    keys.is_none_or(|keys| keys.iter().any(|key| key.as_str() == setting.name))
}

fn answer(setting: Described, with_synonyms: bool, with_documentation: bool) -> DescribeConfigsResourceResult {
    let synonyms = setting.synonyms.into_iter().filter(|_| with_synonyms).map(|synonym| {
        DescribeConfigsSynonym::default()
            .with_name(text(synonym.name))
            .with_value(synonym.value.map(text))
            .with_source(synonym.source as i8)
    });
    DescribeConfigsResourceResult::default()
        .with_name(text(setting.name))
        .with_value(setting.value.map(text))
        .with_read_only(setting.read_only)
        .with_config_source(setting.source as i8)
        .with_is_sensitive(setting.sensitive)
        .with_synonyms(synonyms.collect())
        .with_config_type(setting.kind.map_or(0, |kind| kind.code()))
        .with_documentation(setting.documentation.filter(|_| with_documentation).map(text))
}
