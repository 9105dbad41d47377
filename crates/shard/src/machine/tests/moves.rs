//! A partition on its way from one shard to another, each a machine on a disk of its own.

use super::*;
use crate::entry::{Adopt, Depart, Departure, Expect, Import, Stay};
use crate::partition::Stage;

const MOVE: u64 = 40;

/// As in the cluster image when the move has begun.
const AS_OF: u64 = 41;

fn expect(bench: &mut Bench, id: u64, start_offset: i64) -> Outcome {
    let partition = OpenPartition { start_offset, ..opening(5) };
    bench.apply(entry::expect(0, &Expect { as_of: AS_OF, id, partition }))
}

/// The source's partition 5, opened, with `batches` of one record.
fn source(batches: usize) -> Bench {
    let mut bench = Bench::new();
    bench.apply(open(0, 1, &[5]));
    for number in 0..batches {
        bench.append(5, &batch(1, number.to_string().as_bytes())).unwrap();
    }
    bench
}

fn import(bench: &mut Bench, id: u64, log_start: i64, batches: &[Bytes]) -> Outcome {
    let mut rows = AppendEntry::default();
    batches.iter().for_each(|batch| rows.push(partition(5), batch));
    bench.apply(Import::encode(0, id, log_start, &rows))
}

fn batches(bench: &Bench, from: i64) -> Vec<Bytes> {
    bench.partition(5).log.read_checked(from, usize::MAX).unwrap()
}

fn depart(bench: &mut Bench) -> Departure {
    match bench.apply(entry::depart(0, &Depart { as_of: AS_OF, id: MOVE, partition: partition(5) })) {
        Outcome::Departed(departure) => *departure,
        other => panic!("{other:?}"),
    }
}

fn adopt(bench: &mut Bench, departure: &Departure) -> Outcome {
    let adopt = Adopt { id: MOVE, partition: partition(5), departure: departure.clone() };
    bench.apply(entry::adopt(0, &adopt))
}

fn arriving(outcome: &Outcome) -> Option<i64> {
    match outcome {
        Outcome::Arriving(end) => Some(*end),
        _ => None,
    }
}

#[test]
fn a_partition_arrives_with_its_records_offsets_and_producers_and_a_later_epoch() {
    let mut from = source(0);
    let first = idempotent(0);
    from.append(5, &first).unwrap();
    from.append(5, &batch(3, b"x")).unwrap();
    let mut to = Bench::new();
    assert_eq!(arriving(&expect(&mut to, MOVE, 0)), Some(0));
    assert_eq!(arriving(&import(&mut to, MOVE, 0, &batches(&from, 0))), Some(4));

    let departure = depart(&mut from);
    assert_eq!((departure.log_start, departure.log_end), (0, 4));
    let Outcome::Adopted(base) = adopt(&mut to, &departure) else { panic!("it is all there") };
    assert!(base.in_term(TERM) > departure.epoch);
    assert_eq!(to.bytes(5), from.bytes(5));
    assert_eq!(to.partition(5).stage(), Stage::Serving);
    let again = to.append(5, &first).unwrap();
    assert_eq!(again.base_offset, 0, "its producer's batch is known to be a duplicate");
    assert_eq!(to.append(5, &batch(1, b"y")), at(4));
}

#[test]
fn a_partition_on_its_way_takes_no_records_at_either_end() {
    let mut from = source(1);
    depart(&mut from);
    assert_eq!(from.append(5, &batch(1, b"late")), Err(ErrorCode::NotLeaderOrFollower));
    let mut to = Bench::new();
    expect(&mut to, MOVE, 0);
    assert_eq!(to.append(5, &batch(1, b"early")), Err(ErrorCode::NotLeaderOrFollower));
    let start = LogStart { id: partition(5), offset: 1 };
    from.apply(entry::advance_start(0, &AdvanceStart { partitions: vec![start] }));
    assert_eq!(from.partition(5).log.log_start(), 0, "what was told of it at its departure holds");
}

#[test]
fn each_step_may_be_taken_again() {
    let mut from = source(4);
    let mut to = Bench::new();
    expect(&mut to, MOVE, 0);
    let all = batches(&from, 0);
    import(&mut to, MOVE, 0, &all[..3]);
    assert_eq!(arriving(&expect(&mut to, MOVE, 0)), Some(3), "a new leader goes on");
    assert_eq!(arriving(&import(&mut to, MOVE, 0, &all)), Some(4), "what is here is passed over");
    let departure = depart(&mut from);
    assert_eq!(depart(&mut from), departure);
    let (Outcome::Adopted(first), Outcome::Adopted(second)) = (adopt(&mut to, &departure), adopt(&mut to, &departure))
    else {
        panic!("adopted")
    };
    assert_eq!(first, second);
    assert!(matches!(expect(&mut to, MOVE, 0), Outcome::Adopted(base) if base == first));
    assert_eq!(to.bytes(5), from.bytes(5));
}

#[test]
fn a_partition_is_not_adopted_before_all_of_it_is_there() {
    let mut from = source(3);
    let mut to = Bench::new();
    expect(&mut to, MOVE, 0);
    import(&mut to, MOVE, 0, &batches(&from, 0)[..2]);
    let departure = depart(&mut from);
    assert!(matches!(adopt(&mut to, &departure), Outcome::Refused(ErrorCode::OffsetNotAvailable)));
    import(&mut to, MOVE, 0, &batches(&from, 2));
    assert!(matches!(adopt(&mut to, &departure), Outcome::Adopted(_)));
}

#[test]
fn a_partition_that_was_to_go_and_stays_takes_records_again() {
    let mut from = source(1);
    depart(&mut from);
    let stay = |as_of| entry::stay(0, &Stay { as_of, partition: partition(5) });
    let knows_less = from.apply(stay(AS_OF - 1));
    assert!(matches!(knows_less, Outcome::Refused(ErrorCode::StaleControllerEpoch)));
    assert_eq!(from.append(5, &batch(1, b"b")), Err(ErrorCode::NotLeaderOrFollower));
    assert!(matches!(from.apply(stay(AS_OF + 1)), Outcome::Done));
    assert_eq!(from.append(5, &batch(1, b"b")), at(1));
}

#[test]
fn a_later_move_begins_a_copy_of_its_own() {
    let from = source(2);
    let mut to = Bench::new();
    expect(&mut to, MOVE, 0);
    import(&mut to, MOVE, 0, &batches(&from, 0));
    let before = to.partition(5).log.dir().to_owned();
    assert_eq!(arriving(&expect(&mut to, MOVE + 9, 1)), Some(1));
    assert_ne!(to.partition(5).log.dir(), before);
    let late = import(&mut to, MOVE, 0, &batches(&from, 1));
    assert!(matches!(late, Outcome::Refused(ErrorCode::NoReassignmentInProgress)));
    assert_eq!(arriving(&import(&mut to, MOVE + 9, 0, &batches(&from, 1))), Some(2));
}

#[test]
fn a_copy_that_retention_overtook_goes_on_where_the_records_begin() {
    let mut from = source(4);
    let mut to = Bench::new();
    expect(&mut to, MOVE, 0);
    import(&mut to, MOVE, 0, &batches(&from, 0)[..1]);
    let start = LogStart { id: partition(5), offset: 3 };
    from.apply(entry::advance_start(0, &AdvanceStart { partitions: vec![start] }));
    assert_eq!(arriving(&import(&mut to, MOVE, 3, &batches(&from, 3))), Some(4));
    let departure = depart(&mut from);
    assert!(matches!(adopt(&mut to, &departure), Outcome::Adopted(_)));
    assert_eq!((to.partition(5).log.log_start(), to.bytes(5)), (3, from.bytes(5)));
}

#[test]
fn a_partition_without_records_arrives_where_it_ended() {
    let mut from = source(3);
    let start = LogStart { id: partition(5), offset: 3 };
    from.apply(entry::advance_start(0, &AdvanceStart { partitions: vec![start] }));
    let mut to = Bench::new();
    expect(&mut to, MOVE, 0);
    let departure = depart(&mut from);
    assert!(matches!(adopt(&mut to, &departure), Outcome::Adopted(_)));
    assert_eq!(to.append(5, &batch(1, b"d")).map(|appended| appended.base_offset), Ok(3));
}

#[test]
fn a_power_cut_at_any_step_of_the_way_changes_nothing() {
    let (mut from, mut to) = (source(3), Bench::new());
    let mut seed = 0;
    let mut cut = |bench: &mut Bench, checkpoint: bool| {
        if checkpoint {
            bench.checkpoint().unwrap();
        }
        seed += 1;
        bench.restart(seed);
    };
    for checkpoint in [false, true] {
        expect(&mut to, MOVE, 0);
        cut(&mut to, checkpoint);
        import(&mut to, MOVE, 0, &batches(&from, 0)[..2]);
        cut(&mut to, checkpoint);
    }
    let departure = depart(&mut from);
    for checkpoint in [false, true] {
        cut(&mut from, checkpoint);
        assert_eq!(from.append(5, &batch(1, b"late")), Err(ErrorCode::NotLeaderOrFollower));
    }
    import(&mut to, MOVE, 0, &batches(&from, 2));
    cut(&mut to, true);
    assert!(matches!(adopt(&mut to, &departure), Outcome::Adopted(_)));
    for checkpoint in [false, true] {
        cut(&mut to, checkpoint);
        assert_eq!(to.bytes(5), from.bytes(5));
        assert_eq!(to.partition(5).stage(), Stage::Serving);
        assert!(matches!(adopt(&mut to, &departure), Outcome::Adopted(_)), "it is known by which move it came");
    }
    let dir = to.partition(5).log.dir().to_owned();
    assert_eq!(to.sweep(), [] as [PathBuf; 0]);
    assert!(to.disk.exists(&dir).unwrap());
}

#[test]
fn groups_of_a_partition_that_has_gone_do_not_come_back_with_a_later_move() {
    let mut bench = Bench::new();
    let offsets =
        |open: OpenPartition| OpenPartition { topic: TopicName::parse(TopicName::CONSUMER_OFFSETS).unwrap(), ..open };
    let opened = OpenPartitions { as_of: 1, partitions: vec![offsets(opening(5))] };
    bench.apply(entry::open(0, &opened));
    bench.append(5, &committed_offset()).unwrap();
    let known = |bench: &Bench| bench.partition(5).groups().map(|groups| groups.len());
    assert_eq!(known(&bench), Some(1));
    bench.checkpoint().unwrap();
    bench.apply(entry::close(0, &ClosePartitions { as_of: 2, ids: vec![partition(5)] }));
    let partition = offsets(opening(5));
    bench.apply(entry::expect(0, &Expect { as_of: AS_OF, id: MOVE, partition }));
    bench.checkpoint().unwrap();
    bench.restart(1);
    assert_eq!(known(&bench), Some(0));
}

/// As a coordinator writes it: the group `g` has read partition 0 of `t` up to 3.
fn committed_offset() -> Bytes {
    let key = coordinator::schema::Key::Offset { group: "g", topic: "t", partition: 0 }.encode();
    let value = [&[0, 3][..], &3_i64.to_be_bytes(), &(-1_i32).to_be_bytes(), &[0, 0], &1_i64.to_be_bytes()].concat();
    let mut batch = BatchBuilder::new();
    batch.push(1, Some(&key), Some(&value), &[]);
    batch.build().unwrap()
}
