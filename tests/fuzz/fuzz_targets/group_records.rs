//! Records of `__consumer_offsets`, which any client can write to.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    drop(coordinator::schema::Key::decode(bytes));
    if let Ok(group) = coordinator::schema::decode_group(bytes) {
        let encoded = coordinator::schema::encode_group(&group);
        assert_eq!(coordinator::schema::decode_group(&encoded).expect("what was encoded can be decoded"), group);
    }
    if let Ok(offset) = coordinator::schema::decode_offset(bytes) {
        let encoded = coordinator::schema::encode_offset(&offset);
        assert_eq!(coordinator::schema::decode_offset(&encoded).expect("what was encoded can be decoded"), offset);
    }
});
