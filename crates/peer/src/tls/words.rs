//! What went wrong between two brokers, in words for the operator.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// An error of a TLS handshake with its remedy: [`io::ErrorKind::InvalidData`] where one of both finds fault with the other.
pub(super) fn explained(why: io::Error) -> io::Error {
    match objection(&why) {
        Some(words) => io::Error::new(io::ErrorKind::InvalidData, words),
        None if matches!(why.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            let words =
                "it broke off the TLS handshake without a word, as a broker does that has no cluster.ssl settings";
            io::Error::new(why.kind(), words)
        }
        None => why,
    }
}

/// What one of both has against the other, if TLS says so. With TLS 1.3, who dials hears of it only after its own
/// handshake has ended.
pub(crate) fn objection(why: &io::Error) -> Option<String> {
    let why = why.get_ref()?.downcast_ref::<Error>()?;
    Some(match why {
        Error::NoCertificatesPresented => {
            "it shows no certificate; if it is a broker of this cluster, set cluster.ssl.keystore there".to_owned()
        }
        Error::InvalidCertificate(why) => its_certificate(why),
        Error::AlertReceived(alert) => our_certificate(*alert),
        Error::InvalidMessage(_) => {
            "it does not speak TLS; set the cluster.ssl settings on all brokers, or on none".to_owned()
        }
        Error::PeerIncompatible(_) => format!("it speaks another TLS than 1.3 ({why}); check what listens there"),
        other => format!("TLS came to nothing: {other}"),
    })
}

fn its_certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is not by an authority in this broker's cluster.ssl.truststore.certificates.file; if it is a \
             broker of this cluster, add its authority there"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired; renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check the clocks of both machines".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "its certificate is for another host ({why}); have it name that as a subject alternative name, or leave \
             cluster.ssl.endpoint.identification.algorithm empty on all brokers"
        ),
        other => format!("its certificate can't be used: {other}; have it made anew"),
    }
}

fn our_certificate(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "it does not trust the authority of this broker's certificate; add that to \
             cluster.ssl.truststore.certificates.file there"
                .to_owned()
        }
        AlertDescription::CertificateExpired => {
            "it says that this broker's certificate has expired; renew it, or check its clock".to_owned()
        }
        AlertDescription::CertificateRequired => {
            "it wants a certificate; set cluster.ssl.keystore on this broker".to_owned()
        }
        other => format!("it has refused this broker's TLS: {other:?}; its log says why"),
    }
}
