//! The whole story over real packages: CPython twice, numpy, pandas and a Jupyter kernel become a
//! parcel, the parcel is installed to `/`, and somebody without rights works with it.
//!
//! One test, because each build takes a while: the parts share two builds and one installation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::determinism::Circumstances;
use crate::support::{
    Outcome, Place, assert_same, cannot, has, is_root, not_me, real_channel, repository,
};

const PARCELS: &str = "/opt/cloudera/parcels";
const DIRECTORY: &str = "/opt/cloudera/parcels/PYTHON_DS-2026.11";
const PARCEL: &str = "PYTHON_DS-2026.11-jammy.parcel";

/// The environments: where they are, and what their notebooks import.
const ENVIRONMENTS: [(&str, &str); 3] = [
    ("", "ssl, sqlite3, ctypes, lzma, bz2, pip"),
    (
        "/envs/py311",
        "numpy, pandas, ssl, sqlite3, ctypes, lzma, bz2, ipykernel",
    ),
    (
        "/envs/py313",
        "numpy, pandas, ssl, sqlite3, ctypes, lzma, bz2, ipykernel",
    ),
];

/// What the issue allows a build to use.
const MEMORY_LIMIT_KIB: u64 = 300 * 1024;

/// The most memory that a process has used so far.
fn peak_memory_kib(process: &Child) -> Option<u64> {
    let status = fs_err::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Builds the recipe from a folder of this place; returns the parcel, and the most memory that the
/// build has used.
fn build(place: &Place, channel: &Path, circumstances: &Circumstances) -> (PathBuf, u64) {
    place.copy(&repository("parcels/python-ds"), "python-ds");
    let line = format!(
        "build python-ds --channel {} -o out --offline",
        channel.display()
    );
    let mut command = circumstances.parcelctl(place, &line);
    let mut build = command
        .stdout(Stdio::null())
        .stderr(
            fs_err::File::create(place.at("talk"))
                .unwrap()
                .into_parts()
                .0,
        )
        .spawn()
        .unwrap();
    let mut peak = 0;
    while build.try_wait().unwrap().is_none() {
        peak = peak.max(peak_memory_kib(&build).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(build.wait().unwrap().success(), "{}", place.read("talk"));
    (place.at("out").join(PARCEL), peak)
}

/// The parcel in `/`; what of it was not there before goes again.
struct Installation {
    made: Vec<PathBuf>,
}

impl Installation {
    /// `None`, said aloud, where this machine has such a parcel already.
    fn begin() -> Option<Self> {
        let named =
            |entry: &fs_err::DirEntry| entry.file_name().to_string_lossy().starts_with("PYTHON_DS");
        let mut there = fs_err::read_dir(PARCELS).into_iter().flatten();
        if there.any(|entry| named(&entry.unwrap())) {
            cannot(&format!("{PARCELS} holds a PYTHON_DS already"));
            return None;
        }
        let receipts = format!("{PARCELS}/.parcelctl");
        let ours = [
            format!("{PARCELS}/PYTHON_DS"),
            DIRECTORY.to_owned(),
            format!("{receipts}/PYTHON_DS-2026.11.json"),
        ];
        let shared = [
            receipts,
            PARCELS.into(),
            "/opt/cloudera".into(),
            "/opt".into(),
        ];
        let made = ours.into_iter().chain(shared).map(PathBuf::from);
        Some(Self {
            made: made.filter(|path| !path.exists()).collect(),
        })
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        for path in &self.made {
            let _ = match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() && path.starts_with(DIRECTORY) => {
                    fs_err::remove_dir_all(path)
                }
                // Folders that others have put something into stay.
                Ok(metadata) if metadata.is_dir() => fs_err::remove_dir(path),
                _ => fs_err::remove_file(path),
            };
        }
    }
}

/// Runs a program of the installed parcel as somebody who owns nothing, in a home that they may
/// write to.
fn as_nobody(place: &Place, program: &str, arguments: &[&str]) -> Outcome {
    let mut command = place.command("env");
    command
        .args(not_me())
        .arg(format!("{DIRECTORY}{program}"))
        .args(arguments);
    command
        .env("HOME", place.at("nobody"))
        .current_dir(place.at("nobody"));
    place.run_command(&mut command)
}

/// Names, times and sizes of all that is installed.
fn installed_files() -> BTreeSet<String> {
    let mut find = Command::new("find");
    find.args([DIRECTORY, "-printf", "%P %y %s %T@ %m %u\\n"]);
    let output = find.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn real_packages_become_a_parcel_that_runs() {
    let Some(channel) = real_channel() else {
        return;
    };
    if !has("taskset") || !has("python3") {
        return cannot("there is no taskset or no python3");
    }
    let place = Place::new();
    let (first, peak) = build(&place, &channel, &Circumstances::default());
    assert!(peak > 0, "the memory of the build was not seen");
    assert!(peak < MEMORY_LIMIT_KIB, "the build used {peak} KiB");
    {
        let other = Place::new();
        // As far as can be from the first; the cache is the first one's, and warm.
        fs_err::rename(place.at("cache"), other.at("cache")).unwrap();
        let circumstances = Circumstances {
            umask: "077",
            variables: vec![
                ("TZ", "Asia/Kolkata"),
                ("LC_ALL", "tr_TR.UTF-8"),
                ("PYTHONHASHSEED", "7"),
            ],
            one_core: true,
        };
        let (second, _) = build(&other, &channel, &circumstances);
        assert_same(&first, &second);
    }
    fs_err::remove_dir_all(place.at("python-ds")).unwrap();
    assert_eq!(
        place.names("cache"),
        [""; 0],
        "no stage and no cache is left"
    );

    peers_agree(&place);
    if !is_root() {
        return cannot("only root can install to /");
    }
    let Some(_installation) = Installation::begin() else {
        return;
    };
    place.run(&format!("install out/{PARCEL} --root /")).done();
    no_build_path_is_left(&place, &channel);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs_err::create_dir(place.at("nobody")).unwrap();
    fs_err::set_permissions(place.at("nobody"), open).unwrap();
    let before = installed_files();
    interpreters_run_from_where_they_are(&place);
    nothing_is_compiled_again(&place);
    programs_run(&place);
    a_kernel_runs(&place);
    environments_are_protected(&place);
    let after = installed_files();
    let changed: Vec<_> = before.symmetric_difference(&after).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

/// GNU tar, Python and the checksum programs read what `inspect` and the side files say.
fn peers_agree(place: &Place) {
    let parcel = format!("out/{PARCEL}");
    let inspected = place
        .run(&format!("inspect {parcel} --format json"))
        .done()
        .json();
    let run = |program: &str, arguments: &[&str]| {
        place
            .run_command(place.command(program).args(arguments))
            .done()
    };
    let entries = inspected["entries"].as_u64().unwrap();
    let names = run("tar", &["-tzf", &parcel]);
    assert_eq!(names.lines().len() as u64, entries);
    let python = "import sys, tarfile
files = tarfile.open(sys.argv[1], 'r|gz')
count = size = 0
for entry in files:
    assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, '', ''), entry.name
    assert entry.isdir() or entry.isfile() or entry.issym(), entry.name
    count += 1
    size += entry.size
print(count, size)";
    let counted = run("python3", &["-c", python, &parcel]);
    assert_eq!(
        counted.stdout,
        format!("{entries} {}\n", inspected["unpacked_bytes"])
    );
    for (program, key, ending) in [
        ("sha1sum", "sha1", "sha"),
        ("sha256sum", "sha256", "sha256"),
    ] {
        let sum = run(program, &[&parcel]).stdout;
        let sum = sum.split_whitespace().next().unwrap();
        assert_eq!(inspected[key], sum);
        assert_eq!(
            place.read(&format!("{parcel}.{ending}")),
            format!("{sum}\n")
        );
    }
    place.run("repo index out").done();
    let manifest: serde_json::Value =
        serde_json::from_str(&place.read("out/manifest.json")).unwrap();
    let entry = &manifest["parcels"][0];
    assert_eq!(entry["parcelName"], PARCEL);
    assert_eq!(entry["hash"], inspected["sha1"]);
    assert_eq!(entry["components"], inspected["components"]);
    assert_eq!(manifest["parcels"].as_array().unwrap().len(), 1);
    let validated = place.run(&format!("validate {parcel}")).done();
    assert!(!validated.stdout.contains("error["), "{validated}");
}

/// Searches every installed file for the places that the build had and the cluster has not.
fn no_build_path_is_left(place: &Place, channel: &Path) {
    let channel = channel.to_str().unwrap();
    // conda's records say what the placeholder of a file was, as conda writes them.
    let records = "--exclude-dir=conda-meta";
    let here = place.at("");
    for (needle, but) in [
        (here.to_str().unwrap(), "-r"),
        (channel, "-r"),
        ("parcelctl-", "-r"),
        ("_placehold_", records),
    ] {
        let mut grep = place.command("grep");
        let found = place.run_command(grep.args(["-rlFa", but, needle, DIRECTORY]));
        assert_eq!(found.code, Some(1), "{needle} is in\n{found}");
    }
}

fn interpreters_run_from_where_they_are(place: &Place) {
    for (at, modules) in ENVIRONMENTS {
        let script = format!("import sys, {modules}; print(sys.prefix); print(sys.executable)");
        let outcome = as_nobody(place, &format!("{at}/bin/python"), &["-c", &script]).done();
        let prefix = format!("{DIRECTORY}{at}");
        assert_eq!(
            outcome.lines(),
            [prefix.clone(), format!("{prefix}/bin/python")]
        );
    }
    let script = "import numpy, pandas
frame = pandas.DataFrame({'a': numpy.arange(4)})
assert frame.a.sum() == 6";
    for at in ["/envs/py311", "/envs/py313"] {
        as_nobody(place, &format!("{at}/bin/python"), &["-c", script]).done();
    }
}

/// A parcel belongs to root: what is not compiled is compiled again by every process, for ever.
fn nothing_is_compiled_again(place: &Place) {
    for (at, modules) in ENVIRONMENTS {
        let program = format!("{at}/bin/python");
        let outcome =
            as_nobody(place, &program, &["-v", "-c", &format!("import {modules}")]).done();
        let compiled: Vec<_> = outcome
            .stderr
            .lines()
            .filter(|line| is_compilation(line))
            .collect();
        assert_eq!(compiled, [""; 0], "{at}");
        let loaded = outcome
            .stderr
            .lines()
            .filter(|line| line.contains(".pyc matches "))
            .count();
        assert!(loaded > 20, "{at}: only {loaded} modules came from .pyc");
        // Root could write them, which is how stale ones would show: the caller compares.
        let mut root = place.command(&format!("{DIRECTORY}{program}"));
        place
            .run_command(root.args(["-c", &format!("import {modules}")]))
            .done();
    }
}

/// Whether a line of `python -v` says that a module was compiled from its source.
fn is_compilation(line: &str) -> bool {
    // The last is `'/a/b.py'` where a source was compiled, `'/a/b.pyc'` where it was not.
    line.starts_with("# wrote ")
        || line.starts_with("# could not create ")
        || (line.starts_with("# code object from ") && line.ends_with(".py'"))
}

fn programs_run(place: &Place) {
    for (program, says) in [
        ("/bin/pip", "pip 26"),
        ("/envs/py311/bin/ipython", "9."),
        ("/envs/py313/bin/ipython", "9."),
        ("/envs/py311/bin/jupyter-kernel", "8."),
        ("/envs/py313/bin/jupyter-kernelspec", "8."),
        ("/envs/py313/bin/numpy-config", "2."),
    ] {
        let outcome = as_nobody(place, program, &["--version"]).done();
        assert!(outcome.stdout.starts_with(says), "{outcome}");
    }
}

/// A notebook's kernel starts, and runs a cell.
fn a_kernel_runs(place: &Place) {
    let script = "
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name='python3')
reply = client.execute_interactive('import pandas, sys; print(sys.prefix)', timeout=60)
assert reply['content']['status'] == 'ok', reply
client.stop_channels()
manager.shutdown_kernel(now=True)
";
    for at in ["/envs/py311", "/envs/py313"] {
        let outcome = as_nobody(place, &format!("{at}/bin/python"), &["-c", script]).done();
        assert_eq!(outcome.lines(), [format!("{DIRECTORY}{at}")]);
    }
}

/// pip and conda see that they must not change an environment, and what is in it.
fn environments_are_protected(place: &Place) {
    let pip = format!("{DIRECTORY}/bin/pip");
    let mut command = place.command(&pip);
    let refused = place.run_command(command.args(["install", "--no-index", "anything"]));
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(
        refused.stderr.contains("externally-managed-environment"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("part of a Cloudera parcel"),
        "{refused}"
    );
    for (at, _) in ENVIRONMENTS {
        let script = "import glob, json, sys
records = [json.load(open(name)) for name in glob.glob(sys.prefix + '/conda-meta/*.json')]
assert all(record['name'] and record['files'] for record in records)
open(sys.prefix + '/conda-meta/frozen').read()
print(len(records))";
        let outcome = as_nobody(place, &format!("{at}/bin/python"), &["-c", script]).done();
        assert!(
            outcome.stdout.trim().parse::<u32>().unwrap() >= 2,
            "{outcome}"
        );
    }
}
