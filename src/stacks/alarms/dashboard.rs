//! One page for an engineer on call: what users feel first, then why.

use aws::document::dashboard::{Dashboard, LogView, Metrics, MetricsOptional, Series, Threshold, Widget};
use aws::{CloudwatchDashboard, CloudwatchLogGroupHandle};
use contract::Table;
use terraform::kind::Text;
use terraform::{Expr, NonEmpty, Number, Stack, set};

use super::Inputs;
use super::alarm::Metric;
use super::data::{of_database, of_table};
use super::logging::{self, of_group};
use super::perimeter::{of_nat_gateways, of_web_acl};
use super::queries;
use super::service::{Watched, of_load_balancer};
use crate::config::EnvConfig;
use crate::stacks::alb::Targets;
use crate::stacks::logs::Export;

/// Adds the dashboard.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>, alarms: Vec<Expr<Text>>) {
    let mut dashboard =
        Dashboard::in_region(config.region.to_string()).row(4, [Widget::text(24, introduction(config))]);
    if let Some(alarms) = NonEmpty::from_vec(alarms) {
        dashboard = dashboard.row(6, [Widget::alarms(24, "Alarms", alarms)]);
    }
    dashboard = dashboard.row(6, [traffic(inputs), errors(config, inputs), latency(config, inputs)]);
    for service in Watched::all(config, inputs) {
        if !config.services.is_empty() {
            dashboard = dashboard.row(1, [Widget::text(24, format!("## {}", service.name()))]).row(
                6,
                [service_traffic(service), service_errors(service), service_latency(config, service)],
            );
        }
        dashboard = dashboard.row(6, [saturation(config, service), tasks(service), targets(service)]);
    }
    let dashboard = dashboard
        .row(6, [web_acl(config, inputs), connections(config, inputs), service_log(config, inputs)])
        .row(6, records(config, inputs))
        .row(6, cost(config, inputs))
        .row(8, logs(config, inputs));
    stack.add(
        "main",
        CloudwatchDashboard {
            dashboard_name: set(config.names.prefix().to_owned()),
            dashboard_body: set(dashboard),
        },
    );
}

fn introduction(config: &EnvConfig) -> String {
    let runbook = config.alarms.runbook_url.as_ref();
    let runbook = runbook.map_or("Runbook: docs/alarms.md".to_owned(), |url| format!("[Runbook]({url})"));
    format!(
        "# {}\nhttps://{} in account {}, {}. {runbook}. Each alarm's description says what to do first; saved queries \
         are in the folder `{}` of Logs Insights.\n\n**Users first:** traffic, errors, latency. **Then why:** \
         saturation, tasks, web ACL. **Then cost:** NAT and log volume.",
        config.names.prefix(),
        config.domain,
        config.account_id,
        config.region,
        config.names.prefix(),
    )
}

/// A graph, a third of the page wide.
fn graph(title: &'static str, unit: &'static str, series: NonEmpty<Series>) -> Widget {
    graph_to(title, unit, series, Vec::new())
}

/// A graph with the alarm's thresholds in it.
fn graph_to(
    title: &'static str,
    unit: &'static str,
    series: NonEmpty<Series>,
    thresholds: Vec<Threshold>,
) -> Widget {
    let optional = MetricsOptional { left_axis: Some(unit.into()), thresholds, ..Default::default() };
    Widget::metrics(8, Metrics { title: title.into(), series, optional })
}

fn alarm_from(value: impl Into<Number>) -> Vec<Threshold> {
    vec![Threshold { label: "alarm".into(), value: value.into() }]
}

fn labelled(metric: &Metric, label: &'static str) -> Series {
    metric.series().label(label)
}

fn traffic(inputs: &Inputs<'_>) -> Widget {
    let of = |name, label| labelled(&of_load_balancer(inputs, name, "Sum"), label);
    graph(
        "Traffic",
        "per minute",
        NonEmpty::new(
            of("RequestCount", "requests"),
            [of("NewConnectionCount", "new connections").on_right()],
        ),
    )
}

fn errors(config: &EnvConfig, inputs: &Inputs<'_>) -> Widget {
    let count = |id, metric: Metric| metric.series().id(id).hidden();
    let share =
        Series::expression("100 * (FILL(target, 0) + FILL(balancer, 0)) / (requests + FILL(balancer, 0))");
    let of_targets = |name| of_all_targets(config, inputs, name, "Sum");
    let refused = labelled(&of_targets("HTTPCode_Target_4XX_Count"), "4xx per minute");
    graph_to(
        "Errors",
        "percent of answers",
        NonEmpty::new(
            share.label("5xx"),
            [
                count("target", of_targets("HTTPCode_Target_5XX_Count")),
                count("balancer", of_load_balancer(inputs, "HTTPCode_ELB_5XX_Count", "Sum")),
                count("requests", of_load_balancer(inputs, "RequestCount", "Sum")),
                refused.on_right(),
            ],
        ),
        alarm_from(config.alarms.error_percent.get()),
    )
}

fn latency(config: &EnvConfig, inputs: &Inputs<'_>) -> Widget {
    latency_of(config, |statistic| of_all_targets(config, inputs, "TargetResponseTime", statistic))
}

fn latency_of(config: &EnvConfig, metric: impl Fn(&'static str) -> Metric) -> Widget {
    let by = |statistic| labelled(&metric(statistic), statistic);
    graph_to(
        "Latency",
        "seconds",
        NonEmpty::new(by("p50"), [by("p90"), by("p99")]),
        alarm_from(f64::from(config.alarms.latency_p99_ms.get()) / 1000.0),
    )
}

/// A metric of all targets of the load balancer.
fn of_all_targets(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    name: &'static str,
    statistic: &'static str,
) -> Metric {
    let targets = Targets::of(config, inputs.alb, config.main_service());
    if targets.green.is_none() && config.services.is_empty() {
        targets.of_group(targets.blue, name, statistic)
    } else {
        of_load_balancer(inputs, name, statistic)
    }
}

/// The target groups of a service with what the second one's series are told apart by.
fn of_groups(
    service: Watched<'_>,
    name: &'static str,
    statistic: &'static str,
    label: &'static str,
) -> NonEmpty<Series> {
    let targets = service.targets();
    let of = |group| targets.of_group(group, name, statistic).series();
    NonEmpty::new(
        of(targets.blue).label(label),
        targets.green.map(|green| of(green).label(format!("{label} (green)"))),
    )
}

fn service_traffic(service: Watched<'_>) -> Widget {
    graph("Traffic", "per minute", of_groups(service, "RequestCount", "Sum", "requests"))
}

fn service_errors(service: Watched<'_>) -> Widget {
    let errors = of_groups(service, "HTTPCode_Target_5XX_Count", "Sum", "5xx");
    graph("Errors", "per minute", errors)
}

fn service_latency(config: &EnvConfig, service: Watched<'_>) -> Widget {
    let targets = service.targets();
    latency_of(config, |statistic| targets.of_group(targets.blue, "TargetResponseTime", statistic))
}

fn saturation(config: &EnvConfig, service: Watched<'_>) -> Widget {
    let of = |name, statistic, label| labelled(&service.of_service(name, statistic), label);
    graph_to(
        "Saturation",
        "percent",
        NonEmpty::new(
            of("CPUUtilization", "Average", "CPU, average"),
            [
                of("CPUUtilization", "Maximum", "CPU, highest"),
                of("MemoryUtilization", "Average", "memory, average"),
                of("MemoryUtilization", "Maximum", "memory, highest"),
            ],
        ),
        alarm_from(config.alarms.cpu_percent.get()),
    )
}

fn tasks(service: Watched<'_>) -> Widget {
    let of = |name, label| labelled(&service.of_insights(name, "Maximum"), label);
    graph(
        "Tasks and deployments",
        "tasks",
        NonEmpty::new(
            of("DesiredTaskCount", "desired"),
            [
                of("RunningTaskCount", "running"),
                of("PendingTaskCount", "pending"),
                of("DeploymentCount", "deployments").on_right(),
            ],
        ),
    )
}

fn targets(service: Watched<'_>) -> Widget {
    let targets = service.targets();
    let of = |group, name, label| labelled(&targets.of_group(group, name, "Maximum"), label);
    let mut more = vec![of(targets.blue, "UnHealthyHostCount", "unhealthy")];
    if let Some(green) = targets.green {
        more.push(of(green, "HealthyHostCount", "healthy (green)"));
        more.push(of(green, "UnHealthyHostCount", "unhealthy (green)"));
    }
    graph("Targets", "tasks", NonEmpty::new(of(targets.blue, "HealthyHostCount", "healthy"), more))
}

fn web_acl(config: &EnvConfig, inputs: &Inputs<'_>) -> Widget {
    let of = |name, label| labelled(&of_web_acl(config, inputs, name), label);
    graph(
        "Web ACL",
        "requests per minute",
        NonEmpty::new(of("AllowedRequests", "allowed"), [of("BlockedRequests", "refused").on_right()]),
    )
}

fn connections(config: &EnvConfig, inputs: &Inputs<'_>) -> Widget {
    let of = |metric: Metric, label| labelled(&metric, label);
    graph(
        "Connections that fail",
        "per minute",
        NonEmpty::new(
            of(of_load_balancer(inputs, "ClientTLSNegotiationErrorCount", "Sum"), "TLS with clients"),
            [
                of(of_load_balancer(inputs, "RejectedConnectionCount", "Sum"), "rejected"),
                of(of_all_targets(config, inputs, "TargetConnectionErrorCount", "Sum"), "to tasks"),
            ],
        ),
    )
}

fn service_log(config: &EnvConfig, inputs: &Inputs<'_>) -> Widget {
    if !config.service.has_contract() {
        let lines = labelled(&of_group(&inputs.logs.services.main, "IncomingLogEvents"), "lines");
        return graph("The service's log", "per minute", NonEmpty::one(lines));
    }
    let errors = labelled(&logging::derived(config, logging::SERVICE_ERRORS), "errors");
    graph("Errors in the service's log", "per minute", NonEmpty::one(errors))
}

/// The data stores.
fn records(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Widget> {
    let mut widgets = Vec::new();
    if let Some(tables) = &inputs.data.dynamodb {
        let of = |name: &'static str, label: &'static str| {
            Table::ALL.map(|table| {
                of_table(tables.of(table), name).series().label(format!("{label}, {}", table.name()))
            })
        };
        let [first, rest @ ..] = of("ConsumedReadCapacityUnits", "reads");
        let capacity =
            NonEmpty::new(first, rest.into_iter().chain(of("ConsumedWriteCapacityUnits", "writes")));
        widgets.push(graph("Tables, paid by volume", "units per minute", capacity));
        let [first, rest @ ..] = of("ReadThrottleEvents", "reads");
        let refused =
            of("WriteThrottleEvents", "writes").into_iter().chain(of("TransactionConflict", "conflicts"));
        widgets.push(graph(
            "What tables refuse",
            "per minute",
            NonEmpty::new(first, rest.into_iter().chain(refused)),
        ));
    }
    if let Some(database) = &inputs.data.postgres {
        let of =
            |name, statistic, label| of_database(config, database, name, statistic).series().label(label);
        widgets.push(graph_to(
            "Database",
            "percent",
            NonEmpty::new(
                of("CPUUtilization", "Average", "CPU"),
                [of("DatabaseConnections", "Maximum", "connections").on_right()],
            ),
            alarm_from(config.alarms.cpu_percent.get()),
        ));
        widgets.push(graph(
            "Database latency",
            "seconds",
            NonEmpty::new(of("ReadLatency", "Average", "reads"), [of("WriteLatency", "Average", "writes")]),
        ));
    }
    widgets
}

/// What is paid by volume: NAT, logs, and how old the oldest event is that waits for its export.
fn cost(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Widget> {
    let mut widgets = Vec::new();
    let out = of_nat_gateways(inputs, "BytesOutToDestination", "Sum");
    let back = of_nat_gateways(inputs, "BytesOutToSource", "Sum");
    let bytes = |all: Vec<(String, Metric)>, way: &'static str| {
        all.into_iter().map(move |(zone, metric)| metric.series().label(format!("{way}, zone {zone}")))
    };
    if let Some(series) = NonEmpty::from_vec(bytes(out, "out").chain(bytes(back, "back")).collect()) {
        widgets.push(graph("NAT, paid by volume", "bytes per minute", series));
    }
    let logs = &inputs.logs;
    let volume = |group, label: &str| of_group(group, "IncomingBytes").series().label(label.to_owned());
    let flow = logs.flow.iter().map(|flow| volume(flow, "flow"));
    let platform = flow.chain([volume(&logs.waf, "web ACL"), volume(&logs.insights, "insights")]);
    let further = Watched::all(config, inputs).skip(1).map(|service| volume(service.log(), service.name()));
    widgets.push(graph(
        "Logs, paid by volume",
        "bytes per minute",
        NonEmpty::new(volume(&logs.services.main, "service"), platform.chain(further)),
    ));
    let age = |export: &Export| logging::age(export).series().label(export.name.identifier());
    if let Some(series) = NonEmpty::from_vec(logs.exports.iter().map(age).collect()) {
        widgets.push(graph("Age of what waits for its export", "seconds", series));
    }
    widgets
}

fn logs(config: &EnvConfig, inputs: &Inputs<'_>) -> [Widget; 2] {
    let table = |title: &'static str, group: &CloudwatchLogGroupHandle, query: String| {
        Widget::logs(12, title, NonEmpty::one(group.name()), query, LogView::Table)
    };
    [
        table("Latest errors of the service", &inputs.logs.services.main, queries::service_errors(config)),
        table("Whom the web ACL refuses", &inputs.logs.waf, queries::REFUSED.to_owned()),
    ]
}
