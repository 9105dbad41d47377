//! DescribeConfigs (key 32), versions 1 to 4 (KIP-133, KIP-226, KIP-569). Topics, brokers, groups;
//! loggers and client metrics have no settings here yet.

use config::{Described, describe_broker, describe_cluster_default, describe_group, describe_topic};
use controller::{ClusterImage, Refusal, Resource, Settings};
use model::ErrorCode;
use wire::messages::describe_configs_request::DescribeConfigsResource;
use wire::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use wire::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

use crate::dispatch::Context;
use crate::text::text;

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
                result.with_configs(settings.map(|setting| answer(setting, synonyms, documentation)).collect())
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
    let config = &context.broker.config;
    let invalid = |message: String| Refusal::new(ErrorCode::InvalidRequest, message);
    let resource = Resource::from_kafka(asked.resource_type, &asked.resource_name);
    match resource.map_err(|why| invalid(why.to_string()))? {
        Resource::Topic(name) => match image.topic(name.as_str()) {
            Some(topic) => Ok(describe_topic(&topic.configs, config)),
            None => {
                Err(Refusal::new(ErrorCode::UnknownTopicOrPartition, "This server does not host this topic-partition."))
            }
        },
        Resource::ClusterDefault => Ok(describe_cluster_default(config)),
        Resource::Broker(id) if id == context.broker.id() => Ok(describe_broker(config)),
        Resource::Broker(id) => {
            let me = context.broker.id();
            Err(invalid(format!("Unexpected broker id, expected {me} or empty string, but received {id}")))
        }
        Resource::Group(name) => {
            let nothing = Settings::new();
            let set = image.settings(&Resource::Group(name)).unwrap_or(&nothing);
            Ok(describe_group(set, config))
        }
        Resource::ClientMetrics(_) => Ok(Vec::new()),
    }
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
