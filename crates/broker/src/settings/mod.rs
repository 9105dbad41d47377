//! Settings that change while the broker runs: kept in the cluster image, taken over from there.

mod alter;
mod bounds;
mod loggers;
mod resource;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use config::{BrokerConfig, Owner};
use controller::{ClusterImage, Resource, Settings};
use model::BrokerId;

use crate::broker::Broker;

pub(crate) use alter::{Operation, Wish};
pub use loggers::{Loggers, ROOT};

/// The broker's settings as they are now.
pub(crate) struct LiveConfig {
    /// What was given at the start, without what was set since.
    start: Arc<BrokerConfig>,
    now: ArcSwap<BrokerConfig>,
    /// What `now` was made of, for all brokers and for this one.
    taken: Mutex<(Settings, Settings)>,
}

impl LiveConfig {
    pub(crate) fn new(start: Arc<BrokerConfig>) -> Self {
        LiveConfig { now: ArcSwap::new(start.clone()), start, taken: Mutex::default() }
    }

    /// The settings in force. They stay as they are for whoever holds them.
    pub(crate) fn load(&self) -> Arc<BrokerConfig> {
        self.now.load_full()
    }

    /// What the settings would be with these set.
    fn with(&self, cluster: &Settings, own: &Settings) -> Result<BrokerConfig, config::ConfigError> {
        self.start.with_dynamic(cluster, own)
    }

    /// Takes over what the image says. Settings that this build can't take (another may have stored
    /// them) are left out, so that the others count.
    pub(crate) fn take(&self, image: &ClusterImage, me: BrokerId) {
        let of = |resource: Resource| image.settings(&resource).cloned().unwrap_or_default();
        let wanted = (of(Resource::ClusterDefault), of(Resource::Broker(me)));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if *taken == wanted {
            return;
        }
        let config = self.with(&wanted.0, &wanted.1).or_else(|why| {
            tracing::error!(%why, "a setting that was changed while running can't be taken over, and is left out");
            self.with(&self.fitting(&wanted.0, Owner::AllBrokers), &self.fitting(&wanted.1, Owner::Broker))
        });
        match config {
            Ok(config) => self.now.store(Arc::new(config)),
            Err(why) => tracing::error!(%why, "settings stay as they were"),
        }
        *taken = wanted;
    }

    fn fitting(&self, settings: &Settings, owner: Owner) -> Settings {
        let fits = |name: &String, value: &String| {
            let one = Settings::from([(name.clone(), value.clone())]);
            let named = [(name.clone(), Some(value.clone()))].into();
            owner.check_change(&one, &one, &named, &self.start).is_ok() && self.with(&one, &Settings::new()).is_ok()
        };
        settings.iter().filter(|(name, value)| fits(name, value)).map(|(n, v)| (n.clone(), v.clone())).collect()
    }
}

impl Broker {
    /// The settings in force.
    pub(crate) fn config(&self) -> Arc<BrokerConfig> {
        self.settings.load()
    }

    /// Takes over what was changed in the cluster's image.
    pub(crate) fn take_settings(&self) {
        self.settings.take(&self.image(), self.id());
    }
}
