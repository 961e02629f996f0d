//! Checks of `[[acknowledged]]`.

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};

pub(super) fn check(config: &EnvConfig, problems: &mut Problems) {
    for (at, one) in config.acknowledged.iter().enumerate() {
        let same = |other: &&crate::config::Acknowledged| {
            other.consequence == one.consequence && other.address == one.address
        };
        if config.acknowledged.iter().take(at).any(|earlier| same(&earlier)) {
            let what = format!("{} of {} is acknowledged twice", one.consequence, one.address);
            let path = KeyPath::from("acknowledged").index(at).key("address");
            problems.error(path, what, "once, with one reason and one day");
        }
    }
}
