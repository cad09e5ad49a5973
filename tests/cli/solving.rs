//! Packages are solved for the distro of the parcel, never for the machine that builds.

use crate::support::Place;

#[test]
fn el7_gets_the_older_package_that_its_c_library_can_run() {
    let place = Place::with_recipe();
    place.edit("demo/parcel.toml", "[\"el8\"]", "[\"el7\", \"el8\"]");
    place.write("demo/environment.yml", "dependencies:\n  - foo\n");
    place.run("build demo -o out").done();
    for (distro, expected) in [("el7", "1.6-0"), ("el8", "1.7-0")] {
        let inspected = place.run(&format!(
            "inspect out/DEMO-1.0-{distro}.parcel --format json"
        ));
        let packages = &inspected.done().json()["packages"];
        let foo = serde_json::json!([{ "name": "foo", "version": expected }]);
        assert_eq!(packages, &foo, "{distro}");
    }
    // One lock answers for both.
    let el7 = place
        .run("build demo -o again --distro el7 --locked")
        .done();
    assert_eq!(el7.lines(), ["again/DEMO-1.0-el7.parcel"]);
    crate::support::assert_same(
        &place.at("out/DEMO-1.0-el7.parcel"),
        &place.at("again/DEMO-1.0-el7.parcel"),
    );
}

#[test]
fn a_distro_that_the_table_does_not_know_brings_its_own_c_library() {
    let place = Place::with_recipe();
    let row = "[{ suffix = \"box1\", platform = \"linux-64\", glibc = \"2.20\" }]";
    place.edit("demo/parcel.toml", "[\"el8\"]", row);
    place.write("demo/environment.yml", "dependencies:\n  - foo\n");
    place.run("build demo -o out").done();
    let inspected = place
        .run("inspect out/DEMO-1.0-box1.parcel --format json")
        .done();
    assert_eq!(inspected.json()["packages"][0]["version"], "1.6-0");
}

#[test]
fn a_channel_of_the_command_line_takes_the_place_of_the_lock() {
    let place = Place::with_recipe();
    place.edit(
        "demo/parcel.toml",
        "channels = [\"../channel\"]",
        "channels = [\"nowhere\"]",
    );
    let outcome = place.run("build demo -o out --channel channel").done();
    assert!(
        outcome.stderr.contains("No lock: --channel was given"),
        "{outcome}"
    );
    assert_eq!(place.names("demo"), ["environment.yml", "parcel.toml"]);
    let locked = "build demo -o out --channel channel --lock other.lock";
    let outcome = place.run(locked).done();
    assert!(outcome.stderr.contains("Wrote other.lock"), "{outcome}");
    place
        .run("build demo -o out --lock other.lock --locked")
        .done();
}
