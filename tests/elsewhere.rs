//! Plans that are carried out elsewhere, by a place that is in this process and fails as it is told: the same bytes, whatever breaks off.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream_partitioned};
use ferry::engine::elsewhere::{Elsewhere, Failed, Partition, Place, Sending};
use ferry::engine::session::Engine;
use ferry::model::dataset;
use ferry::model::job::Job;
use ferry::run::error::Error;
use ferry::run::stages::stages;
use ferry::store::dataset::RunFolder;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use crate::stage::{CHAIN, Stage};
use crate::staged::shared;

/// A place that carries plans out as they come, and breaks off.
#[derive(Debug, Default)]
struct Faulty {
    /// Plans that break off, of those that come; all the others come to their end.
    breaks: usize,
    /// Batches of each partition that come before.
    after: usize,
    /// Whether it says that it may go better a second time.
    may_pass: bool,
    /// Plans that came.
    came: AtomicUsize,
    /// The first of them, as text.
    shown: Mutex<Vec<String>>,
}

impl Elsewhere for Faulty {
    fn begin(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> BoxFuture<'static, Result<Vec<Partition>, Failed>> {
        self.shown.lock().unwrap().push(displayable(plan.as_ref()).indent(false).to_string());
        let breaks = self.came.fetch_add(1, Ordering::SeqCst) < self.breaks;
        let (after, may_pass) = (self.after, self.may_pass);
        let failed = move || Failed { cause: "the place is on fire".into(), may_pass };
        let begun = if breaks && after == 0 {
            Err(failed())
        } else {
            // A place that is elsewhere gets a copy each time.
            let plan = reset_plan_states(plan).expect("it is copied");
            let partitions = execute_stream_partitioned(plan, context).expect("it begins");
            let broken = move |one: Partition| {
                let fire = futures::stream::once(async move { Err(DataFusionError::External(Box::new(failed()))) });
                one.take(after).chain(fire).boxed()
            };
            let each = partitions.into_iter().map(StreamExt::boxed);
            Ok(each.map(|one| if breaks { broken(one) } else { one }).collect())
        };
        async move { begun }.boxed()
    }
}

/// What the stages of a job make of a folder, as digests, and what was told.
async fn made(
    job: &Job,
    folder: &RunFolder,
    place: Option<(&Arc<Faulty>, bool)>,
) -> (Result<Vec<String>, Error>, Vec<String>) {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&told);
    let sending = place.map(|(faulty, or_here)| {
        let to: Arc<dyn Elsewhere> = Arc::<Faulty>::clone(faulty);
        Sending::new(Place { to, or_here }, Arc::new(move |text| heard.lock().unwrap().push(text)))
    });
    let engine = Engine::new(folder.root()).unwrap().sending(sending);
    let planned = async {
        stages(&engine, job, folder, None, |_| {}).await?;
        let mut digests = Vec::new();
        for name in [dataset::SCREENED, dataset::MAPPED, dataset::COMPARED, dataset::CHANGES] {
            digests.push(folder.digest(name).await?);
        }
        Ok(digests)
    };
    let planned = planned.await;
    let told = told.lock().unwrap().clone();
    (planned, told)
}

/// Every job of the chain, with the folder of its second run.
async fn chain(stage: &Stage) -> Vec<(Job, RunFolder)> {
    stage.run(CHAIN).await;
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let mut all = Vec::new();
    for report in stage.run(CHAIN).await {
        let path = stage.setting.home.join("runs").join(&report.run);
        all.push((workspace.project.jobs[&report.job].at(0), shared(&path).await));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_begun_without_a_cluster_is_planned_here() {
    let stage = Stage::seeded(40).await;
    let report = stage.run(CHAIN).await.remove(0);
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let job = workspace.project.jobs[&report.job].at(0);
    let folder = RunFolder::open(&stage.setting.home.join("runs").join(&report.run)).unwrap();
    let here = made(&job, &folder, None).await.0.unwrap();
    let faulty = Arc::new(Faulty::default());
    let (there, told) = made(&job, &folder, Some((&faulty, false))).await;
    assert_eq!((there.unwrap().last(), faulty.came.load(Ordering::SeqCst)), (here.last(), 0));
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("that a cluster cannot read") && told[0].contains("on this machine"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_has_operators_that_others_know_and_gives_the_same() {
    let stage = Stage::seeded(150).await;
    let mut sent = String::new();
    for (job, folder) in chain(&stage).await {
        let here = made(&job, &folder, None).await.0.unwrap();
        let faulty = Arc::new(Faulty::default());
        let (there, told) = made(&job, &folder, Some((&faulty, false))).await;
        assert_eq!((there.unwrap(), told.len()), (here, 0), "{}", job.name);
        sent.push_str(&faulty.shown.lock().unwrap().concat());
    }
    assert!(sent.contains("HashJoinExec") && sent.contains("key_digest") && sent.contains("only_where"), "{sent}");
    for ours in ["Attach", "is_settled", "is_wanted", "settled_gsid"] {
        assert!(!sent.contains(ours), "{ours} is known here only");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_break_off_go_on_behind_the_last_one() {
    let stage = Stage::seeded(150).await;
    for (job, folder) in chain(&stage).await {
        let here = made(&job, &folder, None).await.0.unwrap();
        for after in [0, 1] {
            // Once more, and it comes to its end.
            let once = Arc::new(Faulty { breaks: 1, after, may_pass: true, ..Faulty::default() });
            let (there, told) = made(&job, &folder, Some((&once, false))).await;
            assert_eq!(there.unwrap(), here, "{}", job.name);
            assert_eq!(told, ["the place is on fire; the cluster is asked once more"]);
            // It fails for good: the rest is made here, and nothing more is sent.
            let tries = if after == 0 { 1 } else { 2 };
            let burnt = Arc::new(Faulty { breaks: usize::MAX, after, may_pass: after > 0, ..Faulty::default() });
            let (there, told) = made(&job, &folder, Some((&burnt, true))).await;
            assert_eq!(there.unwrap(), here, "{}", job.name);
            assert_eq!(burnt.came.load(Ordering::SeqCst), tries);
            let last = "the place is on fire; what is left of the job is planned on this machine";
            assert_eq!((told.len(), told.last().map(String::as_str)), (tries, Some(last)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_fails_ends_the_plan_unless_it_may_be_made_here() {
    let stage = Stage::seeded(40).await;
    let (job, folder) = chain(&stage).await.remove(0);
    for (may_pass, tries) in [(false, 1), (true, 2)] {
        let burnt = Arc::new(Faulty { breaks: usize::MAX, may_pass, ..Faulty::default() });
        let failed = made(&job, &folder, Some((&burnt, false))).await.0.unwrap_err();
        assert!(failed.to_string().starts_with("the place is on fire; nothing was written: "), "{failed}");
        assert!(failed.to_string().ends_with("add --or-locally, or leave out --cluster"), "{failed}");
        assert!(failed.can_resume(), "a run goes on when the place is mended");
        assert_eq!(burnt.came.load(Ordering::SeqCst), tries);
    }
}
