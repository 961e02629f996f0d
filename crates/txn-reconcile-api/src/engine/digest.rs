//! The digest of a result: 256 bits that are the same for the same result, whatever the order of the input, the number
//! of threads or which side is called left.
//!
//! Each match is hashed from the identities' content of its entries and the name of its pass; each break from its entry
//! and its kind. The records are sorted and hashed again with BLAKE3. Ignored entries do not count, so that importing a
//! file once more leaves the digest as it was. Records are cut to 128 bits, which is enough to tell results apart.

use super::keys::fill;
use super::{Break, BreakKind, Run, Side};

/// The digest in hexadecimal.
pub(crate) fn digest(run: &Run<'_>, breaks: &[Break]) -> String {
    let mut matched = Vec::new();
    for (matches, pass) in run.matches.iter().zip(&run.rules.passes) {
        matched.reserve_exact(matches.pairs.len() + matches.groups.len());
        let name = pass.name.as_bytes();
        let first = matched.len();
        matched.resize(first + matches.pairs.len(), 0);
        fill(&mut matched[first..], run.threads, |records, from| {
            let mut scratch = [Vec::new(), Vec::new(), Vec::new()];
            for (record_of, [left, right]) in records.iter_mut().zip(&matches.pairs[from..]) {
                *record_of = record(run, name, &[*left], &[*right], &mut scratch);
            }
        });
        let mut scratch = [Vec::new(), Vec::new(), Vec::new()];
        matched.extend(
            matches.groups.iter().map(|group| record(run, name, &group.left, &group.right, &mut scratch)),
        );
    }
    let mut open: [Vec<u128>; 2] = [Vec::new(), Vec::new()];
    let mut bytes = Vec::new();
    for item in breaks {
        bytes.clear();
        run.set(item.side).write_identity(item.row, &mut bytes);
        bytes.extend_from_slice(symmetric_name(item.kind).as_bytes());
        open[item.side as usize].push(short(&bytes));
    }
    let mut sides: Vec<[u8; 32]> = open.into_iter().map(fold).collect();
    sides.sort_unstable();
    let mut whole = blake3::Hasher::new();
    whole.update(b"txn-reconcile result, version 1");
    whole.update(&fold(matched));
    for side in &sides {
        whole.update(side);
    }
    whole.finalize().to_hex().to_string()
}

/// The two kinds of missing entry are one seen from either side.
fn symmetric_name(kind: BreakKind) -> &'static str {
    match kind {
        BreakKind::MissingInternal | BreakKind::MissingExternal => "missing",
        other => other.name(),
    }
}

/// Hashes a match: its members on either side in the order of their content, the sides in that order too.
fn record(run: &Run<'_>, pass: &[u8], left: &[u32], right: &[u32], scratch: &mut [Vec<u8>; 3]) -> u128 {
    let [first, second, whole] = scratch;
    members(run, Side::Left, left, first);
    members(run, Side::Right, right, second);
    whole.clear();
    let (low, high) = if first <= second { (first, second) } else { (second, first) };
    whole.extend_from_slice(&(low.len() as u64).to_le_bytes());
    whole.extend_from_slice(low);
    whole.extend_from_slice(high);
    whole.extend_from_slice(pass);
    short(whole)
}

/// Writes the identities of rows, sorted.
fn members(run: &Run<'_>, side: Side, rows: &[u32], out: &mut Vec<u8>) {
    out.clear();
    if let [row] = rows {
        return run.set(side).write_identity(*row, out);
    }
    let mut ids: Vec<u128> = rows.iter().map(|row| run.set(side).id(*row).0).collect();
    ids.sort_unstable();
    ids.iter().for_each(|id| out.extend_from_slice(&id.to_be_bytes()));
}

fn short(bytes: &[u8]) -> u128 {
    let mut cut = [0u8; 16];
    cut.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    u128::from_be_bytes(cut)
}

/// Sorts records and hashes them as one.
fn fold(mut records: Vec<u128>) -> [u8; 32] {
    records.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    let mut buffer = Vec::with_capacity(64 << 10);
    for chunk in records.chunks(4_096) {
        buffer.clear();
        chunk.iter().for_each(|record| buffer.extend_from_slice(&record.to_be_bytes()));
        hasher.update(&buffer);
    }
    *hasher.finalize().as_bytes()
}
