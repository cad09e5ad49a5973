//! Reads what matters of an ELF file: the machine, the symbol versions it needs, where it looks for
//! libraries.
//!
//! Own code rather than a crate, because the file is a stream of which only parts are held: the
//! front, the end and the dynamic section. What lies in a part that was not held is not known,
//! which is no finding. Every number comes from a stranger, so nothing here trusts one.

/// What is known of a program or library.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Elf {
    /// `e_machine`: 62 is x86-64, 183 is `AArch64`.
    pub machine: u16,
    /// The newest version of the C library that it needs.
    pub glibc: Option<GlibcNeed>,
    /// Where it looks for libraries: `DT_RUNPATH` or `DT_RPATH`, split at colons; the first few.
    pub run_paths: Vec<String>,
}

/// A version of the C library that a program needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlibcNeed {
    /// As `major.minor`: `2.34`.
    pub version: String,
    /// A symbol that needs it, where one could be found.
    pub symbol: Option<String>,
}

/// The first bytes of every ELF file.
pub(crate) const MAGIC: &[u8] = b"\x7fELF";

/// Parts of a file, each with the offset at which it begins.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    parts: Vec<(u64, Vec<u8>)>,
}

impl Parts {
    pub(crate) fn push(&mut self, start: u64, bytes: Vec<u8>) {
        self.parts.push((start, bytes));
    }

    fn get(&self, offset: u64, length: usize) -> Option<&[u8]> {
        self.parts.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            bytes.get(from..from.checked_add(length)?)
        })
    }

    /// The text from an offset to the next NUL, where that comes before so many bytes.
    fn text(&self, offset: u64, most_bytes: usize) -> Option<&[u8]> {
        self.parts.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            let rest = bytes.get(from..)?;
            let rest = &rest[..rest.len().min(most_bytes)];
            let end = memchr::memchr(0, rest)?;
            Some(&rest[..end])
        })
    }
}

/// The longest path that Linux takes.
const MOST_PATH_BYTES: usize = 4096;
/// More places to look for libraries than any program has.
const MOST_RUN_PATHS: usize = 16;
/// `GLIBC_2.34` and its like are a third as long.
const MOST_VERSION_BYTES: usize = 32;
/// The names that a C library exports are far shorter.
const MOST_SYMBOL_BYTES: usize = 256;
/// A program needs a few dozen versions. The records of a hostile one may lie over each other, so
/// that the size of the file does not limit them.
const MOST_VERSION_RECORDS: u32 = 4096;

/// How numbers are stored.
#[derive(Clone, Copy)]
struct Layout {
    wide: bool,
    big: bool,
}

impl Layout {
    fn number(self, bytes: &[u8]) -> u64 {
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.big {
            bytes.iter().fold(0, fold)
        } else {
            bytes.iter().rev().fold(0, fold)
        }
    }

    fn address_bytes(self) -> usize {
        if self.wide { 8 } else { 4 }
    }
}

/// One program header.
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size_bytes: u64,
}

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;

struct Reader<'p> {
    parts: &'p Parts,
    layout: Layout,
    segments: Vec<Segment>,
}

/// Where the dynamic section lies, once the front of the file is known: offset and size.
pub(crate) fn dynamic_section(front: &[u8]) -> Option<(u64, u64)> {
    let mut parts = Parts::default();
    parts.push(0, front.to_vec());
    let (reader, _) = Reader::new(&parts)?;
    let dynamic = reader.segments.iter().find(|s| s.kind == PT_DYNAMIC)?;
    Some((dynamic.offset, dynamic.size_bytes))
}

/// Reads an ELF file from the parts of it that are held; `None` where it is not one.
pub(crate) fn read(parts: &Parts) -> Option<Elf> {
    let (reader, machine) = Reader::new(parts)?;
    let mut elf = Elf {
        machine,
        ..Elf::default()
    };
    if let Some(dynamic) = reader.dynamic() {
        elf.run_paths = reader.run_paths(&dynamic);
        elf.glibc = reader.glibc(&dynamic);
    }
    Some(elf)
}

/// The entries of the dynamic section that matter.
#[derive(Default)]
struct Dynamic {
    strings: Option<u64>,
    symbols: Option<u64>,
    versions: Option<u64>,
    needs: Option<u64>,
    needs_count: u64,
    run_path: Option<u64>,
    r_path: Option<u64>,
}

impl<'p> Reader<'p> {
    fn new(parts: &'p Parts) -> Option<(Self, u16)> {
        let ident = parts.get(0, 16)?;
        if !ident.starts_with(MAGIC) {
            return None;
        }
        let layout = Layout {
            wide: ident[4] == 2,
            big: ident[5] == 2,
        };
        let header = parts.get(0, if layout.wide { 64 } else { 52 })?;
        let field = |wide: usize, narrow: usize, bytes: usize| {
            let at = if layout.wide { wide } else { narrow };
            layout.number(&header[at..at + bytes])
        };
        let machine = u16::try_from(layout.number(&header[18..20])).ok()?;
        let table = field(32, 28, layout.address_bytes());
        let entry_bytes = usize::try_from(field(54, 42, 2)).ok()?;
        // More than any linker makes; keeps a hostile header from costing time.
        let count = field(56, 44, 2).min(256);
        let mut segments = Vec::new();
        for index in 0..count {
            let at = table.checked_add(index.checked_mul(entry_bytes as u64)?)?;
            let Some(entry) = parts.get(at, if layout.wide { 56 } else { 32 }) else {
                break;
            };
            let word = |wide: usize, narrow: usize| {
                let at = if layout.wide { wide } else { narrow };
                layout.number(&entry[at..at + layout.address_bytes()])
            };
            segments.push(Segment {
                kind: u32::try_from(layout.number(&entry[..4])).unwrap_or(0),
                offset: word(8, 4),
                address: word(16, 8),
                size_bytes: word(32, 16),
            });
        }
        let reader = Self {
            parts,
            layout,
            segments,
        };
        Some((reader, machine))
    }

    /// The offset in the file of what will lie at an address.
    fn offset(&self, address: u64) -> Option<u64> {
        self.segments
            .iter()
            .filter(|segment| segment.kind == PT_LOAD)
            .find_map(|segment| {
                let within = address.checked_sub(segment.address)?;
                (within < segment.size_bytes).then(|| segment.offset.checked_add(within))?
            })
    }

    fn number(&self, offset: u64, bytes: usize) -> Option<u64> {
        Some(self.layout.number(self.parts.get(offset, bytes)?))
    }

    /// The number so many bytes after an offset.
    fn field(&self, offset: u64, after: u64, bytes: usize) -> Option<u64> {
        self.number(offset.checked_add(after)?, bytes)
    }

    fn dynamic(&self) -> Option<Dynamic> {
        let segment = self.segments.iter().find(|s| s.kind == PT_DYNAMIC)?;
        let width = self.layout.address_bytes();
        let mut dynamic = Dynamic::default();
        let count = (segment.size_bytes / (2 * width as u64)).min(4096);
        for index in 0..count {
            let at = segment.offset.checked_add(index * 2 * width as u64)?;
            let Some(tag) = self.number(at, width) else {
                break;
            };
            let value = self.field(at, width as u64, width)?;
            match tag {
                0 => break,
                5 => dynamic.strings = Some(value),
                6 => dynamic.symbols = Some(value),
                15 => dynamic.r_path = Some(value),
                29 => dynamic.run_path = Some(value),
                0x6fff_fff0 => dynamic.versions = Some(value),
                0x6fff_fffe => dynamic.needs = Some(value),
                0x6fff_ffff => dynamic.needs_count = value,
                _ => {}
            }
        }
        // Once, at the end: the same tag may come thousands of times.
        for place in [
            &mut dynamic.strings,
            &mut dynamic.symbols,
            &mut dynamic.versions,
            &mut dynamic.needs,
        ] {
            *place = place.and_then(|address| self.offset(address));
        }
        Some(dynamic)
    }

    fn string(&self, dynamic: &Dynamic, at: u64, most_bytes: usize) -> Option<&[u8]> {
        self.parts
            .text(dynamic.strings?.checked_add(at)?, most_bytes)
    }

    fn run_paths(&self, dynamic: &Dynamic) -> Vec<String> {
        // The newer entry wins where both are there.
        let text = dynamic
            .run_path
            .or(dynamic.r_path)
            .and_then(|at| self.string(dynamic, at, MOST_PATH_BYTES));
        text.unwrap_or_default()
            .split(|&byte| byte == b':')
            .filter(|path| !path.is_empty())
            .take(MOST_RUN_PATHS)
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect()
    }

    fn glibc(&self, dynamic: &Dynamic) -> Option<GlibcNeed> {
        let mut newest: Option<((u32, u32), &str, u64)> = None;
        let mut left = MOST_VERSION_RECORDS;
        let mut at = dynamic.needs?;
        'files: for _ in 0..dynamic.needs_count.min(1024) {
            let (count, aux, next) = (
                self.field(at, 2, 2)?,
                self.field(at, 8, 4)?,
                self.field(at, 12, 4)?,
            );
            let mut aux_at = at.checked_add(aux)?;
            for _ in 0..count {
                if left == 0 {
                    break 'files;
                }
                left -= 1;
                let index = self.field(aux_at, 6, 2)?;
                // A longer name is another library's.
                let name = self.string(dynamic, self.field(aux_at, 8, 4)?, MOST_VERSION_BYTES);
                if let Some(version) = name.and_then(|name| name.strip_prefix(b"GLIBC_"))
                    && let Ok(version) = std::str::from_utf8(version)
                    && let Some(key) = parse_version(version)
                    && newest.is_none_or(|(old, _, _)| key > old)
                {
                    newest = Some((key, version, index));
                }
                let step = self.field(aux_at, 12, 4)?;
                if step == 0 {
                    break;
                }
                aux_at = aux_at.checked_add(step)?;
            }
            if next == 0 {
                break;
            }
            at = at.checked_add(next)?;
        }
        let (_, version, index) = newest?;
        Some(GlibcNeed {
            version: version.to_owned(),
            symbol: self.symbol_of(dynamic, index),
        })
    }

    /// The first symbol that is bound to a needed version. Undefined symbols come first in the
    /// table, so the search is short.
    fn symbol_of(&self, dynamic: &Dynamic, version: u64) -> Option<String> {
        let (symbols, versions) = (dynamic.symbols?, dynamic.versions?);
        let entry_bytes = if self.layout.wide { 24 } else { 16 };
        for index in 1..100_000 {
            let bound = self.number(versions.checked_add(2 * index)?, 2)?;
            if bound & 0x7fff == version {
                let at = symbols.checked_add(entry_bytes * index)?;
                let name = self.string(dynamic, self.number(at, 4)?, MOST_SYMBOL_BYTES)?;
                return Some(String::from_utf8_lossy(name).into_owned());
            }
        }
        None
    }
}

/// A version as numbers: `2.34` or `2.3.4`, of which the third does not matter to anyone.
pub(crate) fn parse_version(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The first bytes of the strings of [`program`].
    const STRINGS: usize = 512;

    /// A program of one page that looks for libraries in a path and has more dynamic entries than
    /// that. Its addresses are its offsets.
    pub(in crate::listing) fn program(run_path: &str, dynamic: &[(u64, u64)]) -> Vec<u8> {
        let mut bytes = vec![0; 8192];
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        let mut put = |at: usize, number: u64, length: usize| {
            bytes[at..at + length].copy_from_slice(&number.to_le_bytes()[..length]);
        };
        put(18, 62, 2);
        put(32, 64, 8);
        put(54, 56, 2);
        put(56, 3, 2);
        // Kind, offset, address, size. What is loaded last lies where no file reaches.
        let segments = [
            [u64::from(PT_LOAD), 0, 0, 8192],
            [u64::from(PT_DYNAMIC), 256, 256, 256],
            [u64::from(PT_LOAD), u64::MAX, 1 << 20, 1],
        ];
        for (index, [kind, offset, address, size]) in segments.into_iter().enumerate() {
            let at = 64 + 56 * index;
            put(at, kind, 4);
            put(at + 8, offset, 8);
            put(at + 16, address, 8);
            put(at + 32, size, 8);
        }
        let own = [(5, STRINGS as u64), (29, 1)];
        for (index, (tag, value)) in own.iter().chain(dynamic).enumerate() {
            put(256 + 16 * index, *tag, 8);
            put(264 + 16 * index, *value, 8);
        }
        bytes[STRINGS + 1..][..run_path.len()].copy_from_slice(run_path.as_bytes());
        bytes
    }

    fn read_whole(bytes: Vec<u8>) -> Elf {
        let mut parts = Parts::default();
        parts.push(0, bytes);
        read(&parts).unwrap()
    }

    #[test]
    fn an_offset_at_the_end_of_all_numbers_is_not_known() {
        let needs = [(0x6fff_fffe, 1 << 20), (0x6fff_ffff, 1)];
        let elf = read_whole(program("/lib", &needs));
        assert_eq!(elf.run_paths, ["/lib"]);
        assert_eq!(elf.glibc, None);
    }

    #[test]
    fn keeps_the_first_few_places_of_libraries() {
        let elf = read_whole(program(&["/lib"; 400].join(":"), &[]));
        assert_eq!(elf.run_paths, ["/lib"; MOST_RUN_PATHS]);
    }

    #[test]
    fn records_that_lie_over_each_other_are_read_up_to_a_limit() {
        // Each of these is both the record of a library and that of a version, so that every library
        // has the versions of all that follow. Only the last has one of its own.
        let of = |records: usize| {
            let needs = [(0x6fff_fffe, 4096), (0x6fff_ffff, 1024)];
            let mut bytes = program(&format!("{}GLIBC_2.34", "/".repeat(15)), &needs);
            bytes[STRINGS + 100..][..10].copy_from_slice(b"GLIBC_2.99");
            for record in bytes[4096..].chunks_mut(16).take(records) {
                record.copy_from_slice(&[0, 0, 255, 255, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0]);
            }
            bytes[4096 + 16 * (records - 1) + 12] = 0;
            bytes[4096 + 16 * records + 8] = 100;
            read_whole(bytes).glibc.unwrap().version
        };
        assert_eq!(of(10), "2.99");
        assert_eq!(of(200), "2.34");
    }

    #[test]
    fn a_version_too_long_to_be_one_is_left_out() {
        let needs = [(0x6fff_fffe, 4096), (0x6fff_ffff, 1)];
        let long = format!("GLIBC_2.34.{}", "1".repeat(100));
        let mut bytes = program(&long, &needs);
        bytes[4096 + 2] = 1;
        bytes[4096 + 8] = 16;
        bytes[4112 + 8] = 1;
        assert_eq!(read_whole(bytes).glibc, None);
    }

    /// The program that runs this test is an ELF file with a C library.
    fn own_program() -> Vec<u8> {
        let path = std::env::current_exe().unwrap();
        fs_err::read(path).unwrap()
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn reads_a_real_program() {
        let bytes = own_program();
        let (offset, size) = dynamic_section(&bytes[..4096]).unwrap();
        assert!(offset > 0 && size > 0);
        let mut parts = Parts::default();
        parts.push(0, bytes);
        let elf = read(&parts).unwrap();
        let need = elf.glibc.unwrap();
        assert!(parse_version(&need.version).unwrap() >= (2, 2), "{need:?}");
        assert!(need.symbol.is_some_and(|symbol| !symbol.is_empty()));
    }

    #[test]
    fn what_is_not_held_is_not_known() {
        let bytes = own_program();
        let mut parts = Parts::default();
        parts.push(0, bytes[..4096].to_vec());
        assert!(read(&parts).is_some());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut whole = b"\x7fELF\x02\x01\x01".to_vec();
            whole.extend(bytes);
            let mut parts = Parts::default();
            parts.push(0, whole);
            let _ = read(&parts);
        }

        #[test]
        fn no_changed_byte_makes_it_panic(at in 0usize..4096, byte: u8) {
            let mut bytes = own_program();
            bytes.truncate(1 << 20);
            bytes[at] = byte;
            let mut parts = Parts::default();
            parts.push(0, bytes);
            let _ = read(&parts);
        }
    }
}
