//! What the leader of the controller's group answers to a command that another broker sent it.
//!
//! Like a command: one byte of format version, one byte of kind, a MessagePack map with names
//! (`docs/architecture/cluster-image.md`). An outcome that a newer build introduced can't be read
//! by an older one, which then does not know what became of its command, and says so.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use model::BrokerId;
use serde::{Deserialize, Serialize};

use crate::apply::{Outcome, Refusal};
use crate::format::{self, FormatError};

/// Format version of an answer that this build writes, and the newest that it reads.
const ANSWER_VERSION: u8 = 1;

const APPLIED: u8 = 1;
const NOT_LEADER: u8 = 2;
const UNKNOWN: u8 = 3;

/// What became of a command.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Answer {
    /// It was applied, or refused: both are the same wherever it is asked.
    Applied(Applied),
    /// Nothing was written: another broker leads, or will.
    NotLeader(NotLeader),
    /// It may have been written.
    Unknown(Unknown),
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Applied {
    /// Where it stands in the log; 0 for what was refused without being written.
    pub(crate) index: u64,
    pub(crate) outcome: Result<Outcome, Refusal>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct NotLeader {
    pub(crate) leader: Option<BrokerId>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Unknown {
    pub(crate) reason: String,
}

impl Answer {
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Answer::Applied(Applied { index: 0, outcome: Err(refusal) })
    }

    pub(crate) fn encode(&self) -> Bytes {
        match self {
            Answer::Applied(body) => encode(APPLIED, body),
            Answer::NotLeader(body) => encode(NOT_LEADER, body),
            Answer::Unknown(body) => encode(UNKNOWN, body),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Answer, FormatError> {
        let body = format::check_version("controller's answer", ANSWER_VERSION, bytes)?;
        let (kind, fields) = body.split_first().ok_or(FormatError::Empty { what: "controller's answer" })?;
        match *kind {
            APPLIED => read(fields).map(Answer::Applied),
            NOT_LEADER => read(fields).map(Answer::NotLeader),
            UNKNOWN => read(fields).map(Answer::Unknown),
            unknown => Err(FormatError::UnknownAnswer { kind: unknown }),
        }
    }
}

fn encode(kind: u8, body: &impl Serialize) -> Bytes {
    let mut answer = vec![ANSWER_VERSION, kind];
    format::write_fields(&mut answer, body);
    answer.into()
}

fn read<T: serde::de::DeserializeOwned>(fields: &[u8]) -> Result<T, FormatError> {
    format::read_fields("controller's answer", fields)
}
