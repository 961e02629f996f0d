//! Checks of `[certificate]`.

use crate::config::problem::{KeyPath, Problems};
use crate::config::section::Certificate;
use crate::config::value::DomainName;

/// Each name is validated by a record in the hosted zone, so it must lie there.
pub(super) fn check(certificate: &Certificate, zone: Option<&DomainName>, problems: &mut Problems) {
    let Some(zone) = zone else { return };
    for (at, name) in certificate.alternative_names.iter().enumerate() {
        if !name.is_in(zone) {
            problems.error(
                KeyPath::from("certificate.alternative_names").index(at),
                format!(
                    "{name} does not lie in the hosted zone {zone}, where its validation record is entered"
                ),
                format!("a name that ends in .{zone}"),
            ).because_of(&["domain", "hosted_zone"]);
        }
    }
}
