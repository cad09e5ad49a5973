//! Builds that are ended in the middle, and builds at the same time.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::support::{Place, assert_same};

const PARCEL: &str = "DEMO-1.0-el8.parcel";

/// A recipe whose parcel takes a second or so to write.
fn slow() -> Place {
    let place = Place::with_recipe();
    let mut text = String::new();
    let mut state = 1_u32;
    while text.len() < 20_000_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        write!(text, "{state:x} ").unwrap();
    }
    place.write("demo/numbers", &text);
    place.append(
        "demo/parcel.toml",
        "\n[[files]]\nfrom = \"numbers\"\nto = \"share/\"\n",
    );
    place
}

/// When to end a build.
enum Moment {
    /// This long after it began.
    After(u64),
    /// This long after it said something.
    AfterLine(&'static str, u64),
}

const MOMENTS: [Moment; 8] = [
    Moment::After(0),
    Moment::After(30),
    Moment::AfterLine("Solving", 0),
    Moment::AfterLine("Installing", 0),
    Moment::AfterLine("Installing", 20),
    Moment::AfterLine("Writing", 0),
    Moment::AfterLine("Writing", 150),
    Moment::AfterLine("Writing", 500),
];

fn wait_for(child: &mut Child, moment: &Moment) {
    let milliseconds = match *moment {
        Moment::After(milliseconds) => milliseconds,
        Moment::AfterLine(line, milliseconds) => {
            let mut talk = BufReader::new(child.stderr.take().unwrap()).lines();
            talk.by_ref()
                .find(|said| said.as_ref().unwrap().starts_with(line));
            // What is said later must not meet a closed pipe.
            std::thread::spawn(move || talk.for_each(drop));
            milliseconds
        }
    };
    sleep(Duration::from_millis(milliseconds));
}

/// Whether a folder holds something that is not finished.
fn rubbish(place: &Place) -> Vec<String> {
    let folders = ["out", "cache/parcelctl/work", "demo"];
    let names = folders.iter().flat_map(|folder| place.names(folder));
    names.filter(|name| name.starts_with('.')).collect()
}

#[test]
fn a_build_that_is_killed_leaves_no_parcel_and_the_next_one_cleans_up() {
    let place = slow();
    place.run("build demo -o reference").done();
    fs_err::remove_file(place.at("demo/parcel.lock")).unwrap();
    let mut killed = 0;
    for moment in &MOMENTS {
        fs_err::remove_dir_all(place.at("cache")).ok();
        let mut command = place.parcelctl("build demo -o out");
        let mut child = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(&mut child, moment);
        child.kill().unwrap();
        if child.wait().unwrap().code().is_none() {
            killed += 1;
            assert!(!place.names("out").iter().any(|name| !name.starts_with('.')));
        }
        place.run("build demo -o out").done();
        assert_same(
            &place.at("reference").join(PARCEL),
            &place.at("out").join(PARCEL),
        );
        assert_eq!(rubbish(&place), [""; 0]);
        fs_err::remove_dir_all(place.at("out")).unwrap();
        fs_err::remove_file(place.at("demo/parcel.lock")).unwrap();
    }
    assert!(killed >= 6, "only {killed} builds were killed in time");
}

#[test]
fn a_build_that_is_interrupted_cleans_up_itself() {
    let place = slow();
    let mut interrupted = 0;
    for signal in ["-INT", "-TERM"] {
        for moment in &MOMENTS[1..] {
            let mut command = place.parcelctl("build demo -o out");
            let mut child = command
                .stderr(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            wait_for(&mut child, moment);
            let id = child.id().to_string();
            let kill = Command::new("kill").args([signal, &id]).status().unwrap();
            let code = child.wait().unwrap().code();
            if kill.success() && code != Some(0) {
                interrupted += 1;
                // No code: the signal came before anybody was there to handle it.
                assert!(matches!(code, Some(130) | None), "{code:?}");
                assert_eq!(place.names("out"), [""; 0], "after {signal}");
                assert_eq!(rubbish(&place), [""; 0], "after {signal}");
            }
            fs_err::remove_dir_all(place.at("out")).ok();
            fs_err::remove_file(place.at("demo/parcel.lock")).ok();
        }
    }
    assert!(
        interrupted >= 8,
        "only {interrupted} builds were interrupted in time"
    );
    place.run("build demo -o out").done();
}

#[test]
fn builds_at_the_same_time_share_a_cache_and_an_output_folder() {
    let place = slow();
    let start = |options: &str| {
        let mut command = place.parcelctl(&format!("build demo -o out {options}"));
        command
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    // Two of the same, and one of another version.
    let children = [start(""), start(""), start("--set version=2.0")];
    for child in children {
        let output = child.wait_with_output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{talk}");
    }
    assert_eq!(rubbish(&place), [""; 0]);
    assert_eq!(place.names("out").len(), 6, "{:?}", place.names("out"));
    for version in ["1.0", "2.0"] {
        let parcel = format!("DEMO-{version}-el8.parcel");
        let inspected = place
            .run(&format!("inspect out/{parcel} --format json"))
            .done()
            .json();
        for (ending, key) in [("sha", "sha1"), ("sha256", "sha256")] {
            let side = place.read(&format!("out/{parcel}.{ending}"));
            assert_eq!(side.trim_end(), inspected[key]);
        }
    }
    place.run("build demo -o alone --locked").done();
    assert_same(
        &place.at("alone").join(PARCEL),
        &place.at("out").join(PARCEL),
    );
}
