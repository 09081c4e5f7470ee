//! GUIDs in the order SQL Server gives them, which is the order of the service's default paging.
//!
//! In: the text of a GUID. Out: a key that sorts as the service sorts, and the text back from it.

/// Bytes of the text in descending significance.
const SQL_ORDER: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 7, 6, 5, 4, 3, 2, 1, 0];

/// A GUID whose derived order is the SQL one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::sandbox) struct Guid([u8; 16]);

impl Guid {
    /// No key comes before it.
    pub(in crate::sandbox) const LEAST: Guid = Guid([0; 16]);
    /// No key comes behind it.
    pub(in crate::sandbox) const GREATEST: Guid = Guid([0xff; 16]);

    /// Reads the hyphenated form in either case, without braces.
    pub(in crate::sandbox) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return None;
        }
        let mut digits = [0u8; 32];
        let mut count = 0;
        for (position, &byte) in bytes.iter().enumerate() {
            match (position, byte) {
                (8 | 13 | 18 | 23, b'-') => {}
                (8 | 13 | 18 | 23, _) => return None,
                _ => {
                    digits[count] = (byte as char).to_digit(16)? as u8;
                    count += 1;
                }
            }
        }
        let mut key = [0u8; 16];
        for (place, &source) in key.iter_mut().zip(&SQL_ORDER) {
            *place = digits[2 * source] << 4 | digits[2 * source + 1];
        }
        Some(Guid(key))
    }

    pub(in crate::sandbox) fn text(self) -> String {
        let mut bytes = [0u8; 16];
        for (&byte, &target) in self.0.iter().zip(&SQL_ORDER) {
            bytes[target] = byte;
        }
        let mut text = String::with_capacity(36);
        for (position, byte) in bytes.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        text
    }
}
