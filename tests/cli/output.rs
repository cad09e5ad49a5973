//! Standard output is data, standard error is talk.

use std::process::Stdio;

use crate::support::{Place, cannot, has, run};

/// Runs with an output that nobody reads any more.
fn run_into_a_broken_pipe(place: &Place, line: &str) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = place.parcelctl(line);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn();
    // Our copy of the writing end goes with the command.
    drop(command);
    let output = child.unwrap().wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), stderr)
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let place = Place::with_recipe();
    place.run("build demo -o out").done();
    let parcel = "out/DEMO-1.0-el8.parcel";
    for line in [
        "--help".to_owned(),
        "man".to_owned(),
        "completions zsh".to_owned(),
        "rules".to_owned(),
        "build demo -o out2 -q".to_owned(),
        "repo index out -q".to_owned(),
        format!("inspect {parcel}"),
        format!("inspect {parcel} --format json"),
        format!("validate {parcel} --format json"),
    ] {
        let (code, stderr) = run_into_a_broken_pipe(&place, &line);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{line}");
    }
    assert!(place.at("out2/DEMO-1.0-el8.parcel").is_file());
}

#[test]
fn a_build_prints_nothing_but_the_paths_of_its_parcels() {
    let place = Place::with_recipe();
    place.edit("demo/parcel.toml", "[\"el8\"]", "[\"el8\", \"jammy\"]");
    let outcome = place.run("build demo -o out").done();
    assert_eq!(
        outcome.stdout,
        "out/DEMO-1.0-el8.parcel\nout/DEMO-1.0-jammy.parcel\n"
    );
    assert!(
        outcome.stderr.contains("Built DEMO-1.0-el8.parcel"),
        "{outcome}"
    );
    assert!(
        outcome.stderr.ends_with("Wrote demo/parcel.lock\n"),
        "{outcome}"
    );
}

#[test]
fn quiet_leaves_only_data() {
    let place = Place::with_recipe();
    for line in [
        "init new --quiet",
        "build demo -o out --quiet",
        "repo index out --quiet",
        "install out/DEMO-1.0-el8.parcel --root . --quiet",
        "inspect out/DEMO-1.0-el8.parcel --quiet",
    ] {
        let outcome = place.run(line).done();
        assert_eq!(outcome.stderr, "", "{outcome}");
        assert!(!outcome.stdout.is_empty(), "{outcome}");
    }
    let error = place.run("build nowhere --quiet");
    assert!(error.stderr.starts_with("error: "), "{error}");
}

#[test]
fn colours_are_for_those_who_want_them() {
    let place = Place::new();
    let mut command = place.parcelctl("build nowhere");
    command.env("CLICOLOR_FORCE", "1");
    let coloured = run(&mut command, Vec::new());
    assert!(coloured.stderr.contains('\u{1b}'), "{coloured}");
    let plain = run(command.env("NO_COLOR", "1"), Vec::new());
    assert!(!plain.stderr.contains('\u{1b}'), "{plain}");
    let piped = place.run("build nowhere");
    assert!(!piped.stderr.contains('\u{1b}'), "{piped}");
}

#[test]
fn bars_are_drawn_on_a_terminal_only() {
    if !has("script") {
        return cannot("there is no script(1) to make a terminal");
    }
    let place = Place::with_recipe();
    // Long enough for a bar to be drawn.
    place.write("demo/big", &"parcel ".repeat(8_000_000));
    place.append(
        "demo/parcel.toml",
        "[[files]]\nfrom = \"big\"\nto = \"big\"\n",
    );
    let on_a_terminal = |options: &str| {
        let line = format!("{} build demo -o out {options}", crate::support::PARCELCTL);
        let mut command = place.command("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm");
        place.run_command(&mut command).done().stdout
    };
    let drawn = on_a_terminal("");
    assert!(drawn.contains("Packing ["), "{drawn}");
    assert!(drawn.contains("MiB/"), "bytes and their total: {drawn}");
    for option in ["--no-progress", "--quiet"] {
        let not_drawn = on_a_terminal(option);
        assert!(!not_drawn.contains("Packing ["), "{option}: {not_drawn}");
    }
    let piped = place.run("build demo -o out").done();
    assert!(!piped.stderr.contains("Packing ["), "{piped}");
}
