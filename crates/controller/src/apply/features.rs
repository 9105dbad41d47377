//! Feature levels.

use std::collections::BTreeMap;

use model::ErrorCode;

use super::{Outcome, Refusal};
use crate::command::SetFeatures;
use crate::features::{FinalizedFeatures, METADATA_VERSION};
use crate::image::Draft;

/// Levels of features that this build knows nothing of are stored like any other: whether the
/// brokers can serve a level is checked by the proposer, against what each of them supports.
pub(super) fn set(draft: &mut Draft, command: SetFeatures, index: u64) -> Result<Outcome, Refusal> {
    let merged = merge(draft.image().features(), &command.levels, index)?;
    let epoch = merged.epoch;
    draft.set_features(merged);
    Ok(Outcome::FeaturesSet { epoch })
}

pub(super) fn merge(
    old: &FinalizedFeatures,
    changes: &BTreeMap<String, i16>,
    index: u64,
) -> Result<FinalizedFeatures, Refusal> {
    let mut levels = old.levels.clone();
    for (name, level) in changes {
        let refuse = |why: &str| {
            let message = format!("Invalid update version {level} for feature {name}. {why}");
            Err(Refusal::new(ErrorCode::InvalidRequest, message))
        };
        match *level {
            ..0 => return refuse("A negative feature level can't be set."),
            0 if name == METADATA_VERSION => return refuse("It can't be switched off."),
            0 => drop(levels.remove(name)),
            _ => drop(levels.insert(name.clone(), *level)),
        }
    }
    let epoch = if levels == old.levels { old.epoch } else { index };
    Ok(FinalizedFeatures { levels, epoch })
}
