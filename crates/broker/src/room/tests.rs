use disk::SimDisk;

use super::*;

const MIB: u64 = 1 << 20;

fn room() -> Room {
    let sizes = Sizes { reserve_bytes: 32 * MIB, journal_file_bytes: MIB, checkpoint_bytes: MIB, retained_bytes: MIB };
    Room::new(Arc::new(SimDisk::new(1)), PathBuf::new(), sizes)
}

fn admits(room: &Room, live_bytes: u64, bytes: u64) -> bool {
    let admitted = room.admit(&Health::default(), live_bytes, bytes as usize);
    admitted.inspect_err(|refused| assert_eq!(refused.code, ErrorCode::KafkaStorageError)).is_ok()
}

#[test]
fn what_is_admitted_between_two_looks_does_not_reach_into_the_reserve() {
    let room = room();
    room.seen(34 * MIB, false);
    assert!(admits(&room, 0, MIB) && admits(&room, 0, MIB - 1));
    assert!(!admits(&room, 0, 2), "that would be a byte of the reserve");
    assert!(!admits(&room, 0, 1), "full until the next look");
    room.seen(40 * MIB, false);
    assert!(admits(&room, 0, 8 * MIB));
}

#[test]
fn a_full_disk_has_room_again_when_it_has_a_little_more_than_the_reserve() {
    let room = room();
    room.seen(31 * MIB, false);
    assert!(!admits(&room, 0, 1));
    room.seen(33 * MIB, false);
    assert!(!admits(&room, 0, 1));
    room.seen(34 * MIB, false);
    assert!(admits(&room, 0, 1));
    room.seen(34 * MIB, true);
    assert!(!admits(&room, 0, 1), "the journal gets no file");
}

#[test]
fn nothing_is_admitted_while_the_journal_holds_more_than_its_bound() {
    let room = room();
    room.seen(100 * MIB, false);
    assert!(admits(&room, 16 * MIB, 1));
    assert!(!admits(&room, 16 * MIB + 1, 1));
    assert!(admits(&room, MIB, 1), "as soon as a checkpoint has freed it");
}
