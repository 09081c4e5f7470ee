//! A sandbox: Dynamics 365 (with its sign-in) and Gainsight NXT, served over HTTP on loopback.
//!
//! It exists so that the product can be developed and tested without a tenant of either service. It is an island: it
//! imports nothing of the product, so it cannot share a mistake with it. It is not a mock of our own client; it follows
//! the written reference of both services, and what the reference does not say stands in `assumptions`.
//!
//! In goes [`Options`] (a number of rows and a seed, or a folder with a world); out comes a running [`Sandbox`] with two
//! addresses, the credentials for them, and what a test needs to look inside, change the source and order failures.
//! A request the sandbox does not know is answered with a loud 501 that names the feature, never with an approximation.

mod assumptions;
mod calls;
mod certificates;
mod clock;
mod credentials;
mod drift;
mod dynamics;
mod faults;
mod gainsight;
mod holds;
mod http;
mod options;
mod randomness;
mod running;
mod tls;
mod tokens;
mod world;
mod writer;

pub use calls::{Call, Service};
pub use credentials::Credentials;
pub use drift::Drift;
pub use dynamics::{Export, Sink};
pub use faults::{FaultSchedule, fault_schedule};
pub use gainsight::{Items, NoRows, Oddity, Rows, Shape, Times};
pub use options::{Error, Options};
pub use running::{Sandbox, start, start_with};
pub use world::corners;
pub use writer::Change;
