//! A connection, as plain as can be: frames out, frames in.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::FrameReader;

use crate::Failure;

/// No answer is larger: `fetch.max.bytes` of consumers is 50 MiB, and one batch may come on top.
const MAX_FRAME_BYTES: usize = 64 << 20;

/// One connection.
pub(crate) struct Exchange {
    stream: TcpStream,
    frames: FrameReader,
    /// When the frames that are not answered yet were sent.
    sent: VecDeque<Instant>,
}

impl Exchange {
    pub(crate) async fn connect(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Exchange { stream, frames: FrameReader::new(MAX_FRAME_BYTES), sent: VecDeque::new() })
    }

    pub(crate) async fn send(&mut self, frame: &[u8]) -> Result<(), Failure> {
        self.sent.push_back(Instant::now());
        self.stream.write_all(frame).await?;
        Ok(())
    }

    /// The answer to the oldest frame, and when that was sent.
    pub(crate) async fn receive(&mut self) -> Result<(Bytes, Instant), Failure> {
        loop {
            if let Some(frame) = self.frames.next_frame()? {
                let sent = self.sent.pop_front().ok_or("an answer to nothing")?;
                return Ok((frame, sent));
            }
            if self.stream.read_buf(self.frames.buffer()).await? == 0 {
                return Err("the broker closed the connection".into());
            }
        }
    }
}
