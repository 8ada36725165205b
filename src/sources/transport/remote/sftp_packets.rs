//! Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), as far as reading needs them. Pure.

use crate::sources::transport::remote_stamp::RemoteStamp;

/// Longest packet of an answer. OpenSSH sends at most 256 KiB.
pub(super) const MAX_PACKET_BYTES: u32 = 1 << 20;

const INIT: u8 = 1;
const VERSION: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const FSTAT: u8 = 8;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const STAT: u8 = 17;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;

/// A request; its number comes back in the answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask<'a> {
    Open(&'a [u8]),
    Close(&'a [u8]),
    /// Handle, offset, length.
    Read(&'a [u8], u64, u32),
    OfHandle(&'a [u8]),
    OpenFolder(&'a [u8]),
    NextNames(&'a [u8]),
    OfPath(&'a [u8]),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Status(Status),
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Names(Vec<(Vec<u8>, Attributes)>),
    Attributes(Attributes),
}

/// What a server says about a request that gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    /// No more bytes or names.
    End,
    NoSuchFile,
    Denied,
    Other(u32),
}

/// Attributes of a file, as far as they were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) bytes: Option<u64>,
    pub(super) mode: Option<u32>,
    pub(super) modified: Option<u32>,
}

impl Attributes {
    pub(super) fn is_folder(self) -> bool {
        self.is(0o040_000)
    }

    pub(super) fn is_link(self) -> bool {
        self.is(0o120_000)
    }

    fn is(self, kind: u32) -> bool {
        self.mode.is_some_and(|mode| mode & 0o170_000 == kind)
    }

    pub(super) fn stamp(self) -> RemoteStamp {
        RemoteStamp {
            bytes: self.bytes.unwrap_or_default(),
            modified: self.modified.map(i64::from),
            tag: String::new(),
            is_special: self.mode.is_some() && !self.is(0o100_000),
        }
    }
}

/// The first packet, which asks for version 3.
pub(super) fn hello() -> Vec<u8> {
    framed(INIT, &3_u32.to_be_bytes())
}

/// Whether a packet is the server's answer to [`hello`], of a version that has these packets.
pub(super) fn is_welcome(packet: &[u8]) -> bool {
    packet.first() == Some(&VERSION) && packet.get(1..5).is_some_and(|version| version >= &3_u32.to_be_bytes()[..])
}

/// A request with its number and length.
pub(super) fn request(number: u32, ask: Ask<'_>) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    let kind = match ask {
        Ask::Open(path) => {
            put(&mut body, path);
            // Reading, and no attributes.
            body.extend([0, 0, 0, 1, 0, 0, 0, 0]);
            OPEN
        }
        Ask::Close(handle) => {
            put(&mut body, handle);
            CLOSE
        }
        Ask::Read(handle, offset, length) => {
            put(&mut body, handle);
            body.extend(offset.to_be_bytes());
            body.extend(length.to_be_bytes());
            READ
        }
        Ask::OfHandle(handle) => {
            put(&mut body, handle);
            FSTAT
        }
        Ask::OpenFolder(path) => {
            put(&mut body, path);
            OPENDIR
        }
        Ask::NextNames(handle) => {
            put(&mut body, handle);
            READDIR
        }
        Ask::OfPath(path) => {
            put(&mut body, path);
            STAT
        }
    };
    framed(kind, &body)
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 1).expect("a request is short: a path and a few numbers");
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(kind);
    packet.extend_from_slice(body);
    packet
}

fn put(body: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).expect("a path or handle is short");
    body.extend(length.to_be_bytes());
    body.extend_from_slice(text);
}

/// Number and content of an answer; `None` if it is none.
pub(super) fn answer(packet: &[u8]) -> Option<(u32, Answer)> {
    let mut rest = Rest(packet);
    let (kind, number) = (rest.byte()?, rest.number()?);
    let answer = match kind {
        STATUS => Answer::Status(match rest.number()? {
            0 => Status::Ok,
            1 => Status::End,
            2 => Status::NoSuchFile,
            3 => Status::Denied,
            other => Status::Other(other),
        }),
        HANDLE => Answer::Handle(rest.text()?.to_vec()),
        DATA => Answer::Data(rest.text()?.to_vec()),
        NAME => {
            let count = rest.number()?;
            // Each takes at least twelve bytes: what the packet declares is not reserved.
            let mut names = Vec::new();
            for _ in 0..count {
                let name = rest.text()?.to_vec();
                // The line of `ls -l`.
                rest.text()?;
                names.push((name, rest.attributes()?));
            }
            Answer::Names(names)
        }
        ATTRS => Answer::Attributes(rest.attributes()?),
        _ => return None,
    };
    Some((number, answer))
}

/// What is left of a packet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4).and_then(|taken| Some(u32::from_be_bytes(taken.try_into().ok()?)))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).ok()?)
    }

    fn attributes(&mut self) -> Option<Attributes> {
        let flags = self.number()?;
        let mut attributes = Attributes::default();
        if flags & 1 != 0 {
            attributes.bytes = Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?));
        }
        if flags & 2 != 0 {
            self.take(8)?;
        }
        if flags & 4 != 0 {
            attributes.mode = Some(self.number()?);
        }
        if flags & 8 != 0 {
            self.number()?;
            attributes.modified = Some(self.number()?);
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.number()? {
                self.text()?;
                self.text()?;
            }
        }
        Some(attributes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes of a NAME packet with one file, written by hand from the draft.
    fn one_name() -> Vec<u8> {
        let mut packet = vec![NAME, 0, 0, 0, 7, 0, 0, 0, 1];
        packet.extend([0, 0, 0, 3, b'a', 0xff, b'b', 0, 0, 0, 1, b'-']);
        // Size, owners, permissions, times, and one extension.
        packet.extend([0x80, 0, 0, 0x0f]);
        packet.extend([0, 0, 0, 0, 0, 0, 1, 0]);
        packet.extend([0, 0, 3, 0xe8, 0, 0, 3, 0xe8]);
        packet.extend([0, 0, 0o201, 0o244]);
        packet.extend([0, 0, 0, 1, 0, 0, 0, 2]);
        packet.extend([0, 0, 0, 1, 0, 0, 0, 1, b'x', 0, 0, 0, 1, b'y']);
        packet
    }

    #[test]
    fn a_name_has_its_bytes_and_attributes() {
        let attributes = Attributes { bytes: Some(256), mode: Some(0o100_644), modified: Some(2) };
        let expected = Answer::Names(vec![(b"a\xffb".to_vec(), attributes)]);
        assert_eq!(answer(&one_name()), Some((7, expected)));
        let stamp = attributes.stamp();
        assert_eq!((stamp.bytes, stamp.modified, stamp.is_special), (256, Some(2), false));
        let pipe = Attributes { mode: Some(0o010_644), ..attributes };
        assert!(pipe.stamp().is_special && !pipe.is_folder() && !pipe.is_link());
    }

    #[test]
    fn a_packet_that_is_cut_or_declares_more_than_it_has_is_no_answer() {
        let whole = one_name();
        for length in 0..whole.len() {
            assert_eq!(answer(&whole[..length]), None, "{length}");
        }
        let mut many = whole;
        many[5..9].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(answer(&many), None);
        assert!(
            !is_welcome(&[VERSION, 0, 0, 0, 2]) && is_welcome(&[VERSION, 0, 0, 0, 3, 0]) && !is_welcome(&[VERSION])
        );
    }

    #[test]
    fn a_request_is_as_the_draft_says() {
        assert_eq!(hello(), [0, 0, 0, 5, INIT, 0, 0, 0, 3]);
        assert_eq!(
            request(9, Ask::Open(b"a")),
            [0, 0, 0, 18, OPEN, 0, 0, 0, 9, 0, 0, 0, 1, b'a', 0, 0, 0, 1, 0, 0, 0, 0]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = answer(&bytes);
            for kind in [STATUS, HANDLE, DATA, NAME, ATTRS] {
                let _ = answer(&[&[kind], &bytes[..]].concat());
            }
        }
    }
}
