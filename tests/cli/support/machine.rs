//! What this machine has, and what is done where it lacks something.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::repository;

/// A variable of the environment that the tests were started in.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where tests read the environment"
)]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Says aloud that a test cannot run here; in CI, where all must run, it fails.
#[expect(clippy::print_stderr, reason = "a test that may be skipped")]
pub(crate) fn cannot(reason: &str) {
    assert!(variable("CI").is_none(), "cannot run here: {reason}");
    eprintln!("skipped: {reason}");
}

/// Whether a program can be started; it is called with `--version`.
pub(crate) fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

/// The arguments before a command that run it as somebody who owns nothing: none where that is us.
pub(crate) fn not_me() -> Vec<&'static str> {
    if is_root() {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
        [&["setpriv"], &nobody[..]].concat()
    } else {
        vec!["env"]
    }
}

/// The channel of real packages; `None`, said aloud, when it is not on this machine.
pub(crate) fn real_channel() -> Option<PathBuf> {
    let given = variable("PARCELCTL_REAL_CHANNEL").map(PathBuf::from);
    let channel = given.unwrap_or_else(|| repository("target/real-channel"));
    if channel.join("noarch/repodata.json").is_file() {
        return Some(fs_err::canonicalize(channel).unwrap());
    }
    let path = channel.display();
    cannot(&format!(
        "there is no real channel at {path}; just real-channel makes it"
    ));
    None
}
