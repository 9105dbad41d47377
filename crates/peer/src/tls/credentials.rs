//! Certificates and keys as they come out of files.

use std::fmt;
use std::io;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::BoxFuture;

/// What a broker shows to others, and whom it believes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Its certificate, and behind it those between that and one that is trusted.
    pub chain: PemFile,
    /// The private key of the first one: PKCS #8, PKCS #1 or SEC 1, without a password.
    pub key: PemFile,
    /// The authorities whose certificates are taken.
    pub trusted: PemFile,
}

/// A file in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct PemFile {
    /// Its name, for people.
    pub name: String,
    /// What is in it.
    pub text: Vec<u8>,
}

/// Where [`Credentials`] come from.
pub trait ReadCredentials: Send + Sync + 'static {
    /// Reads them as they are now.
    fn read(&self) -> BoxFuture<Result<Credentials, TlsError>>;
}

/// Why certificates can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {file}: {why}; check the path and its permissions")]
    Unreadable {
        /// It.
        file: String,
        /// What the system said.
        why: io::Error,
    },
    /// A file is no PEM.
    #[error("{file} is not in PEM: {why}; convert it, or take the one that was made with it")]
    NotPem {
        /// It.
        file: String,
        /// Where that shows.
        why: pem::Error,
    },
    /// There is no certificate in a file.
    #[error("there is no certificate in {file}; put one there that begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate {
        /// It.
        file: String,
    },
    /// A certificate of an authority makes no sense.
    #[error("a certificate in {file} can't be used: {why}; take it out, or make it anew")]
    BadAuthority {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no private key in a file.
    #[error(
        "there is no private key in {file} that can be read without a password; \
         openssl pkcs8 -topk8 -nocrypt writes such a one"
    )]
    NoKey {
        /// The file.
        file: String,
    },
    /// The key is another one's.
    #[error(
        "the private key in {key} is not that of the first certificate in {chain}; take the two that belong together"
    )]
    Mismatch {
        /// The certificate's file.
        chain: String,
        /// The key's.
        key: String,
    },
    /// The certificate is too old.
    #[error("the certificate in {chain} has expired; renew it")]
    Expired {
        /// Its file.
        chain: String,
    },
    /// The certificate is for later.
    #[error("the certificate in {chain} is not valid yet; check this machine's clock")]
    NotYet {
        /// Its file.
        chain: String,
    },
    /// Other brokers, which trust the same authorities, would refuse the certificate.
    #[error(
        "the certificate in {chain} is not by an authority in {trusted}; add that authority there, \
         or to {chain} what is missing between the two"
    )]
    Untrusted {
        /// Its file.
        chain: String,
        /// That of the authorities.
        trusted: String,
    },
    /// A broker connects, and is connected to.
    #[error(
        "the certificate in {chain} is not for both ends of a connection; \
         have it made with the extended key usages serverAuth and clientAuth, or with none"
    )]
    Purpose {
        /// Its file.
        chain: String,
    },
    /// Other brokers would refuse the certificate where they find this one.
    #[error(
        "the certificate in {chain} is not for {host}, where other brokers reach this one; have it name that as a \
         subject alternative name, set cluster.advertise to a name that it has, \
         or leave cluster.ssl.endpoint.identification.algorithm empty on all brokers"
    )]
    OtherName {
        /// Its file.
        chain: String,
        /// The host.
        host: String,
    },
    /// The certificate makes no sense.
    #[error("the certificate in {chain} can't be used: {why}; have it made anew")]
    Unusable {
        /// Its file.
        chain: String,
        /// What is wrong with it.
        why: rustls::Error,
    },
}

impl PemFile {
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&self.text).collect();
        match found {
            Ok(found) if found.is_empty() => Err(TlsError::NoCertificate { file: self.name.clone() }),
            Ok(found) => Ok(found),
            Err(why) => Err(TlsError::NotPem { file: self.name.clone(), why }),
        }
    }

    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.text).map_err(|why| match why {
            pem::Error::NoItemsFound => TlsError::NoKey { file: self.name.clone() },
            why => TlsError::NotPem { file: self.name.clone(), why },
        })
    }
}

/// The name only: keys don't belong into logs.
impl fmt::Debug for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
