//! The sample files of every format, read as banks and processors send them, and what is done to hostile ones.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;

use proptest::prelude::*;
use txn_reconcile_api::entry::EntrySet;
use txn_reconcile_api::formats::mapping::{Field, Mapping};
use txn_reconcile_api::formats::statement::sequence_gaps;
use txn_reconcile_api::formats::{
    Collector, Format, Limits, ReadError, ReadOptions, Reader, Severity, TieOut,
};
use txn_reconcile_api::hash;
use txn_reconcile_api::money::AmountSyntax;

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn read_in(bytes: &[u8], options: ReadOptions, chunk: usize) -> Result<(Format, Collector), ReadError> {
    let mut reader = Reader::new("sample", options);
    for chunk in bytes.chunks(chunk) {
        reader.push(chunk)?;
    }
    reader.finish().map(|report| (report.format, report.collector))
}

fn read(bytes: &[u8]) -> Collector {
    read_in(bytes, ReadOptions::default(), 1 << 16).unwrap().1
}

/// Amount, booking date, value date and reference of every entry.
fn lines(set: &EntrySet) -> Vec<String> {
    set.rows()
        .map(|row| {
            let (amount, currency) = (set.amount(row), set.currency(row));
            format!("{amount} {currency} {} {} {}", set.booking(row), set.value(row), set.reference(row))
        })
        .collect()
}

#[test]
fn every_sample_is_recognised_and_reads_the_same_in_pieces_of_any_size() {
    for (name, format) in [
        ("ledger.csv", Format::Csv),
        ("bank.sta", Format::Mt940),
        ("formats/events.ndjson", Format::Ndjson),
        ("formats/statement.camt053.xml", Format::Camt),
        ("formats/notification.camt054.xml", Format::Camt),
        ("formats/dutch.mt940", Format::Mt940),
        ("formats/polish.mt940", Format::Mt940),
        ("formats/cash.bai2", Format::Bai2),
        ("formats/payroll.ach", Format::Nacha),
        ("formats/stripe-payout.csv", Format::Stripe),
        ("formats/adyen-settlement.csv", Format::Adyen),
        ("formats/bank.ofx", Format::Ofx),
        ("formats/cards.ofx", Format::Ofx),
        ("formats/belgian.cod", Format::Coda),
        ("formats/confirmations.fin", Format::Mt940),
        ("formats/paypal.csv", Format::Paypal),
        ("formats/wise.csv", Format::Wise),
    ] {
        let bytes = sample(name);
        let (found, whole) = read_in(&bytes, ReadOptions::default(), usize::MAX).unwrap();
        assert_eq!(found, format, "{name}");
        let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
        for chunk in [1, 7, 64] {
            let pieces = read_in(&bytes, options.clone(), chunk).unwrap().1;
            assert_eq!(lines(&pieces.entries), lines(&whole.entries), "{name} in pieces of {chunk}");
            assert_eq!(pieces.statements, whole.statements, "{name}");
            let places =
                |set: &EntrySet| set.rows().map(|row| (set.raw(row), set.line(row))).collect::<Vec<_>>();
            assert_eq!(places(&pieces.entries), places(&whole.entries), "{name}");
        }
    }
}

/// Every sample, its format, and the same with other line ends.
fn variants() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for name in [
        "ledger.csv",
        "bank.sta",
        "formats/statement.camt053.xml",
        "formats/notification.camt054.xml",
        "formats/dutch.mt940",
        "formats/polish.mt940",
        "formats/cash.bai2",
        "formats/payroll.ach",
        "formats/stripe-payout.csv",
        "formats/adyen-settlement.csv",
        "formats/bank.ofx",
        "formats/cards.ofx",
        "formats/belgian.cod",
        "formats/confirmations.fin",
        "formats/paypal.csv",
        "formats/wise.csv",
    ] {
        let text = String::from_utf8(sample(name)).unwrap().replace("\r\n", "\n");
        all.push((format!("{name} with LF"), text.clone().into_bytes()));
        all.push((format!("{name} with CRLF"), text.replace('\n', "\r\n").into_bytes()));
    }
    all
}

#[test]
fn the_raw_line_is_found_again_and_has_its_hash() {
    for (name, bytes) in variants() {
        let set = read(&bytes).entries;
        assert!(!set.is_empty(), "{name}");
        for row in set.rows() {
            let raw = set.raw(row);
            let start = usize::try_from(raw.offset).unwrap();
            assert_eq!(hash::bytes(0, &bytes[start..start + raw.len as usize]), raw.hash, "{name} row {row}");
        }
    }
}

#[test]
fn raw_lines_are_fetched_again_whatever_they_are_packed_in() {
    for (name, bytes) in variants() {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&bytes).unwrap();
        let wide: Vec<u8> = "\u{feff}"
            .chars()
            .chain(text.chars())
            .collect::<String>()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut forms = vec![("plain", bytes), ("gzip", packer.finish().unwrap())];
        // An XML file names its encoding itself.
        if !text.starts_with("<?xml") {
            forms.push(("utf-16", wide));
        }
        for (form, bytes) in forms {
            let set = read(&bytes).entries;
            let places = set.rows().map(|row| set.raw(row)).collect();
            let mut fetching = Reader::fetch("sample", ReadOptions::default(), places);
            bytes.chunks(11).try_for_each(|chunk| fetching.push(chunk)).unwrap();
            let lines = fetching.finish().unwrap().collector.raw;
            assert!(!set.is_empty(), "{name}, {form}");
            for row in set.rows() {
                let line = lines.get(set.raw(row)).unwrap_or_else(|| panic!("{name}, {form}, row {row}"));
                assert!(text.contains(&line), "{name}, {form}: {line}");
            }
        }
    }
}

#[test]
fn a_file_that_changed_in_between_shows_no_raw_line() {
    let bytes = sample("ledger.csv");
    let set = read(&bytes).entries;
    let changed = String::from_utf8(bytes).unwrap().replace('1', "2");
    let mut fetching = Reader::fetch("sample", ReadOptions::default(), vec![set.raw(0)]);
    fetching.push(changed.as_bytes()).unwrap();
    assert_eq!(fetching.finish().unwrap().collector.raw.get(set.raw(0)), None);
}

#[test]
fn line_ends_and_wide_characters_change_nothing() {
    for pair in variants().chunks(2) {
        let [(name, unix), (_, dos)] = pair else { unreachable!() };
        assert_eq!(lines(&read(unix).entries), lines(&read(dos).entries), "{name}");
        assert_eq!(read(unix).statements.len(), read(dos).statements.len(), "{name}");
        let ties = |bytes: &[u8]| -> Vec<TieOut> {
            read(bytes).statements.iter().map(|statement| statement.tie_out()).collect()
        };
        assert_eq!(ties(unix), ties(dos), "{name}");
    }
    let ledger = String::from_utf8(sample("ledger.csv")).unwrap();
    for join in [u16::to_le_bytes, u16::to_be_bytes] {
        let wide: Vec<u8> = ledger.encode_utf16().flat_map(join).collect();
        assert_eq!(lines(&read(&wide).entries), lines(&read(ledger.as_bytes()).entries));
    }
}

#[test]
fn mt940_of_banks_that_write_it_their_own_way() {
    let statement = |lines: &str, closing: &str| {
        format!(":20:S\n:25:1/2\n:28C:1/1\n:60F:C260227EUR100,00\n{lines}:62F:C260302{closing}\n-\n")
    };
    let only = |lines: &str, closing: &str| {
        let found = read(statement(lines, closing).as_bytes());
        assert_eq!(found.statements[0].tie_out(), TieOut::Ties, "{lines}");
        (self::lines(&found.entries), found)
    };
    // Interest is counted in months of thirty days.
    let (entries, found) = only(":61:2602300227DR6,00N024NONREF\n", "EUR94,00");
    assert_eq!(entries, ["-600 EUR 2026-02-27 2026-02-28 "]);
    assert_eq!(found.diagnostics.kept()[0].code, "date-thirtieth");
    // The closing balance leaves out the currency that the opening balance has named.
    assert_eq!(only(":61:260302C5,NMSCREF1\n", "105,00").0, ["500 EUR 2026-03-02 2026-03-02 REF1"]);
    // The line is broken before the amount.
    assert_eq!(
        only(":61:2603020302CR\n30,00NTRFREF2\n", "EUR130,").0,
        ["3000 EUR 2026-03-02 2026-03-02 REF2"]
    );
    // Blanks in place of the entry date, and the bank's number, which is no reference.
    assert_eq!(
        only(":61:260302    D65,00NMSCNONREF//B-1\n/ABC/DEF\n", "EUR35,00").0,
        ["-6500 EUR 2026-03-02 2026-03-02 "]
    );
    // Subfields behind `>`.
    let (_, found) =
        only(":61:260302D15,70N000NONREF\n:86:000>100987654321\n>20RENT >21MARCH>32Landlord\n", "EUR84,30");
    assert_eq!(
        (found.entries.description(0), found.entries.counterparty(0)),
        ("RENT MARCH NONREF", "Landlord")
    );
}

#[test]
fn bai2_continues_behind_other_marks_and_version_3_reads_as_well() {
    let file = "01,1,2,260105,0200,1,,,3/\n02,,1,1,260105,,,2/\n03,9876,CAD,010,500,,,015,750,,/\n\
                16,399,250,0,,,/\n88:EREF: 0737\n49,1500,4/\n98,1500,1,6/\n99,1500,1,8/\n";
    let found = read(file.as_bytes());
    assert_eq!(lines(&found.entries), ["250 CAD 2026-01-05 2026-01-05 "]);
    assert_eq!((found.diagnostics.kept(), found.statements[0].tie_out()), (&[][..], TieOut::Ties));
    assert!(found.entries.description(0).contains("0737"));
    // A comma too many at the end of a line that is continued.
    let file = "01,1,2,260105,0200,1,,,2/\n02,1,2,1,260105,,USD,2/\n03,9876,USD,010,500,,,015,750,,,/\n\
                88,040,400,,,045,700,,,/\n16,142,250,,7,/\n49,2600,4/\n98,2600,1,6/\n99,2600,1,8/\n";
    let found = read(file.as_bytes());
    assert_eq!((found.diagnostics.kept(), found.statements[0].tie_out()), (&[][..], TieOut::Ties));
}

#[test]
fn nacha_accounting_advices_have_wider_sums() {
    let record = |text: &str| format!("{text:<94}\n");
    let file = [
        "101 231380104 1210428821908161055A094101FEDERAL RESERVE BANK   MY BANK",
        "5280COMPANY NAME                        121042882 ADVACCOUNTING      190816   0121042880000001",
        "681231380104744-5678-99    00000005000012104288211131 NAME                    0011000010500001",
        "682231380104744-5678-99    00000025000012104288211139 NAME                    0011000010500002",
        "828000000200462760200000000000000025000000000000000000050000COMPANY NAME       121042880000001",
        "90000010000010000000200462760200000000000000025000000000000000000050000",
    ]
    .map(record)
    .concat();
    let found = read(file.as_bytes());
    let amounts: Vec<i128> = found.entries.rows().map(|row| found.entries.amount(row)).collect();
    assert_eq!(amounts, [50_000, -250_000]);
    assert_eq!(found.statements[0].tie_out(), TieOut::Ties);
    assert_eq!(found.diagnostics.kept(), []);
}

/// An archive as writers make it: sizes in the header, or behind the data.
fn zip(name: &str, bytes: &[u8], deflate: bool, behind: bool) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let body = if deflate {
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    } else {
        bytes.to_vec()
    };
    let [packed, size] = [body.len(), bytes.len()].map(|length| u32::try_from(length).unwrap().to_le_bytes());
    let sums = [crc.sum().to_le_bytes(), packed, size].concat();
    let mut file = b"PK\x03\x04\x14\0".to_vec();
    file.extend([if behind { 8 } else { 0 }, 0, if deflate { 8 } else { 0 }, 0, 0, 0, 0, 0]);
    file.extend(if behind { vec![0; 12] } else { sums.clone() });
    file.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    file.extend([0, 0]);
    file.extend(name.bytes());
    file.extend(body);
    if behind {
        file.extend(b"PK\x07\x08");
        file.extend(&sums);
    }
    let list = u32::try_from(file.len()).unwrap();
    file.extend(b"PK\x01\x02\x14\0\x14\0\0\0");
    file.extend([if deflate { 8 } else { 0 }, 0, 0, 0, 0, 0]);
    file.extend(sums);
    file.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    file.extend([0; 16]);
    file.extend(name.bytes());
    let length = u32::try_from(file.len()).unwrap() - list;
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend([length.to_le_bytes(), list.to_le_bytes()].concat());
    file.extend([0, 0]);
    file
}

#[test]
fn archives_of_one_file_are_unpacked_and_hostile_ones_refused() {
    let bytes = sample("bank.sta");
    let plain = lines(&read(&bytes).entries);
    for (deflate, behind) in [(false, false), (true, false), (true, true)] {
        let single = zip("bank.sta", &bytes, deflate, behind);
        for chunk in [1, 5, 1 << 16] {
            let read = read_in(&single, ReadOptions::default(), chunk).unwrap().1;
            assert_eq!(lines(&read.entries), plain, "{deflate} {behind} {chunk}");
        }
        let two = [single.clone(), single.clone()].concat();
        assert!(matches!(read_in(&two, ReadOptions::default(), 1 << 16), Err(ReadError::Archive(_))));
        let more = [&single[..], b"x"].concat();
        assert!(matches!(read_in(&more, ReadOptions::default(), 1 << 16), Err(ReadError::Archive(_))));
        let cut = &single[..single.len() / 2];
        assert_eq!(read_in(cut, ReadOptions::default(), 1 << 16).err(), Some(ReadError::Damaged));
        let mut damaged = single;
        damaged[60] ^= 1;
        assert!(read_in(&damaged, ReadOptions::default(), 1 << 16).is_err());
    }
    let bomb = zip(
        "bomb.csv",
        &[b"reference,amount,currency,date\n".to_vec(), vec![b'\n'; 8 << 20]].concat(),
        true,
        false,
    );
    assert!(matches!(read_in(&bomb, ReadOptions::default(), 1 << 16), Err(ReadError::Bomb { .. })));
    let mut locked = zip("bank.sta", &bytes, true, false);
    locked[6] |= 1;
    assert!(matches!(read_in(&locked, ReadOptions::default(), 1 << 16), Err(ReadError::Archive(_))));
    // A text that only begins like an archive.
    assert_eq!(read(b"PK,amount,currency,date\nA,1.00,EUR,2026-01-02\n").entries.len(), 1);
}

#[test]
fn what_is_not_read_is_refused_with_the_way_round_it() {
    let refusal = |bytes: &[u8]| read_in(bytes, ReadOptions::default(), 7).unwrap_err().to_string();
    for part in ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "docProps/app.xml", "mimetype"] {
        for deflate in [true, false] {
            let refused = refusal(&zip(part, b"<Types/>", deflate, false));
            assert!(
                refused.starts_with("a spreadsheet is not read") && refused.contains("CSV"),
                "{part}: {refused}"
            );
        }
    }
    assert!(refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on").starts_with("a spreadsheet is not read"));
    assert!(refusal(b"%PDF-1.7\n1 0 obj").starts_with("a PDF is not read"));
    let unknown = refusal(b"hello");
    for format in Format::ALL {
        assert!(unknown.contains(format.name()), "{unknown}");
    }
}

#[test]
fn camt_is_read_down_to_its_details() {
    let found = read(&sample("formats/statement.camt053.xml"));
    let set = &found.entries;
    assert_eq!(
        lines(set),
        [
            "15000 EUR 2026-11-02 2026-11-02 E2E-1",
            "15000 EUR 2026-11-02 2026-11-02 RF18539007547034",
            "10000 EUR 2026-11-02 2026-11-02 E2E-3",
            "-2000 EUR 2026-11-02 2026-11-02 E2E-R",
            "-1450 EUR 2026-11-02 2026-11-02 ",
            "9900 EUR 2026-11-03 2026-11-03 ",
        ]
    );
    assert_eq!((set.group(0), set.counterparty(0), set.kind(3)), ("BATCH-77", "Alpha & Co", "reversal"));
    assert_eq!(set.ignored().len(), 1, "the pending entry");
    assert_eq!(found.statements[0].tie_out(), TieOut::Ties);
    assert_eq!(found.diagnostics.kept()[0].code, "details-off");
}

#[test]
fn mt940_reversals_year_rollover_and_dialects() {
    let dutch = read(&sample("formats/dutch.mt940"));
    assert_eq!(
        lines(&dutch.entries),
        [
            "-900 EUR 2026-01-02 2025-12-31 F-2025-881",
            "10000 EUR 2026-01-02 2026-01-02 ",
            "50 EUR 2025-12-31 2026-01-02 XYZ",
        ]
    );
    assert_eq!((dutch.entries.counterparty(0), dutch.entries.kind(1)), ("Jansen BV", "reversal"));
    assert!(dutch.statements.iter().all(|statement| statement.tie_out() == TieOut::Ties));
    let statements: Vec<_> = dutch.statements.iter().collect();
    assert_eq!(sequence_gaps(&statements).len(), 1);
    let polish = read(&sample("formats/polish.mt940"));
    assert_eq!(polish.entries.description(0), "Faktura 77/2026");
    assert_eq!(polish.entries.counterparty(0), "Kowalski Jan");
    let german = read(&sample("bank.sta"));
    assert_eq!(
        (german.entries.reference(0), german.entries.counterparty(0)),
        ("INV-2026-0101", "Alpha Trading GmbH")
    );
    assert_eq!(german.entries.amount(6), -8_990, "a reversed credit takes money out");
    assert_eq!(german.statements[0].tie_out(), TieOut::Ties);
}

#[test]
fn bai2_continuations_groups_and_funds_types() {
    let found = read(&sample("formats/cash.bai2"));
    assert_eq!(
        lines(&found.entries),
        [
            "100000 USD 2026-11-01 2026-11-01 CUST-1",
            "50000 USD 2026-11-01 2026-11-01 CUST-2",
            "-22000 USD 2026-11-01 2026-11-01 000123",
            "-700 CAD 2026-11-02 2026-11-02 C9",
        ]
    );
    assert_eq!(found.entries.description(0), "ACME PAYMENT, PART 1 AND PART 2");
    assert_eq!(found.diagnostics.kept(), []);
    assert!(
        found.statements.iter().all(|statement| statement.tie_out() == TieOut::Ties),
        "{:?}",
        found.statements
    );
    let wrong =
        String::from_utf8(sample("formats/cash.bai2")).unwrap().replace("49,1472000,7", "49,1472001,6");
    let TieOut::Off(faults) = read(wrong.as_bytes()).statements[0].tie_out() else {
        panic!("it must be off")
    };
    assert_eq!(faults.len(), 2);
}

#[test]
fn nacha_with_and_without_line_ends() {
    let bytes = sample("formats/payroll.ach");
    let found = read(&bytes);
    let expected = ["-150000 USD 2026-11-03 2026-11-03 EMP-1", "2500 USD 2026-11-03 2026-11-03 CUST-9"];
    assert_eq!(lines(&found.entries), expected);
    assert_eq!(found.entries.description(1), "INVOICE 77 NOVEMBER");
    assert_eq!(found.statements[0].tie_out(), TieOut::Ties);
    assert_eq!(found.cards_count, 0, "routing, trace and account numbers are no card numbers");
    let joined: Vec<u8> = bytes.into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    assert_eq!(lines(&read(&joined).entries), expected);
}

#[test]
fn processors_reports_check_their_own_arithmetic() {
    let stripe = read(&sample("formats/stripe-payout.csv"));
    assert_eq!(
        lines(&stripe.entries),
        [
            "10000 EUR 2026-11-02 2026-11-04 ORD-1",
            "-2500 EUR 2026-11-02 2026-11-04 ORD-0",
            "500 JPY 2026-11-02 2026-11-04 ch_3",
        ]
    );
    assert_eq!((stripe.entries.fee(0), stripe.entries.group(0)), (320, "po_1"));
    assert_eq!(stripe.diagnostics.kept()[0].code, "net-off");
    let adyen = read(&sample("formats/adyen-settlement.csv")).entries;
    assert_eq!(
        (adyen.amount(0), adyen.fee(0), adyen.reference(0), adyen.group(0)),
        (10_000, 140, "ORDER-1", "42")
    );
    assert_eq!((adyen.amount(1), adyen.fee(1)), (-3_000, 10));
    assert_eq!((adyen.amount(3), adyen.kind(3)), (-11_250, "MerchantPayout"));
}

#[test]
fn a_german_export_needs_a_mapping_and_no_cleaning() {
    let mapping = Mapping {
        amounts: AmountSyntax { decimal: b',', grouping: Some(b'.'), surplus_zeros: false },
        dates: txn_reconcile_api::date::DateFormat::compile("DD.MM.YYYY").unwrap(),
        ..Mapping::default()
    };
    let options = ReadOptions { mapping: Some(mapping), ..ReadOptions::default() };
    let found = read_in(&sample("formats/german.csv"), options, 100).unwrap().1;
    assert_eq!(
        lines(&found.entries),
        ["123456 EUR 2026-11-02 2026-11-03 ", "-4500 EUR 2026-11-03 2026-11-03 "]
    );
    assert_eq!(found.entries.counterparty(0), "Müller & Söhne");
    assert_eq!(found.entries.description(0), "Rechnung \"4711\"; danke");
    let bad = &found.diagnostics.kept()[0];
    assert_eq!((bad.line, bad.column.as_str(), bad.code), (7, "Buchungstag", "date-malformed"));
}

#[test]
fn json_keys_are_mapped_by_path_and_keep_every_digit() {
    let columns = [
        (Field::Reference, "meta.order"),
        (Field::Amount, "amount.value"),
        (Field::Currency, "amount.currency"),
        (Field::BookingDate, "when"),
    ];
    let mapping = Mapping {
        columns: columns.map(|(field, path)| (field, path.to_owned())).to_vec(),
        ..Mapping::default()
    };
    let options = ReadOptions { mapping: Some(mapping), ..ReadOptions::default() };
    let found = read_in(&sample("formats/events.ndjson"), options, 10).unwrap().1;
    assert_eq!(
        lines(&found.entries),
        ["1250 EUR 2026-11-02 2026-11-02 ORD-1", "7 JPY 2026-11-03 2026-11-03 ORD-2"]
    );
    let codes: Vec<_> = found.diagnostics.kept().iter().map(|remark| (remark.line, remark.code)).collect();
    assert_eq!(codes, [(3, "amount-too-precise"), (4, "json-malformed")]);
}

/// Open Financial Exchange 2.3, chapter 11: both notations, and both kinds of statement.
#[test]
fn ofx_of_both_notations() {
    let bank = read(&sample("formats/bank.ofx"));
    let set = &bank.entries;
    assert_eq!(
        lines(set),
        [
            "125000 USD 2026-11-02 2026-11-02 INV-2026-0101",
            "-7550 USD 2026-11-03 2026-11-04 1071",
            "-200 USD 2026-11-04 2026-11-04 ",
        ]
    );
    assert_eq!(
        (set.counterparty(0), set.account(0), set.kind(2)),
        ("Alpha Trading & Co", "000-1234567", "FEE")
    );
    assert_eq!((set.details(0), set.details(1)), ("bank=F-1", "cheque=1071\nbank=F-2"));
    let statement = &bank.statements[0];
    assert_eq!((statement.entries, statement.sum, statement.closing.unwrap().minor), (3, 117_250, 317_250));
    assert_eq!(statement.tie_out(), TieOut::NotStated);
    let cards = read(&sample("formats/cards.ofx"));
    let set = &cards.entries;
    assert_eq!(lines(set), ["-1050 EUR 2026-11-02 2026-11-02 ", "9900 GBP 2026-11-03 2026-11-03 "]);
    assert_eq!((set.counterparty(0), set.account(0)), ("Café", "ACC-77"));
    assert!(set.details(1).contains("counterparty_account=DE89370400440532013000"));
    assert_eq!(cards.statements[0].closing.unwrap().minor, -1_050);
    let whole = String::from_utf8(sample("formats/bank.ofx")).unwrap();
    let changed = |from: &str, to: &str| {
        let found = read(whole.replacen(from, to, 1).as_bytes());
        (found.entries.len(), found.diagnostics.kept().first().map(|remark| remark.code))
    };
    assert_eq!(changed("<TRNAMT>1250.00", "<TRNAMT>1250.001"), (2, Some("amount-malformed")));
    assert_eq!(changed("<DTPOSTED>20261103", "<DTPOSTED>3.11.2026"), (2, Some("date-malformed")));
    assert_eq!(changed("<DTAVAIL>20261104", "<DTAVAIL>soon"), (2, Some("date-malformed")));
    assert_eq!(changed("<CURDEF>USD", "<CURDEF>dollars"), (0, Some("currency-missing")));
    let cut = whole.split_once("</BANKTRANLIST>").unwrap().0;
    assert!(read_in(cut.as_bytes(), ReadOptions::default(), 1 << 16).is_err());
}

#[test]
fn an_array_of_objects_reads_like_its_objects_on_lines() {
    let objects = [
        r#"{"reference":"A]}","amount":"1.00","currency":"EUR","date":"2026-01-05","more":{"x":[1,{"y":"\\\"}"}]}}"#,
        r#"{"reference":"B","amount":"2.00","currency":"EUR","date":"2026-01-06"}"#,
    ];
    let plain = read(objects.join("\n").as_bytes());
    for text in [
        format!("[{}]", objects.join(",")),
        format!("\u{feff} [\n  {}\n ,\n  {} ]\n\n", objects[0], objects[1]),
        format!("[\r\n{},\r\n{}\r\n]", objects[0], objects[1]),
    ] {
        for chunk in [1, 3, 1 << 16] {
            let found = read_in(text.as_bytes(), ReadOptions::default(), chunk).unwrap().1;
            assert_eq!(lines(&found.entries), lines(&plain.entries), "{text}");
            for row in found.entries.rows() {
                let raw = found.entries.raw(row);
                let stored = text.trim_start_matches('\u{feff}');
                let shift = text.len() - stored.len();
                let start = usize::try_from(raw.offset).unwrap();
                let at = [start, start.saturating_sub(shift)].into_iter().find(|at| {
                    text.as_bytes()
                        .get(*at..at + raw.len as usize)
                        .is_some_and(|bytes| hash::bytes(0, bytes) == raw.hash)
                });
                assert!(at.is_some(), "{text}");
            }
        }
    }
    assert_eq!(read(b"[]").entries.len(), 0);
    for bad in ["[{}", "[{},", "[{}] x", "[{} {}]", "[1]", "[{},]", "[{\"a\":\"", "[,{}]"] {
        let options = ReadOptions { format: Some(Format::Ndjson), ..ReadOptions::default() };
        assert!(read_in(bad.as_bytes(), options, 1 << 16).is_err(), "{bad}");
    }
    let card =
        read(br#"[{"reference":"4111111111111111","amount":"1.00","currency":"EUR","date":"2026-01-05"}]"#);
    assert_eq!((card.cards_count, card.entries.len()), (1, 0));
}

#[test]
fn card_numbers_are_reported_by_place_and_never_repeated() {
    let text = "reference,amount,currency,date,note\nA,1.00,EUR,2026-01-01,ok\nB,1.00,EUR,2026-01-01,card 4111 1111 1111 1111\n";
    let found = read(text.as_bytes());
    assert_eq!((found.cards_count, found.cards[0].line, found.cards[0].column.as_str()), (1, 3, "note"));
    assert_eq!(found.entries.len(), 1);
    assert!(!format!("{found:?}").contains("4111"));
    let named = read(b"reference,amount,currency,date,cvv\nA,1.00,EUR,2026-01-01,123\n");
    assert_eq!((named.cards_count, named.cards[0].line), (1, 1));
}

/// A card that stands on its own anywhere in any sample file stops the file, and its digits are in no message.
#[test]
fn a_card_inserted_anywhere_in_a_sample_is_refused() {
    const CARD: &str = "4111111111111111";
    // The fields of NACHA and CODA stand at fixed places: what is inserted moves them.
    for (name, format) in SAMPLES.iter().filter(|(_, format)| !matches!(format, Format::Nacha | Format::Coda))
    {
        let bytes = sample(name);
        let beside = |at: usize| bytes.get(at).is_none_or(|byte| !byte.is_ascii_digit() && byte.is_ascii());
        for at in (0..=bytes.len()).filter(|at| beside(*at) && (*at == 0 || beside(at - 1))) {
            let changed = [&bytes[..at], CARD.as_bytes(), &bytes[at..]].concat();
            let options = ReadOptions { format: Some(*format), ..ReadOptions::default() };
            let said = match read_in(&changed, options, 1 << 16) {
                Ok((_, found)) => {
                    assert!(found.cards_count > 0, "{name} at {at}");
                    format!("{:?} {:?}", found.cards, found.diagnostics)
                }
                Err(error) => format!("{error:?}"),
            };
            assert!(!said.contains("41111"), "{name} at {at}: {said}");
        }
    }
}

/// What stands in a field of CODA is found by the field, although digits stand before and behind it without a mark; and
/// what goes on from one record to the next.
#[test]
fn a_card_in_any_field_of_a_coda_record_is_refused() {
    let text = String::from_utf8(sample("formats/belgian.cod")).unwrap();
    let clean = read(text.as_bytes());
    assert_eq!((clean.cards_count, clean.diagnostics.rejected()), (0, 0), "{:?}", clean.diagnostics);
    let with = |line: usize, from: usize, what: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[line].replace_range(from..from + what.len(), what);
        lines.join("\n") + "\n"
    };
    let card = "4111111111111111";
    // Account, bank's number, communication, customer reference, other account, name, information, free text.
    for (line, from) in [(1, 5), (2, 10), (5, 62), (7, 63), (8, 10), (8, 47), (16, 40), (18, 32)] {
        let found = read(with(line, from, card).as_bytes());
        assert!(found.cards_count > 0, "line {line}, position {from}");
        assert!(!format!("{:?} {:?}", found.cards, found.diagnostics).contains("41111"));
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[6].replace_range(107..115, "41111111");
    lines[7].replace_range(10..18, "11111111");
    assert!(read((lines.join("\n") + "\n").as_bytes()).cards_count > 0, "over the end of a record");
    let exempt = Mapping { exempt: vec!["23".to_owned()], ..Mapping::default() };
    let options = ReadOptions { mapping: Some(exempt), ..ReadOptions::default() };
    assert_eq!(read_in(with(8, 10, card).as_bytes(), options, 1 << 16).unwrap().1.cards_count, 0);
}

#[test]
fn an_exemption_is_for_card_numbers_of_one_column_of_any_format() {
    let read = |bytes: &[u8], column: &str| {
        let mapping = Mapping { exempt: vec![column.to_owned()], ..Mapping::default() };
        read_in(bytes, ReadOptions { mapping: Some(mapping), ..ReadOptions::default() }, 1 << 16).unwrap().1
    };
    let csv = |reference: &str, note: &str| {
        format!("reference,amount,currency,date,note\n{reference},1.00,EUR,2026-01-01,{note}\n").into_bytes()
    };
    let card = "4111111111111111";
    assert_eq!(read(&csv(card, ""), "reference").cards_count, 0);
    assert_eq!(read(&csv("", card), "reference").cards_count, 1);
    for track in [";4111111111111111=25121010000012300000?", "%B4111111111111112^DOE/J^2512101000"] {
        assert_eq!(read(&csv(track, ""), "reference").cards[0].what.name(), "magnetic-stripe data");
    }
    let mt940 = String::from_utf8(sample("bank.sta")).unwrap().replace("37040044/0532013000", card);
    assert_eq!((read(mt940.as_bytes(), "25").cards_count, read(mt940.as_bytes(), "20").cards_count), (0, 1));
    let nacha = String::from_utf8(sample("formats/payroll.ach")).unwrap().replace("000123456789    ", card);
    assert_eq!((read(nacha.as_bytes(), "6").cards_count, read(nacha.as_bytes(), "7").cards_count), (0, 1));
    let camt = String::from_utf8(sample("formats/statement.camt053.xml")).unwrap();
    let camt = camt.replace("<IBAN>DE89370400440532013000</IBAN>", &format!("<Othr><Id>{card}</Id></Othr>"));
    assert_eq!(
        (read(camt.as_bytes(), "Othr/Id").cards_count, read(camt.as_bytes(), "Id").cards_count),
        (0, 1)
    );
}

#[test]
fn gzip_is_unpacked_and_bombs_and_damage_are_refused() {
    let pack = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let plain = sample("ledger.csv");
    let packed = pack(&plain);
    assert_eq!(lines(&read(&packed).entries), lines(&read(&plain).entries));
    assert_eq!(
        read_in(&packed[..packed.len() - 9], ReadOptions::default(), 64).err(),
        Some(ReadError::Damaged)
    );
    let mut blank = b"reference,amount,currency,date\n".to_vec();
    blank.resize(64 << 20, b'\n');
    let bomb = pack(&blank);
    assert_eq!(read_in(&bomb, ReadOptions::default(), 1 << 16).err(), Some(ReadError::Bomb { limit: 200 }));
}

#[test]
fn depth_size_and_record_length_are_bounded() {
    let deep = format!("<Document><BkToCstmrStmt>{}", "<a>".repeat(100));
    assert!(matches!(read_in(deep.as_bytes(), ReadOptions::default(), 50), Err(ReadError::TooDeep { .. })));
    let limits = Limits { total_bytes: 100, ..Limits::default() };
    let options = ReadOptions { limits, ..ReadOptions::default() };
    assert!(matches!(read_in(&sample("ledger.csv"), options, 50), Err(ReadError::TooLarge { .. })));
    let endless = format!("reference,amount,currency,date\n{}", "x".repeat(2 << 20));
    assert!(matches!(
        read_in(endless.as_bytes(), ReadOptions::default(), 1 << 16),
        Err(ReadError::RecordTooLong { .. })
    ));
    let dtd = b"<!DOCTYPE Document [<!ENTITY a \"b\">]><Document>camt.053 BkToCstmr";
    assert!(matches!(read_in(dtd, ReadOptions::default(), 9), Err(ReadError::Dtd { .. })));
}

#[test]
fn a_stray_quote_costs_one_row() {
    let mut text =
        String::from("reference,amount,currency,date\nA,1.00,EUR,2026-01-01\n\"B,1.00,EUR,2026-01-01\n");
    (0..6_000).for_each(|n| text.push_str(&format!("C{n},1.00,EUR,2026-01-01\n")));
    let found = read_in(text.as_bytes(), ReadOptions::default(), 1 << 14).unwrap().1;
    assert_eq!(found.entries.len(), 6_001);
    assert_eq!(found.diagnostics.rejected(), 1);
    assert_eq!(found.diagnostics.kept()[0].severity, Severity::Rejected);
}

fn any_format() -> impl Strategy<Value = Format> {
    proptest::sample::select(&Format::ALL[..])
}

const SAMPLES: [(&str, Format); 15] = [
    ("ledger.csv", Format::Csv),
    ("formats/events.ndjson", Format::Ndjson),
    ("formats/statement.camt053.xml", Format::Camt),
    ("formats/dutch.mt940", Format::Mt940),
    ("bank.sta", Format::Mt940),
    ("formats/cash.bai2", Format::Bai2),
    ("formats/payroll.ach", Format::Nacha),
    ("formats/stripe-payout.csv", Format::Stripe),
    ("formats/adyen-settlement.csv", Format::Adyen),
    ("formats/bank.ofx", Format::Ofx),
    ("formats/cards.ofx", Format::Ofx),
    ("formats/belgian.cod", Format::Coda),
    ("formats/confirmations.fin", Format::Mt940),
    ("formats/paypal.csv", Format::Paypal),
    ("formats/wise.csv", Format::Wise),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), format in any_format(), chunk in 1usize..64) {
        let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
        let _ = read_in(&bytes, options, chunk);
        let _ = read_in(&bytes, ReadOptions::default(), chunk);
    }

    #[test]
    fn damaged_samples_never_panic(which in 0..SAMPLES.len(), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..12), chunk in 1usize..200) {
        let (name, format) = SAMPLES[which];
        let mut bytes = sample(name);
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
        let _ = read_in(&bytes, options, chunk);
    }
}
