//! What the tests share: trees made in code, tars made by hand, programs of the machine, children.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use parcel::archive::{self, WriteOptions};
use parcel::digest::Digests;
use parcel::listing::{ArchiveFacts, Listing, Observers, RawEntry, RawKind};
use parcel::progress::Silent;
use parcel::{Tree, TreeError};
use tempfile::TempDir;

/// The directory at the top of the trees that need no other.
pub(crate) const TOP: &str = "A-1.0";

/// A parcel's directory that is made in code, because git keeps neither modes nor empty
/// directories nor names that are not UTF-8.
pub(crate) struct TempTree {
    folder: TempDir,
    top: PathBuf,
}

impl TempTree {
    /// A directory with this name and nothing in it.
    pub(crate) fn empty(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join(name);
        fs_err::create_dir(&top).unwrap();
        Self { folder, top }
    }

    /// A directory with the metadata that a parcel must have.
    pub(crate) fn with_meta(name: &str) -> Self {
        let tree = Self::empty(name);
        tree.file("meta/parcel.json", parcel_json(name), 0o644)
            .file("meta/env.sh", "export X=1\n", 0o644);
        tree
    }

    pub(crate) fn path(&self) -> &Path {
        &self.top
    }

    /// The folder that holds the directory; room for what belongs to it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn at(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.top.join(Path::new(name.as_ref()))
    }

    fn room_for(&self, name: &OsStr) -> PathBuf {
        let path = self.at(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub(crate) fn file(
        &self,
        name: impl AsRef<OsStr>,
        content: impl AsRef<[u8]>,
        mode: u32,
    ) -> &Self {
        let path = self.room_for(name.as_ref());
        fs_err::write(&path, content).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub(crate) fn directory(&self, name: impl AsRef<OsStr>) -> &Self {
        fs_err::create_dir_all(self.room_for(name.as_ref())).unwrap();
        self
    }

    pub(crate) fn symlink(&self, name: impl AsRef<OsStr>, target: impl AsRef<OsStr>) -> &Self {
        symlink(target.as_ref(), self.room_for(name.as_ref())).unwrap();
        self
    }

    pub(crate) fn hard_link(&self, name: impl AsRef<OsStr>, file: impl AsRef<OsStr>) -> &Self {
        fs_err::hard_link(self.at(file.as_ref()), self.room_for(name.as_ref())).unwrap();
        self
    }

    pub(crate) fn listing(&self) -> Listing {
        list_directory(&self.top)
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::try_from(&self.listing()).unwrap()
    }

    /// The directory as the bytes of a parcel.
    pub(crate) fn pack(&self) -> (Vec<u8>, Digests) {
        archive::write(
            &self.tree(),
            &self.top,
            WriteOptions::default(),
            Vec::new(),
            &Silent,
        )
        .unwrap()
    }

    /// Writes the directory as a parcel beside it.
    pub(crate) fn parcel(&self) -> PathBuf {
        let path = self.folder().join(format!(
            "{}-el8.parcel",
            self.top.file_name().unwrap().to_str().unwrap()
        ));
        fs_err::write(&path, self.pack().0).unwrap();
        path
    }
}

/// The smallest valid `parcel.json` for a directory.
pub(crate) fn parcel_json(directory: &str) -> String {
    let (name, version) = directory.split_once('-').unwrap();
    format!(
        r#"{{"schema_version": 1, "name": "{name}", "version": "{version}", "setActiveSymlink": true,
"scripts": {{"defines": "env.sh"}}, "packages": [], "components": [], "users": {{}}, "groups": []}}"#
    )
}

/// A bit of everything that a parcel can hold and every archive format can express.
pub(crate) fn typical() -> TempTree {
    let tree = TempTree::with_meta(TOP);
    tree.file("bin/run", "#!/bin/sh\nexit 0\n", 0o755)
        .file("lib/empty", "", 0o644)
        .file("lib/block", vec![7; 512], 0o644)
        .file("lib/large", vec![b'x'; 100_000], 0o644)
        .file("share/a name with blanks", "x", 0o644)
        .directory("var/run/empty")
        .symlink("bin/alias", "run")
        .symlink("lib/up", "../bin/run")
        .symlink("etc", "/etc/a")
        .hard_link("lib/zz-second", "lib/block");
    tree
}

/// What only formats with long names can express.
pub(crate) fn long() -> TempTree {
    let tree = typical();
    let part = "p".repeat(60);
    let over_100 = format!("deep/{part}/{part}/file");
    let over_255 = format!("deep/{part}/{part}/{part}/{part}/{part}/file");
    tree.file(&over_100, "1", 0o755)
        .file(&over_255, "2", 0o644)
        .file("n".repeat(255), "3", 0o644)
        .file("caf\u{e9} \u{4f60}", "4", 0o644)
        .file(OsStr::from_bytes(b"latin-\xe9"), "5", 0o644)
        .file("line\nfeed", "6", 0o644)
        .symlink("to-long", &over_255)
        .hard_link("to-long-hard", &over_255);
    tree
}

pub(crate) fn list_directory(path: &Path) -> Listing {
    Listing::of_directory(path, &mut Observers::none(), &Silent).unwrap()
}

pub(crate) fn list_archive(path: &Path) -> Listing {
    Listing::of_archive(path, &mut Observers::none(), &Silent).unwrap()
}

/// Lists bytes as if they were a parcel's file.
pub(crate) fn list_bytes(bytes: &[u8]) -> Listing {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), bytes).unwrap();
    list_archive(file.path())
}

pub(crate) fn facts(listing: &Listing) -> &ArchiveFacts {
    listing.archive.as_ref().unwrap()
}

/// The tree of a parcel that is not damaged.
pub(crate) fn tree_of(path: &Path) -> Result<Tree, TreeError> {
    let listing = list_archive(path);
    assert_eq!(facts(&listing).damage, None);
    Tree::try_from(&listing)
}

/// Everything below a directory, for comparing before and after. Times of directories are left
/// out: making and removing something in one changes its time.
pub(crate) fn everything(path: &Path) -> Vec<(RawEntry, Vec<u8>)> {
    let mut entries = list_directory(path).entries;
    let folder = fs_err::canonicalize(path).unwrap();
    let folder = folder.parent().unwrap();
    for entry in &mut entries {
        if entry.kind == RawKind::Directory {
            entry.mtime = 0;
        }
    }
    let content = |entry: &RawEntry| match entry.kind {
        RawKind::File => fs_err::read(folder.join(OsStr::from_bytes(&entry.name))).unwrap(),
        _ => Vec::new(),
    };
    entries
        .into_iter()
        .map(|entry| {
            let content = content(&entry);
            (entry, content)
        })
        .collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar made by hand, header by header, so that it may be as wrong as it likes.
#[derive(Default, Clone)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

/// A size field that holds these eight bytes in base 256.
pub(crate) fn base_256(size: u64) -> [u8; 12] {
    let mut field = [0; 12];
    field[4..].copy_from_slice(&size.to_be_bytes());
    field[0] = if size > i64::MAX as u64 { 0xff } else { 0x80 };
    field
}

pub(crate) fn octal(size: u64) -> [u8; 12] {
    let mut field = [0; 12];
    field[..11].copy_from_slice(format!("{size:011o}").as_bytes());
    field
}

impl Tar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A top directory and the metadata that an installation needs.
    pub(crate) fn with_meta() -> Self {
        Self::new()
            .directory("A-1.0/")
            .file("A-1.0/meta/parcel.json", parcel_json(TOP).as_bytes())
    }

    pub(crate) fn header(mut self, name: &[u8], flag: u8, size: [u8; 12], link: &[u8]) -> Self {
        let mut block = [0; 512];
        block[..name.len()].copy_from_slice(name);
        block[100..107].copy_from_slice(b"0000755");
        block[108..115].copy_from_slice(b"0000000");
        block[116..123].copy_from_slice(b"0000000");
        block[124..136].copy_from_slice(&size);
        block[136..147].copy_from_slice(b"00000000000");
        block[156] = flag;
        block[157..157 + link.len()].copy_from_slice(link);
        block[257..265].copy_from_slice(b"ustar  \0");
        self.0.extend_from_slice(&sign(block));
        self
    }

    pub(crate) fn entry(self, name: &[u8], flag: u8, content: &[u8], link: &[u8]) -> Self {
        self.header(name, flag, octal(content.len() as u64), link)
            .content(content)
    }

    pub(crate) fn content(mut self, content: &[u8]) -> Self {
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name.as_bytes(), b'0', content, b"")
    }

    pub(crate) fn directory(self, name: &str) -> Self {
        self.entry(name.as_bytes(), b'5', b"", b"")
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(name.as_bytes(), b'2', b"", target.as_bytes())
    }

    pub(crate) fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(name.as_bytes(), b'1', b"", target.as_bytes())
    }

    pub(crate) fn device(self, name: &str, flag: u8) -> Self {
        self.entry(name.as_bytes(), flag, b"", b"")
    }

    /// A pax header for the next entry.
    pub(crate) fn pax(self, records: &[(&str, &str)]) -> Self {
        let text: String = records
            .iter()
            .map(|(key, value)| record(key, value))
            .collect();
        self.entry(b"PaxHeaders/x", b'x', text.as_bytes(), b"")
    }

    /// GNU's long name for the next entry.
    pub(crate) fn long_name(self, name: &[u8]) -> Self {
        self.entry(b"././@LongLink", b'L', &[name, b"\0"].concat(), b"")
    }

    /// GNU's long link text for the next entry.
    pub(crate) fn long_link(self, link: &[u8]) -> Self {
        self.entry(b"././@LongLink", b'K', &[link, b"\0"].concat(), b"")
    }

    /// The tar with its end.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }

    pub(crate) fn parcel(self) -> Vec<u8> {
        gzip(&self.end())
    }
}

/// Puts the checksum into a header.
pub(crate) fn sign(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

/// A pax record, whose length counts itself.
pub(crate) fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

/// Says aloud that a test is skipped; where nothing may be skipped, it fails instead.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that may be skipped"
)]
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
}

/// Whether the machine has these programs; a test without them is skipped.
pub(crate) fn has(programs: &[&str]) -> bool {
    for program in programs {
        let found = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !found.is_ok_and(|status| status.success()) {
            skip(&format!("there is no {program} on this machine"));
            return false;
        }
    }
    true
}

/// Runs a program that must succeed, and gives what it printed.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// What a child of [`child`] is told by.
const CHILD: &str = "PARCEL_TEST_CHILD";

/// A command that runs one ignored test of this binary in a process of its own.
pub(crate) fn child(test: &str, argument: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            test,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, argument);
    command
}

/// What [`child`] was given; `None` where the test was started by hand and has nothing to do.
#[expect(clippy::disallowed_methods, reason = "a child of a test is told by it")]
pub(crate) fn argument() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// Runs a child to its end and gives the most memory that it held, in KiB.
#[expect(clippy::print_stderr, reason = "a measurement, shown with --nocapture")]
pub(crate) fn most_memory_kib(test: &str, argument: &Path) -> u64 {
    let printed = run(&mut child(test, argument));
    let printed = String::from_utf8_lossy(&printed);
    let line = printed
        .lines()
        .find_map(|line| line.split_once("VmHWM:"))
        .unwrap_or_else(|| panic!("no VmHWM in {printed}"));
    let most = line.1.trim().trim_end_matches(" kB").parse().unwrap();
    eprintln!("{test}: at most {most} KiB");
    most
}

/// A child's last word: the most memory that it held.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn print_most_memory() {
    let status = fs_err::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    println!("\n{}", line.unwrap());
}
