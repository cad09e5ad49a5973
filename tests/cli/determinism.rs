//! The same recipe and lock give the same bytes, wherever and however they are built.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{PARCELCTL, Place, assert_same, cannot, has, repository};

/// Circumstances of a build that must not show in the parcel.
#[derive(Default)]
pub(crate) struct Circumstances {
    pub(crate) umask: &'static str,
    pub(crate) variables: Vec<(&'static str, &'static str)>,
    /// Whether to run on one core only.
    pub(crate) one_core: bool,
}

impl Circumstances {
    /// `parcelctl` in these circumstances.
    pub(crate) fn parcelctl(&self, place: &Place, line: &str) -> Command {
        let pinned = if self.one_core {
            "taskset -c $core"
        } else {
            ""
        };
        // The first core that we may use.
        let core = "core=$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')";
        let umask = if self.umask.is_empty() {
            "022"
        } else {
            self.umask
        };
        let script = format!("umask {umask}; {core}; exec {pinned} {PARCELCTL} {line}");
        let mut command = place.command("sh");
        command.args(["-c", &script]).envs(self.variables.clone());
        command
    }
}

#[test]
fn no_circumstance_of_a_build_shows_in_the_parcel() {
    if !has("taskset") {
        return cannot("there is no taskset");
    }
    let mut parcels: Vec<(String, PathBuf)> = Vec::new();
    let mut places = Vec::new();
    let circumstances = [
        ("usual", Circumstances::default()),
        (
            "umask 077",
            Circumstances {
                umask: "077",
                ..Default::default()
            },
        ),
        (
            "umask 000",
            Circumstances {
                umask: "000",
                ..Default::default()
            },
        ),
        (
            "far away",
            Circumstances {
                variables: vec![
                    ("TZ", "Pacific/Kiritimati"),
                    ("LC_ALL", "tr_TR.UTF-8"),
                    ("LANG", "ja_JP.eucJP"),
                ],
                ..Default::default()
            },
        ),
        (
            "one core",
            Circumstances {
                one_core: true,
                ..Default::default()
            },
        ),
        (
            "other home",
            Circumstances {
                variables: vec![("HOME", "/nonexistent"), ("USER", "x")],
                ..Default::default()
            },
        ),
    ];
    for (index, (name, circumstances)) in circumstances.into_iter().enumerate() {
        // Each place has another path, of another length.
        let place = Place::new();
        let root = format!("{}clone", "deeper/".repeat(index));
        for folder in ["parcels/quickstart", "fixtures/channel"] {
            place.copy(&repository(folder), &format!("{root}/{folder}"));
        }
        // The second build finds a warm cache and works elsewhere.
        for (state, work) in [("cold", ""), ("warm", "--work-dir elsewhere/to/work")] {
            let out = format!("out-{state}");
            let line = format!("build {root}/parcels/quickstart -o {out} {work}");
            place
                .run_command(&mut circumstances.parcelctl(&place, &line))
                .done();
            let parcel = place.at(&out).join("QUICKSTART-1.0-el8.parcel");
            parcels.push((format!("{name}, {state}"), parcel));
        }
        places.push(place);
    }
    for (_, parcel) in &parcels[1..] {
        assert_same(&parcels[0].1, parcel);
    }
}

#[test]
fn a_difference_is_told_by_the_entry_that_differs() {
    let place = Place::new();
    for (name, content, out) in [("a", "one", "1"), ("a", "two", "2"), ("b", "one", "3")] {
        place.write(
            &format!("recipe{out}/parcel.toml"),
            &format!("[parcel]\nname = \"F\"\nversion = \"1\"\ndistros = [\"el8\"]\n[[files]]\nfrom = \"x\"\nto = \"{name}\"\n"),
        );
        place.write(&format!("recipe{out}/x"), content);
        place.run(&format!("build recipe{out} -o out{out}")).done();
    }
    let message = |other: &str| {
        let parcel = |out: &str| place.at(&format!("{out}/F-1-el8.parcel"));
        let (first, other) = (parcel("out1"), parcel(other));
        let caught = std::panic::catch_unwind(|| assert_same(&first, &other));
        *caught.unwrap_err().downcast::<String>().unwrap()
    };
    let content = message("out2");
    assert!(
        content.contains("differ in 1 entries:\nF-1/a\n"),
        "{content}"
    );
    let name = message("out3");
    assert!(
        name.contains("F-1/a\n") && name.contains("F-1/b\n  absent"),
        "{name}"
    );
}

#[test]
fn source_date_epoch_is_the_time_of_every_entry() {
    let place = Place::with_recipe();
    let times = |place: &Place, parcel: &str| {
        let tar = ["--full-time", "--utc", "-tvzf", parcel];
        let listing = place.run_command(place.command("tar").args(tar)).done();
        let mut times: Vec<String> = listing
            .lines()
            .into_iter()
            .map(|line| {
                line.split_whitespace()
                    .skip(3)
                    .take(2)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        times.dedup();
        times
    };
    let mut command = place.parcelctl("build demo -o out");
    place
        .run_command(command.env("SOURCE_DATE_EPOCH", "86400"))
        .done();
    assert_eq!(
        times(&place, "out/DEMO-1.0-el8.parcel"),
        ["1970-01-02 00:00:00"]
    );
    // Without it, it is the time of the newest package: here, that of the committed channel.
    place.run("build demo -o packages").done();
    assert_eq!(
        times(&place, "packages/DEMO-1.0-el8.parcel"),
        ["2026-11-01 00:00:00"]
    );
    // A parcel of files has no packages: 1980-01-01, which every format can hold.
    place.edit(
        "demo/parcel.toml",
        "[environments.base]\nat = \".\"\nspec = \"environment.yml\"\n",
        "",
    );
    place.run("build demo -o files").done();
    assert_eq!(
        times(&place, "files/DEMO-1.0-el8.parcel"),
        ["1980-01-01 00:00:00"]
    );
    let mut command = place.parcelctl("build demo -o out");
    crate::support::snapshot!(place.run_command(command.env("SOURCE_DATE_EPOCH", "yesterday")));
}
