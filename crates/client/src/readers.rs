//! Reading several topics at once.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::{Client, ClientError, Fetched, Reader, ReaderOptions, Topic};

/// What waits to be taken, in answers: each topic's reader has its own besides, so one is enough.
const WAITING: usize = 1;

/// A [`Reader`] for each of several topics, in a task each: so many times the memory of one. They end when this is
/// dropped.
pub struct Readers {
    _tasks: JoinSet<()>,
    came: mpsc::Receiver<Result<Vec<Fetched>, ClientError>>,
}

impl Readers {
    /// Begins to read the partitions of each topic from these offsets on.
    pub fn start(client: &Client, topics: Vec<(Topic, BTreeMap<i32, i64>)>, options: ReaderOptions) -> Self {
        let (out, came) = mpsc::channel(WAITING);
        let mut tasks = JoinSet::new();
        for (topic, positions) in topics {
            if !positions.is_empty() {
                tasks.spawn(read(Reader::new(client.clone(), topic, positions, options), out.clone()));
            }
        }
        Readers { _tasks: tasks, came }
    }

    /// What came next, of one of the topics; waits for as long as nothing comes. Nothing is lost if this is not waited
    /// for to the end.
    ///
    /// # Errors
    /// Those of [`Reader::next`]: that topic is not read any more.
    pub async fn next(&mut self) -> Result<Vec<Fetched>, ClientError> {
        match self.came.recv().await {
            Some(came) => came,
            // Nothing is to be read, or was read to its error.
            None => std::future::pending().await,
        }
    }
}

async fn read(mut reader: Reader, out: mpsc::Sender<Result<Vec<Fetched>, ClientError>>) {
    loop {
        let came = reader.next().await;
        if came.as_ref().is_ok_and(Vec::is_empty) {
            continue;
        }
        let is_over = came.is_err();
        if out.send(came).await.is_err() || is_over {
            return;
        }
    }
}
