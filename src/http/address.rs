//! Which addresses are connected to: those of the public internet, or this machine's own where a connection names it.
//!
//! Names are resolved here, and the connection is made to the addresses that were looked at, so that a name cannot lead to
//! one address when it is checked and to another when it is used. In: a name. Out: addresses, or why there are none.
//! <https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html>

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Finds the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// An address that a name leads to and that must not be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden(pub IpAddr);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no public address", self.0)
    }
}

impl std::error::Error for Forbidden {}

/// What the operating system says.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) })
    })
}

/// Resolves the name of one connection.
pub(super) struct Resolver {
    pub(super) lookup: Lookup,
    /// Whether the connection's own URL names this machine.
    pub(super) is_here: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, is_here) = ((self.lookup)(name.as_str().to_owned()), self.is_here);
        Box::pin(async move {
            let found = found.await?;
            // One address that must not be reached is enough: an honest name has none.
            if let Some(wrong) = found.iter().find(|ip| if is_here { !ip.is_loopback() } else { !is_public(**ip) }) {
                return Err(Forbidden(*wrong).into());
            }
            Ok(Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet: no private network, no machine beside this one, no metadata service.
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, d] = ip.octets();
    !matches!(
        (a, b, c, d),
        (0 | 10 | 127, ..)
            | (100, 64..=127, ..)
            | (169, 254, ..)
            | (172, 16..=31, ..)
            | (192, 0, 0 | 2, _)
            | (192, 88, 99, _)
            | (192, 168, ..)
            | (198, 18 | 19, ..)
            | (198, 51, 100, _)
            | (203, 0, 113, _)
            // The host of an Azure machine. <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
            | (168, 63, 129, 16)
            | (224.., ..)
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // A network without IPv4 reaches it through these: the last four bytes are the address that is meant.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Tunnels, which have an address of IPv4 inside, and blocks for special purposes and for documents.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}
