//! What the environment rests on and does not make, with the reason for each: for the assessor, since the module shows
//! nothing of it (PCI 12.8.5: which party is responsible for what).

use std::collections::BTreeMap;

use terraform::Expr;
use terraform::kind::{Map, Text};
use terraform::{Module, Stack};

use crate::config::{Certificate, EnvConfig};

/// Adds the output `elsewhere`, where something is; no file else.
pub fn build(module: &mut Module, config: &EnvConfig) {
    let reasons = reasons(config);
    if !reasons.is_empty() {
        output(&mut module.stack("elsewhere"), reasons);
    }
}

fn output(stack: &mut Stack<'_>, reasons: BTreeMap<String, String>) {
    stack.output(
        "elsewhere",
        "What exists already or is looked after elsewhere, and the reason given for it.",
        Expr::<Map<Text>>::new(reasons),
    );
}

/// The keys of the environment file that say so, and what they say.
#[must_use]
pub fn reasons(config: &EnvConfig) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut add = |key: String, reason: &dyn std::fmt::Display| all.insert(key, reason.to_string());
    for (part, reason) in config.account.elsewhere.given() {
        add(format!("account.{part}"), reason);
    }
    for (part, reason) in config.network.existing().iter().flat_map(|there| there.elsewhere.given()) {
        add(format!("network.{part}"), reason);
    }
    if let Some(reason) = &config.kms.keys.elsewhere {
        for (purpose, _) in config.kms.keys.given() {
            add(format!("kms.keys.{purpose}"), reason);
        }
    }
    if let Certificate::Existing { elsewhere, .. } = &config.certificate {
        add("certificate".to_owned(), elsewhere);
    }
    if let Some(bucket) = &config.storage.audit_bucket {
        add("storage.audit_bucket".to_owned(), &bucket.elsewhere);
    }
    if let Some(bucket) = &config.storage.access_bucket {
        add("storage.access_bucket".to_owned(), &bucket.elsewhere);
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::stacks::probe::platform;

    #[test]
    fn every_reason_is_put_out_and_nothing_where_there_is_none() {
        let file = |text: &str| {
            let files = platform(text).render("");
            files.into_iter().find(|(name, _)| name == "elsewhere.tf.json").map(|(_, text)| text)
        };
        assert_eq!(file(""), None);
        let text = "account.elsewhere.trail = \"Of the organization\"\n[storage.access_bucket]\n\
                    name = \"acme-access\"\nelsewhere = \"Of the account factory\"\n";
        let written = file(text).expect("a file");
        for (key, reason) in
            [("account.trail", "Of the organization"), ("storage.access_bucket", "Of the account factory")]
        {
            assert!(written.contains(&format!("\"{key}\": \"{reason}\"")), "{written}");
        }
    }
}
