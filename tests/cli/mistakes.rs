//! Mistakes that people make: what they are told, and that nothing is left behind.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{Outcome, Place, not_me, snapshot};

/// Runs a build that must fail, and fails itself where something was left behind.
#[track_caller]
fn refused(place: &Place, line: &str) -> Outcome {
    let before = place.names("demo");
    let outcome = place.run(line);
    assert!(matches!(outcome.code, Some(1 | 2)), "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
    assert_eq!(place.names("demo"), before, "in the recipe's folder");
    assert!(!place.at("out").exists(), "{:?}", place.names("out"));
    assert_eq!(place.names("cache/parcelctl/work"), [""; 0]);
    outcome
}

/// Builds `demo` after a change of its `parcel.toml`.
#[track_caller]
fn with_recipe_changed(old: &str, new: &str) -> Outcome {
    let place = Place::with_recipe();
    place.edit("demo/parcel.toml", old, new);
    refused(&place, "build demo -o out")
}

/// Builds `demo` after something was added to its `parcel.toml`.
#[track_caller]
fn with_recipe_longer(text: &str) -> Outcome {
    let place = Place::with_recipe();
    place.append("demo/parcel.toml", text);
    refused(&place, "build demo -o out")
}

/// Builds `demo` with another `environment.yml`.
#[track_caller]
fn with_environment(text: &str) -> Outcome {
    let place = Place::with_recipe();
    place.write("demo/environment.yml", text);
    refused(&place, "build demo -o out")
}

mod in_the_recipe {
    use super::*;

    #[test]
    fn a_dash_in_the_name() {
        let place = Place::with_recipe();
        place.edit("demo/parcel.toml", "DEMO", "Ana-conda");
        let inside = place.run_in("demo", "build .");
        assert_eq!(
            inside.stderr,
            "error: parcel.toml:2: name \"Ana-conda\" has a dash; the first dash starts the \
             version. Use \"Ana_conda\".\n"
        );
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn a_key_that_is_nearly_right() {
        snapshot!(with_recipe_changed("distros", "distro"));
    }

    #[test]
    fn a_key_that_nobody_knows() {
        snapshot!(with_recipe_longer("[defines]\nzorro = 1\n"));
    }

    #[test]
    fn a_key_that_is_missing() {
        snapshot!(with_recipe_changed("version = \"1.0\"\n", ""));
    }

    #[test]
    fn a_version_without_quotes() {
        snapshot!(with_recipe_changed("\"1.0\"", "1.0"));
    }

    #[test]
    fn toml_that_is_none() {
        snapshot!(with_recipe_changed("\"DEMO\"", "\"DEMO"));
    }

    #[test]
    fn a_spec_that_is_not_there() {
        snapshot!(with_recipe_changed("environment.yml", "enviroment.yml"));
    }

    #[test]
    fn a_distro_that_nobody_knows() {
        snapshot!(with_recipe_changed("el8", "el42"));
    }

    #[test]
    fn a_distro_with_a_slip() {
        snapshot!(with_recipe_changed("\"el8\"", "\"jamy\""));
    }

    #[test]
    fn a_mode_of_three_digits() {
        let files = "\n[[files]]\nfrom = \"environment.yml\"\nto = \"x\"\nmode = ";
        snapshot!(with_recipe_longer(&format!("{files}\"755\"\n")));
    }

    #[test]
    fn a_mode_that_an_archive_does_not_carry() {
        let files = "\n[[files]]\nfrom = \"environment.yml\"\nto = \"x\"\nmode = ";
        snapshot!(with_recipe_longer(&format!("{files}\"4755\"\n")));
    }

    #[test]
    fn a_file_where_the_build_writes_its_own() {
        snapshot!(with_recipe_longer(
            "\n[[files]]\nfrom = \"environment.yml\"\nto = \"meta/parcel.json\"\n"
        ));
    }

    #[test]
    fn a_template_by_its_path() {
        let place = Place::with_recipe();
        place.write("mine.sh", "export A={{ name }}\n");
        let path = place.at("mine.sh");
        let template = format!("\n[defines]\ntemplate = \"{}\"\n", path.display());
        place.append("demo/parcel.toml", &template);
        snapshot!(refused(&place, "build demo -o out"));
        assert_eq!(place.read("mine.sh"), "export A={{ name }}\n");
    }

    #[test]
    fn an_environment_where_the_default_ones_name_is_written() {
        let place = Place::with_recipe();
        let table = "\n[environments.default]\nspec = \"environment.yml\"\n";
        place.append("demo/parcel.toml", table);
        let name = "name = \"DEMO\"";
        let longer = format!("{name}\ndefault-environment = \"default\"");
        place.edit("demo/parcel.toml", name, &longer);
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn release_notes_that_are_a_folder() {
        let place = Place::with_recipe();
        fs_err::create_dir(place.at("demo/notes")).unwrap();
        let name = "name = \"DEMO\"";
        let longer = format!("{name}\nrelease-notes = \"notes\"");
        place.edit("demo/parcel.toml", name, &longer);
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn a_version_that_a_package_does_not_have() {
        snapshot!(with_environment("dependencies:\n  - hello ==9.9\n"));
    }

    #[test]
    fn a_test_that_changes_a_file_and_hides_it() {
        let run = "cd $CONDA_PREFIX/etc && cp -p hello.conf $HOME/t && \
                   tr a-z A-Z < $HOME/t > hello.conf && touch -r $HOME/t hello.conf";
        let outcome = with_recipe_longer(&format!("\n[[test]]\nrun = \"{run}\"\n"));
        assert!(
            outcome.stderr.contains("changed the staged files"),
            "{outcome}"
        );
    }

    #[test]
    fn two_environments_at_the_same_place() {
        snapshot!(with_recipe_longer(
            "\n[environments.another]\nat = \".\"\nspec = \"environment.yml\"\n"
        ));
    }

    #[test]
    fn a_test_of_an_environment_that_is_not_there() {
        snapshot!(with_recipe_longer(
            "\n[[test]]\nenvironment = \"bse\"\nrun = \"true\"\n"
        ));
    }

    #[test]
    fn a_file_that_goes_outside() {
        snapshot!(with_recipe_longer(
            "\n[[files]]\nfrom = \"environment.yml\"\nto = \"../x\"\n"
        ));
    }

    #[test]
    fn a_file_over_one_of_a_package() {
        snapshot!(with_recipe_longer(
            "\n[[files]]\nfrom = \"environment.yml\"\nto = \"bin/hello\"\n"
        ));
    }

    #[test]
    fn a_link_out_of_the_parcel() {
        let place = Place::with_recipe();
        symlink("../../secrets", place.at("demo/link")).unwrap();
        place.append(
            "demo/parcel.toml",
            "\n[[files]]\nfrom = \"link\"\nto = \"link\"\n",
        );
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn a_setuid_file_that_is_not_declared() {
        let place = Place::with_recipe();
        place.write("demo/run-as", "#!/bin/sh\n");
        let setuid = std::fs::Permissions::from_mode(0o4755);
        fs_err::set_permissions(place.at("demo/run-as"), setuid).unwrap();
        place.append(
            "demo/parcel.toml",
            "\n[[files]]\nfrom = \"run-as\"\nto = \"bin/\"\n",
        );
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn a_template_by_a_wrong_name() {
        snapshot!(with_recipe_longer(
            "\n[defines]\ntemplate = \"conda-env.sh\"\n"
        ));
    }

    #[test]
    fn a_variable_that_no_template_has() {
        let place = Place::with_recipe();
        place.write("demo/conda_env.sh", "# Mine\nexport HOME_OF={{ nmae }}\n");
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn a_template_of_a_document_that_is_not_json() {
        let place = Place::with_recipe();
        place.write("demo/parcel.json", "{ \"name\": {{ name }} }\n");
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn a_test_that_fails() {
        let outcome =
            with_recipe_longer("\n[[test]]\nrun = \"echo found 3; echo wanted 4 >&2; false\"\n");
        assert_eq!(outcome.code, Some(1));
        snapshot!(outcome);
    }

    #[test]
    fn a_test_that_changes_the_stage() {
        let outcome = with_recipe_longer("\n[[test]]\nrun = \"touch $CONDA_PREFIX/new\"\n");
        assert_eq!(outcome.code, Some(1));
        snapshot!(outcome);
    }

    #[test]
    fn something_for_later() {
        snapshot!(with_recipe_longer("\n[kernels]\nwhen = \"install\"\n"));
    }
}

mod in_the_environment {
    use super::*;

    #[test]
    fn a_package_that_no_channel_has() {
        snapshot!(with_environment(
            "dependencies:\n  - hello\n  - not-there\n"
        ));
    }

    #[test]
    fn a_package_that_needs_one_that_no_channel_has() {
        snapshot!(with_environment("dependencies:\n  - needs-missing\n"));
    }

    #[test]
    fn a_package_that_needs_a_newer_c_library() {
        let place = Place::with_recipe();
        place.edit("demo/parcel.toml", "el8", "el7");
        place.write("demo/environment.yml", "dependencies:\n  - foo >=1.7\n");
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn packages_from_pip() {
        snapshot!(with_environment(
            "dependencies:\n  - hello\n  - pip:\n      - requests\n"
        ));
    }

    #[test]
    fn a_spec_that_is_none() {
        snapshot!(with_environment("dependencies:\n  - hello ==\n"));
    }

    #[test]
    fn yaml_that_is_none() {
        snapshot!(with_environment("dependencies:\n  - hello\n - foo\n"));
    }

    #[test]
    fn no_channel_at_all() {
        snapshot!(with_recipe_changed("channels = [\"../channel\"]\n", ""));
    }

    #[test]
    fn a_channel_folder_that_is_not_there() {
        snapshot!(with_recipe_changed("../channel", "../chanel"));
    }

    #[test]
    fn a_channel_of_the_command_line_that_is_not_there() {
        let place = Place::with_recipe();
        snapshot!(refused(&place, "build demo -o out --channel ./chanel"));
    }

    #[test]
    fn a_channel_that_cannot_be_reached() {
        let place = Place::with_recipe();
        snapshot!(refused(
            &place,
            "build demo -o out --channel http://127.0.0.1:9/"
        ));
    }

    #[test]
    fn a_channel_of_the_network_without_a_network() {
        let place = Place::with_recipe();
        snapshot!(refused(
            &place,
            "build demo -o out --channel conda-forge --offline"
        ));
    }
}

mod on_the_command_line {
    use super::*;

    #[test]
    fn a_recipe_that_is_not_there() {
        snapshot!(refused(&Place::new(), "build nowhere -o out"));
    }

    #[test]
    fn a_folder_without_a_recipe() {
        let place = Place::with_recipe();
        snapshot!(refused(&place, "build channel -o out"));
    }

    #[test]
    fn a_distro_that_the_recipe_does_not_have() {
        let place = Place::with_recipe();
        snapshot!(refused(&place, "build demo -o out --distro el9"));
    }

    #[test]
    fn a_setting_that_is_none() {
        let place = Place::with_recipe();
        snapshot!(refused(&place, "build demo -o out --set nonsense"));
    }

    #[test]
    fn a_version_that_cannot_be_one() {
        let place = Place::with_recipe();
        snapshot!(refused(&place, "build demo -o out --set version=a/b"));
    }

    #[test]
    fn a_parcels_directory_that_is_relative() {
        let place = Place::with_recipe();
        snapshot!(refused(
            &place,
            "build demo -o out --parcels-dir srv/parcels"
        ));
    }

    #[test]
    fn locked_without_a_lock() {
        let place = Place::with_recipe();
        snapshot!(refused(&place, "build demo -o out --locked"));
    }

    #[test]
    fn a_lock_that_is_out_of_date() {
        let place = Place::with_recipe();
        place.run("build demo -o first").done();
        place.write("demo/environment.yml", "dependencies:\n  - foo\n");
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn a_lock_that_is_none() {
        let place = Place::with_recipe();
        place.write("demo/parcel.lock", "version: [\n");
        snapshot!(refused(&place, "build demo -o out"));
    }

    #[test]
    fn an_output_folder_that_is_a_file() {
        let place = Place::with_recipe();
        let outcome = place.run("build demo -o demo/parcel.toml");
        assert_eq!(place.names("cache"), [""; 0], "no work was done");
        snapshot!(outcome);
    }

    #[test]
    fn an_output_folder_that_cannot_be_written_to() {
        let place = Place::with_recipe();
        fs_err::create_dir(place.at("out")).unwrap();
        let readable = std::fs::Permissions::from_mode(0o555);
        fs_err::set_permissions(place.at("out"), readable).unwrap();
        let binary = place.public_binary();
        let mut command = place.command("env");
        command.args(not_me()).arg(binary);
        command.args(["build", "demo", "-o", "out"]);
        let outcome = place.run_command(&mut command);
        assert_eq!(outcome.code, Some(2), "{outcome}");
        assert_eq!(
            outcome.stderr.lines().next(),
            Some("error: cannot write to the output folder out"),
        );
        assert_eq!(place.names("cache"), [""; 0], "no work was done");
    }

    #[test]
    fn a_tree_that_is_not_called_name_version() {
        let place = Place::with_recipe();
        snapshot!(refused(&place, "build --tree demo --distro el8 -o out"));
    }

    #[test]
    fn a_tree_without_metadata() {
        let place = Place::new();
        fs_err::create_dir_all(place.at("DEMO-1.0/bin")).unwrap();
        let outcome = refused(&place, "build --tree DEMO-1.0 --distro el8 -o out");
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(
            outcome.stderr.contains("meta/parcel.json is missing"),
            "{outcome}"
        );
    }
}

mod with_a_parcel {
    use super::*;

    const PARCEL: &str = "out/DEMO-1.0-el8.parcel";

    /// A place with a parcel and an empty root.
    fn built() -> Place {
        let place = Place::with_recipe();
        place.run("build demo -o out").done();
        fs_err::create_dir(place.at("root")).unwrap();
        place
    }

    /// Fails unless the installation was refused and the root is as it was.
    #[track_caller]
    fn not_installed(place: &Place, options: &str) -> Outcome {
        let outcome = place.run(&format!("install {PARCEL} --root root {options}"));
        assert!(matches!(outcome.code, Some(1 | 2)), "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert_eq!(place.names("root"), [""; 0], "{outcome}");
        outcome
    }

    fn cut_off(place: &Place) {
        let whole = fs_err::read(place.at(PARCEL)).unwrap();
        fs_err::write(place.at(PARCEL), &whole[..whole.len() / 2]).unwrap();
    }

    #[test]
    fn one_version_for_two_distros() {
        let place = built();
        fs_err::copy(place.at(PARCEL), place.at("out/DEMO-1.0-el9.parcel")).unwrap();
        snapshot!(not_installed(&place, "out/DEMO-1.0-el9.parcel"));
    }

    #[test]
    fn other_content_under_the_same_name() {
        let place = built();
        let files = "\n[[files]]\nfrom = \"environment.yml\"\nto = \"x\"\n";
        place.append("demo/parcel.toml", files);
        let outcome = place.run("build demo -o out").done();
        assert!(
            outcome.stderr.contains("was there with other content"),
            "{outcome}"
        );
        let again = place.run("build demo -o out").done();
        assert!(!again.stderr.contains("other content"), "{again}");
    }

    #[test]
    fn one_of_several_that_is_not_there() {
        let place = built();
        snapshot!(place.run(&format!("validate {PARCEL} nowhere.parcel")));
    }

    #[test]
    fn a_lock_in_a_folder_that_is_not_there() {
        let place = Place::with_recipe();
        snapshot!(refused(
            &place,
            "build demo -o out --lock nowhere/parcel.lock"
        ));
    }

    #[test]
    fn one_that_is_cut_off_is_not_inspected() {
        let place = built();
        cut_off(&place);
        let outcome = place.run(&format!("inspect {PARCEL}"));
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(1), ""),
            "{outcome}"
        );
        assert!(
            outcome.stderr.contains("the file is cut off after"),
            "{outcome}"
        );
        assert!(
            outcome
                .stderr
                .contains(&format!("parcelctl validate --as parcel {PARCEL}")),
            "{outcome}"
        );
        let validated = place.run(&format!("validate {PARCEL}"));
        assert_eq!(validated.code, Some(1), "{validated}");
        assert!(
            validated.stdout.ends_with(&format!("{PARCEL}: fail\n")),
            "{validated}"
        );
    }

    #[test]
    fn one_that_is_cut_off_is_not_installed() {
        let place = built();
        cut_off(&place);
        for side in ["sha", "sha256"] {
            fs_err::remove_file(place.at(&format!("{PARCEL}.{side}"))).unwrap();
        }
        let outcome = not_installed(&place, "");
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(
            outcome.stderr.contains(&format!("{PARCEL} is damaged")),
            "{outcome}"
        );
    }

    #[test]
    fn a_text_is_not_a_parcel() {
        let place = Place::new();
        place.write(PARCEL, "hello\n");
        snapshot!(place.run(&format!("inspect {PARCEL}")));
    }

    #[test]
    fn the_checksum_of_another_file() {
        let place = built();
        place.write(&format!("{PARCEL}.sha"), &format!("{}\n", "0".repeat(40)));
        snapshot!(not_installed(&place, ""));
    }

    #[test]
    fn a_side_file_that_holds_no_checksum() {
        let place = built();
        place.write(&format!("{PARCEL}.sha"), "sha1sum: no such file\n");
        snapshot!(not_installed(&place, ""));
    }

    #[test]
    fn not_the_parcel_that_was_asked_for() {
        let place = built();
        let digest = "0".repeat(64);
        snapshot!(not_installed(&place, &format!("--sha256 {digest}")));
    }

    #[test]
    fn one_that_is_not_there() {
        let place = Place::new();
        fs_err::create_dir(place.at("root")).unwrap();
        snapshot!(not_installed(&place, ""));
        snapshot!(place.run(&format!("inspect {PARCEL}")));
    }

    #[test]
    fn a_root_that_is_not_there() {
        let place = built();
        snapshot!(place.run(&format!("install {PARCEL} --root chroot")));
    }

    #[test]
    fn other_content_under_the_same_version() {
        let place = built();
        place.run(&format!("install {PARCEL} --root root")).done();
        place.run("build demo -o out --level 1").done();
        snapshot!(place.run(&format!("install {PARCEL} --root root")));
        place
            .run(&format!("install {PARCEL} --root root --replace"))
            .done();
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_indexed() {
        snapshot!(Place::new().run("repo index nowhere"));
    }
}
