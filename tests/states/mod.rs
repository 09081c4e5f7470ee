//! Both kinds of state, held against the same: a file always, a PostgreSQL server where `FERRY_TEST_POSTGRES` names one (`postgres/run.sh`
//! starts one and does). Each test has a schema of its own there.

#![allow(clippy::print_stdout)] // The numbers are what one runs them for.

mod alike;
mod brought_forward;
mod counted;
mod drawn;
mod handed_over;
mod leases;
mod server;
mod two_daemons;
mod unhappy;
