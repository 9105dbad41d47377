//! Both ends prove that they have the cluster's secret, then say who they are.
//!
//! Whoever knocks without the secret gets no byte in return. Nothing of what is read before the proof is kept,
//! and no message is longer than some hundred bytes.

pub(crate) mod greeting;

use std::io::{self, ErrorKind};

use model::Random;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::secret::PROOF_BYTES;
use crate::{Identity, Secret, Stream, tls};
use greeting::{Answer, Introduction, MAX_BODY_BYTES, OPENING_BYTES, Opening, Refusal, VERSIONS, Windows};

/// Why a handshake came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("the connection broke during the handshake: {0}")]
    Broken(io::Error),
    /// Below it, where there is TLS.
    #[error("{0}")]
    Tls(String),
    #[error("the handshake took too long; check the other broker and the network between")]
    TooSlow,
    /// To the one who dials: what a broker does to whoever has another secret.
    #[error(
        "it closed the connection without a word, as a broker does whose cluster secret is another one; \
         give all brokers of the cluster the same secret"
    )]
    Unanswered,
    /// To the one who was dialled.
    #[error("it does not know the cluster's secret; if it is a broker of this cluster, give it the same secret")]
    WrongSecret,
    #[error("what listens there is no cluster port of a broker; check the address")]
    Foreign,
    #[error(
        "it speaks versions {0} to {1} of the brokers' protocol, this broker {low} to {high}; upgrade the older one",
        low = VERSIONS.0, high = VERSIONS.1
    )]
    Version(u8, u8),
    #[error("it sent what could not be understood; run the same version on both brokers")]
    Malformed,
    #[error("{}", .0.words)]
    Refused(Refusal),
}

impl From<io::Error> for HandshakeError {
    fn from(why: io::Error) -> Self {
        tls::objection(&why).map_or_else(|| HandshakeError::Broken(why), HandshakeError::Tls)
    }
}

/// The handshake of the one who dials. Returns what the other end takes, and who it is.
pub(crate) async fn dial(
    stream: &mut dyn Stream,
    secret: &Secret,
    random: &dyn Random,
    me: &Introduction,
) -> Result<(Windows, Identity), HandshakeError> {
    let knock = Opening::knock(secret, nonce(random));
    stream.write_all(&knock.0).await?;
    stream.flush().await?;
    let challenge = read_opening(stream).await.map_err(|why| match why.kind() {
        ErrorKind::UnexpectedEof => HandshakeError::Unanswered,
        _ => why.into(),
    })?;
    if !challenge.is_ours() {
        return Err(HandshakeError::Foreign);
    }
    if !challenge.is_honest_challenge(secret, &knock) {
        return Err(HandshakeError::WrongSecret);
    }
    let (chosen, (lowest, highest)) = challenge.chosen_version();
    if !(VERSIONS.0..=VERSIONS.1).contains(&chosen) {
        return Err(HandshakeError::Version(lowest, highest));
    }
    let introduction = Sealed::seal(secret, "tidelog peer introduction", &[&knock.0, &challenge.0], me.encode());
    introduction.write(stream).await?;
    let answer = Sealed::read(stream).await?;
    let said = [&knock.0[..], &challenge.0, &introduction.0];
    let body = answer.open(secret, "tidelog peer answer", &said).ok_or(HandshakeError::WrongSecret)?;
    match Answer::decode(body).ok_or(HandshakeError::Malformed)? {
        Answer::Refusal(refusal) => Err(HandshakeError::Refused(refusal)),
        Answer::Welcome { windows, identity } => Ok((windows, identity)),
    }
}

/// The one who was dialled, knows who dials, and has not answered yet.
pub(crate) struct Introduced {
    pub(crate) introduction: Introduction,
    said: Vec<u8>,
}

/// The first half of the handshake of the one who was dialled.
pub(crate) async fn receive(
    stream: &mut dyn Stream,
    secret: &Secret,
    random: &dyn Random,
) -> Result<Introduced, HandshakeError> {
    let knock = read_opening(stream).await?;
    if !knock.is_ours() {
        return Err(HandshakeError::Foreign);
    }
    if !knock.is_honest_knock(secret) {
        return Err(HandshakeError::WrongSecret);
    }
    let challenge = Opening::challenge(secret, &knock, nonce(random));
    stream.write_all(&challenge.0).await?;
    stream.flush().await?;
    if knock.common_version().is_none() {
        return Err(HandshakeError::Version(knock.0[8], knock.0[9]));
    }
    let introduction = Sealed::read(stream).await?;
    let said = [&knock.0[..], &challenge.0];
    let body = introduction.open(secret, "tidelog peer introduction", &said).ok_or(HandshakeError::WrongSecret)?;
    let said = [&knock.0[..], &challenge.0, &introduction.0].concat();
    Ok(Introduced { introduction: Introduction::decode(body).ok_or(HandshakeError::Malformed)?, said })
}

impl Introduced {
    /// The second half.
    pub(crate) async fn answer(
        &self,
        stream: &mut dyn Stream,
        secret: &Secret,
        answer: &Answer,
    ) -> Result<(), HandshakeError> {
        let sealed = Sealed::seal(secret, "tidelog peer answer", &[&self.said], answer.encode());
        Ok(sealed.write(stream).await?)
    }
}

/// A body with its length before it and its proof behind it.
struct Sealed(Vec<u8>);

impl Sealed {
    fn seal(secret: &Secret, purpose: &str, said: &[&[u8]], body: Vec<u8>) -> Self {
        assert!(body.len() <= MAX_BODY_BYTES, "an identity was checked, and words were cut, to fit");
        let mut bytes = (body.len() as u16).to_le_bytes().to_vec();
        bytes.extend(body);
        let proof = secret.prove(purpose, &[said, &[&bytes]].concat());
        bytes.extend(proof);
        Sealed(bytes)
    }

    /// The body, if whoever sent it has the secret.
    fn open(&self, secret: &Secret, purpose: &str, said: &[&[u8]]) -> Option<&[u8]> {
        let (message, proof) = self.0.split_at(self.0.len() - PROOF_BYTES);
        secret.verify(purpose, &[said, &[message]].concat(), proof).then_some(&message[2..])
    }

    async fn read(stream: &mut dyn Stream) -> Result<Self, HandshakeError> {
        let mut length = [0; 2];
        stream.read_exact(&mut length).await?;
        let body = usize::from(u16::from_le_bytes(length));
        if body > MAX_BODY_BYTES {
            return Err(HandshakeError::Malformed);
        }
        let mut bytes = vec![0; 2 + body + PROOF_BYTES];
        bytes[..2].copy_from_slice(&length);
        stream.read_exact(&mut bytes[2..]).await?;
        Ok(Sealed(bytes))
    }

    async fn write(&self, stream: &mut dyn Stream) -> io::Result<()> {
        stream.write_all(&self.0).await?;
        stream.flush().await
    }
}

async fn read_opening(stream: &mut dyn Stream) -> io::Result<Opening> {
    let mut bytes = [0; OPENING_BYTES];
    stream.read_exact(&mut bytes).await?;
    Ok(Opening(bytes))
}

/// The seam promises ids, not secrets; a nonce need only never come twice, and not be guessed before.
fn nonce(random: &dyn Random) -> [u8; 32] {
    let mut nonce = [0; 32];
    nonce[..16].copy_from_slice(&random.bytes());
    nonce[16..].copy_from_slice(&random.bytes());
    nonce
}
