//! Benchmarks, in one binary: `cargo bench -- demo 10000` (a whole plan and load of the out-of-the-box chain),
//! `cargo bench -- check 1000` (reading and checking a script of that many jobs) and `cargo bench -- ranges 200000`
//! (reading that many contacts in one chain of pages and in ranges). Without a name all of these run. `cargo bench --profile dev --
//! soak 20` runs jobs through random faults for that many minutes, `-- serve 30` does so with the daemon, which is stopped and killed meanwhile, and `-- calls 100000` holds the calls of a first load and of days
//! of change against those that are needed (`README.md` has the table).
//!
//! Nothing here is a test: a slow machine fails nothing.

#![allow(clippy::print_stdout)]

mod calls;
mod check;
mod demo;
mod ranges;
mod serve;
mod soak;

fn main() {
    // `cargo test` also starts benches, with `--test`; there is nothing to check then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let Some(place) = arguments.iter().position(|a| a == soak::WORKER) {
        return soak::worker::work(&arguments[place + 1..]);
    }
    let count = |default: usize| arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(default);
    if arguments.iter().any(|a| a == "soak") {
        return soak::soak(count(20));
    }
    if arguments.iter().any(|a| a == "serve") {
        return serve::serve(count(30));
    }
    if arguments.iter().any(|a| a == "calls") {
        return calls::calls(count(100_000));
    }
    let is_wanted =
        |name: &str| arguments.iter().all(|a| a.parse::<usize>().is_ok()) || arguments.iter().any(|a| a == name);
    if is_wanted("check") {
        check::check(count(1_000));
    }
    if is_wanted("ranges") {
        ranges::ranges(count(200_000));
    }
    if is_wanted("demo") {
        demo::demo(count(10_000));
    }
}
