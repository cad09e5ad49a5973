use url::Url;

use crate::channel::ChannelSource;
use crate::solution::tests::{record, solution};

use super::*;

fn local(name: &str, channel: &Path) -> RepoDataRecord {
    let mut record = record(name, "1.0", &[]);
    let file = channel.join("linux-64").join(record.identifier.to_string());
    record.url = Url::from_file_path(file).unwrap();
    record.channel = Some(Url::from_directory_path(channel).unwrap().to_string());
    record
}

fn text() -> String {
    let mut lock = Lock::new();
    lock.set(
        "py311",
        "el7",
        solution(vec![record("a", "1.0", &["b"]), record("b", "2", &[])]),
    );
    lock.set(
        "py311",
        "el8",
        solution(vec![record("a", "1.0", &["b"]), record("b", "2", &[])]),
    );
    lock.render(Path::new("/")).unwrap()
}

fn parse(text: &str) -> Result<Lock, LockError> {
    Lock::parse(text, Path::new("/recipe/parcel.lock"), Path::new("/recipe"))
}

#[test]
fn a_lock_is_read_back_as_it_was_saved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("parcel.lock");
    let mut lock = Lock::new();
    let wanted = as_locked(&solution(vec![
        record("a", "1.0", &["b"]),
        record("b", "2", &[]),
    ]));
    lock.set("py311", "el8.aarch64le", wanted.unwrap());
    lock.save(&path).unwrap();
    let first = fs_err::read_to_string(&path).unwrap();
    let read = Lock::load(&path).unwrap();
    assert_eq!(read, lock);
    read.save(&path).unwrap();
    assert_eq!(fs_err::read_to_string(&path).unwrap(), first);
    let names = fs_err::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, 1, "the temporary file is gone");
}

#[test]
fn packages_that_environments_share_are_written_once() {
    assert_eq!(text().matches("sha256:").count(), 2);
    assert_eq!(parse(&text()).unwrap().iter().count(), 2);
}

#[test]
fn a_folder_channel_moves_with_the_lock() {
    let channel = Path::new("/home/me/work/channel");
    let folder = ChannelSource::Folder(channel.to_owned());
    let mut lock = Lock::new();
    let solution = Solution::new(Subdir::Linux64, vec![folder], vec![local("a", channel)]);
    lock.set("base", "el7", solution);
    let text = lock.render(Path::new("/home/me/work/parcels/x")).unwrap();
    assert!(!text.contains("/home"), "{text}");
    assert!(
        text.contains("../../channel/linux-64/a-1.0-0.conda"),
        "{text}"
    );
    let moved = Path::new("/srv/parcels/x");
    let read = Lock::parse(&text, &moved.join("parcel.lock"), moved).unwrap();
    let read = read.get("base", "el7").unwrap();
    assert_eq!(
        read.records()[0].url.as_str(),
        "file:///srv/channel/linux-64/a-1.0-0.conda"
    );
    assert_eq!(
        read.records()[0].channel.as_deref(),
        Some("file:///srv/channel/")
    );
    assert_eq!(
        read.channels(),
        [ChannelSource::Folder("/srv/channel".into())]
    );
}

#[test]
fn an_address_has_one_content() {
    let mut lock = Lock::new();
    lock.set("py311", "el7", solution(vec![record("a", "1.0", &[])]));
    let mut rebuilt = record("a", "1.0", &[]);
    rebuilt.package_record.sha256 = record("b", "9", &[]).package_record.sha256;
    lock.set("py313", "el7", solution(vec![rebuilt.clone()]));
    assert_eq!(lock.get("py311", "el7").unwrap().records()[0], rebuilt);
}

#[test]
fn a_missing_lock_can_be_told_from_a_broken_one() {
    let error = Lock::load(Path::new("/nowhere/parcel.lock")).unwrap_err();
    assert!(error.is_not_found());
    assert!(!parse("}").unwrap_err().is_not_found());
}

#[test]
fn refuses_a_remote_package_without_a_checksum() {
    let without = text()
        .lines()
        .filter(|l| !l.contains("sha256"))
        .collect::<Vec<_>>()
        .join("\n");
    let error = parse(&without).unwrap_err();
    assert_eq!(error.to_string(), "a-1.0-0.conda has no sha256");
    let mut bare = record("a", "1.0", &[]);
    bare.package_record.sha256 = None;
    assert!(matches!(
        as_locked(&solution(vec![bare])),
        Err(LockError::NoSha256 { .. })
    ));
}

#[test]
fn broken_yaml_is_shown_with_its_line() {
    let error = parse("version: 7\nplatforms: [\n  x: y: z\n").unwrap_err();
    assert!(
        error.to_string().starts_with("/recipe/parcel.lock:"),
        "{error}"
    );
}

#[test]
fn refuses_what_parcelctl_would_not_write() {
    let text = text();
    for (from, to) in [
        ("py311@el7", "py311"),
        (
            "https://example.com/chan/linux-64/a",
            "ftp://example.com/chan/linux-64/a",
        ),
        (
            "https://example.com/chan/linux-64/a",
            "https://u:p@example.com/chan/linux-64/a",
        ),
        ("https://example.com/chan/\n", "s3://example.com/chan/\n"),
        ("version: 7", "version: 99"),
        ("platforms:", "other:"),
    ] {
        let hostile = text.replace(from, to);
        assert_ne!(hostile, text, "{from} is in the lock");
        let error = parse(&hostile).unwrap_err();
        assert!(error.hint().is_some(), "{error}");
    }
}

#[test]
fn no_mutation_of_a_lock_panics() {
    let text = text();
    let mut tried = 0;
    for end in (0..text.len()).step_by(3) {
        let _ = parse(&text[..end]);
        for byte in ['\u{0}', '-', ':', '*', '[', '/', '9', '\n'] {
            let mut hostile = text.clone();
            hostile.replace_range(end..=end, &byte.to_string());
            let _ = parse(&hostile);
            tried += 1;
        }
    }
    let lines = text.lines().collect::<Vec<_>>();
    for skip in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(skip);
        let _ = parse(&fewer.join("\n"));
        let mut twice = lines.clone();
        twice.insert(skip, lines[skip]);
        let _ = parse(&twice.join("\n"));
    }
    assert!(tried > 1000);
}
