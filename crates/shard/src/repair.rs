//! Giving up entries that the journal can't read any more, where there is no other replica to have them from.
//!
//! A damaged shard is left out of a start as it is, so that nothing is made worse while its bytes may still be put right.
//! This is for when they can't: the shard goes on with what comes before the first entry that can't be read.

use std::collections::BTreeMap;
use std::io;

use journal::{Entry, GroupLog, Journal};
use model::{GroupId, PartitionId, TopicName};
use raft::{EntryId, StateMachine};
use record::BatchView;
use tokio::sync::oneshot;

use crate::entry::{self, Command};
use crate::machine::Machine;
use crate::restore::Home;
use crate::{Options, ShardError};

/// Most bytes of entries that are read at a time; one is read however large.
const READ_BYTES: usize = 1;

/// What is wrong with a shard, and what giving it up would lose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loss {
    /// The shard.
    pub group: GroupId,
    /// What is wrong, with file and position.
    pub damage: String,
    /// Entries that go and that can't be read: what they held nobody knows.
    pub unreadable_entries: u64,
    /// Entries that go, though they could be read: entries are applied in order.
    pub readable_entries: u64,
    /// The partitions of the shard, as they would be afterwards.
    pub partitions: Vec<LostRecords>,
    /// What is in the manifest, and needs no entry any more.
    checkpointed: Option<EntryId>,
    /// The first entry to go; none where all that is damaged is in the manifest.
    from: Option<u64>,
}

/// What a partition loses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LostRecords {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: i32,
    /// The offset after the last record that stays.
    pub kept_below: i64,
    /// Records from there on that are known to go. More may have been in entries that can't be read.
    pub known_records: u64,
}

impl Loss {
    /// Entries that go.
    pub fn entries(&self) -> u64 {
        self.unreadable_entries + self.readable_entries
    }
}

/// Says what giving up the damaged entries of a shard would lose; `None` where nothing is damaged. The shard must not run.
/// Nothing is given up, but its partition logs are brought up to where they stay good, as a start would do.
///
/// # Errors
/// As a start; [`ShardError::BeyondRepair`] where the damage is not in entries alone.
pub fn examine(options: Options, journal: &Journal) -> Result<Option<Loss>, ShardError> {
    let group = options.raft.group;
    let log = journal.group(group);
    let Options { disk, files, dir, topics, .. } = options;
    let mut machine = Machine::restore(group, Home { disk, files, dir, topics })?;
    let beyond = |why: &str| ShardError::BeyondRepair { group, why: why.to_owned() };
    let applied = machine.applied().map(|applied| applied.id.index);
    if let Some(purged) = log.state().purged.filter(|purged| Some(purged.index) > applied) {
        return Err(beyond(&format!(
            "the journal begins after entry {}, which its manifest does not hold",
            purged.index
        )));
    }
    let Some(damage) = log.damage() else { return Ok(None) };
    let bad = log.damaged_entries().ok_or_else(|| beyond(&damage.to_string()))?;
    let checkpointed = machine.applied().map(|applied| applied.id);
    let first = checkpointed.map_or(0, |id| id.index + 1);
    let end = log.state().last.map_or(0, |id| id.index + 1);
    let from = bad.into_iter().find(|index| *index >= first);
    if from == Some(0) {
        return Err(beyond(&format!("{damage}, and with it the group's members")));
    }
    for index in first..from.unwrap_or(end) {
        let entry = read(&log, index).map_err(|why| beyond(&format!("entry {index} can't be read: {why}")))?;
        if entry.kind == Entry::NORMAL {
            machine.apply(entry.id, &entry.payload);
        }
    }
    let mut loss = Loss {
        group,
        damage: damage.to_string(),
        unreadable_entries: 0,
        readable_entries: 0,
        partitions: Vec::new(),
        checkpointed,
        from,
    };
    let mut records: BTreeMap<PartitionId, u64> = BTreeMap::new();
    for index in from.unwrap_or(end)..end {
        match read(&log, index) {
            Ok(entry) => {
                loss.readable_entries += 1;
                count(&entry, &mut records);
            }
            Err(_) => loss.unreadable_entries += 1,
        }
    }
    let lost = machine.cells.values().map(|cell| LostRecords {
        topic: cell.partition.topic.clone(),
        partition: cell.partition.id.index,
        kept_below: cell.partition.log.log_end(),
        known_records: records.get(&cell.partition.id).copied().unwrap_or(0),
    });
    loss.partitions = lost.collect();
    loss.partitions.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(Some(loss))
}

/// Gives up what [`examine`] has found to be lost. The next start finds the shard without damage.
///
/// # Errors
/// The journal failed.
pub async fn accept(loss: &Loss, journal: &Journal) -> io::Result<()> {
    let log = journal.group(loss.group);
    let end = log.state().last.map_or(0, |id| id.index + 1);
    let mut done = Vec::new();
    let mut tell = || {
        let (tell, told) = oneshot::channel();
        done.push(told);
        Box::new(move |result| drop(tell.send(result))) // it is waited for below
    };
    log.give_up_from(loss.from.unwrap_or(end), tell());
    if let Some(upto) = loss.checkpointed {
        log.purge(upto, tell());
    }
    for told in done {
        told.await.map_err(io::Error::other)??;
    }
    Ok(())
}

fn read(log: &GroupLog, index: u64) -> io::Result<Entry> {
    log.read(index..index + 1, READ_BYTES)?.pop().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Counts the records of an entry.
fn count(entry: &Entry, records: &mut BTreeMap<PartitionId, u64>) {
    if entry.kind != Entry::NORMAL {
        return;
    }
    if let Ok((_, Command::Append(appends))) = entry::decode(&entry.payload) {
        for (partition, batch) in appends {
            let count = BatchView::new(&batch).map_or(0, |batch| batch.count());
            *records.entry(partition).or_default() += u64::try_from(count).unwrap_or(0);
        }
    }
}
