//! Whether the service answers: the load balancer, its targets and the tasks.

use aws::{CloudwatchLogGroupHandle, CloudwatchMetricAlarmHandle};
use terraform::kind::Text;
use terraform::{Expr, Stack, TextPart, concat, text};

use super::Inputs;
use crate::alarm::table::*;
use crate::alarm::{Alarm, Bad, Composite, Entry, Measure, Metric, Missing, Notice};
use crate::config::{EnvConfig, Workload};
use crate::names::Topic;
use crate::stacks::alb::Targets;
use crate::stacks::ecs;

/// A metric of the load balancer.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>
pub fn of_load_balancer(inputs: &Inputs<'_>, name: &'static str, statistic: &'static str) -> Metric {
    Metric {
        namespace: "AWS/ApplicationELB".into(),
        name,
        dimensions: vec![("LoadBalancer", inputs.alb.load_balancer.arn_suffix())],
        statistic,
    }
}

/// A service that is watched.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    config: &'a EnvConfig,
    inputs: &'a Inputs<'a>,
    workload: Workload<'a>,
}

impl<'a> Watched<'a> {
    /// Each service, the main one first.
    pub fn all(config: &'a EnvConfig, inputs: &'a Inputs<'a>) -> impl Iterator<Item = Self> {
        config.workloads().map(move |workload| Self { config, inputs, workload })
    }

    /// What the load balancer measures of it.
    pub fn targets(self) -> Targets<'a> {
        Targets::of(self.config, self.inputs.alb, self.workload)
    }

    /// What an alarm on it says.
    pub fn notice(self, alarm: &'static Entry) -> Notice {
        Notice::each(alarm, self.workload.name().map(str::to_owned))
    }

    /// Its name, where there are others.
    pub fn name(self) -> &'a str {
        self.workload.service.name.as_str()
    }

    /// The Terraform name of a part of it.
    pub fn address(self, part: &str) -> String {
        self.workload.address(part)
    }

    /// What it logs.
    pub fn log(self) -> &'a CloudwatchLogGroupHandle {
        self.inputs.logs.services.of(self.workload)
    }

    /// Whether its lines are the contract's.
    pub fn has_contract(self) -> bool {
        self.workload.service.has_contract()
    }

    /// Whether it is the main service.
    pub fn is_main(self) -> bool {
        self.workload.further.is_none()
    }

    /// A metric of the service, as ECS measures it.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html>
    pub fn of_service(self, name: &'static str, statistic: &'static str) -> Metric {
        let service = self.inputs.ecs.services.of(self.workload).name.clone();
        let dimensions =
            vec![("ClusterName", self.inputs.ecs.cluster.name().text()), ("ServiceName", service)];
        Metric { namespace: "AWS/ECS".into(), name, dimensions, statistic }
    }

    /// A metric of the service, as Container Insights measures it.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html>
    pub fn of_insights(self, name: &'static str, statistic: &'static str) -> Metric {
        Metric { namespace: "ECS/ContainerInsights".into(), ..self.of_service(name, statistic) }
    }

    /// Whom its outage is told: whoever cannot wait until the morning, unless the environment file says otherwise.
    fn outage(self) -> Topic {
        if self.workload.further.is_none_or(|further| further.page) { Topic::Page } else { Topic::Notify }
    }
}

/// Adds the alarms, and hands back their ARNs, the gravest first.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let balancer_errors = load_balancer_errors(config, inputs).add(stack, config, inputs.topics);
    let mut graves = Vec::new();
    let mut others = Vec::new();
    for service in Watched::all(config, inputs) {
        let (gravest, more) = of_service(stack, service, &balancer_errors);
        graves.extend(gravest);
        others.extend(more);
    }
    graves.extend(others);
    graves
}

/// The composite alarms of a service, and the others. The load balancer's own errors are told of no service in
/// particular; they count as the main one's, which gets whatever is no other's.
fn of_service(
    stack: &mut Stack<'_>,
    service: Watched<'_>,
    balancer_errors: &CloudwatchMetricAlarmHandle,
) -> (Vec<Expr<Text>>, Vec<Expr<Text>>) {
    let Watched { config, inputs, workload } = service;
    let ecs::Symptoms { server_errors, unhealthy_tasks, unhealthy_green } =
        &inputs.ecs.services.of(workload).symptoms;
    let mut arns = vec![server_errors.arn(), unhealthy_tasks.arn()];
    arns.extend(unhealthy_green.iter().map(|alarm| alarm.arn()));
    let balancer_errors = Some(balancer_errors).filter(|_| service.is_main());
    arns.extend(balancer_errors.map(|alarm| alarm.arn()));
    let mut add = |alarm: Alarm| {
        let alarm = alarm.add(stack, config, inputs.topics);
        arns.push(alarm.arn());
        alarm
    };
    add(latency(service));
    if service.is_main() {
        add(rejected_connections(inputs));
    }
    add(connection_errors(service));
    if service.is_main() {
        add(tls_errors(config, inputs));
    }
    if workload.service.image.is_none() {
        return (Vec::new(), arns);
    }
    let no_task = add(no_healthy_task(service));
    for alarm in tasks(service) {
        add(alarm);
    }
    let composites = composites(stack, service, balancer_errors, &no_task);
    (composites.into(), arns)
}

fn load_balancer_errors(config: &EnvConfig, inputs: &Inputs<'_>) -> Alarm {
    Alarm {
        notice: Notice::of(&LOAD_BALANCER_5XX),
        // What the load balancer answers by itself is not among the requests to targets.
        measure: Measure::Math(
            "IF(FILL(requests, 0) + FILL(errors, 0) >= 20, 100 * FILL(errors, 0) / (FILL(requests, 0) + FILL(errors, 0)), 0)",
            vec![
                ("errors", of_load_balancer(inputs, "HTTPCode_ELB_5XX_Count", "Sum")),
                ("requests", of_load_balancer(inputs, "RequestCount", "Sum")),
            ],
        ),
        bad: Bad::AtLeast(config.alarms.error_percent.get().into()),
        period_seconds: 60,
        of: (2, 3),
        missing: Missing::Fine,
    }
}

fn latency(service: Watched<'_>) -> Alarm {
    Alarm {
        notice: service.notice(&LATENCY),
        measure: service.targets().latency(),
        bad: Bad::Above((f64::from(service.config.alarms.latency_p99_ms.get()) / 1000.0).into()),
        period_seconds: 300,
        of: (3, 3),
        missing: Missing::Fine,
    }
}

/// What goes wrong between the load balancer and the tasks.
fn connection_errors(service: Watched<'_>) -> Alarm {
    Alarm {
        notice: service.notice(&TARGET_CONNECTION_ERRORS),
        measure: service.targets().sum("TargetConnectionErrorCount"),
        bad: Bad::AtLeast(10.into()),
        period_seconds: 300,
        of: (2, 3),
        missing: Missing::Fine,
    }
}

/// What goes wrong before there is a request.
fn rejected_connections(inputs: &Inputs<'_>) -> Alarm {
    Alarm {
        notice: Notice::of(&REJECTED_CONNECTIONS),
        measure: Measure::Of(of_load_balancer(inputs, "RejectedConnectionCount", "Sum")),
        bad: Bad::AtLeast(1.into()),
        period_seconds: 300,
        of: (1, 1),
        missing: Missing::Fine,
    }
}

fn tls_errors(config: &EnvConfig, inputs: &Inputs<'_>) -> Alarm {
    Alarm {
        notice: Notice::of(&TLS_ERRORS),
        measure: Measure::Of(of_load_balancer(inputs, "ClientTLSNegotiationErrorCount", "Sum")),
        bad: Bad::AtLeast(config.alarms.tls_errors.get().into()),
        period_seconds: 300,
        of: (2, 3),
        missing: Missing::Fine,
    }
}

fn no_healthy_task(service: Watched<'_>) -> Alarm {
    Alarm {
        notice: service.notice(&NO_HEALTHY_TASK),
        measure: service.targets().healthy(),
        bad: Bad::Below(1.into()),
        period_seconds: 60,
        of: (2, 2),
        // A group without a target has no value.
        missing: Missing::Bad,
    }
}

/// How the tasks fare.
fn tasks(service: Watched<'_>) -> Vec<Alarm> {
    let config = service.config;
    let alarm = |notice, measure, bad| Alarm {
        notice,
        measure,
        bad,
        period_seconds: 300,
        of: (3, 3),
        missing: Missing::Fine,
    };
    let mut alarms = vec![
        alarm(
            service.notice(&CPU),
            Measure::Of(service.of_service("CPUUtilization", "Average")),
            Bad::AtLeast(config.alarms.cpu_percent.get().into()),
        ),
        alarm(
            service.notice(&MEMORY),
            Measure::Of(service.of_service("MemoryUtilization", "Maximum")),
            Bad::AtLeast(config.alarms.memory_percent.get().into()),
        ),
        alarm(
            service.notice(&TASKS_MISSING),
            Measure::Math(
                "desired - running",
                vec![
                    ("desired", service.of_insights("DesiredTaskCount", "Minimum")),
                    ("running", service.of_insights("RunningTaskCount", "Maximum")),
                ],
            ),
            Bad::Above(0.into()),
        ),
        alarm(
            service.notice(&TASK_DISK),
            Measure::Math(
                "100 * used / reserved",
                vec![
                    ("used", service.of_insights("EphemeralStorageUtilized", "Maximum")),
                    ("reserved", service.of_insights("EphemeralStorageReserved", "Maximum")),
                ],
            ),
            Bad::AtLeast(80.into()),
        ),
    ];
    let counts = &service.workload.service.counts;
    if counts.max > counts.min {
        alarms.push(alarm(
            service.notice(&TASKS_AT_MAXIMUM),
            Measure::Of(service.of_insights("RunningTaskCount", "Minimum")),
            Bad::AtLeast(counts.max.into()),
        ));
    }
    alarms
}

/// What wakes somebody: not every symptom, but that users feel it, once.
fn composites(
    stack: &mut Stack<'_>,
    service: Watched<'_>,
    balancer_errors: Option<&CloudwatchMetricAlarmHandle>,
    no_task: &CloudwatchMetricAlarmHandle,
) -> [Expr<Text>; 2] {
    let Watched { config, inputs, workload } = service;
    let ecs::Symptoms { server_errors, unhealthy_tasks, unhealthy_green } =
        &inputs.ecs.services.of(workload).symptoms;
    let unhealthy = any(&[Some(unhealthy_tasks), unhealthy_green.as_ref()]);
    let errors = any(&[Some(server_errors), balancer_errors]);
    let down = Composite {
        notice: service.notice(&SERVICE_DOWN).to(service.outage()),
        rule: text![any(&[Some(no_task)]), " OR (", unhealthy, " AND ", errors.clone(), ")"],
        suppressed_by: None,
    }
    .add(stack, config, inputs.topics);
    let failing = Composite {
        notice: service.notice(&SERVICE_FAILING).to(service.outage()),
        rule: errors,
        suppressed_by: Some(down.clone()),
    }
    .add(stack, config, inputs.topics);
    [down.arn(), failing.arn()]
}

/// Whether any of the alarms that there are is on, as a term of a composite alarm's rule.
fn any(alarms: &[Option<&CloudwatchMetricAlarmHandle>]) -> Expr<Text> {
    let mut parts: Vec<TextPart> = Vec::new();
    let terms: Vec<_> = alarms.iter().flatten().map(|alarm| alarm.alarm_name()).collect();
    let several = terms.len() > 1;
    for (at, name) in terms.into_iter().enumerate() {
        parts.push(if at == 0 { if several { "(" } else { "" } } else { " OR " }.into());
        parts.extend(["ALARM(\"".into(), name.into(), "\")".into()]);
    }
    if several {
        parts.push(")".into());
    }
    concat(parts)
}
