//! TCVN3 (ABC), the encoding of Vietnamese fonts such as `.VnTime`: one byte per letter, the letters of TCVN 5712:1993
//! without the capitals with tone marks, which those fonts show by a font of capitals.

/// First byte of each run of letters, and the letters.
const RUNS: [(u8, &str); 8] = [
    (0xa1, "ĂÂÊÔƠƯĐăâêôơưđ"),
    (0xb5, "àảãáạ"),
    (0xbb, "ằẳẵắ"),
    (0xc6, "ặầẩẫấậè"),
    (0xce, "ẻẽéẹềểễếệìỉ"),
    (0xdc, "ĩíịò"),
    (0xe1, "ỏõóọồổỗốộờởỡớợù"),
    (0xf1, "ủũúụừửữứựỳỷỹýỵ"),
];

/// The text in UTF-8, with `undecodable` in place of a byte that is no letter of these fonts.
pub(super) fn decode(bytes: &[u8], undecodable: &[u8]) -> Vec<u8> {
    let mut letters = [None; 256];
    for byte in 0..128_u8 {
        letters[usize::from(byte)] = Some(char::from(byte));
    }
    // The no-break space.
    letters[0xa0] = Some('\u{a0}');
    for (first, run) in RUNS {
        for (at, letter) in (usize::from(first)..).zip(run.chars()) {
            letters[at] = Some(letter);
        }
    }
    let mut text = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        match letters[usize::from(*byte)] {
            Some(letter) => text.extend(letter.encode_utf8(&mut [0; 4]).bytes()),
            None => text.extend(undecodable),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes are those that a program with TCVN3 writes for the words.
    #[test]
    fn letters_of_the_fonts_are_read() {
        for (bytes, text) in [
            (b"S\xeb N\xe9i v\xf4".as_slice(), "Sở Nội vụ"),
            (b"\xa7\xa8ng k\xfd khai sinh", "Đăng ký khai sinh"),
            (b"Ng\xb5y tr\xb6, h\xb9n tr\xb6", "Ngày trả, hạn trả"),
            (b"ph\xad\xeang \xae\xd5n", "phường đến"),
            (b"a\xa0b\x80", "a\u{a0}b?"),
        ] {
            assert_eq!(decode(bytes, b"?"), text.as_bytes());
        }
    }
}
