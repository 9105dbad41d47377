use model::PartitionId;

use super::*;

/// Two brokers; shards 1 and 2 at the first, 3 at the second; the topic 1 with a partition in 1 and 2 each.
fn trial() -> Trial {
    let mut trial = Trial::with_brokers(2);
    trial.apply(wish(&[2], 1)).unwrap();
    trial.create(vec![topic("orders", 1, &[1, 2])]);
    trial
}

fn partition(index: i32) -> PartitionId {
    PartitionId { topic: id(1), index }
}

fn go(trial: &mut Trial, index: i32, from: u32, to: Option<u32>) -> Result<(), ErrorCode> {
    let moves = vec![PartitionMove { partition: partition(index), from: GroupId(from), to: to.map(GroupId) }];
    match trial.apply(Command::MovePartitions(MovePartitions { moves })) {
        Ok(Outcome::PartitionsMoving(results)) => results[0].clone().map_err(|no| no.code),
        other => panic!("{other:?}"),
    }
}

fn arrive(trial: &mut Trial, index: i32, id: u64) -> Result<(), ErrorCode> {
    let arrivals = vec![Arrival { partition: partition(index), id, base_epoch: 7 }];
    match trial.apply(Command::FinishMoves(FinishMoves { arrivals })) {
        Ok(Outcome::PartitionsMoved(results)) => results[0].clone().map_err(|no| no.code),
        other => panic!("{other:?}"),
    }
}

fn under_way(trial: &Trial, index: i32) -> Option<(u32, u64)> {
    trial.image().move_of(partition(index)).map(|it| (it.to.0, it.id))
}

#[test]
fn a_partition_lives_where_it_was_until_it_has_arrived() {
    let mut trial = trial();
    assert_eq!(go(&mut trial, 0, 1, Some(3)), Ok(()));
    let (_, move_id) = under_way(&trial, 0).expect("it is on its way");
    assert_eq!(trial.image().partition(partition(0)), Some(&PartitionImage::new(GroupId(1))));

    assert_eq!(arrive(&mut trial, 0, move_id), Ok(()));
    let there = PartitionImage { shard: GroupId(3), base_epoch: 7 };
    assert_eq!(trial.image().partition(partition(0)), Some(&there));
    assert_eq!(under_way(&trial, 0), None);
    assert_eq!(trial.image().shard(GroupId(3)).map(|shard| shard.partitions), Some(1));
}

#[test]
fn a_move_goes_on_if_it_is_asked_for_again_and_is_another_if_it_goes_elsewhere() {
    let mut trial = trial();
    go(&mut trial, 0, 1, Some(3)).unwrap();
    let first = under_way(&trial, 0);
    go(&mut trial, 0, 1, Some(3)).unwrap();
    assert_eq!(under_way(&trial, 0), first);
    go(&mut trial, 0, 1, Some(2)).unwrap();
    let (to, id) = under_way(&trial, 0).unwrap();
    assert!(to == 2 && id > first.unwrap().1);
    assert_eq!(arrive(&mut trial, 0, first.unwrap().1), Err(ErrorCode::NoReassignmentInProgress));
}

#[test]
fn a_move_is_called_off_by_itself_and_by_asking_for_the_present_place() {
    let mut trial = trial();
    for off in [None, Some(1)] {
        go(&mut trial, 0, 1, Some(3)).unwrap();
        let (_, move_id) = under_way(&trial, 0).unwrap();
        assert_eq!(go(&mut trial, 0, 1, off), Ok(()));
        assert_eq!(under_way(&trial, 0), None);
        assert_eq!(arrive(&mut trial, 0, move_id), Err(ErrorCode::NoReassignmentInProgress));
    }
    assert_eq!(go(&mut trial, 0, 1, None), Err(ErrorCode::NoReassignmentInProgress));
    assert_eq!(go(&mut trial, 0, 1, Some(1)), Ok(()), "it is there");
}

#[test]
fn only_a_partition_that_is_where_it_was_thought_to_be_moves_and_only_to_a_shard_that_exists() {
    let mut trial = trial();
    let stale = Refusal::stale("").code;
    assert_eq!(go(&mut trial, 0, 2, Some(3)), Err(stale));
    assert_eq!(go(&mut trial, 0, 1, Some(9)), Err(stale));
    assert_eq!(go(&mut trial, 5, 1, Some(3)), Err(ErrorCode::UnknownTopicOrPartition));
    assert_eq!(go(&mut trial, -1, 1, Some(3)), Err(ErrorCode::UnknownTopicOrPartition));
}

#[test]
fn a_topic_that_is_deleted_takes_its_moves_along() {
    let mut trial = trial();
    go(&mut trial, 1, 2, Some(3)).unwrap();
    trial.delete(&[id(1)]);
    assert_eq!(trial.image().moves().count(), 0);
}
