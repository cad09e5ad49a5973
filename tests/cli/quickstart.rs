//! The first hour with the program: a recipe, a parcel, an installation, a repository.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{PARCELCTL, Place, not_me, repository, snapshot};

/// A place with the quickstart recipe and its channel, as they lie in the repository.
fn quickstart() -> Place {
    let place = Place::new();
    place.copy(&repository("parcels/quickstart"), "parcels/quickstart");
    place.copy(&repository("fixtures/channel"), "fixtures/channel");
    place
}

const PARCEL: &str = "out/QUICKSTART-1.0-el8.parcel";

#[test]
fn init_writes_a_recipe_to_start_from() {
    let place = Place::new();
    snapshot!(place.run("init my-parcel"));
    let text =
        place.read("my-parcel/parcel.toml") + "\n" + &place.read("my-parcel/environment.yml");
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("init_recipe", text);
    });
}

#[test]
fn init_overwrites_nothing() {
    let place = Place::new();
    place.write("mine/environment.yml", "my own\n");
    snapshot!(place.run("init mine"));
    assert_eq!(place.names("mine"), ["environment.yml"]);
    assert_eq!(place.read("mine/environment.yml"), "my own\n");
}

#[test]
fn the_recipe_of_init_needs_only_a_channel() {
    let place = Place::with_recipe();
    place.run("init start").done();
    let recipe = place.read("start/parcel.toml");
    let without_test = &recipe[..recipe.find("[[test]]").unwrap()];
    place.write("start/parcel.toml", without_test);
    place.write(
        "start/environment.yml",
        "channels:\n  - ../channel\ndependencies:\n  - hello\n",
    );
    let outcome = place.run("build start -o out").done();
    assert_eq!(outcome.stdout, "out/START-1.0-el8.parcel\n");
}

#[test]
fn the_quickstart_is_built_from_its_lock_without_a_network() {
    let place = quickstart();
    let lock = place.read("parcels/quickstart/parcel.lock");
    // Where it can be had, there is not even a loopback device.
    let alone = ["--net", "--map-root-user", "--"];
    let can = Command::new("unshare").args(alone).arg("true").status();
    let mut command = if can.is_ok_and(|status| status.success()) {
        let mut command = place.command("unshare");
        command.args(alone).arg(PARCELCTL);
        command
    } else {
        place.command(PARCELCTL)
    };
    command.args(["build", "parcels/quickstart", "-o", "out"]);
    let outcome = place.run_command(&mut command).done();
    assert_eq!(outcome.lines(), [PARCEL]);
    assert!(!outcome.stderr.contains("Solving"), "{outcome}");
    assert_eq!(place.read("parcels/quickstart/parcel.lock"), lock);
    let parcel = "QUICKSTART-1.0-el8.parcel";
    assert_eq!(
        place.names("out"),
        [
            parcel.to_owned(),
            format!("{parcel}.sha"),
            format!("{parcel}.sha256")
        ]
    );
    for options in ["--locked", "--offline"] {
        let again = place.run(&format!("build parcels/quickstart -o out {options}"));
        again.done();
    }
}

#[test]
fn a_recipe_that_cannot_be_written_to_is_built_all_the_same() {
    let place = quickstart();
    fs_err::remove_file(place.at("parcels/quickstart/parcel.lock")).unwrap();
    for folder in ["out", "cache"] {
        fs_err::create_dir(place.at(folder)).unwrap();
        let everybody = std::fs::Permissions::from_mode(0o777);
        fs_err::set_permissions(place.at(folder), everybody).unwrap();
    }
    let readable = std::fs::Permissions::from_mode(0o555);
    fs_err::set_permissions(place.at("parcels/quickstart"), readable).unwrap();
    let binary = place.public_binary();
    let mut command = place.command("env");
    command.args(not_me()).arg(binary);
    command.args(["build", "parcels/quickstart", "-o", "out"]);
    let outcome = place.run_command(&mut command).done();
    assert_eq!(outcome.lines(), [PARCEL]);
    assert!(
        outcome
            .stderr
            .ends_with("No lock: the recipe's folder cannot be written to\n"),
        "{outcome}"
    );
    let writable = std::fs::Permissions::from_mode(0o755);
    fs_err::set_permissions(place.at("parcels/quickstart"), writable).unwrap();
}

#[test]
fn what_is_solved_is_locked_and_the_lock_is_used() {
    let place = Place::with_recipe();
    let first = place.run("build demo -o out").done();
    assert!(
        first.stderr.starts_with("Solving base for el8\n"),
        "{first}"
    );
    let lock = place.read("demo/parcel.lock");
    assert!(!lock.contains(place.at("").to_str().unwrap()), "{lock}");
    let second = place.run("build demo -o out").done();
    assert!(!second.stderr.contains("Solving"), "{second}");
    assert_eq!(place.read("demo/parcel.lock"), lock);
    // From inside the folder it is the same recipe and the same lock.
    for recipe in [".", "parcel.toml", "./parcel.toml"] {
        let inside = place.run_in("demo", &format!("build {recipe} -o ../out --locked"));
        inside.done();
    }
    fs_err::remove_file(place.at("demo/parcel.lock")).unwrap();
    place.run_in("demo", "build parcel.toml -o ../out").done();
    assert_eq!(place.read("demo/parcel.lock"), lock);
}

#[test]
fn inspect_tells_people_what_a_parcel_holds() {
    let place = quickstart();
    place.run("build parcels/quickstart -o out").done();
    snapshot!(place.run(&format!("inspect {PARCEL}")));
}

#[test]
fn inspect_tells_programs_what_a_parcel_holds() {
    let place = quickstart();
    place.run("build parcels/quickstart -o out").done();
    let outcome = place.run(&format!("inspect {PARCEL} --format json"));
    snapshot!(outcome);
    let json = outcome.json();
    let keys: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "version",
            "name",
            "parcel_version",
            "distro",
            "sha1",
            "sha256",
            "compressed_bytes",
            "unpacked_bytes",
            "entries",
            "components",
            "packages",
            "provides",
            "environments"
        ]
    );
    let bytes = fs_err::metadata(place.at(PARCEL)).unwrap().len();
    assert_eq!(json["compressed_bytes"], bytes);
    for (ending, key) in [("sha", "sha1"), ("sha256", "sha256")] {
        let side = place.read(&format!("{PARCEL}.{ending}"));
        assert_eq!(side, format!("{}\n", json[key].as_str().unwrap()));
    }
}

#[test]
fn validate_passes_what_build_made() {
    let place = quickstart();
    place.run("build parcels/quickstart -o out").done();
    snapshot!(place.run(&format!("validate {PARCEL}")));
    let json = place
        .run(&format!("validate {PARCEL} --format json"))
        .done()
        .json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["subjects"][0]["path"], PARCEL);
    assert_eq!(json["subjects"][0]["kind"], "parcel");
    assert_eq!(json["subjects"][0]["verdict"], "pass");
}

#[test]
fn an_installation_is_as_an_agent_would_make_it() {
    let place = quickstart();
    place.run("build parcels/quickstart -o out").done();
    fs_err::create_dir(place.at("root")).unwrap();
    snapshot!(place.run(&format!("install {PARCEL} --root root")));
    let parcels = "root/opt/cloudera/parcels";
    let link = fs_err::read_link(place.at(parcels).join("QUICKSTART")).unwrap();
    assert_eq!(link.to_str(), Some("QUICKSTART-1.0"));
    let program = place.read(&format!("{parcels}/QUICKSTART/bin/hello"));
    assert!(
        program.starts_with("#!/opt/cloudera/parcels/QUICKSTART-1.0/bin/")
            || program.contains("/opt/cloudera/parcels/QUICKSTART-1.0"),
        "{program}"
    );
    let mode = |path: &str| {
        let metadata = fs_err::metadata(place.at(parcels).join(path)).unwrap();
        metadata.permissions().mode() & 0o7777
    };
    assert_eq!(mode("QUICKSTART/bin/hello"), 0o755);
    assert_eq!(mode("QUICKSTART/meta/parcel.json"), 0o644);
    // The binary's own place holds the prefix too, ended by a NUL.
    let binary = place.command(&format!("{parcels}/QUICKSTART/bin/where"));
    let mut binary = binary;
    assert_eq!(
        place.run_command(&mut binary).done().lines(),
        ["/opt/cloudera/parcels/QUICKSTART-1.0"]
    );
    // The same again changes nothing.
    let again = place.run(&format!("install {PARCEL} --root root")).done();
    assert!(again.stderr.starts_with("Unchanged"), "{again}");
}

#[test]
fn a_repository_has_an_entry_for_each_parcel() {
    let place = quickstart();
    place.run("build parcels/quickstart -o out").done();
    place
        .run("build parcels/quickstart -o out --set version=1.1")
        .done();
    let outcome = place.run("repo index out").done();
    assert_eq!(outcome.lines(), ["out/manifest.json"]);
    let manifest: serde_json::Value =
        serde_json::from_str(&place.read("out/manifest.json")).unwrap();
    // As Cloudera's make_manifest.py has it: milliseconds, and these keys.
    assert!(manifest["lastUpdated"].as_u64().unwrap() > 1_000_000_000_000);
    let parcels = manifest["parcels"].as_array().unwrap();
    let names: Vec<_> = parcels.iter().map(|parcel| &parcel["parcelName"]).collect();
    assert_eq!(
        names,
        ["QUICKSTART-1.0-el8.parcel", "QUICKSTART-1.1-el8.parcel"]
    );
    for parcel in parcels {
        let name = parcel["parcelName"].as_str().unwrap();
        let sha = place.read(&format!("out/{name}.sha"));
        assert_eq!(parcel["hash"], sha.trim_end());
        let keys: Vec<_> = parcel.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["parcelName", "hash", "components", "releaseNotes"]);
    }
    let notes = fs_err::read_to_string(repository("parcels/quickstart/NOTES.txt")).unwrap();
    assert_eq!(parcels[0]["releaseNotes"], notes);
    assert_eq!(
        parcels[0]["components"],
        serde_json::json!([{ "name": "QUICKSTART", "version": "1.0", "pkg_version": "1.0" }])
    );
}
