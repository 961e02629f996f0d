//! The secrets.

use crate::Var;

crate::closed_list! {
    /// A secret of the service, kept outside of the task definition and read when a task starts. Each is text of at least
    /// 32 characters that is drawn at random when the environment is made, so that none has to be thought up.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Secret {
        /// The bearer token that makes the first API keys. Read by people, once, and changed afterwards.
        AdminKey,
        /// What cursors and audit anchors are signed with.
        SigningKey,
    }
}

impl Secret {
    /// Characters of the value that is drawn: letters and digits, 381 bits.
    pub const LENGTH: u32 = 64;

    /// The last part of the secret's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdminKey => "admin-key",
            Self::SigningKey => "signing-key",
        }
    }

    /// The variable that the service reads it from.
    #[must_use]
    pub const fn var(self) -> Var {
        match self {
            Self::AdminKey => Var::AdminKey,
            Self::SigningKey => Var::SigningKey,
        }
    }

    /// What it is for.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::AdminKey => "The bearer token that makes the first API keys",
            Self::SigningKey => "What cursors and audit anchors are signed with",
        }
    }

    /// What happens to the service's users when it changes and the tasks are started anew.
    #[must_use]
    pub const fn on_rotation(self) -> &'static str {
        match self {
            Self::AdminKey => "The old token is refused; API keys that it made stay valid.",
            Self::SigningKey => {
                "Open cursors are refused with 400; anchors of before still count, without their signature."
            }
        }
    }
}
