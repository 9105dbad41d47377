//! How many groups and subscriptions may have settings: each broker holds them all, and anybody may name new ones.

use controller::{ClusterImage, Refusal, Resource, SettingsChange};
use model::ErrorCode;

/// Kafka keeps settings for groups that need not exist, without a bound.
const MOST_GROUPS: usize = 10_000;

/// Each subscription is matched against each client that comes (KIP-714).
const MOST_SUBSCRIPTIONS: usize = 100;

/// Refuses settings for one more resource where there are as many as there may be, those of `changes` included, which
/// the image does not know yet.
pub(super) fn check(image: &ClusterImage, resource: &Resource, changes: &[SettingsChange]) -> Result<(), Refusal> {
    let (what, most) = match resource {
        Resource::Group(_) => ("groups", MOST_GROUPS),
        Resource::ClientMetrics(_) => ("subscriptions to client metrics", MOST_SUBSCRIPTIONS),
        Resource::Topic(_) | Resource::ClusterDefault | Resource::Broker(_) => return Ok(()),
    };
    if image.settings(resource).is_some() {
        return Ok(());
    }
    let is_alike = |other: &Resource| other.kind() == resource.kind();
    let known = image.all_settings().filter(|(other, _)| is_alike(other)).count();
    let new = changes.iter().filter(|change| is_alike(&change.resource)).count();
    if known + new < most {
        return Ok(());
    }
    let message = format!("{most} {what} have settings, which is the most that are kept: delete those of others first");
    Err(Refusal::new(ErrorCode::PolicyViolation, message))
}
