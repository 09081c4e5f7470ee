//! Which addresses are public: the table of the registries, bit by bit, against what the client lets through.

use std::net::IpAddr;

use ferry::http::address::is_public;

use crate::generated::dice::Dice;

/// The blocks that no connection is made to, as the registries write them; of IPv6 the one that is public, and its exceptions.
const BLOCKS_V4: [&str; 17] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "168.63.129.16/32",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];
const PUBLIC_V6: &str = "2000::/3";
const BLOCKS_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];
/// Addresses that the random test makes.
const ADDRESSES: usize = 100_000;

/// Whether an address lies in a block, bit by bit.
fn is_in(ip: IpAddr, block: &str) -> bool {
    let (network, bits) = block.split_once('/').unwrap();
    let binary = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => format!("{:032b}", u32::from(ip)),
        IpAddr::V6(ip) => format!("{:0128b}", u128::from(ip)),
    };
    let bits: usize = bits.parse().unwrap();
    binary(ip)[..bits] == binary(network.parse().unwrap())[..bits]
}

#[test]
fn every_address_is_judged_by_the_block_it_lies_in() {
    let mut dice = Dice::of(5);
    let mut public = 0;
    for _ in 0..ADDRESSES {
        // Near the border of a block, or anywhere.
        let block = dice.pick(&[&BLOCKS_V4[..], &BLOCKS_V6[..], &[PUBLIC_V6]].concat());
        let (network, bits) = block.split_once('/').unwrap();
        let bits: u32 = bits.parse().unwrap();
        let ip: IpAddr = match network.parse().unwrap() {
            IpAddr::V4(start) => {
                let size = 1_u32.checked_shl(32 - bits).unwrap_or(0);
                let near = [u32::from(start), u32::from(start).wrapping_add(size)];
                let at = dice.pick(&near).wrapping_add(u32::try_from(dice.below(5)).unwrap()).wrapping_sub(2);
                let anywhere = u32::try_from(dice.below(1 << 32)).unwrap();
                std::net::Ipv4Addr::from(if dice.maybe(50) { at } else { anywhere }).into()
            }
            IpAddr::V6(start) => {
                let size = 1_u128 << (128 - bits);
                let near = [u128::from(start), u128::from(start).wrapping_add(size)];
                let at = dice.pick(&near).wrapping_add(dice.below(5) as u128).wrapping_sub(2);
                let anywhere = (dice.below(usize::MAX) as u128) << 64 | dice.below(usize::MAX) as u128;
                std::net::Ipv6Addr::from(if dice.maybe(50) { at } else { anywhere }).into()
            }
        };
        let expected = match ip {
            IpAddr::V4(_) => !BLOCKS_V4.iter().any(|block| is_in(ip, block)),
            IpAddr::V6(_) => is_in(ip, PUBLIC_V6) && !BLOCKS_V6.iter().any(|block| is_in(ip, block)),
        };
        assert_eq!(is_public(ip), expected, "{ip}");
        public += usize::from(expected);
    }
    assert!((20_000..80_000).contains(&public), "{public} of {ADDRESSES} are public");
}
