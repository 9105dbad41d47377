//! What a client is to push: the union of all subscriptions that match it.

use std::collections::BTreeSet;
use std::sync::Arc;

use config::ClientMetricsConfig;
use controller::{ClusterImage, Resource};
use uuid::Uuid;

use super::Client;

/// How often a client asks that nobody wants metrics of, as in Kafka.
const DEFAULT_INTERVAL_MS: i32 = 300_000;

/// The name that stands for all metrics.
const ALL: &str = "*";

/// What one client is to push, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// Another one whenever the rest is another.
    pub(crate) id: i32,
    pub(crate) interval_ms: i32,
    /// Beginnings of names, or `*` alone; empty for none.
    pub(crate) metrics: Vec<String>,
}

/// The subscriptions of the cluster, read once for each change of its image.
#[derive(Default)]
pub(super) struct Subscriptions {
    version: u64,
    all: Vec<ClientMetricsConfig>,
}

impl Subscriptions {
    /// What a client is to push.
    pub(super) fn of(&mut self, image: &ClusterImage, instance: Uuid, client: &Client) -> Arc<Subscription> {
        if self.version != image.version() {
            let of_clients = image.all_settings().filter(|(of, _)| matches!(of, Resource::ClientMetrics(_)));
            // They were checked when they were set; what a later version stored may be unreadable here.
            self.all = of_clients.filter_map(|(_, set)| ClientMetricsConfig::from_settings(set).ok()).collect();
            self.version = image.version();
        }
        let matching: Vec<_> = self.all.iter().filter(|one| is_meant(one, instance, client)).collect();
        let interval_ms = matching.iter().map(|one| one.interval_ms).min().unwrap_or(DEFAULT_INTERVAL_MS);
        let metrics: BTreeSet<&str> = matching.iter().flat_map(|one| &one.metrics).map(String::as_str).collect();
        let metrics: Vec<String> = match metrics.contains(ALL) {
            true => vec![ALL.to_owned()],
            false => metrics.into_iter().map(str::to_owned).collect(),
        };
        Arc::new(Subscription { id: id(instance, interval_ms, &metrics), interval_ms, metrics })
    }
}

fn is_meant(subscription: &ClientMetricsConfig, instance: Uuid, client: &Client) -> bool {
    subscription.matches.iter().all(|(selector, expression)| {
        let said = match selector.as_str() {
            "client_id" => client.id.clone(),
            "client_instance_id" => instance.to_string(),
            "client_software_name" => client.software_name.clone(),
            "client_software_version" => client.software_version.clone(),
            "client_source_address" => client.address.ip().to_string(),
            _ => client.address.port().to_string(),
        };
        expression.is_match(&said)
    })
}

/// FNV-1a of all that a subscription says, for this client.
fn id(instance: Uuid, interval_ms: i32, metrics: &[String]) -> i32 {
    let metrics = metrics.iter().flat_map(|name| name.bytes().chain([0]));
    let all = instance.into_bytes().into_iter().chain(interval_ms.to_be_bytes()).chain(metrics);
    let hash = all.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i32::from_be_bytes(hash.to_be_bytes())
}
