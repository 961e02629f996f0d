//! Sorting rows by the hash of what they have in common, and walking two such lists side by side.

/// Bits that a row number takes, so that hash and row fit one word.
pub(crate) fn row_bits(rows: usize) -> u32 {
    usize::BITS - rows.max(1).leading_zeros()
}

/// Hash above, row below, in one word.
#[inline]
pub(crate) fn pack(hash: u64, row: u32, bits: u32) -> u64 {
    (hash >> bits << bits) | u64::from(row)
}

/// The row of a packed word.
#[inline]
pub(crate) fn row(packed: u64, bits: u32) -> u32 {
    (packed & ((1 << bits) - 1)) as u32
}

/// Packs and sorts the keys of rows; rows without a key are left out.
pub(crate) fn sorted(
    rows: impl Iterator<Item = u32>,
    bits: u32,
    key: impl Fn(u32) -> Option<u64>,
) -> Vec<u64> {
    let mut keys: Vec<u64> = rows.filter_map(|row| key(row).map(|hash| pack(hash, row, bits))).collect();
    keys.sort_unstable();
    keys
}

/// Calls `each` with the rows of either list that share a hash. Rows with different content may share one: the caller
/// compares.
pub(crate) fn blocks<'a>(
    left: &'a [u64],
    right: &'a [u64],
    bits: u32,
    mut each: impl FnMut(&'a [u64], &'a [u64]),
) {
    let (mut l, mut r) = (0, 0);
    while l < left.len() && r < right.len() {
        let (a, b) = (left[l] >> bits, right[r] >> bits);
        if a < b {
            l += 1;
        } else if b < a {
            r += 1;
        } else {
            let l_end = l + run(&left[l..], bits);
            let r_end = r + run(&right[r..], bits);
            each(&left[l..l_end], &right[r..r_end]);
            (l, r) = (l_end, r_end);
        }
    }
}

/// Length of the run of equal hashes at the front.
#[inline]
pub(crate) fn run(keys: &[u64], bits: u32) -> usize {
    let first = keys[0] >> bits;
    keys.iter().take_while(|key| **key >> bits == first).count()
}

/// Splits `0..len` into as many ranges as there are threads, runs them side by side and answers in order.
pub(crate) fn parallel<T: Send>(
    len: usize,
    threads: usize,
    work: impl Fn(std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    let threads = threads.min(len / 4_096 + 1).max(1);
    if threads == 1 {
        return vec![work(0..len)];
    }
    let step = len.div_ceil(threads);
    let ranges = (0..threads).map(|index| (index * step).min(len)..((index + 1) * step).min(len));
    std::thread::scope(|scope| {
        let work = &work;
        let handles: Vec<_> = ranges.map(|range| scope.spawn(move || work(range))).collect();
        handles
            .into_iter()
            .map(|handle| match handle.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

/// Lets each thread fill its part of a list; `work` gets the part and the place where it begins.
pub(crate) fn fill<T: Send>(out: &mut [T], threads: usize, work: impl Fn(&mut [T], usize) + Sync) {
    let step = out.len().div_ceil(threads.max(1)).max(4_096);
    std::thread::scope(|scope| {
        for (index, part) in out.chunks_mut(step).enumerate() {
            let work = &work;
            scope.spawn(move || work(part, index * step));
        }
    });
}

/// Runs two pieces of work side by side if there are threads for it.
pub(crate) fn both<A: Send, B: Send>(
    threads: usize,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if threads < 2 {
        return (first(), second());
    }
    std::thread::scope(|scope| {
        let handle = scope.spawn(first);
        let second = second();
        match handle.join() {
            Ok(first) => (first, second),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
