//! Records of CSV against another reader of it, on bytes made at random, cut anywhere.

use ferry::decode::csv::{Flaw, Record, Step};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What our reader makes of bytes that come in pieces of these sizes.
fn ours(bytes: &[u8], mut size: impl FnMut() -> usize) -> Result<Vec<Vec<Vec<u8>>>, Flaw> {
    let (mut window, mut came, mut rows, mut record) = (Vec::new(), 0, Vec::new(), Record::default());
    loop {
        let next = (came + size().max(1)).min(bytes.len());
        window.extend_from_slice(&bytes[came..next]);
        came = next;
        let is_last = came == bytes.len();
        let mut at = 0;
        loop {
            match record.read(&window[at..], b',', is_last)? {
                Step::Record(length) => {
                    at += length;
                    rows.push((0..record.len()).map(|field| record.field(field).unwrap().to_vec()).collect());
                }
                Step::End(_) => return Ok(rows),
                Step::More => break,
            }
        }
        assert!(!is_last, "the last piece is read to its end");
        window.drain(..at);
    }
}

fn theirs(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
}

#[test]
fn what_both_take_has_the_same_fields() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let pieces: [&[u8]; 9] = [b"a", b"bc", b",", b",", b"\n", b"\r\n", b"\"x\"", b"\"y\"\"z\n,\"", "ü".as_bytes()];
    let (mut both, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let count = random.next_u32() % 12;
        let bytes: Vec<u8> =
            (0..count).flat_map(|_| pieces[random.next_u32() as usize % pieces.len()].to_vec()).collect();
        let mut sizes = ChaCha8Rng::seed_from_u64(random.next_u64());
        match ours(&bytes, || sizes.next_u32() as usize % 5) {
            Ok(rows) => {
                both += 1;
                let shown = String::from_utf8_lossy(&bytes);
                // A quote inside of a text without quotes stands for itself, for both.
                assert_eq!(rows, theirs(&bytes), "{shown:?}");
                assert_eq!(ours(&bytes, || usize::MAX / 2), Ok(rows), "{shown:?}");
            }
            Err(flaw) => {
                refused += 1;
                assert!(bytes.contains(&b'"'), "{flaw:?} without a quote");
            }
        }
    }
    assert!(both > 10_000 && refused > 1_000, "{both} and {refused}");
}

#[test]
fn a_text_that_is_never_closed_is_refused() {
    assert_eq!(ours(b"a,\"b\nc", || 2), Err(Flaw::Unclosed));
    assert_eq!(ours(b"a,\"b\"\"", || 2), Err(Flaw::Unclosed));
    assert_eq!(ours(b"a,\"b\"x", || 2), Err(Flaw::BehindQuote));
}
