use std::io::{ErrorKind, IoSlice};

use super::*;

fn path(name: &str) -> &Path {
    Path::new(name)
}

fn write(file: &Arc<dyn File>, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(&[IoSlice::new(bytes)], offset)
}

fn contents(disk: &SimDisk, name: &str) -> Option<Vec<u8>> {
    let file = disk.open(path(name), Open::Read).ok()?;
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    Some(bytes)
}

/// A disk with one durable file.
fn with_file(bytes: &[u8]) -> (SimDisk, Arc<dyn File>) {
    let disk = SimDisk::new(1);
    let file = disk.open(path("a"), Open::CreateNew).unwrap();
    write(&file, bytes, 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(path("")).unwrap();
    (disk, file)
}

#[test]
fn what_is_synced_survives_every_crash() {
    let (disk, file) = with_file(b"first");
    write(&file, b"lost?", 5000).unwrap();
    for seed in 0..100 {
        assert_eq!(contents(&disk.restart(seed), "a").unwrap()[..5], *b"first", "seed {seed}");
    }
}

#[test]
fn a_killed_process_leaves_what_it_wrote_but_not_for_a_power_cut() {
    let (disk, file) = with_file(b"old");
    write(&file, b"new", 0).unwrap();
    let held = disk.lock(path("LOCK")).unwrap();
    let after = disk.copy(3);
    disk.crash();
    assert!(file.read_at(&mut [0], 0).is_err());
    assert_eq!(contents(&after, "a").unwrap(), b"new");
    drop((after.lock(path("LOCK")).unwrap(), held));
    assert!((0..50).any(|seed| contents(&after.copy(3).restart(seed), "a").unwrap() == b"old"));
    after.open(path("a"), Open::Write).unwrap().sync_data().unwrap();
    assert!((0..50).all(|seed| contents(&after.restart(seed), "a").unwrap() == b"new"));
}

#[test]
fn unsynced_writes_are_lost_kept_and_torn() {
    let old = vec![1; 8192];
    let (disk, file) = with_file(&old);
    write(&file, &[2; 8192], 0).unwrap();
    write(&file, &[3; 8192], 0).unwrap();
    let survivors: Vec<Vec<u8>> = (0..300).map(|seed| contents(&disk.restart(seed), "a").unwrap()).collect();
    assert!(survivors.contains(&old), "all lost");
    assert!(survivors.contains(&vec![3; 8192]), "all kept");
    assert!(survivors.iter().any(|bytes| bytes[..512] != bytes[512..1024]), "sectors fare differently");
    assert!(survivors.iter().any(|bytes| bytes[..512].iter().any(|b| *b != bytes[0])), "a sector is torn");
    assert!(survivors.iter().any(|bytes| bytes[0] == 2), "a write in between can be the last that survived");
}

#[test]
fn an_extended_file_survives_with_any_length_in_between() {
    let (disk, file) = with_file(b"");
    write(&file, &[7; 10_000], 0).unwrap();
    let lens: std::collections::BTreeSet<usize> =
        (0..300).map(|seed| contents(&disk.restart(seed), "a").unwrap().len()).collect();
    assert!(lens.contains(&0) && lens.contains(&10_000) && lens.len() > 5, "{lens:?}");
}

#[test]
fn a_cut_is_durable_only_after_a_sync_and_what_is_cut_off_reads_as_zeros() {
    let (disk, file) = with_file(&[9; 6000]);
    file.set_len(100).unwrap();
    let lens = |disk: &SimDisk| -> std::collections::BTreeSet<usize> {
        (0..50).map(|seed| contents(&disk.restart(seed), "a").unwrap().len()).collect()
    };
    file.set_len(200).unwrap();
    let mut expected = vec![9; 100];
    expected.resize(200, 0);
    assert_eq!(contents(&disk, "a").unwrap(), expected);
    let unsynced = disk.clone();
    file.sync_data().unwrap();
    assert_eq!(lens(&unsynced), [200].into());
    let (disk, file) = with_file(&[9; 6000]);
    file.set_len(100).unwrap();
    assert_eq!(lens(&disk), [100, 6000].into());
}

#[test]
fn names_are_durable_only_after_a_sync_of_their_directory_and_change_in_order() {
    let (disk, _) = with_file(b"a");
    disk.rename(path("a"), path("b")).unwrap();
    drop(disk.open(path("c"), Open::Create).unwrap());
    let names =
        |disk: &SimDisk| -> Vec<String> { disk.list(path("")).unwrap().into_iter().map(|entry| entry.name).collect() };
    let seen: std::collections::BTreeSet<Vec<String>> = (0..100).map(|seed| names(&disk.restart(seed))).collect();
    let expected = [vec!["a"], vec!["b"], vec!["b", "c"]];
    assert_eq!(seen, expected.map(|names| names.into_iter().map(str::to_owned).collect()).into());
}

#[test]
fn a_removed_file_may_come_back_and_an_open_one_stays_readable() {
    let (disk, file) = with_file(b"here");
    disk.remove_file(path("a")).unwrap();
    let back = (0..50).filter(|seed| contents(&disk.restart(*seed), "a") == Some(b"here".to_vec())).count();
    assert!((1..50).contains(&back), "{back}");

    drop(file);
    let (disk, file) = with_file(b"here");
    disk.remove_file(path("a")).unwrap();
    disk.sync_dir(path("")).unwrap();
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(&bytes, b"here");
    assert!((0..50).all(|seed| contents(&disk.restart(seed), "a").is_none()));
}

#[test]
fn a_linked_file_has_two_names_of_which_a_crash_may_leave_either() {
    let disk = SimDisk::new(1);
    for dir in ["here", "there"] {
        disk.create_dir_all(path(dir)).unwrap();
    }
    disk.sync_dir(path("")).unwrap();
    let file = disk.open(path("here/a"), Open::CreateNew).unwrap();
    file.write_all_at(&[IoSlice::new(b"one")], 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(path("here")).unwrap();
    disk.link(path("here/a"), path("there/b")).unwrap();
    assert_eq!(disk.link(path("here/a"), path("there/b")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(disk.link(path("here/c"), path("there/c")).unwrap_err().kind(), ErrorKind::NotFound);
    file.write_all_at(&[IoSlice::new(b"two")], 0).unwrap();
    file.sync_data().unwrap();
    assert_eq!(contents(&disk, "there/b").unwrap(), b"two", "it is one file");
    let linked = (0..50).filter(|seed| contents(&disk.restart(*seed), "there/b").is_some()).count();
    assert!((1..50).contains(&linked), "{linked}");

    let disk = disk.copy(1);
    disk.sync_dir(path("there")).unwrap();
    disk.remove_file(path("here/a")).unwrap();
    for seed in 0..50 {
        let left = disk.restart(seed);
        assert_eq!(contents(&left, "there/b").unwrap(), b"two");
        left.remove_file(path("there/b")).unwrap();
        assert_eq!(contents(&left, "here/a").is_some(), disk.restart(seed).exists(path("here/a")).unwrap());
    }
}

#[test]
fn directories_are_files_of_names() {
    let disk = SimDisk::new(1);
    disk.create_dir_all(path("x/y")).unwrap();
    drop(disk.open(path("/x/y/a"), Open::CreateNew).unwrap());
    assert!(disk.exists(path("./x/y/a")).unwrap());
    assert_eq!(disk.remove_dir(path("x/y")).unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
    disk.rename(path("x/y"), path("x/z")).unwrap();
    assert!(disk.exists(path("x/z/a")).unwrap() && !disk.exists(path("x/y/a")).unwrap());
    disk.remove_file(path("x/z/a")).unwrap();
    disk.remove_dir(path("x/z")).unwrap();
    assert_eq!(disk.list(path("x/z")).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn after_a_failed_sync_the_pages_are_gone_though_reads_show_them() {
    let mut lost = 0;
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let file = disk.open(path("a"), Open::Create).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir(path("")).unwrap();
        disk.fail_syncs("a", 1);
        write(&file, b"data", 0).unwrap();
        assert!(file.sync_data().is_err());
        assert_eq!(contents(&disk, "a").unwrap(), b"data");
        file.sync_data().unwrap(); // and it says so, as Linux does
        lost += usize::from(contents(&disk.restart(seed), "a").unwrap() != b"data");
    }
    assert!((1..50).contains(&lost), "{lost}");
}

#[test]
fn a_full_disk_takes_what_fits_and_has_room_again_after_a_removal() {
    let disk = SimDisk::new(1);
    disk.set_capacity(Some(3 * 4096));
    let a = disk.open(path("a"), Open::Create).unwrap();
    write(&a, &[1; 8192], 0).unwrap();
    let b = disk.open(path("b"), Open::Create).unwrap();
    assert_eq!(write(&b, &[2; 8000], 100).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!((b.len().unwrap(), disk.available_bytes(path("")).unwrap()), (4096, 0));
    assert_eq!(write(&b, b"x", 4097).unwrap_err().kind(), ErrorKind::StorageFull);
    write(&a, &[3; 8192], 0).unwrap(); // pages that it has
    drop(a);
    disk.remove_file(path("a")).unwrap();
    write(&b, &[2; 8000], 100).unwrap();
}

#[test]
fn power_goes_off_at_the_ordered_operation() {
    let (disk, file) = with_file(b"old");
    disk.crash_at(2);
    write(&file, b"1", 0).unwrap();
    assert!(write(&file, b"2", 1).is_err() && disk.crashed());
    assert!(file.read_at(&mut [0], 0).is_err() && file.sync_data().is_err());
    assert!(disk.exists(path("a")).is_err());
    let survived: std::collections::BTreeSet<Vec<u8>> =
        (0..200).map(|seed| contents(&disk.restart(seed), "a").unwrap()).collect();
    assert!(survived.contains(b"12d".as_slice()), "the write at which it went off may survive: {survived:?}");
    assert!(survived.contains(b"old".as_slice()));
}

#[test]
fn an_ordered_fault_strikes_once() {
    let (disk, file) = with_file(b"old");
    disk.fail_at(1);
    assert!(write(&file, b"new", 0).is_err());
    assert_eq!(contents(&disk, "a").unwrap(), b"old");
    write(&file, b"new", 0).unwrap();
    disk.fail_reads("a", 1..2);
    assert!(file.read_at(&mut [0; 2], 0).is_err() && file.read_at(&mut [0], 2).is_ok());
    disk.heal();
    disk.flip_bit(path("a"), 0, 0).unwrap();
    assert_eq!(contents(&disk, "a").unwrap(), b"oew");
}

#[test]
fn a_bit_that_is_flipped_twice_is_right_again_whatever_was_synced_in_between() {
    let (disk, file) = with_file(b"old");
    write(&file, b"new", 0).unwrap();
    disk.flip_bit(path("a"), 1, 0).unwrap();
    assert_eq!(contents(&disk, "a").unwrap(), b"ndw");
    file.sync_data().unwrap();
    assert_eq!(contents(&disk.copy(1).restart(1), "a").unwrap(), b"ndw");
    disk.flip_bit(path("a"), 1, 0).unwrap();
    assert_eq!(contents(&disk, "a").unwrap(), b"new");
    assert_eq!(contents(&disk.restart(1), "a").unwrap(), b"new");
}

#[test]
fn equal_seeds_leave_equal_disks() {
    let (disk, file) = with_file(b"old");
    for i in 0..50 {
        write(&file, &[i; 700], u64::from(i) * 300).unwrap();
    }
    let digests: Vec<u64> = (0..20).map(|seed| disk.restart(seed).digest()).collect();
    assert_eq!(digests, (0..20).map(|seed| disk.restart(seed).digest()).collect::<Vec<_>>());
    assert!(digests.iter().any(|digest| *digest != digests[0]));
    assert_eq!(disk.operations().last().unwrap().range, (49 * 300, 700));
}

#[test]
fn locks_and_maps_keep_the_rules_of_the_real_disk() {
    let disk = SimDisk::new(1);
    let held = disk.lock(path("LOCK")).unwrap();
    assert_eq!(disk.lock(path("/LOCK")).err().unwrap().kind(), ErrorKind::WouldBlock);
    drop(held);
    let held = disk.lock(path("LOCK")).unwrap();
    disk.restart(1).lock(path("LOCK")).unwrap();
    drop(held);

    let (disk, file) = with_file(b"hello");
    let map = file.map(100).unwrap();
    assert_eq!(map.clone().slice(1..3).unwrap(), b"el".as_slice());
    assert_eq!(map.clone().slice(1..6).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(file.set_len(2).unwrap_err().kind(), ErrorKind::ResourceBusy);
    drop(map);
    file.set_len(2).unwrap();
    assert_eq!(disk.open(path("b"), Open::Write).err().unwrap().kind(), ErrorKind::NotFound);
    let read_only = disk.open(path("a"), Open::Read).unwrap();
    assert_eq!(write(&read_only, b"x", 0).unwrap_err().kind(), ErrorKind::PermissionDenied);
}
