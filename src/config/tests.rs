//! Tests of seeds and report files.

use super::*;

#[test]
fn a_random_seed_keeps_its_digits_in_every_reader_of_json() {
    for _ in 0..100 {
        let seed = random_seed().expect("random numbers");
        assert_eq!(seed as f64 as u64, seed);
    }
}

#[test]
fn a_report_is_refused_before_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |path: PathBuf| report_file("--report", path).expect_err("refused").to_string();
    assert!(refused(folder.path().join("a.pdf")).contains("expected .json, .txt, .html"));
    assert!(refused(folder.path().join("none/a.json")).contains("directory does not exist"));
    std::fs::create_dir(folder.path().join("d.json")).expect("a folder");
    assert!(refused(folder.path().join("d.json")).contains("a regular file"));
    let good = report_file("--report", folder.path().join("a.txt")).expect("accepted");
    assert_eq!(good.format, ReportFormat::Text);
    assert!(report_file("--report", "a.json".into()).is_ok());
}
