//! Where to begin.

use std::collections::BTreeMap;

use clap::Args;
use client::{Client, OffsetAt, Topic};

use super::super::Failure;
use super::super::target::parse_time;

/// Where to begin: at the end, unless said.
#[derive(Args)]
#[group(multiple = false)]
pub(super) struct Start {
    /// Begin with the first record there is [default: only new records]
    #[arg(long, short = 'b')]
    from_beginning: bool,
    /// Begin at this offset
    #[arg(long, value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..))]
    offset: Option<i64>,
    /// Begin with the first record of this time or later: 10m (ago), 2026-05-01, 2026-05-01T12:30:00Z, or ms since 1970
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<i64>,
    /// Begin so many records before the end, in each partition
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    last: Option<i64>,
}

impl Start {
    /// Whether nothing was said.
    pub(super) fn is_default(&self) -> bool {
        !self.from_beginning && self.offset.is_none() && self.from.is_none() && self.last.is_none()
    }

    /// The offset to begin with in each partition.
    pub(super) async fn positions(
        &self,
        client: &Client,
        topic: &Topic,
        partitions: &[i32],
        ends: &BTreeMap<i32, i64>,
    ) -> Result<BTreeMap<i32, i64>, Failure> {
        let mut positions = ends.clone();
        if let Some(moment) = self.from {
            let found = client.list_offsets(topic, partitions, OffsetAt::Timestamp(moment)).await?;
            positions.extend(found);
            return Ok(positions);
        }
        if self.is_default() {
            return Ok(positions);
        }
        let starts = client.list_offsets(topic, partitions, OffsetAt::Start).await?;
        for (partition, position) in &mut positions {
            let (start, end) = (starts.get(partition).copied().unwrap_or(0), *position);
            *position = match (self.offset, self.last) {
                (Some(offset), _) if partitions.len() == 1 => within(topic, *partition, offset, start, end)?,
                (Some(offset), _) => offset.clamp(start, end),
                (None, Some(last)) => (end - last).max(start),
                (None, None) => start,
            };
        }
        Ok(positions)
    }
}

/// Refuses an offset that is not there, which is no more than a slip if there is only one partition.
fn within(topic: &Topic, partition: i32, offset: i64, start: i64, end: i64) -> Result<i64, String> {
    if (start..=end).contains(&offset) {
        return Ok(offset);
    }
    let name = &topic.name;
    Err(match start == end {
        true => format!("{name}-{partition} has no offset {offset}: it is empty, and its next record gets {end}"),
        false => format!("{name}-{partition} has no offset {offset}: it holds {start} to {}", end - 1),
    })
}
