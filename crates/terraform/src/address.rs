//! Addresses of resources, data sources and ephemeral resources.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What kind of block a type names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `data`: read, never changed.
    Data,
    /// `ephemeral`: opened for one run, never stored.
    Ephemeral,
    /// `resource`: created, changed and destroyed.
    Managed,
}

impl Mode {
    /// The top-level key under which Terraform JSON keeps such blocks.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Ephemeral => "ephemeral",
            Self::Managed => "resource",
        }
    }
}

/// The address of a block in its module, such as `aws_vpc.main` or `data.aws_route53_zone.public`.
///
/// Only [`Stack::add`](crate::Stack::add) makes one, so an address names a block that exists.
#[derive(Clone)]
pub struct Address(Arc<Inner>);

struct Inner {
    mode: Mode,
    kind: &'static str,
    name: Box<str>,
    index: usize,
}

impl Address {
    pub(crate) fn new(mode: Mode, kind: &'static str, name: &str, index: usize) -> Self {
        Self(Arc::new(Inner { mode, kind, name: name.into(), index }))
    }

    /// Resource, data source or ephemeral resource.
    pub fn mode(&self) -> Mode {
        self.0.mode
    }

    /// The type, such as `aws_vpc`.
    pub fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// The local name, such as `main`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The position of the block among the nodes of its module.
    pub fn index(&self) -> usize {
        self.0.index
    }

    /// Whether both are the address of the very same block, not merely spelled alike.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn parts(&self) -> (Mode, &'static str, &str) {
        (self.0.mode, self.0.kind, &self.0.name)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.mode {
            Mode::Managed => {}
            mode => write!(f, "{}.", mode.keyword())?,
        }
        write!(f, "{}.{}", self.0.kind, self.0.name)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// Something that stands at an address: the handle of a block.
pub trait Addressed {
    /// Where it stands.
    fn address(&self) -> &Address;
}

impl Addressed for Address {
    fn address(&self) -> &Address {
        self
    }
}
