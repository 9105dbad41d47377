//! Members of consumer groups.

use std::collections::BTreeMap;
use std::time::Duration;

use client::{Client, Member, MemberOptions, TopicPartition};
use model::ErrorCode;

use crate::support::{LIMIT, TestBroker, create};

/// A broker on which a new group does not wait for more members.
async fn eager() -> TestBroker {
    TestBroker::with(&["group.initial.rebalance.delay.ms=0"], None).await
}

fn member(client: &Client, options: MemberOptions) -> Member {
    let beat = MemberOptions { heartbeat_interval: Duration::from_millis(20), ..options };
    Member::new(client.clone(), "g", vec!["t".to_owned()], beat)
}

async fn hear_of_a_rebalance(member: &mut Member) {
    tokio::time::timeout(LIMIT, member.rebalance()).await.expect("it hears of it in time").unwrap();
}

fn places(indexes: &[i32]) -> Vec<TopicPartition> {
    indexes.iter().map(|index| ("t".to_owned(), *index)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_the_partitions_and_take_over_from_one_that_leaves() {
    let broker = eager().await;
    let client = broker.client();
    create(&client, "t", 5, &[]).await;
    let (mut one, mut other) = (member(&client, MemberOptions::default()), member(&client, MemberOptions::default()));
    assert_eq!(one.join().await.unwrap(), places(&[0, 1, 2, 3, 4]));

    let rejoined = async {
        hear_of_a_rebalance(&mut one).await;
        one.join().await.unwrap()
    };
    let (first, second) = tokio::join!(rejoined, other.join());
    let mut both = [first, second.unwrap()];
    both.sort();
    assert_eq!(both, [places(&[0, 1, 2]), places(&[3, 4])]);
    let group = client.group("g").await.unwrap();
    assert_eq!((group.state.as_str(), group.assignor.as_str(), group.members.len()), ("Stable", "range", 2));

    other.leave().await.unwrap();
    hear_of_a_rebalance(&mut one).await;
    assert_eq!(one.join().await.unwrap(), places(&[0, 1, 2, 3, 4]));
    one.leave().await.unwrap();
    assert_eq!(client.group("g").await.unwrap().members, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_commits_as_long_as_its_generation_lasts() {
    let broker = eager().await;
    let client = broker.client();
    create(&client, "t", 1, &[]).await;
    // A group waits for as long as its most patient member does.
    let hasty = MemberOptions { rebalance_timeout: Duration::from_millis(200), ..MemberOptions::default() };
    let mut one = member(&client, hasty);
    one.join().await.unwrap();
    let offset = |offset| BTreeMap::from([(("t".to_owned(), 0), offset)]);
    assert!(one.commit(&offset(7)).await.unwrap());
    assert_eq!(client.committed("g").await.unwrap(), offset(7));

    let mut other = member(&client, hasty);
    assert_eq!(other.join().await.unwrap(), places(&[0]), "the one that did not join again is out");
    assert!(!one.commit(&offset(8)).await.unwrap(), "its records are another's now");
    assert_eq!(client.committed("g").await.unwrap(), offset(7));

    other.leave().await.unwrap();
    hear_of_a_rebalance(&mut one).await;
    assert_eq!(one.join().await.unwrap(), places(&[0]), "it is a member again, under another id");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_are_dealt_out() {
    let broker = eager().await;
    let client = broker.client();
    create(&client, "t", 1, &[]).await;
    let options = MemberOptions { topics_interval: Duration::ZERO, ..MemberOptions::default() };
    let mut one = member(&client, options);
    assert_eq!(one.join().await.unwrap(), places(&[0]));
    client.add_partitions("t", 3).await.unwrap();
    hear_of_a_rebalance(&mut one).await;
    assert_eq!(one.join().await.unwrap(), places(&[0, 1, 2]));
    one.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_cannot_be_joined_says_why() {
    let broker = eager().await;
    let client = broker.client();
    let options = MemberOptions { session_timeout: Duration::from_millis(1), ..MemberOptions::default() };
    let refused = member(&client, options).join().await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::InvalidSessionTimeout), "{refused}");
    let mut nobody = member(&client, MemberOptions::default());
    nobody.leave().await.unwrap();
    assert!(!nobody.commit(&BTreeMap::new()).await.unwrap());
}
