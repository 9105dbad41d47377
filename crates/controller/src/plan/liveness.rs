//! Who is there.

use super::{Known, Policy, Seen};
use crate::command::FenceBroker;
use crate::image::{BrokerImage, ClusterImage};

/// Fences brokers that are away, and takes back those that are there again. A second time is put
/// to those that were fenced without one.
///
/// A broker that has another directory than it registered with has to register anew. Its old self
/// is taken for away once the new one has been there for a whole session: until then it could be
/// another machine that was given the same id by mistake.
pub fn liveness(image: &ClusterImage, known: &Known, policy: &Policy, now_ms: i64) -> Vec<FenceBroker> {
    let change = |broker: &BrokerImage| {
        let seen = known.brokers.get(&broker.id)?;
        let is_away = is_away(broker, seen, policy);
        let is_new = is_away && (!broker.fenced || broker.away_since_ms.is_none());
        // A founder has registered by itself before it serves.
        let is_back = !is_away && broker.fenced && broker.epoch > 0 && seen.directory == broker.directory;
        let (id, epoch, at_ms) = (broker.id, broker.epoch, Some(now_ms));
        (is_new || is_back).then_some(FenceBroker { id, epoch, fenced: is_away, at_ms })
    };
    image.brokers().filter_map(|broker| change(broker)).collect()
}

fn is_away(broker: &BrokerImage, seen: &Seen, policy: &Policy) -> bool {
    let is_another = seen.directory != broker.directory && seen.steady >= policy.session_timeout;
    seen.gone || seen.silent >= policy.session_timeout || is_another
}
