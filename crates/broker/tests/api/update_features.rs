//! UpdateFeatures (key 57).

use model::ErrorCode;
use wire::messages::update_features_request::FeatureUpdateKey;
use wire::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};

use crate::support::requests::str_bytes;
use crate::support::{Target, error};

const NEWEST: i16 = 2;
const UPGRADE: i8 = 1;
const SAFE: i8 = 2;
const UNSAFE: i8 = 3;

fn request(updates: &[(&str, i16, i8)]) -> UpdateFeaturesRequest {
    let updates = updates.iter().map(|(feature, level, kind)| {
        FeatureUpdateKey::default()
            .with_feature(str_bytes(feature))
            .with_max_version_level(*level)
            .with_upgrade_type(*kind)
    });
    UpdateFeaturesRequest::default().with_timeout_ms(30_000).with_feature_updates(updates.collect())
}

fn outcome(response: &UpdateFeaturesResponse) -> (ErrorCode, &str) {
    (error(response.error_code), response.error_message.as_deref().unwrap_or_default())
}

pub(crate) async fn every_version_sets_the_level_that_is_set(target: Target) {
    let mut connection = target.connect().await;
    for version in 0..=NEWEST {
        let kind = if version == 0 { 1 } else { UPGRADE };
        let response = connection.call(version, &request(&[("metadata.version", 33, kind)])).await;
        assert_eq!(outcome(&response).0, ErrorCode::None);
        assert_eq!(response.results.len(), usize::from(version < 2));
    }
    assert_eq!(outcome(&connection.call(NEWEST, &request(&[])).await).0, ErrorCode::None);
}

pub(crate) async fn a_level_that_can_not_be_fails_all_of_the_request(target: Target) {
    let mut connection = target.connect().await;
    let version = "metadata.version";
    let cannot_downgrade = "Unsupported metadata.version downgrade from 33 to 32.";
    for (feature, level, kind, why) in [
        (version, 99, UPGRADE, "Local controller 1 only supports versions 7-33"),
        (version, 0, UNSAFE, "Local controller 1 only supports versions 7-33"),
        (version, -1, UNSAFE, "A feature version cannot be less than 0."),
        ("foo", 1, UPGRADE, "Local controller 1 does not support this feature."),
        (version, 33, 0, "The controller does not support the given upgrade type."),
        (version, 33, 9, "The controller does not support the given upgrade type."),
        (
            version,
            32,
            UPGRADE,
            "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe \
             downgrade.",
        ),
        (version, 32, SAFE, cannot_downgrade),
        (version, 32, UNSAFE, cannot_downgrade),
    ] {
        for api_version in [1, 2] {
            let response = connection.call(api_version, &request(&[(feature, level, kind)])).await;
            let (code, message) = outcome(&response);
            assert_eq!((code, response.results.len()), (ErrorCode::InvalidUpdateVersion, 0));
            let told = "The update failed for all features since the following feature had an error: ";
            assert!(message.starts_with(told) && message.contains(why), "{message} lacks {why}");
        }
    }
}

scenarios! {
    every_version_sets_the_level_that_is_set
    a_level_that_can_not_be_fails_all_of_the_request
}
