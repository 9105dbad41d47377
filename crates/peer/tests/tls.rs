//! Mutual TLS between brokers.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use model::{BrokerId, Clock, SystemClock, SystemRandom};
use peer::{
    Address, BoxFuture, Credentials, Dialer, Identity, Message, Options, PeerState, Peers, PemFile, ReadCredentials,
    Secret, Service, Stream, TcpDialer, TlsDialer, TlsError, Urgency,
};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use uuid::Uuid;

/// Signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// What a broker at that host has.
    fn credentials(&self, host: &str) -> Credentials {
        self.credentials_with(host, |_| {})
    }

    fn credentials_with(&self, host: &str, change: impl Fn(&mut CertificateParams)) -> Credentials {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        change(&mut params);
        let file = |name: &str, text: String| PemFile { name: name.to_owned(), text: text.into() };
        Credentials {
            chain: file("chain.pem", params.signed_by(&key, &self.issuer).unwrap().pem()),
            key: file("key.pem", key.serialize_pem()),
            trusted: file("trusted.pem", self.pem.clone()),
        }
    }
}

/// Files that may change.
#[derive(Clone)]
struct Files(Arc<Mutex<Credentials>>);

impl ReadCredentials for Files {
    fn read(&self) -> BoxFuture<Result<Credentials, TlsError>> {
        let now = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(now) })
    }
}

/// Hands the other end of what is dialled to whoever is to accept it.
#[derive(Debug)]
struct Wire(mpsc::UnboundedSender<DuplexStream>);

impl Dialer for Wire {
    fn dial(&self, _: &Address) -> BoxFuture<io::Result<Box<dyn Stream>>> {
        let (near, far) = duplex(64 << 10);
        self.0.send(far).unwrap();
        Box::pin(async move { Ok(Box::new(near) as Box<dyn Stream>) })
    }
}

/// A broker, as far as its connections go.
struct End {
    dialer: TlsDialer,
    files: Files,
    dialled: tokio::sync::Mutex<mpsc::UnboundedReceiver<DuplexStream>>,
}

const HOST: &str = "broker.example";

fn address(host: &str) -> Address {
    Address { host: host.to_owned(), port: 9093 }
}

async fn try_end(credentials: Credentials, checks_names: bool) -> Result<End, TlsError> {
    let (wire, dialled) = mpsc::unbounded_channel();
    let files = Files(Arc::new(Mutex::new(credentials)));
    let source = Arc::new(files.clone());
    let dialer =
        TlsDialer::new(Arc::new(Wire(wire)), source, Arc::new(SystemClock), &address(HOST), checks_names).await?;
    Ok(End { dialer, files, dialled: dialled.into() })
}

async fn end(credentials: Credentials) -> End {
    try_end(credentials, true).await.unwrap()
}

/// What becomes of a connection, at the one who dials and at the one who is dialled.
async fn meet(from: &End, to: &End) -> [Result<(), String>; 2] {
    let dialling = async {
        let mut stream = from.dialer.dial(&address(HOST)).await?;
        stream.write_all(b"knock").await?;
        stream.flush().await?;
        stream.read_exact(&mut [0; 5]).await
    };
    let accepting = async {
        let stream = from.dialled.lock().await.recv().await.unwrap();
        let mut stream = to.dialer.accept(Box::new(stream)).await?;
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await?;
        stream.write_all(&heard).await?;
        stream.flush().await
    };
    let (dialled, accepted) = tokio::join!(dialling, accepting);
    [dialled.map(drop), accepted].map(|end| end.map_err(|why: io::Error| why.to_string()))
}

#[track_caller]
fn refused(end: &Result<(), String>, words: &str) {
    assert!(end.as_ref().is_err_and(|why| why.contains(words)), "{end:?}, and not {words}");
}

#[tokio::test(start_paused = true)]
async fn brokers_with_certificates_by_one_authority_meet() {
    let authority = Authority::new();
    let (one, other) = (end(authority.credentials(HOST)).await, end(authority.credentials(HOST)).await);
    assert_eq!(meet(&one, &other).await, [Ok(()), Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn a_broker_by_another_authority_is_refused_at_either_end_and_both_say_why() {
    let (one, other) = (Authority::new(), Authority::new());
    let (ours, theirs) = (end(one.credentials(HOST)).await, end(other.credentials(HOST)).await);
    for (from, to) in [(&ours, &theirs), (&theirs, &ours)] {
        let [dialled, accepted] = meet(from, to).await;
        refused(&dialled, "not by an authority in this broker's cluster.ssl.truststore");
        refused(&accepted, "it does not trust the authority of this broker's certificate");
    }
    // Trusted by one of both only.
    let mut both = one.credentials(HOST);
    both.trusted.text.extend(other.pem.as_bytes());
    let both = end(both).await;
    let [dialled, accepted] = meet(&both, &theirs).await;
    assert!(dialled.is_err());
    refused(&accepted, "not by an authority in this broker's cluster.ssl.truststore");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_without_a_certificate_is_let_in_nowhere() {
    let authority = Authority::new();
    let broker = end(authority.credentials(HOST)).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let stranger = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let stranger = TlsConnector::from(Arc::new(stranger.with_root_certificates(roots).with_no_client_auth()));
    let (near, far) = duplex(64 << 10);
    let knocking = async {
        let mut stream = stranger.connect(ServerName::try_from(HOST).unwrap(), near).await?;
        stream.write_all(b"knock").await?;
        stream.read_to_end(&mut Vec::new()).await
    };
    let accepting = async { broker.dialer.accept(Box::new(far)).await.map(drop) };
    let (knocked, accepted) = tokio::join!(knocking, accepting);
    assert!(knocked.is_err_and(|why| why.to_string().contains("CertificateRequired")));
    refused(&accepted.map_err(|why| why.to_string()), "it shows no certificate");
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_speak_tls_is_told_apart_from_one_that_breaks_off() {
    let broker = end(Authority::new().credentials(HOST)).await;
    let (mut near, far) = duplex(64 << 10);
    near.write_all(b"TIDEPEER and more of it").await.unwrap();
    let plain = broker.dialer.accept(Box::new(far)).await.map(drop).unwrap_err();
    assert_eq!(plain.kind(), ErrorKind::InvalidData);
    refused(&Err(plain.to_string()), "it does not speak TLS; set the cluster.ssl settings on all brokers");
    let breaking_off = async { drop(broker.dialled.lock().await.recv().await) };
    let (dialled, ()) = tokio::join!(broker.dialer.dial(&address(HOST)), breaking_off);
    let broken_off = dialled.map(drop).unwrap_err();
    assert_eq!(broken_off.kind(), ErrorKind::UnexpectedEof);
    refused(&Err(broken_off.to_string()), "as a broker does that has no cluster.ssl settings");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_for_another_host_will_do_only_where_names_are_not_looked_at() {
    let authority = Authority::new();
    let own = try_end(authority.credentials("other.example"), true).await.err().unwrap().to_string();
    refused(&Err(own), "the certificate in chain.pem is not for broker.example, where other brokers reach this one");
    let other = try_end(authority.credentials("other.example"), false).await.unwrap();
    let [dialled, accepted] = meet(&end(authority.credentials(HOST)).await, &other).await;
    refused(&dialled, "its certificate is for another host");
    assert!(accepted.is_err());
    let lax = try_end(authority.credentials(HOST), false).await.unwrap();
    assert_eq!(meet(&lax, &other).await, [Ok(()), Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn what_others_would_refuse_is_refused_at_the_start_with_file_and_remedy() {
    let authority = Authority::new();
    let good = || authority.credentials(HOST);
    let file = |name: &str, text: &str| PemFile { name: name.to_owned(), text: text.as_bytes().to_vec() };
    let year = |from, to| {
        authority.credentials_with(HOST, move |params| {
            (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        })
    };
    let for_servers_only = authority.credentials_with(HOST, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\nAA*A\n-----END CERTIFICATE-----\n";
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (credentials, words) in [
        (Credentials { chain: file("c", ""), ..good() }, "there is no certificate in c; put one there"),
        (Credentials { chain: file("c", broken), ..good() }, "c is not in PEM"),
        (Credentials { chain: file("c", nonsense), ..good() }, "the certificate in c can't be used"),
        (
            Credentials { key: file("k", locked), ..good() },
            "there is no private key in k that can be read without a password",
        ),
        (
            Credentials { key: good().key, ..good() },
            "the private key in key.pem is not that of the first certificate in chain.pem",
        ),
        (Credentials { trusted: file("t", ""), ..good() }, "there is no certificate in t"),
        (Credentials { trusted: file("t", nonsense), ..good() }, "a certificate in t can't be used"),
        (
            Credentials { trusted: Authority::new().credentials(HOST).trusted, ..good() },
            "not by an authority in trusted.pem",
        ),
        (year(2001, 2002), "the certificate in chain.pem has expired; renew it"),
        (year(2901, 2902), "the certificate in chain.pem is not valid yet"),
        (for_servers_only, "extended key usages serverAuth and clientAuth"),
    ] {
        let why = try_end(credentials, true).await.err().map(|why| why.to_string());
        assert!(why.as_ref().is_some_and(|why| why.contains(words)), "{why:?}, and not {words}");
    }
}

#[tokio::test(start_paused = true)]
async fn certificates_are_renewed_without_a_restart_and_bad_ones_change_nothing() {
    let (old, new) = (Authority::new(), Authority::new());
    let (one, other) = (end(old.credentials(HOST)).await, end(old.credentials(HOST)).await);
    let later = || tokio::time::advance(Duration::from_secs(2));
    one.files.0.lock().unwrap().key.text.clear();
    later().await;
    assert_eq!(meet(&one, &other).await, [Ok(()), Ok(())], "half written files");
    *one.files.0.lock().unwrap() = new.credentials(HOST);
    later().await;
    assert!(meet(&one, &other).await[0].is_err(), "the other one has the old ones still");
    *other.files.0.lock().unwrap() = new.credentials(HOST);
    later().await;
    assert_eq!(meet(&one, &other).await, [Ok(()), Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_runs_out_later_is_refused_from_then_on() {
    struct Later;
    impl Clock for Later {
        fn now_ms(&self) -> i64 {
            SystemClock.now_ms() + 400 * 86_400_000
        }
    }
    let authority = Authority::new();
    let year = this_year();
    let soon = |params: &mut CertificateParams| params.not_after = date_time_ymd(year + 1, 1, 1);
    let short = end(authority.credentials_with(HOST, soon)).await;
    let (wire, dialled) = mpsc::unbounded_channel();
    let files = Files(Arc::new(Mutex::new(authority.credentials(HOST))));
    let (wire, source) = (Arc::new(Wire(wire)), Arc::new(files.clone()));
    let dialer = TlsDialer::new(wire, source, Arc::new(Later), &address(HOST), true).await.unwrap();
    let in_a_year = End { dialer, files, dialled: dialled.into() };
    let [dialled, accepted] = meet(&in_a_year, &short).await;
    refused(&dialled, "its certificate has expired; renew it");
    refused(&accepted, "it says that this broker's certificate has expired");
}

/// The year that it is.
fn this_year() -> i32 {
    1970 + i32::try_from(SystemClock.now_ms() / (86_400_000 * 1461 / 4)).unwrap()
}

struct Echo;

impl Service for Echo {
    fn serve(&self, _: &Identity, _: u8, body: Bytes) -> BoxFuture<Result<Message, String>> {
        Box::pin(async move { Ok(body.into()) })
    }

    fn news(&self) -> Bytes {
        Bytes::new()
    }

    fn heard(&self, _: &Identity, _: Bytes) {}
}

async fn broker(id: i32, credentials: Option<Credentials>) -> Peers {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address { host: "localhost".to_owned(), port: socket.local_addr().unwrap().port() };
    let me = Identity::new(BrokerId(id), Uuid::from_u128(id as u128), address.clone(), None, &SystemRandom);
    let mut dialer: Arc<dyn Dialer> = Arc::new(TcpDialer);
    if let Some(credentials) = credentials {
        let files = Arc::new(Files(Arc::new(Mutex::new(credentials))));
        dialer = Arc::new(TlsDialer::new(dialer, files, Arc::new(SystemClock), &address, true).await.unwrap());
    }
    let secret: Secret = "known to all brokers".parse().unwrap();
    let peers = Peers::new(me, secret, Options::default(), dialer, Arc::new(Echo), Arc::new(SystemRandom));
    peers.listen(socket);
    peers
}

fn know(peers: &Peers, other: &Peers) {
    peers.know([(other.me().broker, other.me().address.clone())].into());
}

async fn see(peers: &Peers, other: &Peers, what: impl Fn(&PeerState) -> bool) {
    let (mut states, other) = (peers.states(), other.me().broker);
    let seen = states.wait_for(|states| states.get(&other).is_some_and(&what));
    if tokio::time::timeout(Duration::from_secs(20), seen).await.is_err() {
        panic!("{other}: {:?}", peers.states().borrow());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_and_heartbeats_go_over_tls_and_nobody_else_gets_in_with_the_secret_alone() {
    let authority = Authority::new();
    let (first, second) = (
        broker(1, Some(authority.credentials("localhost"))).await,
        broker(2, Some(authority.credentials("localhost"))).await,
    );
    know(&first, &second);
    know(&second, &first);
    see(&first, &second, PeerState::is_up).await;
    see(&second, &first, PeerState::is_up).await;
    let large: Bytes = (0..3_000_000_u32).map(|at| (at * 31 + at / 251) as u8).collect();
    let message = Message::new(vec![7; 100], vec![large.clone()]);
    let echo = first.call(BrokerId(2), 1, Urgency::Bulk, message).await.unwrap();
    assert!(echo[..100] == [7; 100] && echo[100..] == large);

    let (plain, stranger) = (broker(3, None).await, broker(4, Some(Authority::new().credentials("localhost"))).await);
    let down =
        |words: &'static str| move |it: &PeerState| matches!(it, PeerState::Down { why, .. } if why.contains(words));
    for (who, words) in [(&plain, "without a word"), (&stranger, "not by an authority in this broker's")] {
        know(who, &first);
        see(who, &first, down(words)).await;
    }
    first.know([&second, &plain].map(|known| (known.me().broker, known.me().address.clone())).into());
    see(&first, &plain, down("broke off the TLS handshake")).await;
    assert!(first.states().borrow().get(&BrokerId(4)).is_none(), "never heard of");
    for peers in [first, second, plain, stranger] {
        peers.shutdown().await;
    }
}
