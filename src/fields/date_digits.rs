//! Digits and offsets at the beginning of a text.

/// Takes a number of `least` to `most` digits from the beginning of a text.
pub(super) fn digits(text: &mut &[u8], least: usize, most: usize) -> Option<i64> {
    let count = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if count < least {
        return None;
    }
    let value = text[..count].iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
    *text = &text[count..];
    Some(value)
}

/// Takes an offset from UTC in seconds from the beginning of a text: `Z`, `+07`, `+0700`, `+07:00`.
pub(super) fn offset(text: &mut &[u8]) -> Option<i32> {
    let (sign, rest) = text.split_first()?;
    *text = rest;
    let sign = match sign {
        b'Z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(text, 2, 2)?;
    if text.first() == Some(&b':') {
        *text = &text[1..];
    }
    let minutes = if text.first().is_some_and(u8::is_ascii_digit) { digits(text, 2, 2)? } else { 0 };
    if hours > 14 || minutes > 59 {
        return None;
    }
    i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()
}
