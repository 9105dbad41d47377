//! DeleteTopics (key 20), versions 1 to 6; from 6 on by id too (KIP-516).

use controller::ClusterImage;
use model::{ErrorCode, TopicId};
use wire::StrBytes;
use wire::messages::delete_topics_request::DeleteTopicState;
use wire::messages::delete_topics_response::DeletableTopicResult;
use wire::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};

use crate::dispatch::Context;

/// Deletes topics, each by itself. Their files go after `file.delete.delay.ms`.
pub(crate) async fn handle(context: Context, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let broker = &context.broker;
    let asked = match context.version {
        ..6 => request.topic_names.into_iter().map(|name| DeleteTopicState::default().with_name(Some(name))).collect(),
        6.. => request.topics,
    };
    let image = broker.image();
    let allowed = broker.config.delete_topic_enable();
    let mut results = Vec::with_capacity(asked.len());
    let mut found = Vec::new();
    for topic in asked {
        match find(&image, &topic) {
            _ if !allowed => results.push(refused(topic, ErrorCode::TopicDeletionDisabled)),
            Err(error) => results.push(refused(topic, error)),
            Ok(id) => found.push(id),
        }
    }
    if !found.is_empty() {
        results.extend(delete(&context, &image, found).await);
    }
    DeleteTopicsResponse::default().with_responses(results)
}

fn find(image: &ClusterImage, asked: &DeleteTopicState) -> Result<TopicId, ErrorCode> {
    let topic = match (&asked.name, TopicId(asked.topic_id)) {
        (Some(_), id) if id != TopicId::NIL => return Err(ErrorCode::InvalidRequest),
        (Some(name), _) => image.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition)?,
        (None, TopicId::NIL) => return Err(ErrorCode::InvalidRequest),
        (None, id) => image.topic_by_id(id).ok_or(ErrorCode::UnknownTopicId)?,
    };
    // Without it every group would forget where it was.
    if topic.is_internal() { Err(ErrorCode::InvalidTopicException) } else { Ok(topic.id) }
}

async fn delete(context: &Context, image: &ClusterImage, topics: Vec<TopicId>) -> Vec<DeletableTopicResult> {
    let broker = &context.broker;
    let outcome = broker.controller.delete_topics(topics.clone()).await;
    let mut results = Vec::with_capacity(topics.len());
    for (place, id) in topics.into_iter().enumerate() {
        let error = match &outcome {
            Ok(deleted) => deleted[place].as_ref().err().map(|refusal| refusal.code),
            Err(why) => Some(why.code()),
        };
        let name = image.topic_by_id(id).map(|topic| topic.name.clone());
        if let (None, Some(name)) = (error, &name) {
            broker.forget_topic(name).await;
        }
        let result = DeletableTopicResult::default()
            .with_name(name.map(|name| TopicName(StrBytes::from_string(name.to_string()))))
            .with_topic_id(id.0)
            .with_error_code(error.unwrap_or(ErrorCode::None).code());
        results.push(result);
    }
    results
}

fn refused(asked: DeleteTopicState, error: ErrorCode) -> DeletableTopicResult {
    DeletableTopicResult::default().with_name(asked.name).with_topic_id(asked.topic_id).with_error_code(error.code())
}
