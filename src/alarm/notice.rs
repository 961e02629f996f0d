//! What an alarm says to whoever it wakes.

use crate::alarm::Entry;
use crate::config::{EnvConfig, RuleReason};
use crate::names::Topic;

/// An alarm or a rule of an environment: one of the table, and which of its kind.
pub struct Notice {
    entry: &'static Entry,
    instance: Option<String>,
    to: Topic,
}

impl Notice {
    /// The only one of its kind.
    #[must_use]
    pub fn of(entry: &'static Entry) -> Self {
        Self::each(entry, None)
    }

    /// One of several of its kind, where there is one for each gateway or log group.
    #[must_use]
    pub fn each(entry: &'static Entry, instance: Option<String>) -> Self {
        Self { entry, instance, to: entry.to }
    }

    /// The same for other people.
    #[must_use]
    pub fn to(self, to: Topic) -> Self {
        Self { to, ..self }
    }

    /// Whom it tells.
    #[must_use]
    pub fn topic(&self) -> Topic {
        self.to
    }

    /// The name with the instance: `nat-drops-a`.
    #[must_use]
    pub fn full_name(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}-{instance}", self.entry.name),
            None => self.entry.name.to_owned(),
        }
    }

    /// The name in Terraform's addresses.
    #[must_use]
    pub fn identifier(&self) -> String {
        self.full_name().replace('-', "_")
    }

    /// Why it tells nobody, if it does not.
    #[must_use]
    pub fn silenced<'c>(&self, config: &'c EnvConfig) -> Option<&'c RuleReason> {
        let name = self.full_name();
        let silence = config.alarms.silenced.iter().find(|silence| silence.alarm.as_str() == name);
        silence.map(|silence| &silence.reason)
    }

    /// What is the case, what to do first, and where to read on: an alarm's description, 1024 characters at most, and
    /// a rule's message.
    #[must_use]
    pub fn description(&self, config: &EnvConfig) -> String {
        let runbook = config.alarms.runbook_url.as_ref().map_or(DOCUMENT, |url| url.as_str());
        let mut text = self.text(runbook);
        if let Some(reason) = self.silenced(config) {
            text.push_str(&format!(" Silenced: {reason}"));
        }
        text
    }

    /// The same in the 512 characters that a rule's description may have: a rule that tells nobody says why instead of
    /// what to do.
    #[must_use]
    pub fn rule_description(&self, config: &EnvConfig) -> String {
        match self.silenced(config) {
            Some(reason) => format!("{} Silenced: {reason}", self.entry.means),
            None => self.text(DOCUMENT),
        }
    }

    fn text(&self, runbook: &str) -> String {
        let Entry { name, means, first, .. } = self.entry;
        format!("{means} First: {first} Runbook: {runbook}#{name}")
    }
}

/// The list of every alarm, in this repository.
const DOCUMENT: &str = "docs/alarms.md";
