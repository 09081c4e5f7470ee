//! `ferry man` and `ferry completions`: made from the arguments themselves, so that they cannot say anything else.

use clap::{Command, CommandFactory};

use super::arguments::Arguments;
use super::output;
use super::start::Ended;
use crate::app::error::Error;

/// What the program is called.
const NAME: &str = "ferry";

pub(super) fn completions(shell: clap_complete::Shell) -> Ended {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut bytes);
    output::text(&String::from_utf8_lossy(&bytes));
    Ok(0)
}

/// The page of one verb, or of all.
pub(super) fn page(verb: Option<&str>) -> Ended {
    let mut all = Arguments::command();
    all.build();
    let command = match verb {
        None => all,
        Some(verb) => of(&all, verb)?,
    };
    let mut bytes = Vec::new();
    let written = clap_mangen::Man::new(command).render(&mut bytes);
    written.map_err(|error| Error::Usage(format!("the page cannot be made: {error}")))?;
    output::text(&String::from_utf8_lossy(&bytes));
    Ok(0)
}

fn of(all: &Command, verb: &str) -> Result<Command, Error> {
    let known = || {
        let names: Vec<&str> = all.get_subcommands().filter(|one| !one.is_hide_set()).map(Command::get_name).collect();
        Error::Usage(format!("there is no verb {verb}; there are {}", names.join(", ")))
    };
    all.find_subcommand(verb).cloned().ok_or_else(known)
}
