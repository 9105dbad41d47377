//! ListConfigResources (key 74).

use model::ErrorCode;
use wire::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};

use crate::incremental_alter_configs::{BROKER, CLIENT_METRICS, DONE, SET, TOPIC, alter};
use crate::support::{Target, a_moment, error};

fn of_types(types: &[i8]) -> ListConfigResourcesRequest {
    ListConfigResourcesRequest::default().with_resource_types(types.to_vec())
}

fn has(response: &ListConfigResourcesResponse, kind: i8, name: &str) -> bool {
    let mut listed = response.config_resources.iter();
    listed.any(|resource| resource.resource_type == kind && resource.resource_name.as_str() == name)
}

pub(crate) async fn each_type_is_listed_once_it_has_settings(target: Target) {
    let mut connection = target.connect().await;
    let (topic, metrics) = (target.topic("a").await, target.name("metrics"));
    assert_eq!(alter(&mut connection, CLIENT_METRICS, &metrics, &[("interval.ms", SET, Some("1000"))]).await, DONE);
    while !has(&connection.ask(0, &of_types(&[])).await, CLIENT_METRICS, &metrics) {
        a_moment().await;
    }
    let all = connection.ask(1, &of_types(&[])).await;
    for (kind, name) in [(CLIENT_METRICS, &*metrics), (TOPIC, &topic.name), (BROKER, "1"), (8, "1")] {
        assert!(has(&all, kind, name), "{kind} {name}");
    }
    let some = connection.ask(1, &of_types(&[CLIENT_METRICS, CLIENT_METRICS])).await;
    assert!(has(&some, CLIENT_METRICS, &metrics) && !has(&some, TOPIC, &topic.name));
    assert_eq!(some.config_resources.iter().filter(|resource| resource.resource_name.as_str() == metrics).count(), 1);
    assert_eq!(alter(&mut connection, CLIENT_METRICS, &metrics, &[("interval.ms", 1, None)]).await, DONE);
}

pub(crate) async fn an_unknown_type_is_unsupported(target: Target) {
    let mut connection = target.connect().await;
    for kind in [0, 1, 77, -1] {
        let response = connection.call(1, &of_types(&[TOPIC, kind])).await;
        assert_eq!(error(response.error_code), ErrorCode::UnsupportedVersion);
        assert!(response.config_resources.is_empty());
    }
}

scenarios! {
    each_type_is_listed_once_it_has_settings
    an_unknown_type_is_unsupported
}
