//! Line numbers in the text of a CSV file.

use memchr::memchr2_iter;

/// Line numbers of byte positions, which are those of rows: none lies within a line end. The positions must not decrease
/// from call to call. A line ends with CR LF, LF or CR.
#[derive(Debug, Default)]
pub(super) struct LineCounter {
    at: usize,
    /// Line ends before `at`.
    before: u32,
}

impl LineCounter {
    /// Line number (from 1) of the row at `position`.
    pub(super) fn of(&mut self, bytes: &[u8], position: usize) -> u32 {
        let passed = &bytes[self.at..position];
        let ends_line = |at: &usize| passed[*at] == b'\n' || passed.get(*at + 1) != Some(&b'\n');
        let ends = memchr2_iter(b'\r', b'\n', passed).filter(ends_line).count();
        self.before = self.before.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.at = position;
        self.before.saturating_add(1)
    }
}
