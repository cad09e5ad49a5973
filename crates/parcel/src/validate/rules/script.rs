//! S1xx: the defines script, which Cloudera Manager sources for every process that uses the parcel.

use crate::validate::context::Context;
use crate::validate::rule::{Findings, rules};
use crate::validate::shell::{self, Command};

rules! {
    /// The defines script exits.
    ///
    /// ## What it checks
    /// That the script does not run `exit`, other than in a subshell.
    ///
    /// ## Why it matters
    /// It is sourced, not executed: `exit` ends the shell that is about to start the service, so the
    /// service does not start, with the script's exit code and no message.
    ///
    /// ## Example
    /// `[ -d "$PARCELS_ROOT" ] || exit 2`
    ///
    /// ## How to fix
    /// Use `return`.
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel defines script"; a public parcel that exits with 2 when the
    /// parcels lie elsewhere.
    "S101" "script-exits" Warning [ParcelJson] => exits;

    /// The defines script changes the shell's options.
    ///
    /// ## What it checks
    /// That the script does not `set` the options `-e` (errexit), `-u` (nounset), `-f`, `-n` or
    /// `pipefail`.
    ///
    /// ## Why it matters
    /// The options stay set in Cloudera Manager's own scripts, which were not written for them: the
    /// first command that fails, or the first variable that is not set, ends the start of a service.
    ///
    /// ## Example
    /// `set -euo pipefail`
    ///
    /// ## How to fix
    /// Delete the line, or put what needs it into `( )`.
    ///
    /// ## Source
    /// The text of Cloudera Manager's `cloudera-config.sh`, which sources the script in a function.
    "S102" "script-sets-options" Warning [ParcelJson] => sets_options;

    /// The defines script has line ends of Windows.
    ///
    /// ## What it checks
    /// That no line ends in a carriage return.
    ///
    /// ## Why it matters
    /// Bash takes the carriage return for part of the value: every path that is exported ends in one
    /// and leads nowhere.
    ///
    /// ## Example
    /// A script edited on Windows, or checked out with `core.autocrlf`.
    ///
    /// ## How to fix
    /// `sed -i 's/\r$//' meta/SCRIPT`
    ///
    /// ## Source
    /// `bash(1)`.
    "S103" "script-crlf" Warning [ParcelJson] => crlf;

    /// The defines script prints.
    ///
    /// ## What it checks
    /// That no `echo`, `printf` or `cat` at the top level writes to standard output.
    ///
    /// ## Why it matters
    /// Cloudera Manager reads the output of some processes it starts, for instance to learn a
    /// version or a class path. A greeting becomes part of it.
    ///
    /// ## Example
    /// `echo "Loading ANALYTICS"`
    ///
    /// ## How to fix
    /// Delete the line, or write to standard error: `echo "..." >&2`.
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel defines script".
    "S104" "script-prints" Warning [ParcelJson] => prints;

    /// The defines script names the parcel's directory with its version.
    ///
    /// ## What it checks
    /// That `NAME-VERSION` stands in the script only as the default for `PARCEL_DIRNAME`.
    ///
    /// ## Why it matters
    /// The next version ships the same script, which then leads to the old directory, or to none
    /// once that is removed.
    ///
    /// ## Example
    /// `export ANALYTICS_HOME=$PARCELS_ROOT/ANALYTICS-1.0`
    ///
    /// ## How to fix
    /// `DIR=${PARCEL_DIRNAME:-"ANALYTICS-1.0"}` and `$PARCELS_ROOT/$DIR`
    ///
    /// ## Source
    /// The scripts of Cloudera's own parcels; Cloudera Manager sets `PARCEL_DIRNAME`.
    "S105" "script-hard-codes-version" Warning [ParcelJson] => hard_codes;

    /// The defines script takes PARCEL_DIRNAMES for one name.
    ///
    /// ## What it checks
    /// That `PARCEL_DIRNAMES` is not used as part of a path.
    ///
    /// ## Why it matters
    /// It is a list with colons, of all parcels that the process uses. It looks like one name as long
    /// as there is one parcel; the second one breaks the first. The name of this parcel is in
    /// `PARCEL_DIRNAME`, without S.
    ///
    /// ## Example
    /// `export PATH=$PARCELS_ROOT/$PARCEL_DIRNAMES/bin:$PATH`
    ///
    /// ## How to fix
    /// `$PARCELS_ROOT/$PARCEL_DIRNAME/bin`
    ///
    /// ## Source
    /// The text of Cloudera Manager's `cloudera-config.sh`; snippets in public threads.
    "S106" "parcel-dirnames-as-name" Warning [ParcelJson] => dirnames;
}

/// The script: its path in the parcel and its text.
fn script(context: &Context<'_>) -> Option<(String, String)> {
    let defines = context.parcel_json()?.get("scripts")?.get("defines")?;
    let name = defines.text()?;
    let bytes = context.texts?.content(&name)?;
    let text = String::from_utf8_lossy(bytes).into_owned();
    Some((format!("meta/{name}"), text))
}

/// Reports the commands of the script that are wrong.
fn each_command(
    context: &Context<'_>,
    found: &mut Findings<'_>,
    hint: &str,
    judge: impl Fn(&Command) -> Option<String>,
) {
    let Some((file, text)) = script(context) else {
        return;
    };
    let lines: Vec<&str> = text.lines().collect();
    for command in shell::commands(&text) {
        if let Some(message) = judge(&command) {
            let line = lines.get(command.line - 1).copied().unwrap_or_default();
            found
                .report(message)
                .in_line(&file, command.line, line)
                .hint(hint);
        }
    }
}

fn exits(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "use return; the script is sourced by the shell that starts the service";
    each_command(context, found, hint, |command| {
        (command.words[0] == "exit").then(|| "the script runs exit".to_owned())
    });
}

/// Options of `set` that change how other scripts run.
fn harmful_option(words: &[String]) -> Option<&str> {
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if word == "-o" {
            let option = words.next()?;
            if ["errexit", "nounset", "pipefail", "noglob", "noexec"].contains(&option.as_str()) {
                return Some(option);
            }
        } else if let Some(letters) = word.strip_prefix('-') {
            if word == "--" {
                return None;
            }
            if letters.contains(['e', 'u', 'f', 'n']) {
                return Some(word);
            }
        }
    }
    None
}

fn sets_options(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "delete the line; the option would stay set in Cloudera Manager's own scripts";
    each_command(context, found, hint, |command| {
        if command.words[0] != "set" {
            return None;
        }
        let option = harmful_option(&command.words)?;
        Some(format!("the script sets the shell option {option}"))
    });
}

fn crlf(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some((file, text)) = script(context) else {
        return;
    };
    let line = text
        .split('\n')
        .enumerate()
        .find(|(_, line)| line.ends_with('\r'));
    if let Some((number, line)) = line {
        found
            .report("a line ends in a carriage return")
            .in_line(&file, number + 1, line)
            .hint(format!("sed -i 's/\\r$//' {file}"));
    }
}

fn prints(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "delete the line, or write to standard error with >&2";
    each_command(context, found, hint, |command| {
        let word = command.words[0].as_str();
        let prints = matches!(word, "echo" | "printf" | "cat");
        (prints && !command.redirected && !command.in_function)
            .then(|| format!("the script prints with {word}"))
    });
}

/// The lines of the script that are not comments.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with('#'))
}

fn hard_codes(context: &Context<'_>, found: &mut Findings<'_>) {
    let (Some((file, text)), Some(document)) = (script(context), context.parcel_json()) else {
        return;
    };
    let (Some(name), Some(version)) = (document.text("name"), document.text("version")) else {
        return;
    };
    let directory = format!("{name}-{version}");
    for (number, line) in code_lines(&text) {
        if line.contains(&directory) && !line.contains("PARCEL_DIRNAME") {
            found
                .report(format!("the script names the directory {directory}"))
                .in_line(&file, number + 1, line)
                .hint(format!("use ${{PARCEL_DIRNAME:-\"{directory}\"}}"));
        }
    }
}

/// Whether a line uses the list as part of a path, or as if it had one default.
fn takes_list_for_name(line: &str) -> bool {
    const LIST: &str = "PARCEL_DIRNAMES";
    line.match_indices(LIST).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + LIST.len()..]);
        let braced = before.ends_with("${");
        let before = before
            .strip_suffix("${")
            .or_else(|| before.strip_suffix('$'));
        let Some(before) = before else { return false };
        let after = if braced {
            if after.starts_with(":-") || after.starts_with('-') {
                return true;
            }
            let Some(after) = after.strip_prefix('}') else {
                return false;
            };
            after
        } else {
            after
        };
        let unquoted = after.trim_start_matches('"');
        before.trim_end_matches('"').ends_with('/') || unquoted.starts_with('/')
    })
}

fn dirnames(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some((file, text)) = script(context) else {
        return;
    };
    for (number, line) in code_lines(&text) {
        if takes_list_for_name(line) {
            found
                .report("PARCEL_DIRNAMES is a list, not a name")
                .in_line(&file, number + 1, line)
                .hint("use PARCEL_DIRNAME");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_list_from_a_name() {
        for line in [
            "X=$PARCELS_ROOT/$PARCEL_DIRNAMES/bin",
            "X=\"$PARCELS_ROOT/${PARCEL_DIRNAMES}\"",
            "D=${PARCEL_DIRNAMES:-\"A-1.0\"}",
        ] {
            assert!(takes_list_for_name(line), "{line}");
        }
        for line in [
            "IFS=: read -ra DIRS <<< \"$PARCEL_DIRNAMES\"",
            "for d in ${PARCEL_DIRNAMES//:/ }; do",
            "X=$PARCELS_ROOT/$PARCEL_DIRNAME",
        ] {
            assert!(!takes_list_for_name(line), "{line}");
        }
    }

    #[test]
    fn knows_which_options_do_harm() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(harmful_option(&words("set -euo pipefail")), Some("-euo"));
        assert_eq!(harmful_option(&words("set -o pipefail")), Some("pipefail"));
        assert_eq!(harmful_option(&words("set -x")), None);
        assert_eq!(harmful_option(&words("set -- -e")), None);
        assert_eq!(harmful_option(&words("set +e")), None);
    }
}
