//! What a killed process leaves is cleared by the next one; what a living one holds is not.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use parcel::scratch::{ScratchDirectory, ScratchFile, write_file};

use crate::support::{argument, child, run, skip};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Starts a child that holds a file and a directory, and waits until it does.
fn holder(folder: &Path) -> Child {
    let mut holder = child("scratch::child_holds", folder);
    let mut holder = holder
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stdout.as_mut().unwrap()).lines();
    let held = lines.map(Result::unwrap).any(|line| line == "held");
    assert!(held);
    holder
}

#[test]
#[ignore = "a child of other tests"]
#[expect(clippy::print_stdout, reason = "the parent waits for it")]
fn child_holds() {
    let Some(folder) = argument() else { return };
    let mut file = ScratchFile::create_in(&folder).unwrap();
    file.write_all(b"half").unwrap();
    let directory = ScratchDirectory::create_in(&folder).unwrap();
    fs_err::create_dir_all(directory.path().join("a/b")).unwrap();
    fs_err::write(directory.path().join("a/b/c"), "x").unwrap();
    println!("\nheld");
    // Until the parent closes its end, or kills.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn what_a_killed_process_left_is_cleared_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut killed = holder(folder.path());
    assert_eq!(names(folder.path()).len(), 2);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(names(folder.path()).len(), 2);
    write_file(&folder.path().join("x"), b"x").unwrap();
    assert_eq!(names(folder.path()), ["x"]);
}

#[test]
fn two_processes_at_once_leave_each_other_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut living = holder(folder.path());
    let ours = ScratchFile::create_in(folder.path()).unwrap();
    let mut second = holder(folder.path());
    write_file(&folder.path().join("x"), b"x").unwrap();
    assert_eq!(names(folder.path()).len(), 2 + 1 + 2 + 1);
    ours.finish(&folder.path().join("y")).unwrap();
    for child in [&mut living, &mut second] {
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(names(folder.path()), ["x", "y"]);
}

#[test]
#[ignore = "a child of other tests"]
fn child_sweeps_while_it_works() {
    let Some(folder) = argument() else { return };
    let mut made = parcel::scratch::MadeDirectories::default();
    made.make(&folder.join("made")).unwrap();
    made.make(&folder.join("made/inner")).unwrap();
    let inner = folder.join("made/inner");
    let directory = ScratchDirectory::create_in(&inner).unwrap();
    let work = directory.path().to_owned();
    fs_err::create_dir(work.join("a")).unwrap();
    std::thread::spawn(move || {
        for count in 0_u64.. {
            // As a build does: it makes directories as it needs them, and stops at the first error.
            let at = work.join(format!("a/{}", count % 50));
            let made = fs_err::create_dir_all(&at);
            if made
                .and_then(|()| fs_err::write(at.join(count.to_string()), "x"))
                .is_err()
            {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        loop {
            let _ = write_file(&inner.join("x"), b"x");
            let _ = fs_err::remove_file(inner.join("x"));
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(100));
    parcel::scratch::sweep();
    assert!(parcel::scratch::interrupted());
    #[expect(clippy::exit, reason = "as a signal handler does")]
    std::process::exit(0);
}

#[test]
fn a_sweep_leaves_no_stage_behind_while_others_work_on_it() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        run(&mut child(
            "scratch::child_sweeps_while_it_works",
            folder.path(),
        ));
        let inner = folder.path().join("made/inner");
        if inner.exists() {
            // Only what was finished may be there.
            assert_eq!(names(&inner), ["x"]);
        }
    }
}

#[test]
fn a_pipe_or_a_link_with_such_a_name_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs_err::write(at("mine"), "x").unwrap();
    std::os::unix::fs::symlink(at("mine"), at(".parcelctl-link")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(at(".parcelctl-pipe"))
        .status();
    if !pipe.is_ok_and(|status| status.success()) {
        return skip("there is no mkfifo on this machine");
    }
    // Opening the pipe would wait for ever.
    write_file(&at("x"), b"x").unwrap();
    assert_eq!(
        names(folder.path()),
        [".parcelctl-link", ".parcelctl-pipe", "mine", "x"]
    );
    run(&mut child("scratch::child_holds", folder.path()));
}
