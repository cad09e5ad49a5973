//! The twins that version control cannot keep: archives, modes, links, repositories of parcels.

use std::path::{Path, PathBuf};

use parcel::digest;
use tar::EntryType;

use super::archive::{Archive, FILE_NAME, PARCEL_JSON, gzip, header, save};
use super::program::Program;

/// Makes the bad or the good twin of a rule in a folder; `None` where it is kept as files.
pub(crate) fn make(code: &str, bad: bool, folder: &Path) -> Option<PathBuf> {
    let path = match code.as_bytes()[0] {
        b'C' => content(code, bad)?.save(folder),
        b'E' => entries(code, bad)?.save(folder),
        b'J' => return document(code, bad, folder),
        b'N' | b'P' => return names(code, bad, folder),
        b'R' => return repository(code, bad, folder),
        b'T' => save(folder, FILE_NAME, &bytes(code, bad)?),
        _ => return None,
    };
    Some(path)
}

fn content(code: &str, bad: bool) -> Option<Archive> {
    let mut program = Program {
        machine: 62,
        glibc: "2.28",
        run_path: "$ORIGIN/../lib:/usr/lib64:/opt/cloudera/parcels/DEMO-1.0/lib",
    };
    match (code, bad) {
        ("C104", true) => program.glibc = "2.34",
        ("C105", true) => program.machine = 183,
        ("C106", true) => program.run_path = "$ORIGIN/../../../lib",
        ("C104" | "C105" | "C106", false) => {}
        _ => return None,
    }
    Some(Archive::good().file("DEMO-1.0/bin/program", program.bytes()))
}

fn entries(code: &str, bad: bool) -> Option<Archive> {
    let good = Archive::good();
    let mode = |mode: u32| {
        good.clone()
            .entry("DEMO-1.0/bin/x", EntryType::Regular, mode, None, b"x")
    };
    let link = |target: &str| good.clone().symlink("DEMO-1.0/bin/link", target);
    let archive = match (code, bad) {
        ("E101", true) => good.file("/etc/cron.d/demo", "x"),
        ("E102", true) => good.file("DEMO-1.0/../../etc/passwd", "x"),
        ("E103", true) => good.file("./DEMO-1.0/bin/x", "x"),
        ("E104", true) => good.file("DEMO-1.0-evil/x", "x"),
        ("E105", true) => good.file("DEMO-1.0/bin/demo", "x"),
        ("E106", true) => link("../../../etc/passwd"),
        ("E107", true) => link("gone"),
        ("E108", true) => link("/etc/demo/conf"),
        ("E109", true) => link("link"),
        ("E110", true) => good.entry("DEMO-1.0/null", EntryType::Char, 0o644, None, b""),
        ("E111", true) => mode(0o4755),
        ("E112", true) => mode(0o646),
        ("E113", true) => mode(0o640),
        ("E114", true) => good.file(&format!("DEMO-1.0/{}/x", ["long"; 60].join("/")), "x"),
        ("E115", true) => good.file("DEMO-1.0/caf\u{e9}", "x"),
        ("E116", true) => good
            .symlink("DEMO-1.0/lib", "bin")
            .file("DEMO-1.0/lib/x", "x"),
        ("E117", true) => good.file("DEMO-1.0//bin/x", "x"),
        ("E118", true) => good.file("DEMO-1.0", "x"),
        ("E119", true) => good.hard_link("DEMO-1.0/bin/hard", "DEMO-1.0/bin/later"),
        ("E120", true) => good.file(&format!("DEMO-1.0/{}", "x".repeat(300)), "x"),
        ("E106" | "E107" | "E109", false) => link("demo"),
        ("E108", false) => link("../bin"),
        ("E111", false) => good
            .entry("DEMO-1.0/bin/x", EntryType::Regular, 0o4755, None, b"x")
            .file(
                "DEMO-1.0/meta/permissions.json",
                r#"{"bin/x": {"user": "root", "group": "root", "permissions": "4755"}}"#,
            ),
        ("E113", false) => good
            .entry("DEMO-1.0/bin/x", EntryType::Regular, 0o640, None, b"x")
            .file(
                "DEMO-1.0/meta/permissions.json",
                r#"{"bin/x": {"user": "root", "group": "root", "permissions": "0640"}}"#,
            ),
        ("E119", false) => good.hard_link("DEMO-1.0/bin/hard", "DEMO-1.0/bin/demo"),
        (_, false) => mode(0o644),
        _ => return None,
    };
    Some(archive)
}

fn document(code: &str, bad: bool, folder: &Path) -> Option<PathBuf> {
    let text = match (code, bad) {
        ("J106", true) => "[".repeat(100_000),
        ("J109", true) => format!("[{}0]", "0,".repeat(1_000_000)),
        ("J106" | "J109", false) => PARCEL_JSON.to_owned(),
        _ => return None,
    };
    Some(save(folder, "parcel.json", text.as_bytes()))
}

fn names(code: &str, bad: bool, folder: &Path) -> Option<PathBuf> {
    let parcel = Archive::good().gzip();
    let path = match (code, bad) {
        ("N101", true) => save(folder, "DEMO-1.0.parcel", &parcel),
        ("N102", true) => save(folder, "DEMO-1.0-EL8.parcel", &parcel),
        ("N101" | "N102", false) => save(folder, FILE_NAME, &parcel),
        ("P109", true) => Archive::good()
            .file("DEMO-1.0/meta/none.json", "{}")
            .symlink("DEMO-1.0/meta/permissions.json", "none.json")
            .save(folder),
        ("P109", false) => Archive::good()
            .file("DEMO-1.0/meta/permissions.json", "{}")
            .save(folder),
        _ => return None,
    };
    Some(path)
}

/// Bytes whose compressed form is not much smaller.
fn noise(count: u32) -> Vec<u8> {
    let mut state = 1u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u8::try_from(state >> 24).unwrap()
        })
        .collect()
}

fn bytes(code: &str, bad: bool) -> Option<Vec<u8>> {
    let large = Archive::good().file("DEMO-1.0/bin/noise", noise(100_000));
    let whole = large.gzip();
    if !bad {
        return Some(whole);
    }
    let bytes = match code {
        "T101" => large.tar(),
        "T102" => whole[..whole.len() / 2].to_vec(),
        "T103" => {
            let mut changed = whole;
            // In the checksum at the end, which nothing but the checksum can show.
            let at = changed.len() - 6;
            changed[at] ^= 1;
            changed
        }
        "T104" => {
            let tar = large.tar();
            let (first, second) = tar.split_at(tar.len() / 2);
            [gzip(first), gzip(second)].concat()
        }
        "T105" => [whole, b"signed by me".to_vec()].concat(),
        "T106" => {
            let mut tar = large.tar();
            tar.splice(tar.len() - 1024.., noise(2048));
            gzip(&tar)
        }
        "T107" => gzip(&[large.tar(), Archive::new().file("DEMO-1.0/more", "x").tar()].concat()),
        "T108" => Vec::new(),
        "T109" => Archive::new()
            .directory("DEMO-1.0/")
            .file("DEMO-1.0/first", "x")
            .file("DEMO-1.0/meta/parcel.json", PARCEL_JSON)
            .file("DEMO-1.0/meta/demo_env.sh", "")
            .gzip(),
        "T110" => bomb(300 << 20),
        _ => return None,
    };
    Some(bytes)
}

/// A good parcel with a file of so many zeros.
pub(crate) fn bomb(size_bytes: u64) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let good = Archive::good().tar();
    encoder.write_all(&good[..good.len() - 1024]).unwrap();
    let header = header("DEMO-1.0/zeros", EntryType::Regular, 0o644, size_bytes);
    encoder.write_all(header.as_bytes()).unwrap();
    let mut zeros = std::io::repeat(0).take(size_bytes.next_multiple_of(512) + 1024);
    std::io::copy(&mut zeros, &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn manifest(hash: &str, version: &str, last: &str) -> String {
    format!(
        r#"{{"lastUpdated": 1700000000000, "parcels": [{{"parcelName": "{FILE_NAME}", "hash": "{hash}",
        "components": [{{"name": "DEMO", "version": "{version}"}}]}}{last}]}}"#
    )
}

/// A repository of one parcel with all its side files; the bad ones differ in one of them.
fn repository(code: &str, bad: bool, folder: &Path) -> Option<PathBuf> {
    if !code.starts_with("R2") {
        return None;
    }
    let parcel = Archive::good().gzip();
    let digests = digest::of_reader(parcel.as_slice()).unwrap();
    let (sha1, sha256) = (digests.sha1.to_string(), digests.sha256.to_string());
    let other = "0".repeat(40);
    let mut listed = manifest(&sha1, "1.0", "");
    let mut sha = format!("{sha1}\n");
    if bad {
        match code {
            "R202" => {
                let entry = format!(
                    r#", {{"parcelName": "GONE-1.0-el8.parcel", "hash": "{other}", "components": []}}"#
                );
                listed = manifest(&sha1, "1.0", &entry);
            }
            "R204" => listed = manifest(&other, "1.0", ""),
            "R205" => sha = format!("{other}\n"),
            "R206" => sha = format!("{sha256}\n"),
            "R207" => listed = manifest(&sha1, "0.9", ""),
            _ => {}
        }
    }
    save(folder, FILE_NAME, &parcel);
    save(folder, &format!("{FILE_NAME}.sha"), sha.as_bytes());
    let line = format!("{sha256}  {FILE_NAME}\n");
    save(folder, &format!("{FILE_NAME}.sha256"), line.as_bytes());
    if !bad || code != "R201" {
        save(folder, "manifest.json", listed.as_bytes());
    }
    match (code, bad) {
        ("R203", true) => {
            save(folder, "DEMO-1.0-el9.parcel", &parcel);
        }
        ("R208", true) => {
            save(folder, "GONE-1.0-el8.parcel.sha", sha.as_bytes());
        }
        ("R209", true) => {
            let cut = &parcel[..parcel.len() / 2];
            save(folder, FILE_NAME, cut);
            let digests = digest::of_reader(cut).unwrap();
            let listed = manifest(&digests.sha1.to_string(), "1.0", "");
            save(folder, "manifest.json", listed.as_bytes());
            save(
                folder,
                &format!("{FILE_NAME}.sha"),
                digests.sha1.to_string().as_bytes(),
            );
            save(
                folder,
                &format!("{FILE_NAME}.sha256"),
                digests.sha256.to_string().as_bytes(),
            );
        }
        _ => {}
    }
    Some(folder.to_owned())
}
