//! Requests at fixed times, whatever is answered. Latency counts from the time at which a request was
//! due, so that a broker that stops for a while pays for all that would have come meanwhile.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use wire::FrameReader;

use super::{How, PARTITIONS, TOPIC};
use crate::Failure;
use crate::contender::Started;
use crate::figures::Figures;
use crate::requests::{VALUE_BYTES, check_produced, produce};

const REQUESTS_PER_SECOND: u32 = 10_000;
const CONNECTIONS: usize = 10;
const MAX_FRAME_BYTES: usize = 1 << 20;

pub(super) fn run(broker: &mut Started, how: &How) -> Result<Figures, Failure> {
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        connections.push(Paced::open(&broker.address(), number)?);
    }
    let begun = Instant::now();
    let (from, to) = (begun + how.warm_up, begun + how.warm_up + how.measured);
    let interval = Duration::from_secs(1) / REQUESTS_PER_SECOND;
    let mut before = None;
    let mut due = begun;
    for number in (0..CONNECTIONS).cycle() {
        if due >= from && before.is_none() {
            before = Some(broker.usage());
        }
        if due >= to {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        connections[number].send(due)?;
        due += interval;
    }
    let (elapsed, after) = (from.elapsed(), broker.usage());
    let mut latencies = Vec::new();
    for connection in connections {
        let answered = connection.end()?;
        latencies.extend(answered.into_iter().filter(|(due, _)| *due >= from).map(|(_, latency)| latency));
    }
    let records = latencies.len() as u64;
    let usage = after.zip(before.flatten()).map(|(after, before)| after - before);
    Ok(Figures::new(elapsed, records, records * VALUE_BYTES as u64, latencies).used(usage))
}

/// When a request was due, and how long after that it was answered.
type Answered = Vec<(Instant, Duration)>;

/// A connection with a thread that reads its answers.
struct Paced {
    stream: TcpStream,
    frame: Bytes,
    sent: Sender<Instant>,
    reader: thread::JoinHandle<Result<Answered, String>>,
}

impl Paced {
    fn open(address: &str, number: usize) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let frame = produce(TOPIC, number as i32 % PARTITIONS, 1)?;
        let (sent, due) = channel();
        let answers = stream.try_clone()?;
        let reader = thread::spawn(move || read(answers, &due).map_err(|error| error.to_string()));
        Ok(Paced { stream, frame, sent, reader })
    }

    fn send(&mut self, due: Instant) -> Result<(), Failure> {
        self.sent.send(due)?;
        self.stream.write_all(&self.frame)?;
        Ok(())
    }

    fn end(self) -> Result<Answered, Failure> {
        drop(self.sent);
        Ok(self.reader.join().map_err(|_| "a reader panicked")??)
    }
}

/// Reads one answer for each request, until no more are sent.
fn read(mut stream: TcpStream, requests: &Receiver<Instant>) -> Result<Answered, Failure> {
    let mut frames = FrameReader::new(MAX_FRAME_BYTES);
    let mut arrived = [0; 64 << 10];
    let mut answered = Vec::new();
    for due in requests {
        let answer = loop {
            match frames.next_frame()? {
                Some(frame) => break frame,
                None => match stream.read(&mut arrived)? {
                    0 => return Err("the broker closed the connection".into()),
                    count => frames.buffer().extend_from_slice(&arrived[..count]),
                },
            }
        };
        answered.push((due, due.elapsed()));
        check_produced(answer)?;
    }
    Ok(answered)
}
