//! What the program says of itself.

use crate::support::{Place, cannot, has, snapshot};

/// The subcommands that a help text lists.
fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_its_help() {
    let place = Place::new();
    let mut commands = vec![String::new()];
    while let Some(command) = commands.pop() {
        let help = place.run(&format!("{command} --help")).done();
        assert_eq!(help.stderr, "");
        insta::with_settings!({
            omit_expression => true,
            snapshot_suffix => command.trim().replace(' ', "-"),
        }, { insta::assert_snapshot!("help", help.stdout) });
        for name in subcommands(&help.stdout) {
            commands.push(format!("{command} {name}"));
        }
    }
}

#[test]
fn a_mistyped_command_is_told_the_nearest() {
    snapshot!(Place::new().run("biuld"));
}

#[test]
fn bash_completes_commands_and_options() {
    if !has("bash") {
        return cannot("there is no bash");
    }
    let place = Place::new();
    place.write(
        "complete.bash",
        &place.run("completions bash").done().stdout,
    );
    let script = "
        source complete.bash
        COMP_WORDS=(parcelctl in); COMP_CWORD=1; _parcelctl parcelctl in parcelctl
        echo \"${COMPREPLY[@]}\"
        COMP_WORDS=(parcelctl repo ''); COMP_CWORD=2; _parcelctl parcelctl '' repo
        echo \"${COMPREPLY[@]}\"
        COMP_WORDS=(parcelctl build --lo); COMP_CWORD=2; _parcelctl parcelctl --lo build
        echo \"${COMPREPLY[@]}\"";
    let outcome = place.run_command(place.command("bash").args(["-c", script]));
    let lines = outcome.lines();
    assert!(lines[0].contains("init inspect install"), "{outcome}");
    assert!(lines[1].contains("index"), "{outcome}");
    assert_eq!(lines[2], "--locked --lock", "{outcome}");
}

#[test]
fn other_shells_get_completions_of_their_own() {
    let place = Place::new();
    let zsh = place.run("completions zsh").done().stdout;
    assert!(zsh.starts_with("#compdef parcelctl\n"));
    let fish = place.run("completions fish").done().stdout;
    assert!(fish.starts_with("# Print an optspec for argparse") || fish.contains("complete -c"));
    for script in [zsh, fish] {
        assert!(script.contains("validate") && script.contains("work-dir"));
    }
    snapshot!(place.run("completions tcsh"));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let place = Place::new();
    let page = place.run("man").done().stdout;
    assert!(page.contains(".TH parcelctl 1"), "{page}");
    assert!(page.contains("Exit status: 0 done"), "{page}");
    assert_eq!(place.run("man -o pages").done().stdout, "pages\n");
    let pages = place.names("pages");
    for command in ["", "-build", "-validate", "-repo-index", "-install"] {
        let page = format!("parcelctl{command}.1");
        assert!(pages.contains(&page), "{page} is not in {pages:?}");
    }
}
