//! Meta-arguments: what Terraform itself takes on any resource.

use crate::{Address, Addressed, Attribute, Expr, ProviderRef, Resource, kind::Bool};

/// The meta-arguments of a block of type `R`.
///
/// ```text
/// stack.add_with("api", Meta::new().depends_on(&listener).ignore(aws::EcsService::DESIRED_COUNT), …)
/// ```
pub struct Meta<R> {
    pub(crate) depends_on: Vec<Address>,
    pub(crate) ignore_changes: Vec<Attribute<R>>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) provider: Option<ProviderRef>,
}

/// The parts of `lifecycle` that do not depend on the type of the block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle {
    pub(crate) create_before_destroy: bool,
    pub(crate) prevent_destroy: bool,
    pub(crate) replace_triggered_by: Vec<Replace>,
    pub(crate) preconditions: Vec<Condition>,
    pub(crate) postconditions: Vec<Condition>,
}

/// What replaces a block when it changes: a whole block, or one attribute of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Replace {
    pub(crate) address: Address,
    pub(crate) attribute: Option<&'static str>,
}

/// A condition that must hold, and what to say if it does not.
#[derive(Clone, Debug)]
pub struct Condition {
    /// What must be true.
    pub condition: Expr<Bool>,
    /// What a user reads otherwise; a sentence.
    pub error_message: String,
}

impl<R: Resource> Meta<R> {
    /// No meta-arguments.
    pub fn new() -> Self {
        Self {
            depends_on: Vec::new(),
            ignore_changes: Vec::new(),
            lifecycle: Lifecycle::default(),
            provider: None,
        }
    }

    /// Waits for `other` although no argument refers to it.
    #[must_use]
    pub fn depends_on(mut self, other: &impl Addressed) -> Self {
        self.depends_on.push(other.address().clone());
        self
    }

    /// Leaves later changes of `attribute` to its other owner.
    #[must_use]
    pub fn ignore(mut self, attribute: Attribute<R>) -> Self {
        self.ignore_changes.push(attribute);
        self
    }

    /// Makes the new one before the old one is destroyed.
    #[must_use]
    pub fn create_before_destroy(mut self) -> Self {
        self.lifecycle.create_before_destroy = true;
        self
    }

    /// Fails any plan that would destroy it, if `protected`.
    #[must_use]
    pub fn prevent_destroy(mut self, protected: bool) -> Self {
        self.lifecycle.prevent_destroy = protected;
        self
    }

    /// Replaces this block whenever `other` is replaced or changed.
    #[must_use]
    pub fn replace_with(mut self, other: &impl Addressed) -> Self {
        self.lifecycle
            .replace_triggered_by
            .push(Replace { address: other.address().clone(), attribute: None });
        self
    }

    /// Checked before the block is created or changed.
    #[must_use]
    pub fn precondition(mut self, condition: Expr<Bool>, error_message: impl Into<String>) -> Self {
        self.lifecycle.preconditions.push(Condition { condition, error_message: error_message.into() });
        self
    }

    /// Checked after the block is created, changed or read.
    #[must_use]
    pub fn postcondition(mut self, condition: Expr<Bool>, error_message: impl Into<String>) -> Self {
        self.lifecycle.postconditions.push(Condition { condition, error_message: error_message.into() });
        self
    }

    /// Uses another configuration of the provider than the default one.
    #[must_use]
    pub fn provider(mut self, provider: &ProviderRef) -> Self {
        self.provider = Some(provider.clone());
        self
    }
}

impl<R: Resource> Default for Meta<R> {
    fn default() -> Self {
        Self::new()
    }
}
