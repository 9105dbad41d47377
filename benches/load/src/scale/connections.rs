//! Many connections that say nothing any more.

use std::time::Duration;

use tokio::time::sleep;

use super::{connect, line, mib, share_of_a_core, usage};
use crate::Failure;
use crate::contender::Started;
use crate::requests::metadata;

const CONNECTIONS: usize = 2_000;

pub(super) async fn measure(broker: &mut Started, idle: Duration) -> Result<(), Failure> {
    let (address, before) = (broker.address(), usage(broker)?);
    let ask = metadata()?;
    let connections = connect(&address, CONNECTIONS, |_, mut exchange| {
        let ask = ask.clone();
        async move {
            exchange.send(&ask).await?;
            exchange.receive().await?;
            Ok(exchange)
        }
    });
    let connections = connections.await?;
    let grown = usage(broker)?.memory_kib.saturating_sub(before.memory_kib);
    line("2,000 connections, memory for all", &mib(grown), "64 MiB");
    line("  idle, of one core", &share_of_a_core(broker, sleep(idle)).await?, "");
    drop(connections);
    Ok(())
}
