//! What was synced and can't be read back is never passed over in silence.

#![allow(clippy::unwrap_used, reason = "tests")]

mod history;

use std::io::{ErrorKind, IoSlice};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use disk::{Disk, Open, SimDisk};
use history::{Contents, DIR, Histories, Rng, in_one_thread, new_disk, open, options};
use journal::{Entry, EntryId, Journal, JournalError, Options};
use model::GroupId;
use tokio::sync::oneshot;

const A: GroupId = GroupId(1);
const B: GroupId = GroupId(2);

/// Where the writes begin.
const FIRST_WRITE: u64 = 4096;

fn path(generation: u32) -> PathBuf {
    Path::new(DIR).join(format!("{generation:020}.journal"))
}

fn entry(index: u64) -> Entry {
    let id = EntryId { term: 1, node: 1, index };
    Entry { id, kind: Entry::NORMAL, payload: Bytes::from(format!("payload {index}")) }
}

/// Each of these entries in a write of its own, a page each.
async fn append_each(journal: &Journal, group: GroupId, indexes: std::ops::Range<u64>) {
    for index in indexes {
        let (tell, told) = oneshot::channel();
        journal.group(group).append(vec![entry(index)], Box::new(|result| tell.send(result).unwrap()));
        told.await.unwrap().unwrap();
    }
}

/// A journal with the entries 0 to 4 of A and then 0 to 4 of B, each in its page.
fn ten_entries() -> SimDisk {
    let disk = new_disk(1);
    in_one_thread(async {
        let (journal, _) = open(&disk, Options::default()).unwrap();
        append_each(&journal, A, 0..5).await;
        append_each(&journal, B, 0..5).await;
    });
    disk.restart(1)
}

/// Where the payload of a write with one record is in its page: after the head and one record.
const PAYLOAD: u64 = 64 + 40;

#[test]
fn a_bad_payload_fences_its_group_and_no_other() {
    let disk = ten_entries();
    disk.flip_bit(&path(1), FIRST_WRITE + 2 * 4096 + PAYLOAD + 3, 5).unwrap();
    in_one_thread(async {
        let (journal, recovery) = open(&disk, Options::default()).unwrap();
        let [damage] = &recovery.damage[..] else { panic!("{recovery:?}") };
        assert_eq!((damage.group, damage.position, &damage.file), (Some(A), FIRST_WRITE + 2 * 4096, &path(1)));
        assert!(damage.to_string().contains("shard-1") && damage.to_string().contains("entry 2"), "{damage}");

        let fenced = journal.group(A);
        assert_eq!(fenced.damage().as_ref(), Some(damage));
        let (tell, told) = oneshot::channel();
        fenced.append(vec![entry(5)], Box::new(|result| tell.send(result).unwrap()));
        assert_eq!(told.await.unwrap().unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(fenced.read(0..2, 1000).unwrap(), [entry(0), entry(1)]);
        assert_eq!(fenced.read(2..3, 1000).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(fenced.read(3..5, 1000).unwrap(), [entry(3), entry(4)]);

        append_each(&journal, B, 5..6).await;
        assert_eq!(journal.group(B).read(0..6, 1000).unwrap().len(), 6);
    });
}

#[test]
fn a_group_that_gives_up_what_is_damaged_goes_on_with_the_rest() {
    let small = Options { file_bytes: 64 << 10, first_file_bytes: 64 << 10, ..Options::default() };
    let on = |journal: &Journal| journal.group(A);
    let disk = new_disk(1);
    in_one_thread(async {
        let (journal, _) = open(&disk, small.clone()).unwrap();
        on(&journal).save_vote(Bytes::from("vote"), Box::new(|result| result.unwrap()));
        append_each(&journal, A, 0..5).await;
        on(&journal).save_committed(entry(4).id);
        append_each(&journal, B, 0..1).await;
        journal.shutdown().await;
    });
    // Entry 1 is in a checkpoint by then, entry 3 is not.
    for bad in [1, 3] {
        disk.flip_bit(&path(1), FIRST_WRITE + bad * 4096 + PAYLOAD, 0).unwrap();
    }
    in_one_thread(async {
        // Others go on meanwhile, into further files.
        let (journal, _) = open(&disk, small.clone()).unwrap();
        append_each(&journal, B, 1..40).await;
        assert_eq!(on(&journal).damaged_entries(), Some(vec![1, 3]));
        journal.shutdown().await;
    });
    in_one_thread(async {
        let (journal, _) = open(&disk, small.clone()).unwrap();
        let (tell, told) = oneshot::channel();
        on(&journal).give_up_from(3, Box::new(|result| result.unwrap()));
        on(&journal).purge(entry(2).id, Box::new(|result| tell.send(result).unwrap()));
        told.await.unwrap().unwrap();
        journal.shutdown().await;
    });
    in_one_thread(async {
        let (journal, recovery) = open(&disk.restart(3), small.clone()).unwrap();
        assert_eq!((&recovery.damage[..], on(&journal).damaged_entries()), (&[][..], None));
        let state = on(&journal).state();
        assert_eq!((state.vote.as_deref(), state.committed), (Some(&b"vote"[..]), Some(entry(2).id)));
        assert_eq!((state.purged, state.last), (Some(entry(2).id), Some(entry(2).id)));
        append_each(&journal, A, 3..10).await;
        append_each(&journal, B, 40..80).await;
        assert_eq!(on(&journal).read(3..10, 1000).unwrap().len(), 7);
        assert_eq!(journal.group(B).read(0..80, 10_000).unwrap().len(), 80, "nothing of others is touched");
    });
}

#[test]
fn what_is_left_of_a_group_can_be_purged_with_the_files_that_hold_it() {
    let small = Options { file_bytes: 64 << 10, first_file_bytes: 64 << 10, ..Options::default() };
    let disk = ten_entries();
    disk.flip_bit(&path(1), FIRST_WRITE + 2 * 4096 + PAYLOAD + 3, 5).unwrap();
    let mut next = 5;
    for round in 0..3 {
        in_one_thread(async {
            let (journal, recovery) = open(&disk, small.clone()).unwrap();
            let group = journal.group(A);
            append_each(&journal, B, next..next + 30).await;
            next += 30;
            let (tell, told) = oneshot::channel();
            match round {
                0 => assert_eq!(group.damaged_entries(), Some(vec![2])),
                _ => assert_eq!(recovery.damage, [], "round {round}"),
            }
            match round {
                0 => group.give_up_from(2, Box::new(|result| tell.send(result).unwrap())),
                1 => group.append(vec![entry(2), entry(3)], Box::new(|result| tell.send(result).unwrap())),
                _ => {
                    assert_eq!(group.read(2..4, 1000).unwrap(), [entry(2), entry(3)]);
                    return;
                }
            }
            told.await.unwrap().unwrap();
            if round == 1 {
                // The first file goes, and the entries that follow are in one that was begun meanwhile.
                let (tell, told) = oneshot::channel();
                group.purge(entry(1).id, Box::new(|result| tell.send(result).unwrap()));
                journal.group(B).purge(entry(next - 1).id, Box::new(|_| {}));
                told.await.unwrap().unwrap();
            }
            journal.shutdown().await;
        });
    }
}

#[test]
fn what_a_damaged_group_wrote_stays_as_it_is_while_others_go_on() {
    let vote_of = |journal: &Journal| journal.group(A).state().vote;
    let save_vote = async |journal: &Journal, vote: &'static str| {
        let (tell, told) = oneshot::channel();
        journal.group(A).save_vote(Bytes::from(vote), Box::new(|result| tell.send(result).unwrap()));
        told.await.unwrap().unwrap();
    };
    let small = Options { file_bytes: 64 << 10, first_file_bytes: 64 << 10, ..Options::default() };
    let disk = new_disk(1);
    in_one_thread(async {
        let (journal, _) = open(&disk, small.clone()).unwrap();
        save_vote(&journal, "the first").await;
        save_vote(&journal, "the second").await;
        append_each(&journal, B, 0..2).await;
        journal.shutdown().await;
    });
    let flip = || disk.flip_bit(&path(1), FIRST_WRITE + 4096 + PAYLOAD, 0).unwrap();
    flip();
    for entries in [2..100, 100..200] {
        in_one_thread(async {
            let (journal, recovery) = open(&disk, small.clone()).unwrap();
            assert_eq!(recovery.damage[0].group, Some(A));
            let last = entry(entries.end - 1).id;
            append_each(&journal, B, entries).await;
            let (tell, told) = oneshot::channel();
            journal.group(B).purge(last, Box::new(|result| tell.send(result).unwrap()));
            told.await.unwrap().unwrap();
            journal.shutdown().await;
            assert!(journal.live_bytes() > 2 * small.file_bytes, "the files of A are held");
        });
    }
    flip();
    in_one_thread(async {
        let (journal, recovery) = open(&disk, small.clone()).unwrap();
        assert_eq!((recovery.damage.len(), vote_of(&journal)), (0, Some(Bytes::from("the second"))));
    });
}

#[test]
fn damage_in_a_purged_entry_is_of_no_account() {
    let disk = ten_entries();
    in_one_thread(async {
        let (journal, _) = open(&disk, Options::default()).unwrap();
        let (tell, told) = oneshot::channel();
        journal.group(A).purge(entry(2).id, Box::new(|result| tell.send(result).unwrap()));
        told.await.unwrap().unwrap();
    });
    disk.flip_bit(&path(1), FIRST_WRITE + 2 * 4096 + PAYLOAD, 0).unwrap();
    in_one_thread(async {
        let (journal, recovery) = open(&disk, Options::default()).unwrap();
        assert_eq!((&recovery.damage[..], journal.group(A).damage()), (&[][..], None));
    });
}

#[test]
fn a_bad_control_refuses_the_journal_and_names_file_and_place() {
    let disk = ten_entries();
    disk.flip_bit(&path(1), FIRST_WRITE + 3 * 4096 + 70, 1).unwrap();
    in_one_thread(async {
        let refused = open(&disk, Options::default()).err().unwrap();
        let JournalError::Damaged(damage) = &refused else { panic!("{refused}") };
        assert_eq!((damage.group, damage.position), (None, FIRST_WRITE + 3 * 4096));
        assert!(refused.to_string().contains("00000000000000000001.journal"), "{refused}");
    });
}

#[test]
fn a_write_that_nothing_proves_to_be_synced_is_a_torn_tail() {
    let disk = ten_entries();
    disk.flip_bit(&path(1), FIRST_WRITE + 9 * 4096 + PAYLOAD, 1).unwrap();
    in_one_thread(async {
        let (journal, recovery) = open(&disk, Options::default()).unwrap();
        assert_eq!(recovery.torn, Some((path(1), FIRST_WRITE + 9 * 4096)));
        assert_eq!((recovery.damage.len(), recovery.entries), (0, 9));
        append_each(&journal, B, 4..5).await; // in its place
    });
    in_one_thread(async {
        let (_, recovery) = open(&disk.restart(1), Options::default()).unwrap();
        assert_eq!((recovery.torn, recovery.entries), (None, 10));
    });
}

#[test]
fn a_write_that_was_cut_off_does_not_come_back() {
    let relaxed = Options { sync: false, ..Options::default() };
    let disk = new_disk(1);
    let append_in_new_life = |range| {
        in_one_thread(async {
            let (journal, _) = open(&disk, relaxed.clone()).unwrap();
            append_each(&journal, A, range).await;
        });
    };
    append_in_new_life(0..1);
    append_in_new_life(1..3);
    // The first of the two is torn, the second is whole.
    disk.flip_bit(&path(1), FIRST_WRITE + 4096 + PAYLOAD, 0).unwrap();
    append_in_new_life(1..2);
    in_one_thread(async {
        let (journal, recovery) = open(&disk, relaxed.clone()).unwrap();
        assert_eq!((journal.group(A).state().last, recovery.damage.len()), (Some(entry(1).id), 0));
    });
}

#[test]
fn an_unreadable_file_is_an_error_and_no_torn_tail() {
    let disk = ten_entries();
    disk.fail_reads(".journal", FIRST_WRITE + 9 * 4096..FIRST_WRITE + 9 * 4096 + 1);
    in_one_thread(async {
        let refused = open(&disk, Options::default()).err().unwrap();
        assert!(matches!(refused, JournalError::Io { what: "read", .. }), "{refused}");
    });
}

/// Runs random requests to a clean stop: then all that was written is proven to be synced.
fn stopped_cleanly(seed: u64) -> (SimDisk, Histories) {
    let disk = new_disk(seed);
    let mut histories = Histories::new(true);
    in_one_thread(async {
        let (journal, _) = open(&disk, options(true)).unwrap();
        histories.run(&journal, &disk, &mut Rng(seed), 60).await;
        journal.shutdown().await;
    });
    (disk, histories)
}

/// A journal must be refused, or name its damaged groups, or hold all there was.
fn check_nothing_is_lost_in_silence(disk: &SimDisk, histories: &Histories, what: &str) -> bool {
    in_one_thread(async {
        let Ok((journal, recovery)) = open(disk, options(true)) else { return true };
        for (id, history) in &histories.groups {
            if journal.group(*id).damage().is_none() {
                assert_eq!(Contents::read(&journal.group(*id)), *history.all(), "{what}, of {id}");
            }
        }
        !recovery.damage.is_empty()
    })
}

#[test]
fn no_flipped_bit_loses_anything_in_silence() {
    let mut noticed = 0;
    for seed in 0..400 {
        let (disk, histories) = stopped_cleanly(seed % 20);
        let mut rng = Rng(seed);
        let files = disk.list(Path::new(DIR)).unwrap();
        let file = &files[rng.below(files.len() as u64) as usize];
        // The last write of all is the mark of the clean stop, which is no loss.
        let (offset, bit) = (rng.below(file.len), rng.below(8) as u8);
        disk.flip_bit(&Path::new(DIR).join(&file.name), offset, bit).unwrap();
        let what = format!("seed {seed}: bit {bit} of byte {offset} of {}", file.name);
        noticed += u32::from(check_nothing_is_lost_in_silence(&disk, &histories, &what));
    }
    assert!(noticed > 20, "only {noticed} flips met anything that matters");
}

#[test]
fn no_cut_or_missing_file_loses_anything_in_silence() {
    let mut noticed = 0;
    for seed in 0..100 {
        let (disk, histories) = stopped_cleanly(seed % 20);
        let mut rng = Rng(seed);
        // The last one may be a file that is not used yet.
        let files = disk.list(Path::new(DIR)).unwrap();
        let file = &files[rng.below(files.len() as u64 - 1) as usize];
        let path = Path::new(DIR).join(&file.name);
        if rng.below(2) == 0 {
            disk.remove_file(&path).unwrap();
        } else {
            disk.open(&path, Open::Write).unwrap().set_len(rng.below(file.len)).unwrap();
        }
        let what = format!("seed {seed}: {} is cut or gone", file.name);
        noticed += u32::from(check_nothing_is_lost_in_silence(&disk, &histories, &what));
    }
    assert!(noticed > 20, "only {noticed} mattered");
}

#[test]
fn files_of_another_directory_are_refused() {
    let disk = ten_entries();
    in_one_thread(async {
        let open = |identity| {
            let disk = std::sync::Arc::new(disk.clone());
            Journal::open(disk, Path::new(DIR), identity, Options::default(), std::sync::Arc::new(model::Inline))
        };
        let refused = open([9; 16]).err().unwrap();
        assert!(matches!(refused, JournalError::ForeignFile { .. }), "{refused}");
        open(history::IDENTITY).unwrap();
    });
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let disk = ten_entries();
    let file = disk.open(&path(1), Open::Write).unwrap();
    let mut header = [0; 64];
    file.read_exact_at(&mut header, 0).unwrap();
    header[8] = 7;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&header[..12]);
    crc.update(&header[16..]);
    header[12..16].copy_from_slice(&crc.finalize().to_le_bytes());
    file.write_all_at(&[IoSlice::new(&header)], 0).unwrap();
    in_one_thread(async {
        let refused = open(&disk, Options::default()).err().unwrap().to_string();
        assert!(refused.contains("format version 7, this build reads up to 1"), "{refused}");
    });
}
