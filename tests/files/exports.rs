//! Exports of Synapse Link.
