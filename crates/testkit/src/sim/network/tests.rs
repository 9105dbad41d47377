//! The network between brokers does what TCP does when processes and machines die, and links are cut.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use disk::SimDisk;
use peer::{Dialer, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::{End, SimDialer, Wires, cluster_address};
use crate::sim::env::SimClock;
use crate::sim::rng::Rng;
use crate::sim::trace::Trace;

type Accepted = mpsc::Receiver<(Box<dyn Stream>, std::net::SocketAddr)>;

/// Longer than anything takes that is not held up.
const A_WHILE: Duration = Duration::from_secs(1);

struct Machine {
    dialer: SimDialer,
    disk: SimDisk,
    end: watch::Sender<End>,
    accepted: Accepted,
}

impl Machine {
    fn start(wires: &Arc<Wires>, id: i32) -> Machine {
        let (door, accepted) = mpsc::channel(4);
        let disk = SimDisk::new(7);
        let (end, me) = wires.listen(id, disk.clone(), door);
        Machine { dialer: SimDialer { wires: wires.clone(), me }, disk, end, accepted }
    }

    async fn connect(&self, other: &mut Machine) -> (Box<dyn Stream>, Box<dyn Stream>) {
        let to = cluster_address(other.dialer.me.id).parse().unwrap();
        let mine = self.dialer.dial(&to).await.unwrap();
        (mine, other.accepted.recv().await.unwrap().0)
    }
}

fn network() -> Arc<Wires> {
    Wires::new(Arc::new(Trace::new(Arc::new(SimClock::new()))), Rng::new(3), true)
}

async fn says(from: &mut Box<dyn Stream>, to: &mut Box<dyn Stream>) -> bool {
    from.write_all(b"word").await.unwrap();
    let mut heard = [0; 4];
    let got = timeout(A_WHILE, to.read_exact(&mut heard)).await;
    got.is_ok_and(|read| read.is_ok() && heard == *b"word")
}

async fn has_ended(stream: &mut Box<dyn Stream>) -> bool {
    matches!(timeout(A_WHILE, stream.read_u8()).await, Ok(Err(_)))
}

#[tokio::test(start_paused = true)]
async fn bytes_get_through_both_ways() {
    let wires = network();
    let (one, mut two) = (Machine::start(&wires, 1), Machine::start(&wires, 2));
    let (mut mine, mut theirs) = one.connect(&mut two).await;
    assert!(says(&mut mine, &mut theirs).await && says(&mut theirs, &mut mine).await);
    drop(mine);
    assert!(has_ended(&mut theirs).await);
}

#[tokio::test(start_paused = true)]
async fn a_cut_in_one_direction_holds_up_what_goes_that_way_until_it_is_mended() {
    let wires = network();
    let (one, mut two) = (Machine::start(&wires, 1), Machine::start(&wires, 2));
    let (mut mine, mut theirs) = one.connect(&mut two).await;
    wires.cut([(1, 2)]);
    assert!(!says(&mut mine, &mut theirs).await);
    assert!(says(&mut theirs, &mut mine).await);
    let dialling = timeout(A_WHILE, two.dialer.dial(&cluster_address(1).parse().unwrap())).await;
    assert!(dialling.is_err(), "what says yes does not come back");
    wires.mend([(1, 2)]);
    let mut heard = [0; 4];
    timeout(A_WHILE, theirs.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"word");
}

#[tokio::test(start_paused = true)]
async fn a_dead_process_is_told_of_and_refuses_and_a_machine_without_power_is_silent() {
    let wires = network();
    let (one, mut two, mut three) = (Machine::start(&wires, 1), Machine::start(&wires, 2), Machine::start(&wires, 3));
    let (mut to_two, _at_two) = one.connect(&mut two).await;
    let (mut to_three, mut at_three) = one.connect(&mut three).await;
    two.end.send_replace(End::Dead);
    wires.close(2);
    assert!(has_ended(&mut to_two).await);
    let refused = one.dialer.dial(&cluster_address(2).parse().unwrap()).await.err().unwrap();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

    three.disk.crash();
    assert!(!says(&mut at_three, &mut to_three).await, "nothing leaves it");
    three.end.send_replace(End::Silent);
    assert!(!has_ended(&mut to_three).await);
    assert!(timeout(A_WHILE, one.dialer.dial(&cluster_address(3).parse().unwrap())).await.is_err());
    // It is on again, and knows nothing of the connection.
    three.end.send_replace(End::Dead);
    let _new = Machine::start(&wires, 3);
    assert!(has_ended(&mut to_three).await);
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_told_to_both_ends_and_another_can_be_made() {
    let wires = network();
    let (one, mut two) = (Machine::start(&wires, 1), Machine::start(&wires, 2));
    let (mut mine, mut theirs) = one.connect(&mut two).await;
    wires.break_connections(3, &mut Rng::new(1), 1);
    assert!(says(&mut mine, &mut theirs).await, "it is none of that machine's");
    wires.break_connections(2, &mut Rng::new(1), 1);
    assert!(has_ended(&mut mine).await && has_ended(&mut theirs).await);
    let (mut mine, mut theirs) = one.connect(&mut two).await;
    assert!(says(&mut mine, &mut theirs).await);
}
