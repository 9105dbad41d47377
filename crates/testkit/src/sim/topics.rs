//! The topics of a run, as its clients know them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use model::TopicId;

use super::env::lock;
use crate::history::Partition;

/// A topic: one that was deleted and one of the same name made later are two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) id: TopicId,
    pub(crate) partitions: i32,
    pub(crate) replicas: i16,
    /// Its name in the history.
    label: String,
}

/// A partition, by all that it can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) topic: Arc<Topic>,
    pub(crate) index: i32,
    /// Its name in the history.
    pub(crate) at: Partition,
}

impl Topic {
    /// The `nth` topic of this name, from 0.
    pub(crate) fn new(name: &str, id: TopicId, (partitions, replicas): (i32, i16), nth: usize) -> Arc<Topic> {
        let label = if nth == 0 { name.to_owned() } else { format!("{name}~{nth}") };
        Arc::new(Topic { name: name.to_owned(), id, partitions, replicas, label })
    }

    pub(crate) fn place(self: &Arc<Self>, index: i32) -> Place {
        Place { topic: self.clone(), index, at: Partition::new(&self.label, index) }
    }

    pub(crate) fn places(self: &Arc<Self>) -> impl Iterator<Item = Place> + use<> {
        let topic = self.clone();
        (0..self.partitions).map(move |index| topic.place(index))
    }
}

/// Those that exist, as far as the clients that make and delete them know.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    now: Mutex<BTreeMap<String, Arc<Topic>>>,
}

impl Topics {
    pub(crate) fn add(&self, topic: Arc<Topic>) {
        lock(&self.now).insert(topic.name.clone(), topic);
    }

    pub(crate) fn remove(&self, name: &str) {
        lock(&self.now).remove(name);
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Topic>> {
        lock(&self.now).get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        lock(&self.now).values().cloned().collect()
    }
}
