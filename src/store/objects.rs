//! The files of a dataset in an object store: which there are, whether they are what they were, and which are none of it.
//!
//! What `parts` and `aside` do in a folder. Where a folder is renamed at once, objects are copied and removed one by one, so the order says
//! what holds if that breaks off. In: the place of a run, and the parts that were recorded. Out: yes or no.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use ring::digest::{Context, SHA256};

use super::aside::ASIDE;
use super::bucket::{Bucket, Object};
use super::error::Result;
use super::parts::{self, Part};
use crate::model::sabotage::{self, Bug};

/// Files that are read side by side.
const AT_ONCE: usize = 4;

/// Under this name below [`ASIDE`] stands which datasets are set aside whole, so that what is in their place is new.
const WHOLE: &str = "whole";

/// Whether all these parts are there as they were written.
pub(super) async fn are_whole(run: &Bucket, dataset: &str, kept: &[Part]) -> Result<bool> {
    if sabotage::has(Bug::NoDigest) {
        return Ok(true);
    }
    let each = futures::stream::iter(kept.to_vec()).map(|part| async move {
        if parts::number(&part.file).is_none() {
            return Ok(false);
        }
        let bytes = run.get(&format!("{dataset}/{}", part.file)).await?;
        Ok(bytes.is_some_and(|bytes| parts::is_of(&bytes, &part.digest)))
    });
    each.buffered(AT_ONCE).try_fold(true, |all, one| std::future::ready(Ok(all && one))).await
}

/// Removes every file of a dataset but these parts: what a crash left.
pub(super) async fn keep_only(run: &Bucket, dataset: &str, kept: &[Part]) -> Result<()> {
    let names: Vec<String> = kept.iter().map(|part| format!("{dataset}/{}", part.file)).collect();
    let is_own = |object: &Object| object.name.strip_prefix(dataset).is_some_and(|rest| rest.matches('/').count() == 1);
    let mut found = run.list(Some(dataset)).await?;
    found.retain(|object| is_own(object) && !names.contains(&object.name));
    run.remove_all(found).await.map(drop)
}

/// Removes a dataset, or several below a name.
pub(super) async fn clear(run: &Bucket, name: &str) -> Result<()> {
    let found = run.list(Some(name)).await?;
    run.remove_all(found).await.map(drop)
}

/// One digest of the names and the contents of all parts of a dataset, in their order.
pub(super) async fn digest_of(run: &Bucket, dataset: &str) -> Result<String> {
    let found = run.list(Some(dataset)).await?;
    let own = |object: &Object| {
        let name = object.name.strip_prefix(dataset)?.strip_prefix('/')?.to_owned();
        Some((parts::number(&name)?, name))
    };
    let mut names: Vec<(usize, String)> = found.iter().filter_map(own).collect();
    names.sort();
    let lines = futures::stream::iter(names).map(|(_, name)| async move {
        let bytes = run.get(&format!("{dataset}/{name}")).await?.unwrap_or_default();
        Result::Ok(parts::line(&name, &parts::checksum(&bytes)))
    });
    let lines: Vec<String> = lines.buffered(AT_ONCE).try_collect().await?;
    let mut all = Context::new(&SHA256);
    lines.iter().for_each(|line| all.update(line.as_bytes()));
    Ok(parts::hexadecimal(all.finish().as_ref()))
}

/// Copies parts of another run's dataset; whether all were there. Nothing is left of it if not.
pub(super) async fn adopt(run: &Bucket, from: &Bucket, dataset: &str, kept: &[Part]) -> Result<bool> {
    let names = kept.iter().map(|part| format!("{dataset}/{}", part.file)).map(|name| (name.clone(), name));
    let is_there = run.copy_from(from, names.collect()).await?;
    if !is_there {
        clear(run, dataset).await?;
    }
    Ok(is_there)
}

/// Sets datasets aside; those that are not there are passed over. Until the mark is there nothing is taken from its place.
pub(super) async fn set_aside(run: &Bucket, names: &[&str]) -> Result<()> {
    let (mut found, mut there) = (Vec::new(), Vec::new());
    for name in names {
        let objects = run.list(Some(name)).await?;
        there.extend((!objects.is_empty()).then_some(*name));
        found.extend(objects);
    }
    let pairs = found.iter().map(|object| (object.name.clone(), format!("{ASIDE}/{}", object.name)));
    run.copy_from(run, pairs.collect()).await?;
    run.put(&format!("{ASIDE}/{WHOLE}"), Bytes::from(there.join("\n"))).await?;
    run.remove_all(found).await.map(drop)
}

/// Puts back what was set aside; what was made in its place is removed. What was not set aside whole never left its place.
pub(super) async fn put_back(run: &Bucket) -> Result<()> {
    if let Some(names) = run.get(&format!("{ASIDE}/{WHOLE}")).await? {
        for name in String::from_utf8_lossy(&names).lines() {
            let aside = format!("{ASIDE}/{name}");
            let found = run.list(Some(&aside)).await?;
            // A second attempt finds what the first one has put back already.
            let is_aside = |name: &str| found.iter().any(|object| object.name == format!("{ASIDE}/{name}"));
            let mut instead = run.list(Some(name)).await?;
            instead.retain(|object| !is_aside(&object.name));
            run.remove_all(instead).await?;
            let own = |object: &Object| Some((object.name.clone(), object.name.strip_prefix(ASIDE)?[1..].to_owned()));
            run.copy_from(run, found.iter().filter_map(own).collect()).await?;
        }
    }
    forget_aside(run).await
}

/// Puts one dataset back, of several that were set aside together.
pub(super) async fn take_from_aside(run: &Bucket, name: &str) -> Result<()> {
    let found = run.list(Some(&format!("{ASIDE}/{name}"))).await?;
    let own = |object: &Object| Some((object.name.clone(), object.name.strip_prefix(ASIDE)?[1..].to_owned()));
    run.copy_from(run, found.iter().filter_map(own).collect()).await.map(drop)
}

/// Removes what was set aside, and first of all the mark that says so.
pub(super) async fn forget_aside(run: &Bucket) -> Result<()> {
    let mark = format!("{ASIDE}/{WHOLE}");
    let mut found = run.list(Some(ASIDE)).await?;
    found.retain(|object| object.name != mark);
    // Without the mark nothing is put back from what is left here.
    run.remove(&mark).await?;
    run.remove_all(found).await.map(drop)
}
