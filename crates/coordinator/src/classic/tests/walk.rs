//! Clients that do anything at any time, under coordinators that come and go: whatever happens, the invariants of
//! `invariants.rs` hold after every turn, and those below.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use model::{ErrorCode, Random, TopicId};

use super::super::*;
use crate::schema::Key;

const SEEDS: u64 = 300;
const STEPS: usize = 500;
const GROUPS: [&str; 2] = ["g", "h"];
/// Some share an instance id, as two processes with one configuration do.
const CLIENTS: [(&str, Option<&str>); 7] =
    [("a", None), ("b", None), ("c", None), ("d", Some("i")), ("e", Some("i")), ("f", Some("j")), ("simple", None)];

/// SplitMix64: the whole walk comes from one seed.
#[derive(Clone)]
struct Dice(Arc<AtomicU64>);

impl Dice {
    fn next(&self) -> u64 {
        let mut x = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

impl Random for Dice {
    fn bytes(&self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes()
    }
}

/// What a client remembers of a group.
#[derive(Default, Clone)]
struct Memory {
    member_id: String,
    generation: i32,
    /// Of a leader: whom to assign to.
    members: Vec<String>,
    /// What a well-behaved client does next.
    next: Next,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Next {
    #[default]
    Join,
    Sync,
    Beat,
}

struct Walk {
    dice: Dice,
    now_ms: i64,
    groups: ClassicGroups,
    store: GroupStore,
    memories: BTreeMap<(usize, &'static str), Memory>,
    /// Who asked, for each caller that is not yet answered.
    waiting: BTreeMap<CallerId, (usize, &'static str)>,
    callers: u64,
    writes: VecDeque<Write>,
    applied: i64,
    /// In this leadership: the newest generation that anyone was told, and who leads it.
    told: BTreeMap<String, (i32, BTreeSet<String>)>,
}

#[test]
fn whatever_clients_do_the_invariants_hold() {
    let mut stable = 0;
    for seed in 0..SEEDS {
        let mut walk = Walk::new(seed);
        for _ in 0..STEPS {
            walk.step();
            stable += usize::from(walk.groups.groups.values().any(|group| group.state == GroupState::Stable));
        }
        walk.end();
    }
    // A walk that never gets anywhere would prove nothing.
    assert!(stable > SEEDS as usize * STEPS / 20, "only {stable} steps saw a stable group");
}

#[test]
fn one_seed_is_one_walk() {
    let run = |seed| {
        let mut walk = Walk::new(seed);
        (0..STEPS).for_each(|_| walk.step());
        (walk.callers, walk.applied, format!("{:?}", walk.store), walk.groups.next_deadline())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

impl Walk {
    fn new(seed: u64) -> Self {
        let dice = Dice(Arc::new(AtomicU64::new(seed)));
        Walk {
            now_ms: 0,
            groups: machine(&dice),
            dice,
            store: GroupStore::default(),
            memories: BTreeMap::new(),
            waiting: BTreeMap::new(),
            callers: 0,
            writes: VecDeque::new(),
            applied: 0,
            told: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        let client = self.dice.below(CLIENTS.len());
        let group = *self.dice.pick(&GROUPS);
        let waits = self.waiting.values().any(|&who| who == (client, group));
        let effects = match self.dice.below(70) {
            // Half of the time clients do what they should: else no group would ever get far.
            40.. if waits => {
                if self.dice.one_in(2) {
                    self.settle_one()
                } else {
                    self.pass_time()
                }
            }
            40.. => match self.memory(client, group).next {
                Next::Join => self.ask(client, group, Self::join),
                Next::Sync => self.ask(client, group, Self::sync),
                Next::Beat => self.ask(client, group, Self::heartbeat),
            },
            0..=4 => self.ask(client, group, Self::join),
            5..=8 => self.ask(client, group, Self::sync),
            9..=20 => self.ask(client, group, Self::heartbeat),
            21 => self.ask(client, group, Self::leave),
            22..=24 => self.ask(client, group, Self::commit),
            25 if self.dice.one_in(3) => {
                self.ask(client, group, |_, _, group| Request::DeleteGroup { group: group.into() })
            }
            26 => self.ask(client, group, |_, _, group| {
                let topics = vec![("t".into(), vec![0, 1]), ("u".into(), vec![0])];
                Request::DeleteOffsets(DeleteOffsetsRequest { group: group.into(), topics })
            }),
            27 => self.groups.topic_deleted(self.now_ms, &self.store, "u"),
            28 => self.groups.expire_offsets(self.now_ms, &self.store, None, 10).0,
            29 if self.dice.one_in(8) => return self.change_leader(),
            30..=33 => self.pass_time(),
            _ => self.settle_one(),
        };
        self.take(effects);
    }

    fn ask(
        &mut self,
        client: usize,
        group: &'static str,
        request: impl Fn(&Self, usize, &'static str) -> Request,
    ) -> Effects {
        let request = request(self, client, group);
        self.callers += 1;
        let caller = CallerId(self.callers);
        self.waiting.insert(caller, (client, group));
        self.groups.handle(self.now_ms, &self.store, caller, request)
    }

    fn memory(&self, client: usize, group: &'static str) -> Memory {
        self.memories.get(&(client, group)).cloned().unwrap_or(Memory { generation: -1, ..Memory::default() })
    }

    fn join(&self, client: usize, group: &'static str) -> Request {
        let (name, instance) = CLIENTS[client];
        let dice = &self.dice;
        let protocol =
            |name: &&str| Protocol { name: (*name).into(), metadata: Bytes::copy_from_slice(&[dice.below(2) as u8]) };
        let choices: [&[&str]; 5] = [&["range"], &["range", "sticky"], &["range"], &["sticky", "range"], &["sticky"]];
        let protocols = dice.pick(&choices).iter();
        let member_id = if dice.one_in(4) { String::new() } else { self.memory(client, group).member_id };
        Request::Join(JoinRequest {
            group: group.into(),
            member_id,
            instance_id: instance.map(Into::into),
            client_id: name.into(),
            client_host: "/host".into(),
            session_timeout_ms: *dice.pick(&[6_000, 10_000, 30_000]),
            rebalance_timeout_ms: *dice.pick(&[-1, 0, 5_000, 20_000, 60_000]),
            protocol_type: if dice.one_in(20) { "connect" } else { "consumer" }.into(),
            protocols: protocols.map(protocol).collect(),
            member_id_required: dice.one_in(2),
            can_skip_assignment: dice.one_in(2),
            reason: None,
        })
    }

    fn sync(&self, client: usize, group: &'static str) -> Request {
        let Memory { member_id, generation, members, .. } = self.memory(client, group);
        Request::Sync(SyncRequest {
            group: group.into(),
            member_id,
            instance_id: CLIENTS[client].1.map(Into::into),
            generation,
            protocol_type: None,
            protocol: None,
            assignments: members.into_iter().map(|id| (id, Bytes::from_static(b"some"))).collect(),
        })
    }

    fn heartbeat(&self, client: usize, group: &'static str) -> Request {
        let Memory { member_id, generation, .. } = self.memory(client, group);
        let instance_id = CLIENTS[client].1.map(Into::into);
        Request::Heartbeat(HeartbeatRequest { group: group.into(), member_id, instance_id, generation })
    }

    fn leave(&self, client: usize, group: &'static str) -> Request {
        let member_id = if self.dice.one_in(3) { String::new() } else { self.memory(client, group).member_id };
        let leaving = LeavingMember { member_id, instance_id: CLIENTS[client].1.map(Into::into), reason: None };
        Request::Leave(LeaveRequest { group: group.into(), members: vec![leaving] })
    }

    fn commit(&self, client: usize, group: &'static str) -> Request {
        let Memory { member_id, generation, .. } = self.memory(client, group);
        let offset = |partition| CommitPartition { partition, offset: self.now_ms, leader_epoch: 1, metadata: None };
        let topic = CommitTopic {
            name: (*self.dice.pick(&["t", "u"])).into(),
            id: TopicId::NIL,
            partitions: (0..self.dice.below(3) as i32).map(offset).collect(),
        };
        Request::Commit(CommitRequest {
            group: group.into(),
            member_id,
            instance_id: None,
            generation,
            retention_ms: None,
            group_not_found_known: true,
            topics: vec![topic],
        })
    }

    fn pass_time(&mut self) -> Effects {
        match (self.dice.one_in(4), self.groups.next_deadline()) {
            (true, Some(due)) => self.now_ms = self.now_ms.max(due),
            _ => self.now_ms += self.dice.below(1_000) as i64,
        }
        self.groups.expire(self.now_ms)
    }

    fn settle_one(&mut self) -> Effects {
        let Some(write) = self.writes.pop_front() else { return Effects::default() };
        if self.dice.one_in(10) {
            return self.groups.written(self.now_ms, write.id, Err(ErrorCode::NotEnoughReplicas));
        }
        self.apply(&write);
        self.groups.written(self.now_ms, write.id, Ok(()))
    }

    fn apply(&mut self, write: &Write) {
        for (key, value) in &write.records {
            self.store.apply(self.applied, key, value.as_deref()).unwrap();
            self.applied += 1;
            if value.is_none() && *key == Key::Group(&write.group).encode() {
                // A group that was deleted may begin anew.
                self.told.remove(write.group.as_str());
            }
        }
    }

    /// Everyone who waits is answered; of the writes under way the first few happen.
    fn change_leader(&mut self) {
        let effects = self.groups.unload();
        assert!(effects.writes.is_empty());
        self.take(effects);
        assert!(self.waiting.is_empty(), "nobody is left waiting: {:?}", self.waiting);
        assert_eq!((self.groups.is_empty(), self.groups.next_deadline()), (true, None));
        let happen = self.dice.below(self.writes.len() + 1);
        for write in self.writes.drain(..).take(happen).collect::<Vec<_>>() {
            self.apply(&write);
            assert_eq!(self.groups.written(self.now_ms, write.id, Ok(())), Effects::default());
        }
        self.groups = machine(&self.dice);
        self.groups.load_all(self.now_ms, &self.store);
        self.groups.check_invariants();
        self.told.clear();
    }

    fn take(&mut self, effects: Effects) {
        for (caller, reply) in effects.replies {
            let (client, group) = self.waiting.remove(&caller).expect("each caller is answered once");
            self.learn(client, group, reply);
        }
        self.writes.extend(effects.writes);
        self.groups.check_invariants();
        for group in self.groups.groups.values().filter(|group| group.state == GroupState::Stable) {
            assert!(
                group.members.values().all(|member| !member.assignment.is_empty()),
                "all of a stable group have some"
            );
        }
    }

    fn learn(&mut self, client: usize, group: &'static str, reply: Reply) {
        let memory = self.memories.entry((client, group)).or_default();
        let join = match reply {
            Reply::Join(join) => join,
            Reply::Sync(SyncReply { error, .. }) | Reply::Heartbeat(error) => {
                memory.next = if error == ErrorCode::None { Next::Beat } else { Next::Join };
                return;
            }
            _ => return,
        };
        memory.next = if join.error == ErrorCode::None { Next::Sync } else { Next::Join };
        if join.error == ErrorCode::UnknownMemberId || join.error == ErrorCode::FencedInstanceId {
            memory.member_id.clear();
        } else if !join.member_id.is_empty() {
            memory.member_id.clone_from(&join.member_id);
        }
        memory.generation = join.generation;
        memory.members = join.members.iter().map(|member| member.member_id.clone()).collect();
        if join.error == ErrorCode::None {
            self.check_told(client, group, &join);
        }
    }

    fn check_told(&mut self, client: usize, group: &'static str, join: &JoinReply) {
        let (generation, leaders) = self.told.entry(group.to_owned()).or_default();
        assert!(join.generation >= *generation, "generations only grow");
        if join.generation > *generation {
            *generation = join.generation;
            leaders.clear();
        }
        if join.leader == join.member_id {
            // A static leader that comes back has another id and is the same.
            leaders.insert(CLIENTS[client].1.map_or_else(|| join.member_id.clone(), str::to_owned));
            assert_eq!(
                leaders.len(),
                1,
                "one leads a generation: {leaders:?} {join:?} {:?}",
                self.groups.groups[group].state
            );
            assert!(join.members.iter().any(|member| member.member_id == join.member_id));
        }
    }

    /// All that is under way comes to its end, and so do all sessions: nothing is left in memory.
    fn end(&mut self) {
        while !self.groups.is_empty() {
            while let Some(write) = self.writes.pop_front() {
                self.apply(&write);
                let effects = self.groups.written(self.now_ms, write.id, Ok(()));
                self.take(effects);
            }
            let Some(due) = self.groups.next_deadline() else { break };
            self.now_ms = self.now_ms.max(due);
            let effects = self.groups.expire(self.now_ms);
            self.take(effects);
        }
        // Where the end of a group could not be written, it is held until it can be.
        assert!(self.groups.groups.values().all(|group| group.unsaved && group.members.is_empty()));
        assert!(self.waiting.is_empty(), "nobody is left waiting: {:?}", self.waiting);
    }
}

fn machine(dice: &Dice) -> ClassicGroups {
    let config = Config { max_size: 5, offsets_retention_ms: 20_000, ..Config::default() };
    ClassicGroups::new(config, Arc::new(dice.clone()))
}
