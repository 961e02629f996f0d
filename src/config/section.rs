//! The sections of an environment file, one per file.
//!
//! A section whose values stand on their own is read and used as one and the same struct. Where a default depends on
//! other values, or a value is computed, `<Section>File` is what the file may say and `<Section>` what the stacks get.

mod account;
mod acknowledged;
mod alarms;
mod alb;
mod backup;
mod certificate;
mod data;
mod detection;
mod deviations;
mod dns;
mod ecr;
mod existing_network;
mod github;
mod iam;
mod kms;
mod logs;
mod moves;
mod mutual_tls;
mod network;
mod postgres;
mod recovery;
mod secrets;
mod service;
mod services;
mod shield;
mod state;
mod storage;
mod tags;
mod terraform;
mod waf;

pub use account::{Account, Elsewhere, Part, SecurityContact};
pub use acknowledged::Acknowledged;
pub use alarms::{Alarms, Silence};
pub use alb::{Alb, DesyncMode, SslPolicy};
pub use backup::{Backup, BackupFile, RestoreTestFile, VaultLockFile, Weekday};
pub use certificate::{Certificate, CertificateFile, KeyAlgorithm};
pub use data::{Billing, CapacityRange, Data, DataFile, DynamoDb, DynamoDbFile, Provisioned, Store, Tables};
pub use detection::{Detection, DetectionFile, GuardDutyPlan, InspectorScan, Macie};
pub use deviations::Deviation;
pub use dns::Dns;
pub use ecr::Ecr;
pub use existing_network::{ExistingNetwork, NetworkElsewhere, NetworkPart};
pub use github::{APPLY_SESSION_HOURS, Github, GithubFile};
pub use iam::Iam;
pub use kms::{ExistingKeys, Kms};
pub use logs::Logs;
pub use moves::{MovedResource, RemovedResource};
pub use mutual_tls::{MutualTls, MutualTlsMode, S3Object};
pub use network::{
    AggregationSeconds, EgressDestination, EgressRule, EgressRuleFile, Endpoints, EndpointsFile, FlowLogs,
    Nat, Network, NetworkFile, NetworkFirewall, OwnVpc, Subnet, Subnets, SubnetsFile, Vpc,
};
pub use postgres::{
    Postgres, PostgresAurora, PostgresEngine, PostgresFile, PostgresInstance, PostgresRunsOn,
};
pub use recovery::Recovery;
pub use secrets::{SecretSettings, Secrets};
pub(super) use service::Made;
pub use service::{
    Architecture, Autoscaling, BlueGreen, Contract, Counts, Deployment, FurtherServiceFile, HealthCheck,
    ScheduledAction, Service, ServiceFile, Sidecar, Strategy, TrafficShift, Ulimits,
};
pub use services::{FurtherDeployment, FurtherService, FurtherStrategy};
pub use shield::Shield;
pub use state::{State, StateFile, StateLock};
pub use storage::{
    ExistingAccessBucket, ExistingAuditBucket, ObjectLock, ObjectLockFile, ObjectLockMode, Storage,
    StorageFile,
};
pub use tags::{DataClassification, PciScope, Tags};
pub use terraform::Terraform;
pub use waf::{GroupVersions, ManagedGroups, Waf, WafMode};
