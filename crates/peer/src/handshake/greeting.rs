//! The four messages of a handshake, as bytes. See `docs/architecture/peer-protocol.md`.

use model::BrokerId;
use uuid::Uuid;

use crate::secret::PROOF_BYTES;
use crate::{Address, Identity, Secret};

/// What the first two messages begin with.
const MAGIC: &[u8; 8] = b"TIDEPEER";

/// The versions of the protocol that this broker speaks, lowest and highest.
pub(crate) const VERSIONS: (u8, u8) = (1, 1);

/// Length of the first two messages, in all versions.
pub(crate) const OPENING_BYTES: usize = 12 + NONCE_BYTES + PROOF_BYTES;

const NONCE_BYTES: usize = 32;

/// The longest body of the last two messages.
pub(crate) const MAX_BODY_BYTES: usize = 512;

/// The longest words of a refusal.
const MAX_WORDS_BYTES: usize = 400;

const MAX_CLUSTER_BYTES: usize = 64;

/// The first two messages: the dialler's knock, and the challenge that answers it.
pub(crate) struct Opening(pub(crate) [u8; OPENING_BYTES]);

impl Opening {
    const SAID: usize = OPENING_BYTES - PROOF_BYTES;

    /// From the one who dials.
    pub(crate) fn knock(secret: &Secret, nonce: [u8; NONCE_BYTES]) -> Self {
        Opening::new([VERSIONS.0, VERSIONS.1, 0, 0], nonce, |said| secret.prove("tidelog peer knock", &[said]))
    }

    /// Whether whoever knocks has the secret. It may be an echo of another's knock: who comes in shows later.
    pub(crate) fn is_honest_knock(&self, secret: &Secret) -> bool {
        secret.verify("tidelog peer knock", &[&self.0[..Self::SAID]], &self.0[Self::SAID..])
    }

    /// From the one who was dialled.
    pub(crate) fn challenge(secret: &Secret, knock: &Opening, nonce: [u8; NONCE_BYTES]) -> Self {
        let speak = [knock.common_version().unwrap_or(0), VERSIONS.0, VERSIONS.1, 0];
        Opening::new(speak, nonce, |said| secret.prove("tidelog peer challenge", &[&knock.0, said]))
    }

    /// Whether whoever challenges has the secret, now.
    pub(crate) fn is_honest_challenge(&self, secret: &Secret, knock: &Opening) -> bool {
        secret.verify("tidelog peer challenge", &[&knock.0, &self.0[..Self::SAID]], &self.0[Self::SAID..])
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.0.starts_with(MAGIC)
    }

    /// Of a knock: the highest version that both speak.
    pub(crate) fn common_version(&self) -> Option<u8> {
        let (lowest, highest) = (self.0[8], self.0[9]);
        let common = highest.min(VERSIONS.1);
        (common >= lowest.max(VERSIONS.0)).then_some(common)
    }

    /// Of a challenge: the version that was chosen, and those that its sender speaks.
    pub(crate) fn chosen_version(&self) -> (u8, (u8, u8)) {
        (self.0[8], (self.0[9], self.0[10]))
    }

    fn new(speak: [u8; 4], nonce: [u8; NONCE_BYTES], prove: impl FnOnce(&[u8]) -> [u8; PROOF_BYTES]) -> Self {
        let mut bytes = [0; OPENING_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&speak);
        bytes[12..Self::SAID].copy_from_slice(&nonce);
        let proof = prove(&bytes[..Self::SAID]);
        bytes[Self::SAID..].copy_from_slice(&proof);
        Opening(bytes)
    }
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// To be the one between two brokers.
    Pair = 1,
    /// For calls of the one who dials.
    Ask = 2,
}

/// Calls that are taken at a time, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Windows {
    pub(crate) urgent: u32,
    pub(crate) bulk: u32,
}

/// The third message: who dials, whom, and what for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Introduction {
    pub(crate) purpose: Purpose,
    /// Whom it takes the other for; of asking, whoever is there.
    pub(crate) to: Option<BrokerId>,
    pub(crate) windows: Windows,
    pub(crate) identity: Identity,
}

/// The fourth: the one who was dialled comes out of the dark, or does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Welcome { windows: Windows, identity: Identity },
    Refusal(Refusal),
}

/// Why a broker that has the secret is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// For the operator of the one who is refused.
    pub(crate) words: String,
}

/// What a refused broker does about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// It is of another cluster, has another's node id, or meant another: a person has to see to it.
    Misplaced = 1,
    /// It has dialled itself.
    Myself = 2,
    /// There is a connection that the lower of both ids has dialled.
    Duplicate = 3,
    /// Try again later.
    Later = 4,
}

impl Introduction {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = vec![self.purpose as u8];
        body.extend(self.to.map_or(-1, |broker| broker.0).to_le_bytes());
        put_windows(&mut body, self.windows);
        put_identity(&mut body, &self.identity);
        body
    }

    /// `None` if it is malformed. What follows the known fields is a later version's.
    pub(crate) fn decode(mut body: &[u8]) -> Option<Self> {
        let purpose = match take(&mut body)? {
            [1] => Purpose::Pair,
            [2] => Purpose::Ask,
            _ => return None,
        };
        let to = i32::from_le_bytes(take(&mut body)?);
        let windows = take_windows(&mut body)?;
        let identity = take_identity(&mut body)?;
        Some(Introduction { purpose, to: (to >= 0).then_some(BrokerId(to)), windows, identity })
    }
}

impl Answer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Answer::Welcome { windows, identity } => {
                let mut body = vec![0];
                put_windows(&mut body, *windows);
                put_identity(&mut body, identity);
                body
            }
            Answer::Refusal(Refusal { reason, words }) => {
                let mut body = vec![*reason as u8];
                body.extend(words[..words.floor_char_boundary(MAX_WORDS_BYTES)].bytes());
                body
            }
        }
    }

    pub(crate) fn decode(mut body: &[u8]) -> Option<Self> {
        let reason = match take(&mut body)? {
            [0] => {
                let windows = take_windows(&mut body)?;
                return Some(Answer::Welcome { windows, identity: take_identity(&mut body)? });
            }
            [1] => Reason::Misplaced,
            [2] => Reason::Myself,
            [3] => Reason::Duplicate,
            _ => Reason::Later,
        };
        Some(Answer::Refusal(Refusal { reason, words: String::from_utf8_lossy(body).into_owned() }))
    }
}

fn put_windows(body: &mut Vec<u8>, windows: Windows) {
    body.extend(windows.urgent.to_le_bytes());
    body.extend(windows.bulk.to_le_bytes());
}

fn take_windows(body: &mut &[u8]) -> Option<Windows> {
    let urgent = u32::from_le_bytes(take(body)?);
    Some(Windows { urgent, bulk: u32::from_le_bytes(take(body)?) })
}

/// An identity, as it stands in handshakes and in frames.
pub(crate) fn put_identity(body: &mut Vec<u8>, identity: &Identity) {
    let Identity { broker, directory, incarnation, address, cluster } = identity;
    let cluster = cluster.as_deref().unwrap_or_default();
    body.extend(broker.0.to_le_bytes());
    body.extend(directory.as_bytes());
    body.extend(incarnation.to_le_bytes());
    body.extend(address.port.to_le_bytes());
    for text in [address.host.as_str(), cluster] {
        body.push(text.len() as u8);
        body.extend(text.as_bytes());
    }
}

/// The reverse, if it is one.
pub(crate) fn take_identity(body: &mut &[u8]) -> Option<Identity> {
    let broker = BrokerId(i32::from_le_bytes(take(body)?));
    let directory = Uuid::from_bytes(take(body)?);
    let incarnation = u64::from_le_bytes(take(body)?);
    let port = u16::from_le_bytes(take(body)?);
    let address = Address { host: take_text(body)?, port };
    let cluster = Some(take_text(body)?).filter(|cluster| !cluster.is_empty());
    let identity = Identity { broker, directory, incarnation, address, cluster };
    is_legal(&identity).then_some(identity)
}

/// Whether an identity fits into a handshake.
pub(crate) fn is_legal(identity: &Identity) -> bool {
    let cluster = identity.cluster.as_ref();
    identity.broker.0 >= 0
        && identity.address.is_legal()
        && cluster.is_none_or(|id| id.len() <= MAX_CLUSTER_BYTES && id.chars().all(|c| c.is_ascii_graphic()))
}

fn take<const N: usize>(body: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, rest) = body.split_first_chunk()?;
    *body = rest;
    Some(*bytes)
}

fn take_text(body: &mut &[u8]) -> Option<String> {
    let [length] = take(body)?;
    let (text, rest) = body.split_at_checked(usize::from(length))?;
    *body = rest;
    String::from_utf8(text.to_vec()).ok()
}
