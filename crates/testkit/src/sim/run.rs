//! One run: a world, brokers, clients, faults, healing, and what came of it.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::{Arc, Once};
use std::time::Duration;

use tokio::runtime::RngSeed;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::client::{Admin, Habitat, Member, Producer, Reader, Style, Wanted};
use super::fleet::Fleet;
use super::heal;
use super::nemesis::Nemesis;
use super::node::Down;
use super::promises::{Finding, Rule};
use super::report::Report;
use super::scenario::Scenario;
use super::tampering::Tampering;
use super::topics::{Place, Topic, Topics};
use super::world::{Phase, World};
use crate::history;

/// A run that takes longer, in simulated time, does not end.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long producers may take to have all acknowledged that they sent before the last fault.
const PRODUCER_PATIENCE: Duration = Duration::from_secs(60);

/// Runs a seed.
pub fn run(seed: u64) -> Report {
    run_with(seed, &Tampering::default())
}

/// Runs a seed with something in the broker's way.
pub(crate) fn run_with(seed: u64, tampering: &Tampering) -> Report {
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
        let scenario = Scenario::draw(&mut world.rng());
        tracing::info!(?scenario, "drawn");
        let fleet = Arc::new(Fleet::new(&world, &scenario, tampering));
        if timeout(LONGEST, live(&world, &fleet, &scenario, tampering)).await.is_err() {
            world.found(Rule::NotHealed, format!("the run did not end within {LONGEST:?}"));
        }
        conclude(seed, &world, &fleet)
    });
    BEGUN.set(None);
    drop(runtime);
    report.findings.extend(take_panics());
    report.took = begun.elapsed();
    report
}

async fn live(world: &Arc<World>, fleet: &Arc<Fleet>, scenario: &Scenario, tampering: &Tampering) {
    let habitat = Habitat { world: world.clone(), fleet: fleet.clone(), topics: Arc::new(Topics::default()) };
    if !start_all(&habitat, "on an empty disk").await {
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
    producers.spawn(look(habitat.clone(), topics.clone()));
    if scenario.churn {
        producers.spawn(churn(habitat.clone()));
    }
    if scenario.deletes_records {
        producers.spawn(delete_records(habitat.clone(), topics.clone()));
    }

    Nemesis::new(&habitat, scenario, tampering).run(scenario.storm).await;
    world.enter(Phase::Calm);
    if !fleet.all_up() {
        return; // which was found already
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
    all_down(fleet, if scenario.fsync { Down::PowerCut } else { Down::Kill }).await;
    if start_all(&habitat, "after the run").await {
        heal::audit(&habitat, "auditor-2").await;
        all_down(fleet, Down::Stop).await;
    }
}

/// Starts all brokers at once; whether they run.
async fn start_all(habitat: &Habitat, when: &str) -> bool {
    let mut starts = JoinSet::new();
    for node in habitat.fleet.nodes() {
        let node = node.clone();
        starts.spawn(async move { (node.id(), node.start().await) });
    }
    let mut all = true;
    while let Some(started) = starts.join_next().await {
        if let Ok((id, Err(why))) = started {
            all = false;
            habitat.world.found(Rule::Unavailable, format!("broker {id} did not start {when}: {why}"));
        }
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

/// Looks at the leaders now and then.
async fn look(habitat: Habitat, topics: Vec<Arc<Topic>>) {
    let mut admin = Admin::new(&habitat, "onlooker");
    let mut rng = habitat.world.rng();
    while habitat.world.phase() == Phase::Storm {
        admin.look(rng.pick(&topics)).await;
        sleep(rng.millis(100..2_000)).await;
    }
}

/// Deletes records now and then.
async fn delete_records(habitat: Habitat, topics: Vec<Arc<Topic>>) {
    let mut admin = Admin::new(&habitat, "deleter");
    let mut rng = habitat.world.rng();
    while habitat.world.phase() == Phase::Storm {
        sleep(rng.millis(100..3_000)).await;
        let topic = rng.pick(&topics).clone();
        let place = topic.place(rng.index(topic.partitions as usize) as i32);
        let end = habitat.world.promises(|promises| promises.bounds.asked(&place.at).end());
        let offset = rng.within(0..end as u64 + 1) as i64;
        admin.delete_records(&place, offset).await;
    }
}

/// Makes a topic, uses it, deletes it, and makes another of the same name.
async fn churn(habitat: Habitat) {
    let mut admin = Admin::new(&habitat, "churner");
    let mut rng = habitat.world.rng();
    let mut nth = 0;
    while habitat.world.phase() == Phase::Storm {
        let partitions = 1 + rng.index(3) as i32;
        let topic = admin.create(&Wanted { name: "scratch".to_owned(), partitions, configs: Vec::new(), nth }).await;
        habitat.topics.add(topic.clone());
        let style = Style {
            idempotent: false,
            by_id: true,
            acks: -1,
            compression: record::Compression::None,
            padding: 1_000,
            records: 3,
            pause_ms: 50,
        };
        let producer = Producer::new(&habitat, &format!("scratch-producer-{nth}"), style, topic.places().collect());
        let reader = Reader::new(&habitat, &format!("scratch-reader-{nth}"), topic.places().collect()).by_id();
        let mut users = JoinSet::new();
        users.spawn(producer.run());
        users.spawn(reader.run());
        tokio::select! {
            biased;
            () = habitat.world.reached(Phase::Calm) => {}
            () = sleep(rng.millis(100..5_000)) => {}
        }
        if habitat.world.phase() > Phase::Storm {
            return; // it stays, to be audited
        }
        admin.delete(&topic).await;
        habitat.topics.remove(&topic.name);
        sleep(rng.millis(0..500)).await;
        users.shutdown().await;
        nth += 1;
    }
}

/// Simulated time since the run on this thread began.
pub fn elapsed() -> Duration {
    BEGUN.get().map_or(Duration::ZERO, |begun| begun.elapsed())
}

fn conclude(seed: u64, world: &World, fleet: &Fleet) -> Report {
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
