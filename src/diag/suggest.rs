//! "Did you mean": the known name that a mistyped one is closest to.

/// Returns the candidate closest to `word`, if it is close enough to be meant: at most `max(1, len / 3)` edits.
///
/// An edit inserts, deletes or replaces a character, or swaps two neighbours. A difference in capitals alone always
/// counts as close. Of equally close candidates the first wins, so give the likelier ones first.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = if candidate == word {
            continue;
        } else if candidate.eq_ignore_ascii_case(word) {
            0
        } else {
            strsim::damerau_levenshtein(word, candidate)
        };
        if distance <= limit && distance < word.chars().count() && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Returns the question to show as help: "did you mean `sparsity`?".
///
/// Two candidates that are equally close are both named; of more than two, none is clearly meant.
pub fn question<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut candidates: Vec<&str> = candidates.into_iter().collect();
    let first = closest(word, candidates.iter().copied())?;
    let distance = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let clear = first.eq_ignore_ascii_case(word);
    candidates.retain(|other| *other != first && *other != word && !clear && distance(other) == distance(first));
    candidates.dedup();
    match candidates.as_slice() {
        [] => Some(format!("did you mean `{first}`?")),
        [second] => Some(format!("did you mean `{first}` or `{second}`?")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{closest, question};

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["sparsity", "density", "round", "top1"];
        assert_eq!(closest("sparsty", known), Some("sparsity"));
        assert_eq!(closest("Round", known), Some("round"));
        assert_eq!(closest("dnesity", known), Some("density"));
        assert_eq!(closest("top5", known), Some("top1"));
        assert_eq!(closest("epochs", known), None);
        assert_eq!(closest("", known), None);
        assert_eq!(question("c2", ["c1", "c3"]).as_deref(), Some("did you mean `c1` or `c3`?"));
        assert_eq!(question("layer5", ["layer1", "layer2", "layer3"]), None);
        assert_eq!(question("ruond", known).as_deref(), Some("did you mean `round`?"));
    }
}
