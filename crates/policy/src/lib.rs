//! What IAM makes of policies: whether a request is allowed, denied, or cannot be told.
//!
//! ```
//! use iam_policy::{Caller, Context, Decision, Policies, Policy, Request, Text};
//!
//! let document = serde_json::json!({"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::files/*"}});
//! let identity = [Policy::read(&document, &Text::from)?];
//! let caller = Caller::role("arn:aws:iam::111122223333:role/reader");
//! let request = Request::new(caller, "s3:GetObject", "arn:aws:s3:::files/a.csv", Context::default());
//! assert_eq!(Policies { identity: &identity, ..Policies::default() }.decide(&request), Decision::Allow);
//! # Ok::<(), iam_policy::Fault>(())
//! ```
//!
//! Whatever is not known stays so: a reference that Terraform has yet to resolve, a condition key that the test cannot know.
//! Where the outcome hangs on it, the answer is [`Decision::CannotTell`], never a false `Allow`.
//!
//! Left out, since no generated policy has them: service and resource control policies, session policies, and access control
//! lists. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

mod catalog;
mod condition;
mod document;
mod evaluate;
mod request;
mod text;
mod truth;

pub use catalog::{Action, Catalog, Service};
pub use document::{Effect, Fault, Policy, Statement};
pub use evaluate::{Decision, Policies};
pub use request::{Caller, Context, Given, Request};
pub use text::Text;
pub use truth::Truth;
