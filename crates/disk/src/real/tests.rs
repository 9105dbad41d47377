use super::*;

fn parts<'a>(of: &[&'a [u8]]) -> Vec<IoSlice<'a>> {
    of.iter().map(|part| IoSlice::new(part)).collect()
}

#[test]
fn a_write_goes_on_where_a_short_one_stopped() {
    let all = [b"abc".as_slice(), b"", b"defgh", b"i"];
    for most in 1..=9 {
        let mut file = Vec::new();
        let end = write_parts(&parts(&all), 100, |now, offset| {
            assert_eq!(offset, 100 + file.len() as u64);
            let bytes: Vec<u8> = now.iter().flat_map(|part| part.iter().copied()).take(most).collect();
            file.extend_from_slice(&bytes);
            Ok(bytes.len())
        });
        assert_eq!((end.unwrap(), file.as_slice()), (109, b"abcdefghi".as_slice()), "{most} bytes a call");
    }
}

#[test]
fn a_write_that_makes_no_progress_is_an_error() {
    let end = write_parts(&parts(&[b"abc"]), 0, |_, _| Ok(0));
    assert_eq!(end.unwrap_err().kind(), ErrorKind::WriteZero);
}

#[test]
fn more_parts_than_the_kernel_takes_are_written_in_several_calls() {
    let dir = tempfile::tempdir().unwrap();
    let file = RealDisk.open(&dir.path().join("a"), Open::Create).unwrap();
    let bytes: Vec<u8> = (0..3000).map(|i| i as u8).collect();
    let parts: Vec<IoSlice> = bytes.chunks(1).map(IoSlice::new).collect();
    file.write_all_at(&parts, 7).unwrap();
    let mut read = vec![0; 3000];
    file.read_exact_at(&mut read, 7).unwrap();
    assert_eq!(read, bytes);
}

#[test]
fn a_map_shows_what_is_written_after_it_was_made_and_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let file = RealDisk.open(&dir.path().join("a"), Open::Create).unwrap();
    let map = file.map(1 << 20).unwrap();
    assert_eq!(map.clone().slice(0..1).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    file.write_all_at(&[IoSlice::new(b"hello")], 8190).unwrap();
    assert_eq!(map.clone().slice(8190..8195).unwrap(), b"hello".as_slice());
    assert_eq!(map.clone().slice(8190..8196).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    file.set_len(2 << 20).unwrap();
    assert_eq!(map.slice(0..(1 << 20) + 1).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_mapped_file_is_not_shortened_even_when_only_a_slice_still_holds_the_map() {
    let dir = tempfile::tempdir().unwrap();
    let file = RealDisk.open(&dir.path().join("a"), Open::Create).unwrap();
    file.write_all_at(&[IoSlice::new(b"hello")], 0).unwrap();
    let slice = file.map(5).unwrap().slice(0..5).unwrap();
    assert_eq!(file.set_len(4).unwrap_err().kind(), ErrorKind::ResourceBusy);
    file.set_len(5).unwrap();
    drop(slice);
    file.set_len(4).unwrap();
    assert_eq!(file.map(5).unwrap().slice(0..5).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_slice_outlives_its_file_and_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let file = RealDisk.open(&path, Open::Create).unwrap();
    file.write_all_at(&[IoSlice::new(b"hello")], 0).unwrap();
    let slice = file.map(5).unwrap().slice(1..4).unwrap();
    drop(file);
    RealDisk.remove_file(&path).unwrap();
    assert_eq!(slice, b"ell".as_slice());
}

#[test]
fn a_lock_has_one_holder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("LOCK");
    let held = RealDisk.lock(&path).unwrap();
    assert_eq!(RealDisk.lock(&path).err().unwrap().kind(), ErrorKind::WouldBlock);
    drop(held);
    RealDisk.lock(&path).unwrap();
}

#[test]
fn names_come_sorted_and_with_lengths() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b", "a", "c"] {
        let file = RealDisk.open(&dir.path().join(name), Open::CreateNew).unwrap();
        file.write_all_at(&[IoSlice::new(name.as_bytes())], 1).unwrap();
    }
    RealDisk.create_dir_all(&dir.path().join("d/e")).unwrap();
    RealDisk.rename(&dir.path().join("b"), &dir.path().join("z")).unwrap();
    RealDisk.sync_dir(dir.path()).unwrap();
    let listed: Vec<_> = RealDisk.list(dir.path()).unwrap().into_iter().map(|e| (e.name, e.is_dir, e.len)).collect();
    let expected = [("a", false, 2), ("c", false, 2), ("d", true, 0), ("z", false, 2)];
    assert_eq!(listed, expected.map(|(name, is_dir, len)| (name.to_owned(), is_dir, len)));
    assert!(RealDisk.available_bytes(dir.path()).unwrap() > 0);
}

#[test]
fn a_rename_across_directories_is_refused_and_a_link_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    RealDisk.create_dir_all(&dir.path().join("d")).unwrap();
    drop(RealDisk.open(&dir.path().join("a"), Open::Create).unwrap());
    let (here, there) = (dir.path().join("a"), dir.path().join("d/a"));
    assert_eq!(RealDisk.rename(&here, &there).unwrap_err().kind(), ErrorKind::InvalidInput);
    RealDisk.link(&here, &there).unwrap();
    assert_eq!(RealDisk.link(&here, &there).unwrap_err().kind(), ErrorKind::AlreadyExists);
    RealDisk.open(&here, Open::Write).unwrap().write_all_at(&[IoSlice::new(b"both")], 0).unwrap();
    RealDisk.remove_file(&here).unwrap();
    assert_eq!(RealDisk.open(&there, Open::Read).unwrap().len().unwrap(), 4);
}
