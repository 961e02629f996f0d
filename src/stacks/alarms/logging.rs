//! Whether what should be recorded is recorded (PCI 10.7.2), and what the logs say.

use aws::{CloudwatchLogGroupHandle, CloudwatchLogMetricFilter, cloudwatch_log_metric_filter as filter};
use contract::{LogField, METRIC_NAMESPACE, RUN_PUT_OFF, RUNS_DUE, RUNS_DUE_SECONDS};
use terraform::kind::Text;
use terraform::{Expr, Stack, set};

use super::Inputs;
use super::perimeter::of_web_acl;
use super::service::Watched;
use crate::alarm::table::{self, *};
use crate::alarm::{Alarm, Bad, Measure, Metric, Missing, Notice};
use crate::config::{Contract, EnvConfig};
use crate::stacks::logs::Export;

/// A metric of a log group.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html>
pub fn of_group(group: &CloudwatchLogGroupHandle, name: &'static str) -> Metric {
    Metric {
        namespace: "AWS/Logs".into(),
        name,
        dimensions: vec![("LogGroupName", group.name().text())],
        statistic: "Sum",
    }
}

/// A metric that a filter derives from a log. The namespace has the environment in it, since another one may share the
/// account.
pub fn derived(config: &EnvConfig, name: &'static str) -> Metric {
    Metric { namespace: namespace(config), name, dimensions: Vec::new(), statistic: "Sum" }
}

fn namespace(config: &EnvConfig) -> String {
    let prefix = config.names.prefix();
    match config.service.contract {
        Contract::TxnReconcileApi => format!("{METRIC_NAMESPACE}/{prefix}"),
        Contract::None => format!("Logs/{prefix}"),
    }
}

/// Lines of the service's log at the level of errors.
pub const SERVICE_ERRORS: &str = "ServiceErrors";
/// Times that a run of the service was put off.
const RUNS_PUT_OFF: &str = "RunsPutOff";
/// Seconds that the first run in the queue has waited for a worker.
const RUNS_DUE_AGE: &str = "RunsDueSeconds";
/// Reports of card data in logs.
const CARD_DATA: &str = "CardDataInLogs";

/// Adds the metric filters and the alarms.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    // What the lines of any other program hold, nobody here knows.
    let has_contract = config.service.has_contract();
    if has_contract {
        count_lines(stack, config, inputs);
    }
    // Every event of the group is a report.
    count(stack, config, "card_data", &inputs.logs.findings, CARD_DATA, String::new());
    let of_contract =
        [service_errors(config), runs_waiting(config), runs_due(config)].into_iter().filter(|_| has_contract);
    let alarms = of_contract.chain([card_data(config)]);
    let alarms = alarms.chain(silent_groups(config, inputs)).chain(export(config, inputs));
    alarms.map(|alarm| alarm.add(stack, config, inputs.topics).arn()).collect()
}

/// The lines that the contract tells the meaning of.
fn count_lines(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) {
    let level = LogField::Level.name();
    count(
        stack,
        config,
        "service_errors",
        &inputs.logs.services.main,
        SERVICE_ERRORS,
        format!("{{ $.{level} = \"ERROR\" }}"),
    );
    let message = LogField::Message.name();
    count(
        stack,
        config,
        "runs_put_off",
        &inputs.logs.services.main,
        RUNS_PUT_OFF,
        format!("{{ $.{message} = \"{RUN_PUT_OFF}*\" }}"),
    );
    // What the line says, not how often it comes.
    // <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringPolicyExamples.html>
    measure(
        stack,
        config,
        "runs_due",
        &inputs.logs.services.main,
        (RUNS_DUE_AGE, "Seconds", &format!("$.{RUNS_DUE_SECONDS}")),
        format!("{{ $.{message} = \"{RUNS_DUE}\" }}"),
    );
}

/// Counts the events of a group that match the pattern.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>
pub fn count(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    identifier: &str,
    group: &CloudwatchLogGroupHandle,
    metric: &'static str,
    pattern: String,
) {
    measure(stack, config, identifier, group, (metric, "Count", "1"), pattern);
}

/// Makes a metric of the events of a group that match the pattern: its name, its unit and its value, a number or the field
/// that holds it.
fn measure(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    identifier: &str,
    group: &CloudwatchLogGroupHandle,
    (metric, unit, value): (&'static str, &'static str, &str),
    pattern: String,
) {
    stack.add(
        identifier,
        CloudwatchLogMetricFilter {
            log_group_name: set(group.name()),
            metric_transformation: filter::MetricTransformation {
                name: set(metric),
                namespace: set(derived(config, metric).namespace),
                value: set(value.to_owned()),
                optional: filter::MetricTransformationOptional { unit: set(unit), ..Default::default() },
            },
            name: set(config.names.of(&identifier.replace('_', "-"))),
            pattern: set(pattern),
        },
    );
}

fn service_errors(config: &EnvConfig) -> Alarm {
    Alarm {
        notice: Notice::of(&table::SERVICE_ERRORS),
        measure: Measure::Of(derived(config, SERVICE_ERRORS)),
        bad: Bad::AtLeast(config.alarms.log_errors.get().into()),
        period_seconds: 300,
        of: (1, 1),
        missing: Missing::Fine,
    }
}

/// A run that waits is tried, and put off, at least every five minutes and what its clients take to give up.
fn runs_waiting(config: &EnvConfig) -> Alarm {
    Alarm {
        notice: Notice::of(&RUNS_WAITING),
        measure: Measure::Of(derived(config, RUNS_PUT_OFF)),
        bad: Bad::AtLeast(1.into()),
        period_seconds: 900,
        of: (2, 2),
        missing: Missing::Fine,
    }
}

/// A run that nobody takes up although its turn has come: there are fewer workers than the runs that are asked for take.
fn runs_due(config: &EnvConfig) -> Alarm {
    Alarm {
        notice: Notice::of(&RUNS_DUE_LONG),
        measure: Measure::Of(Metric { statistic: "Maximum", ..derived(config, RUNS_DUE_AGE) }),
        bad: Bad::AtLeast(900.into()),
        period_seconds: 300,
        of: (2, 2),
        missing: Missing::Fine,
    }
}

/// PCI 3.3, 3.4, 12.10.7: what to do where an account number turns up unasked.
fn card_data(config: &EnvConfig) -> Alarm {
    Alarm {
        notice: Notice::of(&CARD_DATA_IN_LOGS),
        measure: Measure::Of(derived(config, CARD_DATA)),
        bad: Bad::AtLeast(1.into()),
        period_seconds: 60,
        of: (1, 1),
        missing: Missing::Fine,
    }
}

/// Groups that stopped to record what goes on (PCI 10.7.2).
fn silent_groups(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Alarm> {
    let alarm = |notice, measure| Alarm {
        notice,
        measure,
        bad: Bad::AtLeast(1.into()),
        period_seconds: 300,
        of: (3, 3),
        missing: Missing::Fine,
    };
    let events = |group| of_group(group, "IncomingLogEvents");
    let flow = inputs.logs.flow.as_ref().map(|flow| {
        Alarm {
            notice: Notice::of(&FLOW_LOG_SILENT),
            measure: Measure::Of(events(flow)),
            bad: Bad::Below(1.into()),
            // A flow log collects for ten minutes at most, and is delivered five minutes later.
            // <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-basics.html>
            period_seconds: 900,
            of: (2, 2),
            // The load balancer's addresses alone are scanned every minute.
            missing: Missing::Bad,
        }
    });
    let mut alarms: Vec<Alarm> = flow.into_iter().collect();
    alarms.extend(Watched::all(config, inputs).map(|service| {
        alarm(service.notice(&SERVICE_LOG_SILENT), service.targets().silence(events(service.log())))
    }));
    alarms.push(alarm(
        Notice::of(&WEB_ACL_LOG_SILENT),
        Measure::Math(
            "IF(FILL(requests, 0) > 100 AND FILL(events, 0) < 1, 1, 0)",
            vec![
                ("requests", of_web_acl(config, inputs, "AllowedRequests")),
                ("events", events(&inputs.logs.waf)),
            ],
        ),
    ));
    alarms
}

fn of_stream(export: &Export, name: &'static str, statistic: &'static str) -> Metric {
    let dimensions = vec![("DeliveryStreamName", export.stream.name())];
    Metric { namespace: "AWS/Firehose".into(), name, dimensions, statistic }
}

/// Seconds that the oldest event has waited for its export.
pub fn age(export: &Export) -> Metric {
    of_stream(export, "DeliveryToS3.DataFreshness", "Maximum")
}

/// Groups whose events do not reach the audit bucket (PCI 10.3.3, 10.7.2): the oldest event that waits is half an hour
/// old, six times as long as the stream collects, or nothing arrives at the stream of what arrives at the group. The
/// stream keeps what it cannot deliver for a day.
/// <https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html>
fn export(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for export in &inputs.logs.exports {
        alarms.push(Alarm {
            notice: Notice::each(&EXPORT, Some(export.name.identifier())),
            measure: if export.name.region(config) == config.region {
                Measure::Math(
                    "IF(FILL(age, 0) > 1800 OR (FILL(events, 0) > 0 AND FILL(records, 0) < 1), 1, 0)",
                    vec![
                        ("age", age(export)),
                        ("events", of_group(&export.group, "IncomingLogEvents")),
                        ("records", of_stream(export, "IncomingRecords", "Sum")),
                    ],
                )
            } else {
                // An alarm sees no metric of another region's group.
                Measure::Math("IF(FILL(age, 0) > 1800, 1, 0)", vec![("age", age(export))])
            },
            bad: Bad::AtLeast(1.into()),
            period_seconds: 300,
            of: (3, 3),
            missing: Missing::Fine,
        });
    }
    alarms
}
