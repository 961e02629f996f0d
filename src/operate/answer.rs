//! What AWS answers, as far as it is read; and texts of AWS's as a terminal may get them.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use time::OffsetDateTime;

/// Of `ecs describe-services`.
#[derive(Debug, Default, Deserialize)]
pub struct Services {
    /// Those that there are.
    pub services: Vec<Service>,
}

/// A service of ECS.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its name.
    pub service_name: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// How many tasks it should have.
    pub desired_count: u32,
    /// How many run.
    pub running_count: u32,
    /// How many start.
    pub pending_count: u32,
    /// Those of ECS itself.
    #[serde(default)]
    pub deployments: Vec<Deployment>,
    /// Those of CodeDeploy.
    #[serde(default)]
    pub task_sets: Vec<TaskSet>,
}

/// A deployment of ECS.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// The revision that it brings.
    pub task_definition: String,
    /// How many tasks it should have.
    pub desired_count: u32,
    /// How many run.
    pub running_count: u32,
    /// How many start.
    pub pending_count: u32,
    /// How many did not start.
    #[serde(default)]
    pub failed_tasks: u32,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub rollout_state: Option<String>,
    /// Why.
    pub rollout_state_reason: Option<String>,
}

/// A task set: what CodeDeploy makes of a deployment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskSet {
    /// Its id.
    pub id: String,
    /// `PRIMARY`, `ACTIVE` or `DRAINING`.
    pub status: String,
    /// The revision that it brings.
    pub task_definition: String,
    /// How many tasks it should have.
    pub computed_desired_count: u32,
    /// How many run.
    pub running_count: u32,
    /// How many start.
    pub pending_count: u32,
    /// `STEADY_STATE` or `STABILIZING`.
    pub stability_status: Option<String>,
}

/// Of `ecs list-tasks`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskArns {
    /// Their ARNs.
    pub task_arns: Vec<String>,
}

/// Of `ecs describe-tasks`.
#[derive(Debug, Default, Deserialize)]
pub struct Tasks {
    /// Those that there are.
    pub tasks: Vec<Task>,
}

/// A task of ECS.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Its ARN.
    pub task_arn: String,
    /// `RUNNING`, once it does.
    pub last_status: String,
    /// Its containers.
    #[serde(default)]
    pub containers: Vec<Container>,
}

/// A container of a task.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name.
    pub name: String,
    /// What the task definition names.
    pub image: Option<String>,
    /// What was pulled.
    pub image_digest: Option<String>,
}

/// Of `ecr describe-images`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// Those that there are.
    pub image_details: Vec<Image>,
}

/// An image in a repository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Its digest.
    pub image_digest: String,
    /// Its tags.
    #[serde(default)]
    pub image_tags: Vec<String>,
}

/// Of `cloudwatch describe-alarms`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Alarms {
    /// On metrics.
    #[serde(default)]
    pub metric_alarms: Vec<Alarm>,
    /// On other alarms.
    #[serde(default)]
    pub composite_alarms: Vec<Alarm>,
}

/// An alarm.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Alarm {
    /// Its name.
    pub alarm_name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state_value: String,
    /// Why.
    pub state_reason: Option<String>,
    /// Since when.
    #[serde(default, deserialize_with = "moment")]
    pub state_updated_timestamp: Option<String>,
}

/// Of `logs filter-log-events`.
#[derive(Debug, Default, Deserialize)]
pub struct Events {
    /// In the order of their times.
    pub events: Vec<Event>,
    /// Where the next call goes on, if there are more.
    #[serde(rename = "NextToken")]
    pub next_token: Option<String>,
}

/// A line of a log.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// No other has it.
    pub event_id: String,
    /// Its stream; the last part is the task's id.
    pub log_stream_name: String,
    /// Milliseconds since 1970, in UTC.
    pub timestamp: i64,
    /// What was written.
    pub message: String,
}

/// Milliseconds since 1970 as RFC 3339 writes a time in UTC.
#[must_use]
pub fn time(milliseconds: i64) -> String {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    let Ok(time) = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds) else {
        return milliseconds.to_string();
    };
    let (hour, minute, second, thousandth) = time.to_hms_milli();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{thousandth:03}Z")
}

/// A time as the AWS CLI prints it: in seconds since 1970 in its first line of releases, as RFC 3339 in the second.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(seconds)) => Ok(seconds.as_f64().map(|seconds| time((seconds * 1000.0) as i64))),
        Some(_) => Err(serde::de::Error::custom("a time is a number or a text")),
    }
}

/// A text as a terminal may get it: control characters, and those that turn the direction of what follows, are replaced. They
/// could move the cursor, hide a line or write into the title.
#[must_use]
pub fn shown(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if (c.is_control() && c != '\t') || turns(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_lines_of_the_aws_cli_are_read() {
        for (said, since) in [
            ("1764555600.123", Some("2025-12-01T02:20:00.123Z")),
            ("\"2025-12-01T02:20:00.123000+00:00\"", Some("2025-12-01T02:20:00.123000+00:00")),
            ("null", None),
        ] {
            let text =
                format!("{{\"AlarmName\":\"a\",\"StateValue\":\"OK\",\"StateUpdatedTimestamp\":{said}}}");
            let alarm: Alarm = serde_json::from_str(&text).expect("an alarm");
            assert_eq!(alarm.state_updated_timestamp.as_deref(), since);
        }
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_shown() {
        for (text, said) in [
            ("caf\u{e9} \u{1f600}\tend", "caf\u{e9} \u{1f600}\tend"),
            ("\u{1b}[2J\u{1b}]0;title\u{7}", "\u{fffd}[2J\u{fffd}]0;title\u{fffd}"),
            ("a\nb\rc\u{9b}1m\u{7f}", "a\u{fffd}b\u{fffd}c\u{fffd}1m\u{fffd}"),
            ("\u{202e}drow\u{2066}", "\u{fffd}drow\u{fffd}"),
        ] {
            assert_eq!(shown(text), said);
        }
    }
}
