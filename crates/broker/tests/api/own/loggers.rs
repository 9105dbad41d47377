//! Levels of loggers. Kafka's loggers have other names.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use broker::{Loggers, ROOT_LOGGER};
use disk::SimDisk;
use model::ErrorCode;
use tracing::level_filters::LevelFilter;

use crate::incremental_alter_configs::{APPEND, DELETE, DONE, SET, alter, change, refused, request, value};
use crate::own::{start, target};

const LOGGER: i8 = 8;

/// Two loggers and the root.
#[derive(Default)]
struct Levels(Mutex<BTreeMap<String, LevelFilter>>);

impl Loggers for Levels {
    fn levels(&self) -> BTreeMap<String, LevelFilter> {
        let mut levels =
            BTreeMap::from([ROOT_LOGGER, "raft", "shard"].map(|name| (name.to_owned(), LevelFilter::WARN)));
        levels.extend(self.0.lock().unwrap().clone());
        levels
    }

    fn set(&self, logger: &str, level: Option<LevelFilter>) {
        let mut set = self.0.lock().unwrap();
        match level {
            Some(level) => set.insert(logger.to_owned(), level),
            None => set.remove(logger),
        };
    }
}

#[tokio::test(start_paused = true)]
async fn levels_are_shown_set_and_taken_back() {
    let running = Rc::new(start(&SimDisk::new(0), &[]).await);
    running.broker.set_loggers(Arc::<Levels>::default());
    let mut connection = target("loggers::set", &running).connect().await;
    let pair = |level: &str| (level.to_owned(), 6);
    assert_eq!(value(&mut connection, LOGGER, "1", "raft").await, pair("WARN"));
    for (operation, level, then) in [(SET, "ERROR", "ERROR"), (SET, "FATAL", "FATAL"), (DELETE, "", "WARN")] {
        assert_eq!(alter(&mut connection, LOGGER, "1", &[("raft", operation, Some(level))]).await, DONE);
        assert_eq!(value(&mut connection, LOGGER, "1", "raft").await, pair(then));
    }
    let validated = request(vec![change(LOGGER, "1", &[(ROOT_LOGGER, SET, Some("INFO"))])]).with_validate_only(true);
    assert_eq!(connection.call(1, &validated).await.responses[0].error_code, 0);
    assert_eq!(value(&mut connection, LOGGER, "1", ROOT_LOGGER).await, pair("WARN"));
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_is_refused_in_kafkas_words() {
    let running = Rc::new(start(&SimDisk::new(0), &[]).await);
    running.broker.set_loggers(Arc::<Levels>::default());
    let mut connection = target("loggers::refused", &running).connect().await;
    let (config, invalid) = (ErrorCode::InvalidConfig, ErrorCode::InvalidRequest);
    let levels = "as it is not a supported log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN";
    for (broker, logger, operation, level, code, message) in [
        ("1", "raft", SET, Some("debug"), config, &*format!("Cannot set the log level of raft to debug {levels}")),
        ("1", "no.such", SET, Some("INFO"), config, "Logger no.such does not exist!"),
        ("1", "root", DELETE, None, invalid, "Removing the log level of the root logger is not allowed"),
        ("1", "raft", APPEND, Some("INFO"), invalid, "APPEND operation is not allowed for the BROKER_LOGGER resource"),
        ("2", "raft", SET, Some("INFO"), invalid, "Unexpected node id. Expected 1, but received 2"),
        ("", "raft", SET, Some("INFO"), invalid, "Node id must be an integer, but it is: "),
        ("1", "raft", SET, None, invalid, "Null value not supported for : raft"),
    ] {
        let found =
            alter(&mut connection, LOGGER, broker, &[("shard", SET, Some("ERROR")), (logger, operation, level)]).await;
        assert_eq!(found, refused(code, message));
    }
    assert_eq!(value(&mut connection, LOGGER, "1", "shard").await, ("WARN".to_owned(), 6));
}
