//! Zigzag varints as records use them (protocol buffers' sint32 and sint64).

/// Most bytes that a 32-bit varint takes.
pub(crate) const MAX_VARINT_BYTES: usize = 5;

/// Most bytes that a 64-bit varint takes.
pub(crate) const MAX_VARLONG_BYTES: usize = 10;

pub(crate) fn zigzag_decode(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

fn zigzag_encode(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Appends `value`, which may be an i32 or an i64: both encode alike.
pub(crate) fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = zigzag_encode(value);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// How many bytes `value` takes.
pub(crate) fn varint_len(value: i64) -> usize {
    let bits = 64 - (zigzag_encode(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn varints_are_those_of_protocol_buffers() {
        let encoded = |value| {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            out
        };
        assert_eq!(encoded(0), [0]);
        assert_eq!(encoded(-1), [1]);
        assert_eq!(encoded(63), [126]);
        assert_eq!(encoded(-65), [0x81, 0x01]);
        assert_eq!(encoded(i64::from(i32::MAX)), [0xfe, 0xff, 0xff, 0xff, 0x0f]);
        assert_eq!(encoded(i64::from(i32::MIN)).len(), MAX_VARINT_BYTES);
        assert_eq!(encoded(i64::MIN).len(), MAX_VARLONG_BYTES);
    }

    proptest! {
        #[test]
        fn the_length_is_known_before_writing(value: i64) {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            prop_assert_eq!(out.len(), varint_len(value));
        }

        #[test]
        fn zigzag_is_its_own_inverse(value: i64) {
            prop_assert_eq!(zigzag_decode(zigzag_encode(value)), value);
        }
    }
}
