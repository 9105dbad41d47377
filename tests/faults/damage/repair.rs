use std::process::{Command, Stdio};

use support::LIMIT;
use testkit::process::{Broker, Child, Finished, binary};

use super::journal::place_of;
use super::{killed_broker, launch, stopped_broker};
use crate::kit::files::{Snapshot, flip, the_one};
use crate::kit::records::{Kept, bounds};

/// Runs `tidelog repair` on a broker's directory.
fn repair(broker: &Broker, more: &[&str]) -> Finished {
    let mut command = Command::new(binary());
    command.args(["repair", "--data-dir"]).arg(broker.data_dir()).args(more).stdin(Stdio::null());
    Child::spawn(&mut command).unwrap().finish(LIMIT).unwrap()
}

/// Where a partition would end, and how many records behind that are known to go, by what the command printed.
fn told(repaired: &Finished, partition: i32) -> Option<(i64, usize)> {
    let rows = repaired.stdout.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let row = rows.into_iter().find(|row| row[1] == "kept" && row[2] == partition.to_string())?;
    Some((row[3].parse().unwrap(), row[4].parse().unwrap()))
}

/// The 51st record of the second batch of sends to partition 0: 150 stand before it.
const VALUE: &str = "kept-250.......";

fn check(broker: &Broker, kept: &Kept) {
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}

#[test]
fn what_the_journal_can_not_give_back_is_told_and_only_then_given_up() {
    let (mut broker, mut kept) = killed_broker();
    let sound = repair(&broker, &["--accept-loss"]);
    assert!(sound.status.success() && sound.stderr.contains("no shard is damaged"), "{sound:?}");
    assert_eq!(sound.stdout, "");

    let (file, at, _) = place_of(&broker, VALUE);
    flip(&file, at);
    let found = repair(&broker, &[]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    assert!(found.stderr.contains(&format!("{} is damaged at byte", file.display())), "{found:?}");
    assert!(found.stderr.contains("1 entries can't be read") && found.stderr.contains("--accept-loss"), "{found:?}");
    let (end, known) = told(&found, 0).unwrap();
    assert!((101..=150).contains(&end), "{end}");
    assert!((1..=10).contains(&(200 - known as i64 - end)), "all but the batch that can't be read: {found:?}");
    assert_eq!(told(&found, 1), None, "another shard's");

    // Nothing was given up: with the bytes back in place, all is there.
    flip(&file, at);
    broker.restart().unwrap();
    check(&broker, &kept);
    let refused = repair(&broker, &["--accept-loss"]);
    assert!(refused.status.code() == Some(1) && refused.stderr.contains("in use"), "{refused:?}");
    broker.kill().unwrap();

    flip(&file, at);
    // The other shard goes on meanwhile, into other files of the journal.
    broker.restart_as(&launch().set("journal.file.bytes", 1 << 20)).unwrap();
    kept.produce(&broker.address(), 1, 500, 8000);
    broker.stop().unwrap();
    let accepted = repair(&broker, &["--accept-loss"]);
    assert!(accepted.status.success() && accepted.stderr.contains("can be started"), "{accepted:?}");
    assert_eq!(told(&accepted, 0), Some((end, known)), "as was said");
    assert!(repair(&broker, &[]).status.success());

    kept.forget_from(0, end);
    for _ in 0..2 {
        broker.restart().unwrap();
        check(&broker, &kept);
        kept.produce(&broker.address(), 0, 20, 100);
        kept.produce(&broker.address(), 1, 20, 100);
        check(&broker, &kept);
        broker.stop().unwrap();
    }
    broker.restart().unwrap();
    check(&broker, &kept);
    assert_eq!(bounds(&broker.address(), "kept", 0), (0, end + 40));
}

#[test]
fn a_damaged_entry_that_a_checkpoint_has_made_needless_costs_nothing() {
    let (mut broker, kept) = killed_broker();
    let (file, at, _) = place_of(&broker, VALUE);
    broker.restart().unwrap();
    broker.stop().unwrap();
    flip(&file, at);
    // A clean stop has purged it: it is nobody's any more, and nothing is wrong.
    assert!(repair(&broker, &[]).stderr.contains("no shard is damaged"));
    broker.restart().unwrap();
    check(&broker, &kept);
}

#[test]
fn what_is_beyond_repair_is_told_and_left_as_it_is() {
    let (mut broker, kept) = stopped_broker();
    for (group, at, words) in [("groups/1", 8, "restore the file"), ("groups/1", 30, "restore")] {
        let manifest = the_one(&broker.data_dir().join(group), "manifest-");
        flip(&manifest, at);
        let topics = Snapshot::of(&broker.data_dir().join("topics"));
        let found = repair(&broker, &["--accept-loss"]);
        assert!(found.status.code() == Some(1) && found.stderr.contains(words), "{found:?}");
        topics.assert_same(&Snapshot::of(&broker.data_dir().join("topics")));
        flip(&manifest, at);
    }
    broker.restart().unwrap();
    check(&broker, &kept);
}
