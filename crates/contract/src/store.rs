//! What the service keeps where, and what it does there.
//!
//! All of its records lie in one table, as items under a partition and a sort key, because that is what one
//! transaction can reach together: an effect, its idempotency record and its audit entry are written at once or not at
//! all. Audit entries have a table of their own only so that the task role can be denied to delete them.

use crate::Var;

crate::closed_list! {
    /// Which database keeps the records.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum StoreKind {
        /// One file, for one process on one machine.
        Embedded,
        /// DynamoDB.
        DynamoDb,
        /// PostgreSQL 15 or later.
        Postgres,
    }
}

impl StoreKind {
    /// The value of [`Var::Store`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::DynamoDb => "dynamodb",
            Self::Postgres => "postgres",
        }
    }
}

/// The type of a key's attribute, as DynamoDB spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeType {
    /// Text.
    String,
    /// A number.
    Number,
}

impl AttributeType {
    /// `S` or `N`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
        }
    }
}

/// An attribute that is part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name in the item.
    pub name: &'static str,
    /// Its type.
    pub kind: AttributeType,
}

const fn string(name: &'static str) -> Attribute {
    Attribute { name, kind: AttributeType::String }
}

const fn number(name: &'static str) -> Attribute {
    Attribute { name, kind: AttributeType::Number }
}

/// A global secondary index. It holds the items that have both of its attributes, and all of what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its partition key.
    pub partition: Attribute,
    /// Its sort key.
    pub sort: Attribute,
}

crate::closed_list! {
    /// A table in DynamoDB.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Table {
        /// Tenants' sources, statements, rulesets, runs, breaks, keys and idempotency records.
        Records,
        /// Who did what, as a hash chain for each tenant: written once and never changed.
        Audit,
    }
}

impl Table {
    /// The last part of the table's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Audit => "audit",
        }
    }

    /// What it holds.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Records => "Sources, statements, rulesets, runs, breaks, keys and idempotency records",
            Self::Audit => "Audit entries, as a hash chain for each tenant",
        }
    }

    /// The partition key.
    #[must_use]
    pub const fn partition(self) -> Attribute {
        match self {
            Self::Records | Self::Audit => string("pk"),
        }
    }

    /// The sort key.
    #[must_use]
    pub const fn sort(self) -> Attribute {
        match self {
            Self::Records => string("sk"),
            Self::Audit => number("sequence"),
        }
    }

    /// Its indexes.
    #[must_use]
    pub const fn indexes(self) -> &'static [Index] {
        match self {
            // What waits to be done, by when it is due (milliseconds since 1970): a replica looks here for runs to
            // claim, those of a dead replica among them, whose lease has run out.
            Self::Records => {
                const { &[Index { name: "due", partition: string("queue"), sort: number("due_at") }] }
            }
            Self::Audit => &[],
        }
    }

    /// The attribute that holds the second (since 1970) from which DynamoDB may drop an item.
    #[must_use]
    pub const fn time_to_live(self) -> Option<&'static str> {
        match self {
            Self::Records => Some("expires_at"),
            Self::Audit => None,
        }
    }

    /// The variable that names the table.
    #[must_use]
    pub const fn var(self) -> Var {
        match self {
            Self::Records => Var::RecordsTable,
            Self::Audit => Var::AuditTable,
        }
    }
}

crate::closed_list! {
    /// A bucket in S3.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Bucket {
        /// Statement files and match lists.
        Statements,
        /// Heads of the audit log, under Object Lock: by itself a chain does not show that its end was cut off.
        Audit,
    }
}

impl Bucket {
    /// What the keys of the service's objects begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Statements => "",
            Self::Audit => "audit-anchors/",
        }
    }

    /// Whether objects in it have to be under Object Lock.
    #[must_use]
    pub const fn locked(self) -> bool {
        match self {
            Self::Statements => false,
            Self::Audit => true,
        }
    }

    /// The variable that names the bucket.
    #[must_use]
    pub const fn var(self) -> Var {
        match self {
            Self::Statements => Var::StatementsBucket,
            Self::Audit => Var::AuditBucket,
        }
    }
}

/// What an operation works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A table.
    Table(Table),
    /// An index of a table.
    Index(Table, Index),
    /// The objects in a bucket, below its prefix.
    Objects(Bucket),
    /// The bucket itself.
    Bucket(Bucket),
    /// PostgreSQL, as [`crate::DATABASE_USER`].
    Database,
}

crate::closed_list! {
    /// What the service does in its stores: everything, so what is not here is not allowed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Operation {
        /// Reads one record, or a range of a partition.
        ReadRecords,
        /// Writes and deletes records in one transaction, if they are as expected.
        WriteRecords,
        /// Lists what is due.
        ListDue,
        /// Appends to the audit log, in the transaction of the effect.
        AppendAudit,
        /// Reads the audit log.
        ReadAudit,
        /// Connects to PostgreSQL with a token of IAM.
        Connect,
        /// Writes a statement file or a match list, in parts if it is large.
        WriteObjects,
        /// Reads them.
        ReadObjects,
        /// Asks whether the bucket answers.
        FindObjects,
        /// Anchors a head of the audit log.
        WriteAnchors,
        /// Reads anchors, to verify the log.
        ReadAnchors,
        /// Lists anchors.
        FindAnchors,
    }
}

impl Operation {
    /// What it works on.
    #[must_use]
    pub const fn resource(self) -> Resource {
        match self {
            Self::ReadRecords | Self::WriteRecords => Resource::Table(Table::Records),
            Self::ListDue => Resource::Index(Table::Records, Table::Records.indexes()[0]),
            Self::AppendAudit | Self::ReadAudit => Resource::Table(Table::Audit),
            Self::Connect => Resource::Database,
            Self::WriteObjects | Self::ReadObjects => Resource::Objects(Bucket::Statements),
            Self::FindObjects => Resource::Bucket(Bucket::Statements),
            Self::WriteAnchors | Self::ReadAnchors => Resource::Objects(Bucket::Audit),
            Self::FindAnchors => Resource::Bucket(Bucket::Audit),
        }
    }

    /// The actions of IAM that it takes. A transaction takes those of its parts.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
    #[must_use]
    pub const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::ReadRecords => &["dynamodb:GetItem", "dynamodb:Query"],
            Self::WriteRecords => &["dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem"],
            Self::ListDue | Self::ReadAudit => &["dynamodb:Query"],
            Self::AppendAudit => &["dynamodb:PutItem"],
            Self::Connect => &["rds-db:connect"],
            Self::WriteObjects => &["s3:AbortMultipartUpload", "s3:PutObject"],
            Self::ReadObjects | Self::ReadAnchors => &["s3:GetObject"],
            Self::FindObjects | Self::FindAnchors => &["s3:ListBucket"],
            Self::WriteAnchors => &["s3:PutObject"],
        }
    }

    /// Which store it belongs to; `None` is every deployed one.
    #[must_use]
    pub const fn store(self) -> Option<StoreKind> {
        match self {
            Self::ReadRecords | Self::WriteRecords | Self::ListDue | Self::AppendAudit | Self::ReadAudit => {
                Some(StoreKind::DynamoDb)
            }
            Self::Connect => Some(StoreKind::Postgres),
            Self::WriteObjects
            | Self::ReadObjects
            | Self::FindObjects
            | Self::WriteAnchors
            | Self::ReadAnchors
            | Self::FindAnchors => None,
        }
    }
}
