//! A bill for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::bill::{Bill, Line, Resource};
use super::meter::Per;
use super::prices::Prices;

/// How many resources a line of the text names at most; others are counted.
const NAMED_MAX: usize = 12;

/// The bill as text.
#[must_use]
pub fn text(bill: &Bill, name: &str, prices: Option<&Prices>) -> String {
    let mut out = format!(
        "{name} in {}: what is billed by the hour or month, whether it is used or not\n",
        bill.region
    );
    let width = bill.lines.iter().map(|line| line.key().len()).max().unwrap_or_default();
    let mut stack = "";
    for line in &bill.lines {
        if stack != line.stack {
            stack = &line.stack;
            let _infallible = write!(out, "\n{stack}\n");
        }
        let key = line.key();
        let _infallible = write!(out, "  {:>7}  {key:width$}  {:5}", line.quantity, line.meter.per());
        if let Some(prices) = prices {
            let amount = line.amount(prices).map_or_else(|| "no price".to_owned(), |amount| amount.rounded());
            let _infallible = write!(out, "  {amount:>9}");
        }
        let _infallible =
            writeln!(out, "  {}{} ({})", abroad(bill, line), line.meter.reason(), names(&line.resources));
    }
    out.push_str("\nBilled by use, which no module tells:\n");
    for by_use in &bill.by_use {
        let _infallible =
            writeln!(out, "  {}: {} {}: {}", by_use.stack, by_use.count, by_use.kind, by_use.what);
    }
    out.push_str("  what goes out of a zone, a region or AWS: GB\n");
    if !bill.unread.is_empty() {
        out.push_str("\nNot counted:\n");
    }
    for unread in &bill.unread {
        let _infallible = writeln!(out, "  {}: {}", unread.address, unread.what);
    }
    if let Some(prices) = prices {
        out.push_str(&sum(bill, prices));
    }
    out
}

fn abroad(bill: &Bill, line: &Line) -> String {
    if line.region == bill.region { String::new() } else { format!("in {}: ", line.region) }
}

/// The names of resources, or how many there are.
fn names(resources: &[Resource]) -> String {
    let name = |resource: &Resource| {
        resource.address.split_once('.').map_or(String::new(), |(_, name)| name.to_owned())
    };
    let names: BTreeSet<String> = resources.iter().map(name).collect();
    if resources.len() > NAMED_MAX {
        return format!("{} resources", resources.len());
    }
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// What has a price, and what the sum lacks.
fn sum(bill: &Bill, prices: &Prices) -> String {
    let mut out = format!(
        "\n{} {} a month, of {} hours, for what has a price",
        bill.sum(prices).rounded(),
        prices.currency(),
        Per::Hour.in_a_month()
    );
    let days = bill.lines.iter().filter_map(|line| Some(&line.price(prices)?.checked));
    if let Some(day) = days.min() {
        let _infallible = write!(out, "; the oldest of these prices was read on {day}");
    }
    out.push_str(". Discounts, free quotas and taxes are not in it.\n");
    let missing: BTreeSet<String> = bill
        .without_price(prices)
        .map(|line| match line.region == bill.region {
            true => line.key(),
            false => format!("{} in {}", line.key(), line.region),
        })
        .collect();
    if !missing.is_empty() {
        let missing: Vec<String> = missing.into_iter().collect();
        let _infallible = writeln!(out, "Not in it, without a price: {}.", missing.join(", "));
    }
    out.push_str("Not in it, since it is billed by use: the list above.\n");
    out
}

/// The bill for programs.
#[derive(Serialize)]
struct Report<'b> {
    /// The version of this format.
    format_version: u32,
    environment: &'b str,
    region: &'b str,
    hours_in_a_month: u32,
    lines: Vec<ReportLine<'b>>,
    by_use: Vec<ReportUse<'b>>,
    not_counted: Vec<ReportUnread<'b>>,
    /// Only with prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Sum<'b>>,
}

#[derive(Serialize)]
struct ReportLine<'b> {
    stack: &'b str,
    key: String,
    per: Per,
    region: &'b str,
    quantity: String,
    one: &'static str,
    reason: &'static str,
    resources: Vec<ReportResource<'b>>,
    /// Only with prices; null where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Option<ReportPrice<'b>>>,
}

#[derive(Serialize)]
struct ReportResource<'b> {
    address: &'b str,
    quantity: String,
}

#[derive(Serialize)]
struct ReportPrice<'b> {
    amount: String,
    source: &'b str,
    checked: &'b str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'b str>,
    a_month: String,
}

#[derive(Serialize)]
struct ReportUse<'b> {
    stack: &'b str,
    r#type: &'b str,
    count: usize,
    what: &'static str,
}

#[derive(Serialize)]
struct ReportUnread<'b> {
    address: &'b str,
    what: &'b str,
}

#[derive(Serialize)]
struct Sum<'b> {
    currency: &'b str,
    a_month: String,
    without_price: BTreeSet<String>,
}

/// The version of the JSON.
const FORMAT_VERSION: u32 = 1;

/// The bill as JSON. Quantities and amounts are texts, so that none is rounded on the way.
#[must_use]
pub fn json(bill: &Bill, name: &str, prices: Option<&Prices>) -> String {
    let report = Report {
        format_version: FORMAT_VERSION,
        environment: name,
        region: &bill.region,
        hours_in_a_month: Per::Hour.in_a_month(),
        lines: bill.lines.iter().map(|line| report_line(line, prices)).collect(),
        by_use: bill
            .by_use
            .iter()
            .map(|by_use| ReportUse {
                stack: &by_use.stack,
                r#type: &by_use.kind,
                count: by_use.count,
                what: by_use.what,
            })
            .collect(),
        not_counted: bill
            .unread
            .iter()
            .map(|unread| ReportUnread { address: &unread.address, what: &unread.what })
            .collect(),
        sum: prices.map(|prices| Sum {
            currency: prices.currency(),
            a_month: bill.sum(prices).rounded(),
            without_price: bill.without_price(prices).map(Line::key).collect(),
        }),
    };
    // Nothing in it can fail: keys are strings.
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

fn report_line<'b>(line: &'b Line, prices: Option<&'b Prices>) -> ReportLine<'b> {
    let resources = line
        .resources
        .iter()
        .map(|resource| ReportResource {
            address: &resource.address,
            quantity: resource.quantity.to_string(),
        })
        .collect();
    let price = prices.map(|prices| {
        let (price, amount) = (line.price(prices)?, line.amount(prices)?);
        Some(ReportPrice {
            amount: price.amount.exact(),
            source: &price.source,
            checked: price.checked.as_str(),
            note: price.note.as_deref(),
            a_month: amount.rounded(),
        })
    });
    ReportLine {
        stack: &line.stack,
        key: line.key(),
        per: line.meter.per(),
        region: &line.region,
        quantity: line.quantity.to_string(),
        one: line.meter.one(),
        reason: line.meter.reason(),
        resources,
        price,
    }
}
