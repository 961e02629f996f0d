//! `[alarms]`: what is told to whom, and from when on.

use crate::config::value::{AlarmName, Bounded, HttpsUrl, RuleReason, Subscriber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The alarms. Thresholds follow AWS's recommendations where those name one:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Alarms {
    /// Who is told of what cannot wait until the morning: mailboxes, those of PagerDuty and Opsgenie among them, and
    /// https addresses that take messages of Amazon SNS and confirm by themselves; none that bears a key. In production
    /// at least one (PCI 10.7.2, 12.10.1), unless `subscribed_elsewhere` says how people are told; elsewhere, none:
    /// those of `notify`. Whoever reads the state reads the addresses.
    pub page: Vec<Subscriber>,
    /// Who is told of what can. Where nobody is named, those of `page`.
    pub notify: Vec<Subscriber>,
    /// How the topics are subscribed to if not from here, such as by Amazon Q Developer in a chat; a production
    /// environment that names nobody under `page` needs it. None.
    pub subscribed_elsewhere: Option<RuleReason>,
    /// Alarms and events that tell nobody, and why; they are still evaluated and shown.
    pub silenced: Vec<Silence>,
    /// Where the runbook is read; `#` and the alarm's name are added. None: messages name `docs/alarms.md`.
    pub runbook_url: Option<HttpsUrl>,
    /// Percent of answers that are errors from which the service counts as failing.
    pub error_percent: Bounded<1, 100>,
    /// Milliseconds that the slowest hundredth of the requests may wait for the service's answer.
    pub latency_p99_ms: Bounded<1, 600_000>,
    /// Percent of the tasks' CPU from which they count as overloaded. AWS recommends the default; autoscaling begins
    /// well below.
    pub cpu_percent: Bounded<1, 100>,
    /// Percent of the tasks' memory from which they count as overloaded.
    pub memory_percent: Bounded<1, 100>,
    /// Connections to the database. Why the default: it is far more than the tasks of this service open, far fewer than
    /// an instance of the default class takes.
    pub database_connections: Bounded<1, 16_000>,
    /// Errors in the service's log in five minutes.
    pub log_errors: Bounded<1, 1_000_000>,
    /// Requests per minute beyond which there is more traffic than the service is meant for. The default is a thousand
    /// a second.
    pub requests_per_minute: Bounded<1, 100_000_000>,
    /// Requests that the web ACL refuses in five minutes. Why the default: scanners that come by every day stay below.
    pub blocked_requests: Bounded<1, 100_000_000>,
    /// Failed TLS handshakes in five minutes. Why the default: scanners that come by every day stay below.
    pub tls_errors: Bounded<1, 100_000_000>,
    /// Days before the certificate's end at which it should have been renewed. Why the default: ACM renews 60 days
    /// before.
    pub certificate_days: Bounded<1, 59>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            page: Vec::new(),
            notify: Vec::new(),
            subscribed_elsewhere: None,
            silenced: Vec::new(),
            runbook_url: None,
            error_percent: Bounded::literal::<5>(),
            latency_p99_ms: Bounded::literal::<3000>(),
            cpu_percent: Bounded::literal::<90>(),
            memory_percent: Bounded::literal::<90>(),
            database_connections: Bounded::literal::<300>(),
            log_errors: Bounded::literal::<10>(),
            requests_per_minute: Bounded::literal::<60_000>(),
            blocked_requests: Bounded::literal::<1000>(),
            tls_errors: Bounded::literal::<500>(),
            certificate_days: Bounded::literal::<30>(),
        }
    }
}

/// An alarm that tells nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// The alarm's name in docs/alarms.md, such as `tls-errors`.
    pub alarm: AlarmName,
    /// Why nobody need be told; it becomes part of the alarm's description.
    pub reason: RuleReason,
}
