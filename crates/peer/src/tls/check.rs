//! Certificates, checked as other brokers will, made into what handshakes need.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::Clock;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};

use super::{Credentials, PemFile, TlsError};
use crate::Address;

/// What a handshake is made with, at either end.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) client: Arc<ClientConfig>,
    pub(super) server: Arc<ServerConfig>,
    own: Own,
    verifier: Arc<WebPkiServerVerifier>,
    time: Time,
}

/// This broker's certificate, and those between it and one that is trusted.
#[derive(Clone)]
struct Own(Arc<[CertificateDer<'static>]>);

impl Own {
    fn parts(&self) -> (&CertificateDer<'static>, &[CertificateDer<'static>]) {
        self.0.split_first().expect("a file without a certificate is refused")
    }
}

impl Ends {
    /// # Errors
    /// Other brokers, which trust the same authorities, would refuse what is shown to them.
    pub(super) fn of(of: &Credentials, clock: &Arc<dyn Clock>, checks_names: bool) -> Result<Ends, TlsError> {
        let (chain, key) = (of.chain.certificates()?, of.key.private_key()?);
        let roots = Arc::new(authorities(&of.trusted)?);
        let provider = Arc::new(ring::default_provider());
        let bad_roots =
            |why: &dyn fmt::Display| TlsError::BadAuthority { file: of.trusted.name.clone(), why: why.to_string() };
        let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
        let clients = clients.build().map_err(|why| bad_roots(&why))?;
        let servers = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
        let verifier = servers.build().map_err(|why| bad_roots(&why))?;
        let (time, own) = (Time(clock.clone()), Own(chain.clone().into()));
        check(of, &own, &time, &*clients, &verifier)?;

        let unusable = |why| match why {
            Error::InconsistentKeys(_) => TlsError::Mismatch { chain: of.chain.name.clone(), key: of.key.name.clone() },
            why => TlsError::Unusable { chain: of.chain.name.clone(), why },
        };
        let client = ClientConfig::builder_with_details(provider.clone(), Arc::new(time.clone()));
        let client = client.with_protocol_versions(&[&TLS13]).map_err(unusable)?.dangerous();
        let servers = Arc::new(Servers { verifier: verifier.clone(), checks_names });
        let client = client.with_custom_certificate_verifier(servers);
        let mut client = client.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(unusable)?;
        client.resumption = Resumption::disabled();
        let server = ServerConfig::builder_with_details(provider, Arc::new(time.clone()));
        let server = server.with_protocol_versions(&[&TLS13]).map_err(unusable)?.with_client_cert_verifier(clients);
        let mut server = server.with_single_cert(chain, key).map_err(unusable)?;
        (server.send_tls13_tickets, server.session_storage) = (0, Arc::new(NoServerSessionStorage {}));
        Ok(Ends { client: Arc::new(client), server: Arc::new(server), own, verifier, time })
    }

    /// Whether others that look for a name take this broker's certificate where they find it.
    pub(super) fn check_name(&self, of: &Credentials, at: &Address) -> Result<(), TlsError> {
        let other = || TlsError::OtherName { chain: of.chain.name.clone(), host: at.host.clone() };
        let name = ServerName::try_from(at.host.as_str()).map_err(|_| other())?;
        let (own, between) = self.own.parts();
        match self.verifier.verify_server_cert(own, between, &name, &[], self.time.now()) {
            Ok(_) => Ok(()),
            Err(why) if is_other_name(&why) => Err(other()),
            Err(why) => Err(refused(of, why)),
        }
    }
}

fn authorities(of: &PemFile) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in of.certificates()? {
        let added = roots.add(certificate);
        added.map_err(|why| TlsError::BadAuthority { file: of.name.clone(), why: why.to_string() })?;
    }
    Ok(roots)
}

/// Looks at this broker's own certificate as others will.
fn check(
    of: &Credentials,
    own: &Own,
    time: &Time,
    clients: &dyn ClientCertVerifier,
    servers: &WebPkiServerVerifier,
) -> Result<(), TlsError> {
    let (certificate, between) = own.parts();
    clients.verify_client_cert(certificate, between, time.now()).map_err(|why| refused(of, why))?;
    let any = ServerName::try_from("localhost").expect("it is a name");
    match servers.verify_server_cert(certificate, between, &any, &[], time.now()) {
        Err(why) if !is_other_name(&why) => Err(refused(of, why)),
        _ => Ok(()),
    }
}

fn refused(of: &Credentials, why: Error) -> TlsError {
    let chain = of.chain.name.clone();
    match why {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            TlsError::Expired { chain }
        }
        Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            TlsError::NotYet { chain }
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            TlsError::Untrusted { chain, trusted: of.trusted.name.clone() }
        }
        Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        ) => TlsError::Purpose { chain },
        why => TlsError::Unusable { chain, why },
    }
}

/// The name is looked at last: all else is well with such a certificate.
fn is_other_name(why: &Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(why, Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

/// Looks at the certificates of brokers that were dialled.
#[derive(Debug)]
struct Servers {
    verifier: Arc<WebPkiServerVerifier>,
    checks_names: bool,
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.verifier.verify_server_cert(certificate, between, name, ocsp, now) {
            Err(why) if !self.checks_names && is_other_name(&why) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// The broker's clock.
#[derive(Clone)]
struct Time(Arc<dyn Clock>);

impl Time {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(self.0.now_ms()).unwrap_or(0)))
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.now())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the broker's clock")
    }
}
