//! What the load balancer measures of a service: in its target group, or in the two that CodeDeploy moves the traffic
//! between.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>

use aws::LbTargetGroupHandle;

use super::Outputs;
use crate::alarm::{Measure, Metric};
use crate::config::{EnvConfig, Workload};

/// A service's targets.
pub struct Targets<'a> {
    alb: &'a Outputs,
    /// The first target group, and the only one unless CodeDeploy deploys.
    pub blue: &'a LbTargetGroupHandle,
    /// The second.
    pub green: Option<&'a LbTargetGroupHandle>,
    /// Whether the load balancer has no other targets than these.
    alone: bool,
}

/// What stands for all targets of a service.
enum Groups<'a> {
    One(Option<&'a LbTargetGroupHandle>),
    Two(&'a LbTargetGroupHandle, &'a LbTargetGroupHandle),
}

impl<'a> Targets<'a> {
    /// Those of a service.
    #[must_use]
    pub fn of(config: &EnvConfig, alb: &'a Outputs, workload: Workload<'_>) -> Self {
        let second = alb.blue_green.as_ref().filter(|_| workload.further.is_none());
        Self {
            alb,
            blue: alb.target_groups.of(workload),
            green: second.map(|both| &both.green),
            alone: config.services.is_empty(),
        }
    }

    /// A metric of the whole load balancer.
    #[must_use]
    pub fn of_load_balancer(&self, name: &'static str, statistic: &'static str) -> Metric {
        self.metric(None, name, statistic)
    }

    /// A metric of one target group.
    #[must_use]
    pub fn of_group(
        &self,
        group: &LbTargetGroupHandle,
        name: &'static str,
        statistic: &'static str,
    ) -> Metric {
        self.metric(Some(group), name, statistic)
    }

    fn metric(
        &self,
        group: Option<&LbTargetGroupHandle>,
        name: &'static str,
        statistic: &'static str,
    ) -> Metric {
        let mut dimensions = vec![("LoadBalancer", self.alb.load_balancer.arn_suffix())];
        dimensions.extend(group.map(|group| ("TargetGroup", group.arn_suffix())));
        Metric { namespace: "AWS/ApplicationELB".into(), name, dimensions, statistic }
    }

    /// Answers count whichever of two target groups they come from.
    fn groups(&self) -> Groups<'a> {
        match self.green {
            None => Groups::One(Some(self.blue)),
            Some(_) if self.alone => Groups::One(None),
            Some(green) => Groups::Two(self.blue, green),
        }
    }

    /// A sum over all targets.
    #[must_use]
    pub fn sum(&self, name: &'static str) -> Measure {
        match self.groups() {
            Groups::One(group) => Measure::Of(self.metric(group, name, "Sum")),
            Groups::Two(blue, green) => Measure::Math(
                "FILL(blue, 0) + FILL(green, 0)",
                vec![
                    ("blue", self.of_group(blue, name, "Sum")),
                    ("green", self.of_group(green, name, "Sum")),
                ],
            ),
        }
    }

    /// The time within which all but the slowest hundredth of the answers came.
    #[must_use]
    pub fn latency(&self) -> Measure {
        let of = |group| self.metric(group, "TargetResponseTime", "p99");
        match self.groups() {
            Groups::One(group) => Measure::Of(of(group)),
            // A percentile of both cannot be told from those of each; one of the two has next to no traffic.
            Groups::Two(blue, green) => Measure::Math(
                "MAX([FILL(blue, 0), FILL(green, 0)])",
                vec![("blue", of(Some(blue))), ("green", of(Some(green)))],
            ),
        }
    }

    /// How many targets pass the checks.
    #[must_use]
    pub fn healthy(&self) -> Measure {
        let of = |group| self.of_group(group, "HealthyHostCount", "Maximum");
        match self.green {
            None => Measure::Of(of(self.blue)),
            Some(green) => Measure::Math(
                "FILL(blue, 0) + FILL(green, 0)",
                vec![("blue", of(self.blue)), ("green", of(green))],
            ),
        }
    }

    /// The percentage of answers that are errors. Of a few requests one error is no sign.
    #[must_use]
    pub fn share_of_errors(&self) -> Measure {
        let errors = |group| self.metric(group, "HTTPCode_Target_5XX_Count", "Sum");
        let requests = |group| self.metric(group, "RequestCount", "Sum");
        match self.groups() {
            Groups::One(group) => Measure::Math(
                "IF(requests >= 20, 100 * FILL(errors, 0) / requests, 0)",
                vec![("errors", errors(group)), ("requests", requests(group))],
            ),
            Groups::Two(blue, green) => Measure::Math(
                "IF(FILL(blue, 0) + FILL(green, 0) >= 20, 100 * (FILL(blue_errors, 0) + FILL(green_errors, 0)) / (FILL(blue, 0) + FILL(green, 0)), 0)",
                vec![
                    ("blue", requests(Some(blue))),
                    ("green", requests(Some(green))),
                    ("blue_errors", errors(Some(blue))),
                    ("green_errors", errors(Some(green))),
                ],
            ),
        }
    }

    /// 1 where many requests are answered and there are no events.
    #[must_use]
    pub fn silence(&self, events: Metric) -> Measure {
        let requests = |group| self.metric(group, "RequestCount", "Sum");
        let one = |group| {
            Measure::Math(
                "IF(FILL(requests, 0) > 100 AND FILL(events, 0) < 1, 1, 0)",
                vec![("requests", requests(group)), ("events", events.clone())],
            )
        };
        match self.groups() {
            _ if self.alone => one(None),
            Groups::One(group) => one(group),
            Groups::Two(blue, green) => Measure::Math(
                "IF(FILL(blue, 0) + FILL(green, 0) > 100 AND FILL(events, 0) < 1, 1, 0)",
                vec![
                    ("blue", requests(Some(blue))),
                    ("green", requests(Some(green))),
                    ("events", events.clone()),
                ],
            ),
        }
    }
}
