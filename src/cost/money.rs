//! Quantities and money, exactly: whole numbers of small units, and no floats.

use std::fmt;

/// How many of something, in thousandths: a task of 256 CPU units has 0.25 vCPU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(u64);

impl Quantity {
    /// So many whole ones.
    #[must_use]
    pub const fn whole(count: u64) -> Self {
        Self(count.saturating_mul(1000))
    }

    /// `count` parts, of which `of` make a whole one, `times` over.
    #[must_use]
    pub const fn parts(count: u64, of: u64, times: u64) -> Self {
        Self(count.saturating_mul(1000).saturating_mul(times) / of)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            return f.pad(&whole.to_string());
        }
        f.pad(format!("{whole}.{rest:03}").trim_end_matches('0'))
    }
}

/// An amount of money, in trillionths of a unit of its currency: what comes of a price of nine decimals and a quantity of
/// three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u128);

/// The decimals of a price.
const DECIMALS: usize = 9;

impl Amount {
    /// A price as a file states it. `None` where it is negative, no number, or finer than a billionth.
    #[must_use]
    pub fn of_price(price: f64) -> Option<Self> {
        if !price.is_finite() || price.is_sign_negative() {
            return None;
        }
        // The shortest text that is this number, without an exponent: 0.045 is 0.045.
        let text = price.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        if fraction.len() > DECIMALS {
            return None;
        }
        let digits: u128 = format!("{whole}{fraction:0<DECIMALS$}").parse().ok()?;
        Some(Self(digits.checked_mul(1000)?))
    }

    /// What so many cost, so many times over.
    #[must_use]
    pub fn times(self, quantity: Quantity, times: u32) -> Self {
        Self(self.0.saturating_mul(quantity.0.into()).saturating_mul(times.into()) / 1000)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// In hundredths, rounded half up: `219.00`.
    #[must_use]
    pub fn rounded(self) -> String {
        const CENT: u128 = 10_000_000_000;
        let cents = self.0.saturating_add(CENT / 2) / CENT;
        format!("{}.{:02}", cents / 100, cents % 100)
    }

    /// With every decimal that it has: `0.045`.
    #[must_use]
    pub fn exact(self) -> String {
        const UNIT: u128 = 1_000_000_000_000;
        let text = format!("{}.{:012}", self.0 / UNIT, self.0 % UNIT);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(price: f64) -> Amount {
        Amount::of_price(price).expect("a price")
    }

    #[test]
    fn money_is_exact() {
        assert_eq!(price(0.045).exact(), "0.045");
        assert_eq!(price(5.0).exact(), "5");
        assert_eq!(price(0.045).times(Quantity::whole(3), 730).rounded(), "98.55");
        // 0.5 vCPU in each of three tasks.
        let cpu = Quantity::parts(512, 1024, 3);
        assert_eq!(
            (cpu.to_string().as_str(), price(0.04048).times(cpu, 730).exact().as_str()),
            ("1.5", "44.3256")
        );
        assert_eq!(price(0.125).times(Quantity::whole(1), 1).rounded(), "0.13");
        assert_eq!(price(0.1).plus(price(0.2)).exact(), "0.3");
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for wrong in [-0.01, -0.0, f64::NAN, f64::INFINITY, 0.000_000_000_1, 1e30] {
            assert_eq!(Amount::of_price(wrong), None, "{wrong}");
        }
        assert_eq!(price(0.0).exact(), "0");
    }
}
