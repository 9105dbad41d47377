//! Settings of resources. Values are opaque here, but for who is drained: they were checked before they were proposed.

use super::{Outcome, Refusal, brokers};
use crate::command::{SetSettings, SettingsChange};
use crate::image::{Draft, Resource, Settings, TopicImage};
use model::ErrorCode;

pub(super) fn set(draft: &mut Draft, command: SetSettings) -> Outcome {
    Outcome::Settings(command.resources.into_iter().map(|change| set_one(draft, change)).collect())
}

fn set_one(draft: &mut Draft, change: SettingsChange) -> Result<(), Refusal> {
    let old = draft.image().settings(&change.resource).cloned().unwrap_or_default();
    let new = changed(&old, &change)?;
    match change.resource {
        Resource::Topic(name) => {
            let unknown =
                || Refusal::new(ErrorCode::UnknownTopicOrPartition, format!("The topic '{name}' does not exist."));
            let topic = draft.image().topic(name.as_str()).ok_or_else(unknown)?;
            let topic = TopicImage { configs: new, ..TopicImage::clone(topic) };
            draft.put_topic(topic);
        }
        other => draft.put_settings(other, new),
    }
    brokers::follow_drained(draft);
    Ok(())
}

fn changed(old: &Settings, change: &SettingsChange) -> Result<Settings, Refusal> {
    let mut new = if change.replace { Settings::new() } else { old.clone() };
    for setting in &change.changes {
        if setting.expected.as_ref().is_some_and(|expected| expected.value.as_ref() != old.get(&setting.name)) {
            return Err(Refusal::stale(format!("{} of {} was changed meanwhile.", setting.name, change.resource)));
        }
        match &setting.value {
            Some(value) => new.insert(setting.name.clone(), value.clone()),
            None => new.remove(&setting.name),
        };
    }
    Ok(new)
}
