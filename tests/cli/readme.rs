//! The commands of the README do what it says.

use std::os::unix::fs::symlink;

use crate::support::{Place, repository};

/// The fenced `sh` blocks of a text.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.by_ref().any(|line| line == "```sh") {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

/// A place where `parcelctl` and `cargo run -p parcelctl --` are the binary under test, and where
/// recipes and fixtures lie as they do in the repository.
fn clone() -> Place {
    let place = Place::new();
    for folder in ["parcels", "fixtures/channel"] {
        place.copy(&repository(folder), folder);
    }
    fs_err::create_dir(place.at("bin")).unwrap();
    symlink(crate::support::PARCELCTL, place.at("bin/parcelctl")).unwrap();
    place.write(
        "bin/cargo",
        "#!/bin/sh\n[ \"$1 $2 $3 $4\" = 'run -p parcelctl --' ] || exit 99\nshift 4\nexec parcelctl \"$@\"\n",
    );
    let status = place.command("chmod").args(["+x", "bin/cargo"]).status();
    assert!(status.unwrap().success());
    place
}

fn sh(place: &Place, script: &str) -> crate::support::Outcome {
    let path = crate::support::variable("PATH").unwrap();
    let path = format!("{}:{}", place.at("bin").display(), path.to_str().unwrap());
    place.run_command(place.command("sh").args(["-ec", script]).env("PATH", path))
}

#[test]
fn the_first_command_builds_validates_and_inspects_the_quickstart() {
    let readme = fs_err::read_to_string(repository("README.md")).unwrap();
    let place = clone();
    let outcome = sh(&place, &blocks(&readme)[0]).done();
    let lines = outcome.lines();
    assert_eq!(lines[0], "out/QUICKSTART-1.0-el8.parcel", "{outcome}");
    assert_eq!(lines[1], "out/QUICKSTART-1.0-el8.parcel: pass", "{outcome}");
    assert_eq!(lines[2], "name         QUICKSTART", "{outcome}");
}

#[test]
fn the_second_command_is_how_these_tests_are_run() {
    let readme = fs_err::read_to_string(repository("README.md")).unwrap();
    assert_eq!(blocks(&readme)[1], "cargo test --workspace");
}

/// `init` writes a recipe that needs conda-forge, and `--root /` is this machine: both are turned
/// into something that a test may do.
#[test]
fn a_parcel_of_ones_own_takes_the_steps_that_the_readme_names() {
    let readme = fs_err::read_to_string(repository("README.md")).unwrap();
    let place = clone();
    fs_err::create_dir(place.at("root")).unwrap();
    let steps = blocks(&readme)
        .into_iter()
        .find(|block| block.contains("parcelctl init"))
        .unwrap()
        .replace("--root /", "--root root");
    let simple = "
        printf 'channels: [../fixtures/channel]\\ndependencies: [hello]\\n' > my-parcel/environment.yml
        sed -i '/^\\[\\[test/,$d' my-parcel/parcel.toml\n";
    let (init, rest) = steps.split_once('\n').unwrap();
    let outcome = sh(&place, &format!("{init}\n{simple}{rest}")).done();
    let lines = outcome.lines();
    assert_eq!(
        lines[..2],
        ["my-parcel/parcel.toml", "my-parcel/environment.yml"]
    );
    assert_eq!(lines[2], "out/MY_PARCEL-1.0-el8.parcel", "{outcome}");
    assert_eq!(lines[3], "out/manifest.json", "{outcome}");
    assert!(
        lines[4].ends_with("root/opt/cloudera/parcels/MY_PARCEL-1.0"),
        "{outcome}"
    );
}
