//! The simulation repeats itself, finds nothing on its own account, and finds what is broken on purpose.

mod clusters;
mod liars;
mod meddlers;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::nemesis::Fault;
use super::node::Down;
use super::promises::Rule;
use super::run::run_with;
use super::tampering::{Lens, Meddler, Tampering};
use super::{Summary, run, run_cluster};
use crate::history::Check;

/// Runs that a broken promise may go unnoticed in: not every run has the right fault at the right time.
const PATIENCE: u64 = 40;

/// Seeds for the tests of the checks.
const FROM: u64 = 1_000_000;

/// Runs until each of these is found; other findings, which one broken promise brings along, are let pass.
#[track_caller]
fn assert_found(tampering: &Tampering, rules: &[Rule]) {
    assert_found_with(1, tampering, rules);
}

/// As [`assert_found`], with so many brokers.
#[track_caller]
fn assert_found_with(brokers: u8, tampering: &Tampering, rules: &[Rule]) {
    let (mut missing, mut others) = (rules.to_vec(), BTreeSet::new());
    for seed in FROM..FROM + PATIENCE {
        for finding in run_with(seed, brokers, tampering).findings {
            missing.retain(|rule| *rule != finding.rule);
            others.insert(finding.rule);
        }
        if missing.is_empty() {
            return;
        }
    }
    panic!("{PATIENCE} runs did not find {missing:?}, only {others:?}");
}

fn lens(
    lens: impl Fn(i32, disk::SimDisk) -> Arc<dyn disk::Disk> + Send + Sync + 'static,
    faults: &[Fault],
) -> Tampering {
    let lens: Lens = Arc::new(lens);
    Tampering { lens: Some(lens), faults: Some(faults.to_vec()), ..Tampering::default() }
}

fn meddler(
    meddler: impl Fn(&wire::RequestHeader, bytes::Bytes) -> super::tampering::Meddling + Send + Sync + 'static,
    faults: &[Fault],
) -> Tampering {
    let meddler: Meddler = Arc::new(meddler);
    Tampering { meddler: Some(meddler), faults: Some(faults.to_vec()), ..Tampering::default() }
}

const POWER_CUT: Fault = Fault::Down(Down::PowerCut);

/// What the loss of acknowledged records looks like: where others took their offsets, and where not.
const LOSS: [Rule; 2] = [Rule::History(Check::LostWrite), Rule::EndWentBack];

#[test]
fn the_same_seed_gives_the_same_run_to_the_byte() {
    let alone = (0..12).map(|seed| (seed, 1));
    let runs = alone.chain((0..5).map(|seed| (seed, 3))).chain([(5, 5)]);
    let mut digests = BTreeSet::new();
    for (seed, brokers) in runs {
        let (once, again) = (run_cluster(seed, brokers), run_cluster(seed, brokers));
        assert_eq!((once.digest, once.counts, once.simulated), (again.digest, again.counts, again.simulated));
        digests.insert(once.digest);
    }
    assert_eq!(digests.len(), 18);
}

#[test]
fn a_broker_survives_all_faults_with_all_that_it_acknowledged() {
    let mut summary = Summary::default();
    (0..130).for_each(|seed| summary.add(run(seed)));
    assert!(summary.failed.is_empty(), "{summary}");
}

#[test]
fn a_cluster_survives_all_faults_with_all_that_it_acknowledged() {
    let mut summary = Summary::default();
    (0..24).for_each(|seed| summary.add(run_cluster(seed, 3)));
    (24..27).for_each(|seed| summary.add(run_cluster(seed, 5)));
    assert!(summary.failed.is_empty(), "{summary}");
}

#[test]
fn a_backup_put_back_breaks_every_promise_and_each_is_noticed() {
    // The vote, the producers, the offsets, the groups: all are forgotten back to the backup.
    let backups = Tampering { restores_backups: true, faults: Some(vec![POWER_CUT]), ..Tampering::default() };
    let rules = [
        Rule::History(Check::InconsistentOffsets),
        Rule::History(Check::LostWrite),
        Rule::EndWentBack,
        Rule::CommitLost,
        Rule::GenerationReused,
        Rule::EpochWentBack,
        Rule::ProducerForgotten,
    ];
    assert_found(&backups, &rules);
}
