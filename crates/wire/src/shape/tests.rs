use super::*;
use crate::{APIS, Fault, Support};

#[test]
fn every_api_of_a_broker_has_a_shape_in_every_version() {
    for api in APIS.iter().filter(|api| !matches!(api.support, Support::LeftOut(why) if why.contains("controllers"))) {
        for version in api.kafka.iter() {
            for shapes in [REQUESTS, RESPONSES] {
                let text = entry(shapes, api.key).unwrap_or_else(|| panic!("{} has no shape", api.name));
                parse::parse(text, version, api.key.is_flexible(version));
            }
        }
    }
}

fn check_metadata(version: i16, body: &'static [u8]) -> Result<(), Fault> {
    check_request(ApiKey::Metadata, version, &Bytes::from_static(body)).map_err(|malformed| match malformed {
        Malformed::Shape { fault, .. } => fault,
        other => panic!("{other}"),
    })
}

#[test]
fn a_count_that_the_rest_of_the_frame_cannot_hold_is_refused() {
    assert_eq!(check_metadata(12, &[0xff, 0xff, 0xff, 0xff, 0x0f]), Err(Fault::Count));
    assert_eq!(check_metadata(0, &[0x7f, 0xff, 0xff, 0xff]), Err(Fault::Count));
    assert_eq!(check_metadata(0, &[0, 0, 0, 1, 0]), Err(Fault::Count));
    assert_eq!(check_metadata(0, &[0, 0, 0, 1, 0, 1]), Err(Fault::Truncated));
    assert_eq!(check_metadata(0, &[0, 0, 0, 1, 0, 0]), Ok(()));
}

#[test]
fn null_is_refused_where_the_version_does_not_know_it() {
    assert_eq!(check_metadata(0, &[0xff; 4]), Err(Fault::Null));
    assert_eq!(check_metadata(1, &[0xff; 4]), Ok(()));
    assert_eq!(check_metadata(1, &[0xff, 0xff, 0xff, 0xfe]), Err(Fault::Null));
    assert_eq!(check_metadata(1, &[0, 0, 0, 1, 0xff, 0xff]), Err(Fault::Null));
}

#[test]
fn a_varint_of_six_bytes_is_refused() {
    assert_eq!(check_metadata(12, &[0x81, 0x80, 0x80, 0x80, 0x80, 0x00]), Err(Fault::Varint));
}

#[test]
fn bytes_behind_the_end_are_ignored_as_kafka_does() {
    assert_eq!(check_metadata(0, &[0, 0, 0, 0, 1, 2, 3]), Ok(()));
}

#[test]
fn a_million_empty_names_are_refused_and_ten_thousand_real_ones_are_not() {
    let names = |count: u32, name: &[u8]| {
        let mut body = count.to_be_bytes().to_vec();
        for _ in 0..count {
            body.extend_from_slice(&(name.len() as u16).to_be_bytes());
            body.extend_from_slice(name);
        }
        check_request(ApiKey::Metadata, 0, &Bytes::from(body))
    };
    assert!(names(1_000_000, b"").is_err());
    assert_eq!(names(10_000, b"some-topic"), Ok(()));
    assert_eq!(names(30_000, b"a-topic-with-a-longer-name-of-fifty-bytes-or-there"), Ok(()));
}
