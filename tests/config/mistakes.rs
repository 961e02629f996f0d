//! Each file in `bad/` holds mistakes of one kind; its snapshot is what the user reads.

use txnr::check::parse;

#[test]
fn mistakes_are_explained() {
    insta::glob!("bad/*.toml", |path| {
        let text = std::fs::read_to_string(path).expect("a file");
        let report = match parse(Path::new("envs/prod.toml"), &text) {
            Ok((_, warnings)) => warnings,
            Err(report) => report,
        };
        assert!(!report.is_empty(), "a file without a mistake");
        let plain = anstream::adapter::strip_str(&report.to_string()).to_string();
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(plain) });
    });
}
