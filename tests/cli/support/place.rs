//! A temporary folder with a home of its own, in which commands run.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Outcome, PARCELCTL, repository, run, variable};

/// A folder that nobody else knows; all of it goes when the test ends.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// Where nothing listens: whoever asks the network for something fails.
const NO_NETWORK: &str = "http://127.0.0.1:9";

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs_err::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// A place with the tiny channel, and a recipe for `hello` beside it.
    pub(crate) fn with_recipe() -> Self {
        let place = Self::new();
        place.copy(&repository("fixtures/channel"), "channel");
        place.write(
            "demo/parcel.toml",
            "\
[parcel]
name = \"DEMO\"
version = \"1.0\"
distros = [\"el8\"]
channels = [\"../channel\"]

[environments.base]
at = \".\"
spec = \"environment.yml\"
",
        );
        place.write("demo/environment.yml", "dependencies:\n  - hello\n");
        place
    }

    /// A path in this place.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.at(path)).unwrap()
    }

    /// Adds to the end of a file.
    pub(crate) fn append(&self, path: &str, text: &str) {
        self.write(path, &format!("{}{text}", self.read(path)));
    }

    /// Changes a text in a file, which must be there.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{text}");
        self.write(path, &text.replace(old, new));
    }

    /// Copies a file or folder into this place, as `cp -r` does.
    pub(crate) fn copy(&self, from: &Path, to: &str) {
        let to = self.at(to);
        fs_err::create_dir_all(to.parent().unwrap()).unwrap();
        let status = Command::new("cp").arg("-r").arg(from).arg(to).status();
        assert!(status.unwrap().success());
    }

    /// A command with this place as working directory and home, and nothing else of the
    /// environment that could change what it does.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", variable("PATH").unwrap())
            .env("HOME", self.at("home"))
            .env("XDG_CACHE_HOME", self.at("cache"))
            .env("HTTP_PROXY", NO_NETWORK)
            .env("HTTPS_PROXY", NO_NETWORK);
        command
    }

    /// `parcelctl` with arguments separated by spaces.
    pub(crate) fn parcelctl(&self, line: &str) -> Command {
        let mut command = self.command(PARCELCTL);
        command.args(line.split_whitespace());
        command
    }

    /// Runs `parcelctl` with arguments separated by spaces.
    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.run_command(&mut self.parcelctl(line))
    }

    /// Runs `parcelctl` in a folder of this place.
    pub(crate) fn run_in(&self, folder: &str, line: &str) -> Outcome {
        self.run_command(self.parcelctl(line).current_dir(self.at(folder)))
    }

    /// Runs a command to its end.
    pub(crate) fn run_command(&self, command: &mut Command) -> Outcome {
        let here = self.folder.path().to_str().unwrap().to_owned();
        let repository = repository("").to_str().unwrap().to_owned();
        run(
            command,
            vec![(here, "[HERE]"), (repository, "[REPOSITORY]/")],
        )
    }

    /// The names in a folder, sorted; none where there is no folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs_err::read_dir(self.at(folder)) else {
            return Vec::new();
        };
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A copy of the binary that everybody may run, wherever the tests were built.
    pub(crate) fn public_binary(&self) -> String {
        let copy = self.at("parcelctl");
        if !copy.exists() {
            fs_err::copy(PARCELCTL, &copy).unwrap();
        }
        copy.to_str().unwrap().to_owned()
    }
}
