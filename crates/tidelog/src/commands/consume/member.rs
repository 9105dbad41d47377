//! Printing as a member of a consumer group.

use std::collections::BTreeMap;

use client::{Client, Member, MemberOptions, ReaderOptions, Readers, Topic, TopicPartition};
use tokio::sync::watch;
use tokio::task::block_in_place;

use super::super::output::tell;
use super::print::{Halt, Printer};
use super::{Consume, Places, places};

/// Why a round of reading is over.
enum Round {
    /// The group deals its partitions out anew.
    Rebalance,
    /// All that was asked for is printed.
    Done,
}

impl Consume {
    /// Leaves the group however it ends, but by being killed.
    pub(super) async fn print_as_member(
        &self,
        client: Client,
        group: &str,
        mut ended: watch::Receiver<bool>,
    ) -> Result<(), Halt> {
        for topic in &self.topics {
            client.topic(topic).await?;
        }
        let mut member = Member::new(client.clone(), group, self.topics.clone(), MemberOptions::default());
        let printed = self.rounds(&client, group, &mut member, &mut ended).await;
        let left = member.leave().await;
        printed?;
        Ok(left?)
    }

    async fn rounds(
        &self,
        client: &Client,
        group: &str,
        member: &mut Member,
        ended: &mut watch::Receiver<bool>,
    ) -> Result<(), Halt> {
        let mut printer = Printer::new(self.format.style(), self.count);
        while !printer.is_done() {
            let assigned = tokio::select! {
                biased;
                () = asked(ended) => return Ok(()),
                assigned = member.join() => assigned?,
            };
            tell(&format!("group {group} reads here: {}", in_words(&assigned)));
            printer.forget_printed();
            let (topics, ends) = self.begin(client, group, &assigned).await?;
            // Where it begins is where the group has got to, also if nothing comes: else it would begin at another end
            // the next time.
            let begin = topics.iter().flat_map(|(topic, positions)| places(topic, positions)).collect();
            if !member.commit(&begin).await? {
                continue;
            }
            if let Round::Done = self.round(client, member, topics, &ends, &mut printer, ended).await? {
                break;
            }
        }
        Ok(())
    }

    /// Where the group has got to in what was assigned, and where to end.
    async fn begin(
        &self,
        client: &Client,
        group: &str,
        assigned: &[TopicPartition],
    ) -> Result<(Vec<(Topic, BTreeMap<i32, i64>)>, Places), Halt> {
        let committed = client.committed(group).await?;
        let (mut topics, mut ends) = (Vec::new(), Places::new());
        for (name, partitions) in by_topic(assigned) {
            let topic = client.topic(name).await?;
            let (mut positions, topic_ends) = self.range(client, &topic, &partitions).await?;
            for (partition, position) in &mut positions {
                *position = committed.get(&(name.to_owned(), *partition)).copied().unwrap_or(*position);
            }
            ends.extend(topic_ends);
            topics.push((topic, positions));
        }
        Ok((topics, ends))
    }

    /// From one rebalance to the next. What is printed is committed, whatever comes meanwhile.
    async fn round(
        &self,
        client: &Client,
        member: &mut Member,
        topics: Vec<(Topic, BTreeMap<i32, i64>)>,
        ends: &Places,
        printer: &mut Printer<'_>,
        ended: &mut watch::Receiver<bool>,
    ) -> Result<Round, Halt> {
        let mut at: Places = topics.iter().flat_map(|(topic, positions)| places(topic, positions)).collect();
        let mut readers = Readers::start(client, topics, ReaderOptions::default());
        while !printer.is_done() && !self.has_reached(&at, ends) {
            let fetched = tokio::select! {
                biased;
                () = asked(ended) => return Ok(Round::Done),
                rebalance = member.rebalance() => return Ok(rebalance.map(|()| Round::Rebalance)?),
                fetched = readers.next() => fetched?,
            };
            // Blocks while the pipe is full.
            block_in_place(|| printer.print(&fetched, ends))?;
            at.extend(printer.printed().clone());
            if !member.commit(printer.printed()).await? {
                return Ok(Round::Rebalance);
            }
        }
        Ok(Round::Done)
    }
}

/// Returns when the command is to end.
async fn asked(ended: &mut watch::Receiver<bool>) {
    // Who asks is there for as long as the command is.
    drop(ended.wait_for(|ended| *ended).await);
}

fn by_topic(assigned: &[TopicPartition]) -> BTreeMap<&str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in assigned {
        topics.entry(topic).or_default().push(*partition);
    }
    topics
}

fn in_words(assigned: &[TopicPartition]) -> String {
    let topic = |(topic, partitions): (&str, Vec<i32>)| {
        let partitions: Vec<String> = partitions.iter().map(i32::to_string).collect();
        format!("{topic} {}", partitions.join(","))
    };
    let topics: Vec<String> = by_topic(assigned).into_iter().map(topic).collect();
    if topics.is_empty() { "nothing, others have all partitions".to_owned() } else { topics.join("; ") }
}
