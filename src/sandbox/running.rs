//! Starting a sandbox and holding on to it.
//!
//! It composes the parts and forwards; it decides nothing about either service. In: [`Options`]. Out: a [`Sandbox`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::calls::{Call, CallLog, Service};
use super::certificates;
use super::clock::Clock;
use super::credentials::{Credentials, Vault};
use super::drift::Drift;
use super::dynamics::{Dynamics, Export, Sink};
use super::faults::{Fault, Faults, Touch, given_rules, read_rules};
use super::gainsight::{Gainsight, Oddity, Shape};
use super::holds::Holds;
use super::http::{Answering, Port, serve};
use super::options::{Error, Options};
use super::world;
use super::writer::Change;

/// A running sandbox; dropping it closes both ports without waiting.
pub struct Sandbox {
    dynamics: Arc<Dynamics>,
    gainsight: Arc<Gainsight>,
    vault: Arc<Vault>,
    log: Arc<CallLog>,
    faults: Arc<Faults>,
    holds: Arc<Holds>,
    clock: Clock,
    gainsight_url: String,
    authority: Option<String>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Builds the world and opens both ports.
pub async fn start(options: Options) -> Result<Sandbox, Error> {
    start_with(options, "").await
}

/// The same with rules of faults as text, such as those of a [`FaultSchedule`](super::FaultSchedule); they come after the rules of
/// the file, if there is one.
pub async fn start_with(options: Options, rules: &str) -> Result<Sandbox, Error> {
    let certificates = options.tls.then(certificates::make).transpose()?;
    let scheme = if options.tls { "https" } else { "http" };
    let (dynamics_listener, dynamics_url) = listen(options.dynamics_port, scheme).await?;
    let (gainsight_listener, gainsight_url) = listen(options.gainsight_port, scheme).await?;
    let clock = Clock::new(options.limits_scale);
    let vault = Arc::new(Vault::new(options.seed));
    let dynamics = Arc::new(Dynamics::new(options.seed, dynamics_url, Arc::clone(&vault), clock.clone())?);
    let gainsight = Arc::new(Gainsight::new(options.seed, &options.suffix, Arc::clone(&vault), clock.clone())?);
    let fits = |touch: &Touch| dynamics.fits(touch);
    let mut all = options.faults.as_deref().map(|file| read_rules(file, &fits)).transpose()?.unwrap_or_default();
    all.extend(given_rules(rules, &fits)?);
    match &options.world {
        Some(folder) => world::read_folder(folder, options.seed, &dynamics, &gainsight)?,
        None => world::generate(options.rows, options.seed, &dynamics, &gainsight)?,
    }
    let (log, faults) = (Arc::new(CallLog::default()), Arc::new(Faults::new(all, options.seed)));
    let holds = Arc::new(Holds::default());
    let (stop, stopped) = watch::channel(false);
    let tls = || certificates.as_ref().map(|made| made.acceptor.clone());
    let latency = Duration::from_millis(options.latency_ms);
    let port = |service: Arc<dyn Answering>| {
        let (log, faults, holds) = (Arc::clone(&log), Arc::clone(&faults), Arc::clone(&holds));
        Port { service, log, faults, holds, clock: clock.clone(), latency }
    };
    let tasks = vec![
        tokio::spawn(serve(dynamics_listener, tls(), port(Arc::clone(&dynamics) as _), stopped.clone())),
        tokio::spawn(serve(gainsight_listener, tls(), port(Arc::clone(&gainsight) as _), stopped)),
    ];
    let authority = certificates.map(|made| made.authority);
    Ok(Sandbox { dynamics, gainsight, vault, log, faults, holds, clock, gainsight_url, authority, stop, tasks })
}

async fn listen(port: u16, scheme: &str) -> Result<(TcpListener, String), Error> {
    let refused = |source| Error::Port { port, source };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(refused)?;
    let taken = listener.local_addr().map_err(refused)?.port();
    Ok((listener, format!("{scheme}://127.0.0.1:{taken}")))
}

impl Sandbox {
    /// Address of Dynamics and of the token endpoint, without a slash at the end.
    pub fn dynamics_url(&self) -> &str {
        self.dynamics.url()
    }

    /// Address of Gainsight, without a slash at the end.
    pub fn gainsight_url(&self) -> &str {
        &self.gainsight_url
    }

    /// The authority that a client has to trust, as PEM, where the sandbox speaks TLS.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// What opens both services.
    pub fn credentials(&self) -> &Credentials {
        &self.vault.credentials
    }

    /// The Dynamics organization, as `WhoAmI` reports it.
    pub fn organization_id(&self) -> &str {
        self.dynamics.organization_id()
    }

    /// The rows of a Dynamics table as they are now, by key, under their Web API names; nulls are present, and
    /// polymorphic lookups carry their `lookuplogicalname`. Empty for a table that does not exist.
    pub fn table(&self, logical_name: &str) -> Vec<Map<String, Value>> {
        self.dynamics.rows(logical_name)
    }

    /// What is odd about bulk imports from now on.
    pub fn import_oddly(&self, oddity: Oddity) {
        self.gainsight.import_oddly(oddity);
    }

    /// Writes the folder of an interval of an export of Synapse Link: what changed since the last one, or everything. `next` is the folder
    /// that is under way then. Both are names such as `2025-01-01T00.15.00Z`.
    ///
    /// # Errors
    /// What the sink says.
    pub fn export_folder(
        &self,
        export: &mut Export,
        interval: &str,
        next: &str,
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        self.dynamics.export_folder(export, interval, next, sink)
    }

    /// Writes an export of Synapse Link whose files are rewritten in place, with its snapshots of a moment, in seconds since 1970.
    ///
    /// # Errors
    /// What the sink says.
    pub fn export_snapshots(&self, at: i64, sink: &mut Sink<'_>) -> io::Result<()> {
        self.dynamics.export_snapshots(at, sink)
    }

    /// The records of a Gainsight object as stored now, by GSID; picklists as item GSIDs, dates as milliseconds. Empty
    /// for an object that does not exist.
    pub fn records(&self, object: &str) -> Vec<Map<String, Value>> {
        self.gainsight.records(object)
    }

    /// Stops the clock of both services at a moment (milliseconds since 1970): time stamps, lives of access tokens and of
    /// delta tokens, and the `Date` of replies go by it. Rate windows and signing in stay in real time.
    pub fn set_clock(&self, moment_ms: i64) {
        self.clock.set(moment_ms);
    }

    /// Moves the clock of both services on; one that was never set goes on going.
    pub fn advance_clock(&self, by_ms: i64) {
        self.clock.advance(by_ms);
    }

    /// Every request answered so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.log.all()
    }

    /// From now on requests fail by these rules and no others.
    pub fn strike_by(&self, rules: &str) -> Result<(), Error> {
        self.faults.replace(given_rules(rules, &|touch| self.dynamics.fits(touch))?);
        Ok(())
    }

    /// From now on requests of a method to paths that begin so wait, before anything of them is done.
    pub fn hold(&self, service: Service, method: &str, path: &str) {
        self.holds.hold(service, method, path);
    }

    /// How many requests wait.
    pub fn held(&self) -> usize {
        self.holds.waiting()
    }

    /// Lets all requests go that are held, and those to come.
    pub fn let_go(&self) {
        self.holds.let_go();
    }

    /// How many requests each rule of the faults has struck, in the order of the rules.
    pub fn struck(&self) -> Vec<usize> {
        self.faults.struck()
    }

    /// How many requests were under way at once, at the most, to either service.
    pub fn most_at_once(&self) -> usize {
        self.log.most_at_once()
    }

    /// From now on somebody else writes while rows are read: after every page of a table (its logical name is given) that
    /// another page follows, these changes are made before the answer goes out. A change that cannot be made is left out.
    pub fn write_between_pages(&self, writing: impl FnMut(&str) -> Vec<Change> + Send + 'static) {
        self.dynamics.writer.set(Box::new(writing));
    }

    /// Adds a row to the source, or changes the given columns of one; `versionnumber` moves, and `modifiedon` too unless
    /// it is given. Says whether it did: nothing is stored for an unknown table or column or a value that does not fit.
    pub fn put_row(&self, table: &str, row: Map<String, Value>) -> bool {
        self.dynamics.put_row(table, &row).is_ok()
    }

    /// Removes a row of the source and says whether it was there.
    pub fn delete_row(&self, table: &str, id: &str) -> bool {
        self.dynamics.delete_row(table, id)
    }

    /// Merges two accounts or two contacts: the subordinate is inactive then and names its master, and what led to it leads
    /// to the master. Says whether it did: both must be there, and neither merged before.
    pub fn merge_rows(&self, table: &str, master: &str, subordinate: &str) -> bool {
        self.dynamics.merge_rows(table, master, subordinate)
    }

    /// Stores a Gainsight record as it is, replacing the one with its `Gsid`, and returns the GSID. `ModifiedDate` moves unless
    /// another one is given. Nothing is checked;
    /// fields the object does not have are dropped, and an unknown object gives an empty string.
    pub fn put_record(&self, object: &str, record: Map<String, Value>) -> String {
        self.gainsight.put_record(object, &record)
    }

    /// Changes fields of a Gainsight record, as a user does there, and says whether the record is there: it is changed now, and
    /// a null clears. Nothing is checked; fields that the object does not have are dropped.
    pub fn edit_record(&self, object: &str, gsid: &str, fields: Map<String, Value>) -> bool {
        self.gainsight.edit_record(object, gsid, &fields)
    }

    /// Deletes a Gainsight record, as a user does there, and says whether it was there; the log of deletions has it.
    pub fn delete_record(&self, object: &str, gsid: &str) -> bool {
        self.gainsight.delete_record(object, gsid)
    }

    /// From now on the metadata of a service shows another schema: of an object or a field (`account`, `account.fax`), by the
    /// names of the API. Says whether there was such a thing to change.
    pub fn drift(&self, service: Service, place: &str, drift: Drift<'_>) -> bool {
        match service {
            Service::Dynamics => self.dynamics.drift(place, &drift),
            Service::Gainsight => self.gainsight.drift(place, &drift),
            Service::Entra => false,
        }
    }

    /// Switches change tracking of a Dynamics table on or off, and says whether there is such a table. It is on for `account`,
    /// `contact`, `opportunity` and `new_project`.
    pub fn track(&self, table: &str, on: bool) -> bool {
        self.dynamics.track(table, on)
    }

    /// From now on a delta token names the version of the first page of its read, or of the last (as from the start).
    pub fn mark_delta_tokens_by_first_page(&self, first: bool) {
        self.dynamics.mark_first_page(first);
    }

    /// How many days delta tokens live by the sandbox's clock, also those that were given; 7 from the start.
    pub fn keep_delta_tokens(&self, days: i64) {
        self.dynamics.keep_delta_tokens(days);
    }

    /// From now on Gainsight refuses the access key.
    pub fn revoke_access_key(&self) {
        self.vault.set_access_key_valid(false);
    }

    /// Makes the access key work or fail.
    pub fn set_access_key_valid(&self, valid: bool) {
        self.vault.set_access_key_valid(valid);
    }

    /// Whether the caller's address is outside the list of the Gainsight access key.
    pub fn refuse_address(&self, refused: bool) {
        self.gainsight.refuse_address(refused);
    }

    /// From now on Gainsight answers queries in this shape.
    pub fn answer_queries_in(&self, shape: Shape) {
        self.gainsight.answer_queries_in(shape);
    }

    /// From now on no token is given for the client secret; tokens given before live on, as they do in Entra.
    pub fn revoke_client_secret(&self) {
        self.vault.revoke_client_secret();
    }

    /// Gives the application a privilege on a table (`Write`), or takes it (no depth): told to whoever asks, not enforced.
    pub fn grant(&self, table: &str, kind: &str, depth: Option<&str>) {
        self.dynamics.granted.set(table, kind, depth);
    }

    /// From now on no token is given for a refresh token of before: everybody has to sign in again.
    pub fn sign_everybody_out(&self) {
        self.dynamics.people.sign_everybody_out();
    }

    /// Every access and refresh token that was given, so that a test can look where they must not be.
    pub fn tokens(&self) -> Vec<String> {
        [self.dynamics.tokens.all(), self.dynamics.people.refresh_tokens(), self.gainsight.tokens()].concat()
    }

    /// From now on a token opens this many requests, whatever it said of its life: it ends in the middle of a read.
    pub fn limit_token_uses(&self, most: usize) {
        self.dynamics.tokens.limit_uses(most);
    }

    /// The next `times` requests to the service fail with this status and the service's own error body.
    pub fn fail_next(&self, service: Service, status: u16, times: usize, retry_after_seconds: Option<u64>) {
        let retry_after = retry_after_seconds.map(|seconds| seconds.to_string().into());
        self.faults.order(service, times, Fault { status, retry_after, code: None });
    }

    /// The same with a code of the test's choice in the body: `0x80044150` is a deadlock, `0x80072560` no member.
    pub fn fail_next_with(&self, service: Service, status: u16, times: usize, code: &'static str) {
        self.faults.order(service, times, Fault { status, retry_after: None, code: Some(code.into()) });
    }

    /// Closes both ports after the requests under way have been answered.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            // A task that panicked has nothing left to close.
            let _ended = task.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
