//! What each pass matches and what it leaves, as a specification.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Row, kinds, links, pass, row, rules, run};
use txn_reconcile_api::engine::{MatchView, Outcome};

fn only_match(outcome: &Outcome) -> (Vec<u32>, Vec<u32>) {
    let mut views = outcome.matches();
    let MatchView { left, right, .. } = views.next().expect("a match");
    let (mut left, mut right) = (left.to_vec(), right.to_vec());
    left.sort_unstable();
    right.sort_unstable();
    assert!(views.next().is_none(), "more than one match: {:?}", links(outcome));
    (left, right)
}

fn party(reference: &str, amount: i128, day: i32) -> Row {
    Row { counterparty: "ACME".to_owned(), ..row(reference, amount, day) }
}

#[test]
fn exact_wants_reference_currency_amount_and_date() {
    let rules = rules(&pass("exact", "exact = {}"));
    let right = [row("A", 100, 1)];
    assert_eq!(run(&[row("A", 100, 1)], &right, &rules).match_count(), 1);
    for other in
        [row("B", 100, 1), row("A", 101, 1), row("A", 100, 2), Row { currency: 1, ..row("A", 100, 1) }]
    {
        assert_eq!(run(&[other], &right, &rules).match_count(), 0);
    }
}

#[test]
fn a_blank_reference_is_no_reference() {
    let rules = rules(&pass("exact", "exact = {}"));
    for blank in ["", "NONREF", "notprovided", "--"] {
        assert_eq!(run(&[row(blank, 100, 1)], &[row(blank, 100, 1)], &rules).match_count(), 0, "{blank}");
    }
}

#[test]
fn an_entry_is_claimed_once_and_the_surplus_is_a_duplicate() {
    let rules = rules(&pass("exact", "exact = {}"));
    let outcome = run(&[row("A", 100, 1)], &[row("A", 100, 1), row("A", 100, 1)], &rules);
    assert_eq!(outcome.match_count(), 1);
    assert_eq!(kinds(&outcome), [("right", 1, "duplicate")]);
}

#[test]
fn identical_rows_on_both_sides_all_match() {
    let rules = rules(&pass("exact", "exact = {}"));
    let rows = vec![row("A", 100, 1); 3];
    assert_eq!(run(&rows, &rows, &rules).match_count(), 3);
}

#[test]
fn a_tolerance_is_the_larger_of_its_limits() {
    let settings = "reference = { days = 1, tolerance = { absolute = \"0.05\", percent = \"1\" } }";
    let rules = rules(&pass("near", settings));
    let matched = |a: i128, b: i128| run(&[row("A", a, 1)], &[row("A", b, 2)], &rules).match_count() == 1;
    assert!(matched(100, 105) && !matched(100, 106));
    assert!(matched(100_000, 101_000) && !matched(100_000, 101_011));
    assert!(!matched(100, -100));
}

#[test]
fn the_window_counts_business_days() {
    let text = "version = 1\nname = \"t\"\n[[pass]]\nname = \"w\"\nreference = { days = 1 }\n";
    let rules = txn_reconcile_api::rules::load(text).unwrap();
    // 2026-01-02 is a Friday.
    assert_eq!(run(&[row("A", 1, 2)], &[row("A", 1, 5)], &rules).match_count(), 1);
    assert_eq!(run(&[row("A", 1, 2)], &[row("A", 1, 6)], &rules).match_count(), 0);
}

#[test]
fn the_nearest_candidate_wins() {
    let rules = rules(&pass("near", "reference = { days = 5, tolerance = { absolute = \"1.00\" } }"));
    let outcome = run(&[row("A", 100, 3)], &[row("A", 101, 3), row("A", 100, 5), row("A", 100, 4)], &rules);
    assert_eq!(only_match(&outcome), (vec![0], vec![2]));
}

#[test]
fn equal_candidates_are_ambiguous_and_not_guessed() {
    let rules = rules(&pass("near", "reference = { days = 5, tolerance = { absolute = \"1.00\" } }"));
    let outcome = run(&[row("A", 100, 3)], &[row("A", 101, 3), row("A", 99, 3)], &rules);
    assert_eq!(outcome.match_count(), 0);
    assert_eq!(
        kinds(&outcome),
        [("left", 0, "ambiguous"), ("right", 0, "ambiguous"), ("right", 1, "ambiguous")]
    );
    let ambiguous = outcome.breaks.iter().find(|item| item.side.name() == "left").unwrap();
    assert_eq!(ambiguous.nearest.len(), 2);
}

#[test]
fn references_can_be_compared_without_marks_or_found_in_the_text() {
    let normalized = rules(&pass("n", "reference = { reference = \"normalized\" }"));
    assert_eq!(run(&[row("inv-00/7", 1, 1)], &[row("INV 007", 1, 1)], &normalized).match_count(), 1);
    let contained = rules(&pass("c", "reference = { reference = \"contained\" }"));
    let text = Row { description: "Payment INV-2026-07, thanks".to_owned(), ..row("", 1, 1) };
    assert_eq!(run(&[row("INV-2026-07", 1, 1)], std::slice::from_ref(&text), &contained).match_count(), 1);
    assert_eq!(run(&[row("INV-2026-08", 1, 1)], &[text], &contained).match_count(), 0);
}

#[test]
fn fees_are_added_or_taken_off() {
    let net = rules(&pass("fee", "reference = { right_amount = \"less_fee\" }"));
    let gross = Row { fee: 3, ..row("A", 100, 1) };
    assert_eq!(run(&[row("A", 97, 1)], std::slice::from_ref(&gross), &net).match_count(), 1);
    let outcome = run(&[row("A", 97, 1)], &[gross], &net);
    let residual = outcome.conservation.residuals.values().next().unwrap();
    assert_eq!((residual.difference, residual.fees, residual.tolerance), (-3, -3, 0));
}

#[test]
fn without_a_reference_only_what_is_unique_on_both_sides_matches() {
    let rules = rules(&pass("unique", "unique = { days = 2 }"));
    assert_eq!(run(&[row("", 100, 1)], &[row("X", 100, 3)], &rules).match_count(), 1);
    assert_eq!(run(&[row("", 100, 1)], &[row("X", 100, 4)], &rules).match_count(), 0);
    let two_right = run(&[row("", 100, 1)], &[row("X", 100, 1), row("Y", 100, 2)], &rules);
    assert_eq!(kinds(&two_right).iter().filter(|(_, _, kind)| *kind == "ambiguous").count(), 3);
    let two_left = run(&[row("", 100, 1), row("", 100, 2)], &[row("X", 100, 1)], &rules);
    assert_eq!(two_left.match_count(), 0);
}

#[test]
fn conflicting_references_are_a_break_unless_allowed() {
    let strict = rules(&pass("unique", "unique = { days = 2 }"));
    let outcome = run(&[row("A1", 100, 1)], &[row("B1", 100, 1)], &strict);
    assert_eq!(kinds(&outcome), [("left", 0, "reference"), ("right", 0, "reference")]);
    let lenient = rules(&pass("unique", "unique = { days = 2, conflicting_references = true }"));
    assert_eq!(run(&[row("A1", 100, 1)], &[row("B1", 100, 1)], &lenient).match_count(), 1);
}

#[test]
fn a_payout_ties_gross_less_fees_with_net() {
    let rules = rules(&pass("payout", "group = { right_key = \"reference\", left_amount = \"less_fee\" }"));
    let member = |amount, fee| Row { fee, group: "PO1".to_owned(), ..row("x", amount, 1) };
    let left = [member(1_000, 30), member(2_000, 60), member(-500, 0)];
    assert_eq!(only_match(&run(&left, &[row("PO1", 2_410, 3)], &rules)), (vec![0, 1, 2], vec![0]));
    let off = run(&left, &[row("PO1", 2_411, 3)], &rules);
    assert_eq!(off.match_count(), 0);
    assert!(kinds(&off).iter().all(|(_, _, kind)| *kind == "incomplete_split"));
}

#[test]
fn many_to_many_batches_match_by_key() {
    let rules = rules(&pass("batch", "group = {}"));
    let member = |amount| Row { group: "B7".to_owned(), ..row("", amount, 1) };
    let outcome = run(&[member(70), member(30)], &[member(60), member(40)], &rules);
    assert_eq!(only_match(&outcome), (vec![0, 1], vec![0, 1]));
}

#[test]
fn one_entry_is_settled_by_the_only_combination_that_fits() {
    let rules = rules(&pass("split", "subset = { days = 5 }"));
    let right = [party("1", 300, 1), party("2", 450, 2), party("3", 999, 3)];
    let one_to_many = run(&[party("x", 750, 2)], &right, &rules);
    assert_eq!(only_match(&one_to_many), (vec![0], vec![0, 1]));
    let many_to_one = run(&right, &[party("x", 750, 2)], &rules);
    assert_eq!(only_match(&many_to_one), (vec![0, 1], vec![0]));
}

#[test]
fn a_refund_may_be_part_of_a_combination() {
    let rules = rules(&pass("split", "subset = { days = 5 }"));
    let outcome =
        run(&[party("x", 700, 1)], &[party("1", 1_000, 1), party("2", -300, 1), party("3", 17, 1)], &rules);
    assert_eq!(only_match(&outcome), (vec![0], vec![0, 1]));
}

#[test]
fn two_combinations_are_ambiguous() {
    let rules = rules(&pass("split", "subset = { days = 5, many_to_many = false }"));
    let right = [party("1", 300, 1), party("2", 450, 1), party("3", 350, 1), party("4", 400, 1)];
    let outcome = run(&[party("x", 750, 1)], &right, &rules);
    assert_eq!(outcome.match_count(), 0);
    assert!(kinds(&outcome).contains(&("left", 0, "ambiguous")));
}

#[test]
fn combinations_that_differ_in_identical_entries_are_one() {
    let rules = rules(&pass("split", "subset = { days = 5, many_to_many = false }"));
    let right = [party("1", 300, 1), party("2", 450, 1), party("2", 450, 1)];
    assert_eq!(run(&[party("x", 750, 1)], &right, &rules).match_count(), 1);
}

#[test]
fn two_entries_that_want_the_same_member_are_ambiguous() {
    let rules = rules(&pass("split", "subset = { days = 5, many_to_many = false }"));
    let left = [party("x", 500, 1), party("y", 700, 1)];
    let right = [party("1", 100, 1), party("2", 400, 1), party("3", 600, 1)];
    assert_eq!(run(&left, &right, &rules).match_count(), 0);
}

#[test]
fn among_more_than_twelve_entries_a_sum_is_only_suggested() {
    let rules = rules(&pass("split", "subset = { days = 5 }"));
    let mut right: Vec<Row> = (0..12).map(|n| party(&format!("f{n}"), 100_000 + (1 << n), 1)).collect();
    right.push(party("a", 7, 1));
    right.push(party("b", 9, 1));
    let outcome = run(&[party("x", 16, 1)], &right, &rules);
    assert_eq!(outcome.match_count(), 0);
    let open = outcome.breaks.iter().find(|item| item.side.name() == "left").unwrap();
    assert_eq!(open.nearest.len(), 2);
    assert!(open.nearest[0].why.contains("more open entries"), "{:?}", open.nearest);
    assert_eq!(open.suggestion.as_ref().map(|suggestion| suggestion.rows.clone()), Some(vec![12, 13]));
}

#[test]
fn a_spent_budget_is_said() {
    let rules = rules(&pass("split", "subset = { days = 5, budget_sums = 1000 }"));
    let left: Vec<Row> = (0..4).map(|n| party(&format!("l{n}"), 1, 1)).collect();
    let right: Vec<Row> = (0..12).map(|n| party(&format!("r{n}"), 1_000 + n, 1)).collect();
    assert!(run(&left, &right, &rules).notes[0].contains("budget of 1000"));
}

#[test]
fn several_settle_several_where_one_combination_ties() {
    let rules = rules(&pass("nm", "subset = { days = 5 }"));
    let left = [party("a", 500, 1), party("b", 320, 1)];
    let right = [party("c", 610, 1), party("d", 210, 1)];
    assert_eq!(only_match(&run(&left, &right, &rules)), (vec![0, 1], vec![0, 1]));
}

#[test]
fn a_reversal_cancels_its_entry() {
    let rules = rules(&pass("net", "net = { days = 3 }"));
    let outcome = run(&[row("A", 100, 1), row("A", -100, 2), row("B", 100, 1)], &[], &rules);
    assert_eq!(only_match(&outcome), (vec![0, 1], vec![]));
    assert_eq!(run(&[row("A", 100, 1), row("A", -100, 9)], &[], &rules).match_count(), 0);
}

#[test]
fn earlier_passes_go_first() {
    let rules = rules(&(pass("exact", "exact = {}") + &pass("near", "reference = { days = 9 }")));
    let outcome = run(&[row("A", 1, 1), row("A", 1, 5)], &[row("A", 1, 5), row("A", 1, 9)], &rules);
    assert_eq!(links(&outcome), [(0, vec![1], vec![0]), (1, vec![0], vec![1])]);
}

#[test]
fn breaks_are_told_apart() {
    let rules = rules(&pass("near", "reference = { days = 2 }"));
    let old = |reference: &str, amount| row(reference, amount, 1);
    let left = [
        old("LONE", 1_111),
        old("AMT", 10_000),
        old("FEE", 10_000),
        old("CCY", 5_555),
        old("DATE", 7_777),
        row("NEW", 8_888, 29),
    ];
    let right = [
        old("AMT", 20_000),
        old("FEE", 9_700),
        Row { currency: 1, ..old("CCY", 5_555) },
        row("DATE", 7_777, 20),
        row("LAST", 4, 30),
        old("ONLY", 123_456),
    ];
    let outcome = run(&left, &right, &rules);
    let found = kinds(&outcome);
    for expected in [
        ("left", 0, "missing_external"),
        ("left", 1, "amount"),
        ("left", 2, "fee_variance"),
        ("left", 3, "currency"),
        ("left", 4, "date"),
        ("left", 5, "date"),
        ("right", 0, "amount"),
        ("right", 1, "fee_variance"),
        ("right", 5, "missing_internal"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    let fee = outcome.breaks.iter().find(|item| item.kind.name() == "fee_variance").unwrap();
    assert_eq!((fee.age_days, fee.nearest[0].difference.unwrap().abs()), (29, 300));
}

#[test]
fn too_many_candidates_for_one_reference_are_tangled_and_quick() {
    let rules = rules(&pass("near", "reference = { days = 9, tolerance = { percent = \"50\" } }"));
    let rows: Vec<Row> = (0..2_000).map(|n| row("SAME", 10_000 + n, 1)).collect();
    let outcome = run(&rows, &rows, &rules);
    assert_eq!(outcome.match_count(), 0);
    assert!(outcome.breaks.iter().all(|item| item.kind.name() == "ambiguous"));
}
