//! A consumer without a group: reads on by offset, and keeps its positions across restarts of the broker.

use tokio::time::sleep;

use super::Habitat;
use super::connection::{Connection, Gone};
use super::fetcher::Fetcher;
use crate::sim::rng::Rng;
use crate::sim::topics::Place;
use crate::sim::world::Phase;

/// See the module.
pub(crate) struct Reader {
    habitat: Habitat,
    name: String,
    fetcher: Fetcher,
    rng: Rng,
}

impl Reader {
    /// A reader of some partitions from their first record on.
    pub(crate) fn new(habitat: &Habitat, name: &str, places: Vec<Place>) -> Reader {
        let mut fetcher = Fetcher::new(habitat, name);
        fetcher.assign(places.into_iter().map(|place| (place, 0)));
        Reader { habitat: habitat.clone(), name: name.to_owned(), fetcher, rng: habitat.world.rng() }
    }

    /// Reads by topic id alone, until the topic is gone.
    pub(crate) fn by_id(mut self) -> Reader {
        self.fetcher = self.fetcher.by_id();
        self
    }

    /// Reads until the run is over.
    pub(crate) async fn run(mut self) {
        let world = self.habitat.world.clone();
        while world.phase() != Phase::Over {
            let mut connection = Connection::open(&self.habitat, &self.name).await;
            self.fetcher.reconnected();
            tokio::select! {
                biased;
                () = world.reached(Phase::Over) => return,
                Err(Gone) = self.read(&mut connection) => {}
            }
            sleep(self.rng.millis(10..300)).await;
        }
    }

    async fn read(&mut self, connection: &mut Connection) -> Result<(), Gone> {
        loop {
            let max_wait_ms = *self.rng.pick(&[0, 100, 2_000]);
            let polled = self.fetcher.poll(connection, max_wait_ms).await?;
            if !polled.out_of_range.is_empty() {
                let mut positions: Vec<(Place, i64)> =
                    self.fetcher.positions().map(|(place, at)| (place.clone(), at)).collect();
                for (place, position) in positions.iter_mut().filter(|(place, _)| polled.out_of_range.contains(place)) {
                    if let Some((start, _)) = self.fetcher.bounds(connection, place).await? {
                        *position = start;
                    }
                }
                self.fetcher.assign(positions);
            }
            if polled.records == 0 || self.rng.one_in(8) {
                sleep(self.rng.millis(5..200)).await;
            }
        }
    }
}
