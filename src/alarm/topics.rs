//! Where alarms are published.

use aws::SnsTopicHandle;
use aws::kind::SnsTopicArn;
use terraform::Expr;

use crate::names::Topic;

/// The topics.
pub struct Topics {
    /// What cannot wait until the morning.
    pub page: SnsTopicHandle,
    /// What can.
    pub notify: SnsTopicHandle,
    /// What cannot wait and is measured in Route 53's own region: an alarm tells only a topic of its region.
    pub zone: Option<SnsTopicHandle>,
}

impl Topics {
    /// The topic's ARN.
    #[must_use]
    pub fn arn(&self, topic: Topic) -> Expr<SnsTopicArn> {
        match topic {
            Topic::Page => self.page.arn(),
            Topic::Notify => self.notify.arn(),
        }
    }
}
