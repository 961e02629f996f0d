//! Addresses of the loopback network that nobody else uses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// An address that no other task has, as a task in AWS has one of its own: of this process and of this call.
pub fn own() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = std::process::id().wrapping_mul(64).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    let [_, a, b, c] = number.to_be_bytes();
    Ipv4Addr::new(127, 64 | (a & 63), b, c)
}

/// An address and port that nobody listens on, for a program that is told where to listen. Since nobody else is given the
/// address, nobody takes the port before that program does.
pub fn free() -> SocketAddr {
    TcpListener::bind((own(), 0)).unwrap().local_addr().unwrap()
}

/// A port of `localhost` that nobody listens on, for a server that is called by that name. It is none of those that a system
/// hands out by itself, and each process begins to look at another place.
pub fn port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    /// Below the ports that Linux (32768) and IANA (49152) hand out to whom does not care.
    const FIRST: u32 = 16_384;
    (0..FIRST)
        .find_map(|_| {
            let number =
                std::process::id().wrapping_mul(16).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = u16::try_from(FIRST + number % FIRST).ok()?;
            TcpListener::bind((IpAddr::from(Ipv4Addr::LOCALHOST), port)).ok().map(|_| port)
        })
        .expect("a port is free")
}
