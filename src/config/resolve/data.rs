//! Resolves `[data]`.

use crate::config::problem::Problems;
use crate::config::section::{
    Billing, CapacityRange, Data, DataFile, DynamoDb, DynamoDbFile, Provisioned, Store,
};

/// The data stores, the one that the service uses always among them.
pub(super) fn resolve(file: &DataFile, problems: &mut Problems) -> Data {
    check_store(file, problems);
    let wanted = |store, enabled: Option<bool>| file.store == store || enabled == Some(true);
    Data {
        store: file.store,
        dynamodb: wanted(Store::DynamoDb, file.dynamodb.enabled).then(|| dynamodb(&file.dynamodb, problems)),
    }
}

fn check_store(file: &DataFile, problems: &mut Problems) {
    if file.store == Store::DynamoDb && file.dynamodb.enabled == Some(false) {
        problems
            .error(
                "data.dynamodb.enabled",
                "the service keeps its records in what is switched off here",
                "remove the line, or name the other store with `store` under [data]",
            )
            .because_of(&["data.store"]);
    }
}

fn dynamodb(file: &DynamoDbFile, problems: &mut Problems) -> DynamoDb {
    check_capacity(file.read, "data.dynamodb.read", problems);
    check_capacity(file.write, "data.dynamodb.write", problems);
    let provisioned = Provisioned {
        read: file.read,
        write: file.write,
        utilization_percent: file.utilization_percent.get(),
    };
    DynamoDb {
        provisioned: (file.billing == Billing::Provisioned).then_some(provisioned),
        recovery_days: file.recovery_days.get(),
    }
}

fn check_capacity(range: CapacityRange, key: &str, problems: &mut Problems) {
    if range.min > range.max {
        let what = format!("at least {} units, but at most {}", range.min, range.max);
        problems.error(key, what, "a `min` that is no more than `max`");
    }
}
