use super::*;
use std::collections::BTreeMap;

type Files = BTreeMap<String, String>;

fn rendered(files: &[(&str, &str)]) -> Rendered {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn output(folder: &Path, budget: Option<usize>) -> Output {
    let output = Output::lock(folder, || panic!("nobody else writes here")).expect("a lock");
    output.disk.budget.set(budget);
    output
}

/// What Terraform would read: the contents of each file through links, without modules that hold nothing.
fn seen(folder: &Path) -> Files {
    let Ok(entries) = fs::read_dir(folder) else { return Files::new() };
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let read = |name: String| {
        let text = fs::read_to_string(folder.join(&name)).expect("every link leads to a file");
        (name, text)
    };
    names
        .filter(|name| name.ends_with(".tf.json"))
        .map(read)
        .filter(|(_, text)| !text.contains("txnr:"))
        .collect()
}

fn before() -> Rendered {
    rendered(&[("a.tf.json", "a1"), ("b.tf.json", "b1"), ("gone.tf.json", "g1"), ("same.tf.json", "s")])
}

fn after() -> Rendered {
    rendered(&[("a.tf.json", "a2"), ("b.tf.json", "b2"), ("fresh.tf.json", "f2"), ("same.tf.json", "s")])
}

fn as_seen(files: &Rendered) -> Files {
    files.iter().map(|(name, text)| (name.clone(), text.clone())).collect()
}

/// What lies in the folder besides what Terraform reads.
fn rest(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().expect("a name")).collect();
    names.retain(|name| !name.ends_with(".tf.json"));
    names.sort();
    names
}

#[test]
fn a_run_that_ends_at_any_operation_leaves_the_old_or_the_new_output_and_the_next_run_mends_it() {
    let mut ends = [0, 0];
    for budget in 0.. {
        let out = tempfile::tempdir().expect("a folder");
        let folder = out.path().join("prod");
        output(out.path(), None).write("prod", &before(), Existing::Refuse).expect("the old output");
        fs::write(folder.join("terraform.tfstate"), "state").expect("a file");

        let end = output(out.path(), Some(budget)).write("prod", &after(), Existing::Refuse);
        let now = seen(&folder);
        assert!(now == as_seen(&before()) || now == as_seen(&after()), "after {budget} operations: {now:?}");
        ends[usize::from(now == as_seen(&after()))] += 1;

        output(out.path(), None).write("prod", &after(), Existing::Refuse).expect("a run that mends it");
        assert_eq!(seen(&folder), as_seen(&after()));
        assert_eq!(rest(&folder), [manifest::NAME, "terraform.tfstate"]);
        assert!(!fs::symlink_metadata(folder.join("a.tf.json")).expect("a file").is_symlink());
        if end.is_ok() {
            break;
        }
    }
    assert!(ends[0] > 10 && ends[1] > 5, "runs that ended before and after the moment: {ends:?}");
}

#[test]
fn a_run_that_mends_may_end_at_any_operation_too() {
    for first in (0..40).step_by(3) {
        for second in 0..12 {
            let out = tempfile::tempdir().expect("a folder");
            let folder = out.path().join("prod");
            output(out.path(), None).write("prod", &before(), Existing::Refuse).expect("the old output");
            let _ = output(out.path(), Some(first)).write("prod", &after(), Existing::Refuse);
            let _ = output(out.path(), Some(second)).write("prod", &before(), Existing::Refuse);
            let now = seen(&folder);
            assert!(
                now == as_seen(&before()) || now == as_seen(&after()),
                "after {first}, {second}: {now:?}"
            );
        }
    }
}

#[test]
fn a_first_run_that_ends_at_any_operation_leaves_nothing_or_everything() {
    for budget in 0.. {
        let out = tempfile::tempdir().expect("a folder");
        let end = output(out.path(), Some(budget)).write("prod", &after(), Existing::Refuse);
        let now = seen(&out.path().join("prod"));
        assert!(now.is_empty() || now == as_seen(&after()), "after {budget} operations: {now:?}");
        output(out.path(), None).write("prod", &after(), Existing::Refuse).expect("a run that mends it");
        assert_eq!(rest(out.path()), [LOCK, "prod"]);
        if end.is_ok() {
            break;
        }
    }
}

#[test]
fn a_change_of_one_file_that_ends_at_any_operation_leaves_the_old_or_the_new_output() {
    let mut after = before();
    after.insert("a.tf.json".to_owned(), "a2".to_owned());
    for budget in 0.. {
        let out = tempfile::tempdir().expect("a folder");
        let folder = out.path().join("prod");
        output(out.path(), None).write("prod", &before(), Existing::Refuse).expect("the old output");
        let end = output(out.path(), Some(budget)).write("prod", &after, Existing::Refuse);
        let now = seen(&folder);
        assert!(now == as_seen(&before()) || now == as_seen(&after), "after {budget} operations: {now:?}");
        output(out.path(), None).write("prod", &after, Existing::Refuse).expect("a run that mends it");
        assert_eq!((seen(&folder), rest(&folder)), (as_seen(&after), vec![manifest::NAME.to_owned()]));
        if end.is_ok() {
            break;
        }
    }
}

#[test]
fn what_is_up_to_date_is_not_written() {
    let out = tempfile::tempdir().expect("a folder");
    output(out.path(), None).write("prod", &before(), Existing::Refuse).expect("the output");
    let again =
        output(out.path(), Some(0)).write("prod", &before(), Existing::Refuse).expect("nothing to do");
    assert_eq!(again, []);
}

#[test]
fn files_of_others_stay_and_an_edited_generated_file_is_overwritten() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().join("prod");
    output(out.path(), None).write("prod", &before(), Existing::Refuse).expect("the output");
    fs::write(folder.join("a.tf.json"), "edited").expect("a file");
    fs::write(folder.join("my_override.tf.json"), "mine").expect("a file");
    fs::create_dir(folder.join(".terraform")).expect("a folder");
    output(out.path(), None).write("prod", &after(), Existing::Refuse).expect("the output");
    let mut expected = as_seen(&after());
    expected.insert("my_override.tf.json".to_owned(), "mine".to_owned());
    assert_eq!(seen(&folder), expected);
    assert_eq!(rest(&folder), [".terraform", manifest::NAME]);
}

#[test]
fn an_unlisted_file_of_the_same_name_is_refused_unless_it_is_the_same() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().join("prod");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("a.tf.json"), "a1").expect("a file");
    fs::write(folder.join("b.tf.json"), "mine").expect("a file");
    let refused =
        output(out.path(), None).write("prod", &before(), Existing::Refuse).expect_err("a file in the way");
    assert!(matches!(refused, EmitError::Foreign { path } if path.ends_with("b.tf.json")));
    assert_eq!(rest(&folder), Vec::<String>::new());
    output(out.path(), None).write("prod", &before(), Existing::Overwrite).expect("the output");
    assert_eq!(seen(&folder), as_seen(&before()));
}

#[test]
fn a_manifest_cannot_lead_out_of_its_folder() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().join("prod");
    fs::create_dir(&folder).expect("a folder");
    fs::write(out.path().join("precious"), "mine").expect("a file");
    fs::write(folder.join(manifest::NAME), r#"{"files": ["../precious", "/etc/hosts", ".."]}"#)
        .expect("a file");
    assert_eq!(Manifest::read(&folder).files().count(), 0);
    output(out.path(), None).write("prod", &before(), Existing::Refuse).expect("the output");
    assert!(out.path().join("precious").exists());
}
