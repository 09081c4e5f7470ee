//! A job after checking: everything a run needs to know, with no name left to resolve.
//!
//! In: `lang` makes it from a `CREATE JOB` statement and the catalog. Out: `run` extracts what it names, `engine` plans
//! it, `gainsight` learns from it what to read and how to write. It holds copies of the fields it uses, so that a plan
//! is a pure function of the job and the run folder.

use super::catalog::Object;
use super::expression::Expression;
use super::field::{Field, FieldKind};
use super::lookup::Lookup;
use super::moment;
use super::place::Place;
use super::policy::{DuplicateKey, OnError, OnSource, Unknown, Verb, Via};
use super::schedule::{Notify, Schedule};
use super::value::ValueType;

/// One checked job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name: `User Sync_Dynamics Connection`.
    pub name: String,
    /// What its author says of it.
    pub comment: Option<String>,
    /// The jobs that must have run before it.
    pub after: Vec<String>,
    /// When it is due by itself.
    pub schedule: Option<Schedule>,
    /// Who is told how a run ended.
    pub notify: Vec<Notify>,
    /// The time zone of its days, an IANA name.
    pub zone: String,
    /// Whether records are only inserted, only updated, or both.
    pub verb: Verb,
    /// Where rows come from.
    pub source: Source,
    /// The columns it reads: of the source table, and of tables reached through lookup columns.
    pub columns: Vec<Column>,
    /// The tables reached through lookup columns, each after the one it hangs on.
    pub relations: Vec<Relation>,
    /// The source table's primary key: an index into `columns`.
    pub id: usize,
    /// When the row was last changed, where the table says so: an index into `columns`.
    pub modified: Option<usize>,
    /// Which rows take part, of columns of the source alone.
    pub filter: Option<Expression>,
    /// Which rows take part, as far as lookups decide: judged after all mappings and lookups.
    pub late_filter: Option<Expression>,
    /// Derived mappings, in script order.
    pub lookups: Vec<Lookup>,
    /// Where records go.
    pub targets: Vec<Target>,
    /// What a record is recognised by: indices into `mappings`.
    pub key: Vec<Key>,
    /// What happens to rows of one key.
    pub duplicate_key: DuplicateKey,
    /// Conditions without which a row is rejected, each with its message.
    pub requires: Vec<Require>,
    /// How many errors a run bears.
    pub on_error: OnError,
    /// Why a row of files cannot be read, where the source is one: an index into `columns`.
    pub unread: Option<usize>,
    /// How the source says that a row was merged into another one. Read where the job acts on rows that are gone.
    pub merged: Option<Merged>,
    /// What happens to the record of a row that is gone.
    pub on_delete: OnSource,
    /// What happens to the record of a row that no longer passes the filter.
    pub on_leave: OnSource,
    /// What a choice without a label becomes in `LABEL`.
    pub unknown_choice: Unknown,
    /// What a text becomes that is no item of the target's picklist.
    pub unknown_item: Unknown,
    /// By which road records are written.
    pub via: Via,
    /// What is loaded first, and whether the greatest comes first.
    pub load_first: Option<(Expression, bool)>,
    /// What goes where, in script order.
    pub mappings: Vec<Mapping>,
    /// Where the statement stands.
    pub place: Place,
}

/// `FROM [CHANGES OF] connection.table AS alias`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The connection's identifier.
    pub connection: String,
    /// The table.
    pub table: TableRef,
    /// Whether only what changed since the last run is asked for.
    pub changes: bool,
    /// The export whose rows the first reading begins with.
    pub begins_with: Option<TableRef>,
    /// The column that tells what changed, where the script names one.
    pub by: Option<String>,
    /// How far back a run looks before the last one, in seconds.
    pub lag_seconds: Option<u64>,
    /// How often everything is compared, in seconds.
    pub full_every_seconds: Option<u64>,
}

/// The columns by which a Dataverse table says that a row was merged into another one: indices into [`Job::columns`].
/// <https://learn.microsoft.com/power-apps/developer/data-platform/merge-records>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// Whether it was: `merged`.
    pub flag: usize,
    /// The row that is left: `masterid`.
    pub into: usize,
}

/// `REQUIRE condition ELSE REJECT 'text'`.
#[derive(Debug, Clone, PartialEq)]
pub struct Require {
    /// What must be true.
    pub condition: Expression,
    /// What the error file says if it is not.
    pub message: String,
    /// Where the clause stands.
    pub place: Place,
}

/// A table of Dataverse or of files, as far as reading it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRef {
    /// The connection's identifier.
    pub connection: String,
    /// `systemuser`.
    pub name: String,
    /// `systemusers`.
    pub set_name: String,
    /// `systemuserid`.
    pub primary_id: String,
    /// Whether its rows say when they were created, so that it can be read in ranges of that.
    pub has_created: bool,
    /// Whether its rows say when they were last changed.
    pub has_modified: bool,
    /// Whether it says what changed since a link ("change tracking").
    pub tracks: bool,
    /// Whether it is a table of files.
    pub is_of_files: bool,
}

/// An object or a table by name, as a lookup searches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// The connection's identifier.
    pub connection: String,
    /// API name: `gsuser`.
    pub name: String,
    /// `User`.
    pub label: String,
    /// The table of Dataverse or of files, where it is one.
    pub table: Option<TableRef>,
}

impl ObjectRef {
    /// The field that identifies its records.
    #[must_use]
    pub fn primary_id(&self) -> &str {
        self.table.as_ref().map_or("Gsid", |table| &table.primary_id)
    }
}

/// A column that the job reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The relation it belongs to; none for the source table itself.
    pub relation: Option<usize>,
    /// The field.
    pub field: Field,
}

/// A table reached through a lookup column: `u.parentsystemuserid.…`.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// The lookup column that leads to it: an index into `Job::columns`.
    pub via: usize,
    /// The table it leads to.
    pub table: TableRef,
}

/// One object that a job writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The connection's identifier.
    pub connection: String,
    /// The object with its fields.
    pub object: Object,
    /// Which way records take to it.
    pub route: Route,
}

/// The ways by which records reach Gainsight, which differ in calls and budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Company, Relationship and custom objects: the object API, 50 records a call.
    Object,
    /// Users: the user management API, 50 records a call, 100 calls an hour.
    User,
    /// The human: the people API, one a call.
    Person,
    /// The human at a company: goes with the person's call.
    CompanyPerson,
    /// Ferry's own map between Dynamics users and Gainsight users: no call at all.
    Avatar,
}

/// One field of `KEY (…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The mapping that fills the key field: an index into `Job::mappings`.
    pub mapping: usize,
    /// How values are made alike before they are compared.
    pub fold: Fold,
}

/// How two texts are made alike before a key or an equality compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Not at all.
    Exact,
    /// Without case: e-mails, and where the script says `IGNORE CASE`.
    Case,
    /// Without case and braces: GUIDs.
    Guid,
}

impl Fold {
    /// How a field and a value of this type are compared when the script says nothing, or `IGNORE CASE`.
    #[must_use]
    pub fn of(target: FieldKind, value: ValueType, ignore_case: bool) -> Self {
        if value == ValueType::Guid || matches!(target, FieldKind::Guid | FieldKind::Reference) {
            Self::Guid
        } else if ignore_case || target == FieldKind::Email {
            Self::Case
        } else {
            Self::Exact
        }
    }
}

/// `expression AS Target."Field"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// An index into `Job::targets`.
    pub target: usize,
    /// The field that is filled.
    pub field: Field,
    /// With what.
    pub value: Expression,
    /// Of which type that is.
    pub value_type: ValueType,
    /// `KEEP(…)`: a null leaves the target's value alone.
    pub keep: bool,
    /// Where the mapping stands.
    pub place: Place,
}

impl Job {
    /// The connections that it uses, each once.
    #[must_use]
    pub fn connections(&self) -> Vec<&str> {
        let mut all = vec![self.source.connection.as_str(), self.main_target().connection.as_str()];
        all.extend(self.source.begins_with.iter().map(|table| table.connection.as_str()));
        all.extend(self.lookups.iter().map(|lookup| lookup.object.connection.as_str()));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether it has to see every row of its source, also those that do not pass `WHERE`: a copy of the table is kept up to date, or
    /// what becomes of a row that is gone or left depends on it.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.source.changes || self.keeps_links()
    }

    /// The target whose records the key identifies.
    #[must_use]
    pub fn main_target(&self) -> &Target {
        &self.targets[self.key.first().map_or(0, |k| self.mappings[k.mapping].target)]
    }

    /// Where the target with this route stands in `targets`.
    #[must_use]
    pub fn target_by_route(&self, route: Route) -> Option<usize> {
        self.targets.iter().position(|t| t.route == route)
    }

    /// The mappings of one target, with their indices.
    pub fn mappings_of(&self, target: usize) -> impl Iterator<Item = (usize, &Mapping)> {
        self.mappings.iter().enumerate().filter(move |(_, m)| m.target == target)
    }

    /// Whether the job acts on what its source loses, and so keeps which record each row became.
    #[must_use]
    pub fn keeps_links(&self) -> bool {
        self.on_delete.acts() || self.on_leave.acts()
    }

    /// The fields that the job sets in records of rows that its source lost, each once: target and field.
    #[must_use]
    pub fn assigned(&self) -> Vec<(usize, &Field)> {
        let mut all: Vec<(usize, &Field)> = Vec::new();
        for one in self.on_delete.assigned().iter().chain(self.on_leave.assigned()) {
            if !all.iter().any(|(target, field)| *target == one.target && field.name == one.field.name) {
                all.push((one.target, &one.field));
            }
        }
        all
    }

    /// The `AFTER LOAD` lookup whose record this mapping takes the GSID of, if that record may be one that this run is
    /// going to insert.
    #[must_use]
    pub fn pending_lookup(&self, mapping: usize) -> Option<usize> {
        match self.mappings[mapping].value {
            Expression::Looked { lookup, .. } if self.is_pending(lookup) => Some(lookup),
            _ => None,
        }
    }

    /// Whether a lookup may find records that this run is going to insert.
    #[must_use]
    pub fn is_pending(&self, lookup: usize) -> bool {
        let lookup = &self.lookups[lookup];
        let main = self.main_target();
        lookup.after_load && lookup.object.table.is_none() && lookup.object.name == main.object.name
    }

    /// The job as a run at this moment sees it: `NOW` and `TODAY` are constants, and what can be calculated from them is.
    #[must_use]
    pub fn at(&self, now_millis: i64) -> Self {
        let zone = moment::zone(&self.zone).unwrap_or(chrono_tz::UTC);
        let set = |e: &Expression| e.replaced(&|e| moment::settled(e, now_millis, zone));
        let set_all = |e: &mut Expression| *e = set(e);
        let mut job = self.clone();
        job.filter.iter_mut().chain(&mut job.late_filter).for_each(set_all);
        job.mappings.iter_mut().for_each(|m| set_all(&mut m.value));
        job.lookups.iter_mut().flat_map(|l| &mut l.matches).for_each(|m| set_all(&mut m.value));
        job.requires.iter_mut().for_each(|r| set_all(&mut r.condition));
        for clause in [&mut job.on_delete, &mut job.on_leave] {
            if let OnSource::Set(all, _) = clause {
                all.iter_mut().for_each(|one| set_all(&mut one.value));
            }
        }
        if let DuplicateKey::KeepLatest(by) = &mut job.duplicate_key {
            set_all(by);
        }
        if let Some((by, _)) = &mut job.load_first {
            set_all(by);
        }
        job
    }
}
