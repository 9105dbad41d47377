//! A small native Kafka client: for the command line, the console and tests.
//!
//! It is not a library for applications (those use any Kafka client).
//! Everything is bounded: connections by the number of brokers, requests in flight, bytes buffered, bytes fetched,
//! and every operation in time. What passes by itself (a restart, a change of leaders) is retried within that time.
//!
//! ```no_run
//! use std::collections::BTreeMap;
//! use client::{Client, Options, Producer, ProducerOptions, Reader, ReaderOptions, Record};
//!
//! # async fn example() -> Result<(), client::ClientError> {
//! let client = Client::new(vec!["localhost:9092".parse().expect("an address")], Options::default());
//! let topic = client.topic_or_create("greetings").await?;
//!
//! let mut producer = Producer::start(client.clone(), topic.clone(), ProducerOptions::default()).await?;
//! producer.send(Record { value: Some(b"hello"), ..Record::default() }).await?;
//! producer.flush().await?;
//!
//! let mut reader = Reader::new(client, topic, BTreeMap::from([(0, 0)]), ReaderOptions::default());
//! for fetched in reader.next().await? {
//!     fetched.for_each(|record| {
//!         println!("{}: {:?}", record.offset, record.value);
//!         Ok::<(), client::ClientError>(())
//!     })?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | job |
//! |---|---|
//! | `address`, `error`, `options` | the words of the public face |
//! | `connection`, `versions` | one connection: requests in order, versions negotiated |
//! | `client`, `retry` | connections by broker, and what is tried again |
//! | `topics`, `partitions`, `settings`, `cluster`, `quorums`, `offsets`, `groups` | asking about and changing the cluster |
//! | `partitioner`, `producer` | batching, routing and sending records |
//! | `reader`, `readers` | fetching them |
//! | `member` | sharing that with the other members of a consumer group |

mod address;
mod client;
mod cluster;
mod connection;
mod error;
mod groups;
mod member;
mod offsets;
mod options;
mod partitioner;
mod partitions;
mod producer;
mod quorums;
mod reader;
mod readers;
mod retry;
mod settings;
mod topics;
mod versions;

pub use address::{Address, DEFAULT_PORT, InvalidAddress};
pub use client::Client;
pub use cluster::{Cluster, ClusterBroker, FinalizedFeature};
pub use error::{ClientError, NoConnection};
pub use groups::{Group, GroupListing, GroupMember, TopicPartition};
pub use member::{Member, MemberOptions};
pub use offsets::OffsetAt;
pub use options::Options;
pub use partitioner::{murmur2, partition_for_key};
pub use producer::{Acks, OnWritten, Producer, ProducerOptions, Record, Written};
pub use quorums::{Quorum, QuorumMember};
pub use reader::{Fetched, Reader, ReaderOptions};
pub use readers::Readers;
pub use settings::{Resource, Setting, SettingChange, SettingSource};
pub use topics::{NewTopic, Partition, Topic, nearest};
