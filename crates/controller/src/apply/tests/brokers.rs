//! Brokers that come, go, and are taken out.

use raft::Voter;

use super::*;

fn fence(trial: &mut Trial, id: i32, at_ms: Option<i64>) {
    let epoch = trial.image().broker(BrokerId(id)).unwrap().epoch;
    trial.apply(Command::FenceBroker(FenceBroker { id: BrokerId(id), epoch, fenced: true, at_ms })).unwrap();
}

fn unregister(id: i32) -> Command {
    Command::UnregisterBroker(UnregisterBroker { id: BrokerId(id) })
}

fn drain(id: i32, drained: bool) -> Command {
    Command::DrainBroker(DrainBroker { id: BrokerId(id), drained })
}

fn set_controllers(from: &[i32], to: &[i32]) -> Command {
    Command::SetControllers(SetControllers { from: members(from), to: members(to) })
}

fn voter(id: i32, directory: i32) -> Voter {
    Voter::new(BrokerId(id), Uuid::from_u128(directory as u128))
}

#[test]
fn a_broker_that_registers_again_gets_a_higher_epoch_and_is_live() {
    let mut trial = Trial::with_brokers(2);
    let epoch = trial.image().broker(BrokerId(2)).unwrap().epoch;
    trial.apply(Command::FenceBroker(FenceBroker { id: BrokerId(2), epoch, fenced: true, at_ms: None })).unwrap();
    assert_eq!(trial.image().live_brokers().count(), 1);
    trial.apply(Command::RegisterBroker(registration(2, 2))).unwrap();
    let broker = trial.image().broker(BrokerId(2)).unwrap();
    assert!(!broker.fenced && broker.epoch > epoch);
}

#[test]
fn another_directory_takes_over_the_id_of_a_fenced_broker_only() {
    let mut trial = Trial::with_brokers(2);
    trial.refused(Command::RegisterBroker(registration(2, 9)), ErrorCode::DuplicateBrokerRegistration);
    let epoch = trial.image().broker(BrokerId(2)).unwrap().epoch;
    trial.apply(Command::FenceBroker(FenceBroker { id: BrokerId(2), epoch, fenced: true, at_ms: None })).unwrap();
    trial.apply(Command::RegisterBroker(registration(2, 9))).unwrap();
    assert_eq!(trial.image().broker(BrokerId(2)).unwrap().directory, Uuid::from_u128(9));
}

#[test]
fn fencing_is_about_one_registration() {
    let mut trial = Trial::with_brokers(1);
    let fence = |id, epoch| Command::FenceBroker(FenceBroker { id: BrokerId(id), epoch, fenced: true, at_ms: None });
    trial.refused(fence(1, 99), ErrorCode::StaleBrokerEpoch);
    trial.refused(fence(7, 1), ErrorCode::BrokerIdNotRegistered);
}

#[test]
fn founders_vote_from_the_first_entry_and_serve_once_they_have_registered() {
    let mut trial = Trial { draft: Draft::default(), index: 0 };
    let founders = vec![registration(2, 2), registration(3, 3)];
    trial.apply(Command::Bootstrap(Bootstrap { founders, ..bootstrap() })).unwrap();
    assert_eq!(trial.image().voters(GroupId::CONTROLLER), [voter(1, 1), voter(2, 2), voter(3, 3)].into());
    assert_eq!(trial.image().live_brokers().map(|it| it.id).collect::<Vec<_>>(), members(&[1]));
    trial.apply(Command::RegisterBroker(registration(2, 2))).unwrap();
    assert_eq!(trial.image().live_brokers().map(|it| it.id).collect::<Vec<_>>(), members(&[1, 2]));
}

#[test]
fn a_cluster_of_many_founders_has_five_controllers() {
    let mut trial = Trial { draft: Draft::default(), index: 0 };
    let founders: Vec<_> = (2..=7).map(|id| registration(id, id)).collect();
    let twice = Bootstrap { founders: vec![registration(1, 9)], ..bootstrap() };
    trial.refused(Command::Bootstrap(twice), ErrorCode::InvalidRequest);
    trial.apply(Command::Bootstrap(Bootstrap { founders, ..bootstrap() })).unwrap();
    assert_eq!(trial.image().controllers(), members(&[1, 2, 3, 4, 5]));
    assert_eq!(trial.image().learners(GroupId::CONTROLLER), [voter(6, 6), voter(7, 7)].into());
}

#[test]
fn a_wiped_disk_is_another_voter_wherever_the_broker_is_a_member() {
    let mut trial = Trial::with_brokers(2);
    trial.apply(wish(&[2, 1], 1)).unwrap();
    let shard = trial.image().shards().last().unwrap().id;
    assert_eq!(trial.image().voters(shard), [voter(1, 1), voter(2, 2)].into());
    fence(&mut trial, 2, None);
    trial.apply(Command::RegisterBroker(registration(2, 9))).unwrap();
    let image = trial.image();
    assert_eq!(image.voters(shard), [voter(1, 1), voter(2, 9)].into());
    assert_eq!(image.learners(GroupId::CONTROLLER), [voter(2, 9)].into());
    // It must not begin the shard's history a second time.
    let shard = image.shard(shard).unwrap();
    assert_eq!(image.founders(shard), [voter(1, 1), voter(2, 2)].into());
    assert_eq!(image.bootstrap_of(shard, voter(2, 9)), [].into());
    assert_eq!(image.bootstrap_of(shard, voter(1, 1)), image.founders(shard));
}

#[test]
fn who_leaves_a_shard_and_comes_back_may_not_begin_it_anew() {
    let mut trial = Trial::with_brokers(2);
    trial.apply(wish(&[2, 1], 1)).unwrap();
    let shard = trial.image().shards().last().unwrap().id;
    let mut change = |from: &[i32], to: &[i32]| {
        let change = MembersChange { shard, from: members(from), to: members(to) };
        trial.apply(Command::ChangeShardMembers(ChangeShardMembers { shards: vec![change] })).unwrap();
        let image = trial.image();
        [1, 2].map(|id| !image.bootstrap_of(image.shard(shard).unwrap(), voter(id, id)).is_empty())
    };
    assert_eq!(change(&[2, 1], &[1, 2]), [true, true], "the same members");
    assert_eq!(change(&[1, 2], &[1]), [false, false]);
    assert_eq!(change(&[1], &[2, 1]), [false, false]);
}

#[test]
fn nobody_registers_before_the_cluster_is_founded() {
    let mut trial = Trial { draft: Draft::default(), index: 0 };
    let early = trial.apply(Command::RegisterBroker(registration(2, 2))).unwrap_err();
    assert!(early.is_stale(), "{early}");
    let founders = vec![registration(2, 2)];
    trial.apply(Command::Bootstrap(Bootstrap { founders, ..bootstrap() })).unwrap();
    trial.apply(Command::RegisterBroker(registration(2, 2))).unwrap();
    assert_eq!(trial.image().live_brokers().count(), 2);
}

#[test]
fn an_id_is_given_to_one_newcomer_and_never_again() {
    let mut trial = Trial::with_brokers(3);
    let next = |trial: &mut Trial| trial.apply(Command::AllocateBrokerId(AllocateBrokerId {})).unwrap();
    assert_eq!(next(&mut trial), Outcome::BrokerId(BrokerId(4)));
    assert_eq!(next(&mut trial), Outcome::BrokerId(BrokerId(5)));
    trial.apply(Command::RegisterBroker(registration(9, 9))).unwrap();
    trial.apply(unregister(9)).unwrap();
    assert_eq!(next(&mut trial), Outcome::BrokerId(BrokerId(10)));
}

#[test]
fn a_broker_is_away_since_it_was_first_fenced() {
    let mut trial = Trial::with_brokers(2);
    let away_since = |trial: &Trial| trial.image().broker(BrokerId(2)).unwrap().away_since_ms;
    fence(&mut trial, 2, None);
    assert_eq!(away_since(&trial), None);
    fence(&mut trial, 2, Some(1000));
    fence(&mut trial, 2, Some(5000));
    assert_eq!(away_since(&trial), Some(1000));
    let epoch = trial.image().broker(BrokerId(2)).unwrap().epoch;
    let back = FenceBroker { id: BrokerId(2), epoch, fenced: false, at_ms: Some(6000) };
    trial.apply(Command::FenceBroker(back)).unwrap();
    assert_eq!(away_since(&trial), None);
    fence(&mut trial, 2, Some(7000));
    trial.apply(Command::RegisterBroker(registration(2, 2))).unwrap();
    assert_eq!(away_since(&trial), None);
}

#[test]
fn a_broker_stays_drained_until_it_is_taken_back() {
    let mut trial = Trial::with_brokers(2);
    let is_available = |trial: &Trial| trial.image().broker(BrokerId(2)).unwrap().is_available();
    trial.refused(drain(7, true), ErrorCode::BrokerIdNotRegistered);
    assert_eq!(trial.apply(drain(2, true)), Ok(Outcome::BrokerDrained));
    trial.apply(Command::RegisterBroker(registration(2, 2))).unwrap();
    assert!(!is_available(&trial));
    trial.apply(drain(2, false)).unwrap();
    assert!(is_available(&trial));
}

#[test]
fn a_broker_is_drained_by_the_setting_that_names_it() {
    let mut trial = Trial::with_brokers(3);
    let drained = |trial: &Trial| -> Vec<i32> {
        trial.image().brokers().filter(|broker| broker.drained).map(|broker| broker.id.0).collect()
    };
    let list = |ids: Option<&str>| vec![set(Resource::ClusterDefault, DRAINED, ids)];
    trial.set(list(Some("2,7,3")));
    assert_eq!(drained(&trial), [2, 3]);
    trial.apply(drain(3, false)).unwrap();
    assert_eq!(trial.image().settings(&Resource::ClusterDefault).unwrap()[DRAINED], "2,7");
    trial.apply(Command::RegisterBroker(registration(7, 7))).unwrap();
    assert_eq!(drained(&trial), [2, 7]);
    trial.apply(unregister(7)).unwrap();
    assert_eq!(trial.image().settings(&Resource::ClusterDefault).unwrap()[DRAINED], "2");
    trial.set(list(None));
    assert_eq!(drained(&trial), []);
}

#[test]
fn only_a_broker_that_carries_nothing_is_forgotten() {
    let mut trial = Trial::with_brokers(3);
    trial.apply(wish(&[2, 3], 1)).unwrap();
    trial.refused(unregister(9), ErrorCode::BrokerIdNotRegistered);
    trial.refused(unregister(3), ErrorCode::InvalidRequest);
    let shard = trial.image().shards().last().unwrap().id;
    let change = MembersChange { shard, from: members(&[2, 3]), to: members(&[2]) };
    trial.apply(Command::ChangeShardMembers(ChangeShardMembers { shards: vec![change] })).unwrap();
    trial.apply(set_controllers(&[1], &[1, 3])).unwrap();
    trial.refused(unregister(3), ErrorCode::InvalidRequest);
    trial.apply(set_controllers(&[1, 3], &[1])).unwrap();
    assert_eq!(trial.apply(unregister(3)), Ok(Outcome::BrokerUnregistered));
    assert_eq!(trial.image().broker(BrokerId(3)), None);
    // As if it had never been there.
    trial.apply(Command::RegisterBroker(registration(3, 30))).unwrap();
}

#[test]
fn the_controllers_are_one_to_five_registered_brokers_as_the_proposer_saw_them() {
    let mut trial = Trial::with_brokers(6);
    assert_eq!(trial.apply(set_controllers(&[1], &[1, 2, 3])), Ok(Outcome::ControllersSet));
    let stale = trial.apply(set_controllers(&[1], &[1, 4])).unwrap_err();
    assert!(stale.is_stale());
    for to in [&[][..], &[1, 1], &[1, 2, 3, 4, 5, 6]] {
        trial.refused(set_controllers(&[1, 2, 3], to), ErrorCode::InconsistentVoterSet);
    }
    trial.refused(set_controllers(&[1, 2, 3], &[9]), ErrorCode::BrokerIdNotRegistered);
    assert_eq!(trial.image().controllers(), members(&[1, 2, 3]));
}
