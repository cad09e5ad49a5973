//! Content that does not fit into memory, and sizes that do not fit into a header's digits.

use std::path::Path;
use std::process::Command;

use parcel::Tree;
use parcel::archive::{self, Damage, Level, WriteOptions};
use parcel::install::Installer;
use parcel::progress::Silent;

use crate::support::{
    TempTree, argument, facts, has, list_archive, list_bytes, list_directory, most_memory_kib,
    print_most_memory, run,
};

/// A file of zeros that takes no room on most disks.
fn zeros(path: &Path, size_bytes: u64) {
    let file = fs_err::File::create(path).unwrap();
    file.into_parts().0.set_len(size_bytes).unwrap();
}

fn fast() -> WriteOptions {
    WriteOptions {
        level: Level::new(1).unwrap(),
        ..WriteOptions::default()
    }
}

fn write(tree: &Tree, directory: &Path, parcel: &Path) {
    let out = fs_err::File::create(parcel).unwrap();
    archive::write(tree, directory, fast(), out, &Silent).unwrap();
}

/// Takes as much of a parcel as it holds, then fails as a full disk does.
#[derive(Debug)]
struct First(Vec<u8>);

impl std::io::Write for First {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() > 4096 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Prints the entries of the beginning of a parcel.
const PYTHON_FIRST: &str = r"
import sys, tarfile
tar = tarfile.open(sys.argv[1], 'r|gz')
entry = tar.next()
while entry.name != 'A-1.0/big':
    entry = tar.next()
print(entry.size)
";

/// The rest of the file is left out: eight gibibytes take minutes in a debug build. That as much
/// is read back is shown by `hostile::ten_gibibytes_of_zeros_take_no_memory`.
#[test]
fn the_size_of_a_file_past_eight_gibibytes_is_written_as_others_read_it() {
    const SIZE_BYTES: u64 = (8 << 30) + 12_345;
    let tree = TempTree::with_meta("A-1.0");
    zeros(&tree.at("big"), SIZE_BYTES);
    let mut first = First(Vec::new());
    let error = archive::write(&tree.tree(), tree.path(), fast(), &mut first, &Silent).unwrap_err();
    assert!(matches!(error, archive::WriteError::Write(_)), "{error}");
    let listing = list_bytes(&first.0);
    assert!(matches!(
        facts(&listing).damage,
        Some(Damage::Truncated { .. })
    ));
    let big = listing
        .entries
        .iter()
        .find(|entry| entry.name == b"A-1.0/big");
    assert_eq!(big.unwrap().size_bytes, SIZE_BYTES);
    if has(&["python3"]) {
        let path = tree.folder().join("first.parcel");
        fs_err::write(&path, &first.0).unwrap();
        let printed = run(Command::new("python3")
            .args(["-c", PYTHON_FIRST])
            .arg(&path));
        assert_eq!(
            String::from_utf8(printed).unwrap().trim(),
            SIZE_BYTES.to_string()
        );
    }
}

#[test]
#[ignore = "a child of other tests"]
fn child_builds_reads_and_installs() {
    let Some(folder) = argument() else { return };
    let directory = folder.join("A-1.0");
    let tree = Tree::try_from(&list_directory(&directory)).unwrap();
    let parcel = folder.join("A-1.0-el8.parcel");
    write(&tree, &directory, &parcel);
    assert_eq!(Tree::try_from(&list_archive(&parcel)).unwrap(), tree);
    let root = folder.join("root");
    fs_err::create_dir(&root).unwrap();
    Installer::new(&root).install(&parcel, &Silent).unwrap();
    print_most_memory();
}

#[test]
fn memory_does_not_grow_with_the_bytes_of_a_parcel() {
    let tree = TempTree::with_meta("A-1.0");
    tree.directory("data");
    for count in 0..16 {
        zeros(&tree.at(format!("data/{count}")), 64 << 20);
    }
    let memory = most_memory_kib("large::child_builds_reads_and_installs", tree.folder());
    assert!(memory < 64 * 1024, "{memory} KiB");
}
