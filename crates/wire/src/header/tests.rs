use super::*;

fn parse(bytes: &[u8]) -> Result<Incoming, Malformed> {
    parse_request(Bytes::copy_from_slice(bytes))
}

fn header_of(bytes: &[u8]) -> (RequestHeader, Bytes) {
    match parse(bytes) {
        Ok(Incoming::Request(header, body)) => (header, body),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_id_is_not_compact_in_the_flexible_header_either() {
    let (header, body) = header_of(&[0, 3, 0, 12, 0, 0, 0, 9, 0, 2, b'm', b'e', 0, 0xaa]);
    assert_eq!((header.api, header.version, header.correlation_id), (ApiKey::Metadata, 12, 9));
    assert_eq!(header.client_id.as_deref(), Some("me"));
    assert_eq!(body, [0xaa][..]);
}

#[test]
fn a_header_that_is_not_flexible_has_no_tags() {
    let (header, body) = header_of(&[0, 3, 0, 8, 0, 0, 0, 9, 0xff, 0xff, 0xaa]);
    assert_eq!(header.client_id, None);
    assert_eq!(body, [0xaa][..]);
}

#[test]
fn unknown_tags_of_a_header_are_passed_over_within_bounds() {
    let start = [0, 3, 0, 12, 0, 0, 0, 9, 0xff, 0xff];
    let (_, body) = header_of(&[&start[..], &[2, 0, 1, 0xbb, 7, 0, 0xaa]].concat());
    assert_eq!(body, [0xaa][..]);
    for tags in [&[][..], &[1], &[1, 0], &[1, 0, 2, 0xbb], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0x80; 6]] {
        assert_eq!(parse(&[&start[..], tags].concat()), Err(Malformed::Header), "{tags:?}");
    }
}

#[test]
fn a_frame_that_ends_inside_its_header_is_refused() {
    let whole = [0, 3, 0, 12, 0, 0, 0, 9, 0, 2, b'm', b'e', 0];
    for end in 0..whole.len() {
        assert_eq!(parse(&whole[..end]), Err(Malformed::Header), "cut at {end}");
    }
    assert_eq!(parse(&[0, 3, 0, 12, 0, 0, 0, 9, 0xff, 0xfe, 0]), Err(Malformed::Header), "a negative length");
}

#[test]
fn what_is_not_served_closes_the_connection() {
    let start = |key: i16, version: i16| [&key.to_be_bytes()[..], &version.to_be_bytes(), &[0; 4], &[0xff; 2]].concat();
    for key in [-1, 4, 7, 27, 52, 95, i16::MAX] {
        assert_eq!(parse(&start(key, 0)), Err(Malformed::UnknownApi(key)));
    }
    for (api, version) in
        [(ApiKey::Produce, 2), (ApiKey::Produce, 14), (ApiKey::InitProducerId, 6), (ApiKey::Metadata, -1)]
    {
        assert_eq!(parse(&start(api.code(), version)), Err(Malformed::UnsupportedVersion { api, version }));
    }
}

#[test]
fn api_versions_of_an_unknown_version_is_answered_whatever_its_body() {
    for version in [6i16, 99, -1] {
        let start = [&[0, 18][..], &version.to_be_bytes(), &[0, 0, 0, 5], &[0xff; 20]].concat();
        assert_eq!(parse(&start), Ok(Incoming::UnsupportedApiVersions { correlation_id: 5 }));
    }
}

#[test]
fn the_response_to_api_versions_never_has_tags_in_its_header() {
    assert_eq!(ApiKey::ApiVersions.response_header_version(5), 0);
    assert_eq!(ApiKey::Metadata.response_header_version(9), 1);
    assert_eq!(ApiKey::Metadata.response_header_version(8), 0);
    assert_eq!(ApiKey::SaslHandshake.request_header_version(1), 1);
}
