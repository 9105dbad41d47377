//! An offset commit is durable when it is answered: whoever asks afterwards gets it, or a later one.
//!
//! A commit is a write to a register, a look at it a read; each takes from its asking to its answer.
//! A look may show any commit that was not surely overwritten before the look began, and what was
//! shown once counts as written. Commits carry their names as metadata, so that they can be told apart.

use std::collections::BTreeMap;

use super::{Finding, Rule};
use crate::history::Partition;

/// A group's place in a partition.
type Place = (String, Partition);

/// A commit's name within a run.
pub(crate) type Commit = u64;

/// Order of events: the number of askings and answers before.
type Moment = u64;

#[derive(Debug)]
struct Write {
    commit: Commit,
    offset: i64,
    asked: Moment,
    /// When it was surely done; never, if nobody said so.
    done: Option<Moment>,
    /// It surely was not done.
    refused: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    now: Moment,
    writes: BTreeMap<Place, Vec<Write>>,
}

impl Commits {
    /// A member asks to commit.
    pub(crate) fn asked(&mut self, group: &str, at: &Partition, commit: Commit, offset: i64) {
        self.now += 1;
        let write = Write { commit, offset, asked: self.now, done: None, refused: false };
        self.writes.entry((group.to_owned(), at.clone())).or_default().push(write);
    }

    /// It was answered; what is neither done nor refused may happen yet.
    pub(crate) fn answered(&mut self, group: &str, at: &Partition, commit: Commit, done: bool) {
        self.now += 1;
        let now = self.now;
        let writes = self.writes.entry((group.to_owned(), at.clone())).or_default();
        if let Some(write) = writes.iter_mut().find(|write| write.commit == commit) {
            write.done = done.then_some(now);
            write.refused = !done;
        }
    }

    /// Somebody begins to look.
    pub(crate) fn looking(&mut self) -> Moment {
        self.now += 1;
        self.now
    }

    /// What they were shown: a commit's name and offset, or none.
    pub(crate) fn shown(
        &mut self,
        group: &str,
        at: &Partition,
        since: Moment,
        shown: Option<(Commit, i64)>,
    ) -> Option<Finding> {
        self.now += 1;
        let now = self.now;
        let writes = self.writes.entry((group.to_owned(), at.clone())).or_default();
        let broken = |what: String| Some(Finding::new(Rule::CommitLost, format!("{group} at {at}: {what}")));
        let begun = match shown {
            None => 0,
            Some((commit, offset)) => match writes.iter().find(|write| write.commit == commit) {
                None => return broken(format!("commit {commit} is shown, which nobody made")),
                Some(write) if write.refused => return broken(format!("commit {commit} is shown, which was refused")),
                Some(write) if write.offset != offset => {
                    return broken(format!("commit {commit} of offset {} shows offset {offset}", write.offset));
                }
                Some(write) => write.done.unwrap_or(since),
            },
        };
        // Something that was asked after this one was done, and was done before the look began.
        let overwrote = |write: &&Write| write.asked > begun && write.done.is_some_and(|done| done < since);
        if let Some(later) = writes.iter().find(overwrote) {
            let Write { commit, offset, .. } = later;
            return broken(format!("{shown:?} is shown, though commit {commit} of offset {offset} was answered since"));
        }
        if let Some((commit, _)) = shown {
            let seen = |write: &&mut Write| write.commit == commit && write.done.is_none();
            writes.iter_mut().filter(seen).for_each(|write| write.done = Some(now));
        }
        None
    }
}
