//! Who is who: the identity map between Dynamics users and Gainsight users, as runs and people settle it.

mod desk;
mod keys;
mod listing;
mod settling;
mod traps;
