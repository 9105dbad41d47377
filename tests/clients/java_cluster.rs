//! Kafka's own administration tools, and hints to clients, on a cluster of three.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use model::ErrorCode;
use support::librdkafka::create_replicated_topic;
use support::{LIMIT, TestBroker, Tools, unique};
use testkit::process::{Broker, Cluster};
use wire::messages::describe_quorum_request::{PartitionData, TopicData};
use wire::messages::fetch_request::{FetchPartition, FetchTopic};
use wire::messages::{
    DescribeQuorumRequest, FetchRequest, FetchResponse, MetadataRequest, MetadataResponse, Request, TopicName,
};
use wire::{StrBytes, decode_response, encode_request};

/// Three brokers that leave leadership where it is, and soon find out that one is away.
fn start() -> Cluster {
    let launch = Broker::launch().set("auto.leader.rebalance.enable", false).set("broker.session.timeout.ms", 1000);
    Cluster::start_as(&vec![launch; 3]).unwrap()
}

/// A request to one broker, on a connection of its own.
pub(crate) fn ask<R: Request>(broker: &Broker, version: i16, request: &R) -> R::Response {
    let mut connection = TcpStream::connect(broker.address()).unwrap();
    connection.write_all(&encode_request(version, 1, None, request).unwrap().to_bytes()).unwrap();
    let mut length = [0; 4];
    connection.read_exact(&mut length).unwrap();
    let mut frame = vec![0; i32::from_be_bytes(length) as usize];
    connection.read_exact(&mut frame).unwrap();
    decode_response::<R>(version, frame.into()).unwrap()
}

pub(crate) fn metadata(broker: &Broker, topic: &str) -> MetadataResponse {
    let topic = wire::messages::metadata_request::MetadataRequestTopic::default()
        .with_name(Some(TopicName(StrBytes::from_string(topic.to_owned()))));
    ask(broker, 12, &MetadataRequest::default().with_topics(Some(vec![topic])))
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "not {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn any_broker_tells_who_leads_a_partition_and_the_groups() {
    let cluster = start();
    let topic = unique("hinted");
    create_replicated_topic(&cluster.addresses(), &topic, 1, 3);
    let known = metadata(&cluster.brokers()[0], &topic);
    let (leader, id) = (known.topics[0].partitions[0].leader_id.0, known.topics[0].topic_id);
    for (broker, node) in cluster.brokers().iter().zip(1..) {
        // KIP-951: who was asked and does not lead says who does, and where.
        let partition = FetchPartition::default().with_partition(0).with_partition_max_bytes(1000);
        let topic = FetchTopic::default().with_topic_id(id).with_partitions(vec![partition]);
        let request = FetchRequest::default().with_session_epoch(-1).with_max_bytes(1000).with_topics(vec![topic]);
        let answer: FetchResponse = ask(broker, 16, &request);
        let hint = answer.responses[0].partitions[0].current_leader.leader_id.0;
        let endpoints: Vec<(i32, i32)> = answer.node_endpoints.iter().map(|node| (node.node_id.0, node.port)).collect();
        let address = cluster.brokers()[leader as usize - 1].address();
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        let expected = if node == leader { (-1, vec![]) } else { (leader, vec![(leader, port)]) };
        assert_eq!((hint, endpoints), expected, "broker {node}");

        for (name, partitions) in [("__cluster_metadata", vec![0]), ("__shard", vec![])] {
            let partitions = partitions.into_iter().map(|index| PartitionData::default().with_partition_index(index));
            let name = TopicName(StrBytes::from_static_str(name));
            let topic = TopicData::default().with_topic_name(name).with_partitions(partitions.collect());
            let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
            let described = || ask(broker, 2, &request).topics[0].partitions.last().unwrap().clone();
            // A broker hears a heartbeat later of a shard's first leader.
            wait_until("led", || described().error_code != ErrorCode::LeaderNotAvailable.code());
            let group = described();
            assert_eq!((group.error_code, group.current_voters.len()), (0, 3), "{group:?}");
            assert!((1..=3).contains(&group.leader_id.0) && group.high_watermark > 0, "{group:?}");
        }
    }
}

#[test]
fn kafkas_tools_describe_a_cluster_elect_leaders_and_remove_brokers() {
    let mut cluster = start();
    let topic = unique("elected");
    create_replicated_topic(&cluster.addresses(), &topic, 1, 3);
    let mut tools = Tools::new(&TestBroker::Elsewhere(cluster.addresses()));
    let status = tools.run("MetadataQuorumCommand @ describe --status");
    assert!(status.contains("CLUSTER://127.") && status.contains("CurrentObservers:       []"), "{status}");
    let replication = tools.run("MetadataQuorumCommand @ describe --replication");
    let count = |role: &str| replication.lines().filter(|line| line.trim_end().ends_with(role)).count();
    assert_eq!((count("Leader"), count("Follower")), (1, 2), "{replication}");
    assert!(tools.run("BrokerApiVersionsCommand @").matches("(id: ").count() >= 3);
    assert_eq!(tools.run("TopicCommand @ --describe --under-replicated-partitions"), "");

    let described = metadata(&cluster.brokers()[0], &topic).topics[0].partitions[0].clone();
    let preferred = described.replica_nodes[0].0;
    let elect = format!("LeaderElectionCommand @ --election-type preferred --topic {topic} --partition 0");
    tools.run(&elect); // a new shard may be led by whoever was elected first
    assert!(tools.run(&elect).contains("Valid replica already elected"));
    cluster.broker(preferred as usize).kill().unwrap();
    wait_until("under-replicated", || {
        tools.run("TopicCommand @ --describe --under-replicated-partitions").contains(&topic)
    });
    assert_eq!(tools.run("TopicCommand @ --describe --unavailable-partitions"), "", "a majority is there");
    let fenced = tools.run("ClusterTool list-endpoints @ --include-fenced-brokers");
    assert!(fenced.lines().any(|line| line.starts_with(&preferred.to_string()) && line.contains("fenced")), "{fenced}");
    let (code, refused) = tools.finish(&format!("ClusterTool unregister @ --id {preferred}"));
    assert!(code != 0 && refused.contains("tidelog cluster drain"), "{code} {refused}");

    cluster.broker(preferred as usize).restart().unwrap();
    let survivor = usize::from(preferred == 1);
    let is_whole = |cluster: &Cluster| {
        let partition = &metadata(&cluster.brokers()[survivor], &topic).topics[0].partitions[0];
        assert_ne!(partition.leader_id.0, preferred, "leadership stays until it is asked for");
        partition.isr_nodes.len() == 3
    };
    wait_until("in sync again", || is_whole(&cluster));
    let elected = tools.run(&elect);
    assert!(elected.contains("Successfully completed leader election"), "{elected}");
    assert_eq!(metadata(&cluster.brokers()[survivor], &topic).topics[0].partitions[0].leader_id.0, preferred);
    let unclean = format!("LeaderElectionCommand @ --election-type unclean --topic {topic} --partition 0");
    assert!(tools.run(&unclean).contains("Valid replica already elected"));
}
