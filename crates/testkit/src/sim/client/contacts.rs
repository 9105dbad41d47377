//! Whom a client knows: brokers by their addresses, and leaders and coordinators as brokers name them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::TopicId;
use tokio::time::sleep;
use wire::messages::metadata_request::MetadataRequestTopic;
use wire::messages::metadata_response::MetadataResponseTopic;
use wire::messages::{FindCoordinatorRequest, MetadataRequest, MetadataResponse, Request, TopicName};
use wire::{ApiKey, StrBytes};

use super::Habitat;
use super::connection::{Connection, Gone};
use crate::sim::fleet;
use crate::sim::promises::Rule;
use crate::sim::rng::Rng;
use crate::sim::topics::{Place, Topic};

/// How long a client waits to be told who leads before it asks another broker.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(3);

/// The first version that can ask without making the topic.
const FIRST_THAT_CREATES_NOTHING: i16 = 4;

/// The first version that names topics' ids.
const FIRST_WITH_IDS: i16 = 10;

/// Where a partition is led, as a broker said.
#[derive(Debug, Clone)]
pub(crate) struct Leader {
    pub(crate) address: String,
    /// -1 if it was not said.
    pub(crate) epoch: i32,
}

/// See the module.
pub(crate) struct Contacts {
    habitat: Habitat,
    client: String,
    rng: Rng,
    open: BTreeMap<String, Connection>,
    /// Nothing is asked of this one.
    avoids: Option<String>,
    leaders: BTreeMap<(TopicId, i32), Leader>,
}

impl Contacts {
    pub(crate) fn new(habitat: &Habitat, client: &str) -> Contacts {
        let rng = habitat.world.rng();
        let (habitat, client) = (habitat.clone(), client.to_owned());
        Contacts { habitat, client, rng, open: BTreeMap::new(), avoids: None, leaders: BTreeMap::new() }
    }

    /// Never asks this broker for anything.
    pub(crate) fn without(mut self, broker: Option<i32>) -> Contacts {
        self.avoids = broker.map(fleet::address);
        self
    }

    /// A connection with a broker, which may be the one that is open already.
    pub(crate) async fn open(&mut self, address: &str) -> Result<&mut Connection, Gone> {
        if !self.open.contains_key(address) {
            let connection = Connection::open(&self.habitat, address, &self.client)?;
            self.open.insert(address.to_owned(), connection);
        }
        self.open.get_mut(address).ok_or(Gone)
    }

    /// A broker with which there is a connection; tries until there is one.
    pub(crate) async fn any(&mut self) -> String {
        loop {
            let known: Vec<&String> = self.open.keys().collect();
            if !known.is_empty() && !self.rng.one_in(8) {
                return (*self.rng.pick(&known)).clone();
            }
            let address = self.rng.pick(self.habitat.fleet.addresses()).clone();
            if self.avoids.as_ref() != Some(&address) && self.open(&address).await.is_ok() {
                return address;
            }
            sleep(self.rng.millis(20..400)).await;
        }
    }

    /// Asks a broker; if it does not answer, it is known no more.
    pub(crate) async fn ask<M: Request>(
        &mut self,
        address: &str,
        versions: (i16, i16),
        request: impl FnOnce(i16) -> M,
        patience: Duration,
    ) -> Result<(i16, M::Response), Gone> {
        let connection = self.open(address).await?;
        let version = connection.version(M::API, versions.0, versions.1);
        let answer = connection.call_for(version, &request(version), patience).await;
        if answer.is_err() {
            self.lost(address);
        }
        Ok((version, answer?))
    }

    /// A broker does not answer: it may not lead any more, either.
    pub(crate) fn lost(&mut self, address: &str) {
        self.open.remove(address);
        self.leaders.retain(|_, leader| leader.address != address);
    }

    /// Whoever was said to lead a partition does not.
    pub(crate) fn forget(&mut self, place: &Place) {
        self.leaders.remove(&(place.topic.id, place.index));
    }

    /// Where a partition is led. If it is not known, some broker is asked once.
    pub(crate) async fn leader(&mut self, place: &Place) -> Option<Leader> {
        let key = (place.topic.id, place.index);
        if !self.leaders.contains_key(&key) {
            self.look_up(&place.topic).await.ok()?;
        }
        self.leaders.get(&key).cloned()
    }

    /// Asks some broker who leads a topic's partitions.
    pub(crate) async fn look_up(&mut self, topic: &Arc<Topic>) -> Result<(), Gone> {
        let world = self.habitat.world.clone();
        let address = self.any().await;
        let teller = self.open(&address).await?.teller();
        let asked: Vec<(Place, i32)> = topic
            .places()
            .map(|place| (place.clone(), world.promises(|promises| promises.epochs.asked(&place.at, teller))))
            .collect();
        let described = |_| describing(&topic.name);
        let (version, told) =
            self.ask(&address, (FIRST_THAT_CREATES_NOTHING, i16::MAX), described, LOOK_UP_TIMEOUT).await?;
        let Some(answer) = told.topics.first() else { return Ok(()) };
        let is_another = version >= FIRST_WITH_IDS && answer.topic_id != topic.id.0;
        if answer.error_code != 0 || is_another {
            // Who names it by id is told by anybody that it is gone.
            let leader = Leader { address, epoch: -1 };
            self.leaders.extend(topic.places().map(|place| ((topic.id, place.index), leader.clone())));
            return Ok(());
        }
        if version >= FIRST_WITH_IDS {
            for (place, asked) in &asked {
                let Some(told) = answer.partitions.iter().find(|told| told.partition_index == place.index) else {
                    continue;
                };
                if told.error_code == 0 {
                    let (leader, epoch) = (told.leader_id.0, told.leader_epoch);
                    world.hold(|promises| promises.epochs.told(&place.at, teller, *asked, leader, epoch));
                }
            }
        }
        self.take(topic, answer, &told);
        Ok(())
    }

    fn take(&mut self, topic: &Topic, answer: &MetadataResponseTopic, told: &MetadataResponse) {
        for partition in answer.partitions.iter().filter(|partition| partition.leader_id.0 >= 0) {
            let Some(broker) = told.brokers.iter().find(|broker| broker.node_id == partition.leader_id) else {
                continue; // it is known to be away
            };
            let address = format!("{}:{}", broker.host, broker.port);
            if self.is_a_broker(&address) && self.avoids.as_ref() != Some(&address) {
                let leader = Leader { address, epoch: partition.leader_epoch };
                self.leaders.insert((topic.id, partition.partition_index), leader);
            }
        }
    }

    fn is_a_broker(&self, address: &str) -> bool {
        let known = self.habitat.fleet.at(address).is_some();
        if !known {
            let what = format!("{}: {address} is no broker's address", self.client);
            self.habitat.world.found(Rule::UnexpectedAnswer, what);
        }
        known
    }

    /// Where a group is coordinated, if some broker, which is asked once, can tell.
    pub(crate) async fn coordinator(&mut self, group: &str) -> Option<String> {
        let address = self.any().await;
        let request = |version| {
            let request = FindCoordinatorRequest::default().with_key_type(0);
            match version {
                ..4 => request.with_key(text(group)),
                4.. => request.with_coordinator_keys(vec![text(group)]),
            }
        };
        let (_, found) = self.ask(&address, (0, i16::MAX), request, LOOK_UP_TIMEOUT).await.ok()?;
        let (code, host, port) = match found.coordinators.first() {
            Some(found) => (found.error_code, &found.host, found.port),
            None => (found.error_code, &found.host, found.port),
        };
        self.habitat.judge(&self.client, ApiKey::FindCoordinator, code, &[]).ok()?;
        let address = format!("{host}:{port}");
        self.is_a_broker(&address).then_some(address)
    }
}

/// A question for one topic, by its name.
pub(super) fn describing(name: &str) -> MetadataRequest {
    let asked = MetadataRequestTopic::default().with_name(Some(TopicName(text(name))));
    MetadataRequest::default().with_topics(Some(vec![asked])).with_allow_auto_topic_creation(false)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
