//! Files of prices: what one of each meter costs in a region, who says so, and on which day that was read.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::meter::{Meter, Per};
use super::money::Amount;
use crate::config::load;
use crate::config::problem::{KeyPath, Problems};
use crate::config::report::Report;
use crate::config::{Date, Region, serde_messages, suggest};
use crate::json_schema;

/// A file of prices, as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Prices")]
struct File {
    /// The region that they hold in. `txnr cost` takes those of an environment's own region alone.
    region: Region,
    /// The currency, as ISO 4217 has it.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    currency: String,
    /// The prices by what is billed.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Stated>")]
    prices: BTreeMap<String, toml::Value>,
}

/// A price, as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stated {
    /// What one costs, with at most nine decimals.
    #[schemars(range(min = 0))]
    amount: f64,
    /// How often. Each key has one way, which stands here so that nobody mistakes one for the other.
    per: Per,
    /// Who says so: the page or the file, by its address.
    #[schemars(regex(pattern = "^https://"))]
    source: String,
    /// The day on which it was read there.
    checked: Date,
    /// What a reader has to know besides, such as the number of the item in a price list.
    note: Option<String>,
}

/// Prices of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    region: String,
    currency: String,
    prices: BTreeMap<String, Price>,
}

/// The price of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// What one costs each hour or month.
    pub amount: Amount,
    /// Who says so.
    pub source: String,
    /// The day on which it was read there.
    pub checked: Date,
    /// What a reader has to know besides.
    pub note: Option<String>,
}

impl Prices {
    /// Reads a file of prices for a region. `path` stands in messages.
    ///
    /// # Errors
    /// With every mistake in it: unknown keys, prices that are negative, lack a source or a day, and another region.
    pub fn read(path: &Path, text: &str, region: &str) -> Result<Self, Report> {
        let mut problems = Problems::default();
        let file = parse(text, &mut problems);
        let prices = file.and_then(|file| {
            Some(Self {
                prices: prices(file.prices, &mut problems),
                region: in_region(&file.region, region, &mut problems)?,
                currency: currency(file.currency, &mut problems)?,
            })
        });
        match prices {
            Some(prices) if !problems.has_errors() => Ok(prices),
            _ => Err(load::report(path, text, problems)),
        }
    }

    /// The region that they hold in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The currency, as ISO 4217 has it.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The price of one, by its key.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<&Price> {
        self.prices.get(key)
    }
}

fn parse(text: &str, problems: &mut Problems) -> Option<File> {
    toml::from_str(text)
        .map_err(|error| {
            let wording = serde_messages::of(error.message());
            problems.at(KeyPath::default(), error.span(), wording.what.as_str(), wording.help.as_str());
        })
        .ok()
}

fn in_region(named: &Region, region: &str, problems: &mut Problems) -> Option<String> {
    if named.as_str() == region {
        return Some(region.to_owned());
    }
    problems.error(
        "region",
        format!("these are prices of {named}, and the environment stands in {region}"),
        format!("a file of prices of {region}"),
    );
    None
}

fn currency(named: String, problems: &mut Problems) -> Option<String> {
    if named.len() == 3 && named.bytes().all(|b| b.is_ascii_uppercase()) {
        return Some(named);
    }
    problems.error("currency", format!("{named:?} is not a currency"), "its three letters, such as \"USD\"");
    None
}

fn prices(stated: BTreeMap<String, toml::Value>, problems: &mut Problems) -> BTreeMap<String, Price> {
    let mut prices = BTreeMap::new();
    for (key, stated) in stated {
        let at = KeyPath::from("prices").key(key.as_str());
        let Some(meter) = Meter::of_key(&key) else {
            unknown(at, &key, problems);
            continue;
        };
        match Stated::deserialize(stated) {
            Err(error) => {
                let wording = serde_messages::of(error.message());
                problems.error(at, wording.what, wording.help);
            }
            Ok(stated) => {
                if let Some(price) = price(&at, meter, stated, problems) {
                    prices.insert(key, price);
                }
            }
        }
    }
    prices
}

fn unknown(at: KeyPath, key: &str, problems: &mut Problems) {
    let name = key.split(':').next().unwrap_or_default();
    let meter = Meter::ALL.into_iter().find(|meter| meter.key() == name);
    let help = match meter.map(|meter| (meter.key(), meter.sizes())) {
        Some((key, Some(size))) => format!("`{key}:{size}`, with the size that it is the price of"),
        Some((key, None)) => format!("`{key}` alone, which has one size"),
        None => {
            let all: Vec<&str> = Meter::ALL.into_iter().map(Meter::key).collect();
            match suggest::nearest(name, all.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("one of {}", all.join(", ")),
            }
        }
    };
    problems.error(at, format!("nothing is billed as `{key}`"), help);
}

fn price(at: &KeyPath, meter: Meter, stated: Stated, problems: &mut Problems) -> Option<Price> {
    let Stated { amount: stated_amount, per, source, checked, note } = stated;
    let amount = Amount::of_price(stated_amount);
    if amount.is_none() {
        problems.error(
            at.clone().key("amount"),
            format!("{stated_amount} is no price"),
            "a number that is not negative, with at most nine decimals",
        );
    }
    if per != meter.per() {
        problems.error(
            at.clone().key("per"),
            format!("`{}` is billed by the {}", meter.key(), meter.per()),
            format!("\"{}\", and the price for that", meter.per()),
        );
    }
    if !source.starts_with("https://") || source.len() <= "https://".len() {
        problems.error(
            at.clone().key("source"),
            format!("{source:?} is no address at which the price can be read"),
            "the page or file that states it, beginning with https://",
        );
    }
    Some(Price { amount: amount?, source, checked, note })
}

/// The schema of files of prices.
#[must_use]
pub fn schema() -> String {
    let mut schema = json_schema::of::<File>("cost --schema > docs/prices/schema.json");
    if let Some(prices) = schema.pointer_mut("/properties/prices").and_then(serde_json::Value::as_object_mut)
    {
        prices.insert("propertyNames".to_owned(), serde_json::json!({ "anyOf": names() }));
    }
    json_schema::text(&schema)
}

/// What each key is the price of.
fn names() -> Vec<serde_json::Value> {
    let name = |meter: Meter| {
        let description = format!("{}, by the {}: {}", meter.one(), meter.per(), meter.reason());
        match meter.sizes() {
            None => serde_json::json!({ "const": meter.key(), "description": description }),
            Some(size) => serde_json::json!({
                "pattern": format!("^{}:[^:]+:[^:]+$", meter.key()),
                "examples": [format!("{}:{size}", meter.key())],
                "description": description,
            }),
        }
    };
    Meter::ALL.into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "region = \"us-east-1\"\ncurrency = \"USD\"\n";
    const NAT: &str =
        "amount = 0.045\nper = \"hour\"\nsource = \"https://example.com/a\"\nchecked = \"2026-11-30\"\n";

    fn read(text: &str) -> Result<Prices, String> {
        Prices::read(Path::new("prices.toml"), text, "us-east-1").map_err(|report| report.to_string())
    }

    #[test]
    fn prices_are_read_with_their_sources() {
        let prices = read(&format!("{HEAD}[prices.nat-gateway]\n{NAT}")).expect("prices");
        let price = prices.of("nat-gateway").expect("a price");
        assert_eq!(
            (price.amount.exact().as_str(), price.source.as_str()),
            ("0.045", "https://example.com/a")
        );
        assert_eq!(price.checked.as_str(), "2026-11-30");
        assert_eq!(prices.of("kms-key"), None);
    }

    #[test]
    fn every_mistake_is_told_where_it_stands() {
        let cases = [
            (format!("{HEAD}[prices.nat-gatway]\n{NAT}"), "did you mean `nat-gateway`?"),
            (format!("{HEAD}[prices.\"rds-instance\"]\n{NAT}"), "rds-instance:db.m7g.large:multi-az"),
            (format!("{HEAD}[prices.\"kms-key:large\"]\n{NAT}"), "`kms-key` alone"),
            (format!("{HEAD}[prices.nat-gateway]\n{}", NAT.replace("0.045", "-0.045")), "-0.045 is no price"),
            (format!("{HEAD}[prices.nat-gateway]\n{}", NAT.replace("0.045", "nan")), "NaN is no price"),
            (format!("{HEAD}[prices.kms-key]\n{NAT}"), "`kms-key` is billed by the month"),
            (
                format!("{HEAD}[prices.nat-gateway]\n{}", NAT.replace("https://example.com/a", "hearsay")),
                "no address",
            ),
            (format!("{HEAD}[prices.nat-gateway]\n{}", NAT.replace("2026-11-30", "2026-11-31")), "not a day"),
            (format!("{HEAD}[prices.nat-gateway]\namount = 1\nper = \"hour\"\n"), "`source` is missing"),
            (format!("{HEAD}[prices.nat-gateway]\n{NAT}sauce = 1\n"), "unknown key `sauce`"),
            (format!("{HEAD}price = 1\n"), "unknown key `price`"),
            (HEAD.replace("us-east-1", "eu-west-1"), "these are prices of eu-west-1"),
            (HEAD.replace("USD", "dollars"), "not a currency"),
            ("currency = \"USD\"".to_owned(), "`region` is missing"),
            ("region".to_owned(), "prices.toml"),
        ];
        for (text, expected) in cases {
            let told = read(&text).expect_err(&text);
            assert!(told.contains(expected) && told.contains("prices.toml"), "{expected}: {told}");
        }
        let two =
            read(&format!("{HEAD}[prices.nat]\n{NAT}[prices.nat-gateway]\n{}", NAT.replace("0.045", "-1")));
        let told = two.expect_err("two mistakes");
        assert!(told.contains("nothing is billed as `nat`") && told.contains("-1 is no price"), "{told}");
    }

    #[test]
    fn the_example_is_right_and_every_price_of_it_has_a_source_and_a_day() {
        let text = include_str!("../../docs/prices/us-east-1.toml");
        let prices = read(text).expect("prices");
        assert!(prices.prices.len() > 10, "{}", prices.prices.len());
        assert!(prices.prices.values().all(|price| price.source.len() > "https://a.b/c".len()));
    }
}
