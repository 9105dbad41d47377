//! Metadata (key 3), versions 0 to 13.
//!
//! Before version 1 an empty list asks for all topics; from then on a null list does. Unknown topics
//! are created if both the request and `auto.create.topics.enable` say so. From version 12 topics
//! may be asked for by id (KIP-516), and then names do not count.

use std::sync::Arc;

use controller::{ClusterImage, TopicImage};
use model::{ErrorCode, TopicId, TopicName};
use wire::StrBytes;
use wire::messages::metadata_request::MetadataRequestTopic;
use wire::messages::metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic};
use wire::messages::{BrokerId, MetadataRequest, MetadataResponse};

use crate::broker::Leading;
use crate::dispatch::Context;
use crate::distinct::last_of_each;
use crate::endpoints::wire_ids;
use crate::error::Close;
use crate::operations::Operations;

/// Since this version topics may be asked for by id.
const IDS_SINCE: i16 = 12;

/// Answers with brokers and topics from the cluster image. A broker that is cut off answers what cannot have changed.
pub(crate) async fn handle(context: Context, request: MetadataRequest) -> Result<MetadataResponse, Close> {
    let mut asked = match request.topics {
        Some(topics) if topics.is_empty() && context.version == 0 => None,
        asked => asked,
    };
    if context.version < IDS_SINCE
        && let Some(topics) = &asked
        && topics.iter().any(|topic| topic.name.is_none() || topic.topic_id != TopicId::NIL.0)
    {
        return Ok(refused(topics));
    }
    if let Some(topics) = &mut asked {
        prefer_ids(topics);
    }
    let may_create = context.version < 4 || request.allow_auto_topic_creation;
    if may_create && let Some(topics) = &asked {
        create_missing(&context, topics).await;
    }
    let image = context.broker.image();
    let topics: Vec<MetadataResponseTopic> = match asked {
        None => image.topics().map(|topic| described(&context, &image, topic)).collect(),
        Some(asked) => {
            let asked = asked.into_iter().map(|topic| ((topic.name.clone(), topic.topic_id), topic));
            last_of_each(asked).into_iter().map(|(_, topic)| answer(&context, &image, topic)).collect()
        }
    };
    if context.broker.is_cut_off(&image) && topics.iter().any(|topic| may_be_led_elsewhere(&context, topic)) {
        return Err(Close::CutOff);
    }
    let on_topics = Operations::TOPIC.if_asked(request.include_topic_authorized_operations);
    let topics = topics.into_iter().map(|topic| topic.with_topic_authorized_operations(on_topics)).collect();
    let brokers = context.broker.endpoints(&image, &context.peer.listener);
    let brokers = brokers.map(|broker| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(broker.id.0))
            .with_host(StrBytes::from_string(broker.host))
            .with_port(i32::from(broker.port))
            .with_rack(broker.rack.map(StrBytes::from_string))
    });
    let response = MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_cluster_id(Some(StrBytes::from_string(image.cluster_id().to_owned())))
        .with_controller_id(BrokerId(context.broker.controller.leader().map_or(-1, |leader| leader.0)))
        .with_topics(topics)
        .with_cluster_authorized_operations(
            Operations::CLUSTER.if_asked(request.include_cluster_authorized_operations),
        );
    Ok(response)
}

/// Whether others may have elected another leader of a partition than the one that was found, or one at all.
fn may_be_led_elsewhere(context: &Context, topic: &MetadataResponseTopic) -> bool {
    let me = context.broker.id().0;
    topic.partitions.iter().any(|partition| partition.replica_nodes.len() > 1 && partition.leader_id.0 != me)
}

/// Kafka's answer to ids, or to the lack of a name, before [`IDS_SINCE`]: nothing but the error, for all topics.
fn refused(asked: &[MetadataRequestTopic]) -> MetadataResponse {
    let topics = asked.iter().map(|topic| {
        MetadataResponseTopic::default()
            .with_error_code(ErrorCode::InvalidRequest.code())
            .with_name(Some(topic.name.clone().unwrap_or_default()))
            .with_topic_id(topic.topic_id)
    });
    MetadataResponse::default().with_controller_id(BrokerId(-1)).with_cluster_id(None).with_topics(topics.collect())
}

/// Leaves ids alone where there are any, as Kafka does: its client in Java sends an empty name beside each id.
fn prefer_ids(asked: &mut Vec<MetadataRequestTopic>) {
    if asked.iter().any(|topic| topic.topic_id != TopicId::NIL.0) {
        asked.retain(|topic| topic.topic_id != TopicId::NIL.0);
        asked.iter_mut().for_each(|topic| topic.name = None);
    }
}

async fn create_missing(context: &Context, topics: &[MetadataRequestTopic]) {
    let broker = &context.broker;
    if !broker.config().auto_create_topics_enable() {
        return;
    }
    let image = broker.image();
    let names = topics.iter().filter_map(|topic| TopicName::parse(topic.name.as_ref()?).ok());
    let missing: Vec<TopicName> = names.filter(|name| image.topic(name.as_str()).is_none()).collect();
    if !missing.is_empty() {
        broker.create_automatically(missing).await;
    }
}

fn answer(context: &Context, image: &ClusterImage, asked: MetadataRequestTopic) -> MetadataResponseTopic {
    let found = match &asked.name {
        Some(name) => image.topic(name).filter(|_| TopicName::parse(name).is_ok()),
        None => image.topic_by_id(TopicId(asked.topic_id)),
    };
    let error = match (&found, &asked.name) {
        (Some(topic), _) => return described(context, image, topic),
        (None, Some(name)) if TopicName::parse(name).is_err() => ErrorCode::InvalidTopicException,
        (None, Some(_)) => ErrorCode::UnknownTopicOrPartition,
        (None, None) => ErrorCode::UnknownTopicId,
    };
    MetadataResponseTopic::default().with_error_code(error.code()).with_name(asked.name).with_topic_id(asked.topic_id)
}

fn described(context: &Context, image: &ClusterImage, topic: &Arc<TopicImage>) -> MetadataResponseTopic {
    let name = StrBytes::from_string(topic.name.to_string());
    let partitions = topic.numbered().map(|(index, place)| {
        let partition = MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_replica_nodes(wire_ids(image.replicas(place)));
        match context.broker.leading(image, topic, index) {
            Some(Leading { leader, epoch, in_sync }) => {
                partition.with_leader_id(BrokerId(leader.0)).with_leader_epoch(epoch).with_isr_nodes(wire_ids(&in_sync))
            }
            None => partition.with_error_code(ErrorCode::LeaderNotAvailable.code()).with_leader_id(BrokerId(-1)),
        }
    });
    MetadataResponseTopic::default()
        .with_name(Some(wire::messages::TopicName(name)))
        .with_topic_id(topic.id.0)
        .with_is_internal(topic.is_internal())
        .with_partitions(partitions.collect())
}
