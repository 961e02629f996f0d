//! How many tasks run: held by targets, and moved by the clock.

use aws::{
    AppautoscalingPolicy, AppautoscalingPolicyOptional, AppautoscalingScheduledAction,
    AppautoscalingScheduledActionOptional, AppautoscalingTarget, AppautoscalingTargetHandle,
    EcsServiceHandle, appautoscaling_policy as scaling, appautoscaling_scheduled_action as scheduled,
};
use terraform::kind::Text;
use terraform::{Expr, Meta, Stack, set, text};

use super::Place;
use crate::config::{Autoscaling, ScheduledAction, Service, Workload};

const NAMESPACE: &str = "ecs";
const DIMENSION: &str = "ecs:service:DesiredCount";

pub(super) fn build(stack: &mut Stack<'_>, place: &Place<'_>, service: &EcsServiceHandle) {
    let (workload, of) = (place.workload, place.workload.service);
    let mut meta = Meta::new();
    if !of.schedule.is_empty() {
        // A scheduled action moves both; the next apply would undo it.
        meta = meta.ignore(AppautoscalingTarget::MAX_CAPACITY).ignore(AppautoscalingTarget::MIN_CAPACITY);
    }
    let target = stack.add_with(
        workload.address("tasks"),
        meta,
        AppautoscalingTarget {
            max_capacity: set(of.counts.max),
            min_capacity: set(of.counts.min),
            resource_id: set(text!["service/", place.cluster.name(), "/", service.name()]),
            scalable_dimension: set(DIMENSION),
            service_namespace: set(NAMESPACE),
            optional: Default::default(),
        },
    );
    for tracked in Tracked::ALL.into_iter().filter(|tracked| tracked.possible(of)) {
        track(stack, place, &target, tracked);
    }
    for action in &of.schedule {
        schedule(stack, workload, &target, action);
    }
}

contract::closed_list! {
    /// What the autoscaler holds constant. Each policy adds tasks by itself; they take tasks away only all together.
    #[derive(Clone, Copy)]
    enum Tracked {
        Cpu,
        Memory,
        Requests,
    }
}

impl Tracked {
    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Requests => "requests",
        }
    }

    const fn metric(self) -> &'static str {
        match self {
            Self::Cpu => "ECSServiceAverageCPUUtilization",
            Self::Memory => "ECSServiceAverageMemoryUtilization",
            Self::Requests => "ALBRequestCountPerTarget",
        }
    }

    /// Requests are counted in one target group, and CodeDeploy moves them to another.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html>
    fn possible(self, service: &Service) -> bool {
        !(matches!(self, Self::Requests) && service.is_blue_green())
    }

    fn target(self, autoscaling: &Autoscaling) -> u32 {
        match self {
            Self::Cpu => autoscaling.cpu_percent.get(),
            Self::Memory => autoscaling.memory_percent.get(),
            Self::Requests => autoscaling.requests_per_target.get(),
        }
    }

    /// Requests are counted at the load balancer, which has to be told apart from others.
    fn resource_label(self, place: &Place<'_>) -> Option<Expr<Text>> {
        let alb = place.inputs.alb;
        match self {
            Self::Cpu | Self::Memory => None,
            Self::Requests => {
                let group = alb.target_groups.of(place.workload);
                Some(text![alb.load_balancer.arn_suffix(), "/", group.arn_suffix()])
            }
        }
    }
}

fn track(stack: &mut Stack<'_>, place: &Place<'_>, target: &AppautoscalingTargetHandle, tracked: Tracked) {
    let autoscaling = &place.workload.service.autoscaling;
    stack.add(
        place.workload.address(tracked.name()),
        AppautoscalingPolicy {
            name: set(tracked.name()),
            resource_id: set(target.resource_id()),
            scalable_dimension: set(target.scalable_dimension()),
            service_namespace: set(target.service_namespace()),
            optional: AppautoscalingPolicyOptional {
                policy_type: set("TargetTrackingScaling"),
                target_tracking_scaling_policy_configuration: set(
                    scaling::TargetTrackingScalingPolicyConfiguration {
                        target_value: set(tracked.target(autoscaling)),
                        optional: scaling::TargetTrackingScalingPolicyConfigurationOptional {
                            predefined_metric_specification: set(scaling::PredefinedMetricSpecification {
                                predefined_metric_type: set(tracked.metric()),
                                optional: scaling::PredefinedMetricSpecificationOptional {
                                    resource_label: tracked.resource_label(place),
                                },
                            }),
                            scale_in_cooldown: set(autoscaling.scale_in_cooldown_seconds.get()),
                            scale_out_cooldown: set(autoscaling.scale_out_cooldown_seconds.get()),
                            ..Default::default()
                        },
                    },
                ),
                ..Default::default()
            },
        },
    );
}

fn schedule(
    stack: &mut Stack<'_>,
    workload: Workload<'_>,
    target: &AppautoscalingTargetHandle,
    action: &ScheduledAction,
) {
    stack.add(
        workload.address(&action.name.as_str().replace('-', "_")),
        AppautoscalingScheduledAction {
            name: set(action.name.to_string()),
            resource_id: set(target.resource_id()),
            scalable_dimension: set(target.scalable_dimension()),
            service_namespace: set(target.service_namespace()),
            schedule: set(action.cron.expression()),
            scalable_target_action: scheduled::ScalableTargetAction {
                max_capacity: set(action.max.to_string()),
                min_capacity: set(action.min.to_string()),
            },
            optional: AppautoscalingScheduledActionOptional {
                timezone: set(action.timezone.to_string()),
                ..Default::default()
            },
        },
    );
}
