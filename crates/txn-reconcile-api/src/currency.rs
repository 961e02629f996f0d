//! ISO 4217 currencies: the code, the number, how many decimals the minor unit has, and until when there was the currency.
//!
//! Source: lists one (current) and three (withdrawn) of ISO 4217 as published on 2026-01-01 by SIX, which maintains them
//! (<https://www.six-group.com/en/products-services/financial-information/data-standards.html>). Codes without a minor
//! unit (precious metals, testing codes, the SDR) are left out on purpose: no statement is kept in them.
//!
//! List three gives the month of the withdrawal and no minor unit. That is as OpenJDK keeps it
//! (`src/java.base/share/data/currency/CurrencyData.properties`), which has it from the lists of their time. What it does not
//! hold (withdrawn before about 2000) is left out, and so are BEF, GRD, LUF and ROL, whose minor unit others tell
//! otherwise (BEF, GRD, LUF: Joda-Money): none is guessed.

use std::fmt;
use std::str;

/// A currency of ISO 4217, held as its place in the table (one byte).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(u8);

/// One line of the table.
struct Row {
    code: [u8; 3],
    number: u16,
    exponent: u8,
    /// Year and month in which it was withdrawn.
    withdrawn: Option<(i32, u32)>,
    /// Whether another currency has its number today.
    renumbered: bool,
}

const fn row(code: &[u8; 3], number: u16, exponent: u8) -> Row {
    Row { code: *code, number, exponent, withdrawn: None, renumbered: false }
}

impl Row {
    const fn until(self, year: i32, month: u32) -> Self {
        Self { withdrawn: Some((year, month)), ..self }
    }

    const fn renumbered(self) -> Self {
        Self { renumbered: true, ..self }
    }
}

/// What is wrong with a code that [`Currency::from_code`] does not know.
pub const UNKNOWN: &str = "not a currency code of ISO 4217";

impl Currency {
    /// The currency with this three-letter code, in either case.
    #[inline]
    #[must_use]
    pub fn from_code(code: &[u8]) -> Option<Self> {
        let [a, b, c] = code else { return None };
        let slot = slot(a.to_ascii_uppercase(), b.to_ascii_uppercase(), c.to_ascii_uppercase())?;
        match BY_CODE[slot] {
            ABSENT => None,
            index => Some(Self(index)),
        }
    }

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        str::from_utf8(&TABLE[usize::from(self.0)].code).unwrap_or("???")
    }

    /// The three-digit number (ISO 4217 numeric code).
    #[must_use]
    pub fn number(self) -> u16 {
        TABLE[usize::from(self.0)].number
    }

    /// A number that no other currency has: that of ISO 4217, and 1,000 more where another currency has taken it over.
    #[must_use]
    pub fn own_number(self) -> u16 {
        let row = &TABLE[usize::from(self.0)];
        row.number + if row.renumbered { 1_000 } else { 0 }
    }

    /// Year and month in which the currency was withdrawn, if it was. Entries of that month still count: the standard
    /// tells no day.
    #[inline]
    #[must_use]
    pub fn withdrawn(self) -> Option<(i32, u32)> {
        TABLE[usize::from(self.0)].withdrawn
    }

    /// When it was withdrawn, in words, if that was before this month.
    #[must_use]
    pub fn withdrawn_before(self, year: i32, month: u32) -> Option<String> {
        let (last_year, last_month) = self.withdrawn()?;
        ((year, month) > (last_year, last_month))
            .then(|| format!("{self} was withdrawn in {last_year}-{last_month:02}"))
    }

    /// Decimals of the minor unit: 0 for the yen, 2 for the euro, 3 for the Kuwaiti dinar; at most 4.
    #[inline]
    #[must_use]
    pub fn exponent(self) -> u32 {
        u32::from(TABLE[usize::from(self.0)].exponent)
    }

    /// Every currency of the table, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len()).filter_map(|index| u8::try_from(index).ok()).map(Self)
    }

    /// The place in the table; smaller than [`Currency::COUNT`].
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// How many currencies the table holds.
    pub const COUNT: usize = TABLE.len();
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

const ABSENT: u8 = u8::MAX;

const fn slot(a: u8, b: u8, c: u8) -> Option<usize> {
    if a < b'A' || a > b'Z' || b < b'A' || b > b'Z' || c < b'A' || c > b'Z' {
        return None;
    }
    Some(((a - b'A') as usize * 26 + (b - b'A') as usize) * 26 + (c - b'A') as usize)
}

/// Letter triple to place in the table, worked out by the compiler.
static BY_CODE: [u8; 26 * 26 * 26] = {
    let mut slots = [ABSENT; 26 * 26 * 26];
    let mut index = 0;
    while index < TABLE.len() {
        let code = TABLE[index].code;
        if let Some(slot) = slot(code[0], code[1], code[2]) {
            slots[slot] = index as u8;
        }
        index += 1;
    }
    slots
};

static TABLE: [Row; 215] = [
    row(b"ADP", 20, 0).until(2003, 7),
    row(b"AED", 784, 2),
    row(b"AFA", 4, 2).until(2003, 1),
    row(b"AFN", 971, 2),
    row(b"ALL", 8, 2),
    row(b"AMD", 51, 2),
    row(b"ANG", 532, 2).until(2025, 3).renumbered(),
    row(b"AOA", 973, 2),
    row(b"ARS", 32, 2),
    row(b"ATS", 40, 2).until(2002, 3),
    row(b"AUD", 36, 2),
    row(b"AWG", 533, 2),
    row(b"AYM", 945, 2).until(2005, 10),
    row(b"AZM", 31, 2).until(2005, 12),
    row(b"AZN", 944, 2),
    row(b"BAM", 977, 2),
    row(b"BBD", 52, 2),
    row(b"BDT", 50, 2),
    row(b"BGL", 100, 2).until(2003, 11),
    row(b"BGN", 975, 2).until(2026, 1),
    row(b"BHD", 48, 3),
    row(b"BIF", 108, 0),
    row(b"BMD", 60, 2),
    row(b"BND", 96, 2),
    row(b"BOB", 68, 2),
    row(b"BOV", 984, 2),
    row(b"BRL", 986, 2),
    row(b"BSD", 44, 2),
    row(b"BTN", 64, 2),
    row(b"BWP", 72, 2),
    row(b"BYB", 112, 0).until(2001, 1),
    row(b"BYN", 933, 2),
    row(b"BYR", 974, 0).until(2017, 1),
    row(b"BZD", 84, 2),
    row(b"CAD", 124, 2),
    row(b"CDF", 976, 2),
    row(b"CHE", 947, 2),
    row(b"CHF", 756, 2),
    row(b"CHW", 948, 2),
    row(b"CLF", 990, 4),
    row(b"CLP", 152, 0),
    row(b"CNY", 156, 2),
    row(b"COP", 170, 2),
    row(b"COU", 970, 2),
    row(b"CRC", 188, 2),
    row(b"CSD", 891, 2).until(2006, 10),
    row(b"CUC", 931, 2).until(2021, 6),
    row(b"CUP", 192, 2),
    row(b"CVE", 132, 2),
    row(b"CYP", 196, 2).until(2008, 1),
    row(b"CZK", 203, 2),
    row(b"DEM", 276, 2).until(2002, 3),
    row(b"DJF", 262, 0),
    row(b"DKK", 208, 2),
    row(b"DOP", 214, 2),
    row(b"DZD", 12, 2),
    row(b"EEK", 233, 2).until(2011, 1),
    row(b"EGP", 818, 2),
    row(b"ERN", 232, 2),
    row(b"ESP", 724, 0).until(2002, 3),
    row(b"ETB", 230, 2),
    row(b"EUR", 978, 2),
    row(b"FIM", 246, 2).until(2002, 3),
    row(b"FJD", 242, 2),
    row(b"FKP", 238, 2),
    row(b"FRF", 250, 2).until(2002, 3),
    row(b"GBP", 826, 2),
    row(b"GEL", 981, 2),
    row(b"GHC", 288, 2).until(2008, 1),
    row(b"GHS", 936, 2),
    row(b"GIP", 292, 2),
    row(b"GMD", 270, 2),
    row(b"GNF", 324, 0),
    row(b"GTQ", 320, 2),
    row(b"GWP", 624, 2).until(1997, 5),
    row(b"GYD", 328, 2),
    row(b"HKD", 344, 2),
    row(b"HNL", 340, 2),
    row(b"HRK", 191, 2).until(2023, 1),
    row(b"HTG", 332, 2),
    row(b"HUF", 348, 2),
    row(b"IDR", 360, 2),
    row(b"IEP", 372, 2).until(2002, 3),
    row(b"ILS", 376, 2),
    row(b"INR", 356, 2),
    row(b"IQD", 368, 3),
    row(b"IRR", 364, 2),
    row(b"ISK", 352, 0),
    row(b"ITL", 380, 0).until(2002, 3),
    row(b"JMD", 388, 2),
    row(b"JOD", 400, 3),
    row(b"JPY", 392, 0),
    row(b"KES", 404, 2),
    row(b"KGS", 417, 2),
    row(b"KHR", 116, 2),
    row(b"KMF", 174, 0),
    row(b"KPW", 408, 2),
    row(b"KRW", 410, 0),
    row(b"KWD", 414, 3),
    row(b"KYD", 136, 2),
    row(b"KZT", 398, 2),
    row(b"LAK", 418, 2),
    row(b"LBP", 422, 2),
    row(b"LKR", 144, 2),
    row(b"LRD", 430, 2),
    row(b"LSL", 426, 2),
    row(b"LTL", 440, 2).until(2014, 12),
    row(b"LVL", 428, 2).until(2014, 1),
    row(b"LYD", 434, 3),
    row(b"MAD", 504, 2),
    row(b"MDL", 498, 2),
    row(b"MGA", 969, 2),
    row(b"MGF", 450, 0).until(2004, 12),
    row(b"MKD", 807, 2),
    row(b"MMK", 104, 2),
    row(b"MNT", 496, 2),
    row(b"MOP", 446, 2),
    row(b"MRO", 478, 2).until(2017, 12),
    row(b"MRU", 929, 2),
    row(b"MTL", 470, 2).until(2008, 1),
    row(b"MUR", 480, 2),
    row(b"MVR", 462, 2),
    row(b"MWK", 454, 2),
    row(b"MXN", 484, 2),
    row(b"MXV", 979, 2),
    row(b"MYR", 458, 2),
    row(b"MZM", 508, 2).until(2006, 6),
    row(b"MZN", 943, 2),
    row(b"NAD", 516, 2),
    row(b"NGN", 566, 2),
    row(b"NIO", 558, 2),
    row(b"NLG", 528, 2).until(2002, 3),
    row(b"NOK", 578, 2),
    row(b"NPR", 524, 2),
    row(b"NZD", 554, 2),
    row(b"OMR", 512, 3),
    row(b"PAB", 590, 2),
    row(b"PEN", 604, 2),
    row(b"PGK", 598, 2),
    row(b"PHP", 608, 2),
    row(b"PKR", 586, 2),
    row(b"PLN", 985, 2),
    row(b"PTE", 620, 0).until(2002, 3),
    row(b"PYG", 600, 0),
    row(b"QAR", 634, 2),
    row(b"RON", 946, 2),
    row(b"RSD", 941, 2),
    row(b"RUB", 643, 2),
    row(b"RUR", 810, 2).until(2004, 1),
    row(b"RWF", 646, 0),
    row(b"SAR", 682, 2),
    row(b"SBD", 90, 2),
    row(b"SCR", 690, 2),
    row(b"SDD", 736, 2).until(2007, 7),
    row(b"SDG", 938, 2),
    row(b"SEK", 752, 2),
    row(b"SGD", 702, 2),
    row(b"SHP", 654, 2),
    row(b"SIT", 705, 2).until(2007, 1),
    row(b"SKK", 703, 2).until(2009, 1),
    row(b"SLE", 925, 2),
    row(b"SLL", 694, 2).until(2023, 12),
    row(b"SOS", 706, 2),
    row(b"SRD", 968, 2),
    row(b"SRG", 740, 2).until(2003, 12),
    row(b"SSP", 728, 2),
    row(b"STD", 678, 2).until(2017, 12),
    row(b"STN", 930, 2),
    row(b"SVC", 222, 2),
    row(b"SYP", 760, 2),
    row(b"SZL", 748, 2),
    row(b"THB", 764, 2),
    row(b"TJS", 972, 2),
    row(b"TMM", 795, 2).until(2009, 1),
    row(b"TMT", 934, 2),
    row(b"TND", 788, 3),
    row(b"TOP", 776, 2),
    row(b"TPE", 626, 0).until(2002, 11),
    row(b"TRL", 792, 0).until(2005, 12),
    row(b"TRY", 949, 2),
    row(b"TTD", 780, 2),
    row(b"TWD", 901, 2),
    row(b"TZS", 834, 2),
    row(b"UAH", 980, 2),
    row(b"UGX", 800, 0),
    row(b"USD", 840, 2),
    row(b"USN", 997, 2),
    row(b"USS", 998, 2).until(2014, 3),
    row(b"UYI", 940, 0),
    row(b"UYU", 858, 2),
    row(b"UYW", 927, 4),
    row(b"UZS", 860, 2),
    row(b"VEB", 862, 2).until(2008, 1),
    row(b"VED", 926, 2),
    row(b"VEF", 937, 2).until(2018, 8),
    row(b"VES", 928, 2),
    row(b"VND", 704, 0),
    row(b"VUV", 548, 0),
    row(b"WST", 882, 2),
    row(b"XAD", 396, 2),
    row(b"XAF", 950, 0),
    row(b"XCD", 951, 2),
    row(b"XCG", 532, 2),
    row(b"XOF", 952, 0),
    row(b"XPF", 953, 0),
    row(b"YER", 886, 2),
    row(b"YUM", 891, 2).until(2003, 7).renumbered(),
    row(b"ZAR", 710, 2),
    row(b"ZMK", 894, 2).until(2012, 12),
    row(b"ZMW", 967, 2),
    row(b"ZWD", 716, 2).until(2008, 8),
    row(b"ZWG", 924, 2),
    row(b"ZWL", 932, 2).until(2024, 9),
    row(b"ZWN", 942, 2).until(2006, 9),
    row(b"ZWR", 935, 2).until(2009, 6),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_found_again() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for currency in Currency::all() {
            assert_eq!(Currency::from_code(currency.code().as_bytes()), Some(currency));
        }
    }

    #[test]
    fn exponents_follow_the_standard() {
        let exponent = |code: &str| Currency::from_code(code.as_bytes()).unwrap().exponent();
        assert_eq!(
            [exponent("JPY"), exponent("EUR"), exponent("KWD"), exponent("CLF"), exponent("ISK")],
            [0, 2, 3, 4, 0]
        );
        assert_eq!(Currency::from_code(b"eur").unwrap().number(), 978);
    }

    #[test]
    fn withdrawn_currencies_have_the_month_and_the_decimals_of_their_time() {
        let old = |code: &str| {
            let currency = Currency::from_code(code.as_bytes()).unwrap();
            (currency.number(), currency.exponent(), currency.withdrawn())
        };
        // ISO 4217 list three of 2026-01-01; where a code is listed several times, the last month.
        assert_eq!(old("HRK"), (191, 2, Some((2023, 1))));
        assert_eq!(old("DEM"), (276, 2, Some((2002, 3))));
        assert_eq!(old("ITL"), (380, 0, Some((2002, 3))));
        assert_eq!(old("ZWL"), (932, 2, Some((2024, 9))));
        assert_eq!(old("ANG"), (532, 2, Some((2025, 3))));
        assert_eq!(old("VEF"), (937, 2, Some((2018, 8))));
        assert_eq!(old("BGN"), (975, 2, Some((2026, 1))));
        assert_eq!(old("EUR"), (978, 2, None));
    }

    #[test]
    fn no_two_currencies_share_their_own_number() {
        let numbers: std::collections::BTreeSet<u16> = Currency::all().map(Currency::own_number).collect();
        assert_eq!(numbers.len(), Currency::COUNT);
        // Identities of entries hold it: those of the currencies of today stay as they were.
        assert!(
            Currency::all()
                .filter(|one| one.withdrawn().is_none())
                .all(|one| one.own_number() == one.number())
        );
    }

    #[test]
    fn unknown_codes_are_refused() {
        for code in [&b"XXX"[..], b"EU", b"EURO", b"", b"E1R", b"XAU", b"XEU", b"BEF"] {
            assert_eq!(Currency::from_code(code), None);
        }
    }
}
