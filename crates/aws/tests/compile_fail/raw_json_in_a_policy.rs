//~ E0277: `&str` cannot stand for a `IdentityPolicy`
use terraform::{Expr, Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let role = Expr::external("r");
    stack.add("main", aws::IamRolePolicy { policy: set("{}"), role, optional: Default::default() });
}
