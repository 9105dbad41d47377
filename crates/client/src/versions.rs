//! Which version of an API to speak.

use std::collections::BTreeMap;

use wire::messages::ApiVersionsResponse;
use wire::{ApiKey, Versions};

/// What a broker says that it serves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served {
    apis: BTreeMap<i16, Versions>,
    /// The cluster's finalized features, by name.
    pub(crate) features: BTreeMap<String, i16>,
}

impl Served {
    pub(crate) fn of(response: &ApiVersionsResponse) -> Self {
        let range = |min, max| Versions { min, max };
        let apis = response.api_keys.iter().map(|api| (api.api_key, range(api.min_version, api.max_version)));
        let features = response.finalized_features.iter();
        Served {
            apis: apis.collect(),
            features: features.map(|feature| (feature.name.to_string(), feature.max_version_level)).collect(),
        }
    }

    /// The highest version that both sides know.
    pub(crate) fn best(&self, api: ApiKey) -> Option<i16> {
        let (theirs, ours) = (self.apis.get(&api.code())?, api.api().served()?);
        let highest = theirs.max.min(ours.max).min(spoken_up_to(api));
        (theirs.contains(highest) && ours.contains(highest)).then_some(highest)
    }
}

/// The highest version that this client speaks, whatever it can encode.
fn spoken_up_to(api: ApiKey) -> i16 {
    match api {
        // From version 10 on they name topics by id; here offsets are kept by name.
        ApiKey::OffsetCommit | ApiKey::OffsetFetch => 9,
        _ => i16::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::messages::api_versions_response::ApiVersion;

    fn served(api: ApiKey, min: i16, max: i16) -> Served {
        let row = ApiVersion::default().with_api_key(api.code()).with_min_version(min).with_max_version(max);
        Served::of(&ApiVersionsResponse::default().with_api_keys(vec![row]))
    }

    #[test]
    fn the_highest_version_that_both_know_is_spoken() {
        let ours = ApiKey::Fetch.api().served().unwrap();
        assert_eq!(served(ApiKey::Fetch, 0, 12).best(ApiKey::Fetch), Some(12));
        assert_eq!(served(ApiKey::Fetch, 0, 99).best(ApiKey::Fetch), Some(ours.max));
    }

    #[test]
    fn without_a_common_version_nothing_is_spoken() {
        assert_eq!(served(ApiKey::Fetch, 98, 99).best(ApiKey::Fetch), None);
        assert_eq!(served(ApiKey::Fetch, 0, 1).best(ApiKey::Fetch), None);
        assert_eq!(served(ApiKey::Fetch, 0, 12).best(ApiKey::Metadata), None);
    }
}
