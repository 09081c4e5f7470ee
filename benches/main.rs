//! Benchmarks, in one binary. Each prints rows and bytes a second, the median of five; `README.md` says how they are run and what they found.
//!
//! Of the hot path, at 10,000, 100,000 and 1,000,000 rows or at the numbers that are named: `cargo bench -- decode`, `-- map`, `-- compare`, `-- encode`, `-- run`,
//! and `-- parse 1000` of the language, with a script of that many jobs. `cargo bench -- data DIR 1000000` writes the workload as
//! files, for `peers/`. Without a name all of the hot path runs.
//!
//! `-- large 10000000 1000000` goes the way of `run` once with that many rows and so many records in the target, and holds no page in memory.
//!
//! Of the whole: `-- whole 1000000` (a run of `ferry` against a sandbox in another process), `-- demo 10000` (plan and load of the out-of-the-box chain), `-- ranges 200000` (reading that many contacts in one chain
//! of pages and in ranges). `cargo bench --profile dev -- soak 20` runs jobs through random faults for that many minutes, `-- serve 30` does
//! so with the daemon, which is stopped and killed meanwhile, and `-- calls 100000` holds the calls of a first load and of days of change
//! against those that are needed.
//!
//! Nothing here is a test: a slow machine fails nothing.

#![allow(clippy::print_stdout)]

mod calls;
mod carry;
mod data;
mod decode;
mod demo;
mod measured;
mod parse;
mod plan;
mod ranges;
mod serve;
mod soak;
mod whole;
mod workload;

use std::path::Path;

use workload::Workload;

fn main() {
    // `cargo test` also starts benches, with `--test`; there is nothing to check then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let Some(place) = arguments.iter().position(|a| a == soak::WORKER) {
        return soak::worker::work(&arguments[place + 1..]);
    }
    let (name, rest) = arguments.split_first().map_or(("", [].as_slice()), |(name, rest)| (name.as_str(), rest));
    let numbers: Vec<u64> = rest.iter().filter_map(|word| word.parse().ok()).collect();
    let count = |default: usize| numbers.first().map_or(default, |number| *number as usize);
    let rows = if numbers.is_empty() { measured::ROWS.to_vec() } else { numbers.clone() };
    match name {
        "soak" => soak::soak(count(20)),
        "serve" => serve::serve(count(30)),
        "calls" => calls::calls(count(100_000)),
        "ranges" => ranges::ranges(count(200_000)),
        "demo" => demo::demo(count(10_000)),
        "data" => {
            let folder = rest.first().expect("a folder follows: cargo bench -- data DIR ROWS");
            data::data(Path::new(folder), &Workload { rows: count(1_000_000) as u64, mix: data::mixed(rest) });
        }
        "whole" => whole::whole(&Workload { rows: count(1_000_000) as u64, mix: data::mixed(rest) }),
        "encode" => carry::encode(&rows),
        "run" => carry::run(&rows),
        "large" => match numbers.as_slice() {
            [rows, records, ..] => carry::large(*rows, *records),
            _ => println!("numbers of rows and of records follow: cargo bench -- large 10000000 1000000"),
        },
        "peer" => match rest {
            [data, out, ..] => carry::peer(Path::new(data), Path::new(out)),
            _ => println!("a folder and a file follow: cargo bench -- peer DATA OUT"),
        },
        "parse" => parse::parse(count(1_000)),
        "decode" => decode::decoders(&rows),
        "map" => plan::map_stage(&rows),
        "compare" => plan::compare_stage(&rows),
        "" => {
            parse::parse(1_000);
            decode::decoders(&rows);
            plan::map_stage(&rows);
            plan::compare_stage(&rows);
            carry::encode(&rows);
            carry::run(&rows);
        }
        other => println!("there is no bench {other}; benches/README.md lists them"),
    }
}
