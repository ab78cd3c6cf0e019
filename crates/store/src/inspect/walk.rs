//! The CommitLog from record to record, going on behind what is damaged.
//!
//! Apart from recovery's walk on purpose: that one stops at the first byte that is no record, and
//! this one must say what follows it.

use std::io;

use bytes::Bytes;
use message::record::{MAGIC_BLANK, MAGIC_V1, MAGIC_V2, PHYSICAL_OFFSET_AT, RecordError, View};
use runtime::Disk;

use super::survey::Piece;
use super::window::{WINDOW_LEN, Window};
use crate::layout::BLANK_HEAD_LEN;

/// How many bytes tell a record from anything else: up to the offset that it says it has.
const HEAD_LEN: u64 = PHYSICAL_OFFSET_AT as u64 + 8;

/// Why no record stands at an offset.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    /// Zeros: nothing was ever written.
    #[error("zeros stand there")]
    Zeros,
    /// Its bytes are none.
    #[error("{0}")]
    Record(#[from] RecordError),
    /// It says that it stands elsewhere.
    #[error("the record there says that it stands at {0}")]
    Position(u64),
    /// The blank does not end where the segment ends.
    #[error("a blank of {len} bytes stands there, {left} before the segment's end")]
    Blank { len: u32, left: u64 },
    /// No segment holds it.
    #[error("no record of the log stands there")]
    Outside,
    /// The disk refused.
    #[error("{0}")]
    Disk(#[from] io::Error),
}

/// What a step along the log meets.
pub(super) enum Step {
    /// A record that has its place; its body is not checked.
    Record(Bytes),
    /// The blank at a segment's end.
    Blank,
    /// No record.
    Bad(Bad),
    /// The files end.
    End,
}

/// A place without a record.
pub(super) struct Bad {
    /// Why there is none.
    pub(super) cause: Cause,
    /// Where the next record stands, if there is one; the walk goes on there.
    pub(super) next: Option<u64>,
    /// The first byte behind the place that is not zero, before `next`.
    pub(super) residue: Option<u64>,
}

/// A walk along the segments.
pub(super) struct Walk<'a> {
    disk: &'a Disk,
    pieces: &'a [Piece],
    index: usize,
    window: Option<Window>,
    /// Where the next step is taken.
    at: u64,
}

impl<'a> Walk<'a> {
    /// Starts at `at`, which is the start of a record, or in front of all segments.
    pub(super) fn new(disk: &'a Disk, pieces: &'a [Piece], at: u64) -> Self {
        let index = pieces.iter().position(|piece| at < piece.end()).unwrap_or(pieces.len());
        let at = pieces.get(index).map_or(at, |piece| at.max(piece.base));
        Self { disk, pieces, index, window: None, at }
    }

    /// The offset that the first segment begins with.
    pub(super) fn start(&self) -> u64 {
        self.pieces.first().map_or(0, |piece| piece.base)
    }

    /// Where the next step is taken.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The file of an offset, and the byte in it.
    pub(super) fn file_of(&self, at: u64) -> (String, u64) {
        let piece = self.pieces.iter().rfind(|piece| piece.base <= at).or(self.pieces.first());
        let unknown = || ("commitlog".to_owned(), at);
        piece.map_or_else(unknown, |piece| (piece.path.clone(), at.saturating_sub(piece.base)))
    }

    /// Takes one step.
    pub(super) async fn step(&mut self) -> Step {
        let pieces = self.pieces;
        let Some(piece) = pieces.get(self.index) else { return Step::End };
        let at = self.at;
        let found = match self.window_of(piece).await {
            Ok(window) => found_at(window, piece, at),
            Err(error) => Err(error.into()),
        };
        match found {
            Ok(Found::Record(record)) => {
                self.move_to(self.at + record.len() as u64);
                Step::Record(record)
            }
            Ok(Found::SegmentEnd) => {
                self.move_to(piece.end());
                Step::Blank
            }
            Err(cause) => {
                let (next, residue) = self.search(self.at).await;
                match next {
                    Some(next) => self.move_to(next),
                    None => self.index = self.pieces.len(),
                }
                Step::Bad(Bad { cause, next, residue })
            }
        }
    }

    /// The record at `at`, wherever the walk is; it goes on there.
    pub(super) async fn record_at(&mut self, at: u64) -> Result<Bytes, Cause> {
        let holds = |piece: &Piece| piece.base <= at && at < piece.end();
        let pieces = self.pieces;
        let Some(index) = pieces.iter().position(holds) else { return Err(Cause::Outside) };
        if index != self.index {
            self.window = None;
        }
        (self.index, self.at) = (index, at);
        let piece = &pieces[index];
        let window = self.window_of(piece).await?;
        match found_at(window, piece, at)? {
            Found::Record(record) => Ok(record),
            Found::SegmentEnd => Err(Cause::Outside),
        }
    }

    /// Moves to the start of a record, or to a segment's end.
    fn move_to(&mut self, at: u64) {
        self.at = at;
        while let Some(piece) = self.pieces.get(self.index).filter(|piece| piece.end() <= at) {
            self.index += 1;
            self.window = None;
            self.at = self.at.max(piece.end());
        }
        if let Some(piece) = self.pieces.get(self.index) {
            self.at = self.at.max(piece.base);
        }
    }

    async fn window_of(&mut self, piece: &Piece) -> io::Result<&mut Window> {
        let window = match self.window.take() {
            Some(window) => window,
            None => Window::open(self.disk, &piece.path).await?,
        };
        Ok(self.window.insert(window))
    }

    /// The first record behind `from`, and the first byte from there on that is not zero.
    pub(super) async fn search(&self, from: u64) -> (Option<u64>, Option<u64>) {
        let mut residue = None;
        for piece in &self.pieces[self.index.min(self.pieces.len())..] {
            // What cannot be opened holds no record that can be read.
            let Ok(mut window) = Window::open(self.disk, &piece.path).await else { continue };
            let found = search_piece(&mut window, piece, from, &mut residue);
            if found.is_some() {
                return (found, residue);
            }
        }
        (None, residue)
    }
}

enum Found {
    Record(Bytes),
    SegmentEnd,
}

/// What stands at `at` of the log, in `piece`.
fn found_at(window: &mut Window, piece: &Piece, at: u64) -> Result<Found, Cause> {
    let left = piece.end() - at;
    if left < BLANK_HEAD_LEN {
        return Ok(Found::SegmentEnd);
    }
    let head = window.get(at - piece.base, BLANK_HEAD_LEN)?;
    let (len, magic) = (number(&head, 0), number(&head, 4));
    if magic == MAGIC_BLANK {
        let fits = u64::from(len) == left;
        return if fits { Ok(Found::SegmentEnd) } else { Err(Cause::Blank { len, left }) };
    }
    if (len, magic) == (0, 0) {
        return Err(Cause::Zeros);
    }
    if magic != MAGIC_V1 && magic != MAGIC_V2 {
        return Err(RecordError::Magic(magic).into());
    }
    if u64::from(len) > left {
        return Err(RecordError::Short { needed: len as usize, have: left as usize }.into());
    }
    let record = window.get(at - piece.base, u64::from(len).max(BLANK_HEAD_LEN))?;
    let view = View::parse(&record)?;
    if view.physical_offset.0 != at {
        return Err(Cause::Position(view.physical_offset.0));
    }
    Ok(Found::Record(record))
}

/// The first record of a segment that stands behind `from`.
fn search_piece(
    window: &mut Window,
    piece: &Piece,
    from: u64,
    residue: &mut Option<u64>,
) -> Option<u64> {
    let end = piece.base + window.data_end();
    let mut at = from.max(piece.base);
    while at < end {
        // A window that cannot be read is passed over.
        let chunk = window.get(at - piece.base, WINDOW_LEN).unwrap_or_default();
        let first = chunk.iter().position(|byte| *byte != 0);
        if let (None, Some(first)) = (&residue, first) {
            *residue = Some(at + first as u64);
        }
        for start in first.map_or(0..0, |_| 0..chunk.len().saturating_sub(HEAD_LEN as usize)) {
            let candidate = at + start as u64;
            let is_record = candidate != from
                && may_start(&chunk[start..], candidate)
                && matches!(found_at(window, piece, candidate), Ok(Found::Record(_)));
            if is_record {
                return Some(candidate);
            }
        }
        let read = if chunk.is_empty() { WINDOW_LEN } else { chunk.len() as u64 };
        // A head that begins at this window's end is seen whole in the next one.
        at += if at + read >= end || read <= HEAD_LEN { read } else { read - HEAD_LEN };
    }
    None
}

/// Whether the bytes begin as a record that belongs at `at` does.
fn may_start(bytes: &[u8], at: u64) -> bool {
    // The one byte that both magics begin with rules out most places.
    bytes[4] == (MAGIC_V1 >> 24) as u8
        && matches!(number(bytes, 4), MAGIC_V1 | MAGIC_V2)
        && bytes[PHYSICAL_OFFSET_AT..][..8] == at.to_be_bytes()
}

/// The number in the four bytes at `at`.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}
