//! What all brokers of a cluster share.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::SecretError;

/// A shorter one could be guessed by who has seen one handshake.
pub const MIN_SECRET_BYTES: usize = 16;

/// HMAC-SHA256 gives so many.
pub(crate) const PROOF_BYTES: usize = 32;

/// The cluster's secret. It never leaves the process: each end proves to the other that it has it.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// # Errors
    /// When there are fewer than [`MIN_SECRET_BYTES`].
    pub fn new(bytes: &[u8]) -> Result<Self, SecretError> {
        match bytes.len() {
            ..MIN_SECRET_BYTES => Err(SecretError { bytes: bytes.len() }),
            _ => Ok(Secret(bytes.into())),
        }
    }

    /// Proves to whoever has the secret too that `parts` were said for this purpose by one who has it.
    pub(crate) fn prove(&self, purpose: &str, parts: &[&[u8]]) -> [u8; PROOF_BYTES] {
        self.mac(purpose, parts).finalize().into_bytes().into()
    }

    /// Whether that is so. Takes the same time wherever a false proof differs.
    pub(crate) fn verify(&self, purpose: &str, parts: &[&[u8]], proof: &[u8]) -> bool {
        self.mac(purpose, parts).verify_slice(proof).is_ok()
    }

    /// The purpose ends with a zero, so that no other purpose and parts make the same bytes.
    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        parts.iter().for_each(|part| mac.update(part));
        mac
    }
}

impl FromStr for Secret {
    type Err = SecretError;

    /// The text's bytes, without white space around them (a file ends with a line feed).
    fn from_str(text: &str) -> Result<Self, SecretError> {
        Secret::new(text.trim().as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself_and_a_short_one_is_none() {
        let secret: Secret = "0123456789abcdef\n".parse().unwrap();
        assert_eq!((secret.0.len(), format!("{secret:?}").as_str()), (16, "Secret(..)"));
        let short = "0123456789abcde".parse::<Secret>().unwrap_err().to_string();
        assert!(short.contains("15 bytes"), "{short}");
    }
}
