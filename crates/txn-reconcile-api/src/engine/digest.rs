//! The digest of a result: 256 bits that are the same for the same result, whatever the order of the input, the number
//! of threads or which side is called left.
//!
//! Each match is hashed from the identities' content of its entries and the name of its pass; each break from its entry
//! and its kind. The records are sorted and hashed again with BLAKE3. Ignored entries do not count, so that importing a
//! file once more leaves the digest as it was. Records are cut to 128 bits, which is enough to tell results apart.

use super::keys::{both, fill};
use super::{Break, BreakKind, Run, Side};

/// Pairs whose entries are brought into the caches at once.
const WARMED: usize = 64;

/// The digest in hexadecimal.
pub(crate) fn digest(run: &Run<'_>, breaks: &[Break]) -> String {
    let mut matched = Vec::new();
    for (matches, pass) in run.matches.iter().zip(&run.rules.passes) {
        matched.reserve_exact(matches.pairs.len() + matches.groups.len());
        let name = blake3::hash(pass.name.as_bytes());
        let name = name.as_bytes();
        let first = matched.len();
        matched.resize(first + matches.pairs.len(), 0);
        fill(&mut matched[first..], run.threads, |records, from| {
            let mut scratch = [Vec::new(), Vec::new(), Vec::new()];
            let pairs = matches.pairs[from..].chunks(WARMED);
            for (records, pairs) in records.chunks_mut(WARMED).zip(pairs) {
                run.set(Side::Left).warm(pairs.iter().map(|pair| pair[0]));
                run.set(Side::Right).warm(pairs.iter().map(|pair| pair[1]));
                for (record_of, [left, right]) in records.iter_mut().zip(pairs) {
                    *record_of = record(run, name, &[*left], &[*right], &mut scratch);
                }
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
    let mut sides: Vec<[u8; 32]> = open.into_iter().map(|records| fold(records, run.threads)).collect();
    sides.sort_unstable();
    let mut whole = blake3::Hasher::new();
    whole.update(b"txn-reconcile result, version 3");
    whole.update(&fold(matched, run.threads));
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

/// Hashes a match, under its pass as the key: its members on either side in the order of their content, the sides in
/// that order too. Two entries of the same content are written once, which leaves most records a single block.
fn record(run: &Run<'_>, pass: &[u8; 32], left: &[u32], right: &[u32], scratch: &mut [Vec<u8>; 3]) -> u128 {
    let [first, second, whole] = scratch;
    members(run, Side::Left, left, first);
    members(run, Side::Right, right, second);
    whole.clear();
    whole.push(u8::from(first == second));
    if first == second {
        whole.extend_from_slice(first);
    } else {
        let (low, high) = if first <= second { (first, second) } else { (second, first) };
        whole.extend_from_slice(&(low.len() as u64).to_le_bytes());
        whole.extend_from_slice(low);
        whole.extend_from_slice(high);
    }
    cut(blake3::keyed_hash(pass, whole))
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
    cut(blake3::hash(bytes))
}

fn cut(hash: blake3::Hash) -> u128 {
    let mut cut = [0u8; 16];
    cut.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_be_bytes(cut)
}

/// Sorts records and hashes them as one.
fn fold(mut records: Vec<u128>, threads: usize) -> [u8; 32] {
    sort(&mut records, threads, u128::BITS - 1);
    let mut hasher = blake3::Hasher::new();
    let mut buffer = Vec::with_capacity(64 << 10);
    for chunk in records.chunks(4_096) {
        buffer.clear();
        chunk.iter().for_each(|record| buffer.extend_from_slice(&record.to_be_bytes()));
        hasher.update(&buffer);
    }
    *hasher.finalize().as_bytes()
}

/// Sorts hashes that agree above `bit`, half by half as long as there are threads for both.
fn sort(records: &mut [u128], threads: usize, bit: u32) {
    if threads < 2 || records.len() < 4_096 || bit == 0 {
        return records.sort_unstable();
    }
    let (mut low, mut high) = (0, records.len());
    while low < high {
        if records[low] >> bit & 1 == 0 {
            low += 1;
        } else {
            high -= 1;
            records.swap(low, high);
        }
    }
    let (zeros, ones) = records.split_at_mut(low);
    both(threads, || sort(zeros, threads / 2, bit - 1), || sort(ones, threads - threads / 2, bit - 1));
}
