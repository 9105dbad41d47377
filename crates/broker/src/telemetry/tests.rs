use super::instances::{MAX_INSTANCES, MAX_KEPT_BYTES};
use super::*;

fn client() -> Client {
    Client {
        id: "a".to_owned(),
        software_name: "test".to_owned(),
        software_version: "1".to_owned(),
        address: SocketAddr::from(([127, 0, 0, 1], 1)),
    }
}

fn push(telemetry: &Telemetry, instance: u128, bytes: usize) -> Result<(), ErrorCode> {
    let (image, instance) = (ClusterImage::default(), Uuid::from_u128(instance));
    let subscription = telemetry.lock().subscriptions.of(&image, instance, &client()).id;
    let push = Push { instance, subscription, is_last: false, compression: 0, metrics: vec![0; bytes].into() };
    telemetry.push(&image, push, &client(), 0, usize::MAX)
}

#[test]
fn the_pushes_of_the_longest_silent_go_for_new_ones() {
    let telemetry = Telemetry::default();
    let (third, fourth) = (MAX_KEPT_BYTES / 3 - 1, MAX_KEPT_BYTES / 3 + 3);
    for instance in 1..=3 {
        push(&telemetry, instance, third).unwrap();
    }
    assert_eq!(telemetry.pushed().len(), 3);
    push(&telemetry, 4, fourth).unwrap();
    let kept: Vec<u128> = telemetry.pushed().iter().map(|push| push.instance.as_u128()).collect();
    assert_eq!(kept, [3, 4]);
}

#[test]
fn no_more_clients_are_known_than_the_limit() {
    let telemetry = Telemetry::default();
    for instance in 0..MAX_INSTANCES as u128 + 10 {
        push(&telemetry, instance, 1).unwrap();
    }
    let pushed = telemetry.pushed();
    assert_eq!((pushed.len(), pushed[0].instance.as_u128()), (MAX_INSTANCES, 10));
}
