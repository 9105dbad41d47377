//! A consumer without a group: reads on by offset, and keeps its positions across restarts of the broker.

use tokio::time::sleep;

use super::Habitat;
use super::fetcher::Fetcher;
use crate::sim::rng::Rng;
use crate::sim::topics::Place;
use crate::sim::world::Phase;

/// See the module.
pub(crate) struct Reader {
    habitat: Habitat,
    fetcher: Fetcher,
    rng: Rng,
}

impl Reader {
    /// A reader of some partitions from their first record on.
    pub(crate) fn new(habitat: &Habitat, name: &str, places: Vec<Place>) -> Reader {
        let mut fetcher = Fetcher::new(habitat, name);
        fetcher.assign(places.into_iter().map(|place| (place, 0)));
        Reader { habitat: habitat.clone(), fetcher, rng: habitat.world.rng() }
    }

    /// Reads by topic id alone, until the topic is gone.
    pub(crate) fn by_id(mut self) -> Reader {
        self.fetcher = self.fetcher.by_id();
        self
    }

    /// Reads until the run is over.
    pub(crate) async fn run(mut self) {
        let world = self.habitat.world.clone();
        tokio::select! {
            biased;
            () = world.reached(Phase::Over) => {}
            () = self.read() => {}
        }
    }

    async fn read(&mut self) {
        loop {
            let max_wait_ms = *self.rng.pick(&[0, 100, 2_000]);
            let polled = self.fetcher.poll(max_wait_ms).await;
            self.fetcher.go_on_from_start(&polled).await;
            if polled.records == 0 || self.rng.one_in(8) {
                sleep(self.rng.millis(5..200)).await;
            }
        }
    }
}
