//! CreateTopics (key 19), versions 2 to 7. Answered once the topics can be used here.

use config::Owner;
use controller::{Layout, NewTopic, Refusal, Settings, TopicImage, TopicSpec, check_name};
use model::{BrokerId, ErrorCode, TopicName};
use wire::StrBytes;
use wire::messages::create_topics_request::CreatableTopic;
use wire::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use wire::messages::{CreateTopicsRequest, CreateTopicsResponse};

use crate::dispatch::Context;
use crate::distinct::grouped;
use crate::text::text;

/// Creates topics, each by itself.
pub(crate) async fn handle(context: Context, request: CreateTopicsRequest) -> CreateTopicsResponse {
    if request.timeout_ms <= 0 {
        let out_of_time = |topic: CreatableTopic| result(topic.name, ErrorCode::RequestTimedOut, None);
        let results = request.topics.into_iter().map(out_of_time).collect();
        return CreateTopicsResponse::default().with_topics(results);
    }
    let mut results = Vec::with_capacity(request.topics.len());
    let mut wanted = Vec::new();
    for (name, topics) in grouped(request.topics.into_iter().map(|topic| (topic.name.clone(), topic))) {
        let spec = match &topics[..] {
            [once] => spec(&context, once),
            _ => Err(Refusal::new(ErrorCode::InvalidRequest, "Duplicate topic name.")),
        };
        match spec {
            Err(refusal) => results.push(refused(name, refusal)),
            Ok(spec) => wanted.push(spec),
        }
    }
    results.extend(match request.validate_only {
        true => validate(&context, wanted),
        false => create(&context, wanted).await,
    });
    CreateTopicsResponse::default().with_topics(results)
}

fn spec(context: &Context, topic: &CreatableTopic) -> Result<TopicSpec, Refusal> {
    let config = context.broker.config();
    let name =
        TopicName::parse(&topic.name).map_err(|why| Refusal::new(ErrorCode::InvalidTopicException, why.to_string()))?;
    let assigned = topic.assignments.iter();
    let brokers = |ids: &[wire::messages::BrokerId]| ids.iter().map(|id| BrokerId(id.0)).collect();
    let assigned = assigned.map(|row| (row.partition_index, brokers(&row.broker_ids))).collect();
    let defaults = context.broker.layout_defaults();
    let layout = Layout::from_request(topic.num_partitions, topic.replication_factor, assigned, defaults)?;
    let configs = configs(topic)?;
    let named = configs.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    Owner::Topic
        .check_change(&Settings::new(), &configs, &named, &config)
        .map_err(|why| Refusal::new(why.code(), why.to_string()))?;
    Ok(TopicSpec { name, layout, configs })
}

/// The settings asked for; of one that is named twice the last value.
fn configs(topic: &CreatableTopic) -> Result<Settings, Refusal> {
    let mut configs = Settings::new();
    let mut null = Vec::new();
    for setting in &topic.configs {
        match &setting.value {
            Some(value) => drop(configs.insert(setting.name.to_string(), value.to_string())),
            None => null.push(setting.name.as_str()),
        }
    }
    if null.is_empty() {
        return Ok(configs);
    }
    let why = format!("Null value not supported for topic configs: {}", null.join(","));
    Err(Refusal::new(ErrorCode::InvalidConfig, why))
}

async fn create(context: &Context, specs: Vec<TopicSpec>) -> Vec<CreatableTopicResult> {
    let names: Vec<TopicName> = specs.iter().map(|spec| spec.name.clone()).collect();
    if specs.is_empty() {
        return Vec::new();
    }
    let kafka_name = |name: &TopicName| wire::messages::TopicName(StrBytes::from_string(name.to_string()));
    match context.broker.create(specs).await {
        Ok(created) => {
            let results = names.iter().zip(created).map(|(name, result)| match result {
                Ok(topic) => described(context, &topic),
                Err(refusal) => refused(kafka_name(name), refusal),
            });
            results.collect()
        }
        Err(why) => {
            let refusal = |name| refused(kafka_name(name), Refusal::new(why.code(), why.to_string()));
            names.iter().map(refusal).collect()
        }
    }
}

/// What creating would answer, without doing it.
fn validate(context: &Context, specs: Vec<TopicSpec>) -> Vec<CreatableTopicResult> {
    let image = context.broker.image();
    let results = specs.into_iter().map(|spec| {
        let name = wire::messages::TopicName(StrBytes::from_string(spec.name.to_string()));
        let planned = check_name(&image, &spec.name).and_then(|()| {
            let id = model::TopicId::from_random(context.broker.env.random.bytes());
            controller::placement::Planner::new(&image).topic(&spec, id)
        });
        match planned {
            Err(refusal) => refused(name, refusal),
            Ok(NewTopic { id, name, partitions, configs }) => {
                described(context, &TopicImage { id, name, partitions, configs })
            }
        }
    });
    results.collect()
}

fn described(context: &Context, topic: &TopicImage) -> CreatableTopicResult {
    let image = context.broker.image();
    let replicas = topic.partitions.first().map_or(0, |place| image.replicas(place).len());
    let configs = config::describe_topic(&topic.configs, &context.broker.config()).into_iter().map(|setting| {
        CreatableTopicConfigs::default()
            .with_name(StrBytes::from_string(setting.name.to_string()))
            .with_value(setting.value.map(|value| StrBytes::from_string(value.to_string())))
            .with_read_only(setting.read_only)
            .with_config_source(setting.source as i8)
            .with_is_sensitive(setting.sensitive)
    });
    result(wire::messages::TopicName(StrBytes::from_string(topic.name.to_string())), ErrorCode::None, None)
        .with_topic_id(topic.id.0)
        .with_num_partitions(i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX))
        .with_replication_factor(i16::try_from(replicas).unwrap_or(i16::MAX))
        .with_configs(Some(configs.collect()))
}

fn refused(name: wire::messages::TopicName, refusal: Refusal) -> CreatableTopicResult {
    result(name, refusal.code, Some(refusal.message))
}

fn result(name: wire::messages::TopicName, error: ErrorCode, why: Option<String>) -> CreatableTopicResult {
    CreatableTopicResult::default()
        .with_name(name)
        .with_error_code(error.code())
        .with_error_message(why.map(text))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
}
