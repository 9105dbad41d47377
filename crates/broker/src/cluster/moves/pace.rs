//! How fast partitions may be copied, where the operator bounds it: Kafka's settings for throttled replicas (KIP-73),
//! which kafka-reassign-partitions sets and takes away.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller::{ClusterImage, Resource, TopicImage};
use model::{BrokerId, GroupId};
use tokio::time::{Instant, sleep};

/// The ends of a copy, each with the setting that names the replicas, and the one that bounds their rate.
const FOLLOWER: (&str, &str) = ("follower.replication.throttled.replicas", "follower.replication.throttled.rate");
const LEADER: (&str, &str) = ("leader.replication.throttled.replicas", "leader.replication.throttled.rate");

/// Who waits looks so often whether the rate is another one by now, or whether nobody wants the copy any more.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// One for all that a broker fetches at a time.
#[derive(Default)]
pub(super) struct Pace(Mutex<Debt>);

/// Bytes that were fetched and are not paid for by time yet.
#[derive(Default)]
struct Debt {
    bytes: f64,
    since: Option<Instant>,
}

impl Pace {
    /// Waits until what was fetched, `bytes` more now, fits the rate in bytes a second; `None` bounds nothing.
    pub(super) async fn keep(
        &self,
        bytes: usize,
        rate: impl Fn() -> Result<Option<u64>, String>,
    ) -> Result<(), String> {
        self.debt().bytes += bytes as f64;
        loop {
            let left = self.debt().pay(rate()?);
            match left {
                Some(left) => sleep(left.min(LOOK_AGAIN)).await,
                None => return Ok(()),
            }
        }
    }

    fn debt(&self) -> MutexGuard<'_, Debt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debt {
    /// Pays for the time since the last payment; how long the rest will take.
    fn pay(&mut self, rate: Option<u64>) -> Option<Duration> {
        let now = Instant::now();
        let passed = self.since.replace(now).map_or(Duration::ZERO, |since| now - since);
        let Some(rate) = rate.map(|rate| rate.max(1) as f64) else {
            self.bytes = 0.0;
            return None;
        };
        self.bytes = (self.bytes - passed.as_secs_f64() * rate).max(0.0);
        (self.bytes >= 1.0).then(|| Duration::try_from_secs_f64(self.bytes / rate).unwrap_or(Duration::MAX))
    }
}

/// The least rate of the brokers at both ends, if the copy of this partition counts against any.
pub(super) fn rate(image: &ClusterImage, topic: &TopicImage, index: i32, to: GroupId) -> Option<u64> {
    let members = |shard: GroupId| image.shard(shard).map(|shard| shard.members.clone()).unwrap_or_default();
    let from = topic.partition(index).map(|place| members(place.shard)).unwrap_or_default();
    let ends = [(members(to), FOLLOWER), (from, LEADER)];
    let rates = ends.into_iter().flat_map(|(brokers, (replicas, rate))| {
        let listed = topic.configs.get(replicas).cloned().unwrap_or_default();
        let counts = move |broker: &BrokerId| is_listed(&listed, index, *broker);
        brokers.into_iter().filter(counts).filter_map(move |broker| rate_of(image, broker, rate))
    });
    rates.min()
}

fn is_listed(list: &str, index: i32, broker: BrokerId) -> bool {
    list.split(',').any(|entry| entry.trim() == "*" || entry.trim() == format!("{index}:{broker}"))
}

fn rate_of(image: &ClusterImage, broker: BrokerId, setting: &str) -> Option<u64> {
    let of = |resource: Resource| image.settings(&resource)?.get(setting)?.trim().parse().ok();
    of(Resource::Broker(broker)).or_else(|| of(Resource::ClusterDefault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_listed_one_by_one_or_all() {
        assert!(is_listed("0:1, 1:2", 1, BrokerId(2)));
        assert!(!is_listed("0:1,1:2", 0, BrokerId(2)));
        assert!(is_listed("*", 7, BrokerId(9)));
        assert!(!is_listed("", 0, BrokerId(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_wait_until_they_fit_the_rate_whoever_fetched_those_before() {
        let pace = Pace::default();
        pace.keep(0, || Ok(Some(1000))).await.unwrap();
        let begun = Instant::now();
        let (first, second) = tokio::join!(pace.keep(500, || Ok(Some(1000))), pace.keep(1500, || Ok(Some(1000))));
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(begun.elapsed().as_millis(), 2000);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_hears_of_another_rate_and_of_the_end() {
        let (pace, begun) = (Pace::default(), Instant::now());
        let in_a_second = || begun.elapsed() >= Duration::from_secs(1);
        pace.keep(1 << 30, || Ok(if in_a_second() { None } else { Some(1) })).await.unwrap();
        assert_eq!(begun.elapsed().as_millis(), 1000);
        let ended = pace.keep(1 << 30, || if begun.elapsed().as_secs() < 2 { Ok(Some(1)) } else { Err("no".into()) });
        assert!(ended.await.is_err());
        assert_eq!(begun.elapsed().as_millis(), 2000);
    }
}
