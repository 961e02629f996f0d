//! Protocols by name and number: <https://www.iana.org/assignments/protocol-numbers/>. AWS takes either, and gives back
//! whichever it likes: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAclEntry.html>

/// The number of ICMP.
pub const ICMP: u8 = 1;
/// The number of TCP.
pub const TCP: u8 = 6;
/// The number of UDP.
pub const UDP: u8 = 17;
/// The number of ICMP for IPv6.
pub const ICMPV6: u8 = 58;

/// What AWS has names for.
const NAMES: [(&str, u8); 4] = [("icmp", ICMP), ("tcp", TCP), ("udp", UDP), ("icmpv6", ICMPV6)];

/// A protocol's number, by its name or by the number itself.
#[must_use]
pub fn number(text: &str) -> Option<u8> {
    let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    named.map_or_else(|| text.parse().ok(), |(_, number)| Some(*number))
}

/// A protocol's name or, where it has none, its number.
#[must_use]
pub fn name(number: u8) -> String {
    let named = NAMES.iter().find(|(_, of)| *of == number);
    named.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

/// Whether a text stands for every protocol.
#[must_use]
pub fn is_every(text: &str) -> bool {
    text == "-1" || text.eq_ignore_ascii_case("all")
}
