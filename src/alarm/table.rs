//! Every alarm and every rule on events: its name, how soon somebody should look, what is the case, and what to do
//! first. The stacks build from this list; the document, the runbook, the messages and the check of `alarms.silenced`
//! read it.

use crate::names::Topic;

/// What every alarm and every rule says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name, and its anchor in the runbook: `tls-errors`.
    pub name: &'static str,
    /// How soon somebody should look.
    pub to: Topic,
    /// What is the case: a sentence.
    pub means: &'static str,
    /// What to do first: a sentence that begins with a small letter.
    pub first: &'static str,
}

impl Entry {
    /// Whether an environment has it only where `service.contract` is `txn-reconcile-api`.
    #[must_use]
    pub fn is_of_the_contract(&self) -> bool {
        [SERVICE_ERRORS, RUNS_WAITING, RUNS_DUE_LONG].contains(self)
            || (self.name.starts_with("database-") && *self != DATABASE_WEAKENED)
    }
}

macro_rules! table {
    ($($constant:ident = $name:literal, $to:ident, $means:literal, $first:expr;)*) => {
        $(
            #[doc = $means]
            pub const $constant: Entry =
                Entry { name: $name, to: Topic::$to, means: $means, first: $first };
        )*

        /// Every one of them.
        pub const ALL: &[Entry] = &[$($constant),*];
    };
}

const SEE_THE_SUBSCRIPTION: &str =
    "see which subscription fails or was never confirmed, and mend the address under [alarms].";
const ASK_THE_CALLER: &str =
    "ask whoever made the call; if nobody knows of it, restore it by an apply and treat it as an incident.";
const FIND_THE_CALL: &str =
    "find the call in the trail and ask whoever made it; an apply of this module is announced.";
const OPEN_THE_FINDING: &str = "open the finding; contain what it names before you look for the cause.";

table! {
    // Whether the service answers.
    LOAD_BALANCER_5XX = "load-balancer-5xx", Notify,
        "The load balancer itself answers with 5xx: there is no healthy task, a task closes connections, or it \
         takes longer than the idle timeout.",
        "look at healthy tasks and latency on the dashboard, then at elb_status_code and target_status_code in \
         the access logs.";
    REJECTED_CONNECTIONS = "rejected-connections", Notify,
        "The load balancer turned connections away because it had reached its maximum.",
        "look for an attack in the web ACL's log; ask AWS to warm the load balancer up if the traffic is wanted.";
    TLS_ERRORS = "tls-errors", Notify,
        "More TLS handshakes fail than scanners cause (alarms.tls_errors): clients that speak no TLS 1.2, or an \
         attack.",
        "group the connection logs by tls_protocol and client address.";
    LATENCY = "latency", Notify,
        "The slowest hundredth of the requests waits too long for the service (alarms.latency_p99_ms).",
        "compare with traffic, CPU and the data store's latency on the dashboard; a deployment at the same time \
         is the likeliest cause.";
    TARGET_CONNECTION_ERRORS = "target-connection-errors", Notify,
        "The load balancer could not connect to tasks, or they ended connections.",
        "look for tasks that stopped in the service's events, and at the tasks' security group and network ACLs \
         if it began with a change.";
    NO_HEALTHY_TASK = "no-healthy-task", Notify,
        "No task passes the load balancer's checks: nothing is answered.",
        "read the service's events and the reasons of its stopped tasks, then the log of the last task.";
    SERVICE_DOWN = "service-down", Page,
        "The service does not answer: no task is healthy, or tasks fail their checks and requests fail with them.",
        "if a deployment ran in the last hour, roll it back; if not, read the service's events and the log of its \
         tasks.";
    SERVICE_FAILING = "service-failing", Page,
        "The service answers, but too many of its answers are errors (alarms.error_percent).",
        "if a deployment ran in the last hour, roll it back; if not, run the saved query of the service's errors.";
    CPU = "cpu", Notify,
        "The tasks' CPU is used up (alarms.cpu_percent), although autoscaling should have helped.",
        "see whether the service is at its maximum of tasks; raise service.max_count or service.cpu.";
    MEMORY = "memory", Notify,
        "The tasks' memory is used up (alarms.memory_percent); a task that needs more is killed.",
        "look for a leak since the last deployment and for requests that are far larger than others; raise \
         service.memory.";
    TASKS_MISSING = "tasks-missing", Notify,
        "Fewer tasks run than should for a quarter of an hour.",
        "read the service's events: no capacity, no image, no secret, or a task that fails its checks.";
    TASK_DISK = "task-disk", Notify,
        "The tasks' temporary storage fills up; uploads fail when it is full.",
        "look for uploads that were never finished; raise service.ephemeral_storage_gib.";
    TASKS_AT_MAXIMUM = "tasks-at-maximum", Notify,
        "Autoscaling has started all the tasks it may, and could not start another.",
        "see whether the traffic is wanted; raise service.max_count before it grows.";

    // What stands in front of the service.
    ATTACK = "attack", Page,
        "Shield Advanced sees a denial-of-service attack on the load balancer.",
        "see in the Shield console what attacks; call AWS's response team if users notice, and narrow the web ACL \
         (waf.rate_limit, waf.geo_deny).";
    CERTIFICATE_EXPIRY = "certificate-expiry", Notify,
        "The certificate ends soon and was not renewed (alarms.certificate_days).",
        "see in ACM which name cannot be validated, and restore its CNAME record in the hosted zone.";
    EGRESS_REFUSED = "egress-refused", Notify,
        "The network firewall drops connections of the tasks: a third party has another name, or somebody tries \
         to carry data out (PCI 1.3.2).",
        "run the saved query of refused names; add a name that belongs there (network.firewall), and treat any \
         other as an incident.";
    NAT_PORTS = "nat-ports", Notify,
        "A NAT gateway has no port left for a connection to one destination; connections to it fail.",
        "find the destination in the flow logs; reuse connections to it, or reach it by an endpoint.";
    NAT_DROPS = "nat-drops", Notify,
        "A NAT gateway drops more than one packet in ten thousand, which AWS takes for a fault of its own.",
        "see the AWS Health dashboard; move the zone's route to another gateway and open a case.";
    BLOCKED_REQUESTS = "blocked-requests", Notify,
        "The web ACL refuses more requests than it does every day (alarms.blocked_requests): an attack, or a \
         customer that a rule takes for one.",
        "run the saved query of refused requests, by rule and by address.";
    REQUEST_FLOOD = "request-flood", Notify,
        "More requests arrive than the service is meant for (alarms.requests_per_minute).",
        "group the web ACL's log by address and by path; refuse with waf.deny_ips, or lower waf.rate_limit.";

    // The data stores.
    TABLE_REQUESTS_REFUSED = "table-requests-refused", Notify,
        "DynamoDB refuses requests of this account as wrong: not allowed, not valid, or of a key that it cannot use.",
        "run the saved query of the service's errors; compare with changes of roles, keys and tables.";
    DATABASE_CPU = "database-cpu", Notify,
        "The database's CPU is used up (alarms.cpu_percent).",
        "see in Performance Insights which statement takes the time; a larger class helps until it is mended, \
         at once with data.postgres.apply_immediately.";
    DATABASE_CONNECTIONS = "database-connections", Notify,
        "More connections to the database are open than the tasks need (alarms.database_connections).",
        "see in Performance Insights what they wait for; restart tasks that do not give theirs back.";
    DATABASE_MEMORY = "database-memory", Notify,
        "The database has hardly any memory left; it swaps next.",
        "see in Performance Insights which statement sorts or joins too much; take a larger class, \
         at once with data.postgres.apply_immediately.";
    DATABASE_STORAGE = "database-storage", Page,
        "Less than a twentieth of the database's storage is free, and it did not grow by itself at a tenth; when \
         it is full the database stops.",
        "raise data.postgres.instance.storage_gib_max; if it grew less than six hours ago, the storage itself, \
         at once with data.postgres.apply_immediately.";
    DATABASE_REPLICA_LAG = "database-replica-lag", Notify,
        "A reader of the database is a second behind; a failover to it would take longer.",
        "see whether the reader is too small for what the writer writes; raise the least capacity.";
    DATABASE_CAPACITY = "database-capacity", Notify,
        "The database has grown to the capacity that it may have.",
        "see in Performance Insights what takes it; raise data.postgres.aurora.capacity_max, \
         at once with data.postgres.apply_immediately.";
    TABLE_THROTTLED = "table-throttled", Notify,
        "DynamoDB refuses requests to a table: more of them than its capacity, or than one partition can take.",
        "see on the dashboard whether reads or writes are refused; raise the capacity, or look for one key that \
         is asked for all the time.";
    TABLE_FAILING = "table-failing", Notify,
        "DynamoDB answers requests to a table with errors of its own.",
        "see the AWS Health dashboard; the service tries again by itself, so look whether users notice.";

    // Their copies.
    BACKUP_MISSING = "backup-missing", Notify,
        "No copy of the data stores was finished for a day; so it is until the first night is over.",
        "read the jobs in AWS Backup; copies of the stores' own still reach back for weeks.";
    BACKUP_FAILED = "backup-failed", Notify,
        "A data store could not be copied into the vault.",
        "read the reason in the job; start it again once it is mended, before the next night.";
    VAULT_WEAKENED = "vault-weakened", Page,
        "A vault, its lock, its policy, a plan or a copy was deleted or changed (PCI 10.3.3).",
        "restore it by an apply, then ask whoever made the call; what was deleted is gone.";
    RESTORE_TEST_REMOVED = "restore-test-removed", Notify,
        "The weekly test that copies can be restored was deleted, or no longer restores a store.",
        "restore it by an apply, then ask whoever made the call.";
    RESTORE_TEST_FAILED = "restore-test-failed", Notify,
        "A copy could not be restored, whether by the weekly test or by somebody (PCI 12.10.1).",
        "read the reason in the restore job; until it is mended, count on the stores' own recovery alone.";
    BACKUP_COPY_FAILED = "backup-copy-failed", Notify,
        "A copy could not be brought to the recovery region.",
        "read the reason in the copy job; the key of the recovery region is the likeliest cause.";

    // What is logged.
    SERVICE_ERRORS = "service-errors", Notify,
        "The service logs more errors than it does every day (alarms.log_errors).",
        "run the saved query of the service's errors; the request's id leads to everything about one.";
    RUNS_WAITING = "runs-waiting", Notify,
        "Runs wait for a store that has not answered for half an hour; they go on by themselves when it does.",
        "see in the run's waits_for, or in the saved query of the service's errors, which store it is; then its \
         state in the AWS Health dashboard, and rights and keys if only this service is refused.";
    RUNS_DUE_LONG = "runs-due", Notify,
        "A run has waited for a worker for a quarter of an hour: the tasks make fewer runs than are asked for.",
        "see in the log's lines of the queue how many wait, and in /v1/runs how large they are; raise \
         service.min_count, or service.cpu where single runs are slow.";
    CARD_DATA_IN_LOGS = "card-data-in-logs", Page,
        "Something that looks like card data or a credential was written to a log; it is masked there.",
        "read the report in the log group of findings, which names group and position, and treat it as an \
         incident until it is shown to be none.";
    EXPORT = "export", Page,
        "Events of a log group do not reach the audit bucket; after a day they are lost to it.",
        "read the log group of the export, which holds the delivery's errors; then the role, the key and the \
         bucket's policy.";
    SERVICE_LOG_SILENT = "service-log-silent", Page,
        "Requests are answered, but the service logs nothing: there is no audit trail.",
        "see whether the task definition's log driver, the log group or its key was changed.";
    FLOW_LOG_SILENT = "flow-log-silent", Page,
        "No flow log arrives: what passes through the VPC is not recorded.",
        "see whether the flow log was deleted or its role or key was changed; CloudTrail says by whom.";
    WEB_ACL_LOG_SILENT = "web-acl-log-silent", Page,
        "Requests pass the web ACL, but it logs nothing.",
        "see whether the web ACL's logging configuration or the policy of log delivery was changed.";

    // The hosted zone.
    ZONE_SIGNING_FAILED = "zone-signing-failed", Page,
        "Answers from the hosted zone cannot be signed: resolvers that check signatures find the service no more.",
        "see the zone's DNSSEC tab in Route 53; until it is mended, have the parent take the DS record away.";
    ZONE_KEY_UNUSABLE = "zone-key-unusable", Page,
        "Route 53 cannot use the key that signs the hosted zone: soon its answers fail the check of signatures.",
        "see whether the key in KMS was disabled, deleted or given another policy, and undo it by an apply.";

    // Whether alarms reach anybody.
    PAGE_UNDELIVERED = "page-undelivered", Notify,
        "A message to those who are paged was not delivered.",
        SEE_THE_SUBSCRIPTION;
    NOTIFY_UNDELIVERED = "notify-undelivered", Page,
        "A message to those who are notified was not delivered.",
        SEE_THE_SUBSCRIPTION;
    UNTOLD_EVENTS = "untold-events", Page,
        "An event could not be told to its topic, and waits in the queue of untold events.",
        "read the message in the queue, which says which rule and why; then the topic's policy and the key's.";

    // The controls themselves, and what they find.
    SECRET_DELETED = "secret-deleted", Page,
        "A secret will be deleted, or no longer rotates; tasks cannot start without it.",
        "restore the secret, then ask whoever made the call.";
    ROTATION_FAILED = "rotation-failed", Notify,
        "A secret could not be rotated; the old one stays valid.",
        "read the log of the rotation, and rotate by hand before the period is over.";
    DEPLOYMENT_FAILED = "deployment-failed", Notify,
        "A deployment failed; with the circuit breaker on, the service runs its previous version again.",
        "read the reason in the message and the log of the tasks that stopped, before you deploy again.";
    SERVICE_IMPAIRED = "service-impaired", Notify,
        "ECS cannot start or keep the service's tasks: no capacity, no image, or tasks that fail over and over.",
        "read the service's events; they name the cause.";
    TASK_STOPPED = "task-stopped", Notify,
        "A task ended by itself, was killed for its memory, or did not start.",
        "read the reason in the message, then the log of the task.";
    EXEC_SESSION = "exec-session", Notify,
        "Somebody opened a shell in a container (PCI 10.2.1.2).",
        "find the request that it belongs to; what was typed stands in the log group of ECS Exec.";
    CODEDEPLOY_FAILED = "codedeploy-failed", Notify,
        "CodeDeploy stopped a deployment or moved the traffic back; the previous version serves.",
        "see in the deployment which step or which alarm ended it, before you deploy again.";
    IMAGE_VULNERABLE = "image-vulnerable", Notify,
        "A scan found critical vulnerabilities in an image of the service (PCI 6.3.3, 11.3.1).",
        "see the findings in ECR, and whether the image runs; build it anew with the fixes.";
    COMPLIANCE_LOST = "compliance-lost", Notify,
        "A resource no longer keeps a rule of AWS Config: of the conformance pack, of Security Hub's standards, or on central \
         tags.",
        "open the rule in AWS Config; mend the resource in the environment file or the stack, not by hand, or leave the rule \
         out (detection.rules_left_out) with a reason that an assessor accepts.";
    SECURITY_FINDING = "security-finding", Notify,
        "Security Hub has a finding of high or critical severity that neither GuardDuty, Inspector nor AWS Config tells of.",
        "open the finding; mend it in the environment file or the stack, not by hand.";
    VULNERABILITY_CRITICAL = "vulnerability-critical", Notify,
        "Inspector found a critical vulnerability (PCI 6.3.3: to be patched within a month).",
        "see whether a running image has it; build and deploy with the fix.";
    AWS_HEALTH = "aws-health", Notify,
        "AWS has a fault or plans a change that touches this account.",
        "open the event in the AWS Health dashboard.";
    AWS_ABUSE = "aws-abuse", Page,
        "AWS was told of abuse that comes from this account.",
        "open the event in the AWS Health dashboard and answer within its term, or AWS may stop resources.";
    EGRESS_FIREWALL_CHANGED = "egress-firewall-changed", Page,
        "The network firewall, its rules, its log or its protection was changed or taken away (PCI 1.2.2, 10.7.2).",
        ASK_THE_CALLER;
    LOG_GROUP_CHANGED = "log-group-changed", Page,
        "A log group was deleted, keeps its events for another time, or is no longer encrypted, masked or exported.",
        ASK_THE_CALLER;
    FLOW_LOG_DELETED = "flow-log-deleted", Page,
        "A flow log was deleted: traffic is no longer recorded.",
        ASK_THE_CALLER;
    EXPORT_STOPPED = "export-stopped", Page,
        "The export of logs to the audit bucket was changed or deleted.",
        ASK_THE_CALLER;
    ALARMS_CHANGED = "alarms-changed", Page,
        "Alarms, rules on events, topics or their subscribers were switched off or deleted.",
        ASK_THE_CALLER;
    ALARMS_REDEFINED = "alarms-redefined", Notify,
        "Somebody other than Terraform changed what an alarm or a rule on events looks at or whom it tells, or who subscribes \
         to a topic.",
        ASK_THE_CALLER;
    CONTROLS_APPLIED = "controls-applied", Notify,
        "Terraform changed or took away something that is watched: logs, keys, buckets, stores, detection or alarms.",
        "compare with the plan that was approved; if none was applied at that time, somebody else holds the apply role: \
         disable it and treat it as an incident.";
    WEB_ACL_REMOVED = "web-acl-removed", Page,
        "A web ACL was taken off the load balancer, deleted, or no longer logs: requests pass unfiltered or \
         unrecorded.",
        ASK_THE_CALLER;
    KEY_DISABLED = "key-disabled", Page,
        "A key was disabled, will be deleted, or no longer rotates; what it encrypts cannot be read without it.",
        "cancel the deletion or enable the key, then ask whoever made the call.";
    BUCKET_EXPOSED = "bucket-exposed", Page,
        "A bucket's policy, its access control or the block of public access was changed.",
        "see whether the bucket is still private and speaks TLS only; restore it by an apply.";
    BUCKET_WEAKENED = "bucket-weakened", Page,
        "A bucket's Object Lock, versioning, encryption, access log or lifecycle was changed.",
        ASK_THE_CALLER;
    TABLE_WEAKENED = "table-weakened", Page,
        "A table, its backups or its policy was deleted or changed.",
        "restore the table to the time before the call if records are gone, then ask whoever made the call.";
    DATABASE_WEAKENED = "database-weakened", Page,
        "A database or its backups were deleted, or a snapshot was given to somebody.",
        "take the snapshot back or restore the database, then ask whoever made the call.";
    TRAIL_CHANGED = "trail-changed", Page,
        "The audit trail was stopped, deleted or records less.",
        "start the trail again, then ask whoever made the call; what went by meanwhile is lost.";
    RECORDER_CHANGED = "recorder-changed", Page,
        "AWS Config was stopped, or its rules or its delivery were deleted.",
        ASK_THE_CALLER;
    DETECTOR_CHANGED = "detector-changed", Page,
        "GuardDuty was changed, suspended or deleted, or lost its administrator.",
        ASK_THE_CALLER;
    SECURITY_HUB_CHANGED = "security-hub-changed", Page,
        "Security Hub or one of its standards was switched off.",
        ASK_THE_CALLER;
    SCANNER_DISABLED = "scanner-disabled", Page,
        "Inspector, Macie or Access Analyzer was switched off.",
        ASK_THE_CALLER;
    ACCOUNT_WEAKENED = "account-weakened", Page,
        "The account's block of public access or its encryption of disks was changed.",
        ASK_THE_CALLER;

    // What the audit trail shows.
    ROOT_USED = "root-used", Page,
        "The account's root user was used, which nothing needs day by day (PCI 8.2.2).",
        "run the saved query of the root user's calls; if nobody knows of them, change its password, remove its \
         access keys and treat it as an incident.";
    CALLS_REFUSED = "calls-refused", Notify,
        "Calls of AWS's API are refused for want of rights: somebody tries doors, or a role lacks one.",
        "group the trail by errorCode and userIdentity.arn; a role that tries many services is probably stolen.";
    LOGIN_WITHOUT_MFA = "login-without-mfa", Page,
        "Somebody signed in to the console without a second factor (PCI 8.4.1).",
        "disable the user's console access until there is a second factor, and ask them.";
    LOGIN_FAILED = "login-failed", Notify,
        "Sign-ins to the console fail: somebody guesses, or has forgotten, a password (PCI 8.3.4).",
        "see user and address in the trail; lock the user if the address is not theirs.";
    IAM_CHANGED = "iam-changed", Notify,
        "A policy of IAM was changed: somebody may do more, or less, than before (PCI 7.2.1).",
        FIND_THE_CALL;
    PASSWORD_POLICY_CHANGED = "password-policy-changed", Notify,
        "The account's password policy was changed or deleted (PCI 8.3.6).",
        FIND_THE_CALL;
    ZONE_WEAKENED = "zone-weakened", Page,
        "A hosted zone was deleted, or is no longer logged or signed (PCI 10.7.2).",
        "find the call in the trail and ask whoever made it; restore log or signatures by an apply.";
    TRAIL_CONFIGURED = "trail-configured", Notify,
        "A trail was made, changed, started, stopped or deleted.",
        FIND_THE_CALL;
    KEYS_CHANGED = "keys-changed", Notify,
        "A customer-managed key was disabled or will be deleted.",
        FIND_THE_CALL;
    BUCKETS_CHANGED = "buckets-changed", Notify,
        "The policy, access control, lifecycle or replication of a bucket was changed.",
        FIND_THE_CALL;
    RECORDER_CONFIGURED = "recorder-configured", Notify,
        "AWS Config was set up anew, or stopped.",
        FIND_THE_CALL;
    ORGANIZATION_CHANGED = "organization-changed", Notify,
        "The organization, its accounts or its policies were changed.",
        FIND_THE_CALL;
    SECURITY_GROUPS_CHANGED = "security-groups-changed", Notify,
        "A security group or one of its rules was changed.",
        FIND_THE_CALL;
    NETWORK_ACLS_CHANGED = "network-acls-changed", Notify,
        "A network ACL or one of its entries was changed.",
        FIND_THE_CALL;
    GATEWAYS_CHANGED = "gateways-changed", Notify,
        "An internet gateway or a customer gateway was changed.",
        FIND_THE_CALL;
    ROUTES_CHANGED = "routes-changed", Notify,
        "A route table or one of its routes was changed.",
        FIND_THE_CALL;
    VPCS_CHANGED = "vpcs-changed", Notify,
        "A VPC or one of its peerings was changed.",
        FIND_THE_CALL;

    // What a deployment breaks.
    TARGET_5XX = "target-5xx", Notify,
        "Too many of the service's answers are errors (alarms.error_percent). Rolls a deployment back.",
        "run the saved query of the service's errors, and compare with the time of the last deployment.";
    UNHEALTHY_TASKS = "unhealthy-tasks", Notify,
        "A task fails the load balancer's checks for three minutes on end, longer than a start takes. Rolls a \
         deployment back.",
        "read the task's log, and whether its data store and its secrets are within reach.";

    // The controls themselves, and what they find.
    THREAT_HIGH = "threat-high", Page,
        "GuardDuty found a threat of high or critical severity: a resource is probably compromised.",
        OPEN_THE_FINDING;
    THREAT_MEDIUM = "threat-medium", Notify,
        "GuardDuty found activity of medium severity that departs from what is usual.",
        OPEN_THE_FINDING;
}
