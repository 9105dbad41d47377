//! Between Kafka's strings, which point into a frame, and our own.

use wire::StrBytes;

/// A string of a response.
pub(crate) fn text(value: impl Into<String>) -> StrBytes {
    StrBytes::from_string(value.into())
}

/// A copy of a request's string, which does not pin the request's frame.
pub(crate) fn string(value: &StrBytes) -> String {
    value.as_str().to_owned()
}
