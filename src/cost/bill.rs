//! What a module is billed for, by stack and meter.

use std::collections::BTreeMap;

use serde_json::Value;
use terraform::query::{Found, View};

use super::kinds::{self, Unknown};
use super::meter::Meter;
use super::money::{Amount, Quantity};
use super::prices::{Price, Prices};

/// What a module is billed for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill {
    /// The region that the module is applied in.
    pub region: String,
    /// What is billed by the hour or month, in the order of stacks and meters.
    pub lines: Vec<Line>,
    /// What is billed by use, in the order of stacks and types.
    pub by_use: Vec<Use>,
    /// What cannot be counted.
    pub unread: Vec<Unread>,
}

/// So many of a meter in a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The stack.
    pub stack: String,
    /// What is billed.
    pub meter: Meter,
    /// Which of its sizes, if it has some: `db.m7g.large:multi-az`.
    pub size: Option<String>,
    /// The region that it stands in.
    pub region: String,
    /// How many.
    pub quantity: Quantity,
    /// The resources that it comes from.
    pub resources: Vec<Resource>,
}

/// What one resource adds to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its address.
    pub address: String,
    /// How many.
    pub quantity: Quantity,
}

/// Resources of a type that are billed by use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The stack.
    pub stack: String,
    /// The type.
    pub kind: String,
    /// How many there are.
    pub count: usize,
    /// What is counted.
    pub what: &'static str,
}

/// A resource that cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its address.
    pub address: String,
    /// Why.
    pub what: String,
}

/// How the provider's configuration of the module's own region is called.
const PROVIDER: &str = "aws";

impl Bill {
    /// What a module is billed for.
    #[must_use]
    pub fn of(view: &View) -> Self {
        let home = region(view, PROVIDER).unwrap_or_default();
        let mut lines: BTreeMap<(String, Meter, Option<String>, String), Vec<Resource>> = BTreeMap::new();
        let mut by_use: BTreeMap<(String, String, &'static str), usize> = BTreeMap::new();
        let mut unread = Vec::new();
        for (address, found) in view.managed() {
            let stack = stack(found);
            let billed = match kinds::billed(view, found) {
                Some(Ok(billed)) => billed,
                Some(Err(Unknown(what))) => {
                    unread.push(Unread { address: address.to_owned(), what });
                    continue;
                }
                None => {
                    let what = format!("how {} is billed is not known to this version", found.kind);
                    unread.push(Unread { address: address.to_owned(), what });
                    continue;
                }
            };
            let here = of_provider(view, found).unwrap_or_else(|| home.clone());
            for charge in billed.charges {
                let region = charge.region.unwrap_or_else(|| here.clone());
                let line = lines.entry((stack.clone(), charge.meter, charge.size, region)).or_default();
                line.push(Resource { address: address.to_owned(), quantity: charge.quantity });
            }
            if let Some(what) = billed.by_use {
                *by_use.entry((stack, found.kind.clone(), what)).or_default() += 1;
            }
        }
        let lines = lines.into_iter().map(|((stack, meter, size, region), resources)| {
            let quantity = resources.iter().fold(Quantity::default(), |sum, one| sum.plus(one.quantity));
            Line { stack, meter, size, region, quantity, resources }
        });
        let by_use =
            by_use.into_iter().map(|((stack, kind, what), count)| Use { stack, kind, count, what }).collect();
        let beyond = view.beyond.keys().map(|what| Unread {
            address: what.clone(),
            what: "what it makes is not looked into".to_owned(),
        });
        unread.extend(beyond);
        Self { region: home, lines: lines.collect(), by_use, unread }
    }

    /// What the lines cost in a month that have a price.
    #[must_use]
    pub fn sum(&self, prices: &Prices) -> Amount {
        let amounts = self.lines.iter().filter_map(|line| line.amount(prices));
        amounts.fold(Amount::default(), Amount::plus)
    }

    /// The lines without a price.
    pub fn without_price<'b>(&'b self, prices: &'b Prices) -> impl Iterator<Item = &'b Line> {
        self.lines.iter().filter(|line| line.price(prices).is_none())
    }
}

impl Line {
    /// Its key in a file of prices.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.size {
            Some(size) => format!("{}:{size}", self.meter.key()),
            None => self.meter.key().to_owned(),
        }
    }

    /// The price of one, if the file has it and is of the line's region.
    #[must_use]
    pub fn price<'p>(&self, prices: &'p Prices) -> Option<&'p Price> {
        prices.of(&self.key()).filter(|_| prices.region() == self.region)
    }

    /// What it costs in a month, if it has a price.
    #[must_use]
    pub fn amount(&self, prices: &Prices) -> Option<Amount> {
        let price = self.price(prices)?;
        Some(price.amount.times(self.quantity, self.meter.per().in_a_month()))
    }
}

/// The stack that a block was made by: the file's name.
fn stack(found: &Found) -> String {
    found.file.strip_suffix(".tf.json").unwrap_or(&found.file).to_owned()
}

/// The region of a configuration of the provider.
fn region(view: &View, provider: &str) -> Option<String> {
    view.providers.get(provider)?["region"].as_str().map(str::to_owned)
}

/// The region of the provider that a block names: `aws.recovery`.
fn of_provider(view: &View, found: &Found) -> Option<String> {
    region(view, found.meta.get("provider").and_then(Value::as_str)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::EnvConfig;
    use crate::synth::synth;

    fn bill(text: &str) -> Bill {
        let root = synth(&EnvConfig::for_test(text)).expect("a module");
        Bill::of(&View::of_root(&root))
    }

    fn quantity(bill: &Bill, stack: &str, key: &str) -> String {
        let line = bill.lines.iter().find(|line| line.stack == stack && line.key() == key);
        line.map_or("none".to_owned(), |line| line.quantity.to_string())
    }

    #[test]
    fn an_environment_is_counted_by_what_it_builds() {
        let bill = bill(
            "network.egress = [{ name = \"scheme\", cidr = \"198.51.100.0/24\", reason = \"Files\" }]\n\
             service.image = \"v1\"\nservice.cpu = 512\nservice.memory = 1024\nservice.desired_count = 3\n",
        );
        assert_eq!(bill.region, "us-east-1");
        assert_eq!(bill.unread, []);
        assert_eq!(quantity(&bill, "network", "nat-gateway"), "3");
        assert_eq!(quantity(&bill, "network", "public-ipv4"), "3");
        assert_eq!(quantity(&bill, "alb", "public-ipv4"), "3");
        assert_eq!(quantity(&bill, "ecs", "fargate-cpu-x86"), "1.5");
        assert_eq!(quantity(&bill, "ecs", "fargate-memory-x86"), "3");
        assert_eq!(quantity(&bill, "kms", "kms-key"), "4");
        let endpoints = bill.lines.iter().find(|line| line.key() == "interface-endpoint").expect("endpoints");
        assert!(endpoints.resources.iter().all(|endpoint| endpoint.quantity == Quantity::whole(3)));
        assert!(bill.by_use.iter().any(|by_use| by_use.kind == "aws_config_configuration_recorder"));
        assert!(bill.by_use.iter().any(|by_use| by_use.kind == "aws_guardduty_detector"));
    }

    #[test]
    fn what_stands_in_another_region_has_no_price_of_this_one() {
        let bill = bill("recovery.region = \"us-west-2\"\n");
        let abroad: Vec<&Line> = bill.lines.iter().filter(|line| line.region == "us-west-2").collect();
        assert!(abroad.iter().any(|line| line.key() == "kms-key"), "{abroad:?}");
        let text = "region = \"us-east-1\"\ncurrency = \"USD\"\n[prices.kms-key]\namount = 1\nper = \"month\"\n\
                    source = \"https://example.com\"\nchecked = \"2026-11-30\"\n";
        let prices = Prices::read(Path::new("prices.toml"), text, "us-east-1").expect("prices");
        assert!(abroad.iter().all(|line| line.amount(&prices).is_none()));
        let home =
            bill.lines.iter().find(|line| line.stack == "kms" && line.region == "us-east-1").expect("keys");
        assert_eq!(home.amount(&prices).map(Amount::rounded).as_deref(), Some("4.00"));
        assert_eq!(bill.sum(&prices).rounded(), "4.00");
        assert_eq!(bill.without_price(&prices).count(), bill.lines.len() - 1);
    }
}
