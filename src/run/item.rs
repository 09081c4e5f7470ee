//! A row on its way: what is to be sent for it, and what is written down once it was.
//!
//! In: a row of the changes. Out: an item, which the ways of loading send; what the ledger keeps of it.

use chrono::SecondsFormat;
use serde_json::Value;

use super::changes::Changes;
use super::load::Load;
use crate::gainsight::sent::Fields;
use crate::gainsight::write::Record;
use crate::model::dataset::changes;
use crate::model::job::Route;
use crate::model::outcome::Outcome;
use crate::store::ledger::Settled;
use crate::store::links::{Link, Relink};
use crate::store::users::Identity;

/// A row on its way.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) row: i64,
    pub(super) id: String,
    pub(super) fingerprint: String,
    pub(super) planned: Outcome,
    pub(super) fields: Fields,
    pub(super) gsid: Option<String>,
    pub(super) active: Option<bool>,
    /// What happens to the row's entry in the identity map.
    pub(super) identity: Option<String>,
    /// The user that it names then, unless it is a new one. Of a lost row he need not be the record that its link leads to.
    pub(super) user: Option<String>,
    pub(super) waits: Vec<(usize, i64)>,
    /// What becomes of the row's links; that of a new record does not have its GSID yet.
    pub(super) links: Vec<Relink>,
    /// Of a row that the source lost.
    pub(super) parting: Option<Parting>,
}

/// What is to be done about a lost row, beside what is sent.
#[derive(Clone)]
pub(super) struct Parting {
    /// Whether its record is deleted; else fields of it are set.
    pub(super) deletes: bool,
    /// The records that it is about.
    pub(super) known: Vec<Known>,
}

/// A record as the plan knows it: right before it is touched it is held against what Gainsight says then.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) target: usize,
    pub(super) gsid: String,
    /// The fields by which it is recognised.
    pub(super) fields: Record,
}

/// A row that waits for other rows' GSIDs.
pub(super) struct Later {
    pub(super) item: Item,
    pub(super) gsid: String,
}

impl Load<'_> {
    /// What the row's record of the main target is, without what is still to come.
    pub(super) fn item(&self, changes: &Changes<'_>, at: usize) -> Item {
        let waits = (0..self.job.mappings.len())
            .filter(|m| changes.is_changed(*m, at))
            .filter_map(|m| changes.pending(m, at).map(|row| (m, row)));
        let avatar = self.job.target_by_route(Route::Avatar);
        let is_lost = changes.lost(at).is_some();
        Item {
            row: changes.row(at),
            id: changes.id(at),
            fingerprint: changes.fingerprint(at),
            planned: changes.outcome(at).unwrap_or(Outcome::Error),
            fields: if is_lost { Fields::of(&changes.assigned(0, at)) } else { changes.fields(0, at, &self.keys) },
            gsid: changes.gsid(0, at),
            active: if is_lost { changes.assigned_flag(at) } else { changes.active(at) },
            identity: avatar.and_then(|a| changes.action(a, at)).map(str::to_owned),
            user: avatar.and_then(|a| changes.gsid(a, at)),
            waits: waits.collect(),
            links: self.links(changes, at),
            parting: is_lost.then(|| self.parting(changes, at)),
        }
    }

    fn parting(&self, changes: &Changes<'_>, at: usize) -> Parting {
        let known = (0..self.job.targets.len()).filter_map(|target| {
            let held = |m: usize| (self.job.mappings[m].field.name.clone(), changes.old_value(m, at));
            let fields: Record = match self.job.targets[target].route {
                Route::Avatar => return None,
                Route::CompanyPerson => {
                    changes.action(target, at)?;
                    let places = self.job.mappings_of(target).filter(|(_, m)| m.field.name == "Company_ID");
                    let person = changes.gsid(0, at).map(|gsid| ("Person_ID".to_owned(), Value::String(gsid)));
                    places.map(|(m, _)| held(m)).chain(person).collect()
                }
                _ => self.job.key.iter().map(|key| held(key.mapping)).collect(),
            };
            Some(Known { target, gsid: changes.gsid(target, at)?, fields })
        });
        Parting { deletes: changes.action(0, at) == Some(changes::DELETE), known: known.collect() }
    }

    /// What becomes of a row's links once it is written.
    fn links(&self, changes: &Changes<'_>, at: usize) -> Vec<Relink> {
        if !self.job.keeps_links() {
            return Vec::new();
        }
        match changes.link(at) {
            Some(changes::LEFT) => vec![Relink::Left(changes.id(at))],
            Some(changes::CUT) => vec![Relink::Cut(changes.id(at))],
            _ => links_of(changes, at),
        }
    }

    /// What is written down of a row that was written.
    pub(super) fn settled(&self, item: &Item, new_gsid: Option<&String>) -> Settled {
        let user = new_gsid.or(item.gsid.as_ref());
        let is_told = item.parting.is_none() || item.identity.is_some();
        let known = self.job.target_by_route(Route::Avatar).filter(|_| is_told).and(new_gsid.or(item.user.as_ref()));
        let identity = known.map(|gsid| Identity {
            source_id: item.id.clone(),
            active: item.active,
            user_gsid: gsid.clone(),
            at: self.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true),
        });
        let main = &self.job.targets[0].object.name;
        let links = item.links.iter().cloned().map(|one| match one {
            Relink::To(link) if link.object == *main => Relink::To(Link { gsid: user.cloned(), ..link }),
            other => other,
        });
        let (source_id, gsid, links) = (item.id.clone(), new_gsid.cloned(), links.collect());
        Settled { row: item.row, step: 1, source_id, gsid, identity, links, ..Settled::default() }
    }
}

/// The links of a row to the records that it has: those that the plan knows by their GSIDs, and those that are to come.
pub(super) fn links_of(changes: &Changes<'_>, at: usize) -> Vec<Relink> {
    let job = changes.job();
    let records = job.targets.iter().enumerate().filter(|(_, target)| target.route != Route::Avatar);
    let linked = records.filter_map(|(index, target)| {
        changes.action(index, at)?;
        let key = changes.keyed(index, at)?.to_owned();
        let (source_id, object) = (changes.id(at), target.object.name.clone());
        Some(Relink::To(Link { source_id, object, gsid: changes.gsid(index, at), key }))
    });
    linked.collect()
}
