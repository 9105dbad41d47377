//! A script is what clients do to the group `g`, line by line, and what they are answered, indented:
//!
//! ```text
//! a joins                         a's first JoinGroup; it waits
//! @3000                           until 3 s: the initial delay is over
//!     a: joined 1 range, leads a
//! a syncs a=x                     with what it assigns
//!     a: assigned x
//! ```
//!
//! [`check`] runs the lines that are not indented and compares what comes of it with the whole. Commands:
//!
//! | line | means |
//! |---|---|
//! | `@5000`, `@+10` | time passes; what runs out on the way does so at its own time |
//! | `a joins` | with the id that it was last told, or none. Options: `static=i`, `session=`, `rebalance=`, `type=`, `protocols=range:meta,sticky`, `v4` (wants its id first), `v9` (can skip assigning) |
//! | `a syncs a=x b=y` | a leader's. Options: `type=`, `protocol=` |
//! | `a beats`, `a leaves` | |
//! | `admin removes a =i` | members by name, and by instance id |
//! | `a commits t-0=5` | Options: `meta=`, `retention=`, `v9` |
//! | `x deletes group`, `x deletes t-0` | |
//! | `writes wait`, `writes go on`, `writes fail NAME` | what happens to records from here on; at first they are applied at once |
//! | `records` | shows what was applied since the last time |
//! | `state` | shows the group |
//! | `unload`, `reload` | leadership ends; and begins anew from the store |
//! | `expire offsets`, `delete topic t` | |
//!
//! Requests also take `id=`, `generation=` and `static=` to say something else than what the member knows. `a`, `a2`, `a3`
//! are the ids that `a` was told one after the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use model::{ErrorCode, Random, TopicId};

use super::super::*;
use crate::schema::{Key, decode_group, decode_offset};

/// Ids in the order in which they were asked for.
#[derive(Default)]
struct Counter(AtomicU64);

impl Random for Counter {
    fn bytes(&self) -> [u8; 16] {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        u128::from(count).rotate_right(32).to_be_bytes()
    }
}

enum Writes {
    Go,
    Wait,
    Fail(ErrorCode),
}

#[derive(Clone)]
struct Known {
    id: String,
    ids: usize,
    generation: i32,
    instance_id: Option<String>,
}

impl Default for Known {
    fn default() -> Self {
        Known { id: String::new(), ids: 0, generation: -1, instance_id: None }
    }
}

pub(super) struct Scene {
    pub(super) groups: ClassicGroups,
    pub(super) store: GroupStore,
    pub(super) now_ms: i64,
    members: BTreeMap<String, Known>,
    /// What to call a member id.
    names: BTreeMap<String, String>,
    callers: BTreeMap<CallerId, String>,
    last_caller: u64,
    writes: Writes,
    waiting: Vec<Write>,
    applied: Vec<KeyValue>,
    offset: i64,
    out: String,
}

pub(super) fn config() -> Config {
    Config { max_size: 4, offset_metadata_max_chars: 8, ..Config::default() }
}

/// Runs a script; see the head of this file.
#[track_caller]
pub(super) fn check(script: &str) {
    check_with(config(), script);
}

#[track_caller]
pub(super) fn check_with(config: Config, script: &str) {
    let lines: Vec<&str> = script.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let indent = lines.iter().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| &line[indent..]).collect();
    let mut scene = Scene::new(config);
    for command in lines.iter().filter(|line| !line.starts_with(' ')) {
        scene.run(command);
    }
    let expected = lines.join("\n") + "\n";
    assert!(scene.out == expected, "\n-- expected --\n{expected}\n-- came --\n{}", scene.out);
}

impl Scene {
    pub(super) fn new(config: Config) -> Self {
        Scene {
            groups: ClassicGroups::new(config, Arc::new(Counter::default())),
            store: GroupStore::default(),
            now_ms: 0,
            members: BTreeMap::new(),
            names: BTreeMap::new(),
            callers: BTreeMap::new(),
            last_caller: 0,
            writes: Writes::Go,
            waiting: Vec::new(),
            applied: Vec::new(),
            offset: 0,
            out: String::new(),
        }
    }

    pub(super) fn run(&mut self, command: &str) {
        writeln!(self.out, "{command}").unwrap();
        let words: Vec<&str> = command.split_whitespace().collect();
        match &words[..] {
            [time] if time.starts_with('@') => self.pass(time),
            ["writes", "wait"] => self.writes = Writes::Wait,
            ["writes", "fail", name] => self.fail_writes(name),
            ["writes", "go", "on"] => {
                self.writes = Writes::Go;
                self.settle();
            }
            ["records"] => self.show_records(),
            ["state"] => self.show_state(),
            ["unload"] => {
                let effects = self.groups.unload();
                self.take(effects);
            }
            ["reload"] => {
                assert!(self.groups.is_empty());
                self.groups.load_all(self.now_ms, &self.store);
            }
            ["expire", "offsets"] => {
                let (effects, next) = self.groups.expire_offsets(self.now_ms, &self.store, None, 100);
                assert_eq!(next, None);
                self.take(effects);
            }
            ["delete", "topic", topic] => {
                let effects = self.groups.topic_deleted(self.now_ms, &self.store, topic);
                self.take(effects);
            }
            [who, what, args @ ..] => self.request(who, what, args),
            _ => panic!("not a command: {command}"),
        }
        self.groups.check_invariants();
    }

    fn request(&mut self, who: &str, what: &str, args: &[&str]) {
        let args = Args(args);
        let mut known = self.members.get(who).cloned().unwrap_or_default();
        if let Some(instance) = args.get("static") {
            known.instance_id = Some(instance.to_owned());
        }
        if let Some(id) = args.get("id") {
            known.id = self.id_of(id);
        }
        if let Some(generation) = args.get("generation") {
            known.generation = generation.parse().unwrap();
        }
        let request = match what {
            "joins" => {
                self.members.entry(who.to_owned()).or_default().instance_id = known.instance_id.clone();
                join(who, known, &args)
            }
            "syncs" => self.sync(known, &args),
            "beats" => heartbeat(known),
            "leaves" => leave(vec![(known.id, known.instance_id)]),
            "removes" => leave(args.0.iter().map(|name| self.removed(name)).collect()),
            "commits" => commit(known, &args),
            "deletes" if args.0 == ["group"] => Request::DeleteGroup { group: "g".into() },
            "deletes" => delete_offsets(&args),
            _ => panic!("{who} {what}?"),
        };
        self.last_caller += 1;
        let caller = CallerId(self.last_caller);
        self.callers.insert(caller, who.to_owned());
        let effects = self.groups.handle(self.now_ms, &self.store, caller, request);
        self.take(effects);
    }

    fn id_of(&self, name: &str) -> String {
        let id = self.names.iter().find(|(_, known)| *known == name).map(|(id, _)| id.clone());
        id.unwrap_or_else(|| name.to_owned())
    }

    fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        // An id that nobody was told yet goes by who asked for it.
        self.names.get(id).map_or_else(|| id.split('-').next().unwrap_or_default(), String::as_str)
    }

    fn removed(&self, name: &str) -> (String, Option<String>) {
        match name.split_once('=') {
            Some((id, instance)) => (self.id_of(id), Some(instance.to_owned())),
            None => (self.id_of(name), None),
        }
    }

    fn sync(&self, known: Known, args: &Args<'_>) -> Request {
        let given = args.0.iter().filter_map(|arg| arg.split_once('='));
        let given = given.filter(|(name, _)| !["id", "generation", "static", "type", "protocol"].contains(name));
        let current = |name: &str| self.members.get(name).map_or(name.to_owned(), |known| known.id.clone());
        Request::Sync(SyncRequest {
            group: "g".into(),
            member_id: known.id,
            instance_id: known.instance_id,
            generation: known.generation,
            protocol_type: args.get("type").map(str::to_owned),
            protocol: args.get("protocol").map(str::to_owned),
            assignments: given.map(|(name, what)| (current(name), Bytes::copy_from_slice(what.as_bytes()))).collect(),
        })
    }

    fn pass(&mut self, time: &str) {
        let until = match time.strip_prefix("@+") {
            Some(by) => self.now_ms + by.parse::<i64>().unwrap(),
            None => time[1..].parse().unwrap(),
        };
        while let Some(due) = self.groups.next_deadline().filter(|&due| due <= until) {
            self.now_ms = self.now_ms.max(due);
            let effects = self.groups.expire(self.now_ms);
            self.take(effects);
        }
        self.now_ms = until;
    }

    fn take(&mut self, effects: Effects) {
        for (caller, reply) in &effects.replies {
            self.learn(*caller, reply);
        }
        for (caller, reply) in effects.replies {
            let who = self.callers.remove(&caller).expect("each caller is answered once");
            let told = self.told(&reply);
            let line = format!("    {who}: {told}");
            writeln!(self.out, "{}", line.trim_end()).unwrap();
        }
        self.waiting.extend(effects.writes);
        match self.writes {
            Writes::Go => self.settle(),
            Writes::Wait => {}
            Writes::Fail(_) => self.fail_all(),
        }
    }

    fn settle(&mut self) {
        while !self.waiting.is_empty() {
            let write = self.waiting.remove(0);
            for (key, value) in &write.records {
                self.store.apply(self.offset, key, value.as_deref()).unwrap();
                self.offset += 1;
            }
            self.applied.extend(write.records);
            let effects = self.groups.written(self.now_ms, write.id, Ok(()));
            self.take(effects);
        }
    }

    fn fail_writes(&mut self, name: &str) {
        let error = (0..130).map(ErrorCode::from_code).find(|error| error.name() == name);
        self.writes = Writes::Fail(error.expect("a Kafka error"));
        self.fail_all();
    }

    fn fail_all(&mut self) {
        let Writes::Fail(error) = self.writes else { return };
        for write in std::mem::take(&mut self.waiting) {
            let effects = self.groups.written(self.now_ms, write.id, Err(error));
            self.take(effects);
        }
    }

    /// A member takes over what its answer says, as a client does.
    fn learn(&mut self, caller: CallerId, reply: &Reply) {
        let who = self.callers[&caller].clone();
        let known = self.members.entry(who.clone()).or_default();
        let Reply::Join(join) = reply else { return };
        match join.error {
            ErrorCode::None => known.generation = join.generation,
            ErrorCode::MemberIdRequired => known.generation = -1,
            // What Java's consumer does: it forgets its id.
            ErrorCode::UnknownMemberId => return known.id.clear(),
            _ => return,
        }
        known.id.clone_from(&join.member_id);
        if !self.names.contains_key(&join.member_id) {
            known.ids += 1;
            let name = if known.ids == 1 { who } else { format!("{who}{}", known.ids) };
            self.names.insert(join.member_id.clone(), name);
        }
    }

    fn told(&self, reply: &Reply) -> String {
        match reply {
            Reply::Join(join) => self.told_join(join),
            Reply::Sync(SyncReply { error: ErrorCode::None, assignment, .. }) => {
                format!("assigned {}", text(assignment))
            }
            Reply::Sync(sync) => sync.error.name().to_owned(),
            Reply::Heartbeat(ErrorCode::None) => "ok".to_owned(),
            Reply::Heartbeat(error) | Reply::DeleteGroup(error) => error.name().to_owned(),
            Reply::Leave(leave) if leave.error != ErrorCode::None => leave.error.name().to_owned(),
            Reply::Leave(leave) => {
                let name = |left: &LeftMember| match &left.instance_id {
                    Some(instance) => format!("{}={instance}", self.name_of(&left.member_id)),
                    None => self.name_of(&left.member_id).to_owned(),
                };
                list(leave.members.iter().map(|left| (name(left), left.error)))
            }
            Reply::Commit(commit) => list(commit.topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(|of| (format!("{}-{}", topic.name, of.partition), of.error))
            })),
            Reply::DeleteOffsets(deleted) if deleted.error != ErrorCode::None => deleted.error.name().to_owned(),
            Reply::DeleteOffsets(deleted) => list(deleted.topics.iter().flat_map(|(topic, partitions)| {
                partitions.iter().map(move |(partition, error)| (format!("{topic}-{partition}"), *error))
            })),
        }
    }

    fn told_join(&self, join: &JoinReply) -> String {
        if join.error != ErrorCode::None {
            let empty = JoinReply::error(join.error, &join.member_id);
            assert_eq!(*join, empty, "an error comes without the group's particulars");
            return join.error.name().to_owned();
        }
        let protocol = join.protocol.as_deref().unwrap_or("null");
        let leader = self.name_of(&join.leader);
        let mut told = format!("joined {} {protocol}, ", join.generation);
        if join.leader != join.member_id {
            assert!(join.members.is_empty(), "only a leader is told of the others");
            write!(told, "follows {leader}").unwrap();
            return told;
        }
        told.push_str("leads");
        for member in &join.members {
            write!(told, " {}", self.name_of(&member.member_id)).unwrap();
            if !member.metadata.is_empty() {
                write!(told, ":{}", text(&member.metadata)).unwrap();
            }
        }
        if join.skip_assignment {
            told.push_str(", skips");
        }
        told
    }

    fn show_state(&mut self) {
        let described = self.groups.describe(&self.store, "g");
        let mut line = described.as_ref().map_or(GroupState::Dead, |group| group.state).to_string();
        for member in described.iter().flat_map(|group| &group.members) {
            write!(line, " {}", self.name_of(&member.member_id)).unwrap();
            if !member.assignment.is_empty() {
                write!(line, "={}", text(&member.assignment)).unwrap();
            }
        }
        writeln!(self.out, "    {line}").unwrap();
    }

    fn show_records(&mut self) {
        for (key, value) in std::mem::take(&mut self.applied) {
            let (what, value) = match Key::decode(&key).unwrap() {
                Key::Group(group) => (group.to_owned(), value.map(|value| self.told_group(&value))),
                Key::Offset { group, topic, partition } => {
                    let value = value.map(|value| decode_offset(&value).unwrap());
                    (format!("{group} {topic}-{partition}"), value.map(|value| value.offset.to_string()))
                }
                Key::Other(kind) => panic!("kind {kind}"),
            };
            writeln!(self.out, "    {what}: {}", value.as_deref().unwrap_or("deleted")).unwrap();
        }
    }

    fn told_group(&self, value: &[u8]) -> String {
        let group = decode_group(value).unwrap();
        let leader = group.leader.as_deref().map_or("none", |leader| self.name_of(leader));
        let mut line = format!("generation {} at {} led by {leader}", group.generation, group.state_timestamp.unwrap());
        for member in &group.members {
            write!(line, " {}={}", self.name_of(&member.member_id), text(&member.assignment)).unwrap();
        }
        line
    }
}

struct Args<'a>(&'a [&'a str]);

impl<'a> Args<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().filter_map(|arg| arg.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn has(&self, flag: &str) -> bool {
        self.0.contains(&flag)
    }

    fn number(&self, name: &str, default: i32) -> i32 {
        self.get(name).map_or(default, |value| value.parse().unwrap())
    }
}

fn join(who: &str, known: Known, args: &Args<'_>) -> Request {
    let protocol = |text: &str| {
        let (name, metadata) = text.split_once(':').unwrap_or((text, ""));
        Protocol { name: name.into(), metadata: Bytes::copy_from_slice(metadata.as_bytes()) }
    };
    let protocols = args.get("protocols").unwrap_or("range").split(',').filter(|name| !name.is_empty());
    Request::Join(JoinRequest {
        group: "g".into(),
        member_id: known.id,
        instance_id: known.instance_id,
        client_id: who.into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: args.number("session", 10_000),
        rebalance_timeout_ms: args.number("rebalance", 20_000),
        protocol_type: args.get("type").unwrap_or("consumer").into(),
        protocols: protocols.map(protocol).collect(),
        member_id_required: args.has("v4"),
        can_skip_assignment: args.has("v9"),
        reason: None,
    })
}

fn heartbeat(known: Known) -> Request {
    let Known { id: member_id, instance_id, generation, .. } = known;
    Request::Heartbeat(HeartbeatRequest { group: "g".into(), member_id, instance_id, generation })
}

fn leave(members: Vec<(String, Option<String>)>) -> Request {
    let leaving = |(member_id, instance_id)| LeavingMember { member_id, instance_id, reason: None };
    Request::Leave(LeaveRequest { group: "g".into(), members: members.into_iter().map(leaving).collect() })
}

fn commit(known: Known, args: &Args<'_>) -> Request {
    let metadata = args.get("meta");
    let topic = |arg: &&str| {
        let (partition, offset) = arg.split_once('=')?;
        let (topic, partition) = partition.rsplit_once('-')?;
        let partition = CommitPartition {
            partition: partition.parse().unwrap(),
            offset: offset.parse().unwrap(),
            leader_epoch: -1,
            metadata: metadata.map(str::to_owned),
        };
        Some(CommitTopic { name: topic.into(), id: TopicId::NIL, partitions: vec![partition] })
    };
    Request::Commit(CommitRequest {
        group: "g".into(),
        member_id: known.id,
        instance_id: known.instance_id,
        generation: known.generation,
        retention_ms: args.get("retention").map(|value| value.parse().unwrap()),
        group_not_found_known: args.has("v9"),
        topics: args.0.iter().filter_map(topic).collect(),
    })
}

fn delete_offsets(args: &Args<'_>) -> Request {
    let topic = |arg: &&str| {
        let (topic, partition) = arg.rsplit_once('-').unwrap();
        (topic.to_owned(), vec![partition.parse().unwrap()])
    };
    Request::DeleteOffsets(DeleteOffsetsRequest { group: "g".into(), topics: args.0.iter().map(topic).collect() })
}

fn list(items: impl Iterator<Item = (String, ErrorCode)>) -> String {
    let told = |(name, error): (String, ErrorCode)| match error {
        ErrorCode::None => format!("{name} ok"),
        error => format!("{name} {error}"),
    };
    items.map(told).collect::<Vec<_>>().join(", ")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Scene {
    pub(super) fn output(&self) -> &str {
        &self.out
    }

    /// A commit of a consumer without membership, to any group.
    pub(super) fn commit_to(&mut self, group: &str) -> Effects {
        let Request::Commit(request) = commit(Known::default(), &Args(&["t-0=1"])) else {
            unreachable!("it is a commit")
        };
        let request = Request::Commit(CommitRequest { group: group.into(), ..request });
        self.groups.handle(self.now_ms, &self.store, CallerId(u64::MAX), request)
    }

    /// A new member's first JoinGroup, and the error that it is answered with.
    pub(super) fn ask_for_an_id(&mut self) -> ErrorCode {
        let request = join("client", Known::default(), &Args(&["v4"]));
        let effects = self.groups.handle(self.now_ms, &self.store, CallerId(u64::MAX), request);
        let [(_, Reply::Join(reply))] = &effects.replies[..] else { panic!("{effects:?}") };
        reply.error
    }

    /// Applies the writes; whoever is answered is of no interest.
    pub(super) fn apply(&mut self, effects: Effects) {
        for write in effects.writes {
            for (key, value) in &write.records {
                self.store.apply(self.offset, key, value.as_deref()).unwrap();
            }
            self.groups.written(self.now_ms, write.id, Ok(()));
        }
    }
}
