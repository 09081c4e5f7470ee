//! One HTTP client for both services: send, retry what may be sent twice, stay within bounds, give nothing away.
//!
//! The sole home of reqwest. It knows nothing of OData or of Gainsight's envelope. Redirects are off and cookies are not
//! kept: the client would not strip a custom header such as `accesskey` on the way to another host.

pub mod address;
pub mod client;
pub mod error;
pub mod exchange;
pub mod hosts;
pub mod json;
pub mod quoted;
pub mod retry;
pub mod spans;
pub mod terms;
pub mod unpack;
