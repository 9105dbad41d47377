//! Brokers of this process: on a disk in memory, in the thread of their test.

use std::sync::Arc;

use broker::{Env, Running};
use config::{BrokerConfig, Sources};
use disk::SimDisk;
use model::{Clock, Inline, SystemClock, SystemRandom};
use peer::TcpDialer;

/// A broker on `disk` with these settings, each as `name=value`.
pub(crate) async fn start(disk: &SimDisk, settings: &[&str]) -> Running {
    start_by(Arc::new(SystemClock), disk, settings).await
}

/// The same by another clock.
pub(crate) async fn start_by(clock: Arc<dyn Clock>, disk: &SimDisk, settings: &[&str]) -> Running {
    let set = settings.iter().map(|setting| (*setting).to_owned()).collect();
    let config = BrokerConfig::load(&Sources { set, ..Sources::default() }).unwrap();
    let disk = Arc::new(disk.clone());
    let env = Env {
        clock,
        random: Arc::new(SystemRandom),
        executor: Arc::new(Inline),
        disk,
        dialer: Arc::new(TcpDialer),
        boot: "the first".into(),
    };
    Running::start_detached(Arc::new(config), env, None).await.unwrap()
}
