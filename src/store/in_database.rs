//! The ledger in the state's database: each operation of the trait is one of the state's, which stand by subject in the files beside this one.

use arrow::record_batch::RecordBatch;

use super::bases::move_base;
use super::dataset::Part;
use super::due::Due;
use super::error::Result;
use super::ledger::{Answer, Base, Begin, End, Intent, Ledger, Phase, Reading, Recorded, Settled, Tally, Unfinished};
use super::links::Relink;
use super::runs::Stage;
use super::state::{State, Tenancy};

impl Ledger for State {
    fn begin(&self, one: &Begin<'_>) -> Result<String> {
        self.begin_run(one)
    }

    fn unfinished(&self, of: &Tenancy, job: &str) -> Result<Option<Unfinished>> {
        self.unfinished_run(of, job)
    }

    fn begun(&self, run: &str) -> Result<Option<Unfinished>> {
        self.begun_run(run)
    }

    fn apply(&self, run: &str, at: &str) -> Result<bool> {
        self.apply_plan(run, at)
    }

    fn written_since(&self, of: &Tenancy, job: &str, plan: &str) -> Result<Option<String>> {
        self.run_that_wrote_since(of, job, plan)
    }

    fn take_up(&self, run: &str) -> Result<()> {
        self.take_run_up(run)
    }

    fn is_approved(&self, run: &str) -> Result<bool> {
        self.is_run_approved(run)
    }

    fn abandon(&self, run: &str, at: &str, why: &str) -> Result<()> {
        self.abandon_run(run, at, why)
    }

    fn left(&self, run: &str) {
        self.leave(run);
    }

    fn stage(&self, run: &str, stage: &Stage) -> Result<()> {
        self.keep_stage(run, stage)
    }

    fn reading(&self, run: &str, dataset: &str) -> Result<Option<Reading>> {
        self.kept_reading(run, dataset)
    }

    fn page(&self, run: &str, dataset: &str, part: Option<&Part>, checkpoint: &str) -> Result<()> {
        self.keep_page(run, dataset, part, checkpoint)
    }

    fn note(&self, run: &str, name: &str, text: &str) -> Result<()> {
        self.keep_note(run, name, text)
    }

    fn looks(&self, run: &str, at_ms: i64) -> Result<()> {
        self.keep_look(run, at_ms)
    }

    fn read_whole(&self, run: &str, dataset: &str) -> Result<()> {
        self.keep_read_whole(run, dataset)
    }

    fn read_again(&self, run: &str, dataset: &str) -> Result<()> {
        self.forget_reading(run, dataset)
    }

    fn extracted(&self, run: &str) -> Result<()> {
        self.move_run(run, Phase::Extracted, None)
    }

    fn extract_again(&self, run: &str) -> Result<()> {
        self.move_run(run, Phase::Extracting, None)
    }

    fn planned(&self, run: &str, counts: &str, digest: &str) -> Result<()> {
        self.move_run(run, Phase::Loading, Some((counts, digest)))
    }

    fn intend(&self, run: &str, calls: &[Intent]) -> Result<Vec<i64>> {
        self.keep_intents(run, calls)
    }

    fn settle(&self, run: &str, of: &Tenancy, job: &str, calls: &[(i64, Answer)], rows: &[Settled]) -> Result<()> {
        self.keep_answers(run, of, job, calls, rows)
    }

    fn outcome(&self, run: &str, row: i64, step: u8) -> Result<Option<Recorded>> {
        self.recorded(run, row, step)
    }

    fn last_open(&self, run: &str) -> Result<Option<i64>> {
        self.last_sent(run, None)
    }

    fn noted_by_others(&self, tenant: &str, run: &str, name: &str) -> Result<Vec<(String, String)>> {
        self.notes_of_others(tenant, run, name)
    }

    fn last_open_of_others(&self, tenant: &str, run: &str) -> Result<Option<i64>> {
        self.last_sent(run, Some(tenant))
    }

    fn others_wrote(&self, tenant: &str, run: &str, what: &[&str]) -> Result<bool> {
        self.others_wrote_since(tenant, run, what)
    }

    fn last_made(&self, tenant: &str, what: &[String]) -> Result<Option<i64>> {
        self.last_made_of(tenant, what)
    }

    fn is_ours(&self) -> Result<()> {
        self.holds()
    }

    fn close_others(&self, tenant: &str, run: &str, sent_by_ms: i64) -> Result<()> {
        self.close_batches_of_others(tenant, run, sent_by_ms)
    }

    fn tally(&self, run: &str) -> Result<Tally> {
        self.tally_of(run)
    }

    fn rebase(&self, of: &Tenancy, job: &str, base: &Base) -> Result<()> {
        self.change("rebase", |change| move_base(change, of, job, base))
    }

    fn base(&self, of: &Tenancy, job: &str) -> Result<Option<Base>> {
        self.kept_base(of, job)
    }

    fn end(&self, end: &End<'_>) -> Result<()> {
        self.end_run(end)
    }

    fn refusals(&self, of: &Tenancy, job: &str) -> Result<RecordBatch> {
        self.all_refusals(of, job)
    }

    fn settled_since(&self, of: &Tenancy, run: &str) -> Result<bool> {
        self.said_since(of, run)
    }

    fn identities(&self, of: &Tenancy) -> Result<RecordBatch> {
        self.all_identities(of)
    }

    fn links(&self, of: &Tenancy, job: &str, after: Option<(&str, &str)>) -> Result<RecordBatch> {
        self.links_behind(of, job, after)
    }

    fn relink(&self, of: &Tenancy, job: &str, all: &[Relink]) -> Result<()> {
        self.keep_relinks(of, job, all)
    }

    fn due(&self, of: &Tenancy, job: &str) -> Result<Vec<Due>> {
        self.all_due(Some(of), Some(job))
    }
}
