//! What holds for every input: a brute-force oracle, metamorphic relations and conservation.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeSet;

use common::{CURRENCIES, Row, first_day, kinds, links, pass, rules, run, run_with, set};
use proptest::prelude::*;
use txn_reconcile_api::engine::{Options, Outcome, Side, State, carry, reconcile};
use txn_reconcile_api::entry::EntrySet;
use txn_reconcile_api::rules::{Ruleset, load};

/// Small worlds, so that everything collides with everything.
fn any_row() -> impl Strategy<Value = Row> {
    let more = (0..4usize, 0..3usize, 0..4usize, 0..3usize);
    (0..5usize, -3i128..6, 0..2i128, 0..CURRENCIES.len() - 1, 1..6, 0..3usize, 0..3usize, more).prop_map(
        |(reference, amount, fee, currency, day, counterparty, group, (kind, account, names, details))| Row {
            reference: ["", "A1", "REF-0001", "a-1", "REF-0002"][reference].to_owned(),
            amount: amount * 100,
            fee: fee * 100,
            currency,
            day,
            counterparty: ["", "ACME", "A.C.M.E. Ltd"][counterparty].to_owned(),
            group: ["", "G1", "G2"][group].to_owned(),
            description: ["", "REF-0001", "REF-0001 REF 0002", "thanks"][names].to_owned(),
            kind: ["", "charge", "dispute", "reversal"][kind].to_owned(),
            account: ["", "DE-A", "DE-B"][account].to_owned(),
            details: ["", "end_to_end=REF-0001", "original_minor=300\noriginal_currency=JPY"][details]
                .to_owned(),
        },
    )
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec(any_row(), 0..14)
}

/// References that are prepared, fees that are expected and rates that are held against a table, on both sides.
const PREPARED: &str = "[[prepare]]\ndrop_prefix = [\"REF\"]\ndrop_zeros = true\n\
    [[prepare]]\nfields = [\"description\"]\nfind = '0{3}(\\d)'\n\
    [[fee]]\nname = \"f\"\ncurrency = \"EUR\"\npercent = \"50\"\nfixed = \"1.00\"\n\
    [rates]\npercent = \"1\"\ndays = 9\ntable = [{ from = \"JPY\", to = \"EUR\", day = \"2026-01-01\", rate = \"0.01\" }]\n";

/// Every kind of pass, the same from either side.
fn all_passes() -> Ruleset {
    rules(
        &(PREPARED.to_owned()
            + &pass("exact", "exact = {}")
            + &pass(
                "near",
                "reference = { days = 1, reference = \"normalized\", tolerance = { absolute = \"1.00\" } }",
            )
            + &pass(
                "converted",
                "reference = { days = 9, reference = \"contained\", left_amount = \"original\", right_amount = \"original\" }",
            )
            + &pass(
                "expected",
                "reference = { days = 2, reference = \"normalized\", left_amount = \"less_expected_fee\", right_amount = \"less_expected_fee\" }",
            )
            + &pass("prepared", "group = { left_key = \"prepared\", right_key = \"prepared\" }")
            + &pass("named", "named = { tolerance = { absolute = \"0.50\" } }")
            + &pass("batch", "group = { left_amount = \"less_fee\", right_amount = \"less_fee\" }")
            + &pass("day", "group = { left_key = \"day_and_party\", right_key = \"day_and_party\" }")
            + &pass("unique", "unique = { days = 1, blocks = true }")
            + &pass(
                "split",
                "subset = { days = 3, blank_counterparty = true, tolerance = { absolute = \"1.00\" } }",
            )
            + &pass("across", "subset = { days = 3, across_counterparties = true }")
            + &pass("net", "net = { days = 3, kinds = [\"refund\"] }")),
    )
}

/// Every entry is in one place only, and the books say so.
fn check_conservation(outcome: &Outcome) {
    for side in Side::BOTH {
        let mut claimed = BTreeSet::new();
        for view in outcome.matches() {
            for row in if side == Side::Left { view.left } else { view.right } {
                assert!(claimed.insert(*row), "claimed twice");
            }
        }
        let open: BTreeSet<u32> =
            outcome.breaks.iter().filter(|item| item.side == side).map(|item| item.row).collect();
        let ignored: BTreeSet<u32> = outcome.set(side).ignored().iter().map(|(row, _)| *row).collect();
        assert_eq!(claimed.len() + open.len() + ignored.len(), outcome.set(side).len());
        assert!(claimed.is_disjoint(&open) && claimed.is_disjoint(&ignored) && open.is_disjoint(&ignored));
        for row in outcome.set(side).rows() {
            let expected = match outcome.states[side as usize][row as usize] {
                State::Open => &open,
                State::Matched => &claimed,
                State::Ignored => &ignored,
            };
            assert!(expected.contains(&row));
        }
        let fees: i128 =
            outcome.conservation.accounts[side as usize].values().map(|account| account.total.fee).sum();
        assert_eq!(fees, outcome.set(side).rows().map(|row| outcome.set(side).fee(row)).sum::<i128>());
        let kinds = &outcome.conservation.kinds[side as usize];
        let entries: u64 = kinds.values().map(|account| account.total.count).sum();
        assert!(kinds.is_empty() || entries == outcome.set(side).len() as u64);
        // Whatever cancels out within a side leaves nothing behind, and is no chargeback with its payment.
        for view in outcome.matches().filter(|view| view.left.is_empty() != view.right.is_empty()) {
            let rows = if view.left.is_empty() { view.right } else { view.left };
            if (side == Side::Left) == view.right.is_empty() {
                let set = outcome.set(side);
                assert_eq!(rows.iter().map(|row| set.amount(*row)).sum::<i128>(), 0);
                assert_eq!(rows.iter().map(|row| set.fee(*row)).sum::<i128>(), 0);
                let words: BTreeSet<&str> = rows.iter().map(|row| set.kind(*row)).collect();
                assert!(!words.contains("dispute") || words.len() == 1, "{words:?}");
            }
        }
        let sum: i128 =
            outcome.conservation.accounts[side as usize].values().map(|account| account.total.sum).sum();
        assert_eq!(sum, outcome.set(side).rows().map(|row| outcome.set(side).amount(row)).sum::<i128>());
    }
}

/// Whether two rows can stand on one account.
fn one_account(a: &Row, b: &Row) -> bool {
    a.account.is_empty() || b.account.is_empty() || a.account == b.account
}

/// The stable assignment, worked out the slow way: look at every pair, take the best that nothing equal competes with.
fn oracle(left: &[Row], right: &[Row], days: i32, tolerance: i128) -> Vec<(u32, u32)> {
    let mut free = (vec![true; left.len()], vec![true; right.len()]);
    let mut matched = Vec::new();
    loop {
        let mut pairs = Vec::new();
        for (l, a) in left.iter().enumerate().filter(|(l, _)| free.0[*l]) {
            for (r, b) in right.iter().enumerate().filter(|(r, _)| free.1[*r]) {
                let difference = (a.amount - b.amount).abs();
                if !a.reference.is_empty()
                    && a.reference == b.reference
                    && one_account(a, b)
                    && a.currency == b.currency
                    && (a.day - b.day).abs() <= days
                    && difference <= tolerance
                {
                    pairs.push(((difference, (a.day - b.day).abs(), a.day.min(b.day)), l, r));
                }
            }
        }
        let Some(best) = pairs.iter().map(|(rank, _, _)| *rank).min() else { break };
        let level: Vec<(usize, usize)> =
            pairs.iter().filter(|(rank, _, _)| *rank == best).map(|(_, l, r)| (*l, *r)).collect();
        for &(l, r) in &level {
            if !free.0[l] || !free.1[r] {
                continue;
            }
            // Everything that competes with this pair, directly or through others.
            let (mut ls, mut rs) = (BTreeSet::from([l]), BTreeSet::from([r]));
            loop {
                let before = ls.len() + rs.len();
                for &(l, r) in &level {
                    if ls.contains(&l) || rs.contains(&r) {
                        ls.insert(l);
                        rs.insert(r);
                    }
                }
                if ls.len() + rs.len() == before {
                    break;
                }
            }
            let same = |rows: &[Row], of: &BTreeSet<usize>| {
                of.iter().all(|row| rows[*row] == rows[*of.first().unwrap()])
            };
            if same(left, &ls) && same(right, &rs) {
                matched.extend(ls.iter().zip(&rs).map(|(l, r)| (*l as u32, *r as u32)));
                ls.iter().take(rs.len()).for_each(|l| free.0[*l] = false);
                rs.iter().take(ls.len()).for_each(|r| free.1[*r] = false);
            } else {
                ls.iter().for_each(|l| free.0[*l] = false);
                rs.iter().for_each(|r| free.1[*r] = false);
            }
        }
    }
    matched.sort_unstable();
    matched
}

/// The rules with left and right exchanged: for rules that say the same of both sides, themselves.
fn digest(left: EntrySet, right: EntrySet, rules: &Ruleset, threads: usize) -> String {
    run_with(left, right, rules, threads).digest
}

fn shuffled(rows: &[Row], seed: u64) -> Vec<Row> {
    let mut rows = rows.to_vec();
    let mut state = seed | 1;
    for at in (1..rows.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.swap(at, (state >> 33) as usize % (at + 1));
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn by_reference_it_agrees_with_the_slow_way(left in any_rows(), right in any_rows()) {
        let rules = rules(&pass("near", "reference = { days = 2, tolerance = { absolute = \"2.00\" } }"));
        let outcome = run(&left, &right, &rules);
        let found: Vec<(u32, u32)> = links(&outcome).into_iter().map(|(_, l, r)| (l[0], r[0])).collect();
        prop_assert_eq!(found, oracle(&left, &right, 2, 200));
    }

    #[test]
    fn unique_agrees_with_the_slow_way(left in any_rows(), right in any_rows()) {
        let outcome = run(&left, &right, &rules(&pass("unique", "unique = { days = 1, conflicting_references = true }")));
        let fits = |a: &Row, b: &Row| a.amount == b.amount && a.currency == b.currency && (a.day - b.day).abs() <= 1 && one_account(a, b);
        let mut expected = Vec::new();
        for (l, a) in left.iter().enumerate() {
            let partners: Vec<usize> = (0..right.len()).filter(|r| fits(a, &right[*r])).collect();
            if let [r] = partners[..] && left.iter().filter(|a| fits(a, &right[r])).count() == 1 {
                expected.push((0, vec![l as u32], vec![r as u32]));
            }
        }
        prop_assert_eq!(links(&outcome), expected);
    }

    #[test]
    fn exact_claims_as_many_as_there_are_on_both_sides(left in any_rows(), right in any_rows()) {
        let plain = |rows: Vec<Row>| -> Vec<Row> { rows.into_iter().map(|row| Row { account: String::new(), ..row }).collect() };
        let (left, right) = (plain(left), plain(right));
        let outcome = run(&left, &right, &rules(&pass("exact", "exact = {}")));
        let key = |row: &Row| (row.reference.clone(), row.amount, row.currency, row.day);
        let keys: BTreeSet<_> = left.iter().filter(|row| !row.reference.is_empty()).map(key).collect();
        let count = |rows: &[Row], wanted: &_| rows.iter().filter(|row| &key(row) == wanted).count();
        let expected: usize = keys.iter().map(|wanted| count(&left, wanted).min(count(&right, wanted))).sum();
        prop_assert_eq!(outcome.match_count(), expected);
    }

    #[test]
    fn every_entry_is_accounted_for(left in any_rows(), right in any_rows()) {
        check_conservation(&run(&left, &right, &all_passes()));
        check_conservation(&run(&left, &right, &txn_reconcile_api::rules::standard().unwrap()));
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(left in any_rows(), right in any_rows(), seed in any::<u64>()) {
        let rules = all_passes();
        let expected = run(&left, &right, &rules);
        let outcome = run(&shuffled(&left, seed), &shuffled(&right, seed ^ 0xabcd), &rules);
        prop_assert_eq!(&outcome.digest, &expected.digest);
        let sorted = |outcome: &Outcome| {
            let mut kinds: Vec<_> = kinds(outcome).into_iter().map(|(side, _, kind)| (side, kind)).collect();
            kinds.sort_unstable();
            kinds
        };
        prop_assert_eq!(sorted(&outcome), sorted(&expected));
    }

    #[test]
    fn the_sides_may_be_swapped(left in any_rows(), right in any_rows()) {
        let rules = all_passes();
        prop_assert_eq!(run(&left, &right, &rules).digest, run(&right, &left, &rules).digest);
    }

    #[test]
    fn importing_a_file_again_changes_nothing(left in any_rows(), right in any_rows()) {
        let rules = all_passes();
        let mut twice = set("left.csv", &left);
        twice.append(set("again.csv", &left)).unwrap();
        let outcome = run_with(twice, set("right.csv", &right), &rules, 1);
        check_conservation(&outcome);
        prop_assert_eq!(outcome.digest, run(&left, &right, &rules).digest);
    }

    #[test]
    fn a_file_may_be_split(left in any_rows(), right in any_rows(), at in 0..14usize) {
        let text = |overlap: &str| format!("version = 1\nname = \"t\"\n[left]\noverlap = \"{overlap}\"\n") + &pass("exact", "exact = {}") + &pass("unique", "unique = { days = 1 }");
        let (head, tail) = left.split_at(at.min(left.len()));
        let split = || {
            let mut split = set("head.csv", head);
            split.append(set("tail.csv", tail)).unwrap();
            split
        };
        // Files that follow one another may be cut anywhere.
        let append = load(&text("append")).unwrap();
        let whole = digest(set("left.csv", &left), set("right.csv", &right), &append, 1);
        prop_assert_eq!(digest(split(), set("right.csv", &right), &append, 1), whole.clone());
        // Files that may overlap, wherever the cut does not part identical rows.
        if !head.iter().any(|row| tail.contains(row)) {
            prop_assert_eq!(digest(split(), set("right.csv", &right), &load(&text("dedupe")).unwrap(), 1), whole);
        }
    }

    #[test]
    fn carried_entries_are_the_same_entries(left in any_rows(), right in any_rows()) {
        let rules = rules(&pass("exact", "exact = {}"));
        let first = run(&left, &right, &rules);
        let [carried_left, carried_right] = carry::read(&carry::write(&first), "carry").unwrap();
        let ids = |set: &EntrySet, rows: Vec<u32>| rows.into_iter().map(|row| set.id(row)).collect::<BTreeSet<_>>();
        for (side, carried) in [(Side::Left, &carried_left), (Side::Right, &carried_right)] {
            let open = first.breaks.iter().filter(|item| item.side == side).map(|item| item.row).collect();
            prop_assert_eq!(ids(carried, carried.rows().collect()), ids(first.set(side), open));
        }
        let second = run_with(carried_left, carried_right, &rules, 1);
        prop_assert_eq!(second.breaks.len(), first.breaks.len());
    }
}

/// Large enough that work is really split between threads.
#[test]
fn the_number_of_threads_does_not_matter() {
    let rows = |side: u64| -> Vec<Row> {
        (0..20_000u64)
            .map(|n| {
                let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(side);
                let odd = mixed >> 40 & 31 == 0;
                Row {
                    reference: format!("R{n:06}"),
                    amount: i128::from(n % 997) + if odd { i128::from(side) * 100_000 } else { 0 },
                    day: (n % 25) as i32 + if mixed >> 50 & 15 == 0 { side as i32 } else { 0 },
                    ..Row::default()
                }
            })
            .collect()
    };
    let rules = all_passes();
    let (left, right) = (rows(0), rows(1));
    let outcomes: Vec<Outcome> =
        [1, 2, 3, 8].map(|threads| run_with(set("l", &left), set("r", &right), &rules, threads)).into();
    for outcome in &outcomes[1..] {
        assert_eq!(outcome.digest, outcomes[0].digest);
        assert_eq!(links(outcome), links(&outcomes[0]));
        assert_eq!(outcome.breaks, outcomes[0].breaks);
    }
    assert!(!outcomes[0].breaks.is_empty() && outcomes[0].match_count() > 18_000);
    check_conservation(&outcomes[0]);
}

#[test]
fn what_the_ruleset_and_the_cut_off_set_aside_is_ignored_with_its_reason() {
    let text = "version = 1\nname = \"t\"\n[[ignore]]\nside = \"left\"\nfield = \"reference\"\nequals = [\"PAYOUT\"]\nreason = \"transfers are booked elsewhere\"\n[[pass]]\nname = \"exact\"\nexact = {}\n";
    let rules = load(text).unwrap();
    let rows = [common::row("payout", 1, 1), common::row("A", 2, 1), common::row("A", 2, 20)];
    let cut_off = txn_reconcile_api::date::Date::from_days(first_day().days() + 9);
    let options = Options { cut_off, threads: 1, ..Options::default() };
    let outcome = reconcile(set("l", &rows), set("r", &rows[1..2]), &rules, &options).unwrap();
    assert_eq!(outcome.match_count(), 1);
    assert!(outcome.is_clean());
    assert_eq!(outcome.set(Side::Left).ignored().len(), 2);
    check_conservation(&outcome);
}
