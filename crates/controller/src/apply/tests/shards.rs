//! Shards and who carries them.

use super::*;

fn change(shard: u32, from: &[i32], to: &[i32]) -> MembersChange {
    MembersChange { shard: GroupId(shard), from: members(from), to: members(to) }
}

fn changed(trial: &mut Trial, shards: Vec<MembersChange>) -> Vec<Result<(), ErrorCode>> {
    match trial.apply(Command::ChangeShardMembers(ChangeShardMembers { shards })) {
        Ok(Outcome::MembersChanged(results)) => {
            results.into_iter().map(|result| result.map_err(|refusal| refusal.code)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn asking_twice_for_shards_creates_them_once() {
    let mut trial = Trial::with_brokers(3);
    let three_and_four = Ok(Outcome::Shards(vec![vec![GroupId(3), GroupId(4)]]));
    assert_eq!(trial.apply(wish(&[2, 3, 1], 2)), three_and_four);
    assert_eq!(trial.apply(wish(&[2, 3, 1], 2)), three_and_four);
    assert_eq!(trial.apply(wish(&[3, 2, 1], 1)), Ok(Outcome::Shards(vec![vec![GroupId(5)]])));
}

#[test]
fn shards_have_distinct_registered_members_and_are_bounded() {
    let mut trial = Trial::with_brokers(2);
    trial.refused(wish(&[], 1), ErrorCode::InvalidReplicaAssignment);
    trial.refused(wish(&[1, 1], 1), ErrorCode::InvalidReplicaAssignment);
    trial.refused(wish(&[1, 8], 1), ErrorCode::BrokerIdNotRegistered);
    trial.refused(wish(&[1, 2], u32::MAX), ErrorCode::PolicyViolation);
}

#[test]
fn members_change_from_those_that_the_proposer_saw_each_shard_by_itself() {
    let mut trial = Trial::with_brokers(3);
    let stale = Refusal::stale("").code;
    let results = changed(
        &mut trial,
        vec![
            change(1, &[1], &[2, 3]),
            change(1, &[1], &[3]),
            change(2, &[2], &[3]),
            change(9, &[1], &[2]),
            change(2, &[1], &[]),
            change(2, &[1], &[3, 3]),
            change(2, &[1], &[8]),
        ],
    );
    let invalid = ErrorCode::InvalidReplicaAssignment;
    let expected =
        [Ok(()), Err(stale), Err(stale), Err(stale), Err(invalid), Err(invalid), Err(ErrorCode::BrokerIdNotRegistered)];
    assert_eq!(results, expected);
    let all: Vec<_> = trial.image().shards().map(|shard| shard.members.clone()).collect();
    assert_eq!(all, [members(&[2, 3]), members(&[1])]);
}

#[test]
fn partitions_go_with_their_shard() {
    let mut trial = Trial::with_brokers(2);
    trial.create(vec![topic("orders", 1, &[1, 2])]);
    assert_eq!(changed(&mut trial, vec![change(1, &[1], &[2, 1])]), [Ok(())]);
    let image = trial.image();
    let orders = image.topic("orders").unwrap();
    let replicas: Vec<_> = orders.partitions.iter().map(|it| image.replicas(it).to_vec()).collect();
    assert_eq!(replicas, [members(&[2, 1]), members(&[1])]);
    assert_eq!(image.shard(GroupId(1)).unwrap().partitions, 1);
}
