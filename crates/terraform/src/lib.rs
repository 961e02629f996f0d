//! Terraform's language as data.
//!
//! A [`Module`] is one root module. It is filled through its [`Stack`]s, each of which becomes one
//! `<stack>.tf.json` file: [`Stack::add`] takes a typed block and hands back a handle whose attributes
//! are typed references ([`Expr`]) for other blocks to use. [`Module::finish`] checks the whole and
//! yields a [`Root`]: the nodes, the edges that their references form, and [`Root::render`].
//!
//! [`query::View`] looks at a module from the outside, whether it is in memory, in files, in a plan or in a state.
//!
//! Invariants:
//! - This crate knows nothing of any provider. Typed blocks implement [`Block`] and [`Resource`] elsewhere.
//! - Only this crate knows how Terraform JSON is spelled. Every literal leaf is escaped, so that no text
//!   turns into a template; where Terraform takes text literally, template characters are refused.
//! - Rendering is deterministic and its cost is linear in the size of the output.
//! - A value that must not reach the state ([`kind::Sensitive`], [`kind::Ephemeral`]) cannot be written down.

mod address;
mod block;
mod error;
mod expr;
mod expression;
mod meta;
mod module;
pub mod query;
mod render;
mod root;
mod settings;
mod value;

pub use address::{Address, Addressed, Mode};
pub use block::{Attribute, Block, Body, Elements, NonEmpty, Object, ProviderConfig, Resource};
pub use error::{Error, Errors};
pub use expr::{Accepts, Assign, DocumentKind, Expr, Identifier, IntoExpr, TextPart, concat, kind, set};
pub use expression::{Expression, Operator, Reference, Step, Subject};
pub use meta::{Condition, Meta, Replace};
pub use module::{Module, ProviderRef, Stack};
pub use root::{Edge, Node, Root};
pub use settings::{
    Check, Import, Locking, Moved, Output, Removed, RequiredProvider, S3Backend, Settings, Variable,
};
pub use value::{Document, Key, Number, Value};
