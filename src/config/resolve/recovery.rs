//! Checks `[recovery]`.

use crate::config::file::EnvFile;
use crate::config::problem::Problems;
use crate::config::section::{Billing, Store};

/// Notes a region that is no second one, and tables that cannot be replicated.
pub(super) fn check(file: &EnvFile, problems: &mut Problems) {
    let (Some(second), Some(first)) = (&file.recovery.region, &file.region) else { return };
    if second == first {
        problems
            .error(
                "recovery.region",
                format!("{second} is the environment's own region"),
                "another region of the same partition",
            )
            .because_of(&["region"]);
    } else if second.partition() != first.partition() {
        problems
            .error(
                "recovery.region",
                format!(
                    "{second} lies in the partition {}, and {first} in {}",
                    second.partition(),
                    first.partition()
                ),
                "a region of the same partition: nothing is replicated from one to another",
            )
            .because_of(&["region"]);
    }
    let tables = file.data.store == Store::DynamoDb || file.data.dynamodb.enabled == Some(true);
    if tables && file.data.dynamodb.billing == Billing::Provisioned {
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_reqs_bestpractices.html
        problems
            .error(
                "data.dynamodb.billing",
                "a table of provisioned capacity has to be scaled before it can be replicated, and cannot be scaled \
                 before it is there",
                "`on-demand`, or no region under [recovery]",
            )
            .because_of(&["recovery.region"]);
    }
}
