//! What commands and stored values have in common: a version byte, then named fields.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormatError {
    /// Written by a newer build.
    #[error("a {what} has format version {found}, this build reads up to {known}: start a newer build")]
    NewerVersion {
        /// What was read.
        what: &'static str,
        /// The version that it carries.
        found: u8,
        /// The newest one that this build reads.
        known: u8,
    },
    /// A command that a newer build introduced.
    #[error("a command is of the unknown kind {kind}: start a newer build")]
    UnknownKind {
        /// Its kind.
        kind: u8,
    },
    /// An answer that a newer build introduced.
    #[error("a controller's answer is of the unknown kind {kind}: start a newer build")]
    UnknownAnswer {
        /// Its kind.
        kind: u8,
    },
    /// A stored part that a newer build introduced, or not of the cluster image at all.
    #[error("the manifest holds the unknown key '{key}': start a newer build")]
    UnknownKey {
        /// The key as text.
        key: String,
    },
    /// Cut short.
    #[error("a {what} is empty or cut short")]
    Empty {
        /// What was read.
        what: &'static str,
    },
    /// Not what this version should look like. The bytes passed a checksum, so this is a bug.
    #[error("a {what} can't be read: {reason}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Appends `value` as a MessagePack map of its named fields.
pub(crate) fn write_fields(out: &mut Vec<u8>, value: &impl Serialize) {
    rmp_serde::encode::write_named(out, value).expect("plain fields always serialise into memory");
}

/// Reads what [`write_fields`] wrote. Fields that it does not know are passed over.
pub(crate) fn read_fields<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, FormatError> {
    rmp_serde::from_slice(bytes).map_err(|error| FormatError::Malformed { what, reason: error.to_string() })
}

/// Checks the leading version byte and returns the rest.
pub(crate) fn check_version<'a>(what: &'static str, known: u8, bytes: &'a [u8]) -> Result<&'a [u8], FormatError> {
    match bytes.split_first() {
        None | Some((0, _)) => Err(FormatError::Empty { what }),
        Some((found, _)) if *found > known => Err(FormatError::NewerVersion { what, found: *found, known }),
        Some((_, rest)) => Ok(rest),
    }
}
