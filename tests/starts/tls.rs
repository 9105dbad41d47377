//! Brokers that show each other certificates.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::librdkafka::{acknowledged, create_replicated_topic, producer};
use support::unique;
use tempfile::TempDir;
use testkit::process::{Broker, Cluster, Launch};

use crate::{alone, refusal};

/// An authority, a broker's certificate by it, and that one's key, as files.
struct Certificates(TempDir);

impl Certificates {
    fn new() -> Self {
        let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let trusted = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let broker = CertificateParams::new(["broker.example".to_owned()]).unwrap();
        let files = Certificates(tempfile::tempdir().unwrap());
        fs::write(files.path("chain.pem"), broker.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        fs::write(files.path("key.pem"), key.serialize_pem()).unwrap();
        fs::write(files.path("trusted.pem"), trusted).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Names are not looked at: where a test's brokers are is chosen as they start.
    fn settings(&self) -> [(&'static str, String); 4] {
        let shown = |name: &str| Path::display(&self.path(name)).to_string();
        [
            ("cluster.ssl.keystore.certificate.chain.file", shown("chain.pem")),
            ("cluster.ssl.keystore.key.file", shown("key.pem")),
            ("cluster.ssl.truststore.certificates.file", shown("trusted.pem")),
            ("cluster.ssl.endpoint.identification.algorithm", String::new()),
        ]
    }

    fn launch(&self) -> Launch {
        self.settings().into_iter().fold(Broker::launch(), |launch, (key, value)| launch.set(key, value))
    }
}

#[test]
fn brokers_with_certificates_are_a_cluster_that_others_do_not_get_into() {
    let _alone = alone();
    let certificates = Certificates::new();
    let mut cluster = Cluster::start_as(&vec![certificates.launch(); 3]).unwrap();
    let topic = unique("encrypted");
    create_replicated_topic(&cluster.addresses(), &topic, 3, 3);
    let producer = producer(&cluster.addresses(), &[]);
    for number in 0..100 {
        producer.send(rdkafka::producer::BaseRecord::<(), _>::to(&topic).payload(&number.to_string())).unwrap();
    }
    assert_eq!(acknowledged(&producer).len(), 100);

    // Both know the secret.
    let stranger = cluster.join(&Broker::launch()).unwrap_err().to_string();
    assert!(stranger.contains("no broker of the cluster answers"), "{stranger}");
    let refused = "a connection to the cluster port was refused: it does not speak TLS; set the cluster.ssl settings";
    assert!(cluster.brokers()[0].printed().contains(refused), "{}", cluster.brokers()[0].printed());
    let other = cluster.join(&Certificates::new().launch()).unwrap_err().to_string();
    assert!(
        other.contains("its certificate is not by an authority in this broker's cluster.ssl.truststore"),
        "{other}"
    );

    cluster.join(&certificates.launch()).unwrap();
}

#[test]
fn certificates_that_cannot_be_used_stop_the_start_with_file_and_remedy() {
    let _alone = alone();
    let (ours, theirs) = (Certificates::new(), Certificates::new());
    let data = ours.path("data").display().to_string();
    let start = |missing: Option<usize>| {
        let mut arguments =
            vec!["--data-dir".to_owned(), data.clone(), "--listen".to_owned(), "127.0.0.1:0".to_owned()];
        let settings = ours.settings().into_iter().enumerate().filter(|(at, _)| Some(*at) != missing);
        let settings = settings.map(|(_, (key, value))| format!("{key}={value}"));
        for setting in ["cluster.listen=127.0.0.1:0".to_owned(), "cluster.secret=known to all brokers".to_owned()]
            .into_iter()
            .chain(settings)
        {
            arguments.extend(["--set".to_owned(), setting]);
        }
        refusal(&arguments.iter().map(String::as_str).collect::<Vec<&str>>())
    };
    let says = |words: &str, missing| {
        let said = start(missing);
        assert!(said.contains(words), "{said}");
    };
    says("needs cluster.ssl.keystore.key.file as well", Some(1));
    fs::copy(theirs.path("trusted.pem"), ours.path("trusted.pem")).unwrap();
    says("chain.pem is not by an authority in", None);
    fs::copy(theirs.path("key.pem"), ours.path("key.pem")).unwrap();
    fs::copy(theirs.path("chain.pem"), ours.path("chain.pem")).unwrap();
    fs::remove_file(ours.path("key.pem")).unwrap();
    says("key.pem: No such file or directory", None);
}
