//! Sixteen bytes of a text at once: which of them end its plain part, and which are not ASCII.

use wide::u8x16;

/// Bytes that are looked at together.
pub(super) const STEP: usize = 16;

/// Bit by bit what the bytes are, the first in the lowest bit.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    /// A quote, a backslash or a control character.
    pub(super) stops: u32,
    /// Not ASCII.
    pub(super) high: u32,
}

#[inline(always)]
pub(super) fn marks(chunk: [u8; STEP]) -> Marks {
    let bytes = u8x16::new(chunk);
    let last_control = u8x16::splat(0x1f);
    let is_stop =
        bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\')) | bytes.min(last_control).simd_eq(bytes);
    Marks { stops: is_stop.to_bitmask(), high: bytes.to_bitmask() }
}

/// The bytes at a place. Behind the last one stand quotes, so that every text ends.
#[inline(always)]
pub(super) fn chunk(bytes: &[u8], at: usize) -> [u8; STEP] {
    match bytes.get(at..).and_then(<[u8]>::first_chunk) {
        Some(chunk) => *chunk,
        None => last_chunk(bytes, at),
    }
}

#[cold]
fn last_chunk(bytes: &[u8], at: usize) -> [u8; STEP] {
    let mut chunk = [b'"'; STEP];
    let rest = bytes.get(at..).unwrap_or_default();
    chunk[..rest.len()].copy_from_slice(rest);
    chunk
}
