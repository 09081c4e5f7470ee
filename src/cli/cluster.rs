//! `ferry cluster`.

use super::arguments_cluster::{ClusterVerb, Executor};
use super::output::{say, tell};
use super::run::asked_to_stop;
use super::start::Ended;
use crate::app::clusters::{self, Wanted};
use crate::app::workspace::Setting;

pub(super) async fn cluster(setting: &Setting, verb: ClusterVerb, json: bool) -> Ended {
    match verb {
        ClusterVerb::Scheduler { listen, host } => {
            let began = |url: &str| {
                if json {
                    say!("{}", serde_json::json!({ "scheduler": url }));
                } else {
                    say!("Scheduler  {url}\n");
                    tell!("Executors join with   ferry cluster executor --scheduler {url}");
                    tell!("Plans are sent with   ferry plan JOB --cluster {url}");
                    tell!("Serving until interrupted (Ctrl-C).");
                }
            };
            tokio::select! {
                ended = clusters::scheduler(listen, host.as_deref(), began) => ended?,
                () = asked_to_stop() => {}
            }
        }
        ClusterVerb::Executor(asked) => {
            if !json {
                tell!("Working for {} until interrupted (Ctrl-C).", asked.scheduler);
            }
            clusters::executor(wanted(setting, asked)).await?;
        }
    }
    Ok(0)
}

fn wanted(setting: &Setting, asked: Executor) -> Wanted {
    Wanted {
        listen: asked.listen,
        host: asked.host,
        scheduler: asked.scheduler,
        cores: asked.cores.map(usize::from),
        memory_bytes: u64::from(asked.memory_mb) << 20,
        // Executors of one home have a folder each.
        work: asked.work.unwrap_or_else(|| setting.home.join("cluster").join(std::process::id().to_string())),
        storage: setting.storage.clone(),
    }
}
