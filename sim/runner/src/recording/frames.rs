//! From bytes on connections to requests and answers: which left when, which arrived when, and
//! which answers which.

use std::collections::{BTreeMap, VecDeque};

use bytes::{BufMut, BytesMut};
use protocol::frame::next_frame;
use protocol::{RemotingCommand, ResponseCode};
use timeline::Arrow;

use super::words::identities;

/// Header fields that are shown, in letters at the most.
const FIELDS_MAX: usize = 240;

/// All frames of a run.
#[derive(Default)]
pub(super) struct Frames {
    /// By connection and the end that sends.
    ways: BTreeMap<(u64, usize), Way>,
    /// Requests without an answer so far: connection, the end that asked, opaque.
    asked: BTreeMap<(u64, usize, i32), u32>,
    /// In the order in which they were whole.
    pub(super) arrows: Vec<Arrow>,
}

/// One direction of a connection.
#[derive(Default)]
struct Way {
    /// What was sent and is no whole frame yet.
    buffer: BytesMut,
    /// Bytes sent and bytes read so far.
    sent: u64,
    read: u64,
    /// The writes that hold what is in the buffer: where each began, when, and its event.
    writes: VecDeque<(u64, u64, u32)>,
    /// Frames not read whole yet: where each ends, and its arrow.
    under_way: VecDeque<(u64, u32)>,
    /// Not what a frame begins with: the rest cannot be told either.
    garbled: bool,
}

/// A piece that went into a connection.
pub(super) struct Piece<'a> {
    /// The connection.
    pub(super) connection: u64,
    /// The end that sent it.
    pub(super) end: usize,
    /// The lanes it goes from and to.
    pub(super) lanes: (u32, u32),
    /// When.
    pub(super) at: u64,
    /// The event.
    pub(super) event: u32,
    /// Its bytes.
    pub(super) bytes: &'a [u8],
}

/// A frame that is whole, for the words of the event it left with.
pub(super) struct Told {
    /// The event.
    pub(super) event: u32,
    /// What it is.
    pub(super) words: String,
    /// The messages it names.
    pub(super) about: Vec<String>,
    /// Its arrow.
    pub(super) arrow: u32,
}

impl Frames {
    /// Takes in a piece that was sent, and gives the frames that it completes.
    pub(super) fn sent(&mut self, piece: &Piece<'_>) -> Vec<Told> {
        let mut told = Vec::new();
        let way = self.ways.entry((piece.connection, piece.end)).or_default();
        way.writes.push_back((way.sent, piece.at, piece.event));
        way.sent += piece.bytes.len() as u64;
        if way.garbled {
            return told;
        }
        way.buffer.put_slice(piece.bytes);
        loop {
            let begin = way.sent - way.buffer.len() as u64;
            let frame = match next_frame(&mut way.buffer) {
                Ok(Some(frame)) => frame,
                Ok(None) => return told,
                Err(_) => {
                    way.garbled = true;
                    return told;
                }
            };
            let end = way.sent - way.buffer.len() as u64;
            while way.writes.get(1).is_some_and(|(next, ..)| *next <= begin) {
                way.writes.pop_front();
            }
            let (_, left, event) =
                way.writes.front().copied().unwrap_or((0, piece.at, piece.event));
            let arrow = self.arrows.len() as u32;
            way.under_way.push_back((end, arrow));
            let command = frame.decode().ok();
            let about = command.as_ref().map(named).unwrap_or_default();
            let (label, words, answers, refusal) = describe(command, piece, &mut self.asked, arrow);
            let (from, to) = piece.lanes;
            let (arrived, about_later) = (None, Vec::new());
            self.arrows.push(Arrow {
                from,
                to,
                left,
                arrived,
                label,
                event,
                answers,
                refusal,
                about: about_later,
            });
            told.push(Told { event, words, about, arrow });
        }
    }

    /// Notes that so many bytes were read that the end `from` had sent, and gives the arrows that
    /// arrived with them.
    pub(super) fn read(&mut self, connection: u64, from: usize, count: u64, at: u64) -> Vec<u32> {
        let mut arrived = Vec::new();
        let Some(way) = self.ways.get_mut(&(connection, from)) else { return arrived };
        way.read += count;
        while let Some((end, arrow)) = way.under_way.front().copied()
            && end <= way.read
        {
            way.under_way.pop_front();
            self.arrows[arrow as usize].arrived = Some(at);
            arrived.push(arrow);
        }
        arrived
    }
}

/// The messages that a frame names, in its header or in its body.
fn named(command: &RemotingCommand) -> Vec<String> {
    let in_fields = command.ext_fields.iter().flat_map(|(_, value)| identities(value.as_bytes()));
    in_fields.chain(identities(&command.body)).collect()
}

type Asked = BTreeMap<(u64, usize, i32), u32>;

/// Label, words, what it answers, and whether it refuses.
fn describe(
    command: Option<RemotingCommand>,
    piece: &Piece<'_>,
    asked: &mut Asked,
    arrow: u32,
) -> (String, String, Option<u32>, bool) {
    let Some(command) = command else {
        return ("?".to_owned(), "a frame that cannot be read".to_owned(), None, true);
    };
    let (connection, end, opaque) = (piece.connection, piece.end, command.opaque);
    if command.is_response() {
        let name = command.response_code().name().unwrap_or("UNKNOWN");
        let (code, remark) = (command.code, command.remark.as_deref().unwrap_or_default());
        let fields = fields(&command);
        let words = format!("answer {name} ({code}) to request {opaque} {remark}{fields}");
        let answers = asked.remove(&(connection, 1 - end, opaque));
        return (name.to_owned(), words, answers, refuses(command.response_code()));
    }
    let name = command.request_code().name().unwrap_or("UNKNOWN");
    if !command.is_oneway() {
        asked.insert((connection, end, opaque), arrow);
    }
    let oneway = if command.is_oneway() { " oneway" } else { "" };
    let words = format!("{name} ({}) request {opaque}{oneway} {}", command.code, fields(&command));
    (name.to_owned(), words, None, false)
}

/// Whether an answer says that something did not work; to find nothing is no such thing.
fn refuses(code: ResponseCode) -> bool {
    !matches!(
        code,
        ResponseCode::SUCCESS
            | ResponseCode::PULL_NOT_FOUND
            | ResponseCode::PULL_RETRY_IMMEDIATELY
            | ResponseCode::QUERY_NOT_FOUND
    )
}

/// The fields of the header, as far as there is room for them.
fn fields(command: &RemotingCommand) -> String {
    let mut text = String::new();
    for (name, value) in command.ext_fields.iter() {
        text.push_str(&format!("{name}={} ", value.replace(|c: char| c.is_control(), "·")));
    }
    if text.chars().count() > FIELDS_MAX {
        text = text.chars().take(FIELDS_MAX).chain(['…']).collect();
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use protocol::RequestCode;

    use super::*;

    fn bytes(command: &RemotingCommand) -> Vec<u8> {
        let mut frame = BytesMut::new();
        command.encode(&mut frame);
        frame.to_vec()
    }

    fn piece(end: usize, at: u64, bytes: &[u8]) -> Piece<'_> {
        let lanes = if end == 0 { (5, 6) } else { (6, 5) };
        Piece { connection: 7, end, lanes, at, event: at as u32, bytes }
    }

    #[test]
    fn a_request_leaves_with_its_first_byte_and_arrives_with_its_last() {
        let mut frames = Frames::default();
        let request = RemotingCommand::request_without_header(RequestCode::HEART_BEAT);
        let request = RemotingCommand { opaque: 3, ..request.with_body("1.2.0;") };
        let sent = bytes(&request);
        // It goes in two pieces, and the second holds the next one, too.
        assert!(frames.sent(&piece(0, 10, &sent[..9])).is_empty());
        let rest = [&sent[9..], &sent].concat();
        let told = frames.sent(&piece(0, 20, &rest));
        assert_eq!(told.iter().map(|told| told.event).collect::<Vec<_>>(), [10, 20]);
        assert_eq!(told[0].about, ["1.2.0;"]);
        assert!(told[0].words.starts_with("HEART_BEAT (34) request 3"), "{}", told[0].words);
        assert!(frames.read(7, 0, sent.len() as u64 - 1, 30).is_empty());
        assert_eq!(frames.read(7, 0, 1, 40), [0]);
        let first = &frames.arrows[0];
        assert_eq!((first.from, first.to, first.left, first.arrived), (5, 6, 10, Some(40)));
        assert_eq!(frames.arrows[1].arrived, None);
    }

    #[test]
    fn an_answer_finds_its_request_and_garbage_ends_the_way() {
        let mut frames = Frames::default();
        let request = RemotingCommand::request_without_header(RequestCode::PULL_MESSAGE);
        frames.sent(&piece(0, 1, &bytes(&request)));
        let answer = RemotingCommand::response_to(&request, ResponseCode::SYSTEM_BUSY);
        frames.sent(&piece(1, 2, &bytes(&answer)));
        assert_eq!((frames.arrows[1].answers, frames.arrows[1].refusal), (Some(0), true));
        assert_eq!(frames.arrows[1].label, "SYSTEM_BUSY");
        assert!(frames.sent(&piece(1, 3, &[0xff; 12])).is_empty());
        assert!(frames.sent(&piece(1, 4, &bytes(&answer))).is_empty());
    }
}
