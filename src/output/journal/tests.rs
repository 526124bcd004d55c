use super::*;

fn photo(name: &str, width: u32) -> PhotoRecord {
    PhotoRecord::new(name.into(), [width, 5], &[])
}

fn settings() -> Settings {
    Settings::from([("score".into(), "0.5".into())])
}

fn start(out: &Path) -> Journal {
    Journal::start(out, false, &settings()).unwrap()
}

fn resume(out: &Path) -> Journal {
    Journal::resume(out, &settings()).unwrap()
}

fn append(journal: &mut Journal, place: usize, name: &str, width: u32) {
    journal.append(place, &photo(name, width), None).unwrap();
}

fn names(out: &Path) -> Vec<(String, u32)> {
    let text = std::fs::read_to_string(out.join(RECORD)).unwrap();
    let photos = text.lines().map(|l| serde_json::from_str(l).unwrap());
    photos.map(|p: PhotoRecord| (p.image, p.width)).collect()
}

fn expected(names: &[(&str, u32)]) -> Vec<(String, u32)> {
    names
        .iter()
        .map(|&(name, width)| (name.into(), width))
        .collect()
}

#[test]
fn lines_come_out_in_the_order_of_the_input() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = start(dir.path());
    for (place, name) in [(5, "c"), (0, "a"), (3, "b")] {
        append(&mut journal, place, name, 1);
    }
    assert!(!dir.path().join(RECORD).exists());
    journal.finish(true, true, &[]).unwrap();
    assert_eq!(names(dir.path()), expected(&[("a", 1), ("b", 1), ("c", 1)]));
    assert!(!dir.path().join(PART).exists());
}

#[test]
fn a_killed_call_is_resumed_without_its_half_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = start(dir.path());
    append(&mut journal, 0, "a", 1);
    append(&mut journal, 1, "b", 1);
    drop(journal);
    let part = dir.path().join(PART);
    let whole = std::fs::read(&part).unwrap();
    std::fs::write(&part, &whole[..whole.len() - 9]).unwrap();
    assert!(Journal::start(dir.path(), false, &settings()).is_err());
    let mut journal = resume(dir.path());
    let left = journal.take("a").unwrap();
    assert_eq!((left.done.size, left.done.faces), ([1, 5], 0));
    journal.keep(0, &left);
    assert!(journal.take("b").is_none());
    append(&mut journal, 1, "b", 2);
    journal.finish(true, true, &[]).unwrap();
    assert_eq!(names(dir.path()), expected(&[("a", 1), ("b", 2)]));
}

#[test]
fn resuming_keeps_other_lines_and_replaces_redone_ones() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = start(dir.path());
    for (place, name) in ["old", "a", "b", "changed"].into_iter().enumerate() {
        append(&mut journal, place, name, 1);
    }
    journal.finish(true, true, &[]).unwrap();
    let mut journal = resume(dir.path());
    let left = ["a", "b", "changed"].map(|name| journal.take(name).unwrap());
    // What is kept stays until there is a better line, which `b` never gets.
    journal.keep(0, &left[0]);
    journal.keep(1, &left[1]);
    append(&mut journal, 0, "a", 2);
    journal
        .finish(true, false, &[Page::Table(Columns::default())])
        .unwrap();
    assert_eq!(
        names(dir.path()),
        expected(&[("old", 1), ("a", 2), ("b", 1)])
    );
    assert!(dir.path().join(TABLE).exists());
}

#[test]
fn photos_that_a_stopped_call_has_not_met_keep_their_lines() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = start(dir.path());
    for (place, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        append(&mut journal, place, name, 1);
    }
    journal.finish(true, true, &[]).unwrap();
    let mut journal = resume(dir.path());
    let left = journal.take("a").unwrap();
    journal.keep(0, &left);
    journal.take("b").unwrap();
    append(&mut journal, 1, "b", 2);
    journal.finish(false, true, &[]).unwrap();
    let all = [("a", 1), ("b", 2), ("c", 1), ("d", 1)];
    assert_eq!(names(dir.path()), expected(&all));
}

#[test]
fn a_foreign_record_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(RECORD), "hello\nworld\n").unwrap();
    let error = format!(
        "{:#}",
        Journal::resume(dir.path(), &settings()).unwrap_err()
    );
    assert!(
        error.contains("line 1") && error.contains(RECORD),
        "{error}"
    );
    assert!(!dir.path().join(PART).exists());
    assert_eq!(existing_record(dir.path()), Some(dir.path().join(RECORD)));
}

#[test]
fn little_is_kept_of_a_line() {
    assert_eq!(size_of::<Option<Line>>(), 16);
}
