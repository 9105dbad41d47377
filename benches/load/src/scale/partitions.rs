//! Many partitions: made, written in turn, idle, and there again after `kill -9`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use client::NewTopic;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use super::{line, mib, seconds, share_of_a_core, usage};
use crate::Failure;
use crate::contender::Started;
use crate::exchange::Exchange;
use crate::requests::{check_produced, produce};
use crate::rows::{client, until_acknowledged_in};

const TOPICS: i32 = 100;
const PARTITIONS: i32 = 100;
/// As clients send while they want order.
const IN_FLIGHT: usize = 5;

pub(super) fn measure(runtime: &Runtime, broker: &mut Started, idle: Duration) -> Result<(), Failure> {
    runtime.block_on(async {
        let begun = Instant::now();
        make_topics(&broker.address()).await?;
        line("10,000 partitions made", &seconds(begun.elapsed()), "20 s");
        line("  memory", &mib(usage(broker)?.memory_kib), "200 MiB");

        for round in ["first", "second", "third"] {
            let (begun, before) = (Instant::now(), usage(broker)?);
            let slowest = write_in_turn(&broker.address()).await?;
            line(&format!("  the {round} record of each, in turn"), &seconds(begun.elapsed()), "");
            line("    the slowest answer", &seconds(slowest), "");
            line("    processor time", &format!("{:.2} s", (usage(broker)? - before).cpu_seconds), "");
        }
        line("  memory after that", &mib(usage(broker)?.memory_kib), "200 MiB");
        line("  idle, of one core", &share_of_a_core(broker, sleep(idle)).await?, "2 %");
        Ok::<(), Failure>(())
    })?;
    broker.kill()?;
    let begun = Instant::now();
    broker.restart()?;
    runtime.block_on(until_acknowledged_in(&broker.address(), &name(TOPICS - 1), PARTITIONS - 1))?;
    line("  first ack after kill -9", &seconds(begun.elapsed()), "1 s");
    line("    processor time", &format!("{:.2} s", usage(broker)?.cpu_seconds), "");
    Ok(())
}

fn name(topic: i32) -> String {
    format!("load-{topic}")
}

/// One after another; all of them take records then.
async fn make_topics(address: &str) -> Result<(), Failure> {
    let client = client(address)?;
    for topic in 0..TOPICS {
        client
            .create_topic(&NewTopic { name: name(topic), partitions: Some(PARTITIONS), ..NewTopic::default() })
            .await?;
    }
    until_acknowledged_in(address, &name(TOPICS - 1), PARTITIONS - 1).await
}

/// One record for each partition; the longest time that one took.
async fn write_in_turn(address: &str) -> Result<Duration, Failure> {
    let partitions = (0..TOPICS).flat_map(|topic| (0..PARTITIONS).map(move |partition| (topic, partition)));
    let frames: Vec<Bytes> =
        partitions.map(|(topic, partition)| produce(&name(topic), partition, 1)).collect::<Result<_, Failure>>()?;
    let mut exchange = Exchange::connect(address).await?;
    let (mut in_flight, mut slowest) = (0, Duration::ZERO);
    for frame in &frames {
        exchange.send(frame).await?;
        in_flight += 1;
        if in_flight == IN_FLIGHT {
            slowest = slowest.max(answer(&mut exchange).await?);
            in_flight -= 1;
        }
    }
    for _ in 0..in_flight {
        slowest = slowest.max(answer(&mut exchange).await?);
    }
    Ok(slowest)
}

async fn answer(exchange: &mut Exchange) -> Result<Duration, Failure> {
    let (answer, sent) = exchange.receive().await?;
    let took = sent.elapsed();
    check_produced(answer)?;
    Ok(took)
}
