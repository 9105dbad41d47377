//! Clusters as they lose, win and drain brokers.

mod growth;
mod leadership;
mod losses;

use super::*;
use crate::command::*;
use crate::image::Draft;
use crate::placement::{Layout, Planner, TopicSpec, missing_shards};
use crate::{Settings, apply};

/// Brokers that are registered, and groups that follow the image at once.
struct World {
    draft: Draft,
    index: u64,
    known: Known,
    policy: Policy,
    now_ms: i64,
}

impl World {
    fn new(brokers: i32) -> World {
        World::in_racks(&vec![None; brokers as usize])
    }

    /// Broker 1 is in the first of these racks, and so on. The first three vote.
    fn in_racks(racks: &[Option<&str>]) -> World {
        let policy = Policy { shards_per_broker: 2, ..Policy::default() };
        let mut world = World { draft: Draft::default(), index: 0, known: Known::default(), policy, now_ms: 1_000_000 };
        let registration = |at: usize| {
            let named = Registration::new(BrokerId(at as i32 + 1), directory(at as i32 + 1));
            Registration { rack: racks[at].map(str::to_owned), ..named }
        };
        let founders = (1..racks.len().min(3)).map(registration).collect();
        let (cluster_id, broker, features) = ("c".to_owned(), registration(0), [].into());
        world.apply(Command::Bootstrap(Bootstrap { cluster_id, broker, shards: 2, features, founders }));
        for at in 0..racks.len() {
            world.join(registration(at));
        }
        world
    }

    fn join(&mut self, registration: Registration) {
        let id = registration.id;
        let seen = Seen { silent: Duration::ZERO, steady: HOUR, gone: false, directory: registration.directory };
        self.known.brokers.insert(id, seen);
        self.apply(Command::RegisterBroker(registration));
    }

    fn apply(&mut self, command: Command) {
        self.index += 1;
        let outcome = apply(&mut self.draft, command, self.index).unwrap();
        if let crate::Outcome::MembersChanged(results) = outcome {
            assert!(results.iter().all(Result::is_ok), "{results:?}");
        }
        assert_eq!(self.image().violations(), Vec::<String>::new());
    }

    fn image(&self) -> &ClusterImage {
        self.draft.image()
    }

    fn create_topic(&mut self, name: &str, partitions: usize, replication_factor: usize) {
        let layout = Layout::Spread { partitions, replication_factor };
        let wishes = missing_shards(self.image(), [&layout], self.policy.shards_per_broker);
        self.apply(Command::CreateShards(CreateShards { wishes }));
        let spec = TopicSpec { name: model::TopicName::parse(name).unwrap(), layout, configs: Settings::new() };
        let id = model::TopicId(Uuid::from_u128(self.index as u128));
        let topics = vec![Planner::new(self.image()).topic(&spec, id).unwrap()];
        self.apply(Command::CreateTopics(CreateTopics { topics }));
    }

    /// All groups have the members that they should have, and are led by the preferred leader, or
    /// the next member that is there.
    fn settle(&mut self) {
        let image = self.draft.image();
        let is_live = |id: &BrokerId| image.broker(*id).is_some_and(|broker| !broker.fenced);
        let of = |group: GroupId, members: &[BrokerId]| {
            let in_sync: BTreeSet<BrokerId> = members.iter().copied().filter(is_live).collect();
            let leader = members.iter().copied().find(is_live)?;
            (in_sync.len() > members.len() / 2).then(|| GroupSeen {
                leader,
                voters: image.voters(group),
                is_changing: false,
                in_sync,
            })
        };
        let shards = image.shards().map(|shard| (shard.id, of(shard.id, &shard.members)));
        let all = shards.chain([(GroupId::CONTROLLER, of(GroupId::CONTROLLER, image.controllers()))]);
        self.known.groups = all.filter_map(|(group, seen)| Some((group, seen?))).collect();
    }

    fn commands(&self) -> Vec<Command> {
        commands(self.image(), &self.known, &self.policy, self.now_ms)
    }

    /// Does what is planned until nothing is; the commands that it took.
    fn run(&mut self) -> Vec<Command> {
        let mut done = Vec::new();
        for _ in 0..1000 {
            self.settle();
            let next = self.commands();
            if next.is_empty() {
                return done;
            }
            for command in next {
                done.push(command.clone());
                self.apply(command);
            }
        }
        panic!("no end of planning: {:?}", &done[done.len() - 4..]);
    }

    fn seen(&mut self, id: i32) -> &mut Seen {
        self.known.brokers.get_mut(&BrokerId(id)).unwrap()
    }

    /// A broker dies now, and the cluster finds out.
    fn lose(&mut self, id: i32) {
        *self.seen(id) = Seen { silent: HOUR, steady: Duration::ZERO, gone: true, directory: directory(id) };
        self.run();
    }

    fn wait(&mut self, time: Duration) {
        self.now_ms += time.as_millis() as i64;
    }

    fn drain(&mut self, id: i32, drained: bool) {
        self.apply(Command::DrainBroker(DrainBroker { id: BrokerId(id), drained }));
    }

    /// How many partitions each broker carries.
    fn carried(&self) -> BTreeMap<i32, u32> {
        self.count(|members| members.to_vec())
    }

    /// How many partitions each broker should lead.
    fn led(&self) -> BTreeMap<i32, u32> {
        self.count(|members| members[..1].to_vec())
    }

    fn count(&self, of: impl Fn(&[BrokerId]) -> Vec<BrokerId>) -> BTreeMap<i32, u32> {
        let mut counts: BTreeMap<i32, u32> = self.image().brokers().map(|broker| (broker.id.0, 0)).collect();
        for shard in self.image().shards() {
            for id in of(&shard.members) {
                *counts.get_mut(&id.0).unwrap() += shard.partitions;
            }
        }
        counts
    }
}

const HOUR: Duration = Duration::from_secs(3600);

fn directory(id: i32) -> Uuid {
    Uuid::from_u128(id as u128)
}

fn brokers(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

fn spread(counts: &BTreeMap<i32, u32>) -> u32 {
    counts.values().max().unwrap() - counts.values().min().unwrap()
}
