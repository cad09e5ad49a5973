//! Looks at the content of every file while it passes: scripts, programs, paths of the machine that
//! built it.

use memchr::memmem::Finder;

use super::elf::{self, Elf, Parts};
use super::{Observer, RawEntry, display_bytes};

/// The first line of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shebang {
    /// The whole name of the file.
    pub name: Vec<u8>,
    /// The line with its `#!` and without its line feed, cut to a few hundred bytes.
    pub line: Vec<u8>,
}

/// A path of the build that was left in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathLeft {
    /// The whole name of the file.
    pub name: Vec<u8>,
    /// How many bytes into the file it stands.
    pub offset: u64,
    /// The path, for people.
    pub text: String,
    /// Whether it is the place that a conda package keeps for the prefix.
    pub placeholder: bool,
}

/// What the content of files showed.
#[derive(Default)]
pub struct Scan {
    /// Scripts that may be executed.
    pub shebangs: Vec<Shebang>,
    /// Programs and libraries, by their whole name.
    pub elves: Vec<(Vec<u8>, Elf)>,
    /// Paths of the build, the first of each kind in a file.
    pub paths_left: Vec<PathLeft>,
    /// How many places the elves look for libraries in, together.
    run_paths: usize,
    finders: Option<Finders>,
    current: Current,
}

/// Texts that conda packages hold where their prefix will be. Whoever installs the package writes
/// the prefix over them; one that is left means that nobody did.
const PLACEHOLDERS: [&[u8]; 2] = [
    b"_placehold_placehold",
    b"/opt/anaconda1anaconda2anaconda3/",
];

/// Where builds happen. A path below one of these that leads to the parcel's own directory is a
/// path of the machine that built it.
const BUILD_ROOTS: [&[u8]; 14] = [
    b"/Users/",
    b"/build/",
    b"/builds/",
    b"/data/jenkins/",
    b"/github/",
    b"/home/",
    b"/media/",
    b"/mnt/",
    b"/private/",
    b"/root/",
    b"/tmp/",
    b"/var/lib/jenkins/",
    b"/var/tmp/",
    b"/workspace/",
];

/// A shebang is kept up to here; the longest that any kernel reads is 255.
const SHEBANG_BYTES: usize = 512;
/// As much of the front and of the end of an ELF file is held.
const ELF_PART_BYTES: u64 = 8 * 1024 * 1024;
/// The dynamic section of a program with thousands of libraries is under a few pages.
const DYNAMIC_BYTES: u64 = 64 * 1024;
/// The program headers of every linker lie in the first page.
const FRONT_BYTES: usize = 4096;
/// What is kept of a chunk, so that a path across two is seen whole.
const OVERLAP_BYTES: usize = 512;

/// More files of one kind than this are not told apart any more, so that a hostile archive of
/// millions of tiny scripts does not fill the memory.
const MOST_KEPT: usize = 100_000;
/// The places where all programs of a parcel look for libraries are kept up to here: each may be as
/// long as a path, which [`MOST_KEPT`] alone would let fill the memory.
const MOST_RUN_PATHS: usize = 10_000;
/// The longest path that Linux takes; what leads further back is no path.
const MOST_PATH_BYTES: usize = 4096;

/// Searches for the paths.
struct Finders {
    placeholders: [Finder<'static>; 2],
    /// `/NAME-VERSION`, as the first entry gives it.
    own: Finder<'static>,
    own_bytes: usize,
}

/// The file that passes.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the file"
)]
#[derive(Default)]
struct Current {
    name: Vec<u8>,
    size_bytes: u64,
    executable: bool,
    searched: bool,
    /// How many bytes have passed.
    position: u64,
    front: Vec<u8>,
    is_elf: bool,
    dynamic: Option<(u64, u64)>,
    dynamic_part: Vec<u8>,
    end_part: Vec<u8>,
    window: Vec<u8>,
    window_start: u64,
    placeholder_met: bool,
    path_met: bool,
}

impl Scan {
    /// Searches what is held; `last` is whether nothing follows it.
    fn search(&mut self, last: bool) {
        let Some(finders) = &self.finders else { return };
        let current = &mut self.current;
        if !current.placeholder_met {
            let found = finders
                .placeholders
                .iter()
                .find_map(|finder| finder.find(&current.window));
            if let Some(at) = found {
                current.placeholder_met = true;
                self.paths_left.push(PathLeft {
                    name: current.name.clone(),
                    offset: current.window_start + at as u64,
                    text: path_around(&current.window, path_start(&current.window, at), at + 48),
                    placeholder: true,
                });
            }
        }
        if current.path_met {
            return;
        }
        // Where the run of path bytes began that the last hit lies in, and where that hit was: what
        // lies before a hit is looked at once, however many hits one run has.
        let (mut run, mut seen) = (0, 0);
        for at in finders.own.find_iter(&current.window) {
            if let Some(last) = current.window[seen..at]
                .iter()
                .rposition(|&byte| !is_path_byte(byte))
            {
                run = seen + last + 1;
            }
            seen = at;
            let after = current.window.get(at + finders.own_bytes);
            // What follows decides whether it is our name or the start of a longer one; at the end
            // of what is held it is looked at again with the next chunk.
            let ends = after.map_or(last, |&byte| !is_path_byte(byte) || byte == b'/');
            if !ends {
                continue;
            }
            // The hit begins with the slash that ends the directory before it. A run that does not
            // begin with a slash matches no root: $ROOT/NAME-VERSION is no absolute path.
            let parent = &current.window[run..=at];
            if parent.len() <= MOST_PATH_BYTES
                && BUILD_ROOTS.iter().any(|root| parent.starts_with(root))
            {
                current.path_met = true;
                self.paths_left.push(PathLeft {
                    name: current.name.clone(),
                    offset: current.window_start + run as u64,
                    text: path_around(&current.window, run, at + finders.own_bytes),
                    placeholder: false,
                });
                return;
            }
        }
    }

    /// Takes the bytes that an ELF reader will ask for.
    fn hold(&mut self, bytes: &[u8]) {
        let current = &mut self.current;
        let start = current.position;
        let room = |part: &Vec<u8>, most: u64| {
            usize::try_from(most.saturating_sub(part.len() as u64)).unwrap_or(usize::MAX)
        };
        if current.is_elf || current.front.len() < FRONT_BYTES {
            let most = if current.is_elf {
                ELF_PART_BYTES
            } else {
                FRONT_BYTES as u64
            };
            let take = room(&current.front, most).min(bytes.len());
            current.front.extend_from_slice(&bytes[..take]);
            if !current.is_elf && current.front.starts_with(elf::MAGIC) {
                current.is_elf = true;
                // The first chunk may have been cut to a page.
                let rest = room(&current.front, ELF_PART_BYTES).min(bytes.len() - take);
                current.front.extend_from_slice(&bytes[take..take + rest]);
            }
        }
        if !current.is_elf {
            return;
        }
        if current.dynamic.is_none() && current.front.len() >= FRONT_BYTES {
            let front = &current.front[..FRONT_BYTES];
            current.dynamic = Some(elf::dynamic_section(front).unwrap_or_default());
        }
        let (from, size) = current.dynamic.unwrap_or_default();
        let wanted = from..from.saturating_add(size.min(DYNAMIC_BYTES));
        current
            .dynamic_part
            .extend_from_slice(overlap(bytes, start, &wanted));
        let end_start = current.size_bytes.saturating_sub(ELF_PART_BYTES);
        let wanted = end_start.max(ELF_PART_BYTES)..current.size_bytes;
        current
            .end_part
            .extend_from_slice(overlap(bytes, start, &wanted));
    }

    fn end_elf(&mut self) {
        let current = &mut self.current;
        let mut parts = Parts::default();
        parts.push(0, std::mem::take(&mut current.front));
        let end_start = current.size_bytes.saturating_sub(ELF_PART_BYTES);
        parts.push(
            end_start.max(ELF_PART_BYTES),
            std::mem::take(&mut current.end_part),
        );
        if let Some((from, _)) = current.dynamic {
            parts.push(from, std::mem::take(&mut current.dynamic_part));
        }
        if self.elves.len() >= MOST_KEPT {
            return;
        }
        if let Some(mut elf) = elf::read(&parts) {
            elf.run_paths.truncate(MOST_RUN_PATHS - self.run_paths);
            self.run_paths += elf.run_paths.len();
            self.elves.push((current.name.clone(), elf));
        }
    }
}

/// The part of a chunk that lies in a range of the file.
fn overlap<'b>(bytes: &'b [u8], start: u64, wanted: &std::ops::Range<u64>) -> &'b [u8] {
    let at = |offset: u64| {
        let within = offset.saturating_sub(start);
        usize::try_from(within)
            .unwrap_or(usize::MAX)
            .min(bytes.len())
    };
    let (from, to) = (at(wanted.start), at(wanted.end));
    if from < to { &bytes[from..to] } else { &[] }
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._+~@-".contains(&byte)
}

/// Where the absolute path begins that leads to a place; the place itself where what stands before
/// it is not one.
fn path_start(window: &[u8], at: usize) -> usize {
    let first = at.saturating_sub(MOST_PATH_BYTES);
    let start = window[first..at]
        .iter()
        .rposition(|&byte| !is_path_byte(byte))
        .map_or(first, |last| first + last + 1);
    if window[start..at].starts_with(b"/") {
        start
    } else {
        at
    }
}

/// The path that begins at a place and goes on for a while after another, for people.
fn path_around(window: &[u8], start: usize, end: usize) -> String {
    let end = end.min(window.len());
    let after = window[end..]
        .iter()
        .take(60)
        .take_while(|&&byte| is_path_byte(byte))
        .count();
    let whole = display_bytes(&window[start..end + after]);
    match whole.char_indices().nth(120) {
        Some((cut, _)) => format!("{}…", &whole[..cut]),
        None => whole,
    }
}

/// Whether the file keeps placeholders on purpose: conda's own records of what it wrote over.
fn is_conda_record(name: &[u8]) -> bool {
    memchr::memmem::find(name, b"/conda-meta/").is_some()
}

impl Observer for Scan {
    fn begin(&mut self, entry: &RawEntry) -> bool {
        if self.finders.is_none() {
            let top = entry
                .name
                .split(|&byte| byte == b'/')
                .find(|part| *part != b".");
            let own = [b"/", top.unwrap_or_default()].concat();
            self.finders = Some(Finders {
                placeholders: PLACEHOLDERS.map(|text| Finder::new(text).into_owned()),
                own_bytes: own.len(),
                own: Finder::new(&own).into_owned(),
            });
        }
        let mut window = std::mem::take(&mut self.current.window);
        window.clear();
        self.current = Current {
            name: entry.name.clone(),
            size_bytes: entry.size_bytes,
            executable: entry.mode & 0o111 != 0,
            searched: !is_conda_record(&entry.name) && self.paths_left.len() < MOST_KEPT,
            window,
            ..Current::default()
        };
        true
    }

    fn chunk(&mut self, bytes: &[u8]) {
        self.hold(bytes);
        // One finding of each kind is all that is told of a file.
        let done = self.current.placeholder_met && self.current.path_met;
        if self.current.searched && !done {
            self.current.window.extend_from_slice(bytes);
            self.search(false);
            let current = &mut self.current;
            let drop = current.window.len().saturating_sub(OVERLAP_BYTES);
            current.window.drain(..drop);
            current.window_start += drop as u64;
        }
        self.current.position += bytes.len() as u64;
    }

    fn end(&mut self) {
        if self.current.searched {
            self.search(true);
        }
        if self.current.is_elf {
            self.end_elf();
            return;
        }
        let current = &self.current;
        let kept = self.shebangs.len() < MOST_KEPT;
        if kept && current.executable && current.front.starts_with(b"#!") {
            let end = memchr::memchr(b'\n', &current.front).unwrap_or(current.front.len());
            self.shebangs.push(Shebang {
                name: current.name.clone(),
                line: current.front[..end.min(SHEBANG_BYTES)].to_vec(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::RawKind;

    fn scan(content: &[u8], chunk_bytes: usize) -> Scan {
        let mut scan = Scan::default();
        let entry = RawEntry {
            name: b"A-1.0/bin/x".to_vec(),
            kind: RawKind::File,
            mode: 0o755,
            size_bytes: content.len() as u64,
            link: None,
            mtime: 0,
        };
        assert!(scan.begin(&entry));
        for chunk in content.chunks(chunk_bytes) {
            scan.chunk(chunk);
        }
        scan.end();
        scan
    }

    #[test]
    fn sees_paths_of_the_build_wherever_the_chunks_are_cut() {
        let content = b"PREFIX=/home/me/stage/A-1.0/lib\n";
        for chunk_bytes in 1..content.len() {
            let left = scan(content, chunk_bytes).paths_left;
            assert_eq!(left.len(), 1, "{chunk_bytes}");
            assert_eq!(left[0].offset, 7, "{chunk_bytes}");
        }
        let left = scan(content, 1000).paths_left;
        assert_eq!(left[0].text, "/home/me/stage/A-1.0/lib");
    }

    #[test]
    fn leaves_paths_of_hosts_alone() {
        for content in [
            &b"/opt/cloudera/parcels/A-1.0/bin"[..],
            b"$PARCELS_ROOT/A-1.0/bin",
            b"${ROOT}/A-1.0",
            b"/data/parcels/A-1.0/bin",
            b"/home/me/A-1.0.1/bin",
            b"https://example.org/home/A-1.0",
        ] {
            assert_eq!(
                scan(content, 7).paths_left,
                [],
                "{}",
                display_bytes(content)
            );
        }
    }

    #[test]
    fn many_names_in_one_run_take_no_longer_than_one() {
        let content = b"/A-1.0".repeat(200_000);
        let started = std::time::Instant::now();
        assert_eq!(scan(&content, 1 << 20).paths_left, []);
        // Seconds even on a slow machine; what looked back from each would take hours.
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }

    #[test]
    fn a_later_name_of_a_run_has_the_place_where_the_run_begins() {
        let content = b"x /A-1.0x:/tmp/A-1.0x/A-1.0/lib /tmp/A-1.0";
        let left = scan(content, 1000).paths_left;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].offset, 10);
        assert_eq!(left[0].text, "/tmp/A-1.0x/A-1.0/lib");
    }

    #[test]
    fn places_of_libraries_are_counted_over_all_programs() {
        let program = elf::tests::program(&["/lib"; 40].join(":"), &[]);
        let mut scan = Scan::default();
        for _ in 0..MOST_RUN_PATHS / 16 + 10 {
            let entry = RawEntry {
                name: b"A-1.0/bin/x".to_vec(),
                kind: RawKind::File,
                mode: 0o755,
                size_bytes: program.len() as u64,
                link: None,
                mtime: 0,
            };
            assert!(scan.begin(&entry));
            scan.chunk(&program);
            scan.end();
        }
        let kept: usize = scan.elves.iter().map(|(_, elf)| elf.run_paths.len()).sum();
        assert_eq!(kept, MOST_RUN_PATHS);
    }

    #[test]
    fn sees_places_that_conda_did_not_fill() {
        let content = b"#!/build/_h_env_placehold_placehold_placehold/bin/python\n";
        let scan = scan(content, 1000);
        assert!(scan.paths_left[0].placeholder);
        assert_eq!(scan.shebangs[0].line, content[..content.len() - 1]);
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn reads_a_program_in_pieces() {
        let content = fs_err::read(std::env::current_exe().unwrap()).unwrap();
        let scan = scan(&content, 100_000);
        assert_eq!(scan.elves.len(), 1);
        assert!(scan.elves[0].1.glibc.is_some());
    }
}
