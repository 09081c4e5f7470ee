//! The tables of the state, version by version: what leads from each to the next. Never changed, only added to.

const TABLES: &str = "
CREATE TABLE run (
    id TEXT PRIMARY KEY, job TEXT NOT NULL, chain TEXT, started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL,
    report TEXT, message TEXT
) STRICT;
CREATE TABLE stage (
    run TEXT NOT NULL REFERENCES run (id), name TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL,
    rows INTEGER NOT NULL
) STRICT;
CREATE TABLE identity (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, source_id TEXT NOT NULL, active INTEGER, user_gsid TEXT,
    PRIMARY KEY (organization, tenant, source_id)
) STRICT;
CREATE TABLE refusal (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, source_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL, message TEXT NOT NULL, field TEXT, value TEXT, run TEXT NOT NULL,
    PRIMARY KEY (organization, tenant, job, source_id)
) STRICT;
";

/// What the second version added.
const CONNECTIONS: &str = "
CREATE TABLE connection (
    name TEXT PRIMARY KEY, url TEXT NOT NULL, identity TEXT NOT NULL, since TEXT NOT NULL, revoked TEXT
) STRICT;
";

/// What the third version added.
const SPENT: &str = "
CREATE TABLE spent (
    tenant TEXT NOT NULL, api TEXT NOT NULL, length_ms INTEGER NOT NULL, number INTEGER NOT NULL, calls INTEGER NOT NULL,
    PRIMARY KEY (tenant, api, length_ms)
) STRICT;
";

/// What the fourth version added: the ledger of runs. A row of `outcome` without a result is one whose call was sent and is not
/// answered yet.
const LEDGER: &str = "
CREATE TABLE lease (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, process INTEGER NOT NULL, since TEXT NOT NULL) STRICT;
ALTER TABLE run ADD COLUMN organization TEXT;
ALTER TABLE run ADD COLUMN tenant TEXT;
ALTER TABLE run ADD COLUMN phase TEXT NOT NULL DEFAULT 'ended';
ALTER TABLE run ADD COLUMN job_digest TEXT;
ALTER TABLE run ADD COLUMN now_ms INTEGER;
ALTER TABLE run ADD COLUMN relied TEXT;
ALTER TABLE run ADD COLUMN chosen TEXT;
ALTER TABLE run ADD COLUMN planned TEXT;
ALTER TABLE run ADD COLUMN plan_digest TEXT;
ALTER TABLE run ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
CREATE INDEX run_by_job ON run (job, id);
CREATE TABLE reading (
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, dataset TEXT NOT NULL, checkpoint TEXT NOT NULL,
    rows INTEGER NOT NULL, is_done INTEGER NOT NULL, PRIMARY KEY (run, dataset)
) STRICT;
CREATE TABLE page (
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, dataset TEXT NOT NULL, number INTEGER NOT NULL,
    file TEXT NOT NULL, rows INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (run, dataset, number)
) STRICT;
CREATE TABLE batch (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, step INTEGER NOT NULL,
    what TEXT NOT NULL, rows INTEGER NOT NULL, epoch INTEGER NOT NULL, sent_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'acknowledged', 'refused', 'withdrawn', 'unknown', 'abandoned'))
) STRICT;
CREATE INDEX batch_by_run ON batch (run, state);
CREATE TABLE outcome (
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, row INTEGER NOT NULL, step INTEGER NOT NULL,
    batch INTEGER REFERENCES batch (id) ON DELETE CASCADE, source_id TEXT NOT NULL, result TEXT, gsid TEXT, message TEXT,
    field TEXT, value TEXT, PRIMARY KEY (run, row, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcome_by_batch ON outcome (batch);
CREATE TABLE due (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, source_id TEXT NOT NULL, code TEXT NOT NULL,
    retried TEXT NOT NULL, message TEXT NOT NULL, since TEXT NOT NULL, tries INTEGER NOT NULL, run TEXT NOT NULL,
    PRIMARY KEY (organization, tenant, job, source_id)
) STRICT, WITHOUT ROWID;
";

/// What the fifth version added: which record each row became, for jobs that act on what the source loses.
const LINKS: &str = "
CREATE TABLE link (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, source_id TEXT NOT NULL, object TEXT NOT NULL,
    gsid TEXT, key TEXT NOT NULL, has_left INTEGER NOT NULL, PRIMARY KEY (organization, tenant, job, source_id, object)
) STRICT, WITHOUT ROWID;
";

/// What the sixth version added: where a job's next run begins to read. Its rows lie in the folder of the run that is named.
const BASE: &str = "
CREATE TABLE base (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, run TEXT NOT NULL REFERENCES run (id),
    digest TEXT NOT NULL, full_at_ms INTEGER NOT NULL, cursors TEXT NOT NULL, PRIMARY KEY (organization, tenant, job)
) STRICT, WITHOUT ROWID;
";

/// What the seventh version added: who started runs, what was changed and by whom, what is due and who is told.
const OPERATIONS: &str = "
ALTER TABLE run ADD COLUMN started_by TEXT;
ALTER TABLE run ADD COLUMN slot_ms INTEGER;
ALTER TABLE identity ADD COLUMN since TEXT;
ALTER TABLE identity ADD COLUMN settled_by TEXT;
ALTER TABLE identity ADD COLUMN parted_gsid TEXT;
CREATE TABLE change (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    action TEXT NOT NULL, before TEXT, after TEXT, digest TEXT NOT NULL
) STRICT;
CREATE TABLE definition (
    project TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (project, kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE upkeep (name TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE slot (
    name TEXT NOT NULL, at_ms INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('begun', 'made_up', 'missed', 'overlapped')),
    decided TEXT NOT NULL, more INTEGER NOT NULL DEFAULT 0, run TEXT, PRIMARY KEY (name, at_ms)
) STRICT, WITHOUT ROWID;
CREATE TABLE following (
    name TEXT PRIMARY KEY, schedule TEXT NOT NULL, decided_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE notice (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, address TEXT NOT NULL, event TEXT NOT NULL, content TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'delivered', 'given_up')), tries INTEGER NOT NULL, next_ms INTEGER NOT NULL,
    at TEXT NOT NULL, message TEXT, UNIQUE (run, address, event)
) STRICT;
CREATE TABLE approval (run TEXT PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE pause (
    name TEXT PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL, is_cancel INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_slot ON run (slot_ms);
CREATE TABLE ambiguous (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, source_id TEXT NOT NULL, job TEXT NOT NULL, run TEXT NOT NULL,
    since TEXT NOT NULL, candidates TEXT NOT NULL, PRIMARY KEY (organization, tenant, source_id)
) STRICT, WITHOUT ROWID;
";

/// What the eighth version added: in which order runs began and wrote, by numbers of the state. Moments of two machines are not to be
/// compared, as one of their clocks may be ahead. Of each kind of call the last one stays when its run is cleaned: its number, and the
/// number of the last one by another run than that.
const ORDER: &str = "
ALTER TABLE run ADD COLUMN began INTEGER;
ALTER TABLE run ADD COLUMN seen INTEGER;
ALTER TABLE run ADD COLUMN wrote INTEGER;
ALTER TABLE identity ADD COLUMN said_behind INTEGER;
CREATE TABLE writing (
    tenant TEXT NOT NULL, what TEXT NOT NULL, number INTEGER NOT NULL, run TEXT NOT NULL, others INTEGER NOT NULL,
    machine TEXT, at_ms INTEGER NOT NULL, PRIMARY KEY (tenant, what)
) STRICT, WITHOUT ROWID;
UPDATE run SET began = numbered.number
    FROM (SELECT id, row_number() OVER (ORDER BY started, id) AS number FROM run) AS numbered WHERE run.id = numbered.id;
UPDATE run SET wrote = (SELECT max(batch.id) FROM batch WHERE batch.run = run.id);
UPDATE run SET seen = (SELECT max(batch.id) FROM batch WHERE sent_at_ms <= now_ms) WHERE phase <> 'ended';
INSERT INTO writing (tenant, what, number, run, others, at_ms)
    SELECT run.tenant, batch.what, batch.id, batch.run, coalesce((
        SELECT max(one.id) FROM batch AS one JOIN run AS its ON its.id = one.run
        WHERE its.tenant = run.tenant AND one.what = batch.what AND one.run <> batch.run), 0), batch.sent_at_ms
    FROM batch JOIN run ON run.id = batch.run WHERE batch.id IN (
        SELECT max(one.id) FROM batch AS one JOIN run AS its ON its.id = one.run WHERE its.tenant IS NOT NULL
        GROUP BY its.tenant, one.what);
DROP INDEX run_by_job;
CREATE INDEX run_by_job ON run (job, organization, tenant, began);
";

/// What leads from each version to the next.
pub(super) const STEPS: [&str; 8] = [TABLES, CONNECTIONS, SPENT, LEDGER, LINKS, BASE, OPERATIONS, ORDER];

/// The version that this code writes.
pub(super) const VERSION: i64 = 8;

/// What a server has beside that: the version in a row, as it has no other place for it, with which cluster it was; and of each lease how
/// long it holds and on which machine its owner is, which the lock of a home says of a file.
pub(super) const OF_SERVER: &str = "
CREATE TABLE state (version INTEGER NOT NULL, system TEXT, timeline TEXT);
ALTER TABLE lease ADD COLUMN machine TEXT;
ALTER TABLE lease ADD COLUMN expires TIMESTAMP WITH TIME ZONE;
";
