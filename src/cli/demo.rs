//! `ferry demo`.

use super::output;
use super::output::{say, tell};
use serde_json::json;

use super::arguments::Common;
use super::arguments_sandbox::Demo;
use super::home_place::HomePlace;
use super::progress::Screen;
use super::run::for_people;
use super::start::Ended;
use crate::app::demo::{self, Step, is_proven, run};

pub(super) async fn demo(arguments: &Demo, common: &Common) -> Ended {
    let demo = demo::Demo {
        rows: arguments.world.rows,
        seed: arguments.world.seed,
        world: arguments.world.world.clone(),
        limits_scale: arguments.limits_scale,
        home: HomePlace::of(common)?.folder.join("demo"),
    };
    let as_json = common.json;
    let screen = Screen::new();
    let (passes, sandbox) = run(&demo, &screen.progress, |step| {
        screen.aside(|| match step {
            Step::Serving(sandbox) if !as_json => {
                say!("A sandbox serves Dynamics on {} and", sandbox.dynamics_url());
                say!("Gainsight on {}, its call limits {}× as fast.", sandbox.gainsight_url(), arguments.limits_scale);
            }
            Step::Pass(1) if !as_json => say!("\nFirst pass: the chain \"{}\"", demo::CHAIN),
            Step::Pass(_) if !as_json => say!("\nSecond pass: the same chain again, and nothing has changed"),
            Step::Ended(pass, report) if as_json => {
                let mut line = json!(report);
                line["pass"] = json!(pass);
                say!("{line}");
            }
            Step::Ended(_, report) => output::text(&for_people(report)),
            _ => {}
        })
    })
    .await?;
    sandbox.stop().await;
    let is_proven = is_proven(&passes);
    if !as_json {
        say!();
        if is_proven {
            say!("The books balance in both passes: every row read has one outcome.");
            say!("The second pass wrote 0 records and spent no write call.");
        }
    }
    if !is_proven {
        tell!("error: the books do not balance, or the second pass wrote something; this is a bug of Ferry");
        return Ok(4);
    }
    Ok(0)
}
