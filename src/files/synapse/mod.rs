//! An export of Azure Synapse Link for Dataverse: which of its files count, and what their columns mean.
//!
//! In: the folder of the export. Out: tables as Dataverse has them, and the files that are whole. It follows
//! `dataverse-web-api.md` (§9) of the reference; what that leaves open is in `assumptions`.

mod folders;
mod labels;
mod model;
mod snapshots;
mod tables;
