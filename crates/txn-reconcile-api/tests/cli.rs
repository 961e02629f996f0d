//! The command as its users run it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_txn-reconcile-api")).current_dir(folder).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const LEDGER: &str = "reference,amount,currency,date\nA,10.00,EUR,2026-11-02\n=B,20.00,EUR,2026-11-02\n";
const BANK: &str = "reference,amount,currency,date\nA,10.00,EUR,2026-11-02\n";

fn samples() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/samples"))
}

#[test]
fn the_help_of_serve_names_every_variable_and_exit_code() {
    // Lines are broken where the terminal ends.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words(&stdout(&run(samples(), &["serve", "--help"])));
    for var in contract::Var::ALL {
        let line = words(&format!("{} {}", var.name(), var.doc()));
        assert!(text.contains(&line), "{line}: {text}");
    }
    assert!(
        text.contains("From 1 to 1000000.") && text.contains("7 a variable of the environment"),
        "{text}"
    );
}

#[test]
fn the_sample_run_matches_and_explains() {
    let output = run(samples(), &["reconcile", "ledger.csv", "bank.sta", "--rules", "rules.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("6 BREAKS OPEN"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours and no progress bar outside a terminal");
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_clean_run_exits_with_zero() {
    let folder = folder(&[("a.csv", BANK), ("b.csv", BANK)]);
    let output = run(folder.path(), &["reconcile", "a.csv", "b.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).ends_with("CLEAN\n"));
}

#[test]
fn exports_are_whole_and_neutralise_formulas() {
    let folder = folder(&[("a.csv", LEDGER), ("b.csv", BANK)]);
    let args = [
        "reconcile",
        "a.csv",
        "b.csv",
        "--breaks",
        "breaks.csv",
        "--matches",
        "matches.json",
        "--carry-out",
        "open.ndjson",
    ];
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let breaks = std::fs::read_to_string(folder.path().join("breaks.csv")).unwrap();
    assert_eq!(breaks.lines().count(), 2);
    assert!(breaks.contains(",'=B,"), "{breaks}");
    let matches: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("matches.json")).unwrap()).unwrap();
    assert_eq!(matches.as_array().unwrap().len(), 2);
    assert_eq!(matches[0]["amount"], "10.00");
    // The open entry meets its counterpart in the next run.
    std::fs::write(
        folder.path().join("next.csv"),
        "reference,amount,currency,date\n=B,20.00,EUR,2026-11-03\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("none.csv"), "reference,amount,currency,date\n").unwrap();
    let next = run(folder.path(), &["reconcile", "none.csv", "next.csv", "--carry-in", "open.ndjson"]);
    assert_eq!(next.status.code(), Some(0), "{}{}", stdout(&next), stderr(&next));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_the_same_rows() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    let folder = folder(&[("a.csv", LEDGER), ("b.csv", BANK)]);
    run(folder.path(), &["reconcile", "a.csv", "b.csv", "--breaks", "breaks.parquet"]);
    let file = std::fs::File::open(folder.path().join("breaks.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get_string(0).unwrap(), "date");
    assert_eq!(rows[0].get_long(2).unwrap(), 0);
}

#[test]
fn card_data_stops_the_run_and_is_not_repeated() {
    let card =
        "reference,amount,currency,date\nA,10.00,EUR,2026-11-02\n4111111111111111,1.00,EUR,2026-11-02\n";
    let folder = folder(&[("a.csv", card), ("b.csv", BANK)]);
    let output = run(folder.path(), &["reconcile", "a.csv", "b.csv", "--breaks", "breaks.csv"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(
        stderr(&output).contains("a.csv: line 3, column \"reference\": card number"),
        "{}",
        stderr(&output)
    );
    assert!(!stderr(&output).contains("4111") && !stdout(&output).contains("4111"));
    assert!(!folder.path().join("breaks.csv").exists());
    let rules = "version = 1\nname = \"r\"\n[left.mapping]\ncard_exempt = [{ column = \"reference\", reason = \"bank references of 16 digits\" }]\n[[pass]]\nname = \"exact\"\nexact = {}\n";
    std::fs::write(folder.path().join("r.toml"), rules).unwrap();
    let exempt = run(folder.path(), &["reconcile", "a.csv", "b.csv", "--rules", "r.toml"]);
    assert_eq!(exempt.status.code(), Some(1), "{}", stderr(&exempt));
}

#[test]
fn explain_says_what_every_pass_compares_and_what_fails() {
    let other = "reference,amount,currency,date\nA,11.00,EUR,2026-11-02\nC,5.00,EUR,2026-11-02\n";
    let folder = folder(&[("a.csv", LEDGER), ("b.csv", other)]);
    let explain = |entries: &[&str]| {
        let args = [&["explain"], entries, &["--left", "a.csv", "--right", "b.csv"]].concat();
        run(folder.path(), &args)
    };
    let pair = stdout(&explain(&["a.csv:2", "b.csv:2"]));
    for line in [
        "a.csv:2: open",
        "pass \"exact\" (exact): does not match",
        "ok    reference: \"A\" against \"A\"",
        "FAILS amount: 10.00 against 11.00 (equal)",
        "ok    date: 2026-11-02 against 2026-11-02",
        "pass \"reversal\" (net): does not match",
    ] {
        assert!(pair.contains(line), "{line}: {pair}");
    }
    // Without the other one the nearest is taken, and the reason is told.
    let one = stdout(&explain(&["b.csv:2"]));
    assert!(one.contains("b.csv:2 and a.csv:2") && one.contains("the amounts differ by 1.00"), "{one}");
    // By identity, and between entries of one side.
    let breaks = ["reconcile", "a.csv", "b.csv", "--breaks", "breaks.json"];
    run(folder.path(), &breaks);
    let list: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("breaks.json")).unwrap()).unwrap();
    let id = list[0]["entry_id"].as_str().unwrap();
    assert_eq!(explain(&[id, "b.csv:3"]).status.code(), Some(0));
    assert!(stdout(&explain(&["b.csv:2", "b.csv:3"])).contains("both are of one side"));
    let unknown = explain(&["c.csv:9"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("FILE:LINE"), "{}", stderr(&unknown));
}

#[test]
fn each_fault_has_its_exit_code() {
    let folder = folder(&[
        ("a.csv", BANK),
        ("bad.toml", "version = 1\nname = \"x\"\npass = []\n"),
        ("x.txt", "hello"),
    ]);
    let code = |args: &[&str]| run(folder.path(), args).status.code();
    assert_eq!(code(&["reconcile", "a.csv"]), Some(2));
    assert_eq!(code(&["reconcile", "a.csv", "a.csv", "--breaks", "out.xls"]), Some(2));
    assert_eq!(code(&["reconcile", "a.csv", "missing.csv"]), Some(3));
    assert_eq!(code(&["reconcile", "a.csv", "x.txt"]), Some(3));
    assert_eq!(code(&["reconcile", "a.csv", "a.csv", "--rules", "bad.toml"]), Some(4));
    assert_eq!(code(&["reconcile", "a.csv", "a.csv", "--breaks", "no/such/folder/b.csv"]), Some(6));
    let rules = run(folder.path(), &["rules", "check", "bad.toml"]);
    assert!(
        stderr(&rules).contains("bad.toml: line 3: pass: a ruleset needs at least one [[pass]]"),
        "{}",
        stderr(&rules)
    );
}

#[test]
fn inspect_shows_tie_out_and_diagnostics() {
    let output = run(samples(), &["inspect", "formats/cash.bai2"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("account …6789, 3 entries: ties out"));
    let gap = run(samples(), &["inspect", "formats/dutch.mt940"]);
    assert_eq!(gap.status.code(), Some(1));
    assert!(stdout(&gap).contains("2 statement(s) missing"));
}

#[test]
fn three_sources_are_followed_to_the_end() {
    let folder = folder(&[("a.csv", LEDGER), ("b.csv", LEDGER), ("c.csv", BANK)]);
    let output = run(folder.path(), &["reconcile", "a.csv", "b.csv", "--third", "c.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    let line = |what: &str| {
        text.lines()
            .find(|line| line.contains(what))
            .unwrap()
            .split_whitespace()
            .rev()
            .nth(1)
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (line("matched on both legs"), line("first leg only"), line("second leg only")),
        ("1".into(), "1".into(), "0".into())
    );
}

#[test]
fn lists_show_the_lines_of_the_files_on_request() {
    let folder = folder(&[("a.csv", LEDGER), ("b.csv", BANK)]);
    let args =
        ["reconcile", "a.csv", "b.csv", "--raw", "--breaks", "breaks.json", "--matches", "matches.json"];
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let list = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(folder.path().join(name)).unwrap()).unwrap()
    };
    assert_eq!(list("breaks.json")[0]["raw"], "=B,20.00,EUR,2026-11-02");
    assert_eq!(list("matches.json")[1]["raw"], "A,10.00,EUR,2026-11-02");
    run(folder.path(), &["reconcile", "a.csv", "b.csv", "--breaks", "breaks.json"]);
    assert_eq!(list("breaks.json")[0]["raw"], "");
}

#[test]
fn a_file_that_is_imported_again_does_not_bring_back_what_was_matched() {
    let twice = "reference,amount,currency,date\nA,10.00,EUR,2026-11-02\nA,10.00,EUR,2026-11-02\nB,5.00,EUR,2026-11-02\n";
    let folder =
        folder(&[("a.csv", twice), ("b.csv", BANK), ("none.csv", "reference,amount,currency,date\n")]);
    // One of the two identical rows matches, the other and B stay open.
    let first = run(folder.path(), &["reconcile", "a.csv", "b.csv", "--carry-out", "1.ndjson", "--json"]);
    let breaks = |output: &Output| -> u64 {
        let summary: serde_json::Value = serde_json::from_str(&stdout(output)).unwrap();
        summary["breaks"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
    };
    assert_eq!(breaks(&first), 2, "{}", stderr(&first));
    let again =
        ["reconcile", "a.csv", "b.csv", "--carry-in", "1.ndjson", "--carry-out", "2.ndjson", "--json"];
    assert_eq!(breaks(&run(folder.path(), &again)), 2);
    // Also without the file, and once more from what that run carried on.
    let without =
        ["reconcile", "none.csv", "none.csv", "--carry-in", "2.ndjson", "--carry-out", "3.ndjson", "--json"];
    assert_eq!(breaks(&run(folder.path(), &without)), 2);
    let last = ["reconcile", "a.csv", "b.csv", "--carry-in", "3.ndjson", "--json"];
    assert_eq!(breaks(&run(folder.path(), &last)), 2);
}

#[test]
fn refused_rows_are_counted_by_reason() {
    let bad =
        "reference,amount,currency,date\nA,10.00,EUR,2026-11-02\nB,1.234,EUR,2026-11-02\nC,1,EUR,nonsense\n";
    let folder = folder(&[("a.csv", bad), ("b.csv", BANK)]);
    let output = run(folder.path(), &["reconcile", "a.csv", "b.csv"]);
    let text = stdout(&output);
    assert!(
        text.contains("rejected rows: 2 (1 amount-too-precise, 1 date-malformed; see `inspect`)"),
        "{text}"
    );
    let json = stdout(&run(folder.path(), &["reconcile", "a.csv", "b.csv", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["sides"]["left"]["rejected_by_reason"]["date-malformed"], 1);
}

#[test]
fn three_sources_are_one_json_document_with_lists_for_both_legs() {
    let folder = folder(&[("a.csv", LEDGER), ("b.csv", LEDGER), ("c.csv", BANK)]);
    let args = ["reconcile", "a.csv", "b.csv", "--third", "c.csv", "--json", "--third-breaks", "t.csv"];
    let output = run(folder.path(), &args);
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["legs"].as_array().unwrap().len(), 2);
    assert_eq!(json["chain"]["EUR"]["first_leg_only"]["sum"], "20.00");
    assert_eq!(std::fs::read_to_string(folder.path().join("t.csv")).unwrap().lines().count(), 2);
}

#[test]
fn a_changed_ruleset_is_held_against_the_one_before() {
    let ruleset = |passes: &str| format!("version = 2\nname = \"r\"\n{passes}");
    let exact = "[[pass]]\nname = \"exact\"\nexact = {}\n";
    let loose = "[[pass]]\nname = \"loose\"\nreference = { days = 3, tolerance = { absolute = \"1.00\" } }\n";
    let idle = "[[pass]]\nname = \"again\"\nexact = {}\n";
    let folder = folder(&[
        ("a.csv", LEDGER),
        ("b.csv", "reference,amount,currency,date\nA,10.00,EUR,2026-11-02\n=B,20.50,EUR,2026-11-03\n"),
        ("old.toml", &ruleset(exact)),
        ("new.toml", &ruleset(&(exact.to_owned() + idle + loose))),
    ]);
    let diff = |old: &str, new: &str| {
        run(folder.path(), &["rules", "diff", old, new, "--left", "a.csv", "--right", "b.csv"])
    };
    let output = diff("old.toml", "new.toml");
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for line in [
        "old.toml: ruleset \"r\", 1 matches, 2 breaks",
        "new.toml: ruleset \"r\", 2 matches, 0 breaks",
        "warning: pass \"again\" never comes to anything: pass \"exact\" before it claims the same",
        "  pass \"again\" matches nothing in these files",
        "left EUR: 1 entries of 20.00 open, then matched",
        "right EUR: 1 entries of 20.50 open, then matched",
        "  a.csv:3 20.00 EUR: open (amount) -> \"loose\" with b.csv:3",
        "  b.csv:3 20.50 EUR: open (amount) -> \"loose\" with a.csv:3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let output = diff("new.toml", "new.toml");
    assert_eq!(
        (output.status.code(), stdout(&output).contains("Nothing is matched otherwise.")),
        (Some(0), true)
    );
    let output = run(folder.path(), &["rules", "check", "new.toml"]);
    assert!(stdout(&output).contains("never comes to anything"), "{}", stdout(&output));
}

// The same day of one account in MT940 and in camt.053, as a bank delivers them side by side.
const OLD_STATEMENT: &str = include_str!("../samples/migration/statement.sta");
const NEW_STATEMENT: &str = include_str!("../samples/migration/statement.xml");
const OLD_RULES: &str = include_str!("../samples/migration/rules.toml");

fn migrated(folder: &Path, more: &[&str]) -> Output {
    let args = ["migrate", "--mt", "old.sta", "--camt", "new.xml", "--rules", "rules.toml"];
    run(folder, &[&args, more].concat())
}

#[test]
fn a_bank_s_new_format_is_held_against_the_old_one_and_the_ruleset_rewritten() {
    let folder = folder(&[("old.sta", OLD_STATEMENT), ("new.xml", NEW_STATEMENT), ("rules.toml", OLD_RULES)]);
    let output = migrated(folder.path(), &["--propose", "new.toml"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for line in [
        "4 entries in MT940, 5 entries in camt",
        "  3 the same by account, currency, date and amount",
        "  1 split into the details of their batch",
        "  0 in MT940 alone",
        "  0 in camt alone",
        "Closing balances: 1 the same",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // The invoice's number has gone from the reference into the text; names are one however they are spelt.
    assert!(text.contains("reference \"INV-2026-0002\" stands in description"), "{text}");
    assert!(!text.contains("counterparty"), "{text}");
    let proposed = std::fs::read_to_string(folder.path().join("new.toml")).unwrap();
    for part in [
        "# as the bank delivers it",
        "format = \"camt\"",
        "equals = [\"NCHG\", \"ACMT-MDOP-CHRG\"] # booked elsewhere",
        "reference = \"contained\"",
    ] {
        assert!(proposed.contains(part), "{part}\n{proposed}");
    }
    let checked = run(folder.path(), &["rules", "check", "new.toml"]);
    assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
}

#[test]
fn a_migration_is_told_as_json_with_the_ledger_s_matches() {
    let ledger = "reference,amount,currency,date\nINV-2026-0001,100.00,EUR,2026-01-06\nINV-2026-0002,200.00,EUR,2026-01-06\n";
    let folder = folder(&[
        ("old.sta", OLD_STATEMENT),
        ("new.xml", NEW_STATEMENT),
        ("rules.toml", OLD_RULES),
        ("ledger.csv", ledger),
    ]);
    let output = migrated(folder.path(), &["--ledger", "ledger.csv", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(
        (output.status.code(), &report["version"], &report["same"]),
        (Some(1), &1.into(), &false.into())
    );
    let matching = &report["matching"];
    assert_eq!(matching["with_ledger"], true);
    assert_eq!(
        matching["passes"][0],
        serde_json::json!({ "pass": "exact", "old": 2, "new": 1, "proposed": 1 })
    );
    assert_eq!(matching["otherwise"].as_array().unwrap().len(), 1, "{matching}");
    assert_eq!(matching["otherwise"][0]["entry"]["reference"], "INV-2026-0002");
    assert_eq!(
        (&matching["otherwise"][0]["before"], &matching["otherwise"][0]["after"]),
        (&"exact".into(), &serde_json::Value::Null)
    );
    assert_eq!(matching["otherwise_proposed"], 0, "{matching}");
    assert_eq!(report["fields"]["reference"]["found_in"]["description"], 1, "{report}");
}

#[test]
fn the_same_in_both_formats_needs_no_other_rules() {
    let one = |text: &str, from: &str, to: &str| {
        let (start, end) = (text.find(from).unwrap(), text.find(to).unwrap());
        text[..start].to_owned() + &text[end..]
    };
    let old = one(OLD_STATEMENT, ":61:2601060106C200", ":62F:").replace("EUR1394,00", "EUR1100,00");
    let new = one(NEW_STATEMENT, "<Ntry><Amt Ccy=\"EUR\">200.00", "</Stmt>").replace("1394.00", "1100.00");
    let folder = folder(&[
        ("old.sta", &old),
        ("new.xml", &new),
        ("rules.toml", "version = 2\nname = \"r\"\n[[pass]]\nname = \"exact\"\nexact = {}\n"),
        ("other.xml", &new.replace(">100.00<", ">101.00<").replace("1100.00", "1101.00")),
        ("empty.xml", ""),
    ]);
    let output = migrated(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("The ruleset needs no change"), "{}", stdout(&output));
    let with = |mt: &str, camt: &str| run(folder.path(), &["migrate", "--mt", mt, "--camt", camt]);
    let output = with("old.sta", "other.xml");
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("  1 of another amount\n"), "{}", stdout(&output));
    assert!(stdout(&output).contains("MT940 1100.00, camt 1101.00"), "{}", stdout(&output));
    for (mt, camt, code, what) in [
        ("new.xml", "new.xml", 3, "new.xml: is camt, and mt940 is needed here"),
        ("old.sta", "old.sta", 3, "old.sta: is mt940, and camt is needed here"),
        ("old.sta", "empty.xml", 3, "empty.xml"),
        ("old.sta", "missing.xml", 3, "missing.xml"),
    ] {
        let output = with(mt, camt);
        assert_eq!(output.status.code(), Some(code), "{mt} {camt}");
        assert!(stderr(&output).contains(what), "{}", stderr(&output));
    }
    assert_eq!(run(folder.path(), &["migrate", "--mt", "old.sta"]).status.code(), Some(2));
    assert_eq!(run(folder.path(), &["migrate", "--rules", "rules.toml"]).status.code(), Some(2));
}

#[test]
fn the_balance_of_the_books_follows_from_the_bank_s_and_what_is_outstanding() {
    const STATEMENT: &str = ":20:S\n:25:DE89370400440532013000\n:28C:1/1\n:60F:C260105EUR1000,00\n:61:2601060106C100,00NTRFINV-1\n:61:2601060106D5,00NCHGNONREF\n:86:ACCOUNT FEE\n:62F:C260106EUR1095,00\n-\n";
    let ledger = |last: &str| {
        format!(
            "reference,amount,currency,date,account,balance\nINV-1,100.00,EUR,2026-01-06,1200,1100.00\nINV-2,50.00,EUR,2026-01-06,1200,{last}\n"
        )
    };
    let rules = "version = 2\nname = \"r\"\n[left]\nname = \"ledger\"\n[right]\nname = \"bank\"\n[[account]]\nname = \"main\"\nalso = [\"1200\", \"DE89370400440532013000\"]\n[[pass]]\nname = \"exact\"\nexact = {}\n";
    let run_with = |last: &str, more: &[&str]| {
        let folder = folder(&[("l.csv", &ledger(last)), ("b.sta", STATEMENT), ("r.toml", rules)]);
        let args = [&["reconcile", "l.csv", "b.sta", "--rules", "r.toml", "--balances"], more].concat();
        stdout(&run(folder.path(), &args))
    };
    let text = run_with("1150.00", &[]);
    let figure = |text: &str, what: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(what)).unwrap_or_default();
        line.rsplit(' ').next().unwrap_or_default().to_owned()
    };
    for (what, sum) in [
        ("balance of bank, 2026-01-06", "1,095.00"),
        ("less 1 open of bank, not in ledger", "5.00"),
        ("plus 1 open of ledger, not in bank", "50.00"),
        ("balance of ledger that follows", "1,150.00"),
        ("balance of ledger that is stated", "1,150.00"),
    ] {
        assert_eq!(figure(&text, what), sum, "{what}\n{text}");
    }
    assert!(
        text.contains("From bank to ledger, EUR, account …3000") && text.contains("\n  ties\n"),
        "{text}"
    );
    let text = run_with("1151.00", &[]);
    assert!(text.contains("does NOT tie: 1.00 EUR unexplained"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&run_with("1150.00", &["--json"])).unwrap();
    assert_eq!(json["balances"].as_array().map(Vec::len), Some(1), "one account under two names");
    assert_eq!(json["balances"][0]["unexplained"], "0.00");
    assert_eq!(json["balances"][0]["open_external"]["sum"], "-5.00");
}

#[test]
fn the_statement_of_the_period_is_one_page_that_needs_nothing_beside_itself() {
    let ledger = "reference,amount,currency,date,balance\nA,10.00,EUR,2026-11-02,10.00\n<b>&B</b>,20.00,EUR,2026-10-01,30.00\n";
    let bank = "reference,amount,currency,date,balance\nA,10.00,EUR,2026-11-02,110.00\nC,1.00,EUR,2026-11-02,111.00\n";
    let rules = "version = 2\nname = \"<i>month</i>\"\n[[pass]]\nname = \"exact\"\nexact = {}\n[breaks]\nages = [5]\n[breaks.owners]\nmissing_external = \"treasury\"\n";
    let folder = folder(&[("l.csv", ledger), ("b.csv", bank), ("r.toml", rules)]);
    let args = ["reconcile", "l.csv", "b.csv", "--rules", "r.toml", "--report", "page.html"];
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    let has = |text: &str| assert!(page.contains(text), "{text}\n{page}");
    // 111.00 less 1.00 open there plus 20.00 open here is 130.00, and the ledger states 30.00.
    for text in [
        "<td class=\"n\">111.00</td><td class=\"n\">-1.00</td><td class=\"n\">20.00</td>",
        "-100.00 unexplained",
        "ties out",
        "&lt;b&gt;&amp;B&lt;/b&gt;",
        "&lt;i&gt;month&lt;/i&gt;",
        "<th class=\"n\" scope=\"col\">0-5 days</th><th class=\"n\" scope=\"col\">over 5 days</th>",
        "<td>treasury</td>",
        "Reviewed by",
        "@media print",
    ] {
        has(text);
    }
    let digest =
        stdout(&output).lines().find_map(|line| line.strip_prefix("Digest ").map(str::to_owned)).unwrap();
    has(&digest);
    for outside in ["<script", "http://", "https://", "src=", "<b>", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let output = run(folder.path(), &["reconcile", "l.csv", "b.csv", "--report", "page.txt"]);
    assert_eq!((output.status.code(), stderr(&output).contains("name it .html")), (Some(2), true));
}
