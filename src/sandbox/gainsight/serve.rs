//! Which request goes where on the Gainsight port: key first, then route, then rate window, then the part that knows it.
//!
//! In: a request. Out: the reply of that part, or a refusal.

use chrono::Utc;
use serde_json::{Value, json};

use super::super::assumptions::UNKNOWN_OBJECT_STATUS;
use super::super::calls::Service;
use super::super::clock::real_ms;
use super::super::faults::{Effect, Fault};
use super::super::http::{Answering, Ask, Reply};
use super::delete_log;
use super::describe::{self, Failure};
use super::envelope::{self, Refusal, foreign_address, success, unauthorized};
use super::objects::Written;
use super::service::Gainsight;
use super::shape::{Shape, Times};
use super::windows::Bucket;
use super::{application, bulk, dropdown, objects, people, query, refused, users};

/// The part of the service a path leads to.
enum Route<'a> {
    Query(&'a str),
    Insert(&'a str),
    Update(&'a str),
    Delete(&'a str, &'a str),
    Person,
    ObjectList,
    Describe(&'a str),
    DescribeMany,
    Dropdown(&'a str),
    CreateUsers,
    UpdateUsers,
    UserStatus,
    Import,
    ImportStatus(&'a str),
    ImportFailures(&'a str),
    Missing(&'static str),
}

impl Answering for Gainsight {
    fn service(&self, _ask: &Ask) -> Service {
        Service::Gainsight
    }

    fn answer(&self, ask: &Ask) -> Reply {
        let request = self.request_id();
        bulk::take_in(self);
        if ask.path == application::TOKEN_PATH {
            return application::token(self, ask, &request);
        }
        let has_key = ask.header("accesskey").is_some_and(|key| self.vault.opens_gainsight(key));
        if !has_key && !application::is_signed_in(self, ask) {
            return unauthorized(&request);
        }
        if has_key && self.refuses_address() {
            return foreign_address(&request);
        }
        let Some((route, bucket)) = route(ask) else { return Refusal::no_route().reply(&request) };
        let write = writes(&route);
        if !self.windows.admit(bucket) {
            let reply = Refusal::too_many().reply(&request);
            return if write { reply.writing(0) } else { reply };
        }
        hide(self, ask, &route);
        let reply = refused(ask, &route).unwrap_or_else(|| carry_out(self, ask, &route, &request));
        let reply = reply.unwrap_or_else(|refusal| refusal.reply(&request));
        let records = reply.records;
        if write { reply.writing(records) } else { reply }
    }

    fn fail(&self, ask: &Ask, fault: &Fault) -> Reply {
        let reply = envelope::fault(&self.request_id(), fault);
        if route(ask).is_some_and(|(route, _)| writes(&route)) { reply.writing(0) } else { reply }
    }
}

fn writes(route: &Route) -> bool {
    matches!(
        route,
        Route::Insert(_)
            | Route::Update(_)
            | Route::Delete(..)
            | Route::Person
            | Route::CreateUsers
            | Route::UpdateUsers
            | Route::UserStatus
            | Route::Import
    )
}

/// Keeps what queries are to see in place of the write that a fault hides.
fn hide(gainsight: &Gainsight, ask: &Ask, route: &Route) {
    let objects = match route {
        _ if ask.strike.stale.is_zero() => return,
        Route::Insert(name) | Route::Update(name) | Route::Delete(name, _) => vec![*name],
        Route::Person => vec!["person", "company_person"],
        Route::CreateUsers | Route::UpdateUsers | Route::UserStatus => vec!["gsuser"],
        _ => return,
    };
    let until = real_ms() + ask.strike.stale.as_millis() as i64;
    for object in objects.into_iter().filter_map(|name| gainsight.schema.object(name)) {
        let records = gainsight.store().shelves[object].records.clone();
        gainsight.stale.keep(object, records, until);
    }
}

/// The refusal of a write for records that a fault declares bad.
fn refused(ask: &Ask, route: &Route) -> Option<Result<Reply, Refusal>> {
    let Some(Effect::RefuseRecords(places)) = &ask.strike.effect else { return None };
    let kind = match route {
        Route::Insert(_) | Route::Update(_) => refused::Kind::Records,
        Route::CreateUsers => refused::Kind::NewUsers,
        Route::UpdateUsers => refused::Kind::KnownUsers,
        Route::Person => refused::Kind::Person,
        _ => return None,
    };
    refused::at(kind, &ask.body, places).map(Err)
}

fn route(ask: &Ask) -> Option<(Route<'_>, Bucket)> {
    let segments: Vec<&str> = ask.path.strip_prefix('/')?.split('/').collect();
    let route = match (ask.method.as_str(), segments.as_slice()) {
        ("POST", ["v1", "data", "objects", "query", object]) => Route::Query(object),
        ("POST", ["v1", "data", "objects", object]) => Route::Insert(object),
        ("PUT", ["v1", "data", "objects", object]) => Route::Update(object),
        ("DELETE", ["v1", "data", "objects", object]) => Route::Delete(object, ""),
        ("DELETE", ["v1", "data", "objects", object, gsid]) => Route::Delete(object, gsid),
        ("PUT", ["v1", "peoplemgmt", "v1.0", "people"] | ["v1.0", "api", "people"]) => Route::Person,
        (_, ["v1", "peoplemgmt", "v1.0", "people", ..]) => Route::Missing("people, other than the synchronous upsert"),
        ("GET", ["v1", "meta", "services", "objects", "list"]) => Route::ObjectList,
        ("GET", ["v1", "meta", "services", "objects", object, "describe"]) => Route::Describe(object),
        ("POST", ["v1", "meta", "services", "objects", "describe"]) => Route::DescribeMany,
        ("GET", ["v1", "meta", "services", "dropdowns", category]) => Route::Dropdown(category),
        ("GET", ["v1", "api", "describe", ..]) => Route::Missing("the describe of the user interface"),
        ("POST", ["v1", "users", "services"]) => return Some((Route::CreateUsers, Bucket::Users)),
        ("PUT", ["v1", "users", "services"]) => return Some((Route::UpdateUsers, Bucket::Users)),
        ("PUT", ["v1", "users", "services", "status"]) => return Some((Route::UserStatus, Bucket::Users)),
        ("POST", ["v1", "users", "services", "list"]) => {
            return Some((Route::Missing("the list of users; query gsuser"), Bucket::Users));
        }
        (_, ["v1", "users", "services", "scim", ..]) => return Some((Route::Missing("SCIM"), Bucket::Users)),
        ("POST", ["v1.0", "admin", "connector", "job", "bulkimport"]) => return Some((Route::Import, Bucket::Bulk)),
        ("GET", ["v1.0", "admin", "connector", "job", "bulkimport", "status", id]) => Route::ImportStatus(id),
        ("GET", ["v1.0", "admin", "connector", "job", "bulkimport", "failed", id]) => Route::ImportFailures(id),
        (_, ["v3", "exports", ..]) => Route::Missing("bulk export"),
        _ => return None,
    };
    Some((route, Bucket::Synchronous))
}

fn carry_out(gainsight: &Gainsight, ask: &Ask, route: &Route, request: &str) -> Result<Reply, Refusal> {
    let object = |name: &str| gainsight.schema.object(name).ok_or_else(unknown_object);
    let written = |(data, records): Written| {
        let mut reply = success(request, &data.to_string());
        reply.records = records;
        reply
    };
    let read = |data: Value| success(request, &data.to_string());
    match route {
        Route::Query(name) => {
            let (object, shape) = (object(name)?, gainsight.shape());
            let is_log = delete_log::is_log(&gainsight.schema.objects[object]);
            let shape = if is_log { Shape { times: Times::Iso, ..shape } } else { shape };
            let mut answer = shape.begun(request);
            let count = query::answer(gainsight, object, &ask.body, shape, &mut answer)?;
            shape.answer(answer, count)
        }
        Route::Insert(name) => objects::insert(gainsight, object(name)?, &ask.body).map(written),
        Route::Update(name) => {
            if ask.parameter("upsert").is_some() {
                return Err(Refusal::missing("upsert of an object"));
            }
            let keys = ask.parameter("keys").ok_or_else(Refusal::invalid)?;
            objects::update(gainsight, object(name)?, &keys, &ask.body).map(written)
        }
        Route::Delete(name, gsid) => objects::delete(gainsight, object(name)?, gsid).map(written),
        Route::Person => people::upsert(gainsight, &ask.body).map(written),
        Route::ObjectList => Ok(read(describe::list(gainsight))),
        Route::Describe(name) => described(describe::one(gainsight, name, true), request),
        Route::DescribeMany => described(describe::many(gainsight, &ask.body), request),
        Route::Dropdown(id) => dropdown::category(gainsight, id).map(read).ok_or_else(Refusal::invalid),
        Route::CreateUsers => users::create(gainsight, object("gsuser")?, &ask.body).map(written),
        Route::UpdateUsers => {
            let key = ask.parameter("key").unwrap_or_default();
            users::update(gainsight, object("gsuser")?, &key, &ask.body).map(written)
        }
        Route::UserStatus => {
            let status = ask.parameter("status").unwrap_or_default();
            users::set_status(gainsight, object("gsuser")?, &status, &ask.body).map(written)
        }
        Route::Import => bulk::import(gainsight, ask, request).map(written),
        Route::ImportStatus(id) => bulk::status(gainsight, id).map(read),
        Route::ImportFailures(id) => bulk::failures(gainsight, id),
        Route::Missing(feature) => Err(Refusal::missing(feature)),
    }
}

fn unknown_object() -> Refusal {
    Refusal { text: "Requested object not found".to_owned(), ..Refusal::invalid() }
}

fn described(outcome: Result<Value, Failure>, request: &str) -> Result<Reply, Refusal> {
    match outcome {
        Ok(data) => Ok(success(request, &data.to_string())),
        Err(Failure::Refused(refusal)) => Err(refusal),
        Err(Failure::Unknown(name)) => {
            let text = format!("Requested object not found: {name}");
            let body = json!({
                "requestId": request,
                "result": false,
                "instance": Utc::now().format("%Y-%m-%d %H:%M:%S UTC").to_string(),
                "title": "OBJECT_NOT_FOUND",
                "detail": text,
                "errorDesc": text,
            });
            Ok(Reply::new(UNKNOWN_OBJECT_STATUS, "application/json;charset=UTF-8", body.to_string()))
        }
    }
}
