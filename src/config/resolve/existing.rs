//! What every thing that exists already is asked: whether it can be used from here, and who looks after it.

use crate::config::problem::{KeyPath, Problems};
use crate::config::value::{AccountId, Region};

/// Notes that nobody is named who looks after it.
pub(super) fn no_reason(section: KeyPath, does: &str, problems: &mut Problems) {
    problems.error(
        section,
        format!("nothing says who {does}"),
        "`elsewhere` beside it, with the reason that an assessor will ask for",
    );
}

/// Notes a thing of another region. One of another partition is noted as such.
pub(super) fn check_region(
    path: KeyPath,
    what: &str,
    theirs: &str,
    region: Option<&Region>,
    problems: &mut Problems,
) {
    let same_partition =
        |ours: &&Region| theirs.parse::<Region>().is_ok_and(|theirs| theirs.partition() == ours.partition());
    if let Some(ours) = region.filter(|ours| ours.as_str() != theirs).filter(same_partition) {
        problems
            .error(path, format!("the {what} lies in {theirs}, and the environment in {ours}"), {
                format!("a {what} of {ours}")
            })
            .because_of(&["region"]);
    }
}

/// Notes a thing of another account. The numbers stay out of the message: errors end up in build logs.
pub(super) fn check_account(
    path: KeyPath,
    what: &str,
    theirs: &str,
    account: Option<&AccountId>,
    problems: &mut Problems,
) {
    if account.is_some_and(|ours| ours.as_str() != theirs) {
        problems
            .error(path, format!("the {what} belongs to another account than the environment"), {
                format!("a {what} of the environment's own account")
            })
            .because_of(&["account_id"]);
    }
}
