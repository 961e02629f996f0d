//! What a controller trips over, case by case: the text of a file, and what has to come of it. Each case names the
//! standard or the guide that says so.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Row, kinds, links, pass, row, rules, run, run_with};
use txn_reconcile_api::engine::{Options, Outcome, Side, carry, reconcile};
use txn_reconcile_api::entry::details::{self, Detail};
use txn_reconcile_api::entry::{EntrySet, IgnoreReason};
use txn_reconcile_api::formats::mapping::{Mapping, MappingFile};
use txn_reconcile_api::formats::{Collector, ReadError, ReadOptions, Reader, TieOut};
use txn_reconcile_api::rules::{Ruleset, load, standard};
use txn_reconcile_api::service::records;

fn read_as(name: &str, text: &str, mapping: Option<MappingFile>) -> Result<Collector, ReadError> {
    let mapping = mapping.map(|file| Mapping::compile(&file).unwrap());
    let mut reader = Reader::new(name, ReadOptions { mapping, ..ReadOptions::default() });
    reader.push(text.as_bytes())?;
    reader.finish().map(|report| report.collector)
}

fn read(text: &str) -> Collector {
    read_as("file", text, None).unwrap()
}

fn amounts(found: &Collector) -> Vec<i128> {
    found.entries.rows().map(|row| found.entries.amount(row)).collect()
}

/// Codes of the remarks, with the line and column of each.
fn remarks(found: &Collector) -> Vec<(u64, &str, &str)> {
    found.diagnostics.kept().iter().map(|remark| (remark.line, remark.column.as_str(), remark.code)).collect()
}

fn ties(found: &Collector) -> bool {
    !found.statements.is_empty() && found.statements.iter().all(|one| one.tie_out() == TieOut::Ties)
}

fn detail(set: &EntrySet, row: u32, wanted: Detail) -> &str {
    details::find(set.details(row), wanted)
}

fn reconciled(left: &str, right: &[&str], rules: &Ruleset) -> Outcome {
    let mut all = EntrySet::default();
    for (number, text) in right.iter().enumerate() {
        all.append(read_as(&format!("right-{number}"), text, None).unwrap().entries).unwrap();
    }
    let left = read_as("left", left, None).unwrap().entries;
    reconcile(left, all, rules, &Options { threads: 1, ..Options::default() }).unwrap()
}

// ---- Nothing is guessed

#[test]
fn a_direction_is_one_of_the_known_words_or_the_row_is_refused() {
    for word in ["out", "OUTGOING", "debet", "withdrawal", "", " ", "in", "Belastung", "-"] {
        let found = read(&format!("date,amount,currency,direction\n2026-01-05,10.00,EUR,{word}\n"));
        assert_eq!(
            (amounts(&found), remarks(&found)),
            (vec![], vec![(2, "direction", "direction-unknown")]),
            "{word}"
        );
        let message = &found.diagnostics.kept()[0].message;
        assert!(message.contains("DEBIT") && message.contains("CRDT"), "{message}");
        assert!(word.len() < 4 || !message.contains(word), "no value is repeated: {message}");
    }
    // A row that ends before the column is blank there.
    assert_eq!(remarks(&read("date,amount,currency,direction\n2026-01-05,10.00,EUR\n")).len(), 1);
    for (word, amount) in
        [("D", -1_000), ("dbit", -1_000), ("Soll", -1_000), ("CRDT", 1_000), ("haben", 1_000), ("Bij", 1_000)]
    {
        let found = read(&format!("date,amount,currency,direction\n2026-01-05,10.00,EUR,{word}\n"));
        assert_eq!(amounts(&found), [amount], "{word}");
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let own = MappingFile {
        debit_words: words(&["raus"]),
        credit_words: words(&["rein"]),
        ..MappingFile::default()
    };
    let text = "date,amount,currency,direction\n2026-01-05,10.00,EUR,RAUS\n2026-01-05,3.00,EUR,rein\n2026-01-05,3.00,EUR,D\n";
    let found = read_as("x", text, Some(own)).unwrap();
    assert_eq!((amounts(&found), found.diagnostics.rejected()), (vec![-1_000, 300], 1));
}

#[test]
fn a_direction_that_some_objects_lack_is_refused_in_json_as_well() {
    let line = |direction: &str| {
        format!("{{\"date\":\"2026-01-05\",\"amount\":\"1.00\",\"currency\":\"EUR\"{direction}}}\n")
    };
    let (with, without, blank) = (line(",\"direction\":\"DBIT\""), line(""), line(",\"direction\":\"\""));
    assert_eq!(amounts(&read(&(with.clone() + &with))), [-100, -100]);
    assert_eq!(amounts(&read(&(without.clone() + &without))), [100, 100]);
    assert_eq!(read(&(with.clone() + &without + &blank)).diagnostics.rejected(), 2);
    assert_eq!(read(&(without + &with)).diagnostics.rejected(), 1);
    let twice = "{\"date\":\"2026-01-05\",\"amount\":\"1.00\",\"amount\":\"2.00\",\"currency\":\"EUR\"}\n";
    assert_eq!(remarks(&read(twice)), [(1, "amount", "key-twice")]);
}

#[test]
fn a_sign_beside_a_direction_is_not_guessed() {
    let text = |rows: &str| format!("date,amount,currency,direction\n{rows}");
    let row = |amount: &str, word: &str| format!("2026-01-05,{amount},EUR,{word}\n");
    // Repeated throughout, it says nothing new.
    assert_eq!(
        amounts(&read(&text(&(row("-1.00", "D") + &row("-2.00", "D") + &row("3.00", "C"))))),
        [-100, -200, 300]
    );
    let mixed = read(&text(&(row("1.00", "D") + &row("-2.00", "D") + &row("-3.00", "C"))));
    let codes: Vec<&str> = remarks(&mixed).into_iter().map(|(_, _, code)| code).collect();
    assert_eq!((amounts(&mixed), codes), (vec![-100], vec!["direction-sign", "direction-contradicts"]));
    let reads = |negative: bool| {
        let file = MappingFile { negative_debits: Some(negative), ..MappingFile::default() };
        amounts(
            &read_as("x", &text(&(row("1.00", "D") + &row("-2.00", "D") + &row("-3.00", "C"))), Some(file))
                .unwrap(),
        )
    };
    assert_eq!(reads(false), [-100, 200, -300], "a debit that is reversed comes back");
    assert_eq!(reads(true), [100, -200, -300], "the minus is the direction");
}

#[test]
fn a_negative_debit_is_a_reversal_and_the_balance_column_shows_it() {
    let file = |negative| MappingFile {
        negative_debits: negative,
        currency: Some("EUR".to_owned()),
        ..MappingFile::default()
    };
    let text = "date,debit,credit,balance\n2026-01-05,30.00,,970.00\n2026-01-06,-30.00,,1000.00\n";
    let found = read_as("x", text, Some(file(None))).unwrap();
    assert_eq!((amounts(&found), ties(&found), remarks(&found)), (vec![-3_000, 3_000], true, vec![]));
    // Where every debit is negative and nothing shows what that means, it is said.
    let alone = "date,debit,credit\n2026-01-05,-30.00,\n2026-01-06,,5.00\n";
    assert_eq!(remarks(&read_as("x", alone, Some(file(None))).unwrap()), [(0, "debit", "debits-negative")]);
    assert_eq!(amounts(&read_as("x", alone, Some(file(Some(true)))).unwrap()), [-3_000, 500]);
}

#[test]
fn balances_tie_out_from_either_end_and_tell_the_row_that_does_not() {
    let file = |rows: &[&str]| format!("date,amount,currency,balance\n{}\n", rows.join("\n"));
    let rows = [
        "2026-01-05,10.00,EUR,110.00",
        "2026-01-06,-3.00,EUR,107.00",
        "2026-01-07,1.00,EUR,",
        "2026-01-08,2.00,EUR,110.00",
    ];
    let oldest_first = read(&file(&rows));
    let mut reversed = rows;
    reversed.reverse();
    for found in [&oldest_first, &read(&file(&reversed))] {
        assert!(ties(found), "{:?}", found.statements);
        let statement = &found.statements[0];
        assert_eq!((statement.opening.unwrap().minor, statement.closing.unwrap().minor), (10_000, 11_000));
    }
    let wrong = read(&file(&[rows[0], "2026-01-06,3.00,EUR,107.00", rows[2], rows[3]]));
    assert!(!ties(&wrong));
    assert_eq!(remarks(&wrong), [(3, "balance", "balance-off")]);
    // A refused row is missing from the balance, too.
    assert!(!ties(&read(&file(&[rows[0], "2026-01-06,x,EUR,107.00", rows[2], rows[3]]))));
    // Accounts have balances of their own.
    let two = "date,amount,currency,account,balance\n2026-01-05,1.00,EUR,A,1.00\n2026-01-05,1.00,EUR,B,8.00\n2026-01-06,1.00,EUR,A,2.00\n2026-01-06,1.00,EUR,B,9.00\n";
    let two = read(two);
    assert!(ties(&two) && two.statements.len() == 2);
}

#[test]
fn a_row_moves_money_one_way_and_says_how_much_once() {
    let read = |columns: &str, row: &str| read(&format!("date,currency,{columns}\n2026-01-05,EUR,{row}\n"));
    assert_eq!(remarks(&read("debit,credit", "5.00,7.00")), [(2, "debit", "debit-and-credit")]);
    assert_eq!(amounts(&read("debit,credit", "5.00,0.00")), [-500]);
    assert_eq!(amounts(&read("amount,debit,credit", "5.00,5.00,")), [-500]);
    assert_eq!(remarks(&read("amount,debit,credit", "6.00,5.00,")), [(2, "amount", "amounts-differ")]);
}

#[test]
fn two_columns_of_one_name_are_refused_unless_one_is_named_by_its_place() {
    for text in [
        "date,amount,amount,currency\n2026-01-05,1.00,2.00,EUR\n",
        "date,Amount,AMOUNT,currency\n2026-01-05,1.00,2.00,EUR\n",
        "balance_transaction_id,created,currency,gross,gross,fee,net\nt,2026-01-05,eur,1,2,0,1\n",
    ] {
        let error = read_as("x", text, None).expect_err("two columns of one name");
        assert!(error.to_string().contains("two columns are called"), "{error}");
    }
    let columns = "[columns]\nbooking_date = \"date\"\namount = \"#3\"\ncurrency = \"currency\"\n";
    let file: MappingFile = toml_edit::de::from_str(columns).unwrap();
    let found = read_as("x", "date,amount,amount,currency\n2026-01-05,1.00,2.00,EUR\n", Some(file)).unwrap();
    assert_eq!(amounts(&found), [200]);
    // Columns that nobody reads may be called as they like.
    assert_eq!(amounts(&read("date,amount,note,note,currency\n2026-01-05,1.00,a,b,EUR\n")), [100]);
}

#[test]
fn what_a_format_does_not_define_is_no_default_either() {
    let entry = |inner: &str| {
        format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>1</Id>\
             <Ntry><Amt Ccy=\"EUR\">1.00</Amt>{inner}</Ntry></Stmt></BkToCstmrStmt></Document>"
        )
    };
    let date = "<BookgDt><Dt>2026-01-05</Dt></BookgDt>";
    for (inner, code) in [
        (format!("<CdtDbtInd>CREDIT</CdtDbtInd>{date}"), "direction-unknown"),
        (format!("<CdtDbtInd>CRDT</CdtDbtInd><Sts>HELD</Sts>{date}"), "status-unknown"),
        ("<CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>05.01.2026</Dt></BookgDt><ValDt><Dt>2026-01-05</Dt></ValDt>".to_owned(), "date-malformed"),
        (format!("<CdtDbtInd>CRDT</CdtDbtInd>{date}<NtryDtls><TxDtls><Amt Ccy=\"EUR\">1.00</Amt><CdtDbtInd>IN</CdtDbtInd></TxDtls></NtryDtls>"), "direction-unknown"),
    ] {
        let found = read(&entry(&inner));
        assert_eq!((found.entries.len(), remarks(&found)[0].2), (0, code), "{inner}");
    }
    let stripe = "balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category\nt,2026-01-05,soon,eur,1.00,0.00,1.00,charge\n";
    assert_eq!(remarks(&read(stripe)), [(2, "available_on", "date-malformed")]);
}

// ---- Chargebacks, refunds, fees: <https://docs.stripe.com/reports/reporting-categories>

// ISO 4217 list three, as published on 2026-01-01: HRK was withdrawn in 2023-01, DEM in 2002-03, ITL (no minor unit) in 2002-03,
// ZWL in 2024-09, BGN in 2026-01.
#[test]
fn a_withdrawn_currency_is_read_for_its_time_and_refused_behind_it() {
    let table = |code: &str, day: &str, amount: &str| {
        read(&format!("date,amount,currency,reference\n{day},{amount},{code},A\n"))
    };
    for (code, last, next, amount, minor) in [
        ("HRK", "2023-01-31", "2023-02-01", "75.34", 7_534),
        ("DEM", "2002-03-31", "2002-04-01", "1.95", 195),
        ("ITL", "2002-03-31", "2002-04-01", "1936", 1_936),
        ("ZWL", "2024-09-30", "2024-10-01", "10.00", 1_000),
        ("BGN", "2026-01-31", "2026-02-01", "1.95", 195),
    ] {
        let (within, behind) = (table(code, last, amount), table(code, next, amount));
        assert_eq!((amounts(&within), remarks(&within)), (vec![minor], vec![]), "{code}");
        assert_eq!(
            (amounts(&behind), remarks(&behind)),
            (vec![], vec![(2, "", "currency-withdrawn")]),
            "{code}"
        );
        let message = &behind.diagnostics.kept()[0].message;
        assert!(message.starts_with(&format!("{code} was withdrawn in ")), "{message}");
    }
    assert_eq!(remarks(&table("ITL", "2001-03-31", "1936.27")), [(2, "amount", "amount-too-precise")]);
    // A day that is not known is not guessed, nor is the minor unit of a code whose sources differ.
    assert_eq!(remarks(&table("HRK", "", "1.00")), [(2, "date", "date-missing")]);
    assert_eq!(remarks(&table("BEF", "2001-03-31", "100")), [(2, "currency", "currency-unknown")]);
}

#[test]
fn every_format_reads_withdrawn_currencies_alike() {
    let statement = |day: &str| {
        read(&format!(
            ":20:S\n:25:HR1210010051863000160\n:28C:1/1\n:60F:C{day}HRK1000,00\n:61:{day}C100,00NTRFA1\n:62F:C{day}HRK1100,00\n-\n"
        ))
    };
    let within = statement("221230");
    assert_eq!((amounts(&within), ties(&within), remarks(&within)), (vec![10_000], true, vec![]));
    let behind = statement("230301");
    let codes: Vec<&str> = remarks(&behind).into_iter().map(|(_, _, code)| code).collect();
    assert_eq!(
        (amounts(&behind), codes),
        (vec![], vec!["currency-withdrawn"; 2]),
        "the entry and the balance"
    );
    let bai2 = |code: &str, day: &str| {
        read(&format!(
            "01,A,B,{day},0200,1,,,2/\n02,B,A,1,{day},,{code},2/\n03,123,,,,,/\n16,175,10000,,,A1,text/\n49,10000,3/\n98,10000,1,5/\n99,10000,1,7/\n"
        ))
    };
    assert_eq!(amounts(&bai2("HRK", "221230")), [10_000]);
    assert_eq!(remarks(&bai2("HRK", "230301")), [(4, "", "currency-withdrawn")]);
    // A code that is not known is not the dollar that a group without one is kept in.
    let unknown = bai2("HRX", "221230");
    assert!(
        remarks(&unknown).iter().any(|(_, _, code)| *code == "currency-unknown"),
        "{:?}",
        remarks(&unknown)
    );
    assert_eq!((amounts(&unknown), amounts(&bai2("", "221230"))), (vec![], vec![10_000]));
}

#[test]
fn an_amount_before_conversion_in_a_withdrawn_currency_is_kept_and_told() {
    let text = "date,amount,currency,was,of,at\n2022-12-30,13.27,EUR,100.00,HRK,0.13272\n2023-03-01,13.27,EUR,100.00,HRK,0.13272\n";
    let mut file = MappingFile::default();
    for (column, name) in [
        (&mut file.columns.booking_date, "date"),
        (&mut file.columns.amount, "amount"),
        (&mut file.columns.currency, "currency"),
        (&mut file.columns.original_amount, "was"),
        (&mut file.columns.original_currency, "of"),
        (&mut file.columns.rate, "at"),
    ] {
        *column = Some(name.to_owned());
    }
    let found = read_as("x", text, Some(file)).unwrap();
    assert_eq!((amounts(&found), remarks(&found)), (vec![1_327, 1_327], vec![(3, "", "currency-withdrawn")]));
}

fn stripe(rows: &[(&str, &str, &str, &str, &str)]) -> String {
    let mut text =
        "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id\n".to_owned();
    for (number, (day, gross, fee, net, kind)) in rows.iter().enumerate() {
        text.push_str(&format!("txn_{number},{day},usd,{gross},{fee},{net},{kind},ch_9\n"));
    }
    text
}

const NOTHING: &str = "reference,amount,currency,booking_date\n";

#[test]
fn a_chargeback_does_not_cancel_its_payment() {
    let charge = ("2026-02-02", "80.00", "2.40", "77.60", "charge");
    for (kind, fee, net) in
        [("dispute", "20.00", "-100.00"), ("dispute", "0.00", "-80.00"), ("refund", "0.00", "-80.00")]
    {
        let file = stripe(&[charge, ("2026-02-04", "-80.00", fee, net, kind)]);
        for (left, right) in [(&file[..], NOTHING), (NOTHING, &file[..])] {
            let outcome = reconciled(left, &[right], &standard().unwrap());
            assert_eq!((outcome.is_clean(), outcome.match_count()), (false, 0), "{kind}");
        }
    }
    let file = stripe(&[charge, ("2026-02-04", "-80.00", "20.00", "-100.00", "dispute")]);
    let outcome = reconciled(NOTHING, &[&file], &standard().unwrap());
    let fees = outcome.conservation.fees(Side::Right);
    assert_eq!(fees.values().map(|fees| (fees.total, fees.open)).collect::<Vec<_>>(), [(2_240, 2_240)]);
    let chargebacks: Vec<_> = outcome.conservation.kinds[1]
        .iter()
        .filter(|((_, class), _)| class.to_string() == "chargeback")
        .collect();
    assert_eq!((chargebacks[0].1.total.sum, chargebacks[0].1.total.fee), (-8_000, 2_000));
    let summary = txn_reconcile_api::report::summary(&outcome, &standard().unwrap());
    assert!(
        summary.contains("Fees USD, statement: 22.40 (matched 0.00, open 22.40")
            && summary.contains("Kind chargeback USD, statement: -80.00 in 1"),
        "{summary}"
    );
    assert!(outcome.breaks.iter().all(|item| item.reason.contains("chargeback takes the money")));
}

#[test]
fn a_reversal_cancels_its_payment_only_with_the_fee() {
    let charge = ("2026-02-02", "80.00", "2.40", "77.60", "charge");
    let clean =
        |reversal| reconciled(NOTHING, &[&stripe(&[charge, reversal])], &standard().unwrap()).is_clean();
    assert!(clean(("2026-02-03", "-80.00", "-2.40", "-77.60", "charge_reversal")));
    assert!(clean(("2026-02-03", "-80.00", "-2.40", "-77.60", "reversal")));
    assert!(!clean(("2026-02-03", "-80.00", "0.00", "-80.00", "reversal")));
    // A dispute that is won takes the dispute back, with its fee.
    let won = stripe(&[
        ("2026-02-02", "-80.00", "15.00", "-95.00", "dispute"),
        ("2026-02-05", "80.00", "-15.00", "95.00", "dispute_reversal"),
    ]);
    assert!(reconciled(NOTHING, &[&won], &standard().unwrap()).is_clean());
    // A refund cancels a payment where the ruleset says so.
    let refunded = stripe(&[
        ("2026-02-02", "80.00", "0.00", "80.00", "charge"),
        ("2026-02-03", "-80.00", "0.00", "-80.00", "refund"),
    ]);
    let lenient = load(&format!(
        "version = 2\nname = \"t\"\n{}",
        pass("net", "net = { days = 9, kinds = [\"refund\"] }")
    ))
    .unwrap();
    assert!(reconciled(NOTHING, &[&refunded], &lenient).is_clean());
}

#[test]
fn a_ruleset_names_a_source_s_own_words() {
    let text =
        |extra: &str| format!("version = 2\nname = \"t\"\n{extra}{}", pass("net", "net = { days = 9 }"));
    let rows = [
        Row { kind: "CBX".to_owned(), ..row("A", -100, 2) },
        Row { kind: "CBX".to_owned(), ..row("A", 100, 1) },
    ];
    assert!(
        run(&rows, &[], &load(&text("")).unwrap()).is_clean(),
        "called the same, and nothing known of it"
    );
    let rows = [
        Row { kind: "CBX".to_owned(), ..row("A", -100, 2) },
        Row { kind: "storno".to_owned(), ..row("A", 100, 1) },
    ];
    assert!(run(&rows, &[], &load(&text("")).unwrap()).is_clean());
    assert!(!run(&rows, &[], &load(&text("kinds = { chargeback = [\"cbx\"] }\n")).unwrap()).is_clean());
}

// ---- Reasons say what was looked for

#[test]
fn a_break_whose_text_names_the_other_says_so() {
    let left = [row("INV-2026-0001", 6_000, 5), row("INV-2026-0002", 4_100, 5)];
    let right = [Row { description: "INV-2026-0001 INV-2026-0002".to_owned(), ..row("X", 10_000, 6) }];
    let outcome = run(&left, &right, &standard().unwrap());
    assert_eq!(outcome.match_count(), 0);
    for item in &outcome.breaks {
        assert!(item.reason.contains("differ by 1.00") || item.reason.contains("name"), "{}", item.reason);
        assert!(!item.nearest.is_empty() && !item.reason.contains("no trace"), "{item:?}");
    }
    let lone = run(&[row("INV-2026-0009", 1, 5)], &[], &standard().unwrap());
    assert!(
        lone.breaks[0].reason.contains("no open entry of the external side has its reference or names it")
    );
    assert!(
        run(&[row("", 1, 5)], &[], &standard().unwrap()).breaks[0].reason.contains("it has no reference")
    );
}

// ---- MT940: SWIFT Standards MT, Category 9; DFÜ-Abkommen, annex 3 (the German `:86:`); the Dutch banks' format books

fn mt940(entry: &str, closing: &str) -> Collector {
    let text = format!(
        ":20:S\n:25:NL91ABNA0417164300\n:28C:1/1\n:60F:C260105EUR100,00\n{entry}\n:62F:C260107EUR{closing}\n-\n"
    );
    let found = read(&text);
    assert!(ties(&found), "{entry}");
    found
}

#[test]
fn the_bank_s_number_is_no_reference_and_blocks_nothing() {
    let ledger = "reference,amount,currency,booking_date\nINV-77,7.00,EUR,2026-01-06\n";
    for references in ["NONREF//BNK77", "NONREF", "//BNK77", "NULL//9", "0//9", "NOTPROVIDED//X"] {
        let text = format!(
            ":20:S\n:25:1\n:28C:1/1\n:60F:C260105EUR0,00\n:61:2601060106C7,00NTRF{references}\n:86:thanks\n:62F:C260107EUR7,00\n-\n"
        );
        let outcome = reconciled(ledger, &[&text], &standard().unwrap());
        assert!(outcome.is_clean(), "{references}");
        assert_eq!(outcome.set(Side::Right).reference(0), "");
    }
    let found = mt940(":61:2601060106C7,00NTRFNONREF//BNK77\n:86:thanks", "107,00");
    assert_eq!(detail(&found.entries, 0, Detail::Bank), "BNK77");
    assert!(found.entries.description(0).contains("NONREF"), "the original stays in the text");
}

#[test]
fn labels_without_a_value_are_no_references() {
    for purpose in
        ["EREF+", "EREF+?21SVWZ+Danke", "EREF+NOTPROVIDED?21KREF+NONREF?22SVWZ+Danke", "KREF+0?21SVWZ+Danke"]
    {
        let found = mt940(&format!(":61:2601060106C7,00NTRFNONREF\n:86:166?00GUT?20{purpose}?32X"), "107,00");
        assert_eq!(found.entries.reference(0), "", "{purpose}");
    }
    let found =
        mt940(":61:2601060106C7,00NTRFINV-3//B\n:86:166?00GUT?20EREF+NOTPROVIDED?21SVWZ+Danke?32X", "107,00");
    assert_eq!(found.entries.reference(0), "INV-3");
}

#[test]
fn values_between_slashes_end_at_the_next_code_word() {
    let of = |information: &str| {
        let found = mt940(&format!(":61:2601060106C7,00NTRFEREF//1\n:86:{information}"), "107,00");
        let set = &found.entries;
        [set.reference(0), set.counterparty(0), set.description(0)].map(str::to_owned)
    };
    assert_eq!(
        of("/EREF/A/77/2026//ORDP//NAME/B/C HANDEL/REMI/A/77/2026/"),
        ["A/77/2026", "B/C HANDEL", "A/77/2026"]
    );
    assert_eq!(
        of("/TRTP/SEPA OVERBOEKING/NAME/Jansen BV/REMI/Factuur 9/EREF/F-9"),
        ["F-9", "Jansen BV", "Factuur 9"]
    );
    assert_eq!(
        of("/CNTP/NL36RABO0417164300/RABONL2U/DE VRIES//REMI/USTD//INV-8/"),
        ["", "DE VRIES", "INV-8 EREF"]
    );
    let [reference, name, text] = of("/OCMT/EUR9,00/ORDP/ACME CORP/RFB/INV-2026-0107");
    assert_eq!((reference.as_str(), name.as_str()), ("INV-2026-0107", "ACME CORP"));
    assert!(text.contains("ACME CORP") && text.contains("INV-2026-0107"), "{text}");
    let [_, _, text] = of("/XYZ/what nobody knows/REMI/invoice 5/ABCD/more");
    assert!(text.contains("what nobody knows") && text.contains("invoice 5/ABCD/more"), "{text}");
    // A line that is full goes on; one that is short has ended.
    let full = format!("/REMI/{}INV-2026-", "x".repeat(50));
    assert_eq!(full.len(), 65);
    assert!(of(&format!("{full}\n0042")).concat().contains("INV-2026-0042"));
    assert!(of("/REMI/invoice\nINV-2026-0042").concat().contains("invoice INV-2026-0042"));
}

#[test]
fn every_information_field_of_an_entry_is_kept() {
    let found = mt940(
        ":61:2601060106C7,00NTRFNONREF\n:86:Terug\n:86:FACTUUR INV-2026-0009\n:86:/EREF/E-1/NAME/Klant BV",
        "107,00",
    );
    let set = &found.entries;
    assert!(set.description(0).contains("Terug") && set.description(0).contains("INV-2026-0009"));
    assert_eq!((set.reference(0), set.counterparty(0), set.len()), ("E-1", "Klant BV", 1));
    let german = mt940(
        ":61:2601060106C7,00NTRFNONREF\n:86:166?00GUT?20Vorab?21EREF+E-2?22MREF+M-1?23SVWZ+Rechnung 7?31DE89370400440532013000?32Anna?33 Beta?55extra",
        "107,00",
    );
    let set = &german.entries;
    assert_eq!((set.reference(0), set.counterparty(0)), ("E-2", "Anna Beta"));
    assert_eq!(
        (detail(set, 0, Detail::Mandate), detail(set, 0, Detail::CounterpartyAccount)),
        ("M-1", "DE89370400440532013000")
    );
    assert!(
        ["Vorab", "Rechnung 7", "extra"].iter().all(|text| set.description(0).contains(text)),
        "{}",
        set.description(0)
    );
}

// ---- camt: ISO 20022 message definitions; Swiss Implementation Guidelines for Cash Management, version 2.2 (SIX)

fn camt(root: &str, account: &str, body: &str) -> String {
    let (message, report) = match root {
        "camt.052" => ("BkToCstmrAcctRpt", "Rpt"),
        "camt.054" => ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
        _ => ("BkToCstmrStmt", "Stmt"),
    };
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{root}.001.08\"><{message}><{report}><Id>S</Id>\
         <CreDtTm>2026-01-08T04:00:00</CreDtTm><FrToDt><FrDtTm>2026-01-06T00:00:00</FrDtTm><ToDtTm>2026-01-07T23:59:59</ToDtTm></FrToDt>\
         <Acct><Id><IBAN>{account}</IBAN></Id></Acct>{body}</{report}></{message}></Document>"
    )
}

fn entry(amount: &str, direction: &str, date: &str, rest: &str) -> String {
    let date = if date.is_empty() { String::new() } else { format!("<BookgDt><Dt>{date}</Dt></BookgDt>") };
    format!(
        "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>{date}{rest}</Ntry>"
    )
}

const IBAN: &str = "CH9300762011623852957";

#[test]
fn the_creditor_s_reference_goes_first_for_money_in_and_the_payer_s_for_money_out() {
    let references = "<NtryDtls><TxDtls><Refs><EndToEndId>PAYER-1</EndToEndId><UETR>6d6a4f1c-1111-4222-8333-abcdefabcdef</UETR><MndtId>M-9</MndtId><ChqNb>000077</ChqNb></Refs>\
        <RmtInf><Strd><RfrdDocInf><Nb>DOC-5</Nb></RfrdDocInf><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf>\
        <RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls>";
    for (direction, reference) in [("CRDT", "RF18539007547034"), ("DBIT", "PAYER-1")] {
        let text = camt("camt.053", IBAN, &entry("5.00", direction, "2026-01-06", references));
        let set = read(&text).entries;
        assert_eq!(set.reference(0), reference);
        for (wanted, value) in [
            (Detail::EndToEnd, "PAYER-1"),
            (Detail::CreditorReference, "RF18539007547034"),
            (Detail::Document, "DOC-5"),
            (Detail::Uetr, "6d6a4f1c-1111-4222-8333-abcdefabcdef"),
            (Detail::Mandate, "M-9"),
            (Detail::Cheque, "000077"),
            (Detail::ReturnReason, "AC04"),
        ] {
            assert_eq!(detail(&set, 0, wanted), value, "{direction}");
        }
        // The other side may know it by any of them.
        for known in ["PAYER-1", "RF18 5390 0754 7034", "DOC-5", "6D6A4F1C-1111-4222-8333-ABCDEFABCDEF"] {
            let sign = if direction == "CRDT" { "" } else { "-" };
            let ledger =
                format!("reference,amount,currency,booking_date\n{known},{sign}5.00,EUR,2026-01-06\n");
            assert!(
                reconciled(
                    &ledger,
                    &[&text],
                    &rules(&pass("r", "reference = { reference = \"normalized\" }"))
                )
                .is_clean(),
                "{known}"
            );
        }
    }
    let bare = camt(
        "camt.053",
        IBAN,
        &entry(
            "5.00",
            "CRDT",
            "2026-01-06",
            "<AcctSvcrRef>SVC-1</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs></TxDtls></NtryDtls>",
        ),
    );
    let set = read(&bare).entries;
    assert_eq!((set.reference(0), detail(&set, 0, Detail::Bank)), ("", "SVC-1"));
}

#[test]
fn an_entry_without_a_date_takes_that_of_its_statement() {
    let balance = |code: &str, minor: &str, date: &str| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{minor}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{date}</Dt></Dt></Bal>"
        )
    };
    let balances = balance("OPBD", "10.00", "2026-01-05") + &balance("CLBD", "15.00", "2026-01-06");
    for (before, date) in [(balances.as_str(), "2026-01-06"), ("", "2026-01-07")] {
        let found = read(&camt("camt.053", IBAN, &(before.to_owned() + &entry("5.00", "CRDT", "", ""))));
        assert_eq!(found.entries.booking(0).to_string(), date);
        assert_eq!(remarks(&found)[0].2, "date-of-statement");
        assert!(before.is_empty() || ties(&found));
    }
}

#[test]
fn charges_become_fees_and_a_batch_is_split_in_spite_of_them() {
    let details = |amounts: &[(&str, &str)]| {
        let one = |(reference, amount): &(&str, &str)| {
            format!(
                "<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><Amt Ccy=\"EUR\">{amount}</Amt></TxDtls>"
            )
        };
        format!(
            "<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>{}</NtryDtls>",
            amounts.iter().map(one).collect::<String>()
        )
    };
    let charges = |inner: &str| format!("<Chrgs>{inner}</Chrgs>");
    let record = |amount: &str, more: &str| {
        format!("<Rcrd><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>{more}</Rcrd>")
    };
    let sums = |found: &Collector| {
        let set = &found.entries;
        set.rows()
            .map(|row| {
                (set.amount(row), set.fee(row), set.reference(row).to_owned(), set.kind(row).to_owned())
            })
            .collect::<Vec<_>>()
    };
    let line =
        |amount, fee, reference: &str, kind: &str| (amount, fee, reference.to_owned(), kind.to_owned());
    // Two invoices less one charge: the total, single records, or both.
    for stated in [
        "<TtlChrgsAndTaxAmt Ccy=\"EUR\">2.50</TtlChrgsAndTaxAmt>".to_owned(),
        record("1.50", "") + &record("1.00", ""),
        format!("<TtlChrgsAndTaxAmt Ccy=\"EUR\">2.50</TtlChrgsAndTaxAmt>{}", record("2.50", "")),
    ] {
        let found = read(&camt(
            "camt.053",
            IBAN,
            &entry(
                "97.50",
                "CRDT",
                "2026-01-06",
                &(charges(&stated) + &details(&[("I-1", "30.00"), ("I-2", "70.00")])),
            ),
        ));
        assert_eq!(
            sums(&found),
            [line(3_000, 0, "I-1", ""), line(7_000, 0, "I-2", ""), line(-250, 0, "", "fee")],
            "{stated}"
        );
        assert_eq!(remarks(&found), []);
    }
    let paid = read(&camt(
        "camt.053",
        IBAN,
        &entry(
            "102.50",
            "DBIT",
            "2026-01-06",
            &(charges(&record("2.50", "")) + &details(&[("I-1", "30.00"), ("I-2", "70.00")])),
        ),
    ));
    assert_eq!(amounts(&paid), [-3_000, -7_000, -250]);
    // One payment: gross and fee, where the file shows that the charge is in the amount.
    let shown = entry(
        "99.00",
        "CRDT",
        "2026-01-06",
        &(charges(&record("1.00", ""))
            + "<NtryDtls><TxDtls><Refs><EndToEndId>I-3</EndToEndId></Refs><Amt Ccy=\"EUR\">100.00</Amt></TxDtls></NtryDtls>"),
    );
    assert_eq!(sums(&read(&camt("camt.053", IBAN, &shown))), [line(10_000, 100, "I-3", "")]);
    let said =
        entry("99.00", "CRDT", "2026-01-06", &charges(&record("1.00", "<ChrgInclInd>true</ChrgInclInd>")));
    assert_eq!(sums(&read(&camt("camt.053", IBAN, &said))), [line(10_000, 100, "", "")]);
    let unclear =
        read(&camt("camt.053", IBAN, &entry("99.00", "CRDT", "2026-01-06", &charges(&record("1.00", "")))));
    assert_eq!((sums(&unclear), remarks(&unclear)[0].2), (vec![line(9_900, 0, "", "")], "charges-unclear"));
}

#[test]
fn a_batch_and_its_notification_are_one_and_the_same_money() {
    let batch = |details: &str| {
        entry(
            "100.00",
            "CRDT",
            "2026-01-06",
            &format!(
                "<AcctSvcrRef>B-5</AcctSvcrRef><NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>{details}</NtryDtls>"
            ),
        )
    };
    let details = "<TxDtls><Refs><EndToEndId>I-1</EndToEndId></Refs><Amt Ccy=\"EUR\">60.00</Amt></TxDtls><TxDtls><Refs><EndToEndId>I-2</EndToEndId></Refs><Amt Ccy=\"EUR\">40.00</Amt></TxDtls>";
    let (statement, notification) =
        (camt("camt.053", IBAN, &batch("")), camt("camt.054", IBAN, &batch(details)));
    let ledger =
        "reference,amount,currency,booking_date\nI-1,60.00,EUR,2026-01-06\nI-2,40.00,EUR,2026-01-06\n";
    for files in [[&statement[..], &notification[..]], [&notification[..], &statement[..]]] {
        let outcome = reconciled(ledger, &files, &standard().unwrap());
        assert!(outcome.is_clean());
        let ignored: Vec<IgnoreReason> =
            outcome.set(Side::Right).ignored().iter().map(|(_, reason)| *reason).collect();
        assert_eq!(ignored, [IgnoreReason::Detailed]);
    }
    // Another amount, or another account, is other money.
    let other = camt("camt.054", "DE89370400440532013000", &batch(details));
    assert_eq!(
        reconciled(ledger, &[&statement, &other], &standard().unwrap()).set(Side::Right).ignored(),
        []
    );
}

// ---- Several to one

#[test]
fn a_payment_is_matched_to_what_its_text_names_before_sums_are_tried() {
    let left =
        [row("INV-2026-0011", 7_000, 5), row("INV-2026-0012", 3_000, 5), row("INV-2026-0013", 3_000, 5)];
    let text = |text: &str| [Row { description: text.to_owned(), ..row("X9", 10_000, 6) }];
    for named in [
        "INV-2026-0011 INV-2026-0012",
        "for INV 2026 0011 and INV 2026 0012",
        "INV-2026-00 11, INV-2026-0012",
    ] {
        let outcome = run(&left, &text(named), &standard().unwrap());
        assert_eq!(
            links(&outcome).into_iter().map(|(_, l, r)| (l, r)).collect::<Vec<_>>(),
            [(vec![0, 1], vec![0])],
            "{named}"
        );
    }
    // It names three, and two of them come to it.
    let three = run(&left, &text("INV-2026-0011 INV-2026-0012 INV-2026-0013"), &standard().unwrap());
    assert_eq!(three.match_count(), 0, "two choices fit, and neither is taken");
    assert!(kinds(&three).iter().any(|(_, _, kind)| *kind == "ambiguous"));
    // A discount is a tolerance.
    let discount = [row("INV-2026-0011", 7_000, 5), row("INV-2026-0012", 3_100, 5)];
    assert_eq!(run(&discount, &text("INV-2026-0011 INV-2026-0012"), &standard().unwrap()).match_count(), 0);
    let lenient = rules(&pass("named", "named = { tolerance = { percent = \"2\" } }"));
    assert_eq!(run(&discount, &text("INV-2026-0011 INV-2026-0012"), &lenient).match_count(), 1);
}

#[test]
fn partial_payments_of_one_reference_add_up_whenever_they_come() {
    let right = [
        row("INV-5501", 2_000, 1),
        row("INV-5501", 5_000, 40),
        Row { description: "rest of INV-5501".to_owned(), ..row("", 3_000, 90) },
    ];
    let outcome = run(&[row("INV-5501", 10_000, 1)], &right, &standard().unwrap());
    assert!(outcome.is_clean(), "{:?}", outcome.breaks);
    let windowed = rules(&pass("named", "named = { days = 30 }"));
    assert_eq!(run(&[row("INV-5501", 10_000, 1)], &right, &windowed).match_count(), 0);
}

#[test]
fn counterparties_are_one_however_they_are_spelt() {
    let party = |name: &str, reference: &str, amount| Row {
        counterparty: name.to_owned(),
        ..row(reference, amount, 5)
    };
    let left = [party("Müller & Söhne GmbH", "1", 6_000), party("MUELLER U. SOEHNE", "2", 4_000)];
    for name in ["Mueller Soehne G.m.b.H.", "SÖHNE MÜLLER", "Muller & Sohne"] {
        let left = [party("Müller & Söhne GmbH", "1", 6_000), party(name, "2", 4_000)];
        assert!(
            run(&left, &[party("Müller und Söhne", "x", 10_000)], &standard().unwrap()).is_clean(),
            "{name}"
        );
    }
    assert_eq!(run(&left, &[party("Moeller", "x", 10_000)], &standard().unwrap()).match_count(), 0);
    // An alias and an account of the ruleset.
    let aliases = "[[counterparty]]\nname = \"Acme\"\nalso = [\"Widgets International\", \"DE89 3704 0044 0532 0130 00\"]\n";
    let rules =
        load(&format!("version = 2\nname = \"t\"\n{aliases}{}", pass("split", "subset = { days = 5 }")))
            .unwrap();
    let left = [party("ACME Ltd", "1", 6_000), party("Widgets International Inc.", "2", 4_000)];
    let account =
        Row { details: "counterparty_account=DE89370400440532013000".to_owned(), ..row("x", 10_000, 5) };
    assert!(run(&left, &[account], &rules).is_clean());
    // Without a name it is a suggestion, with its reason.
    let outcome = run(&left, &[row("x", 10_000, 5)], &rules);
    let suggestion = outcome.breaks.iter().find_map(|item| item.suggestion.as_ref()).unwrap();
    assert_eq!((suggestion.rows.clone(), outcome.match_count()), (vec![0, 1], 0));
    assert!(suggestion.why.contains("names no counterparty"));
}

#[test]
fn a_whole_open_set_is_tried_whatever_its_size() {
    let party =
        |reference: &str, amount, day| Row { counterparty: "ACME".to_owned(), ..row(reference, amount, day) };
    let left: Vec<Row> = (0..40).map(|n| party(&format!("i{n}"), 1_000 + n, 5)).collect();
    let sum = left.iter().map(|row| row.amount).sum();
    assert!(
        run(&left, &[party("x", sum, 6)], &standard().unwrap()).is_clean(),
        "all of one sign: there is no other way"
    );
    // With a refund among them other choices could come to it as well.
    let mut mixed = left.clone();
    mixed.push(party("refund", -500, 5));
    let outcome = run(&mixed, &[party("x", sum - 500, 6)], &standard().unwrap());
    assert_eq!(outcome.match_count(), 0);
    assert!(
        outcome
            .breaks
            .iter()
            .any(|item| item.suggestion.as_ref().is_some_and(|found| found.rows.len() == 41))
    );
}

#[test]
fn a_collective_credit_over_counterparties_is_suggested_and_matched_where_a_rule_allows_it() {
    let party = |name: &str, reference: &str, day| Row {
        counterparty: name.to_owned(),
        ..row(reference, 44_125, day)
    };
    let left = [party("C1", "a", 30), party("C2", "b", 30), party("C1", "c", 58), party("C2", "d", 58)];
    let right = [Row { description: "BGGIRERING".to_owned(), ..row("", 88_250, 30) }];
    let outcome = run(&left, &right, &standard().unwrap());
    let suggestion = outcome.breaks.iter().find_map(|item| item.suggestion.clone()).unwrap();
    assert_eq!((outcome.match_count(), suggestion.rows), (0, vec![0, 1]));
    let across = rules(&pass("collective", "subset = { days = 2, across_counterparties = true }"));
    assert_eq!(links(&run(&left, &right, &across)), [(0, vec![0, 1], vec![0])]);
    let by_day = rules(&pass("day", "group = { left_key = \"day\", right_key = \"day\" }"));
    assert_eq!(links(&run(&left, &right, &by_day)), [(0, vec![0, 1], vec![0])]);
}

#[test]
fn blocks_of_equal_amounts_match_as_blocks_where_a_rule_allows_it() {
    let (left, right) = ([row("a", 500, 1), row("b", 500, 2)], [row("", 500, 2), row("", 500, 3)]);
    assert_eq!(run(&left, &right, &rules(&pass("u", "unique = { days = 2 }"))).match_count(), 0);
    let blocks = rules(&pass("u", "unique = { days = 2, blocks = true }"));
    assert_eq!(links(&run(&left, &right, &blocks)), [(0, vec![0, 1], vec![0, 1])]);
    assert_eq!(run(&left, &right[..1], &blocks).match_count(), 0, "one is missing");
}

#[test]
fn sums_may_have_a_tolerance_and_exact_ones_go_first() {
    let party =
        |reference: &str, amount| Row { counterparty: "ACME".to_owned(), ..row(reference, amount, 1) };
    let rules = rules(&pass("split", "subset = { days = 5, tolerance = { absolute = \"0.05\" } }"));
    assert_eq!(run(&[party("1", 300), party("2", 447)], &[party("x", 750)], &rules).match_count(), 1);
    assert_eq!(run(&[party("1", 300), party("2", 440)], &[party("x", 750)], &rules).match_count(), 0);
    let outcome = run(&[party("1", 300), party("2", 450), party("3", 448)], &[party("x", 750)], &rules);
    assert_eq!(links(&outcome), [(0, vec![0, 1], vec![0])]);
}

// ---- Fees by rule: a fixed sum, a share, or both

/// Stripe's standard price for cards of the European Economic Area, <https://stripe.com/en-ie/pricing>: 1.5% and 0.25 EUR.
const STRIPE_FEE: &str =
    "[[fee]]\nname = \"cards\"\ncurrency = \"EUR\"\npercent = \"1.5\"\nfixed = \"0.25\"\n";

#[test]
fn what_arrives_is_the_gross_amount_less_the_fee_of_the_price_list() {
    let settings = "reference = { days = 2, left_amount = \"less_expected_fee\" }";
    let net = rules(&(STRIPE_FEE.to_owned() + &pass("net of the fee", settings)));
    // 100.00 at 1.5% and 0.25 is 1.75; of 0.10 it is 0.0015, which rounds to nothing, and 0.25.
    for (gross, arrived) in [(10_000, 9_825), (10, -15), (3_333, 3_258)] {
        let outcome = run(&[row("A", gross, 1)], &[row("A", arrived, 2)], &net);
        assert_eq!(outcome.match_count(), 1, "{gross}");
        let books = outcome.conservation.residuals.values().next().unwrap();
        assert_eq!((books.fees, books.tolerance), (gross - arrived, 0), "the fee explains all of it");
        assert_eq!(run(&[row("A", gross, 1)], &[row("A", arrived + 1, 2)], &net).match_count(), 0);
    }
    // A refund costs nothing unless a line says so, and neither does another currency.
    let out = [row("A", -10_000, 1)];
    assert_eq!(run(&out, &[row("A", -10_000, 1)], &net).match_count(), 1);
    let dollars = [Row { currency: 1, ..row("A", 10_000, 1) }];
    assert_eq!(run(&dollars, &dollars, &net).match_count(), 1);
    let back = "[[fee]]\nname = \"back\"\ncurrency = \"EUR\"\nkinds = [\"refund\"]\npercent = \"-1.5\"\n";
    let given_back = rules(&(back.to_owned() + &pass("p", settings)));
    let refund = [Row { kind: "refund".to_owned(), ..row("A", -10_000, 1) }];
    assert_eq!(run(&refund, &[row("A", -9_850, 1)], &given_back).match_count(), 1);
}

#[test]
fn a_batch_adds_up_entry_by_entry_and_not_by_the_fee_of_its_sum() {
    let settings = "group = { left_amount = \"less_expected_fee\", right_key = \"reference\" }";
    let rules = rules(&(STRIPE_FEE.to_owned() + &pass("payout", settings)));
    let sale = |amount| Row { group: "po_1".to_owned(), ..row("", amount, 1) };
    // 33.33 costs 0.49995, which is 0.50, and 0.25; three of them cost 2.25, and 99.99 at once would cost 1.75.
    let sales = [sale(3_333), sale(3_333), sale(3_333)];
    assert_eq!(run(&sales, &[row("po_1", 9_999 - 225, 3)], &rules).match_count(), 1);
    assert_eq!(run(&sales, &[row("po_1", 9_999 - 175, 3)], &rules).match_count(), 0);
}

#[test]
fn lines_of_a_price_list_add_up_and_stated_fees_are_held_against_them() {
    let line = |name: &str, rest: &str| {
        format!("[[fee]]\nname = \"{name}\"\nside = \"right\"\ncurrency = \"EUR\"\n{rest}\n")
    };
    let list = line("interchange", "percent = \"0.2\"")
        + &line("scheme", "percent = \"0.05\"\nfixed = \"0.02\"")
        + &line("commission", "percent = \"0.6\"\nat_least = \"0.10\"\nat_most = \"5.00\"");
    let rules = rules(&(list + &pass("exact", "exact = {}")));
    // 0.20 + 0.05 + 0.02 + 0.60; 0.00 + 0.00 + 0.02 + 0.10; 2.00 + 0.50 + 0.02 + 5.00.
    let right: Vec<Row> = [(10_000, 87), (100, 12), (100_000, 800)]
        .iter()
        .enumerate()
        .map(|(n, (amount, fee))| Row { fee: *fee, ..row(&format!("R{n}"), *amount, 1) })
        .collect();
    let outcome = run(&right, &right, &rules);
    let expected: Vec<Option<i128>> = (0..3).map(|row| outcome.set(Side::Right).expected_fee(row)).collect();
    assert_eq!(expected, [Some(87), Some(12), Some(752)]);
    assert_eq!(outcome.set(Side::Left).expected_fee(0), None, "the lines are of the other side");
    let text = txn_reconcile_api::report::summary(&outcome, &rules);
    assert!(
        text.contains("Expected fees EUR, right: 8.51 for 3 entries; 8.99 stated, 1 of them differ."),
        "{text}"
    );
}

#[test]
fn fractions_of_a_fee_are_rounded_as_the_line_says() {
    for (rounding, expected) in [("half_up", 3), ("half_even", 2), ("up", 3), ("down", 2)] {
        let list = format!("[[fee]]\nname = \"f\"\npercent = \"2.5\"\nrounding = \"{rounding}\"\n");
        let outcome = run(&[row("A", 100, 1)], &[], &rules(&(list + &pass("exact", "exact = {}"))));
        assert_eq!(outcome.set(Side::Left).expected_fee(0), Some(expected), "{rounding}");
    }
}

#[test]
fn a_line_of_a_price_list_that_cannot_be_is_refused_with_its_key() {
    let fault = |fee: &str, settings: &str| {
        let text = format!("version = 2\nname = \"t\"\n{fee}\n{}", pass("p", settings));
        load(&text).unwrap_err().key
    };
    for (rest, key) in [
        ("", "fee[0]"),
        ("fixed = \"0.25\"", "fee[0].fixed"),
        ("percent = \"101\"", "fee[0].percent"),
        ("percent = \"1\"\ncurrency = \"XXX\"", "fee[0].currency"),
        ("currency = \"JPY\"\nfixed = \"0.25\"", "fee[0].fixed"),
        ("percent = \"1\"\nkinds = [\"sale\"]", "fee[0].kinds"),
        ("currency = \"EUR\"\nfixed = \"1\"\nat_least = \"2\"\nat_most = \"1\"", "fee[0].at_most"),
    ] {
        assert_eq!(fault(&format!("[[fee]]\nname = \"f\"\n{rest}"), "exact = {}"), key, "{rest}");
    }
    let none = fault("", "exact = { right_amount = \"less_expected_fee\" }");
    assert_eq!(none, "pass[0].exact.right_amount", "a fee is expected that nobody states");
}

// ---- References that a ruleset makes of what entries say

/// A ruleset of one pass with these preparations.
fn preparing(prepare: &str, settings: &str) -> Ruleset {
    rules(&(prepare.to_owned() + &pass("p", settings)))
}

#[test]
fn prepared_references_match_what_either_side_writes_in_its_own_way() {
    let normalized = "reference = { reference = \"normalized\" }";
    let zeros = "[[prepare]]\nside = \"left\"\ndrop_zeros = true\n";
    let prefix = "[[prepare]]\nside = \"right\"\ndrop_prefix = [\"ORD-\"]\n";
    let (left, right) = ([row("000123", 100, 1)], [row("ord-123", 100, 1)]);
    let matched = |prepare: &str, settings: &str, right: &[Row]| {
        run(&left, right, &preparing(prepare, settings)).match_count()
    };
    assert_eq!(matched(&(zeros.to_owned() + prefix), normalized, &right), 1);
    assert_eq!((matched(zeros, normalized, &right), matched(prefix, normalized, &right)), (0, 0));
    assert_eq!(
        matched(&(zeros.to_owned() + prefix), "exact = {}", &right),
        0,
        "byte for byte is the reference itself"
    );
    // In the text, found by its form and put together over the end of a line.
    let text = |text: &str| [Row { description: text.to_owned(), ..row("B77", 100, 1) }];
    let form =
        "[[prepare]]\nside = \"right\"\nfields = [\"description\"]\njoin_words = true\nfind = '#(\\d{6})'\n";
    assert_eq!(matched(form, normalized, &text("your order #000 123 thanks")), 1);
    assert_eq!(matched(form, normalized, &text("your order 000 123 thanks")), 0);
    // A creditor reference (ISO 11649) holds the invoice's number behind its check digits.
    let invoice = [row("539007547034", 100, 1)];
    let rf = preparing("[[prepare]]\nfields = [\"description\", \"details\"]\ncheck = \"rf\"\n", normalized);
    assert_eq!(run(&invoice, &text("RF18 5390 0754 7034"), &rf).match_count(), 1);
    assert_eq!(run(&invoice, &text("RF19 5390 0754 7034"), &rf).match_count(), 0, "a check digit is wrong");
    // The Swiss reference: the biller's number for the invoice with its zeros, in front of the check digit.
    let qrr =
        "[[prepare]]\nfields = [\"details\"]\ncheck = \"qrr\"\ndrop_prefix = [\"21\"]\ndrop_zeros = true\n";
    let swiss =
        Row { details: "creditor_reference=210000000003139471430009017".to_owned(), ..row("X", 100, 1) };
    let of_invoice = preparing(qrr, "named = {}");
    let half = |reference: &str| Row { amount: 50, ..row(reference, 50, 1) };
    let outcome = run(&[half("3139471430009-01"), half("3139471430009/01")], &[swiss], &of_invoice);
    assert_eq!(links(&outcome), [(0, vec![0, 1], vec![0])]);
}

#[test]
fn a_payout_is_found_by_the_number_in_the_bank_s_text() {
    let prepare = "[[prepare]]\nside = \"right\"\nfields = [\"description\"]\nfind = '(?i)po_[a-z0-9]+'\n";
    let rules = preparing(prepare, "group = { left_key = \"group\", right_key = \"prepared\" }");
    let sale = |amount| Row { group: "po_1Ab".to_owned(), ..row("", amount, 1) };
    let bank = |text: &str| [Row { description: text.to_owned(), ..row("", 300, 3) }];
    let matched = |text: &str| links(&run(&[sale(100), sale(200)], &bank(text), &rules));
    assert_eq!(matched("STRIPE PAYOUT PO_1AB"), [(0, vec![0, 1], vec![0])]);
    assert_eq!(matched("STRIPE PAYOUT PO_1AB PO_2"), [], "two numbers are no key");
}

#[test]
fn a_break_tells_what_is_known_by_prepared_references_in_whatever_order_entries_come() {
    let prepare = "[[prepare]]\ndrop_zeros = true\n";
    let rules = preparing(prepare, "reference = { reference = \"normalized\" }");
    let others = [row("123", 2_000, 1), row("123", 3_000, 1), row("0123", 4_000, 1)];
    let mut turned = others.clone();
    turned.reverse();
    let one = run(&[row("000123", 1_000, 1)], &others, &rules);
    assert!(kinds(&one).iter().all(|(_, _, kind)| *kind == "amount"), "{:?}", one.breaks);
    assert_eq!(one.digest, run(&[row("000123", 1_000, 1)], &turned, &rules).digest);
    assert_eq!(one.breaks.iter().find(|item| item.side == Side::Left).unwrap().nearest.len(), 3);
}

#[test]
fn a_preparation_that_cannot_be_is_refused_with_its_key() {
    let fault = |prepare: &str| {
        let text = format!("version = 2\nname = \"t\"\n[[prepare]]\n{prepare}\n{}", pass("p", "exact = {}"));
        load(&text).unwrap_err()
    };
    for (prepare, key) in [
        ("side = \"left\"", "prepare[0]"),
        ("find = '('", "prepare[0].find"),
        ("find = 'a*'", "prepare[0].find"),
        ("find = ''", "prepare[0].find"),
        ("find = '(?:a{1000}){1000}'", "prepare[0].find"),
        ("drop_prefix = [\"-\"]", "prepare[0]"),
        ("check = \"iban\"", "check"),
    ] {
        assert_eq!(fault(prepare).key, key, "{prepare}");
    }
    let many = format!(
        "version = 2\nname = \"t\"\n{}{}",
        "[[prepare]]\ndrop_zeros = true\n".repeat(33),
        pass("p", "exact = {}")
    );
    assert_eq!(load(&many).unwrap_err().key, "prepare");
}

// ---- Accounts

#[test]
fn another_account_is_another_thing_unless_the_ruleset_says_otherwise() {
    let on = |account: &str| {
        [Row { account: account.to_owned(), counterparty: "P".to_owned(), ..row("SAL-7", 50_000, 5) }]
    };
    let outcome = run(&on("DE-A"), &on("DE-B"), &standard().unwrap());
    assert_eq!(outcome.match_count(), 0);
    assert!(kinds(&outcome).iter().all(|(_, _, kind)| *kind == "account"), "{:?}", outcome.breaks);
    for (a, b) in [
        ("DE-A", "de a"),
        ("", "DE-B"),
        ("NL91 ABNA 0417 1643 00", "0417164300"),
        ("NL91ABNA0417164300", "NL91ABNA0417164300EUR"),
        ("DE89370400440532013000", "37040044/0532013000"),
    ] {
        assert_eq!(run(&on(a), &on(b), &standard().unwrap()).match_count(), 1, "{a}, {b}");
    }
    let with = |extra: &str| {
        load(&format!("version = 2\nname = \"t\"\n{extra}\n{}", pass("exact", "exact = {}"))).unwrap()
    };
    assert_eq!(
        run(
            &on("1200"),
            &on("NL91ABNA0417164300"),
            &with("[[account]]\nname = \"main\"\nalso = [\"1200\", \"NL91ABNA0417164300\"]")
        )
        .match_count(),
        1
    );
    assert_eq!(run(&on("DE-A"), &on("DE-B"), &with("accounts = \"ignore\"")).match_count(), 1);
    // In every pass.
    for settings in [
        "reference = { days = 3, reference = \"contained\" }",
        "unique = { days = 3, conflicting_references = true }",
        "named = {}",
        "group = { left_key = \"reference\", right_key = \"reference\" }",
        "subset = { days = 3 }",
        "group = { left_key = \"party\", right_key = \"party\" }",
    ] {
        let three = |account: &str| -> Vec<Row> {
            (0..2).map(|n| Row { amount: 100 + n, ..on(account)[0].clone() }).collect()
        };
        let rules = rules(&pass("p", settings));
        assert_eq!(
            run(&three("DE-A"), &[Row { amount: 201, ..on("DE-B")[0].clone() }], &rules).match_count(),
            0,
            "{settings}"
        );
        assert_eq!(run(&on("DE-A"), &on("DE-B"), &rules).match_count(), 0, "{settings}");
    }
}

// ---- Currencies: <https://docs.adyen.com/reporting/settlement-reconciliation/transaction-level/>

const ADYEN: &str = "Merchant Account,Psp Reference,Merchant Reference,Creation Date,Type,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Batch Number\n";

#[test]
fn a_sale_in_another_currency_is_matched_before_its_conversion_and_the_rate_is_checked() {
    let rows = "M,P1,ORD-1,2026-01-05,Settled,USD,,200.00,0.9,EUR,,178.20,1.00,0.80,7\nM,P2,ORD-2,2026-01-05,Refunded,USD,50.00,,0.9,EUR,45.00,,,,7\nM,,,2026-01-07,MerchantPayout,,,,,EUR,133.20,,,,7\n";
    let file = format!("{ADYEN}{rows}");
    let found = read(&file);
    assert!(ties(&found), "the batch is what is paid out: {:?}", found.statements);
    let ledger =
        "reference,amount,currency,booking_date\nORD-1,200.00,USD,2026-01-05\nORD-2,-50.00,USD,2026-01-06\n";
    let outcome = reconciled(ledger, &[&file], &standard().unwrap());
    assert_eq!((outcome.match_count(), outcome.breaks.len()), (2, 1));
    let books: Vec<_> = outcome
        .conservation
        .residuals
        .iter()
        .map(|(currency, books)| (currency.code(), books.difference, books.exchange, books.tolerance))
        .collect();
    assert_eq!(books, [("EUR", -13_500, -13_500, 0), ("USD", 15_000, 15_000, 0)]);
    let off = read(&format!("{ADYEN}{}", rows.replace(",0.9,EUR,,178.20", ",0.8,EUR,,178.20")));
    assert_eq!(remarks(&off), [(2, "Exchange Rate", "rate-off")]);
    let none = read(&format!("{ADYEN}{}", rows.replace(",0.9,EUR,,178.20", ",,EUR,,178.20")));
    assert_eq!(remarks(&none)[0].2, "rate-missing");
    assert!(!ties(&read(&file.replace("133.20", "133.10"))), "a batch that is paid out short");
}

#[test]
fn conversions_of_stripe_camt_and_tables_are_kept_with_their_rate() {
    let stripe = "balance_transaction_id,created,currency,gross,fee,net,reporting_category,source_id,customer_facing_amount,customer_facing_currency,exchange_rate\nt,2026-01-05,eur,9.20,0.20,9.00,charge,ch,10.00,usd,0.92\n";
    let instructed = "<NtryDtls><TxDtls><Refs><EndToEndId>E</EndToEndId></Refs><AmtDtls><InstdAmt><Amt Ccy=\"USD\">10.00</Amt></InstdAmt><TxAmt><Amt Ccy=\"EUR\">9.20</Amt><CcyXchg><SrcCcy>USD</SrcCcy><TrgtCcy>EUR</TrgtCcy><XchgRate>0.92</XchgRate></CcyXchg></TxAmt></AmtDtls></TxDtls></NtryDtls>";
    let statement = camt("camt.053", IBAN, &entry("9.20", "CRDT", "2026-01-05", instructed));
    let columns = "[columns]\nbooking_date = \"date\"\namount = \"amount\"\ncurrency = \"currency\"\noriginal_amount = \"was\"\noriginal_currency = \"in\"\nrate = \"rate\"\n";
    let table = read_as(
        "x",
        "date,amount,currency,was,in,rate\n2026-01-05,9.20,EUR,10.00,USD,0.9200\n",
        Some(toml_edit::de::from_str(columns).unwrap()),
    )
    .unwrap();
    for found in [read(stripe), read(&statement), table] {
        let set = &found.entries;
        let (minor, currency) = details::original(set.details(0)).unwrap();
        assert_eq!((minor, currency.code(), detail(set, 0, Detail::Rate)), (1_000, "USD", "0.92"));
    }
}

/// A table with one rate of the pound in euro, and the pass that compares amounts before conversion.
fn with_rate(from: &str, to: &str, rate: &str, more: &str) -> Ruleset {
    let table = format!(
        "[rates]\npercent = \"0.5\"\n{more}table = [{{ from = \"{from}\", to = \"{to}\", day = \"2026-01-02\", rate = \"{rate}\" }}]\n"
    );
    rules(&(table + &pass("before conversion", "reference = { right_amount = \"original\" }")))
}

#[test]
fn a_conversion_counts_only_if_its_rate_is_that_of_the_table() {
    let file = |rate: &str, net: &str| {
        format!("{ADYEN}M,P1,ORD-1,2026-01-05,Settled,GBP,,100.00,{rate},EUR,,{net},1.00,0.50,7\n")
    };
    let ledger = "reference,amount,currency,booking_date\nORD-1,100.00,GBP,2026-01-05\n";
    let told = |file: &str, rules: &Ruleset| {
        let outcome = reconciled(ledger, &[file], rules);
        let reason =
            outcome.breaks.iter().find(|item| item.side == Side::Right).map(|item| item.reason.clone());
        (outcome.match_count(), reason.unwrap_or_default())
    };
    // Gross 100.00 GBP at 1.15 less 1.50 of fees is 113.50 EUR; the table's rate is 0.1% away, then 4.2%.
    let right = file("1.15", "113.50");
    assert_eq!(told(&right, &with_rate("GBP", "EUR", "1.1512", "")).0, 1);
    assert_eq!(told(&right, &with_rate("EUR", "GBP", "0.8696", "")).0, 1, "the inverse of 1.14995");
    let (count, reason) = told(&right, &with_rate("GBP", "EUR", "1.2", ""));
    assert_eq!(
        (count, reason.contains("the rate of 1.15 is too far from the table's 1.2 of 2026-01-02")),
        (0, true),
        "{reason}"
    );
    // The rate may be right and the sum wrong, with and without a rate in the file.
    for rate in ["1.15", ""] {
        let (count, reason) = told(&file(rate, "103.50"), &with_rate("GBP", "EUR", "1.15", ""));
        assert_eq!((count, reason.contains("the amount is 10.00 EUR away")), (0, true), "{reason}");
    }
    assert_eq!(told(&file("", "113.50"), &with_rate("GBP", "EUR", "1.15", "")).0, 1);
    // No rate of these currencies, and none that is young enough.
    for rules in [with_rate("USD", "EUR", "1.15", ""), with_rate("GBP", "EUR", "1.15", "days = 2\n")] {
        let (count, reason) = told(&right, &rules);
        assert_eq!(
            (count, reason.contains("the table has no rate of GBP in EUR for 2026-01-05")),
            (0, true),
            "{reason}"
        );
    }
    assert_eq!(told(&right, &with_rate("GBP", "EUR", "1.15", "days = 3\n")).0, 1);
    let outcome = reconciled(ledger, &[&right], &with_rate("GBP", "EUR", "1.1512", ""));
    let text = txn_reconcile_api::report::summary(&outcome, &with_rate("GBP", "EUR", "1.1512", ""));
    assert!(
        text.contains(
            "Exchange EUR, right: 1 entries converted, -0.12 beside the rates of the table; 0 off."
        ),
        "{text}"
    );
}

#[test]
fn a_table_of_rates_that_cannot_be_is_refused_with_its_key() {
    let rate = |from: &str, to: &str, day: &str, rate: &str| {
        format!("{{ from = \"{from}\", to = \"{to}\", day = \"{day}\", rate = \"{rate}\" }}")
    };
    let good = rate("GBP", "EUR", "2026-01-02", "1.15");
    for (table, key) in [
        (String::new(), "rates.table"),
        (rate("GBX", "EUR", "2026-01-02", "1"), "rates.table[0].from"),
        (rate("EUR", "EUR", "2026-01-02", "1"), "rates.table[0].to"),
        (rate("GBP", "EUR", "2.1.2026", "1"), "rates.table[0].day"),
        (rate("GBP", "EUR", "2026-01-02", "-1"), "rates.table[0].rate"),
        (rate("HRK", "EUR", "2023-02-01", "0.13272"), "rates.table[0].day"),
        (format!("{good}, {good}"), "rates.table[1].day"),
    ] {
        let text = format!(
            "version = 2\nname = \"t\"\n[rates]\npercent = \"1\"\ntable = [{table}]\n{}",
            pass("p", "exact = {}")
        );
        assert_eq!(load(&text).unwrap_err().key, key, "{table}");
    }
}

// ---- CODA: Febelfin's standard, version 2.6, annexes I to III

fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("{}/samples/formats/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Amount, reference, counterparty and text of every entry.
fn shown(found: &Collector) -> Vec<(i128, &str, &str, &str)> {
    let set = &found.entries;
    set.rows()
        .map(|row| (set.amount(row), set.reference(row), set.counterparty(row), set.description(row)))
        .collect()
}

#[test]
fn a_coda_statement_is_read_with_its_details_and_ties_out() {
    let text = sample("belgian.cod");
    let found = read(&text);
    assert_eq!(
        shown(&found),
        [
            (2_550, "090933755493", "JANSSENS BV", ""),
            (
                -10_000,
                "INV-2026-0001",
                "DUPONT SA",
                "PAYMENT OF INV-2026-0001 AND A TEXT THAT GOES ON OVER THE END OF ITS ZONE"
            ),
            (
                -5_000,
                "INV-2026-0002",
                "PEETERS BV",
                "PAYMENT OF INV-2026-0002 AND A TEXT THAT GOES ON OVER THE END OF ITS ZONE"
            ),
            (-6_000, "", "TELECOM NV", "TELEPHONE BILL 5501"),
            (-325, "", "", "CHARGES ACCOUNT FEES OF DECEMBER"),
        ]
    );
    let set = &found.entries;
    assert!(ties(&found), "{:?}", found.statements);
    let statement = &found.statements[0];
    // Records, sum of debits, sum of credits.
    assert_eq!((statement.account.as_str(), statement.controls.len()), ("BE68539007547034", 3));
    assert_eq!(statement.sequence, Some(4));
    assert_eq!(set.account(0), "BE68539007547034");
    assert_eq!(detail(set, 0, Detail::CreditorReference), "090933755493");
    assert_eq!(detail(set, 0, Detail::CounterpartyAccount), "BE62510007547061");
    assert_eq!(detail(set, 0, Detail::Bank), "BNK0000000001");
    assert_eq!(detail(set, 3, Detail::Mandate), "MANDATE-77");
    assert_eq!((set.booking(0).to_string(), set.kind(0)), ("2026-01-06".to_owned(), "00150000"));
    assert_eq!(remarks(&found), []);
}

#[test]
fn what_a_coda_file_contradicts_is_told() {
    let text = sample("belgian.cod");
    let changed = |from: &str, to: &str| {
        assert_eq!((text.matches(from).count(), from.len()), (1, to.len()), "{from}");
        text.replace(from, to)
    };
    // A detail that does not come to its movement: the movement stands for both.
    let off =
        read(&changed("BNK0000000004        1000000000050000", "BNK0000000004        1000000000050010"));
    assert_eq!(
        (amounts(&off), remarks(&off)),
        (vec![2_550, -15_000, -6_000, -325], vec![(6, "21", "details-off")])
    );
    // An amount of its own breaks the sum, the balance and the trailer.
    let short =
        read(&changed("BNK0000000006        1000000000003250", "BNK0000000006        1000000000003260"));
    let TieOut::Off(faults) = short.statements[0].tie_out() else { panic!("it ties out") };
    assert_eq!(faults.len(), 2, "{faults:?}");
    // A sign that is none, a thousandth of a euro, a day that is none, a type of communication that is none.
    for (from, to, code) in [
        (
            "BNK0000000006        1000000000003250",
            "BNK0000000006        2000000000003250",
            "amount-malformed",
        ),
        (
            "BNK0000000006        1000000000003250",
            "BNK0000000006        1000000000003255",
            "amount-malformed",
        ),
        ("060126035370060CHARGES", "310226035370060CHARGES", "date-malformed"),
        ("060126035370060CHARGES", "060126035370067CHARGES", "communication-type"),
    ] {
        let found = read(&changed(from, to));
        assert_eq!((amounts(&found).len(), remarks(&found)), (4, vec![(16, "21", code)]), "{to}");
    }
    // A value date that is not known is the day of the entry.
    let unknown = read(&changed("060126035370060CHARGES", "000000035370060CHARGES"));
    assert_eq!((amounts(&unknown).len(), unknown.entries.value(4).to_string().as_str()), (5, "2026-01-06"));
    // Records that are cut, and a file without its end.
    let cut: Vec<&str> =
        text.lines().map(|line| if line.starts_with('4') { &line[..60] } else { line }).collect();
    assert_eq!(remarks(&read(&cut.join("\n")))[0].2, "record-length");
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with('9')).collect();
    assert_eq!(remarks(&read(&without.join("\n")))[0].2, "trailer-missing");
    let currency = read(&changed(
        "034                  EUR0000000001000000",
        "034                  XYZ0000000001000000",
    ));
    assert_eq!((amounts(&currency), remarks(&currency)[0].2), (vec![], "currency-missing"));
}

// ---- MT900 and MT910: SWIFT Standards MT, Category 9, <https://www2.swift.com/knowledgecentre/publications/us9m>

#[test]
fn a_confirmation_is_one_entry_whose_sign_is_that_of_its_message() {
    let text = sample("confirmations.fin");
    let found = read(&text);
    assert_eq!(
        shown(&found),
        [
            (125_050, "INV-2026-0007", "ACME GMBH", "/REC/INVOICE INV-2026-0007 THANK YOU"),
            (-9_900, "PAY-77", "OUR TREASURY", "/OCMT/GBP86,09/CHGS/EUR1,50/"),
        ]
    );
    let set = &found.entries;
    assert_eq!(
        (set.booking(0).to_string(), set.value(0).to_string()),
        ("2026-01-05".to_owned(), "2026-01-06".to_owned())
    );
    assert_eq!((set.kind(0), set.kind(1), set.account(1)), ("MT910", "MT900", "DE89370400440532013000"));
    assert_eq!(detail(set, 0, Detail::Bank), "BNK-CR-0001");
    assert_eq!(detail(set, 0, Detail::CounterpartyAccount), "DE75512108001245126199");
    assert_eq!(
        details::original(set.details(1)).map(|(minor, currency)| (minor, currency.code())),
        Some((-8_609, "GBP"))
    );
    assert_eq!((remarks(&found), found.statements.len()), (vec![], 0));
    // Half past eleven in the evening, UTC, is the next day in Berlin.
    let zoned = read_as("x", &text, Some(zoned("Europe/Berlin", None))).unwrap();
    assert_eq!(days(&zoned), ["2026-01-06", "2026-01-05"]);
}

#[test]
fn a_confirmation_whose_direction_nobody_says_is_refused() {
    let bare =
        |before: &str, more: &str| format!("{before}:20:B1\n:21:R1\n:25:123\n:32A:260105EUR10,\n{more}-\n");
    let one = |text: &str| {
        let found = read(text);
        (
            amounts(&found),
            remarks(&found)
                .into_iter()
                .map(|(line, column, code)| (line, column.to_owned(), code.to_owned()))
                .collect::<Vec<_>>(),
        )
    };
    let refused = |line, column: &str, code: &str| (vec![], vec![(line, column.to_owned(), code.to_owned())]);
    assert_eq!(one(&bare("", "")), refused(4, "32A", "direction-unknown"));
    assert_eq!(one(&bare("900\n", "")), (vec![-1_000], vec![]));
    assert_eq!(one(&bare("910\n", "")), (vec![1_000], vec![]));
    // Only a confirmation of credit has an ordering customer or an intermediary.
    assert_eq!(one(&bare("", ":50K:ACME\n")), (vec![1_000], vec![]));
    assert_eq!(one(&bare("900\n", ":50K:ACME\n")), refused(5, "50", "direction-contradicts"));
    // A payment order is no booking.
    assert_eq!(one(&bare("202\n", "")), refused(5, "32A", "message-type"));
    for (field, code) in [
        ("260231EUR10,", "date-malformed"),
        ("260105XYZ10,", "currency-unknown"),
        ("260105EUR-10,", "amount-malformed"),
        ("260105EUR10,001", "amount-malformed"),
    ] {
        let text = bare("910\n", "").replace("260105EUR10,", field);
        assert_eq!(one(&text), refused(5, "32A", code), "{field}");
    }
}

// ---- PayPal and Wise: their exports, in which each row bears itself out

/// Gross, fee and net of a row, and what it is.
fn costs(found: &Collector) -> Vec<(i128, i128, &str, String)> {
    let set = &found.entries;
    set.rows()
        .map(|row| {
            let class = txn_reconcile_api::entry::kind::class(set.kind(row), &[]);
            (set.amount(row), set.fee(row), set.reference(row), class.to_string())
        })
        .collect()
}

#[test]
fn a_paypal_report_has_gross_and_fee_and_ties_out_by_its_balance() {
    let text = sample("paypal.csv");
    let found = read(&text);
    let line = |gross, fee, reference, kind: &str| (gross, fee, reference, kind.to_owned());
    assert_eq!(
        costs(&found),
        [
            line(125_000, 4_340, "INV-777", "payment"),
            line(-1_000, 0, "2CD", "unknown"),
            line(-5_000, -170, "INV-777", "refund"),
            line(500, 40, "INV-778", "payment"),
            line(-100_000, 0, "5IJ", "payout"),
        ]
    );
    let aside: Vec<u32> = found.entries.ignored().iter().map(|(row, _)| *row).collect();
    assert_eq!((aside, ties(&found), remarks(&found)), (vec![1, 3], true, vec![]));
    assert_eq!(detail(&found.entries, 2, Detail::Bank), "1AB");
    // Half past eleven in the evening in Paris is the same day in London and the next one in Tokyo; the file names its zone.
    assert_eq!(days(&read_as("x", &text, Some(zoned("UTC", None))).unwrap())[0], "2026-01-05");
    assert_eq!(days(&read_as("x", &text, Some(zoned("Asia/Tokyo", None))).unwrap())[0], "2026-01-06");
    let short = read(&text.replace("\"158.30\"", "\"158.20\""));
    assert!(!ties(&short));
}

#[test]
fn what_the_language_of_a_paypal_account_decides_is_not_guessed() {
    let text = sample("paypal.csv");
    let slashes = text.replace(".01.2026", "/01/2026");
    assert!(
        remarks(&read(&slashes))
            .iter()
            .all(|(_, column, code)| (*column, *code) == ("Date", "date-ambiguous"))
    );
    let declared = |date_format: &str| MappingFile {
        date_format: Some(date_format.to_owned()),
        ..MappingFile::default()
    };
    assert_eq!(days(&read_as("x", &slashes, Some(declared("DD/MM/YYYY"))).unwrap())[0], "2026-01-05");
    assert_eq!(days(&read_as("x", &slashes, Some(declared("MM/DD/YYYY"))).unwrap())[0], "2026-05-01");
    let comma = text
        .replace("1,250.00", "1.250,00")
        .replace("-43.40", "-43,40")
        .replace("\"1,206.60\",\"jane", "\"1.206,60\",\"jane");
    assert_eq!(remarks(&read(&comma))[0], (2, "Gross", "amount-malformed"));
    for (from, to, column, code) in [
        ("\"-43.40\"", "\"-43.41\"", "Net", "net-off"),
        ("\"\",\"Credit\"", "\"\",\"Debit\"", "Balance Impact", "direction-contradicts"),
        ("\"\",\"Credit\"", "\"\",\"Haben\"", "Balance Impact", "direction-unknown"),
    ] {
        assert_eq!(remarks(&read(&text.replace(from, to)))[0], (2, column, code));
    }
    let status = text.replace(",\"Balance Impact\"", "").replace("\"Completed\"", "\"Denied\"");
    assert_eq!(remarks(&read(&status))[0], (2, "Status", "status-unknown"));
}

#[test]
fn a_wise_statement_has_its_fees_in_rows_and_ties_out_from_the_newest() {
    let text = sample("wise.csv");
    let found = read(&text);
    let line = |amount, reference, kind: &str| (amount, 0, reference, kind.to_owned());
    assert_eq!(
        costs(&found),
        [
            line(-11_500, "INV-2026-0009", "payment"),
            line(-50, "", "fee"),
            line(-1_230, "", "payment"),
            line(51_250, "INV-2026-0001", "unknown"),
        ]
    );
    assert_eq!((ties(&found), remarks(&found)), (true, vec![]));
    let set = &found.entries;
    // 92.00 GBP at 0.8 pounds for a euro is 115.00 EUR: a pound is 1.25 euro.
    assert_eq!(
        details::original(set.details(0)).map(|(minor, currency)| (minor, currency.code())),
        Some((-9_200, "GBP"))
    );
    assert_eq!((detail(set, 0, Detail::Rate), set.counterparty(2)), ("1.25", "Corner Cafe"));
    let ledger = "reference,amount,currency,booking_date\nINV-2026-0009,-92.00,GBP,2026-01-07\n";
    assert_eq!(reconciled(ledger, &[&text], &standard().unwrap()).match_count(), 1);
    assert!(!ties(&read(&text.replace(",384.70,", ",384.20,"))));
    assert_eq!(
        days(&read_as("x", &text, Some(zoned("Europe/Berlin", Some("UTC")))).unwrap())[2],
        "2026-01-07"
    );
    let unknown = read_as("x", &text, Some(zoned("Europe/Berlin", None))).unwrap();
    assert_eq!(remarks(&unknown)[0], (2, "Date", "time-zone-missing"));
    // Columns that are declared go first.
    let mapping = "date_format = \"DD-MM-YYYY\"\n[columns]\nbooking_date = \"Date\"\namount = \"Amount\"\ncurrency = \"Currency\"\nreference = \"TransferWise ID\"\n";
    let mapped = read_as("x", &text, Some(toml_edit::de::from_str(mapping).unwrap())).unwrap();
    assert_eq!(mapped.entries.reference(0), "TRANSFER-2002");
}

// ---- Time zones: the day on which a timestamp falls where days are counted

fn zoned(time_zone: &str, timestamps: Option<&str>) -> MappingFile {
    MappingFile {
        time_zone: Some(time_zone.to_owned()),
        timestamps: timestamps.map(str::to_owned),
        ..MappingFile::default()
    }
}

fn days(found: &Collector) -> Vec<String> {
    found.entries.rows().map(|row| found.entries.booking(row).to_string()).collect()
}

#[test]
fn timestamps_count_on_the_day_of_the_source_s_time_zone_in_every_format() {
    let late = "2026-01-05T23:30:00";
    let csv = format!("date,amount,currency\n{late}Z,1.00,EUR\n");
    let ndjson = format!("{{\"date\":\"{late}Z\",\"amount\":\"1.00\",\"currency\":\"EUR\"}}\n");
    let ofx = "OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>1</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260105183000[-5:EST]<TRNAMT>1.00<FITID>1</STMTTRN></BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>";
    let stripe = "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id\nt,2026-01-05 23:30:00,eur,9.20,0.20,9.00,charge,ch\n";
    let statement = camt(
        "camt.053",
        IBAN,
        &format!(
            "<Ntry><Amt Ccy=\"EUR\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>{late}Z</DtTm></BookgDt></Ntry>"
        ),
    );
    let adyen = format!("{ADYEN}M,P1,ORD-1,2026-01-05 23:30:00,Settled,EUR,,2.80,1,EUR,,1.00,1.00,0.80,7\n")
        .replace("Creation Date,", "Creation Date,TimeZone,")
        .replace("23:30:00,", "19:30:00,EDT,");
    for text in [csv.as_str(), &ndjson, ofx, stripe, &statement, &adyen] {
        for (zone, expected) in [("Europe/Berlin", "2026-01-06"), ("UTC", "2026-01-05")] {
            let found = read_as("x", text, Some(zoned(zone, None))).unwrap();
            assert_eq!(
                (days(&found), remarks(&found)),
                (vec![expected.to_owned()], vec![]),
                "{zone}: {text}"
            );
        }
        // Without a time zone the date is the one that is written.
        assert_eq!(days(&read(text)), ["2026-01-05"], "{text}");
    }
}

#[test]
fn a_timestamp_without_its_zone_is_refused_unless_the_source_says_it() {
    let csv = "date,amount,currency\n2026-01-05 23:30:00,1.00,EUR\n2026-01-05,2.00,EUR\n2026-01-05 25:00:00,3.00,EUR\n";
    let found = read_as("x", csv, Some(zoned("Europe/Berlin", None))).unwrap();
    assert_eq!(amounts(&found), [200], "a date without a time is that day");
    assert_eq!(remarks(&found), [(2, "date", "time-zone-missing"), (4, "date", "time-malformed")]);
    let found = read_as("x", csv, Some(zoned("Europe/Berlin", Some("America/New_York")))).unwrap();
    assert_eq!((amounts(&found), days(&found)[0].as_str()), (vec![100, 200], "2026-01-06"));
    let stripe =
        "balance_transaction_id,created,currency,gross,fee,net\nt,2026-01-05 23:30:00,eur,9.20,0.20,9.00\n";
    let found = read_as("x", stripe, Some(zoned("Europe/Berlin", None))).unwrap();
    assert_eq!(remarks(&found), [(2, "created", "time-zone-missing")]);
    let statement = camt(
        "camt.053",
        IBAN,
        "<Ntry><Amt Ccy=\"EUR\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>2026-01-05T23:30:00</DtTm></BookgDt></Ntry>",
    );
    let found = read_as("x", &statement, Some(zoned("Europe/Berlin", None))).unwrap();
    assert!(remarks(&found).iter().any(|(_, _, code)| *code == "time-zone-missing"), "{:?}", remarks(&found));
    for (file, key) in [
        (zoned("Europe/Nowhere", None), "time_zone"),
        (zoned("UTC", Some("Mars")), "timestamps"),
        (MappingFile { timestamps: Some("UTC".to_owned()), ..MappingFile::default() }, "timestamps"),
    ] {
        assert_eq!(Mapping::compile(&file).unwrap_err().key, key);
    }
}

// ---- Stored forms of the release before

#[test]
fn a_carry_file_of_the_release_before_goes_on_and_is_not_doubled_by_its_statement() {
    let text = include_str!("stored/carry-1.ndjson");
    let [left, right] = carry::read(text, "carry").unwrap();
    assert_eq!((left.len(), right.len()), (4, 2));
    let samples = |name: &str| {
        std::fs::read_to_string(format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    // The ledger has no details: what was matched is known, and what was open is the same.
    let mut again = read_as("ledger.csv", &samples("ledger.csv"), None).unwrap().entries;
    again.append(left).unwrap();
    // The statement's texts are read otherwise now; its open entries are known by their place.
    let bank = samples("bank.sta").replace("NTRFDLT104//", "NTRFNONREF//");
    let mut bank = read_as("bank.sta", &bank, None).unwrap().entries;
    bank.append(right).unwrap();
    let outcome = run_with(again, bank, &rules(&pass("exact", "exact = {}")), 1);
    let aside = |side: Side| outcome.set(side).ignored().len();
    assert_eq!(
        (aside(Side::Left), aside(Side::Right)),
        (11 - 4 + 4, 2),
        "{:?}",
        outcome.set(Side::Right).ignored()
    );
    assert!(carry::write(&outcome).starts_with("{\"carry_forward\":2}\n"));
    let again = carry::read(&carry::write(&outcome), "again").unwrap();
    assert_eq!(again.iter().map(EntrySet::len).sum::<usize>(), outcome.breaks.len());
    assert!(carry::read(&text.replace(":1}", ":3}"), "x").is_err());
}

#[test]
fn records_and_rulesets_of_the_release_before_are_read() {
    let item: records::Break = serde_json::from_str(include_str!("stored/break-1.json")).unwrap();
    assert_eq!(
        (item.entry.account.as_str(), item.entry.details.len(), item.kind.as_str()),
        ("", 0, "reference")
    );
    let run: records::Run = serde_json::from_str(include_str!("stored/run-1.json")).unwrap();
    assert_eq!(run.summary.unwrap()["digest"].as_str().map(str::len), Some(64));
    assert_eq!(load(include_str!("stored/rules-1.toml")).unwrap().passes.len(), 5);
    // What version 1 does not have is refused in it, with the remedy.
    for extra in [
        "accounts = \"ignore\"",
        "kinds = { fee = [\"x\"] }",
        "[[account]]\nname = \"a\"\nalso = []",
        "[[prepare]]\ndrop_zeros = true",
        "breaks = { ages = [1] }",
        "[[fee]]\nname = \"f\"\npercent = \"1\"",
        "[rates]\npercent = \"1\"\ntable = [{ from = \"GBP\", to = \"EUR\", day = \"2026-01-02\", rate = \"1\" }]",
    ] {
        let text = |version: u32| {
            format!("version = {version}\nname = \"t\"\n{extra}\n{}", pass("exact", "exact = {}"))
        };
        assert!(load(&text(1)).unwrap_err().to_string().contains("set `version = 2`"), "{extra}");
        load(&text(2)).unwrap();
    }
    for settings in [
        "named = {}",
        "unique = { blocks = true }",
        "subset = { across_counterparties = true }",
        "net = { kinds = [\"refund\"] }",
        "group = { left_key = \"day\", right_key = \"day\" }",
        "group = { right_key = \"prepared\" }",
    ] {
        let text = format!("version = 1\nname = \"t\"\n{}", pass("p", settings));
        assert!(load(&text).unwrap_err().to_string().contains("set `version = 2`"), "{settings}");
    }
    assert!(load(&format!("version = 3\nname = \"t\"\n{}", pass("p", "exact = {}"))).is_err());
}
