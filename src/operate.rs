//! What is done with an environment once it is applied: it is looked at, its logs are read, a session is opened in it, and its
//! stores are restored; pure. What AWS has to do is a call of its own program, `aws`, to be printed or made.

pub mod answer;
pub mod call;
pub mod logs;
pub mod restore;
pub mod session;
pub mod status;

#[cfg(test)]
mod tests {
    use super::{call::Call, logs, session, status};
    use crate::config::EnvConfig;
    use crate::stacks::probe::*;

    /// The action that a call needs: of `ecs describe-services`, `ecs:DescribeServices`.
    fn action(call: &Call) -> String {
        let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        let operation: String = call.words()[1].split('-').map(word).collect();
        format!("{}:{operation}", call.words()[0])
    }

    #[test]
    fn operators_may_make_every_call() {
        let text = "production = false\nprotection = false\n[iam]\noperators = [\"arn:aws:iam::111122223333:user/ada\"]\n\
                    [service]\nimage = \"v1\"\nexec = true\n";
        let config = EnvConfig::for_test(text);
        let main = config.main_service();
        let repository = status::Repository::at(&config, &crate::stacks::ecr::address(&config, main));
        let calls = [
            status::services(&config, &[main]),
            status::running(&config, main),
            status::tasks(&config, ["0"]),
            repository.expect("a repository of its own").images(&config),
            status::alarms(&config, &config.region),
            logs::events(&config, main, 0, None),
            session::open(&config, main, "0", &["sh".to_owned()]),
        ];
        let root = platform(text);
        let operator = node(&root, "aws_iam_role_policy.operator");
        let granted: Vec<String> = statements(operator, "policy")
            .iter()
            .filter(|statement| allows(statement))
            .flat_map(|statement| all_written(statement.get("Action").expect("actions")))
            .collect();
        for call in &calls {
            assert!(granted.contains(&action(call)), "{} is not among {granted:?}", action(call));
        }
    }
}
