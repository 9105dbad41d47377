//! From a frame to the handler of its API, and back.
//!
//! Here stands which file of [`crate::api`] answers which key; what is served in which versions is
//! said by [`wire::APIS`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use wire::messages::{Request, Response};
use wire::{ApiKey, Frame, Incoming, RequestHeader, StrBytes};

use crate::api;
use crate::broker::Broker;
use crate::connection::Peer;
use crate::error::Close;

/// A response on its way; none for a produce that wants no acknowledgement.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Option<Frame>, Close>> + Send>>;

/// A request that was begun.
pub(crate) struct Begun {
    pub(crate) answer: Answer,
    /// Whether the next request may begin before this one is answered.
    pub(crate) may_overlap: bool,
}

/// What a handler knows besides its request.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) broker: Arc<Broker>,
    pub(crate) peer: Peer,
    pub(crate) version: i16,
    pub(crate) client_id: Option<StrBytes>,
}

/// Decodes a frame and begins its request.
pub(crate) async fn begin(broker: &Arc<Broker>, peer: &Peer, frame: Bytes) -> Result<Begun, Close> {
    let (header, body) = match wire::parse_request(frame)? {
        Incoming::Request(header, body) => (header, body),
        Incoming::UnsupportedApiVersions { correlation_id } => {
            let response = wire::encode_response(0, correlation_id, wire::unsupported_api_versions_response())?;
            return Ok(Begun { answer: Box::pin(async { Ok(Some(response)) }), may_overlap: false });
        }
    };
    let context = Context {
        broker: broker.clone(),
        peer: peer.clone(),
        version: header.version,
        client_id: header.client_id.clone(),
    };
    if header.api == ApiKey::Produce {
        return api::produce::begin(context, &header, body).await;
    }
    let answer = route(context, header, body)?;
    Ok(Begun { answer, may_overlap: false })
}

fn route(context: Context, header: RequestHeader, body: Bytes) -> Result<Answer, Close> {
    match header.api {
        ApiKey::Fetch => answer(context, header, body, api::fetch::handle),
        ApiKey::ListOffsets => answer(context, header, body, api::list_offsets::handle),
        ApiKey::Metadata => answer_or_close(context, header, body, api::metadata::handle),
        ApiKey::OffsetCommit => answer(context, header, body, api::offset_commit::handle),
        ApiKey::OffsetFetch => answer(context, header, body, api::offset_fetch::handle),
        ApiKey::FindCoordinator => answer_or_close(context, header, body, api::find_coordinator::handle),
        ApiKey::JoinGroup => answer(context, header, body, api::join_group::handle),
        ApiKey::Heartbeat => answer(context, header, body, api::heartbeat::handle),
        ApiKey::LeaveGroup => answer(context, header, body, api::leave_group::handle),
        ApiKey::SyncGroup => answer(context, header, body, api::sync_group::handle),
        ApiKey::DescribeGroups => answer(context, header, body, api::describe_groups::handle),
        ApiKey::ListGroups => answer(context, header, body, api::list_groups::handle),
        ApiKey::ApiVersions => answer(context, header, body, api::api_versions::handle),
        ApiKey::CreateTopics => answer(context, header, body, api::create_topics::handle),
        ApiKey::DeleteTopics => answer(context, header, body, api::delete_topics::handle),
        ApiKey::DeleteRecords => answer(context, header, body, api::delete_records::handle),
        ApiKey::InitProducerId => answer(context, header, body, api::init_producer_id::handle),
        ApiKey::OffsetForLeaderEpoch => answer(context, header, body, api::offset_for_leader_epoch::handle),
        ApiKey::DescribeConfigs => answer(context, header, body, api::describe_configs::handle),
        ApiKey::AlterConfigs => answer(context, header, body, api::alter_configs::handle),
        ApiKey::AlterReplicaLogDirs => answer(context, header, body, api::alter_replica_log_dirs::handle),
        ApiKey::DescribeLogDirs => answer(context, header, body, api::describe_log_dirs::handle),
        ApiKey::CreatePartitions => answer(context, header, body, api::create_partitions::handle),
        ApiKey::DeleteGroups => answer(context, header, body, api::delete_groups::handle),
        ApiKey::ElectLeaders => answer(context, header, body, api::elect_leaders::handle),
        ApiKey::IncrementalAlterConfigs => answer(context, header, body, api::incremental_alter_configs::handle),
        ApiKey::AlterPartitionReassignments => {
            answer(context, header, body, api::alter_partition_reassignments::handle)
        }
        ApiKey::ListPartitionReassignments => answer(context, header, body, api::list_partition_reassignments::handle),
        ApiKey::OffsetDelete => answer(context, header, body, api::offset_delete::handle),
        ApiKey::DescribeQuorum => answer(context, header, body, api::describe_quorum::handle),
        ApiKey::UpdateFeatures => answer(context, header, body, api::update_features::handle),
        ApiKey::DescribeCluster => answer(context, header, body, api::describe_cluster::handle),
        ApiKey::UnregisterBroker => answer(context, header, body, api::unregister_broker::handle),
        ApiKey::DescribeProducers => answer(context, header, body, api::describe_producers::handle),
        ApiKey::GetTelemetrySubscriptions => answer(context, header, body, api::get_telemetry_subscriptions::handle),
        ApiKey::PushTelemetry => answer(context, header, body, api::push_telemetry::handle),
        ApiKey::ListConfigResources => answer(context, header, body, api::list_config_resources::handle),
        ApiKey::DescribeTopicPartitions => answer(context, header, body, api::describe_topic_partitions::handle),
        other => Err(Close::Malformed(wire::Malformed::UnknownApi(other.code()))),
    }
}

fn answer<Q, R, H, F>(context: Context, header: RequestHeader, body: Bytes, handler: H) -> Result<Answer, Close>
where
    Q: Request,
    R: Response + 'static,
    H: FnOnce(Context, Q) -> F,
    F: Future<Output = R> + Send + 'static,
{
    answer_or_close(context, header, body, |context, request| handler(context, request).map(Ok))
}

/// The same for a handler that closes the connection in some cases.
fn answer_or_close<Q, R, H, F>(
    context: Context,
    header: RequestHeader,
    body: Bytes,
    handler: H,
) -> Result<Answer, Close>
where
    Q: Request,
    R: Response + 'static,
    H: FnOnce(Context, Q) -> F,
    F: Future<Output = Result<R, Close>> + Send + 'static,
{
    let request: Q = wire::decode(header.version, body)?;
    let handled = handler(context, request);
    Ok(Box::pin(async move {
        let response = handled.await?;
        Ok(Some(wire::encode_response(header.version, header.correlation_id, response)?))
    }))
}
