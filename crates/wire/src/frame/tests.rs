use super::*;

/// Gives `bytes` to a reader as a socket would, at most `step` at a time.
fn feed(reader: &mut FrameReader, mut bytes: &[u8], step: usize) -> Vec<Bytes> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let buffer = reader.buffer();
        let room = buffer.capacity() - buffer.len();
        assert!(room > 0, "a socket always has room to read into");
        let (now, later) = bytes.split_at(step.min(room).min(bytes.len()));
        buffer.extend_from_slice(now);
        bytes = later;
        while let Some(frame) = reader.next_frame().unwrap() {
            frames.push(frame);
        }
    }
    frames
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes()[..], body].concat()
}

#[test]
fn frames_come_out_as_they_went_in_however_they_arrive() {
    let bodies: Vec<Vec<u8>> = [0, 1, 100, 70_000, 300_000, 5].map(|length| vec![length as u8; length]).into();
    let stream: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
    for step in [1, 7, 4096, stream.len()] {
        let mut reader = FrameReader::new(1_000_000);
        let frames = feed(&mut reader, &stream, step);
        assert!(frames == bodies, "in steps of {step}");
        assert_eq!(reader.pending_bytes(), 0);
        assert!(reader.arrived.capacity() <= IDLE_BYTES, "an idle reader holds {}", reader.arrived.capacity());
    }
}

#[test]
fn an_announced_length_reserves_nothing() {
    let mut reader = FrameReader::new(100 << 20);
    let frames = feed(&mut reader, &[&(95_000_000u32).to_be_bytes()[..], &[0; 1000]].concat(), 100);
    assert!(frames.is_empty());
    reader.buffer();
    assert!(reader.arrived.capacity() <= IDLE_BYTES + ANNOUNCED_BYTES, "reserved {}", reader.arrived.capacity());
}

#[test]
fn room_is_never_much_more_than_what_arrived() {
    let mut reader = FrameReader::new(100 << 20);
    let stream = framed(&vec![1; 3_000_000]);
    for chunk in stream[..2_900_000].chunks(10_000) {
        feed(&mut reader, chunk, 10_000);
        let (arrived, capacity) = (reader.arrived.len(), reader.arrived.capacity());
        assert!(capacity <= 2 * arrived + ARRIVING_BYTES, "{capacity} for {arrived}");
    }
}

#[test]
fn a_length_out_of_bounds_is_refused_at_once() {
    for announced in [-1, i32::MIN, 1001, i32::MAX] {
        let mut reader = FrameReader::new(1000);
        reader.buffer().extend_from_slice(&announced.to_be_bytes());
        assert_eq!(reader.next_frame(), Err(Malformed::FrameLength { announced, allowed: 1000 }));
    }
}
