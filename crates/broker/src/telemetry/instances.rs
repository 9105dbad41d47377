//! Clients by their instance ids, the longest silent ones forgotten first.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::PushedMetrics;

/// Clients that are known at a time, as in Kafka: more than connect to one broker.
pub(super) const MAX_INSTANCES: usize = 16_384;

/// Bytes of all pushes that are kept together.
pub(super) const MAX_KEPT_BYTES: usize = 16 * 1024 * 1024;

/// What is known of a client.
#[derive(Default)]
pub(super) struct Instance {
    /// When it asked for its subscription last.
    pub(super) asked_ms: Option<i64>,
    /// When it pushed last.
    pub(super) pushed_ms: Option<i64>,
    /// Whether it was told to ask anew.
    pub(super) must_ask: bool,
    /// Whether it said that it ends.
    pub(super) is_gone: bool,
    pushed: Option<PushedMetrics>,
    /// Its place among the others: the greater, the later it was heard of.
    heard: u64,
}

#[derive(Default)]
pub(super) struct Instances {
    by_id: BTreeMap<Uuid, Instance>,
    by_time: BTreeMap<u64, Uuid>,
    kept_bytes: usize,
    next: u64,
}

impl Instances {
    /// A client that is heard of now.
    pub(super) fn touch(&mut self, id: Uuid) -> &mut Instance {
        let now = self.next;
        self.next += 1;
        if let Some(known) = self.by_id.get(&id) {
            self.by_time.remove(&known.heard);
        } else if self.by_id.len() >= MAX_INSTANCES {
            self.forget_longest_silent();
        }
        self.by_time.insert(now, id);
        let instance = self.by_id.entry(id).or_default();
        instance.heard = now;
        instance
    }

    /// Keeps a client's push in the place of the one before. Those of the longest silent go for it.
    pub(super) fn keep(&mut self, push: PushedMetrics) {
        let Some(instance) = self.by_id.get_mut(&push.instance) else { return };
        self.kept_bytes += bytes(&push);
        let before = instance.pushed.replace(push);
        self.kept_bytes -= before.as_ref().map_or(0, bytes);
        while self.kept_bytes > MAX_KEPT_BYTES && self.by_id.len() > 1 {
            self.forget_longest_silent();
        }
    }

    pub(super) fn pushed(&self) -> Vec<PushedMetrics> {
        self.by_id.values().filter_map(|instance| instance.pushed.clone()).collect()
    }

    fn forget_longest_silent(&mut self) {
        let Some((_, id)) = self.by_time.pop_first() else { return };
        let pushed = self.by_id.remove(&id).and_then(|instance| instance.pushed);
        self.kept_bytes -= pushed.as_ref().map_or(0, bytes);
    }
}

/// What a push takes: a client's id may be long, too.
fn bytes(push: &PushedMetrics) -> usize {
    push.metrics.len() + push.client_id.len()
}
