//! AlterConfigs and IncrementalAlterConfigs: from wishes to a command, planned on the newest image.

use std::collections::{BTreeMap, BTreeSet};

use config::{ConfigError, Owner};
use controller::{ClusterImage, DRAINED, Precondition, Refusal, Resource, SettingChange, Settings, SettingsChange};
use model::ErrorCode;

use super::{bounds, resource};
use crate::broker::Broker;

/// How often a change is planned anew when another one to the same setting came first.
const MAX_PLANS: usize = 10;

/// Kafka's number for a broker's loggers.
const BROKER_LOGGER: i8 = 8;

/// What one resource of a request asks for.
pub(crate) struct Wish {
    /// Kafka's number of the resource's type.
    pub(crate) kind: i8,
    pub(crate) name: String,
    /// Whether what is not named is taken back.
    pub(crate) replace: bool,
    /// The settings named.
    pub(crate) settings: Vec<(String, Operation)>,
}

/// What is to become of a setting. The value is null where the client sent none.
pub(crate) enum Operation {
    Set(Option<String>),
    Delete,
    Append(Option<String>),
    Subtract(Option<String>),
    Unknown(i8),
}

impl Operation {
    fn is_null(&self) -> bool {
        matches!(self, Operation::Set(None) | Operation::Append(None) | Operation::Subtract(None))
    }
}

impl Broker {
    /// Changes settings, or (`validate_only`) says what changing them would answer; each resource by
    /// itself. What was changed counts when this returns.
    pub(crate) async fn alter_settings(&self, wishes: &[Wish], validate_only: bool) -> Vec<Result<(), Refusal>> {
        let mut results: Vec<Result<(), Refusal>> = wishes.iter().map(|_| Err(not_planned())).collect();
        refuse_twins(wishes, &mut results);
        for (wish, result) in wishes.iter().zip(&mut results).filter(|(wish, _)| is_about_loggers(wish)) {
            if is_open(result) {
                *result = check_operations(wish).and_then(|()| self.alter_loggers(wish, validate_only));
            }
        }
        for _ in 0..MAX_PLANS {
            let image = self.image();
            let (mut places, mut changes) = (Vec::new(), Vec::new());
            for at in (0..wishes.len()).filter(|at| is_open(&results[*at])).collect::<Vec<_>>() {
                match self.plan(&image, &wishes[at], &changes) {
                    Ok(_) if validate_only => results[at] = Ok(()),
                    Ok(change) => {
                        places.push(at);
                        changes.push(change);
                    }
                    Err(refusal) => results[at] = Err(refusal),
                }
            }
            if changes.is_empty() {
                break;
            }
            let done = match self.controller.set_settings(changes).await {
                Ok(done) => done,
                Err(why) => places.iter().map(|_| Err(Refusal::new(why.code(), why.to_string()))).collect(),
            };
            places.into_iter().zip(done).for_each(|(at, result)| results[at] = result);
        }
        self.take_settings();
        results.iter_mut().filter(|result| is_open(result)).for_each(|result| *result = Err(overtaken()));
        results
    }

    /// The change that a wish comes to, besides those that were planned before it.
    fn plan(&self, image: &ClusterImage, wish: &Wish, planned: &[SettingsChange]) -> Result<SettingsChange, Refusal> {
        check_operations(wish)?;
        let resource = resource::read(wish.kind, &wish.name, self.id())?;
        if let Resource::Topic(name) = &resource
            && image.topic(name.as_str()).is_none()
        {
            let message = format!("The topic '{name}' does not exist.");
            return Err(Refusal::new(ErrorCode::UnknownTopicOrPartition, message));
        }
        let owner = resource::owner(&resource);
        let before = image.settings(&resource).cloned().unwrap_or_default();
        let changes = changes(owner, &before, wish)?;
        let (after, named) = outcome(&before, &changes, wish.replace);
        let refuse = |why: ConfigError| Refusal::new(why.code(), why.to_string());
        owner.check_change(&before, &after, &named, &self.config()).map_err(refuse)?;
        check_internal(&resource, &after)?;
        check_drained(&resource, &after)?;
        self.check_together(image, &resource, &after).map_err(refuse)?;
        if !after.is_empty() {
            bounds::check(image, &resource, planned)?;
        }
        Ok(SettingsChange { resource, replace: wish.replace, changes })
    }

    /// A broker's settings must go together with all the others that it has.
    fn check_together(&self, image: &ClusterImage, resource: &Resource, after: &Settings) -> Result<(), ConfigError> {
        let nothing = Settings::new();
        let of = |resource: &Resource| image.settings(resource).unwrap_or(&nothing).clone();
        match resource {
            Resource::ClusterDefault => self.settings.with(after, &of(&Resource::Broker(self.id()))).map(drop),
            Resource::Broker(_) => self.settings.with(&of(&Resource::ClusterDefault), after).map(drop),
            _ => Ok(()),
        }
    }
}

/// What the broker writes to its own topics does not pass through produce.
fn check_internal(resource: &Resource, after: &Settings) -> Result<(), Refusal> {
    let plain = ["producer", "uncompressed"];
    match (resource, after.get("compression.type")) {
        (Resource::Topic(name), Some(codec)) if name.is_internal() && !plain.contains(&codec.as_str()) => {
            let message = format!("compression.type of {name} can't be {codec}: the broker writes it uncompressed");
            Err(Refusal::new(ErrorCode::InvalidConfig, message))
        }
        _ => Ok(()),
    }
}

/// Who is drained is said of all brokers together, by their ids.
fn check_drained(resource: &Resource, after: &Settings) -> Result<(), Refusal> {
    let Some(list) = after.get(DRAINED) else { return Ok(()) };
    let refuse = |why: String| Err(Refusal::new(ErrorCode::InvalidConfig, why));
    if *resource != Resource::ClusterDefault {
        return refuse(format!("{DRAINED} is a setting of all brokers (--entity-default), not of one"));
    }
    match elements(list).into_iter().find(|id| id.parse::<i32>().is_err()) {
        Some(id) => refuse(format!("{DRAINED}: {id} is no id of a broker")),
        None => Ok(()),
    }
}

/// Loggers keep no settings, so AlterConfigs does not know them: there would be nothing to replace.
fn is_about_loggers(wish: &Wish) -> bool {
    wish.kind == BROKER_LOGGER && !wish.replace
}

/// Kafka refuses each of several changes to one resource.
fn refuse_twins(wishes: &[Wish], results: &mut [Result<(), Refusal>]) {
    let (mut seen, mut twins) = (BTreeSet::new(), BTreeSet::new());
    for wish in wishes {
        let resource = (wish.kind, &wish.name);
        if !seen.insert(resource) {
            twins.insert(resource);
        }
    }
    for (wish, result) in wishes.iter().zip(results) {
        if twins.contains(&(wish.kind, &wish.name)) {
            *result = Err(Refusal::invalid_request("Each resource must appear at most once."));
        }
    }
}

fn check_operations(wish: &Wish) -> Result<(), Refusal> {
    let nulls: Vec<&str> = wish.settings.iter().filter(|(_, what)| what.is_null()).map(|(name, _)| &**name).collect();
    if !nulls.is_empty() {
        return Err(Refusal::invalid_request(format!("Null value not supported for : {}", nulls.join(", "))));
    }
    let mut seen = BTreeSet::new();
    if !wish.settings.iter().all(|(name, _)| seen.insert(name)) {
        return Err(Refusal::invalid_request("Error due to duplicate config keys"));
    }
    match wish.settings.iter().find(|(_, what)| matches!(what, Operation::Unknown(_))) {
        Some((name, Operation::Unknown(code))) => {
            Err(Refusal::invalid_request(format!("Unknown operation {code} for {name}.")))
        }
        _ => Ok(()),
    }
}

fn changes(owner: Owner, before: &Settings, wish: &Wish) -> Result<Vec<SettingChange>, Refusal> {
    let change = |(name, what): &(String, Operation)| {
        let plain = |value| Ok(SettingChange { name: name.clone(), value, expected: None });
        let computed = |verb: &str, edit: fn(&str, &str) -> String, by: &str| {
            let Some(default) = owner.list_default(name) else {
                let message = format!("Can't {verb} to key {name} because its type is not LIST.");
                return Err(Refusal::new(ErrorCode::InvalidConfig, message));
            };
            let old = before.get(name);
            let value = Some(edit(old.map_or(default, String::as_str), by));
            Ok(SettingChange { name: name.clone(), value, expected: Some(Precondition { value: old.cloned() }) })
        };
        match what {
            Operation::Append(Some(more)) => computed("APPEND", appended, more),
            Operation::Subtract(Some(less)) => computed("SUBTRACT", subtracted, less),
            Operation::Set(value) => plain(value.clone()),
            _ => plain(None),
        }
    };
    wish.settings.iter().map(change).collect()
}

fn appended(list: &str, more: &str) -> String {
    let mut list = elements(list);
    for element in elements(more) {
        if !list.contains(&element) {
            list.push(element);
        }
    }
    list.join(",")
}

fn subtracted(list: &str, less: &str) -> String {
    let less = elements(less);
    let kept: Vec<&str> = elements(list).into_iter().filter(|element| !less.contains(element)).collect();
    kept.join(",")
}

fn elements(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|element| !element.is_empty()).collect()
}

/// The settings after the changes, and all that is named, by its absence too.
fn outcome(
    before: &Settings,
    changes: &[SettingChange],
    replace: bool,
) -> (Settings, BTreeMap<String, Option<String>>) {
    let mut after = if replace { Settings::new() } else { before.clone() };
    let mut named = BTreeMap::new();
    for change in changes {
        match &change.value {
            Some(value) => after.insert(change.name.clone(), value.clone()),
            None => after.remove(&change.name),
        };
        named.insert(change.name.clone(), change.value.clone());
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        named.entry(name.clone()).or_default();
    }
    (after, named)
}

fn not_planned() -> Refusal {
    Refusal::stale("not planned yet")
}

fn is_open(result: &Result<(), Refusal>) -> bool {
    matches!(result, Err(refusal) if refusal.is_stale())
}

fn overtaken() -> Refusal {
    Refusal::new(ErrorCode::RequestTimedOut, "The settings keep changing, try again.")
}
