//! The faults, and which of them a run has.

use crate::sim::node::Down;
use crate::sim::rng::Rng;
use crate::sim::scenario::Scenario;

/// The faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A broker stops, dies, or loses power, and comes back.
    Down(Down),
    /// A broker freezes (SIGSTOP), and goes on.
    Pause,
    /// The disk fills up, and has room again.
    FullDisk,
    /// An fsync fails, of files whose path has this in it.
    FailedSync(&'static str),
    /// Any write, sync or rename fails once.
    FailedOperation,
    /// Files under this path can't be read for a while.
    Unreadable(&'static str),
    /// A bit of a file whose path has this in it is wrong for a while.
    FlippedBit(&'static str),
    /// Connections of clients break.
    CutConnections,
    /// The wall clock is set.
    ClockJump,
    /// Between brokers nothing gets through for a while.
    Partition(Cut),
    /// What goes to and from a broker takes its time.
    SlowLinks,
    /// Connections of a broker with others break.
    BreakLinks,
    /// All brokers go down at once.
    AllDown(Down),
    /// One broker goes down while the others are well: they must take over at once.
    Failover,
    /// A broker comes back with an empty disk; once in a run.
    Wipe,
    /// A new broker joins; once in a run.
    Join,
}

/// What a partition of the network keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// One broker from all others.
    Full,
    /// Two brokers; both see the others.
    Pair,
    /// What one broker sends to the others.
    Outbound,
    /// What the others send to one broker.
    Inbound,
}

/// Faults that a broker suffers alone.
const OF_ONE: [Fault; 15] = [
    Fault::Down(Down::PowerCut),
    Fault::Down(Down::Kill),
    Fault::Down(Down::Stop),
    Fault::Pause,
    Fault::FullDisk,
    Fault::FailedSync("journal/"),
    Fault::FailedSync("topics/"),
    Fault::FailedSync("groups/"),
    Fault::FailedOperation,
    Fault::Unreadable("topics/"),
    Fault::FlippedBit("journal/"),
    Fault::FlippedBit("groups/"),
    Fault::FlippedBit("topics/"),
    Fault::CutConnections,
    Fault::ClockJump,
];

/// Faults that only a cluster has.
const OF_MANY: [Fault; 9] = [
    Fault::Partition(Cut::Full),
    Fault::Partition(Cut::Pair),
    Fault::Partition(Cut::Outbound),
    Fault::Partition(Cut::Inbound),
    Fault::SlowLinks,
    Fault::BreakLinks,
    Fault::AllDown(Down::PowerCut),
    Fault::AllDown(Down::Kill),
    Fault::Failover,
];

impl Fault {
    /// Those of a run: each has its own mixture, so that some see one kind alone, and many of it.
    pub(super) fn draw(scenario: &Scenario, rng: &mut Rng) -> Vec<Fault> {
        let of_many = if scenario.brokers == 1 { &[][..] } else { &OF_MANY[..] };
        let all = OF_ONE.iter().chain(of_many).copied();
        let mut faults: Vec<Fault> =
            all.filter(|fault| (scenario.fsync || !fault.may_lose()) && rng.one_in(2)).collect();
        faults.extend(scenario.wipes.then_some(Fault::Wipe));
        faults.extend(scenario.joins.then_some(Fault::Join));
        if faults.is_empty() {
            faults.push(Fault::Down(Down::Kill));
        }
        faults
    }

    /// Whether all brokers have to be well before it, and suffer together.
    pub(super) fn is_of_all(self) -> bool {
        matches!(self, Fault::AllDown(_) | Fault::Failover)
    }

    /// Whether it may take what was acknowledged by a broker that does not wait for its disk.
    fn may_lose(self) -> bool {
        let harmless = matches!(
            self,
            Fault::Down(Down::Kill | Down::Stop)
                | Fault::Pause
                | Fault::CutConnections
                | Fault::ClockJump
                | Fault::Partition(_)
                | Fault::SlowLinks
                | Fault::BreakLinks
                | Fault::AllDown(Down::Kill)
        );
        !harmless
    }
}
