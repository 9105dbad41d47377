//! One run: a world, brokers, clients, faults, healing, and what came of it.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::{Arc, Once};
use std::time::Duration;

use tokio::runtime::RngSeed;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::chores;
use super::client::{Admin, Habitat, Member, Producer, Reader};
use super::fleet::Fleet;
use super::heal;
use super::nemesis::Nemesis;
use super::node::{self, Down, Node, Started};
use super::promises::{Finding, Rule};
use super::replicas;
use super::report::Report;
use super::scenario::Scenario;
use super::tampering::Tampering;
use super::topics::{Place, Topics};
use super::world::{Phase, World};
use crate::history;

/// A run that takes longer, in simulated time, does not end.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long producers may take to have all acknowledged that they sent before the last fault.
const PRODUCER_PATIENCE: Duration = Duration::from_secs(60);

/// Runs a seed, with one broker.
pub fn run(seed: u64) -> Report {
    run_cluster(seed, 1)
}

/// Runs a seed, with so many brokers.
pub fn run_cluster(seed: u64, brokers: u8) -> Report {
    run_with(seed, brokers, &Tampering::default())
}

/// Runs a seed with something in the broker's way.
pub(crate) fn run_with(seed: u64, brokers: u8, tampering: &Tampering) -> Report {
    listen_for_panics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .rng_seed(RngSeed::from_bytes(&seed.to_be_bytes()))
        .build()
        .expect("a runtime without I/O needs nothing from the machine");
    let begun = std::time::Instant::now();
    let mut report = runtime.block_on(async {
        BEGUN.set(Some(Instant::now()));
        let world = World::new(seed);
        let scenario = Scenario::draw(&mut world.rng(), i32::from(brokers));
        tracing::info!(?scenario, "drawn");
        let fleet = Arc::new(Fleet::new(&world, &scenario, tampering));
        if timeout(LONGEST, live(&world, &fleet, &scenario, tampering)).await.is_err() {
            world.found(Rule::NotHealed, format!("the run did not end within {LONGEST:?}"));
        }
        conclude((seed, brokers), &world, &fleet)
    });
    BEGUN.set(None);
    drop(runtime);
    report.findings.extend(take_panics());
    report.took = begun.elapsed();
    report
}

async fn live(world: &Arc<World>, fleet: &Arc<Fleet>, scenario: &Scenario, tampering: &Tampering) {
    let habitat = Habitat { world: world.clone(), fleet: fleet.clone(), topics: Arc::new(Topics::default()) };
    if !start_all(&habitat, habitat.fleet.founders(), "on an empty disk").await {
        return;
    }
    let mut admin = Admin::new(&habitat, "admin");
    let mut topics = Vec::new();
    for wanted in &scenario.topics {
        let topic = admin.create(wanted).await;
        habitat.topics.add(topic.clone());
        topics.push(topic);
    }
    let places = |numbers: &[usize]| -> Vec<Place> { numbers.iter().flat_map(|at| topics[*at].places()).collect() };

    let (mut producers, mut others) = (JoinSet::new(), JoinSet::new());
    for (number, (style, to)) in scenario.producers.iter().enumerate() {
        let producer = Producer::new(&habitat, &format!("producer-{number}"), style.clone(), places(to));
        producers.spawn(producer.run());
    }
    for (number, of) in scenario.readers.iter().enumerate() {
        others.spawn(Reader::new(&habitat, &format!("reader-{number}"), places(of)).run());
    }
    for (number, (members, of)) in scenario.groups.iter().enumerate() {
        for member in 0..*members {
            others.spawn(Member::new(&habitat, &format!("group-{number}"), member, places(of)).run());
        }
    }
    producers.spawn(chores::look(habitat.clone(), topics.clone()));
    if scenario.churn {
        producers.spawn(chores::churn(habitat.clone(), scenario.copies()));
    }
    if scenario.deletes_records {
        producers.spawn(chores::delete_records(habitat.clone(), topics.clone()));
    }

    Nemesis::new(&habitat, scenario, tampering).run(scenario.storm).await;
    world.enter(Phase::Calm);
    if !heal::all_up(&habitat).await {
        return;
    }
    if !heal::is_led(&habitat, None).await {
        let what = format!("not all partitions are led {:?} after the last fault", heal::FAILOVER);
        world.found(Rule::NotHealed, what);
    }
    if timeout(PRODUCER_PATIENCE, drain(&mut producers)).await.is_err() {
        let what = format!("{} producers are not done {PRODUCER_PATIENCE:?} after the last fault", producers.len());
        world.found(Rule::NotHealed, what);
    }
    producers.shutdown().await;
    heal::writable(&habitat, "the last fault").await;
    for (number, (_, of)) in scenario.groups.iter().enumerate() {
        heal::caught_up(&habitat, &format!("group-{number}"), &places(of)).await;
    }
    world.enter(Phase::Over);
    drain(&mut others).await;
    heal::audit(&habitat, "auditor-1").await;
    replicas::alike(&habitat).await;
    all_down(fleet, if scenario.fsync { Down::PowerCut } else { Down::Kill }).await;
    if start_all(&habitat, fleet.nodes(), "after the run").await {
        heal::audit(&habitat, "auditor-2").await;
        all_down(fleet, Down::Stop).await;
    }
}

/// Starts brokers at once; whether they run.
async fn start_all(habitat: &Habitat, nodes: &[Arc<Node>], when: &str) -> bool {
    let mut starts = JoinSet::new();
    for node in nodes {
        let node = node.clone();
        starts.spawn(async move { (node.id(), node.start(node::PATIENCE).await) });
    }
    let mut all = true;
    while let Some(started) = starts.join_next().await {
        let what = match started {
            Ok((_, Started::Up)) | Err(_) => continue,
            Ok((id, Started::Failed(why))) => format!("broker {id} did not start {when}: {why}"),
            Ok((id, Started::NotYet)) => format!("broker {id} took more than {:?} to start {when}", node::PATIENCE),
        };
        all = false;
        habitat.world.found(Rule::Unavailable, what);
    }
    all
}

/// Takes all brokers down at once.
async fn all_down(fleet: &Fleet, how: Down) {
    let mut ends = JoinSet::new();
    for node in fleet.nodes() {
        let node = node.clone();
        ends.spawn(async move { node.down(how).await });
    }
    drain(&mut ends).await;
}

async fn drain(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Simulated time since the run on this thread began.
pub fn elapsed() -> Duration {
    BEGUN.get().map_or(Duration::ZERO, |begun| begun.elapsed())
}

fn conclude((seed, brokers): (u64, u8), world: &World, fleet: &Fleet) -> Report {
    let history = world.history.history();
    let mut findings = world.findings();
    for history::Finding { check, what } in history::check(&history) {
        findings.push(Finding::new(Rule::History(check), what));
    }
    world.trace.add(format!("{:?}", history.events));
    for node in fleet.nodes() {
        world.trace.add(node.disk().digest());
    }
    Report {
        seed,
        brokers,
        findings,
        counts: world.counts(),
        simulated: world.clock.elapsed(),
        took: Duration::ZERO,
        digest: world.trace.digest(),
    }
}

thread_local! {
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A task that panics ends alone, and nobody would hear of it.
fn listen_for_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if RUNNING.get() {
                PANICS.with_borrow_mut(|panics| panics.push(info.to_string()));
            }
            before(info);
        }));
    });
    RUNNING.set(true);
    PANICS.take();
}

fn take_panics() -> impl Iterator<Item = Finding> {
    RUNNING.set(false);
    PANICS.take().into_iter().map(|what| Finding::new(Rule::Panicked, what))
}
