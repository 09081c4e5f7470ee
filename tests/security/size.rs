//! Answers that are larger, tighter, deeper or slower than honest ones: each is refused soon, and with its reason.

use std::time::{Duration, Instant};

use ferry::http::client::{Answer, Client, Method, Request};
use ferry::http::json;
use ferry::http::retry::Repeat;
use ferry::http::terms::Terms;
use ferry::model::clock::Clock;
use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};
use std::io::Write;

use super::listener::{Listener, accounts, reply, send};
use crate::generated::dice::Dice;

/// Texts that the random test holds against the naive count.
const TEXTS: usize = 100_000;
const SOON: Duration = Duration::from_secs(2);

async fn ask(listener: &Listener, timeout: Duration) -> Result<Answer, String> {
    let client = Client::new(&listener.url(), &Terms::new(timeout, Clock::system(1.0))).unwrap();
    let url = client.url("/").unwrap();
    let request = Request { method: Method::Get, url, headers: Vec::new(), body: None, repeat: Repeat::Never };
    client.send(&request).await.map_err(|error| error.to_string())
}

async fn refused(body: Vec<u8>, encoding: &'static str) -> String {
    let listener = Listener::start(move |_, stream| {
        send(stream, &reply("200 OK", &[("content-encoding", encoding)], &body));
    });
    let since = Instant::now();
    let said = ask(&listener, SOON * 2).await.err().unwrap_or_default();
    assert!(since.elapsed() < SOON, "{said} after {:?}", since.elapsed());
    said
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A gzip of so many mebibytes of zeros: one mebibyte is packed, and its block repeated. It has no end, which nobody reaches.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let (mut packer, mut block) = (Compress::new(Compression::best(), false), Vec::with_capacity(1 << 16));
    packer.compress_vec(&vec![0; 1 << 20], &mut block, FlushCompress::Full).unwrap();
    let header = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    [header, block.repeat(mebibytes)].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_gzip_of_two_gigabytes_is_refused() {
    let bomb = bomb(2_048);
    assert!(bomb.len() < 3 << 20, "{}", bomb.len());
    let said = refused(bomb, "gzip").await;
    assert!(said.contains("unpacks to more than 100 times its size"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_64_mebibytes_at_most() {
    let said = refused(vec![b' '; (64 << 20) + 1], "identity").await;
    assert!(said.contains("of more than 67108864 bytes"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_unpacked_is_refused() {
    let whole = gzip(&b"{}".repeat(1_000));
    assert!(refused(whole[..whole.len() - 9].to_vec(), "gzip").await.contains("gzip is damaged"));
    assert!(refused(b"no gzip at all".to_vec(), "gzip").await.contains("gzip is damaged"));
    for encoding in ["br", "zstd", "deflate", "gzip, gzip"] {
        assert!(refused(whole.clone(), encoding).await.contains("only gzip is"), "{encoding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_gzip_is_read() {
    let mut dice = Dice::of(11);
    let rows: String =
        (0..40_000).map(|_| format!("{{\"id\":\"{:016x}\",\"name\":null}},", dice.below(usize::MAX))).collect();
    assert!(rows.len() > 1 << 20);
    for body in [rows.into_bytes(), b"x".repeat(1 << 20), Vec::new()] {
        let packed = gzip(&body);
        let listener =
            Listener::start(move |_, stream| send(stream, &reply("200 OK", &[("content-encoding", "gzip")], &packed)));
        assert_eq!(ask(&listener, SOON).await.unwrap().body, body);
        let heard = listener.heard().remove(0);
        assert!(heard.contains("\r\naccept-encoding: gzip\r\n") && heard.matches("encoding").count() == 1, "{heard}");
    }
    let empty = Listener::start(|_, stream| send(stream, &reply("200 OK", &[("content-encoding", "gzip")], b"")));
    assert_eq!(ask(&empty, SOON).await.unwrap().body, b""[..]);
}

/// The deadline is that of the whole answer: every byte that comes would otherwise put it off.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_trickles_in_is_given_up() {
    let head = reply("200 OK", &[], &[b' '; 1_000]);
    for from in [0, head.len() - 1_000] {
        let bytes = head.clone();
        let listener = Listener::start(move |_, stream| {
            send(stream, &bytes[..from]);
            for byte in &bytes[from..] {
                send(stream, &[*byte]);
                std::thread::sleep(Duration::from_millis(20));
                if stream.take_error().is_ok_and(|e| e.is_some()) {
                    return;
                }
            }
        });
        let since = Instant::now();
        let said = ask(&listener, Duration::from_millis(300)).await.err().unwrap_or_default();
        assert!(said.contains("did not answer within"), "{said}");
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    }
}

/// What the page decoder says of a page whose rows are this.
async fn page(rows: String) -> String {
    let organization = Listener::organization(move |_, stream| {
        send(stream, &reply("200 OK", &[], format!("{{\"value\":[{rows}]}}").as_bytes()));
    });
    let since = Instant::now();
    let read = organization.dynamics().read(accounts()).unwrap().next().await;
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    read.err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_64_deep_at_most() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    // A page, its rows and a row are three.
    assert_eq!(page(format!("{{\"name\":\"a\",\"else\":{}}}", nested(61))).await, "");
    for deep in [nested(62), nested(500_000), "[".repeat(1_000_000), "{\"a\":".repeat(200_000)] {
        for row in [format!("{{\"else\":{deep}}}"), format!("{{\"name\":{deep}}}"), deep] {
            let said = page(row).await;
            assert!(said.contains("nested more than 64 deep") || said.contains("cannot be read"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_has_as_many_names_as_a_table_can_have_at_most() {
    let row = |names: usize| {
        let names: Vec<String> = (0..names).map(|number| format!("\"c{number}\":1")).collect();
        format!("{{{}}}", names.join(","))
    };
    assert_eq!(page(row(4_096)).await, "");
    assert!(page(row(4_097)).await.contains("row 1 has more than 4096 names"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_as_long_as_dataverse_keeps_it_at_most() {
    const MOST: usize = 1 << 20;
    for one in ["x", "ü", "\\n", "\\u00fc", "\\\"", "𝒳"] {
        assert_eq!(page(format!("{{\"name\":\"a\",\"else\":\"{}\"}}", one.repeat(MOST))).await, "", "{one}");
        for column in ["name", "else"] {
            let said = page(format!("{{\"{column}\":\"{}\"}}", one.repeat(MOST + 1))).await;
            assert!(said.contains("a text of more than 1048576 characters"), "{one}: {said}");
        }
    }
    let said = page(format!("{{\"{}\":1}}", "n".repeat(40 << 20))).await;
    assert!(said.contains("a text of more than"), "a name is a text too: {said}");
}

#[test]
fn depth_is_counted_as_a_reader_would_count_it() {
    let mut dice = Dice::of(64);
    let mut deep = 0;
    for _ in 0..TEXTS {
        let pieces = ["[[", "{", "[[[[", "{{", "{[{[", "]", "}", "\"", "\\", "\\\"", "\"[[[\"", "\"\\\\\"", "ü", "1"];
        let text: String = (0..dice.below(120)).map(|_| dice.pick(&pieces)).collect();
        let is_bounded = json::bounded(text.as_bytes()).is_ok();
        assert_eq!(is_bounded, deepest(&text) <= json::DEPTH_AT_MOST, "{text}");
        deep += usize::from(!is_bounded);
    }
    assert!(deep > 1_000, "{deep} of {TEXTS} are too deep");
}

/// How deep a text is, letter by letter.
fn deepest(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut is_escaped) = (0_usize, 0, false, false);
    for letter in text.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' => in_text = !in_text,
            '[' | '{' if !in_text => depth += 1,
            ']' | '}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
