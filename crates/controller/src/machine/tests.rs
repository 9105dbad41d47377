use std::path::Path;

use disk::SimDisk;
use model::TopicId;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::arbitrary::history;
use crate::command::{DeleteTopics, SetFeatures};

const DIR: &str = "data/groups/0";

fn open(disk: &SimDisk) -> Machine {
    let (manifest, content) = Manifest::open(Arc::new(disk.clone()), Path::new(DIR)).unwrap();
    Machine::open(manifest, &content).unwrap()
}

fn entry_id(index: u64) -> EntryId {
    EntryId { term: 1, node: 1, index }
}

fn applied(index: u64) -> Applied {
    Applied { id: entry_id(index), membership: Bytes::from_static(b"opaque") }
}

fn checkpoint(machine: &mut Machine, index: u64) -> io::Result<()> {
    machine.checkpoint(applied(index))()
}

/// An entry that every image takes: it moves the version.
fn harmless() -> Bytes {
    Command::DeleteTopics(DeleteTopics { topics: vec![TopicId::NIL] }).encode()
}

fn level(name: &str) -> Bytes {
    Command::SetFeatures(SetFeatures { levels: [(name.to_owned(), 1)].into() }).encode()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_restart_from_any_checkpoint_and_the_rest_of_the_log_is_the_live_image(
        history in history(),
        at in any::<Index>(),
    ) {
        let at = at.index(history.len()) as u64 + 1;
        let disk = SimDisk::new(1);
        let mut machine = open(&disk);
        let entries: Vec<(u64, Bytes)> = (1..).zip(history.iter().map(Command::encode)).collect();
        for (index, entry) in &entries {
            machine.apply(entry_id(*index), entry).ok();
            if *index == at {
                checkpoint(&mut machine, at).unwrap();
            }
        }
        let live = machine.published().image();
        drop(machine);
        let mut machine = open(&disk);
        prop_assert_eq!(machine.applied(), Some(applied(at)));
        for (index, entry) in entries.iter().filter(|(index, _)| *index > at) {
            machine.apply(entry_id(*index), entry).ok();
        }
        prop_assert_eq!(machine.published().image(), live);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn an_image_that_is_offered_takes_the_place_of_any_other(
        ours in history(),
        theirs in history(),
        at in any::<Index>(),
    ) {
        let mut leader = open(&SimDisk::new(1));
        for (index, command) in (1..).zip(&ours) {
            leader.apply(entry_id(index), &command.encode()).ok();
        }
        let disk = SimDisk::new(2);
        let mut machine = open(&disk);
        let at = at.index(theirs.len()) as u64 + 1;
        for (index, command) in (1..).zip(&theirs) {
            machine.apply(entry_id(index), &command.encode()).ok();
            if index == at {
                checkpoint(&mut machine, at).unwrap();
            }
        }
        machine.install(applied(100), leader.offer().unwrap()).unwrap();
        let image = leader.published().image();
        prop_assert_eq!(&machine.published().image(), &image);
        drop(machine);
        let machine = open(&disk);
        prop_assert_eq!(&machine.published().image(), &image);
        prop_assert_eq!(machine.applied(), Some(applied(100)));
    }
}

#[test]
fn a_checkpoint_that_began_before_the_image_was_replaced_is_not_written() {
    let disk = SimDisk::new(1);
    let mut leader = open(&SimDisk::new(2));
    leader.apply(entry_id(1), &level("leaders")).unwrap();
    let mut machine = open(&disk);
    machine.apply(entry_id(1), &level("ours")).unwrap();
    let late = machine.checkpoint(applied(1));
    machine.install(applied(9), leader.offer().unwrap()).unwrap();
    late().unwrap_err();
    drop(machine);
    let machine = open(&disk);
    assert_eq!((machine.published().image(), machine.applied()), (leader.published().image(), Some(applied(9))));
}

#[test]
fn an_offer_of_a_newer_build_changes_nothing_and_stops_the_machine() {
    let disk = SimDisk::new(1);
    let mut machine = open(&disk);
    machine.apply(entry_id(1), &level("ours")).unwrap();
    checkpoint(&mut machine, 1).unwrap();
    machine.install(applied(9), Bytes::from_static(b"\x02\x80")).unwrap_err();
    assert!(machine.published().halted().is_some() && machine.offer().is_err());
    drop(machine);
    assert_eq!(open(&disk).applied(), Some(applied(1)));
}

#[test]
fn the_image_is_published_before_the_proposer_is_answered() {
    let mut machine = open(&SimDisk::new(1));
    let published = machine.published();
    let mut watch = published.watch();
    let response = machine.apply(entry_id(5), &harmless());
    assert!(matches!(response, Ok(Outcome::TopicsDeleted(_))));
    assert_eq!((published.image().version(), watch.borrow_and_update().version()), (5, 5));
}

#[test]
fn an_entry_of_a_newer_build_stops_the_machine_where_it_is() {
    let disk = SimDisk::new(1);
    let mut machine = open(&disk);
    machine.apply(entry_id(1), &level("a")).unwrap();
    checkpoint(&mut machine, 1).unwrap();
    machine.apply(entry_id(2), &level("b")).unwrap();
    let image = machine.published().image();
    for (index, entry) in [(3, Bytes::from_static(&[1, 200, 0x80])), (4, level("c"))] {
        let refusal = machine.apply(entry_id(index), &entry).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::UnsupportedVersion);
    }
    assert_eq!(machine.published().image(), image);
    assert_eq!(machine.published().halted(), Some(&FormatError::UnknownKind { kind: 200 }));
    checkpoint(&mut machine, 4).unwrap_err();
    drop(machine);
    assert_eq!(open(&disk).applied(), Some(applied(1)));
}

#[test]
fn what_a_failed_checkpoint_was_to_write_the_next_one_writes() {
    let disk = SimDisk::new(1);
    let mut machine = open(&disk);
    machine.apply(entry_id(1), &level("a")).unwrap();
    disk.set_capacity(Some(0));
    checkpoint(&mut machine, 1).unwrap_err();
    disk.set_capacity(None);
    machine.apply(entry_id(2), &harmless()).unwrap();
    checkpoint(&mut machine, 2).unwrap();
    let image = machine.published().image();
    drop(machine);
    assert_eq!(open(&disk).published().image(), image);
    assert_eq!(image.features().level("a"), 1);
}
