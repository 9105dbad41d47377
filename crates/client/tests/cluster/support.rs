//! A broker in this process, and shorthands for what most tests do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::{Env, Running};
use client::{
    Address, Client, ClientError, NewTopic, Options, Producer, ProducerOptions, Reader, ReaderOptions, Record, Topic,
};
use config::{BrokerConfig, Flags, Sources};
use tempfile::TempDir;

/// How long anything may take on a machine under load.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A broker on a directory of its own.
pub(crate) struct TestBroker {
    running: Option<Running>,
    config: Arc<BrokerConfig>,
    pub(crate) address: Address,
    _directory: TempDir,
}

impl TestBroker {
    pub(crate) async fn start() -> Self {
        Self::with(&[], None).await
    }

    /// With settings, and perhaps another address for clients than the one it listens at.
    pub(crate) async fn with(settings: &[&str], advertise: Option<&Address>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sources = Sources {
            flags: Flags {
                data_dir: Some(directory.path().join("data").to_str().unwrap().to_owned()),
                listen: vec!["127.0.0.1:0".to_owned()],
                advertise: advertise.iter().map(|address| address.to_string()).collect(),
                ..Flags::default()
            },
            set: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            ..Sources::default()
        };
        let config = Arc::new(BrokerConfig::load(&sources).unwrap());
        let running = Running::start(config.clone(), Env::real()).await.unwrap();
        let bound = running.broker.listeners()[0].bound[0].to_string().parse().unwrap();
        TestBroker { running: Some(running), config, address: bound, _directory: directory }
    }

    pub(crate) async fn stop(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    /// Starts it again, at another port.
    pub(crate) async fn start_again(&mut self) {
        let running = Running::start(self.config.clone(), Env::real()).await.unwrap();
        self.address = running.broker.listeners()[0].bound[0].to_string().parse().unwrap();
        self.running = Some(running);
    }

    pub(crate) fn client(&self) -> Client {
        client_of(&self.address)
    }
}

pub(crate) fn client_of(address: &Address) -> Client {
    Client::new(vec![address.clone()], Options { timeout: LIMIT, ..Options::default() })
}

pub(crate) async fn create(client: &Client, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Topic {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let new = NewTopic { name: name.to_owned(), partitions: Some(partitions), settings, ..NewTopic::default() };
    client.create_topic(&new).await.unwrap();
    client.topic(name).await.unwrap()
}

pub(crate) async fn producer(client: &Client, topic: &Topic, options: ProducerOptions) -> Producer {
    Producer::start(client.clone(), topic.clone(), options).await.unwrap()
}

pub(crate) fn value(text: &str) -> Record<'_> {
    Record { value: Some(text.as_bytes()), ..Record::default() }
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<String>,
    pub(crate) value: String,
    pub(crate) headers: Vec<(String, Option<String>)>,
}

/// Reads each partition from its position on, until `count` records are there; by partition.
pub(crate) async fn read(
    client: &Client,
    topic: &Topic,
    positions: BTreeMap<i32, i64>,
    count: usize,
) -> BTreeMap<i32, Vec<Seen>> {
    let mut reader = Reader::new(client.clone(), topic.clone(), positions, ReaderOptions::default());
    let mut seen: BTreeMap<i32, Vec<Seen>> = BTreeMap::new();
    let reading = async {
        while seen.values().map(Vec::len).sum::<usize>() < count {
            for fetched in reader.next().await.unwrap() {
                let partition = seen.entry(fetched.partition()).or_default();
                fetched
                    .for_each(|record| {
                        partition.push(Seen::from(&record));
                        Ok::<(), ClientError>(())
                    })
                    .unwrap();
            }
        }
    };
    tokio::time::timeout(LIMIT, reading).await.expect("all records come in time");
    seen
}

/// The values in all of a topic, partition after partition.
pub(crate) async fn values(client: &Client, topic: &Topic, count: usize) -> Vec<String> {
    let starts = topic.partitions.iter().map(|partition| (partition.index, 0)).collect();
    read(client, topic, starts, count).await.into_values().flatten().map(|record| record.value).collect()
}

impl From<&record::RecordView<'_>> for Seen {
    fn from(record: &record::RecordView<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Seen {
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(text),
            value: record.value.map(text).unwrap_or_default(),
            headers: record.headers.iter().map(|header| (text(header.key), header.value.map(text))).collect(),
        }
    }
}
