//! Group coordination: who is in a consumer group, what each member was assigned, and how far the
//! group has read.
//!
//! Two halves, both pure (no I/O, no clock, no randomness of their own):
//!
//! * [`GroupStore`] is the *replicated* view of one partition of `__consumer_offsets`: every replica
//!   feeds it the records that apply appends, in Kafka's formats, so that it is always current and a
//!   failover has nothing to load.
//! * [`ClassicGroups`] is the *live* machine at the partition's leader: it takes requests and time, and
//!   gives back replies and records to write. What is answered as durable waits until the driver says
//!   [`ClassicGroups::written`].
//!
//! It is not: a client of the log (the driver proposes the records), an assignor (members assign), or
//! the place where topics and permissions are checked (the request handlers do).
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use coordinator::{CallerId, ClassicGroups, Config, GroupStore, JoinRequest, Protocol, Reply, Request};
//! use model::{ErrorCode, SystemRandom};
//!
//! let store = GroupStore::default();
//! let mut groups = ClassicGroups::new(Config::default(), Arc::new(SystemRandom));
//! let join = |member_id: String| {
//!     Request::Join(JoinRequest {
//!         group: "orders".into(),
//!         member_id,
//!         client_id: "app".into(),
//!         client_host: "/127.0.0.1".into(),
//!         session_timeout_ms: 45_000,
//!         rebalance_timeout_ms: 300_000,
//!         protocol_type: "consumer".into(),
//!         protocols: vec![Protocol { name: "range".into(), metadata: Bytes::new() }],
//!         member_id_required: true,
//!         ..JoinRequest::default()
//!     })
//! };
//!
//! // A new member is first told its id (KIP-394) ...
//! let effects = groups.handle(0, &store, CallerId(1), join(String::new()));
//! let [(CallerId(1), Reply::Join(told))] = &effects.replies[..] else { panic!() };
//! assert_eq!(told.error, ErrorCode::MemberIdRequired);
//!
//! // ... and once it joins with it, the first rebalance waits a little for others.
//! assert!(groups.handle(5, &store, CallerId(2), join(told.member_id.clone())).replies.is_empty());
//! let effects = groups.expire(groups.next_deadline().unwrap());
//! assert!(matches!(&effects.replies[..], [(CallerId(2), Reply::Join(joined))] if joined.generation == 1));
//! ```

pub mod classic;
mod placement;
pub mod schema;
pub mod store;

pub use classic::{
    CallerId, ClassicGroups, CommitPartition, CommitReply, CommitRequest, CommitTopic, CommittedPartition,
    CommittedTopic, Config, DeleteOffsetsReply, DeleteOffsetsRequest, DescribedGroup, DescribedMember, Effects,
    GroupState, HeartbeatRequest, JoinReply, JoinRequest, JoinedMember, LeaveReply, LeaveRequest, LeavingMember,
    LeftMember, ListFilter, ListedGroup, Protocol, Reply, Request, SyncReply, SyncRequest, Write, WriteId,
};
pub use placement::partition_for;
pub use schema::{KeyValue, RecordError};
pub use store::{CommittedOffset, GroupStore, StoredGroup, StoredMember};
