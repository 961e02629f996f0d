//! What an alarm says to whoever it wakes.

use terraform::{Node, Root, Value};

use crate::config::{EnvConfig, RuleReason};
use crate::names::{Topic, alarm_topic};

/// What every alarm and every rule says of itself.
pub struct Notice {
    /// Its name, and its anchor in the runbook: `tls-errors`.
    pub name: &'static str,
    /// Which of several of its kind, where there is one for each gateway or log group.
    pub instance: Option<String>,
    /// How soon somebody should look.
    pub to: Topic,
    /// What is the case.
    pub means: &'static str,
    /// What to do first.
    pub first: &'static str,
}

impl Notice {
    /// The name with the instance: `nat-drops-a`.
    pub fn full_name(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}-{instance}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The name in Terraform's addresses.
    pub fn identifier(&self) -> String {
        self.full_name().replace('-', "_")
    }

    /// Why it tells nobody, if it does not.
    pub fn silenced<'c>(&self, config: &'c EnvConfig) -> Option<&'c RuleReason> {
        let name = self.full_name();
        let silence = config.alarms.silenced.iter().find(|silence| silence.alarm.as_str() == name);
        silence.map(|silence| &silence.reason)
    }

    /// What is the case, what to do first, and where to read on: an alarm's description, 1024 characters at most, and
    /// a rule's message.
    pub fn description(&self, config: &EnvConfig) -> String {
        let runbook = config.alarms.runbook_url.as_ref().map_or(DOCUMENT, |url| url.as_str());
        let mut text = format!("{}{FIRST}{}{RUNBOOK}{runbook}#{}", self.means, self.first, self.name);
        if let Some(reason) = self.silenced(config) {
            text.push_str(&format!(" Silenced: {reason}"));
        }
        text
    }

    /// The same in the 512 characters that a rule's description may have: a rule that tells nobody says why instead of
    /// what to do.
    pub fn rule_description(&self, config: &EnvConfig) -> String {
        match self.silenced(config) {
            Some(reason) => format!("{} Silenced: {reason}", self.means),
            None => format!("{}{FIRST}{}{RUNBOOK}{DOCUMENT}#{}", self.means, self.first, self.name),
        }
    }
}

/// The list of every alarm, in this repository.
const DOCUMENT: &str = "docs/alarms.md";
const FIRST: &str = " First: ";
const RUNBOOK: &str = " Runbook: ";

/// A row of the list of alarms, read back from what is built.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The anchor in the runbook.
    pub anchor: String,
    /// The whole name, without the environment's prefix.
    pub name: String,
    /// How soon somebody should look.
    pub topic: Topic,
    /// What is the case.
    pub means: String,
    /// What to do first.
    pub first: String,
}

/// What an environment can tell, in the order in which it is built.
#[must_use]
pub fn rows(root: &Root, config: &EnvConfig) -> Vec<Row> {
    root.nodes().iter().filter_map(|node| row(root, node, config)).collect()
}

fn row(root: &Root, node: &Node, config: &EnvConfig) -> Option<Row> {
    let text = |argument: &str| node.argument(argument).and_then(Value::as_str);
    let (name, description) = match node.address().kind() {
        "aws_cloudwatch_metric_alarm" | "aws_cloudwatch_composite_alarm" => {
            (text("alarm_name")?, text("alarm_description")?)
        }
        "aws_cloudwatch_event_rule" => (text("name")?, text("description")?),
        _ => return None,
    };
    let name = name.strip_prefix(config.names.prefix())?.strip_prefix('-')?;
    let (means, rest) = description.split_once(FIRST).unwrap_or((description, ""));
    let (first, runbook) = rest.split_once(RUNBOOK).unwrap_or((rest, ""));
    let anchor =
        runbook.split_once('#').map_or(name, |(_, anchor)| anchor.split(' ').next().unwrap_or(anchor));
    let topic = Topic::ALL.into_iter().find(|topic| tells(root, node, *topic))?;
    Some(Row {
        anchor: anchor.to_owned(),
        name: name.to_owned(),
        topic,
        means: means.to_owned(),
        first: first.to_owned(),
    })
}

/// Whether an alarm acts on the topic, or a target of the rule leads to it.
fn tells(root: &Root, node: &Node, topic: Topic) -> bool {
    let refers = |node: &Node, argument: &str, kind: &str, name: &str| {
        node.edges().iter().any(|edge| {
            let to = root.nodes()[edge.to].address();
            edge.argument.as_deref() == Some(argument) && to.kind() == kind && to.name() == name
        })
    };
    let leads = |node: &Node, argument: &str| {
        let of_topic = |name| refers(node, argument, "aws_sns_topic", name);
        of_topic(topic.as_str()) || (topic == Topic::Page && of_topic(alarm_topic::ABROAD))
    };
    let (kind, name) = (node.address().kind(), node.address().name());
    let is_target = |target: &&Node| target.address().kind() == "aws_cloudwatch_event_target";
    leads(node, "alarm_actions")
        || root
            .nodes()
            .iter()
            .filter(is_target)
            .any(|target| refers(target, "rule", kind, name) && leads(target, "arn"))
}
