//! DeleteTopics (key 20), versions 1 to 6; from 6 on by id too (KIP-516).

use std::collections::BTreeSet;
use std::sync::Arc;

use controller::{ClusterImage, TopicImage};
use model::{ErrorCode, TopicId};
use wire::messages::delete_topics_request::DeleteTopicState;
use wire::messages::delete_topics_response::DeletableTopicResult;
use wire::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};

use crate::dispatch::Context;
use crate::distinct::grouped;
use crate::text::text;

/// Since this version a client knows TOPIC_DELETION_DISABLED (KIP-322).
const DISABLED_SINCE: i16 = 3;

/// Deletes topics, each by itself; a topic that is named twice stays. Their files go after `file.delete.delay.ms`.
pub(crate) async fn handle(context: Context, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let broker = &context.broker;
    let asked = match context.version {
        ..6 => request.topic_names.into_iter().map(|name| DeleteTopicState::default().with_name(Some(name))).collect(),
        6.. => request.topics,
    };
    let refuse_all = |error: ErrorCode| {
        let results = asked.iter().map(|topic| result(topic.name.clone(), TopicId(topic.topic_id), error, None));
        DeleteTopicsResponse::default().with_responses(results.collect())
    };
    if !broker.config().delete_topic_enable() {
        let knows_it = context.version >= DISABLED_SINCE;
        return refuse_all(if knows_it { ErrorCode::TopicDeletionDisabled } else { ErrorCode::InvalidRequest });
    }
    if request.timeout_ms <= 0 {
        return refuse_all(ErrorCode::RequestTimedOut);
    }
    let (found, mut results) = choose(&broker.image(), asked);
    if !found.is_empty() {
        results.extend(delete(&context, found).await);
    }
    DeleteTopicsResponse::default().with_responses(results)
}

/// Sorts out what is asked for: the topics that may be deleted, and the answers to all else.
fn choose(image: &ClusterImage, asked: Vec<DeleteTopicState>) -> (Vec<Arc<TopicImage>>, Vec<DeletableTopicResult>) {
    let (mut names, mut ids, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let invalid = |name, id, why| result(name, id, ErrorCode::InvalidRequest, Some(why));
    for topic in asked {
        match (topic.name, TopicId(topic.topic_id)) {
            (None, TopicId::NIL) => {
                refused.push(invalid(None, TopicId::NIL, "Neither topic name nor id were specified."))
            }
            (None, id) => ids.push((id, ())),
            (Some(name), TopicId::NIL) => names.push((name, ())),
            (name, id) => refused.push(invalid(name, id, "You may not specify both topic name and topic id.")),
        }
    }
    let (mut found, mut twice): (Vec<Arc<TopicImage>>, BTreeSet<TopicId>) = Default::default();
    for (id, times) in grouped(ids) {
        if times.len() > 1 {
            twice.insert(id);
            refused.push(invalid(None, id, "Duplicate topic id."));
            continue;
        }
        match image.topic_by_id(id) {
            Some(topic) => found.push(topic.clone()),
            None => {
                let why = "This server does not host this topic ID.";
                refused.push(result(None, id, ErrorCode::UnknownTopicId, Some(why)));
            }
        }
    }
    for (name, times) in grouped(names) {
        let topic = match image.topic(&name) {
            _ if times.len() > 1 => {
                refused.push(invalid(Some(name), TopicId::NIL, "Duplicate topic name."));
                continue;
            }
            None => {
                let why = "This server does not host this topic-partition.";
                refused.push(result(Some(name), TopicId::NIL, ErrorCode::UnknownTopicOrPartition, Some(why)));
                continue;
            }
            Some(topic) => topic,
        };
        if twice.contains(&topic.id) || found.iter().any(|other| other.id == topic.id) {
            twice.insert(topic.id);
            found.retain(|other| other.id != topic.id);
            let why = "The provided topic name maps to an ID that was already supplied.";
            refused.push(invalid(Some(name), topic.id, why));
        } else {
            found.push(topic.clone());
        }
    }
    // Without it every group would forget where it was.
    let (internal, found): (Vec<_>, _) = found.into_iter().partition(|topic| topic.is_internal());
    refused.extend(internal.iter().map(|topic| {
        result(kafka_name(topic), topic.id, ErrorCode::InvalidTopicException, Some("Internal topics are not deleted."))
    }));
    (found, refused)
}

async fn delete(context: &Context, topics: Vec<Arc<TopicImage>>) -> Vec<DeletableTopicResult> {
    let broker = &context.broker;
    let outcome = broker.controller.delete_topics(topics.iter().map(|topic| topic.id).collect()).await;
    let mut results = Vec::with_capacity(topics.len());
    for (place, topic) in topics.iter().enumerate() {
        let refused = match &outcome {
            Ok(deleted) => deleted[place].as_ref().err().map(|refusal| (refusal.code, refusal.message.clone())),
            Err(why) => Some((why.code(), why.to_string())),
        };
        results.push(match refused {
            Some((error, why)) => result(kafka_name(topic), topic.id, error, Some(&why)),
            None => {
                broker.forget_topic(&topic.name).await;
                result(kafka_name(topic), topic.id, ErrorCode::None, None)
            }
        });
    }
    results
}

fn kafka_name(topic: &TopicImage) -> Option<TopicName> {
    Some(TopicName(text(topic.name.as_str())))
}

fn result(name: Option<TopicName>, id: TopicId, error: ErrorCode, why: Option<&str>) -> DeletableTopicResult {
    DeletableTopicResult::default()
        .with_name(name)
        .with_topic_id(id.0)
        .with_error_code(error.code())
        .with_error_message(why.map(text))
}
