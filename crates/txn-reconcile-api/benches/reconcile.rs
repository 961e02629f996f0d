//! Benchmarks, without a harness: what they measure is wall time over files of realistic size.
//!
//! ```text
//! cargo bench -p txn-reconcile-api                          throughput of each parser in MB/s
//! cargo bench -p txn-reconcile-api -- generate DIR [ROWS]   ledger.csv and processor.csv for benches/peers/run.py
//! ```

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use txn_reconcile_api::date::Date;
use txn_reconcile_api::formats::{ReadOptions, Reader};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match &args[..] {
        [command, folder, rest @ ..] if command == "generate" => {
            let rows = rest.first().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
            generate(Path::new(folder), rows);
        }
        _ => throughput(),
    }
}

/// Splitmix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Entries of one payout.
const PAYOUT_ENTRIES: usize = 10;

/// Writes a ledger of `rows` entries and a processor's file: of a million, 10,000 settle in 1,000 payouts, 30,000 are
/// booked a day or two later, 10,000 have their fee taken off, 2,000 differ in amount, 7,514 are missing outside and
/// 8,486 inside, which leaves 991,972 rows outside and 20,000 breaks. Other sizes have the same shares.
fn generate(folder: &Path, rows: usize) {
    let share = |of_million: usize| (of_million as u128 * rows as u128 / 1_000_000) as usize;
    let payouts = share(1_000);
    let mut kinds = Vec::with_capacity(rows);
    for (kind, count) in [
        ('b', payouts * PAYOUT_ENTRIES),
        ('d', share(30_000)),
        ('f', share(10_000)),
        ('a', share(2_000)),
        ('m', share(7_514)),
    ] {
        kinds.resize(kinds.len() + count, kind);
    }
    kinds.resize(rows, 'x');
    let mut random = Random(20_260_101);
    for at in (1..rows).rev() {
        kinds.swap(at, random.below(at as u64 + 1) as usize);
    }
    let first = Date::parse_iso(b"2026-01-01").unwrap_or_default();
    let day = |row: usize| (row * 30 / rows.max(1)) as i32;
    let mut ledger = String::from("reference,amount,currency,booking_date,batch\n");
    let mut outside: Vec<(i32, u64, String)> = Vec::with_capacity(rows);
    let mut in_payouts = 0;
    let mut payout_sums = vec![(0u64, 0i32); payouts];
    for (row, kind) in kinds.into_iter().enumerate() {
        let cents = 100 + random.below(500_000);
        let batched = kind == 'b';
        let currency = if batched {
            "EUR"
        } else {
            ["EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "USD", "USD", "GBP"][random.below(10) as usize]
        };
        let reference = format!("TX{row:010}{:02}", random.below(100));
        let on = |day: i32| Date::from_days(first.days() + day).unwrap_or_default();
        let mut batch = String::new();
        if batched {
            // Consecutive entries share a payout, as they do in life.
            let payout = in_payouts / PAYOUT_ENTRIES;
            in_payouts += 1;
            batch = format!("PO{payout:08}");
            payout_sums[payout] = (payout_sums[payout].0 + cents, day(row));
        }
        let _ = writeln!(ledger, "{reference},{},{currency},{},{batch}", money(cents), on(day(row)));
        let (mut amount, mut fee, mut booked) = (cents, 0, day(row));
        match kind {
            'b' | 'm' => continue,
            'd' => booked += 1 + random.below(2) as i32,
            'f' => {
                fee = cents * 29 / 1_000 + 30;
                amount = cents.saturating_sub(fee).max(1);
                fee = cents - amount;
            }
            'a' => amount += 1 + random.below(9_999),
            _ => {}
        }
        let line = format!("{reference},{},{},{currency},{}\n", money(amount), money(fee), on(booked));
        outside.push((booked, random.next(), line));
    }
    for (payout, (cents, booked)) in payout_sums.into_iter().enumerate() {
        let date = Date::from_days(first.days() + booked).unwrap_or_default();
        outside.push((booked, random.next(), format!("PO{payout:08},{},0.00,EUR,{date}\n", money(cents))));
    }
    for extra in 0..share(8_486) {
        let booked = random.below(30) as i32;
        let date = Date::from_days(first.days() + booked).unwrap_or_default();
        let line = format!("XX{extra:010}00,{},0.00,EUR,{date}\n", money(100 + random.below(500_000)));
        outside.push((booked, random.next(), line));
    }
    outside.sort_unstable();
    let mut processor = String::from("reference,amount,fee,currency,booking_date\n");
    outside.iter().for_each(|(_, _, line)| processor.push_str(line));
    let write = |name: &str, text: &str| {
        std::fs::File::create(folder.join(name)).and_then(|mut file| file.write_all(text.as_bytes()))
    };
    for (name, text) in [("ledger.csv", &ledger), ("processor.csv", &processor)] {
        match write(name, text) {
            Ok(()) => println!("{name}: {} rows, {} bytes", text.lines().count() - 1, text.len()),
            Err(error) => println!("{name}: {error}"),
        }
    }
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Reads some tens of megabytes of each format from memory.
fn throughput() {
    for (name, head, record, tail) in samples() {
        let mut text = head;
        let mut number = 0u64;
        while text.len() < 32 << 20 {
            text.push_str(&record.replace("NUMBER", &format!("{number:07}")));
            number += 1;
        }
        text.push_str(&tail);
        let mut best = Duration::MAX;
        let mut entries = 0;
        for _ in 0..3 {
            let start = now();
            let mut reader = Reader::new("bench", ReadOptions::default());
            let read = text
                .as_bytes()
                .chunks(256 << 10)
                .try_for_each(|chunk| reader.push(chunk))
                .and_then(|()| reader.finish());
            match &read {
                Ok(report) => entries = report.collector.entries.len(),
                Err(error) => println!("{name}: {error}"),
            }
            best = best.min(start.elapsed());
            black_box(&read);
        }
        let megabytes_per_second = text.len() as u128 * 1_000 / best.as_nanos().max(1);
        println!("{name:<8} {megabytes_per_second:>6} MB/s  {entries:>8} entries of {number}");
    }
}

/// The clock that a benchmark is about.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time; nothing it prints is part of a result"
)]
fn now() -> Instant {
    Instant::now()
}

/// For each format what stands before, in and behind the records.
fn samples() -> Vec<(&'static str, String, String, String)> {
    let camt_entry = "<Ntry><Amt Ccy=\"EUR\">12.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-05</Dt></BookgDt><ValDt><Dt>2026-01-05</Dt></ValDt><AcctSvcrRef>SVNUMBER</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E2ENUMBER</EndToEndId></Refs><Amt Ccy=\"EUR\">12.50</Amt><RltdPties><Dbtr><Nm>Muster GmbH</Nm></Dbtr></RltdPties><RmtInf><Ustrd>Invoice NUMBER</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n";
    let text = |text: &str| text.to_owned();
    vec![
        (
            "csv",
            text("reference,amount,fee,currency,booking_date\n"),
            text("TX000NUMBER00,1234.50,0.00,EUR,2026-01-05\n"),
            String::new(),
        ),
        (
            "ndjson",
            String::new(),
            text(
                "{\"reference\":\"TX000NUMBER00\",\"amount\":1234.50,\"currency\":\"EUR\",\"date\":\"2026-01-05\"}\n",
            ),
            String::new(),
        ),
        (
            "camt",
            text(
                "<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>\n",
            ),
            text(camt_entry),
            text("</Stmt></BkToCstmrStmt></Document>"),
        ),
        (
            "mt940",
            text(":20:STARTUMS\n:25:37040044/532013000\n:28C:1/1\n:60F:C260104EUR0,00\n"),
            text(
                ":61:2601050105CR12,50NTRFNONREF//B4NUMBER\n:86:166?00SEPA-GUTSCHRIFT?20EREF+E2ENUMBER?21SVWZ+Invoice NUMBER?32Muster GmbH\n",
            ),
            text("-\n"),
        ),
        (
            "bai2",
            text(
                "01,122099999,123456789,260105,0200,1,65,,2/\n02,031001234,122099999,1,260105,2359,USD,2/\n03,0123456,USD,010,0,,/\n",
            ),
            text("16,165,1250,Z,NUMBER,INVNUMBER,PAYMENT FROM MUSTER\n"),
            text("49,0,0/\n98,0,1,0/\n99,0,1,0/\n"),
        ),
        (
            "nacha",
            text(
                "101 091000019 1234567892601051200A094101DEST BANK              ORIGIN                         \n5200ACME CORP                           1234567890PPDPAYMENTS  260105260106   1091000010000001\n",
            ),
            text(
                "62709100001912345678901234567000001250NUMBER        JOHN DOE                0009100001NUMBER0\n",
            ),
            text(
                "820000000000000000000000000000000000000000001234567890                         091000010000001\n",
            ),
        ),
        (
            "stripe",
            text(
                "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,description,automatic_payout_id\n",
            ),
            text(
                "txn_NUMBER,2026-01-05 10:00:00,2026-01-07 00:00:00,eur,100.00,3.20,96.80,charge,ch_NUMBER,Order NUMBER,po_1\n",
            ),
            String::new(),
        ),
        (
            "adyen",
            text(
                "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),Payment Method Variant,Modification Merchant Reference,Batch Number\n",
            ),
            text(
                "Acme,AcmeEU,PSPNUMBER,ORDER-NUMBER,visa,2026-01-05 10:00:00,CET,Settled,,EUR,,100.00,1,EUR,,98.60,,0.40,0.20,0.80,visa,,42\n",
            ),
            String::new(),
        ),
    ]
}
