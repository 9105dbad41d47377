//! CreatePartitions (key 37), versions 0 to 3. Answered once the new partitions can be used here.

use controller::placement::Planner;
use controller::{Growth, Refusal};
use model::{BrokerId, ErrorCode, TopicName};
use wire::messages::create_partitions_request::CreatePartitionsTopic;
use wire::messages::create_partitions_response::CreatePartitionsTopicResult;
use wire::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use crate::dispatch::Context;
use crate::distinct::grouped;
use crate::text::text;

/// Adds partitions to topics, each by itself; a topic that is named twice stays as it is.
pub(crate) async fn handle(context: Context, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let topics = grouped(request.topics.into_iter().map(|topic| (topic.name.clone(), topic)));
    let mut results = Vec::with_capacity(topics.len());
    let (mut names, mut growths) = (Vec::new(), Vec::new());
    for (name, asked) in topics {
        let growth = match &asked[..] {
            _ if request.timeout_ms <= 0 => Err(Refusal::new(ErrorCode::RequestTimedOut, "")),
            [once] => growth(once),
            _ => Err(Refusal::invalid_request("Duplicate topic name.")),
        };
        match growth {
            Err(refusal) => results.push(result(name, Err(refusal))),
            Ok(growth) => {
                names.push(name);
                growths.push(growth);
            }
        }
    }
    let grown = match request.validate_only {
        true => validate(&context, &growths),
        false => grow(&context, growths).await,
    };
    results.extend(names.into_iter().zip(grown).map(|(name, outcome)| result(name, outcome)));
    CreatePartitionsResponse::default().with_results(results)
}

fn growth(asked: &CreatePartitionsTopic) -> Result<Growth, Refusal> {
    let topic = TopicName::parse(&asked.name).map_err(|_| Refusal::new(ErrorCode::UnknownTopicOrPartition, ""))?;
    if topic.is_internal() {
        // A group's state is in the partition that its name and their number say.
        let message = "Internal topics keep their number of partitions.";
        return Err(Refusal::new(ErrorCode::InvalidTopicException, message));
    }
    let brokers = |ids: &[wire::messages::BrokerId]| ids.iter().map(|id| BrokerId(id.0)).collect();
    let assignments = asked.assignments.as_ref();
    let assignments = assignments.map(|rows| rows.iter().map(|row| brokers(&row.broker_ids)).collect());
    Ok(Growth { topic, count: asked.count, assignments })
}

async fn grow(context: &Context, growths: Vec<Growth>) -> Vec<Result<(), Refusal>> {
    let count = growths.len();
    if count == 0 {
        return Vec::new();
    }
    match context.broker.grow(growths).await {
        Ok(grown) => grown.into_iter().map(|outcome| outcome.map(drop)).collect(),
        Err(why) => (0..count).map(|_| Err(Refusal::new(why.code(), why.to_string()))).collect(),
    }
}

/// What growing would answer, without doing it.
fn validate(context: &Context, growths: &[Growth]) -> Vec<Result<(), Refusal>> {
    let image = context.broker.image();
    let mut planner = Planner::new(&image);
    growths.iter().map(|growth| planner.growth(growth).map(drop)).collect()
}

fn result(name: wire::messages::TopicName, outcome: Result<(), Refusal>) -> CreatePartitionsTopicResult {
    let result = CreatePartitionsTopicResult::default().with_name(name).with_error_message(None);
    match outcome {
        Ok(()) => result,
        Err(why) => {
            // As Kafka does, without a word where the code says it all.
            let is_plain = matches!(why.code, ErrorCode::UnknownTopicOrPartition | ErrorCode::RequestTimedOut);
            let message = Some(why.message).filter(|_| !is_plain);
            result.with_error_code(why.code.code()).with_error_message(message.map(text))
        }
    }
}
