//! The nearest of several names to one that is not among them.

/// The candidate most like `wrong`, if any is like it at all.
pub(crate) fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let score = |candidate: &str| {
        let similar = strsim::jaro_winkler(&wrong.to_lowercase(), &candidate.to_lowercase());
        if candidate.starts_with(wrong) || wrong.starts_with(candidate) { similar.max(0.85) } else { similar }
    };
    candidates
        .into_iter()
        .map(|candidate| (score(candidate), candidate))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
