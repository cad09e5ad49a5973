//! Parcels without conda: files of a recipe, and directories that are parcels already.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Place, assert_same, snapshot};

const RECIPE: &str = r#"[parcel]
name = "TOOLS"
version = "3.1"
distros = ["el8"]
provides = ["tools"]
depends = "CDH (>= 7.1)"
groups = ["operators"]
release-notes = "NOTES.txt"

[defines]
template = "tools.sh"

[[files]]
from = "bin"
to = "bin"

[[files]]
from = "tools.conf"
to = "etc/"
mode = "0644"

[users.zoe]
longname = "Zoe, who comes first"
home = "/var/lib/zoe"
shell = "/sbin/nologin"
extra-groups = ["operators"]

[users.adam]
home = "/var/lib/adam"
shell = "/sbin/nologin"

[permissions."bin/run-as"]
user = "root"
group = "operators"
mode = "4750"

[alternatives.tools]
destination = "/usr/bin/tools"
source = "bin/tools"
priority = 10
"#;

fn tools() -> Place {
    let place = Place::new();
    place.write("tools/parcel.toml", RECIPE);
    place.write("tools/NOTES.txt", "First release.\n");
    place.write("tools/tools.conf", "verbose = false\n");
    place.write("tools/bin/tools", "#!/bin/sh\necho tools\n");
    place.write("tools/bin/run-as", "#!/bin/sh\nid\n");
    place.write("tools/tools.sh", "export TOOLS_VERSION={{ version }}\n");
    for (file, mode) in [
        ("bin/tools", 0o750),
        ("bin/run-as", 0o4755),
        ("tools.conf", 0o777),
    ] {
        let path = place.at("tools").join(file);
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    place
}

#[test]
fn a_recipe_of_files_is_a_parcel() {
    let place = tools();
    place.run("build tools -o out").done();
    place.run("validate out/TOOLS-3.1-el8.parcel").done();
    let listing = ["--numeric-owner", "-tvzf", "out/TOOLS-3.1-el8.parcel"];
    let mut tar = place.command("tar");
    snapshot!(place.run_command(tar.args(listing).env("TZ", "UTC")));
    fs_err::create_dir(place.at("root")).unwrap();
    place
        .run("install out/TOOLS-3.1-el8.parcel --root root")
        .done();
    let meta = "root/opt/cloudera/parcels/TOOLS-3.1/meta";
    let mut documents = String::new();
    for name in place.names(meta) {
        let text = place.read(&format!("{meta}/{name}"));
        documents += &["--- ", &name, "\n", &text].concat();
    }
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("documents", documents);
    });
}

#[test]
fn a_template_of_the_recipe_takes_the_place_of_a_built_in_one() {
    let place = tools();
    place.edit(
        "tools/parcel.toml",
        "template = \"tools.sh\"",
        "template = \"env.sh\"",
    );
    place.write("tools/env.sh", "export MINE={{ directory }}\n");
    place.run("build tools -o out").done();
    let tar = ["-xOzf", "out/TOOLS-3.1-el8.parcel", "TOOLS-3.1/meta/env.sh"];
    let script = place.run_command(place.command("tar").args(tar)).done();
    assert_eq!(script.stdout, "export MINE=TOOLS-3.1\n");
}

#[test]
fn another_parcels_directory_is_baked_into_the_files() {
    let place = Place::with_recipe();
    place
        .run("build demo -o out --parcels-dir /srv/parcels")
        .done();
    fs_err::create_dir(place.at("root")).unwrap();
    let install = "install out/DEMO-1.0-el8.parcel --root root --parcels-dir /srv/parcels";
    let installed = place.run(install).done();
    assert!(
        installed.stdout.ends_with("/root/srv/parcels/DEMO-1.0\n"),
        "{installed}"
    );
    let mut program = place.command("root/srv/parcels/DEMO-1.0/bin/where");
    let said = place.run_command(&mut program).done();
    assert_eq!(said.stdout, "/srv/parcels/DEMO-1.0\n");
}

#[test]
fn a_directory_becomes_the_same_parcel_twice() {
    let place = tools();
    place.run("build tools -o out").done();
    place
        .run("install out/TOOLS-3.1-el8.parcel --root . --no-activate")
        .done();
    let tree = "opt/cloudera/parcels/TOOLS-3.1";
    place.copy(&place.at(tree), "elsewhere/TOOLS-3.1");
    place
        .run(&format!(
            "build --tree {tree} --distro el8 --distro jammy -o one"
        ))
        .done();
    let mut command = place.parcelctl("build --tree elsewhere/TOOLS-3.1 --distro el8 -o two");
    let outcome = place.run_command(command.env("TZ", "Asia/Tokyo")).done();
    assert_eq!(outcome.lines(), ["two/TOOLS-3.1-el8.parcel"]);
    let parcel = |out: &str| place.at(&format!("{out}/TOOLS-3.1-el8.parcel"));
    assert_same(&parcel("one"), &parcel("two"));
    // And the same as the recipe's: a directory is all that a parcel is.
    assert_same(&parcel("out"), &parcel("one"));
    assert!(place.at("one/TOOLS-3.1-jammy.parcel").is_file());
}
