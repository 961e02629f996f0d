//! What stays in a repository under the policy that is rendered, by ECR's own rules:
//!
//! - the first rule that selects an image alone may expire it;
//! - a rule that counts does count what earlier rules selected;
//! - a list of patterns selects the images of which a tag matches each;
//! - older images go first.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html>

use serde_json::Value;

use super::tests::rendered;

/// What ECR takes for an image. Its place in the repository's list is when it was pushed.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    tag: Option<String>,
    day: u64,
}

/// The policy that an environment file leads to.
fn policy(text: &str) -> Vec<Value> {
    let policy = &rendered(text)["locals"]["aws_ecr_lifecycle_policy_main_policy"];
    policy["rules"].as_array().expect("rules").clone()
}

/// Does to `entries`, which are in the order of their push, what ECR does on `day`.
fn expire(rules: &[Value], entries: &mut Vec<Entry>, day: u64) {
    let mut gone = vec![false; entries.len()];
    let mut spoken_for = vec![false; entries.len()];
    for rule in rules {
        let selection = &rule["selection"];
        let number = selection["countNumber"].as_u64().expect("a number");
        let selected: Vec<usize> =
            (0..entries.len()).rev().filter(|at| selects(selection, &entries[*at])).collect();
        for (newer, at) in (0_u64..).zip(&selected) {
            let beyond = match selection["countType"].as_str().expect("a type") {
                "imageCountMoreThan" => newer >= number,
                "sinceImagePushed" => day - entries[*at].day > number,
                other => panic!("{other} is not modelled"),
            };
            gone[*at] |= beyond && !spoken_for[*at];
        }
        for at in selected {
            spoken_for[at] = true;
        }
    }
    let mut gone = gone.into_iter();
    entries.retain(|_| !gone.next().expect("one for each"));
}

fn selects(selection: &Value, entry: &Entry) -> bool {
    match (selection["tagStatus"].as_str().expect("a status"), &entry.tag) {
        ("untagged", tag) => tag.is_none(),
        ("tagged", None) => false,
        ("tagged", Some(tag)) => {
            let patterns = selection["tagPatternList"].as_array().expect("patterns");
            patterns.iter().all(|pattern| matches(pattern.as_str().expect("text"), tag))
        }
        (other, _) => panic!("{other} is not modelled"),
    }
}

/// Whether a tag matches a pattern in which `*` stands for any text; here it stands at the end alone.
fn matches(pattern: &str, tag: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, "")) => tag.starts_with(start),
        Some(_) => panic!("{pattern} is not modelled"),
        None => pattern == tag,
    }
}

/// A release's image, tagged as the workflows tag it.
fn image(release: u64) -> String {
    format!("{release:040x}-{release}-1")
}

/// What cosign puts beside it.
fn beside(release: u64, kind: &str) -> String {
    format!("sha256-{release:064x}.{kind}")
}

/// What is left of `releases`, one a day, each of which pushes what `pushes` says; ECR looks at the repository after each
/// push. `check` sees the releases whose images are there, the newest first.
fn history(text: &str, releases: u64, pushes: impl Fn(u64) -> Vec<String>, check: impl Fn(&[u64], &[Entry])) {
    let rules = policy(text);
    let mut entries = Vec::new();
    for release in 0..releases {
        for tag in pushes(release) {
            entries.push(Entry { tag: Some(tag), day: release });
            expire(&rules, &mut entries, release);
        }
        let there = |release: &u64| has(&entries, &image(*release));
        check(&(0..=release).rev().filter(there).collect::<Vec<_>>(), &entries);
    }
}

fn has(entries: &[Entry], tag: &str) -> bool {
    entries.iter().any(|entry| entry.tag.as_deref() == Some(tag))
}

/// The releases that are to be kept are the newest, they are all there, and the repository stays bounded.
fn last(kept: &[u64], wanted: u64) {
    let newest = kept[0];
    let expected = (newest + 1).min(wanted);
    let first: Vec<u64> = (0..=newest).rev().take(kept.len()).collect();
    assert_eq!(kept, first, "the newest stay");
    assert!(kept.len() as u64 >= expected, "{} of {expected} releases stay", kept.len());
    assert!(kept.len() as u64 <= 4 * wanted, "{} releases stay", kept.len());
}

#[test]
fn the_releases_to_keep_stay_with_all_that_signs_them() {
    for kinds in [&[][..], &["sig"], &["sig", "att"], &["sig", "att", "sbom"]] {
        let pushes = |release| {
            let beside = kinds.iter().map(|kind| beside(release, kind));
            [image(release)].into_iter().chain(beside).collect()
        };
        history("ecr.keep_tagged = 7", 60, pushes, |kept, entries| {
            last(kept, 7);
            for (release, kind) in
                kept.iter().flat_map(|release| kinds.iter().map(move |kind| (release, kind)))
            {
                assert!(has(entries, &beside(*release, kind)), "{release} has lost its {kind}");
            }
        });
    }
}

/// In the copy of the repository what is small may arrive first.
#[test]
fn a_signature_that_is_older_than_its_image_outlives_it_too() {
    let pushes = |release| vec![beside(release, "sig"), beside(release, "att"), image(release)];
    history("ecr.keep_tagged = 7", 60, pushes, |kept, entries| {
        last(kept, 7);
        let signed =
            |release: &u64| has(entries, &beside(*release, "sig")) && has(entries, &beside(*release, "att"));
        assert!(kept.iter().all(signed), "of {kept:?} one has lost its signature");
    });
}

/// A run that fails before it signs leaves an image, which counts as a release.
#[test]
fn images_that_nothing_signs_take_no_signature_from_others() {
    let signed = |release: u64| !release.is_multiple_of(3);
    let pushes = |release| {
        let beside = signed(release).then(|| [beside(release, "sig"), beside(release, "att")]);
        [image(release)].into_iter().chain(beside.into_iter().flatten()).collect()
    };
    history("ecr.keep_tagged = 5", 60, pushes, |kept, entries| {
        last(kept, 5);
        for release in kept.iter().filter(|release| signed(**release)) {
            assert!(has(entries, &beside(*release, "sig")) && has(entries, &beside(*release, "att")));
        }
    });
}

#[test]
fn what_no_tag_names_stays_for_the_days_that_the_environment_says() {
    let rules = policy("ecr.untagged_expire_days = 3");
    let untagged = Entry { tag: None, day: 10 };
    let mut entries = vec![untagged.clone()];
    expire(&rules, &mut entries, 13);
    assert_eq!(entries, [untagged]);
    expire(&rules, &mut entries, 14);
    assert!(entries.is_empty());
}
