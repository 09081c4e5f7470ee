//! `ferry sandbox`.

use super::output::{say, tell};
use serde_json::json;

use super::arguments::Common;
use super::arguments_sandbox::{Sandbox, World};
use super::start::Ended;
use crate::app::sandboxes::{secrets, write_export, write_project};
use crate::model::secret::environment_variable;
use crate::sandbox::{Options, fault_schedule, start_with};

pub(super) async fn serve(arguments: &Sandbox, common: &Common) -> Ended {
    let faults = arguments.faults_seed.map(|seed| fault_schedule(seed).rules).unwrap_or_default();
    let sandbox = start_with(options(&arguments.world, arguments), &faults).await?;
    if !faults.is_empty() {
        tell!("{}", faults.trim_end());
    }
    if let Some(folder) = &arguments.write_project {
        write_project(folder, &sandbox)?;
    }
    if let Some(folder) = &arguments.write_export {
        write_export(folder, &sandbox)?;
    }
    let secrets = secrets(sandbox.credentials());
    if common.json {
        let variables = secrets.map(|(name, value)| (environment_variable(name), value));
        say!(
            "{}",
            json!({
                "dynamics": sandbox.dynamics_url(), "gainsight": sandbox.gainsight_url(),
                "secrets": std::collections::BTreeMap::from(variables),
            })
        );
    } else {
        say!("Dynamics   {}\nGainsight  {}\n", sandbox.dynamics_url(), sandbox.gainsight_url());
        for (name, value) in secrets {
            say!("export {}={value}", environment_variable(name));
        }
        tell_of_project(arguments);
        if let Some(folder) = &arguments.write_export {
            let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
            tell!("\n{} holds an export of its tables. To read it, write into the project:", folder.display());
            tell!("  CREATE CONNECTION lake TO FILES URL 'file://{}' FORMAT SYNAPSE LINK;", whole.display());
        }
        tell!("Serving until interrupted (Ctrl-C).");
    }
    // Where no signal can be waited for there is nothing to end the wait, so the sandbox serves until it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    sandbox.stop().await;
    Ok(0)
}

/// Says what to do with the project that was written.
fn tell_of_project(arguments: &Sandbox) {
    let Some(folder) = &arguments.write_project else {
        tell!("\n--write-project DIR writes a project that leads here.");
        return;
    };
    let folder = folder.display();
    tell!("\n{folder} holds a project. In another terminal:");
    tell!("  set -a; . {folder}/secrets.env; set +a");
    let is_documented = (arguments.limits_scale - 1.0).abs() < f64::EPSILON;
    let pace = if is_documented { String::new() } else { format!(" --clock-scale {}", arguments.limits_scale) };
    tell!("  ferry run --project {folder}{pace} \"Dynamics_Company Person Sync\"");
    if is_documented {
        tell!("That run takes some minutes: a person is a call, and Gainsight takes 100 calls a minute.");
        tell!("With --limits-scale 1000 the sandbox's minutes go by a thousand times as fast.");
    }
}

fn options(world: &World, arguments: &Sandbox) -> Options {
    Options {
        rows: world.rows,
        seed: world.seed,
        world: world.world.clone(),
        dynamics_port: arguments.dynamics_port,
        gainsight_port: arguments.gainsight_port,
        limits_scale: arguments.limits_scale,
        latency_ms: arguments.latency_ms,
        faults: arguments.faults.clone(),
        tls: arguments.tls,
        suffix: Options::default().suffix,
    }
}
