//! Metrics that clients push (KIP-714): who pushes what and how often, and the last push of each.
//!
//! A push is kept as it came (OpenTelemetry's protocol, compressed as the client chose), so that it costs its own size and
//! no more. It is unpacked to be shown, if the logger [`LOGGER`] asks for that.

mod instances;
mod points;
mod subscription;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use controller::ClusterImage;
use model::ErrorCode;
use record::Compression;
use uuid::Uuid;

use instances::{Instance, Instances};
pub(crate) use subscription::Subscription;
use subscription::Subscriptions;

/// What clients push is shown by this logger, at the level INFO.
pub(crate) const LOGGER: &str = "client_metrics";

/// Numbers of a push that are shown; Java's clients have some 100.
const MOST_SHOWN: usize = 500;

/// Most that a push may unpack to if it is to be shown: four times what it may have packed.
const MOST_UNPACKED_BYTES: u64 = 4 * 1024 * 1024;

/// What a client says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) software_name: String,
    pub(crate) software_version: String,
    pub(crate) address: SocketAddr,
}

/// What a client pushed last.
#[derive(Clone, Debug)]
pub struct PushedMetrics {
    /// The client's process, by its own id.
    pub instance: Uuid,
    /// `client.id`.
    pub client_id: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Kafka's number of the codec that `metrics` are compressed with.
    pub compression: i8,
    /// `MetricsData` of OpenTelemetry's protocol.
    pub metrics: Bytes,
}

/// A push, as it is asked for.
pub(crate) struct Push {
    pub(crate) instance: Uuid,
    pub(crate) subscription: i32,
    pub(crate) is_last: bool,
    pub(crate) compression: i8,
    pub(crate) metrics: Bytes,
}

/// All that is known of pushing clients.
#[derive(Default)]
pub(crate) struct Telemetry {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    subscriptions: Subscriptions,
    instances: Instances,
}

impl Telemetry {
    /// What a client is to push. THROTTLING_QUOTA_EXCEEDED 89 if it asks more often than it is to
    /// push, unless it was told that its subscription is an old one; INVALID_REQUEST 42 after its last push.
    pub(crate) fn subscribe(
        &self,
        image: &ClusterImage,
        instance: Uuid,
        client: &Client,
        now_ms: i64,
    ) -> Result<Arc<Subscription>, ErrorCode> {
        let mut state = self.lock();
        let subscription = state.subscriptions.of(image, instance, client);
        let known = state.instances.touch(instance);
        if known.is_gone {
            return Err(ErrorCode::InvalidRequest);
        }
        if !known.must_ask && known.asked_ms.is_some_and(|asked_ms| is_early(asked_ms, now_ms, &subscription)) {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        (known.asked_ms, known.must_ask) = (Some(now_ms), false);
        Ok(subscription)
    }

    /// Keeps a push. The errors are those of KIP-714, in Kafka's order.
    pub(crate) fn push(
        &self,
        image: &ClusterImage,
        push: Push,
        client: &Client,
        now_ms: i64,
        max_bytes: usize,
    ) -> Result<(), ErrorCode> {
        let mut state = self.lock();
        let subscription = state.subscriptions.of(image, push.instance, client);
        let known = state.instances.touch(push.instance);
        if known.is_gone {
            return Err(ErrorCode::InvalidRequest);
        }
        let is_early = known.pushed_ms.is_some_and(|pushed_ms| is_early(pushed_ms, now_ms, &subscription));
        if is_early && !push.is_last {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        (known.pushed_ms, known.is_gone) = (Some(now_ms), push.is_last);
        check(&subscription, &push, max_bytes, known)?;
        state.instances.keep(PushedMetrics {
            instance: push.instance,
            client_id: client.id.clone(),
            at_ms: now_ms,
            compression: push.compression,
            metrics: Bytes::copy_from_slice(&push.metrics), // the request's frame is not held on to
        });
        drop(state);
        if tracing::enabled!(target: LOGGER, tracing::Level::INFO) {
            show(&push, client);
        }
        Ok(())
    }

    /// The last push of each client, as far as they are kept.
    pub(crate) fn pushed(&self) -> Vec<PushedMetrics> {
        self.lock().instances.pushed()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line for each push: who pushed it, and all its numbers.
fn show(push: &Push, client: &Client) {
    let Client { id, software_name, software_version, address } = client;
    match shown(push) {
        Ok(metrics) => {
            tracing::info!(target: LOGGER, client_id = ?id, instance = %push.instance, %address, ?software_name, ?software_version, "{metrics}");
        }
        Err(why) => {
            tracing::info!(target: LOGGER, client_id = ?id, instance = %push.instance, %address, "a push can't be read: {why}");
        }
    }
}

fn shown(push: &Push) -> Result<String, Box<dyn std::error::Error>> {
    let compression = Compression::from_id(push.compression.cast_unsigned())?;
    let metrics = record::decompress(compression, &push.metrics, MOST_UNPACKED_BYTES)?;
    let (mut shown, mut count) = (Vec::new(), 0_usize);
    points::visit(&metrics, |point| {
        count += 1;
        if count <= MOST_SHOWN {
            shown.push(point.to_string());
        }
    })?;
    if count > MOST_SHOWN {
        shown.push(format!("and {} more", count - MOST_SHOWN));
    }
    Ok(shown.join(" "))
}

fn is_early(before_ms: i64, now_ms: i64, subscription: &Subscription) -> bool {
    now_ms.saturating_sub(before_ms) < i64::from(subscription.interval_ms)
}

fn check(subscription: &Subscription, push: &Push, max_bytes: usize, known: &mut Instance) -> Result<(), ErrorCode> {
    if push.subscription != subscription.id {
        known.must_ask = true;
        return Err(ErrorCode::UnknownSubscriptionId);
    }
    if !(0..=4).contains(&push.compression) {
        return Err(ErrorCode::UnsupportedCompressionType);
    }
    if push.metrics.len() > max_bytes {
        return Err(ErrorCode::TelemetryTooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
