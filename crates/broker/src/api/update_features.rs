//! UpdateFeatures (key 57), versions 0 to 2 (KIP-584): all of the levels of a request, or none.

use std::collections::BTreeMap;

use controller::{Command, FinalizedFeatures, METADATA_VERSION, SetFeatures, feature};
use model::{BrokerId, ErrorCode};
use wire::messages::update_features_request::FeatureUpdateKey;
use wire::messages::update_features_response::UpdatableFeatureResult;
use wire::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};

use crate::dispatch::Context;
use crate::distinct::last_of_each;
use crate::text::{string, text};

const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;
const UNSAFE_DOWNGRADE: i8 = 3;

/// From this version on success is the lack of an error.
const SILENT_SINCE: i16 = 2;

/// Sets feature levels, or (`validate_only`) says what setting them would answer.
pub(crate) async fn handle(context: Context, request: UpdateFeaturesRequest) -> UpdateFeaturesResponse {
    let image = context.broker.image();
    let updates = request.feature_updates.iter().map(|update| (string(&update.feature), update));
    let updates = last_of_each(updates);
    for (name, update) in &updates {
        let kind = upgrade_type(context.version, update);
        if let Err(why) = check(image.features(), name, update.max_version_level, kind, context.broker.id()) {
            return failed(ErrorCode::InvalidUpdateVersion, &why);
        }
    }
    let levels: BTreeMap<String, i16> =
        updates.iter().map(|(name, update)| (name.clone(), update.max_version_level)).collect();
    let changes = levels.iter().any(|(name, level)| image.features().level(name) != *level);
    if changes
        && !request.validate_only
        && let Err(why) = context.broker.controller.submit(Command::SetFeatures(SetFeatures { levels })).await
    {
        return failed(why.code(), &why.to_string());
    }
    let done = |name: String| {
        UpdatableFeatureResult::default().with_feature(text(name)).with_error_message(Some(text("NONE")))
    };
    let results = if context.version >= SILENT_SINCE {
        Vec::new()
    } else {
        updates.into_iter().map(|(name, _)| done(name)).collect()
    };
    UpdateFeaturesResponse::default().with_error_message(None).with_results(results)
}

/// Version 0 says only whether a level may go down.
fn upgrade_type(version: i16, update: &FeatureUpdateKey) -> i8 {
    match (version, update.allow_downgrade) {
        (0, true) => SAFE_DOWNGRADE,
        (0, false) => UPGRADE,
        _ => update.upgrade_type,
    }
}

fn failed(error: ErrorCode, why: &str) -> UpdateFeaturesResponse {
    let message = format!("The update failed for all features since the following feature had an error: {why}");
    UpdateFeaturesResponse::default().with_error_code(error.code()).with_error_message(Some(text(message)))
}

/// What Kafka's controller says against a level.
fn check(now: &FinalizedFeatures, name: &str, level: i16, kind: i8, me: BrokerId) -> Result<(), String> {
    let refuse = |why: String| Err(format!("Invalid update version {level} for feature {name}. {why}"));
    if !matches!(kind, UPGRADE | SAFE_DOWNGRADE | UNSAFE_DOWNGRADE) {
        return refuse("The controller does not support the given upgrade type.".to_owned());
    }
    if level < 0 {
        return refuse("A feature version cannot be less than 0.".to_owned());
    }
    let Some(known) = feature(name) else {
        return refuse(format!("Local controller {me} does not support this feature."));
    };
    if !(known.min..=known.max).contains(&level) {
        return refuse(format!("Local controller {me} only supports versions {}-{}", known.min, known.max));
    }
    let current = now.level(name);
    if level < current && kind == UPGRADE {
        let how = "without setting the upgrade type to either safe or unsafe downgrade.";
        return refuse(format!("Can't downgrade the version of this feature {how}"));
    }
    if level < current && name == METADATA_VERSION {
        let why = match kind {
            SAFE_DOWNGRADE => {
                "Refusing to perform the requested downgrade because it might delete metadata information."
            }
            _ => "Unsafe metadata downgrade is not supported in this version.",
        };
        return Err(format!("Unsupported {name} downgrade from {current} to {level}. {why}"));
    }
    Ok(())
}
