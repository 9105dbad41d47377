//! Three brokers whose network and processes fail at random, from a seed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crc_fast::CrcAlgorithm;
use peer::{CallError, Message, Urgency};
use tokio::time::{Instant, sleep, timeout};

use crate::support::network::Network;
use crate::support::service::ECHO;
use crate::support::{Lots, Node, Plan, pattern, start};

/// Lets things fail for a while, and calls all the time. Returns what became of each call, and when, and a sum
/// over all bytes that went by.
async fn run(seed: u64) -> (Vec<String>, u64) {
    let lots = Lots(Mutex::new(seed));
    let network = Network::slow(Duration::from_millis(1 + lots.next() % 20));
    let (sum, bodies) = (Arc::new(Mutex::new(0)), pattern(100_000));
    let summed = sum.clone();
    network.tamper(Arc::new(move |_, _, bytes| {
        let mut sum = summed.lock().unwrap();
        *sum = crc_fast::checksum(CrcAlgorithm::Crc64Nvme, &[&u64::to_le_bytes(*sum), &*bytes].concat());
    }));
    let (mut nodes, began) = (start(&network, [1, 2, 3]), Instant::now());
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let mut callers = Vec::new();
    for step in 0..60 {
        let (from, to) = (lots.next() as usize % 3, lots.next() as usize % 3);
        match lots.next() % 12 {
            0 => network.cut(),
            1 => network.hold(),
            2 => network.part(&nodes[from].address, &nodes[to].address),
            3 => network.heal(),
            4 => nodes[from] = restart(&network, &nodes[from], seed * 1000 + step, lots.next().is_multiple_of(2)).await,
            _ => {}
        }
        nodes.iter().for_each(|node| node.know(&nodes.iter().collect::<Vec<_>>()));
        for _ in 0..lots.next() % 8 {
            let body = bodies.slice(..(lots.next() % 100_000) as usize);
            let urgency = if body.len() < 20_000 { Urgency::Urgent } else { Urgency::Bulk };
            let call = nodes[from].peers.call(nodes[to].id, ECHO, urgency, Message::from(body.clone()));
            let outcomes = outcomes.clone();
            callers.push(tokio::spawn(async move {
                let result = timeout(Duration::from_secs(11), call).await.expect("each call ends");
                assert!(result.as_ref().is_ok_and(|echo| *echo == body) || result.is_err());
                let result = result.map(|echo| echo.len());
                outcomes.lock().unwrap().push(format!("{:?} {step} {result:?}", began.elapsed()));
            }));
        }
        sleep(Duration::from_millis(lots.next() % 300)).await;
    }
    network.heal();
    for (one, other) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        nodes[one].up(&nodes[other]).await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    sleep(Duration::from_secs(2)).await;
    let mut wires = network.wires();
    wires.sort();
    assert_eq!(wires.len(), 3, "seed {seed}: {wires:?}");
    nodes.iter().for_each(|node| node.kill(&network));
    let call = nodes[0].peers.call(nodes[1].id, ECHO, Urgency::Bulk, Message::default());
    assert_eq!(call.await, Err(CallError::Stopped));
    let sum = *sum.lock().unwrap();
    (Arc::try_unwrap(outcomes).unwrap().into_inner().unwrap(), sum)
}

/// The same data directory, another process.
async fn restart(network: &Arc<Network>, node: &Node, seed: u64, cleanly: bool) -> Node {
    match cleanly {
        true => {
            network.close(&node.address);
            node.peers.shutdown().await;
        }
        false => node.kill(network),
    }
    Plan { seed, ..Plan::of(node.id.0) }.start(network)
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_each_call_ends_and_all_are_connected_by_one_connection_afterwards() {
    for seed in 0..8 {
        run(seed).await;
    }
}

#[test]
fn a_run_repeats_itself_from_its_seed_to_the_byte() {
    let once = || {
        let seed = tokio::runtime::RngSeed::from_bytes(b"tokio's own dice");
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).rng_seed(seed);
        runtime.build().unwrap().block_on(run(99))
    };
    let (first, second) = (once(), once());
    assert!(first.0.len() > 100, "{} calls", first.0.len());
    assert_eq!(first, second);
}
