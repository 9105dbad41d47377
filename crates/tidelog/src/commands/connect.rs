//! Which cluster a command is about.

use std::error::Error;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use client::{Address, Client, InvalidAddress, Options};

use super::{Failure, time};

/// Arguments of every command that talks to a broker.
#[derive(Args)]
pub(crate) struct Connect {
    /// Address of any broker of the cluster; several may be given, separated by commas
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "TIDELOG_BOOTSTRAP",
        hide_env_values = true,
        default_value = "localhost:9092"
    )]
    bootstrap: Bootstrap,
    /// How long to keep trying when a broker restarts or a leader changes
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = time::parse_duration)]
    timeout: Duration,
}

#[derive(Clone)]
struct Bootstrap(Vec<Address>);

impl FromStr for Bootstrap {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        Address::parse_list(text).map(Bootstrap)
    }
}

impl Connect {
    /// Runs `work` with a client of the cluster.
    pub(crate) fn run<F>(&self, work: impl FnOnce(Client) -> F) -> Result<(), Box<dyn Error>>
    where
        F: Future<Output = Result<(), Failure>>,
    {
        let options = Options { timeout: self.timeout, ..Options::default() };
        let client = Client::new(self.bootstrap.0.clone(), options);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let done = runtime.block_on(work(client));
        // A read of standard input that still blocks must not hold up the exit.
        runtime.shutdown_background();
        done.map_err(|why| why as Box<dyn Error>)
    }
}
