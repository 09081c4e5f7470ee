//! Rules of the product that no type can say: avatars, person keys, required fields, self lookups.

use super::Context;
use super::lost;
use super::target::AVATAR_ID;
use crate::diagnostic::code::{AVATAR, CLAUSE, PERSON_KEY, POLYMORPHIC, REQUIRED_UNMAPPED, SELF_MATCH, TARGETS, TYPE};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{self, LateClause};
use crate::model::expression::Expression;
use crate::model::field::FieldKind;
use crate::model::job::{Fold, Job, Mapping, Route};
use crate::model::lookup::{OnMultiple, OnNone};
use crate::model::policy::{Verb, Via};
use crate::model::value::ValueType;

/// Lookups that see what the run itself writes: each of them reads the rows three times.
const PENDING_AT_MOST: usize = 3;

/// Holds all rules against a job that is otherwise whole.
pub(super) fn check(written: &ast::Job, job: &Job, context: &Context<'_>, out: &mut Diagnostics) {
    avatar(written, job, out);
    person_key(written, job, context, out);
    required(written, job, out);
    self_match(written, job, out);
    after_load(written, job, out);
    polymorphic(written, job, out);
    looked_up_kind(written, job, out);
    lost::keys(written, job, out);
    via(written, job, out);
}

/// A bulk import takes whole records of one object, and gives back no ids.
fn via(written: &ast::Job, job: &Job, out: &mut Diagnostics) {
    let said =
        written.late.iter().find_map(|c| if let LateClause::LoadVia { span, .. } = c { Some(*span) } else { None });
    let Some(span) = said.filter(|_| job.via != Via::Api) else { return };
    let target = job.main_target();
    let is_import = !matches!(job.via, Via::Files { .. });
    let road = if is_import { "Gainsight's bulk import" } else { "a connector that takes files in" };
    let keys = || job.key.iter().map(|key| (&job.mappings[key.mapping].field, key.fold));
    let cased = keys().find(|(field, fold)| field.kind == FieldKind::String && *fold == Fold::Exact);
    if let Some((field, _)) = cased.filter(|_| is_import) {
        let message = format!("a bulk import finds records by \"{}\" whatever its case", field.label);
        let help = format!("write KEY (\"{}\" IGNORE CASE)", field.label);
        out.push(Diagnostic::error(CLAUSE, span, message).help(help));
    }
    let wrong = match () {
        () if is_import && !keys().any(|(field, _)| field.kind.can_be_listed()) => {
            "records of this key cannot be looked for where an import does not say what it wrote".to_owned()
        }
        () if is_import && (job.targets.len() > 1 || target.route != Route::Object) => {
            format!("Gainsight's bulk import does not take {}", target.object.label)
        }
        () if job.verb != Verb::Upsert => format!("{road} upserts, and this job does not"),
        () if job.keeps_links() => "a job that acts on what the source loses has to know its records".to_owned(),
        () if (0..job.lookups.len()).any(|lookup| job.is_pending(lookup)) => {
            "a job whose records point at each other has to know the new ones".to_owned()
        }
        () => return,
    };
    out.push(Diagnostic::error(CLAUSE, span, wrong).help("write LOAD VIA API, or leave the clause out"));
}

/// A column that may point at rows of several tables, searched among companies, finds none for those that are no accounts.
fn polymorphic(written: &ast::Job, job: &Job, out: &mut Diagnostics) {
    let mut asked = Vec::new();
    let conditions = job.filter.iter().chain(job.requires.iter().map(|r| &r.condition));
    conditions.for_each(|f| f.walk(&mut |e| asked.extend(if let Expression::TypeOf(c) = e { Some(*c) } else { None })));
    for (lookup, text) in job.lookups.iter().zip(&written.lookups) {
        let is_company = lookup.object.table.is_none() && lookup.object.name.eq_ignore_ascii_case("company");
        // REJECT tells such rows apart by itself, with a reason of their own.
        if !is_company || lookup.on_none == OnNone::Reject {
            continue;
        }
        let columns = lookup.matches.iter().filter_map(|m| m.polymorphic).filter(|c| !asked.contains(c));
        for field in columns.map(|c| &job.columns[c].field) {
            let message =
                format!("`{}` may point at {}, and only an account is a company", field.name, field.targets.join(", "));
            let alias = &written.from.alias.text;
            out.push(
                Diagnostic::warning(POLYMORPHIC, text.head, message)
                    .label("the others find nothing")
                    .help(format!("WHERE TYPE_OF({alias}.{}) = 'account'", field.name)),
            );
        }
    }
}

/// The GSID of one kind of record does not go into a field that points at another kind.
fn looked_up_kind(written: &ast::Job, job: &Job, out: &mut Diagnostics) {
    for mapping in &job.mappings {
        let Expression::Looked { lookup, field } = &mapping.value else { continue };
        let (lookup, field) = (&job.lookups[*lookup], &job.lookups[*lookup].yields[*field]);
        let gives: Vec<&str> = if field.kind == FieldKind::Gsid {
            vec![lookup.object.name.as_str()]
        } else {
            field.targets.iter().map(String::as_str).collect()
        };
        let takes = &mapping.field.targets;
        let is_known = !takes.is_empty() && !gives.is_empty() && field.kind.value_type() == ValueType::Gsid;
        if is_known && !gives.iter().any(|g| takes.iter().any(|t| t.eq_ignore_ascii_case(g))) {
            let span = written.mappings.iter().find(|m| context_line(m, mapping)).map_or(written.name.span, |m| m.span);
            let message = format!(
                "\"{}\" points at {}, and this is the GSID of a {}",
                mapping.field.label,
                takes.join(", "),
                lookup.object.label
            );
            out.push(
                Diagnostic::error(TYPE, span, message)
                    .help("look the record up in the object that the field points at"),
            );
        }
    }
}

fn context_line(written: &ast::Mapping, mapping: &Mapping) -> bool {
    let name = &written.target.field.text;
    mapping.field.label == *name || mapping.field.name.eq_ignore_ascii_case(name)
}

/// A job that loads users from Dynamics users also keeps who is who.
fn avatar(written: &ast::Job, job: &Job, out: &mut Diagnostics) {
    let Some(user) = job.target_by_route(Route::User) else { return };
    if job.source.table.name != "systemuser" {
        return;
    }
    let is_id = |value: &Expression| {
        matches!(value, Expression::Column(c) if job.columns[*c].relation.is_none()
            && job.columns[*c].field.name == job.source.table.primary_id)
    };
    let mapped = job
        .target_by_route(Route::Avatar)
        .is_some_and(|avatar| job.mappings_of(avatar).any(|(_, m)| m.field.name == AVATAR_ID && is_id(&m.value)));
    if !mapped {
        let label = &job.targets[user].object.label;
        let message = format!("a job that loads {label} from systemuser must say which Dynamics user each one is");
        out.push(
            Diagnostic::error(AVATAR, written.name.span, message)
                .help("write UPSERT INTO gainsight.User, gainsight.Avatar_Dynamics")
                .help(format!("and map {}.systemuserid AS Avatar_Dynamics.\"{AVATAR_ID}\"", written.from.alias.text)),
        );
    }
}

/// The keys of a Person job are the connection's resolution key, and nothing else.
fn person_key(written: &ast::Job, job: &Job, context: &Context<'_>, out: &mut Diagnostics) {
    let Some(person) = job.target_by_route(Route::Person) else { return };
    let Some(connection) = context.connections.get(&job.targets[person].connection) else { return };
    let object = &job.targets[person].object;
    let wanted: Vec<&str> = if connection.person_resolution.is_empty() {
        vec!["Email"]
    } else {
        connection.person_resolution.iter().map(String::as_str).collect()
    };
    let same =
        |name: &str, field: &crate::model::field::Field| field.label == name || field.name.eq_ignore_ascii_case(name);
    // A resolution key that the object does not have has been reported where it is declared.
    if !wanted.iter().all(|w| object.fields.iter().any(|f| same(w, f))) {
        return;
    }
    let keys: Vec<_> = job.key.iter().map(|k| &job.mappings[k.mapping]).collect();
    let right = keys.len() == wanted.len()
        && keys.iter().all(|m| m.target == person && wanted.iter().any(|w| same(w, &m.field)));
    if !right {
        let span = written.key.as_ref().map_or(written.name.span, |k| k.span);
        let message = format!("the key of a {} job is the connection's resolution key", object.label);
        let list: Vec<String> = wanted.iter().map(|w| format!("{}.\"{w}\"", object.label)).collect();
        out.push(
            Diagnostic::error(PERSON_KEY, span, message)
                .help(format!("write KEY ({}), or change PERSON RESOLVED BY of the connection", list.join(", "))),
        );
    }
}

/// What a new record cannot be without has to be mapped.
fn required(written: &ast::Job, job: &Job, out: &mut Diagnostics) {
    for (index, target) in job.targets.iter().enumerate() {
        let creates = job.verb != Verb::Update;
        for field in target.object.fields.iter().filter(|f| creates && f.required && f.writable) {
            // The people call itself says which person a company person belongs to.
            let implied = target.route == Route::CompanyPerson && field.targets.iter().any(|t| t == "person");
            if !implied && !job.mappings_of(index).any(|(_, m)| m.field.name == field.name) {
                let object =
                    if job.targets.len() > 1 { format!("\"{}\".", target.object.label) } else { String::new() };
                let message = format!("a new {} needs \"{}\", and nothing maps it", target.object.label, field.label);
                out.push(
                    Diagnostic::error(REQUIRED_UNMAPPED, written.name.span, message)
                        .help(format!("add to SELECT: … AS {object}\"{}\"", field.label)),
                );
            }
        }
    }
}

/// A record that this run is going to insert has no more than a GSID to come, and is found by what the run maps.
fn after_load(written: &ast::Job, job: &Job, out: &mut Diagnostics) {
    let mut pending = (0..job.lookups.len()).filter(|index| job.is_pending(*index));
    if let Some(beyond) = pending.nth(PENDING_AT_MOST) {
        let message = format!("a job has {PENDING_AT_MOST} lookups AFTER LOAD in its own target at most");
        let wrong = Diagnostic::error(TARGETS, written.lookups[beyond].head, message);
        out.push(wrong.help("map the others in a second job that only updates, and run it after this one"));
    }
    for (index, (lookup, text)) in job.lookups.iter().zip(&written.lookups).enumerate() {
        if !job.is_pending(index) {
            if lookup.after_load {
                let main = &job.main_target().object.label;
                let message = format!("AFTER LOAD is for lookups in what the job itself writes, which is {main}");
                let wrong = Diagnostic::error(TARGETS, text.head, message);
                out.push(wrong.help("remove AFTER LOAD: these records are there before the run begins"));
            }
            continue;
        }
        if let Some(other) = lookup.yields.iter().find(|f| f.kind != FieldKind::Gsid) {
            let message = format!("LOOKUP {} … AFTER LOAD yields a GSID only, not \"{}\"", lookup.alias, other.label);
            out.push(Diagnostic::error(TARGETS, text.head, message));
        }
        let is_part = |m: &Mapping| m.value.uses_lookup_number(index) && !matches!(m.value, Expression::Looked { .. });
        let in_key = job.key.iter().any(|k| job.pending_lookup(k.mapping) == Some(index));
        let mut conditions = job.late_filter.iter().chain(job.requires.iter().map(|r| &r.condition));
        let in_filter = conditions.any(|f| f.uses_lookup_number(index));
        if in_key || in_filter || job.mappings.iter().any(is_part) {
            let message = format!("what LOOKUP {} … AFTER LOAD finds is known after loading only", lookup.alias);
            out.push(
                Diagnostic::error(TARGETS, text.head, message)
                    .help("map it as it is; it can stand neither in WHERE, REQUIRE or KEY, nor inside an expression"),
            );
        }
        if matches!(lookup.on_multiple, OnMultiple::UseFirst(_)) || lookup.matches.iter().any(|m| m.value.may_fail()) {
            let message =
                format!("LOOKUP {} … AFTER LOAD takes neither USE FIRST BY nor a value that can fail", lookup.alias);
            out.push(
                Diagnostic::error(TARGETS, text.head, message)
                    .help("write USE ANY, and search by a column as it is, or by TRY_CAST"),
            );
        }
        if job.main_target().route == Route::Person {
            let message = "a job that writes people has no second phase, so AFTER LOAD is not possible in it";
            out.push(Diagnostic::error(TARGETS, text.head, message));
        }
        let mapped = |name: &str| job.mappings_of(0).any(|(_, m)| m.field.name == name);
        if let Some(m) = lookup.matches.iter().find(|m| !mapped(&m.field.name)) {
            let message = format!(
                "LOOKUP {} … AFTER LOAD searches \"{}\", which this job does not map",
                lookup.alias, m.field.label
            );
            out.push(Diagnostic::error(TARGETS, text.head, message));
        }
    }
}

/// The product's own table of the User job, read literally, makes everybody their own manager.
fn self_match(written: &ast::Job, job: &Job, out: &mut Diagnostics) {
    let main = job.main_target();
    for (lookup, text) in job.lookups.iter().zip(&written.lookups) {
        let own_key = |m: &crate::model::lookup::Match| {
            job.key.iter().any(|k| {
                let mapping = &job.mappings[k.mapping];
                mapping.field.name == m.field.name && mapping.value == m.value
            })
        };
        if lookup.object.name == main.object.name && lookup.matches.iter().all(own_key) {
            let mut warning = Diagnostic::warning(SELF_MATCH, text.head, "this self lookup matches the row's own key")
                .label("every record finds itself");
            if job.source.table.name == "systemuser" {
                let alias = &written.from.alias.text;
                warning = warning.help(format!("for the manager write {alias}.parentsystemuserid.domainname"));
            }
            out.push(warning);
        }
    }
}
