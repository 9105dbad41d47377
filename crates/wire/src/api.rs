//! The table of APIs: which ones Kafka 4.4.0 has, and which versions of them Tidelog serves.
//!
//! It is the only place that says so. `ApiKey::valid_versions()` of the `kafka-protocol` crate is
//! never asked: it promises versions that the crate can't read (OffsetCommit 10, OffsetFetch 10)
//! and one that Kafka itself does not serve (InitProducerId 6).

use crate::versions::Versions;

/// What one row says about our side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// Requests of these versions are answered.
    Served {
        /// The versions that are answered.
        versions: Versions,
        /// The lowest version in the ApiVersions response. Lower than what is served in one case:
        /// librdkafka does not compress unless Produce is said to start at 0 (KAFKA-18659).
        advertised_from: i16,
    },
    /// Not answered yet; the string names the part of Tidelog that will bring it.
    Later(&'static str),
    /// Not answered on purpose; the string says why no client misses it.
    LeftOut(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Api {
    /// The API.
    pub key: ApiKey,
    /// Its name in Kafka.
    pub name: &'static str,
    /// The versions that Kafka 4.4.0 has.
    pub kafka: Versions,
    /// The first flexible version (KIP-482): compact lengths, tagged fields, header with tags.
    pub flexible_from: i16,
    /// What Tidelog makes of it.
    pub support: Support,
}

impl Api {
    /// The versions that are answered, if any.
    pub fn served(&self) -> Option<Versions> {
        match self.support {
            Support::Served { versions, .. } => Some(versions),
            Support::Later(_) | Support::LeftOut(_) => None,
        }
    }

    /// The versions that the ApiVersions response names, if any.
    pub fn advertised(&self) -> Option<Versions> {
        match self.support {
            Support::Served { versions, advertised_from } => Some(Versions { min: advertised_from, max: versions.max }),
            Support::Later(_) | Support::LeftOut(_) => None,
        }
    }
}

impl ApiKey {
    /// The row of this API.
    pub fn api(self) -> &'static Api {
        &APIS[self.position()]
    }

    /// Kafka's name of it.
    pub fn name(self) -> &'static str {
        self.api().name
    }

    /// Whether `version` of it is answered.
    pub fn serves(self, version: i16) -> bool {
        self.api().served().is_some_and(|versions| versions.contains(version))
    }

    /// Whether `version` of it is flexible (KIP-482).
    pub fn is_flexible(self, version: i16) -> bool {
        version >= self.api().flexible_from
    }

    /// 2 for flexible versions, whose header ends in tagged fields, else 1.
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// 1 for flexible versions, whose header ends in tagged fields, else 0. The ApiVersions
    /// response always has 0, so that a client which knows nothing of the broker can read it.
    pub fn response_header_version(self, version: i16) -> i16 {
        if self != ApiKey::ApiVersions && self.is_flexible(version) { 1 } else { 0 }
    }
}

impl std::fmt::Display for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! apis {
    ($($code:literal, $name:ident, $min:literal, $max:literal, $flexible:expr, $support:expr;)*) => {
        /// An API, by Kafka's name for it: all 91 that Kafka 4.4.0 has.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(i16)]
        #[allow(missing_docs, reason = "the names are Kafka's own")]
        pub enum ApiKey {
            $($name = $code,)*
        }

        /// All 91 APIs, by key.
        pub const APIS: [Api; 91] = [$(Api {
            key: ApiKey::$name,
            name: stringify!($name),
            kafka: Versions { min: $min, max: $max },
            flexible_from: $flexible,
            support: $support,
        },)*];

        impl ApiKey {
            /// The API with this key on the wire.
            pub fn from_code(code: i16) -> Option<ApiKey> {
                match code {
                    $($code => Some(ApiKey::$name),)*
                    _ => None,
                }
            }
        }
    };
}

impl ApiKey {
    /// The key on the wire.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// Where its row stands in [`APIS`]: keys 4 to 7 are gone, so rows and keys part there.
    pub(crate) fn position(self) -> usize {
        let code = self as usize;
        if code < 4 { code } else { code - 4 }
    }
}

/// The first flexible version of an API that has none.
const NEVER: i16 = i16::MAX;

const CLUSTERS: &str = "clusters of several nodes";
const CONSUMER_GROUPS: &str = "consumer groups of KIP-848";
const QUOTAS: &str = "quotas";
const SECURITY: &str = "security";
const SHARE_GROUPS: &str = "share groups";
const STREAMS_GROUPS: &str = "streams groups";
const TRANSACTIONS: &str = "transactions";

const BROKERS_ONLY: &str = "sent by Kafka's brokers to one another; Tidelog's replicate by other means";
const CONTROLLERS_ONLY: &str = "spoken among Kafka's controllers; no client sends it";

const fn serves(min: i16, max: i16) -> Support {
    Support::Served { versions: Versions { min, max }, advertised_from: min }
}

const fn later(with: &'static str) -> Support {
    Support::Later(with)
}

const fn left_out(why: &'static str) -> Support {
    Support::LeftOut(why)
}

impl Support {
    const fn advertised_from(self, min: i16) -> Support {
        match self {
            Support::Served { versions, .. } => Support::Served { versions, advertised_from: min },
            other => other,
        }
    }
}

// key, name, Kafka's lowest and highest version, first flexible version, ours
#[rustfmt::skip]
apis! {
    0, Produce,                                0, 13, 9,     serves(3, 13).advertised_from(0);
    1, Fetch,                                  4, 18, 12,    serves(4, 18);
    2, ListOffsets,                            1, 11, 6,     serves(1, 11);
    3, Metadata,                               0, 13, 9,     serves(0, 13);
    8, OffsetCommit,                           2, 10, 8,     serves(2, 10);
    9, OffsetFetch,                            1, 10, 6,     serves(1, 10);
    10, FindCoordinator,                       0,  6, 3,     serves(0, 6);
    11, JoinGroup,                             0,  9, 6,     serves(0, 9);
    12, Heartbeat,                             0,  4, 4,     serves(0, 4);
    13, LeaveGroup,                            0,  5, 4,     serves(0, 5);
    14, SyncGroup,                             0,  5, 4,     serves(0, 5);
    15, DescribeGroups,                        0,  6, 5,     serves(0, 6);
    16, ListGroups,                            0,  5, 3,     serves(0, 5);
    17, SaslHandshake,                         0,  1, NEVER, later(SECURITY);
    18, ApiVersions,                           0,  5, 3,     serves(0, 5);
    19, CreateTopics,                          2,  7, 5,     serves(2, 7);
    20, DeleteTopics,                          1,  6, 4,     serves(1, 6);
    21, DeleteRecords,                         0,  2, 2,     serves(0, 2);
    22, InitProducerId,                        0,  5, 2,     serves(0, 5);
    23, OffsetForLeaderEpoch,                  2,  4, 4,     serves(2, 4);
    24, AddPartitionsToTxn,                    0,  5, 3,     later(TRANSACTIONS);
    25, AddOffsetsToTxn,                       0,  4, 3,     later(TRANSACTIONS);
    26, EndTxn,                                0,  5, 3,     later(TRANSACTIONS);
    27, WriteTxnMarkers,                       1,  2, 1,     left_out(BROKERS_ONLY);
    28, TxnOffsetCommit,                       0,  6, 3,     later(TRANSACTIONS);
    29, DescribeAcls,                          1,  3, 2,     later(SECURITY);
    30, CreateAcls,                            1,  3, 2,     later(SECURITY);
    31, DeleteAcls,                            1,  3, 2,     later(SECURITY);
    32, DescribeConfigs,                       1,  4, 4,     serves(1, 4);
    33, AlterConfigs,                          0,  2, 2,     serves(0, 2);
    34, AlterReplicaLogDirs,                   1,  2, 2,     serves(1, 2);
    35, DescribeLogDirs,                       1,  5, 2,     serves(1, 5);
    36, SaslAuthenticate,                      0,  2, 2,     later(SECURITY);
    37, CreatePartitions,                      0,  3, 2,     serves(0, 3);
    38, CreateDelegationToken,                 1,  3, 2,     later(SECURITY);
    39, RenewDelegationToken,                  1,  2, 2,     later(SECURITY);
    40, ExpireDelegationToken,                 1,  2, 2,     later(SECURITY);
    41, DescribeDelegationToken,               1,  3, 2,     later(SECURITY);
    42, DeleteGroups,                          0,  3, 2,     serves(0, 3);
    43, ElectLeaders,                          0,  2, 2,     serves(0, 2);
    44, IncrementalAlterConfigs,               0,  1, 1,     serves(0, 1);
    45, AlterPartitionReassignments,           0,  1, 0,     serves(0, 1);
    46, ListPartitionReassignments,            0,  0, 0,     serves(0, 0);
    47, OffsetDelete,                          0,  0, NEVER, serves(0, 0);
    48, DescribeClientQuotas,                  0,  1, 1,     later(QUOTAS);
    49, AlterClientQuotas,                     0,  1, 1,     later(QUOTAS);
    50, DescribeUserScramCredentials,          0,  0, 0,     later(SECURITY);
    51, AlterUserScramCredentials,             0,  0, 0,     later(SECURITY);
    52, Vote,                                  0,  2, 0,     left_out(CONTROLLERS_ONLY);
    53, BeginQuorumEpoch,                      0,  1, 1,     left_out(CONTROLLERS_ONLY);
    54, EndQuorumEpoch,                        0,  1, 1,     left_out(CONTROLLERS_ONLY);
    55, DescribeQuorum,                        0,  2, 0,     serves(0, 2);
    56, AlterPartition,                        2,  3, 0,     left_out(CONTROLLERS_ONLY);
    57, UpdateFeatures,                        0,  2, 0,     serves(0, 2);
    58, Envelope,                              0,  0, 0,     left_out(CONTROLLERS_ONLY);
    59, FetchSnapshot,                         0,  1, 0,     left_out(CONTROLLERS_ONLY);
    60, DescribeCluster,                       0,  2, 0,     serves(0, 2);
    61, DescribeProducers,                     0,  0, 0,     serves(0, 0);
    62, BrokerRegistration,                    0,  4, 0,     left_out(CONTROLLERS_ONLY);
    63, BrokerHeartbeat,                       0,  2, 0,     left_out(CONTROLLERS_ONLY);
    64, UnregisterBroker,                      0,  0, 0,     serves(0, 0);
    65, DescribeTransactions,                  0,  0, 0,     later(TRANSACTIONS);
    66, ListTransactions,                      0,  2, 0,     later(TRANSACTIONS);
    67, AllocateProducerIds,                   0,  0, 0,     left_out(CONTROLLERS_ONLY);
    68, ConsumerGroupHeartbeat,                0,  1, 0,     later(CONSUMER_GROUPS);
    69, ConsumerGroupDescribe,                 0,  1, 0,     later(CONSUMER_GROUPS);
    70, ControllerRegistration,                0,  0, 0,     left_out(CONTROLLERS_ONLY);
    71, GetTelemetrySubscriptions,             0,  0, 0,     serves(0, 0);
    72, PushTelemetry,                         0,  0, 0,     serves(0, 0);
    73, AssignReplicasToDirs,                  0,  0, 0,     left_out(CONTROLLERS_ONLY);
    74, ListConfigResources,                   0,  1, 0,     serves(0, 1);
    75, DescribeTopicPartitions,               0,  0, 0,     serves(0, 0);
    76, ShareGroupHeartbeat,                   1,  1, 0,     later(SHARE_GROUPS);
    77, ShareGroupDescribe,                    1,  1, 0,     later(SHARE_GROUPS);
    78, ShareFetch,                            1,  2, 0,     later(SHARE_GROUPS);
    79, ShareAcknowledge,                      1,  2, 0,     later(SHARE_GROUPS);
    80, AddRaftVoter,                          0,  1, 0,     later(CLUSTERS);
    81, RemoveRaftVoter,                       0,  0, 0,     later(CLUSTERS);
    82, UpdateRaftVoter,                       0,  0, 0,     left_out(CONTROLLERS_ONLY);
    83, InitializeShareGroupState,             0,  0, 0,     left_out(BROKERS_ONLY);
    84, ReadShareGroupState,                   0,  0, 0,     left_out(BROKERS_ONLY);
    85, WriteShareGroupState,                  0,  1, 0,     left_out(BROKERS_ONLY);
    86, DeleteShareGroupState,                 0,  0, 0,     left_out(BROKERS_ONLY);
    87, ReadShareGroupStateSummary,            0,  1, 0,     left_out(BROKERS_ONLY);
    88, StreamsGroupHeartbeat,                 0,  1, 0,     later(STREAMS_GROUPS);
    89, StreamsGroupDescribe,                  0,  1, 0,     later(STREAMS_GROUPS);
    90, DescribeShareGroupOffsets,             0,  1, 0,     later(SHARE_GROUPS);
    91, AlterShareGroupOffsets,                0,  0, 0,     later(SHARE_GROUPS);
    92, DeleteShareGroupOffsets,               0,  0, 0,     later(SHARE_GROUPS);
    93, StreamsGroupTopologyDescriptionUpdate, 0,  0, 0,     later(STREAMS_GROUPS);
    94, UnregisterController,                  0,  0, 0,     later(CLUSTERS);
}
