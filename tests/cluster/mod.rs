//! Plans on a Ballista cluster of processes on this machine, beside the same plans in one process. Only with the feature `cluster`; at the
//! scale that counts it is `run.sh` that tries it, with the program as its user has it.

mod addresses;
mod desk;
mod failing;
mod same;
