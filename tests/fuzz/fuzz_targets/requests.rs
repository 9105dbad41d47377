//! Frames as clients send them: what the decoder accepts, the encoder gives back.
#![no_main]

#[path = "../../../crates/wire/tests/served_apis/mod.rs"]
#[macro_use]
mod served_apis;

use std::fmt::Debug;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::messages::*;
use wire::{Incoming, RequestHeader, decode, encode_request, parse_request};

fn round_trip<R: Request + PartialEq + Debug>(header: &RequestHeader, body: Bytes) {
    let Ok(request) = decode::<R>(header.version, body) else { return };
    let frame = encode_request(header.version, 1, None, &request).expect("what was decoded can be encoded");
    let Ok(Incoming::Request(again, body)) = parse_request(frame.to_bytes().slice(4..)) else {
        panic!("{request:?} was encoded to what is no request");
    };
    assert_eq!((again.api, again.version), (header.api, header.version));
    assert_eq!(decode::<R>(header.version, body).expect("what was encoded can be decoded"), request);
}

macro_rules! by_api {
    ($($test:ident $api:ident $request:ident;)*) => {
        fn feed(header: &RequestHeader, body: Bytes) {
            match header.api {
                $(wire::ApiKey::$api => round_trip::<$request>(header, body),)*
                _ => {}
            }
        }
    };
}

with_served_apis! { by_api }

fuzz_target!(|frame: &[u8]| {
    if let Ok(Incoming::Request(header, body)) = parse_request(Bytes::copy_from_slice(frame)) {
        feed(&header, body);
    }
});
