//! Alarms on metrics, and on expressions over several.

use aws::document::dashboard::Series;
use aws::kind::SnsTopicArn;
use aws::{
    CloudwatchCompositeAlarm, CloudwatchCompositeAlarmHandle, CloudwatchCompositeAlarmOptional,
    CloudwatchMetricAlarm, CloudwatchMetricAlarmHandle, CloudwatchMetricAlarmOptional,
    cloudwatch_composite_alarm as composite, cloudwatch_metric_alarm as metric_alarm,
};
use terraform::kind::Text;
use terraform::{Expr, Meta, Number, Stack, set};

use crate::alarm::{Notice, Topics};
use crate::config::EnvConfig;

/// A metric with its dimensions and how its values are summed up.
#[derive(Clone)]
pub struct Metric {
    /// `AWS/ApplicationELB`
    pub namespace: String,
    /// `RequestCount`
    pub name: &'static str,
    /// Which of them.
    pub dimensions: Vec<(&'static str, Expr<Text>)>,
    /// `Sum`, `Average`, `Maximum`, `Minimum` or a percentile such as `p99`.
    pub statistic: &'static str,
}

impl Metric {
    /// The metric in a widget of a dashboard.
    #[must_use]
    pub fn series(&self) -> Series {
        Series::metric(self.namespace.clone(), self.name, self.dimensions.clone()).statistic(self.statistic)
    }
}

/// What is watched.
pub enum Measure {
    /// One metric.
    Of(Metric),
    /// An expression over metrics, by their ids in it.
    Math(&'static str, Vec<(&'static str, Metric)>),
}

/// From where on a value is bad.
#[derive(Clone, Copy)]
pub enum Bad {
    /// This value and above.
    AtLeast(Number),
    /// Above this value.
    Above(Number),
    /// Below this value.
    Below(Number),
}

/// What a period without a value means.
#[derive(Clone, Copy)]
pub enum Missing {
    /// That all is well: there is a value only if there is something to count.
    Fine,
    /// That something is wrong: there always is a value.
    Bad,
    /// Nothing: the alarm stays as it is.
    Unknown,
}

/// An alarm.
pub struct Alarm {
    /// What it says.
    pub notice: Notice,
    /// What is watched.
    pub measure: Measure,
    /// From where on a value is bad.
    pub bad: Bad,
    /// Seconds that a value sums up.
    pub period_seconds: u32,
    /// How many of the latest values must be bad, of how many.
    pub of: (u8, u8),
    /// What a period without a value means.
    pub missing: Missing,
}

impl Alarm {
    /// Adds the alarm. It tells its topic when it goes off, and when it is over.
    pub fn add(
        self,
        stack: &mut Stack<'_>,
        config: &EnvConfig,
        topics: &Topics,
    ) -> CloudwatchMetricAlarmHandle {
        let topic = topics.arn(self.notice.topic());
        self.add_to(stack, config, topic, Meta::new())
    }

    /// Adds the alarm where `meta` says, to tell a topic of that region.
    pub fn add_to(
        self,
        stack: &mut Stack<'_>,
        config: &EnvConfig,
        topic: Expr<SnsTopicArn>,
        meta: Meta<CloudwatchMetricAlarm>,
    ) -> CloudwatchMetricAlarmHandle {
        let (notice, period) = (self.notice, self.period_seconds);
        let (operator, threshold) = match self.bad {
            Bad::AtLeast(value) => ("GreaterThanOrEqualToThreshold", value),
            Bad::Above(value) => ("GreaterThanThreshold", value),
            Bad::Below(value) => ("LessThanThreshold", value),
        };
        let mut optional = CloudwatchMetricAlarmOptional {
            actions_enabled: set(notice.silenced(config).is_none()),
            alarm_actions: set([topic.clone()]),
            alarm_description: set(notice.description(config)),
            datapoints_to_alarm: set(self.of.0),
            ok_actions: set([topic]),
            threshold: set(threshold),
            treat_missing_data: set(match self.missing {
                Missing::Fine => "notBreaching",
                Missing::Bad => "breaching",
                Missing::Unknown => "ignore",
            }),
            ..Default::default()
        };
        match self.measure {
            Measure::Of(metric) => {
                if metric.statistic.starts_with('p') {
                    optional.extended_statistic = set(metric.statistic);
                    // A percentile of a few values is one of them.
                    optional.evaluate_low_sample_count_percentiles = set("ignore");
                } else {
                    optional.statistic = set(metric.statistic);
                }
                optional.dimensions = (!metric.dimensions.is_empty()).then(|| set(metric.dimensions));
                optional.metric_name = set(metric.name);
                optional.namespace = set(metric.namespace);
                optional.period = set(period);
            }
            Measure::Math(expression, metrics) => {
                optional.metric_query = queries(expression, metrics, period);
            }
        }
        stack.add_with(
            notice.identifier(),
            meta,
            CloudwatchMetricAlarm {
                alarm_name: set(config.names.of(&notice.full_name())),
                comparison_operator: set(operator),
                evaluation_periods: set(self.of.1),
                optional,
            },
        )
    }
}

fn queries(
    expression: &'static str,
    metrics: Vec<(&'static str, Metric)>,
    period: u32,
) -> Vec<metric_alarm::MetricQuery> {
    let result = metric_alarm::MetricQuery {
        id: set("result"),
        optional: metric_alarm::MetricQueryOptional {
            expression: set(expression),
            label: set(expression),
            return_data: set(true),
            ..Default::default()
        },
    };
    let metric = |(id, metric): (&'static str, Metric)| metric_alarm::MetricQuery {
        id: set(id),
        optional: metric_alarm::MetricQueryOptional {
            metric: set(metric_alarm::Metric {
                metric_name: set(metric.name),
                period: set(period),
                stat: set(metric.statistic),
                optional: metric_alarm::MetricOptional {
                    dimensions: set(metric.dimensions),
                    namespace: set(metric.namespace),
                    ..Default::default()
                },
            }),
            return_data: set(false),
            ..Default::default()
        },
    };
    std::iter::once(result).chain(metrics.into_iter().map(metric)).collect()
}

/// An alarm on the states of others.
pub struct Composite {
    /// What it says.
    pub notice: Notice,
    /// The expression over the others' states.
    pub rule: Expr<Text>,
    /// The alarm that says it all already: while it is on, this one is silent.
    pub suppressed_by: Option<CloudwatchCompositeAlarmHandle>,
}

impl Composite {
    /// Adds the alarm.
    pub fn add(
        self,
        stack: &mut Stack<'_>,
        config: &EnvConfig,
        topics: &Topics,
    ) -> CloudwatchCompositeAlarmHandle {
        let notice = self.notice;
        let suppressor = self.suppressed_by.map(|alarm| composite::ActionsSuppressor {
            alarm: set(alarm.alarm_name()),
            // The two see the same values, the one a little later than the other at times.
            extension_period: set(120),
            wait_period: set(120),
        });
        stack.add(
            notice.identifier(),
            CloudwatchCompositeAlarm {
                alarm_name: set(config.names.of(&notice.full_name())),
                alarm_rule: self.rule,
                optional: CloudwatchCompositeAlarmOptional {
                    actions_enabled: set(notice.silenced(config).is_none()),
                    actions_suppressor: suppressor,
                    alarm_actions: set([topics.arn(notice.topic())]),
                    alarm_description: set(notice.description(config)),
                    ok_actions: set([topics.arn(notice.topic())]),
                    ..Default::default()
                },
            },
        )
    }
}
