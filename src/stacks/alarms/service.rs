//! Whether the service answers: the load balancer, its targets and the tasks.

use aws::{CloudwatchMetricAlarmHandle, LbTargetGroupHandle};
use terraform::kind::Text;
use terraform::{Expr, Stack, text};

use super::Inputs;
use super::alarm::{Alarm, Bad, Composite, Measure, Metric, Missing};
use super::notice::Notice;
use crate::config::EnvConfig;
use crate::stacks::ecs;
use crate::stacks::topics::Topic;

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

/// A metric of the load balancer's targets: of one group, or of both where CodeDeploy moves the traffic between two.
pub fn of_targets(inputs: &Inputs<'_>, name: &'static str, statistic: &'static str) -> Metric {
    match inputs.alb.blue_green {
        None => of_group(inputs, &inputs.alb.target_group, name, statistic),
        Some(_) => of_load_balancer(inputs, name, statistic),
    }
}

/// A metric of one target group.
pub fn of_group(
    inputs: &Inputs<'_>,
    group: &LbTargetGroupHandle,
    name: &'static str,
    statistic: &'static str,
) -> Metric {
    let mut metric = of_load_balancer(inputs, name, statistic);
    metric.dimensions.push(("TargetGroup", group.arn_suffix()));
    metric
}

fn service_dimensions(inputs: &Inputs<'_>) -> Vec<(&'static str, Expr<Text>)> {
    vec![("ClusterName", inputs.ecs.cluster.name().text()), ("ServiceName", inputs.ecs.service.name())]
}

/// A metric of the service, as ECS measures it.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html>
pub fn of_service(inputs: &Inputs<'_>, name: &'static str, statistic: &'static str) -> Metric {
    Metric { namespace: "AWS/ECS".into(), name, dimensions: service_dimensions(inputs), statistic }
}

/// A metric of the service, as Container Insights measures it.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html>
pub fn of_insights(inputs: &Inputs<'_>, name: &'static str, statistic: &'static str) -> Metric {
    Metric { namespace: "ECS/ContainerInsights".into(), ..of_service(inputs, name, statistic) }
}

/// Adds the alarms, and hands back their ARNs, the gravest first.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let ecs::Symptoms { server_errors, unhealthy_tasks, unhealthy_green } = &inputs.ecs.symptoms;
    let mut arns = vec![server_errors.arn(), unhealthy_tasks.arn()];
    arns.extend(unhealthy_green.iter().map(|alarm| alarm.arn()));
    let mut add = |alarm: Alarm| {
        let alarm = alarm.add(stack, config, inputs.topics);
        arns.push(alarm.arn());
        alarm
    };
    let balancer_errors = add(load_balancer_errors(config, inputs));
    add(latency(config, inputs));
    for alarm in connections(config, inputs) {
        add(alarm);
    }
    if config.service.deployed {
        let no_task = add(no_healthy_task(inputs));
        for alarm in tasks(config, inputs) {
            add(alarm);
        }
        arns.splice(0..0, composites(stack, config, inputs, &balancer_errors, &no_task));
    }
    arns
}

fn load_balancer_errors(config: &EnvConfig, inputs: &Inputs<'_>) -> Alarm {
    Alarm {
        notice: Notice {
            name: "load-balancer-5xx",
            instance: None,
            to: Topic::Notify,
            means: "The load balancer itself answers with 5xx: there is no healthy task, a task closes connections, \
                    or it takes longer than the idle timeout.",
            first: "look at healthy tasks and latency on the dashboard, then at elb_status_code and \
                    target_status_code in the access logs.",
        },
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

fn latency(config: &EnvConfig, inputs: &Inputs<'_>) -> Alarm {
    Alarm {
        notice: Notice {
            name: "latency",
            instance: None,
            to: Topic::Notify,
            means: "The slowest hundredth of the requests waits too long for the service (alarms.latency_p99_ms).",
            first: "compare with traffic, CPU and the data store's latency on the dashboard; a deployment at the same \
                    time is the likeliest cause.",
        },
        measure: Measure::Of(of_targets(inputs, "TargetResponseTime", "p99")),
        bad: Bad::Above((f64::from(config.alarms.latency_p99_ms.get()) / 1000.0).into()),
        period_seconds: 300,
        of: (3, 3),
        missing: Missing::Fine,
    }
}

/// What goes wrong before there is a request.
fn connections(config: &EnvConfig, inputs: &Inputs<'_>) -> [Alarm; 3] {
    let alarm = |notice, metric, bad, of| Alarm {
        notice,
        measure: Measure::Of(metric),
        bad,
        period_seconds: 300,
        of,
        missing: Missing::Fine,
    };
    [
        alarm(
            Notice {
                name: "rejected-connections",
                instance: None,
                to: Topic::Notify,
                means: "The load balancer turned connections away because it had reached its maximum.",
                first: "look for an attack in the web ACL's log; ask AWS to warm the load balancer up if the traffic \
                        is wanted.",
            },
            of_load_balancer(inputs, "RejectedConnectionCount", "Sum"),
            Bad::AtLeast(1.into()),
            (1, 1),
        ),
        alarm(
            Notice {
                name: "target-connection-errors",
                instance: None,
                to: Topic::Notify,
                means: "The load balancer could not connect to tasks, or they ended connections.",
                first: "look for tasks that stopped in the service's events, and at the tasks' security group and \
                        network ACLs if it began with a change.",
            },
            of_targets(inputs, "TargetConnectionErrorCount", "Sum"),
            Bad::AtLeast(10.into()),
            (2, 3),
        ),
        alarm(
            Notice {
                name: "tls-errors",
                instance: None,
                to: Topic::Notify,
                means: "More TLS handshakes fail than scanners cause (alarms.tls_errors): clients that speak no TLS \
                        1.2, or an attack.",
                first: "group the connection logs by tls_protocol and client address.",
            },
            of_load_balancer(inputs, "ClientTLSNegotiationErrorCount", "Sum"),
            Bad::AtLeast(config.alarms.tls_errors.get().into()),
            (2, 3),
        ),
    ]
}

fn no_healthy_task(inputs: &Inputs<'_>) -> Alarm {
    let healthy = |group| of_group(inputs, group, "HealthyHostCount", "Maximum");
    Alarm {
        notice: Notice {
            name: "no-healthy-task",
            instance: None,
            to: Topic::Notify,
            means: "No task passes the load balancer's checks: nothing is answered.",
            first: "read the service's events and the reasons of its stopped tasks, then the log of the last task.",
        },
        measure: match &inputs.alb.blue_green {
            None => Measure::Of(healthy(&inputs.alb.target_group)),
            Some(both) => Measure::Math(
                "FILL(blue, 0) + FILL(green, 0)",
                vec![("blue", healthy(&inputs.alb.target_group)), ("green", healthy(&both.green))],
            ),
        },
        bad: Bad::Below(1.into()),
        period_seconds: 60,
        of: (2, 2),
        // A group without a target has no value.
        missing: Missing::Bad,
    }
}

/// How the tasks fare.
fn tasks(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Alarm> {
    let notice = |name, means, first| Notice { name, instance: None, to: Topic::Notify, means, first };
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
            notice(
                "cpu",
                "The tasks' CPU is used up (alarms.cpu_percent), although autoscaling should have helped.",
                "see whether the service is at its maximum of tasks; raise service.max_count or service.cpu.",
            ),
            Measure::Of(of_service(inputs, "CPUUtilization", "Average")),
            Bad::AtLeast(config.alarms.cpu_percent.get().into()),
        ),
        alarm(
            notice(
                "memory",
                "The tasks' memory is used up (alarms.memory_percent); a task that needs more is killed.",
                "look for a leak since the last deployment and for very large statements; raise service.memory.",
            ),
            Measure::Of(of_service(inputs, "MemoryUtilization", "Maximum")),
            Bad::AtLeast(config.alarms.memory_percent.get().into()),
        ),
        alarm(
            notice(
                "tasks-missing",
                "Fewer tasks run than should for a quarter of an hour.",
                "read the service's events: no capacity, no image, no secret, or a task that fails its checks.",
            ),
            Measure::Math(
                "desired - running",
                vec![
                    ("desired", of_insights(inputs, "DesiredTaskCount", "Minimum")),
                    ("running", of_insights(inputs, "RunningTaskCount", "Maximum")),
                ],
            ),
            Bad::Above(0.into()),
        ),
        alarm(
            notice(
                "task-disk",
                "The tasks' temporary storage fills up; uploads fail when it is full.",
                "look for uploads that were never finished; raise service.ephemeral_storage_gib.",
            ),
            Measure::Math(
                "100 * used / reserved",
                vec![
                    ("used", of_insights(inputs, "EphemeralStorageUtilized", "Maximum")),
                    ("reserved", of_insights(inputs, "EphemeralStorageReserved", "Maximum")),
                ],
            ),
            Bad::AtLeast(80.into()),
        ),
    ];
    let counts = &config.service.counts;
    if counts.max > counts.min {
        alarms.push(alarm(
            notice(
                "tasks-at-maximum",
                "Autoscaling has started all the tasks it may, and could not start another.",
                "see whether the traffic is wanted; raise service.max_count before it grows.",
            ),
            Measure::Of(of_insights(inputs, "RunningTaskCount", "Minimum")),
            Bad::AtLeast(counts.max.into()),
        ));
    }
    alarms
}

/// What wakes somebody: not every symptom, but that users feel it, once.
fn composites(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    balancer_errors: &CloudwatchMetricAlarmHandle,
    no_task: &CloudwatchMetricAlarmHandle,
) -> [Expr<Text>; 2] {
    let ecs::Symptoms { server_errors, unhealthy_tasks, unhealthy_green } = &inputs.ecs.symptoms;
    let [no_task, blue, target_5xx, elb_5xx] =
        [no_task, unhealthy_tasks, server_errors, balancer_errors].map(|alarm| alarm.alarm_name());
    let unhealthy = match unhealthy_green {
        None => text!["ALARM(\"", blue, "\")"],
        Some(green) => text!["(ALARM(\"", blue, "\") OR ALARM(\"", green.alarm_name(), "\"))"],
    };
    let errors = || text!["(ALARM(\"", target_5xx.clone(), "\") OR ALARM(\"", elb_5xx.clone(), "\"))"];
    let down = Composite {
        notice: Notice {
            name: "service-down",
            instance: None,
            to: Topic::Page,
            means: "The service does not answer: no task is healthy, or tasks fail their checks and requests fail \
                    with them.",
            first: "if a deployment ran in the last hour, roll it back; if not, read the service's events and the log \
                    of its tasks.",
        },
        rule: text!["ALARM(\"", no_task, "\") OR (", unhealthy, " AND ", errors(), ")"],
        suppressed_by: None,
    }
    .add(stack, config, inputs.topics);
    let failing = Composite {
        notice: Notice {
            name: "service-failing",
            instance: None,
            to: Topic::Page,
            means: "The service answers, but too many of its answers are errors (alarms.error_percent).",
            first: "if a deployment ran in the last hour, roll it back; if not, run the saved query of the service's \
                    errors.",
        },
        rule: errors(),
        suppressed_by: Some(down.clone()),
    }
    .add(stack, config, inputs.topics);
    [down.arn(), failing.arn()]
}
