//! T1xx: the compressed archive around the entries. T is for tar.

use crate::archive::Damage;
use crate::listing::{ArchiveFacts, RawKind};
use crate::validate::context::Context;
use crate::validate::rule::{Findings, rules};

rules! {
    /// The file is not gzip.
    ///
    /// ## What it checks
    /// That the file begins as a gzip file does, whatever it is called.
    ///
    /// ## Why it matters
    /// Agents and Cloudera's validator unpack gzip only: xz, bzip2, zstd and a bare tar fail on every
    /// host. A file that begins with `<` is the error page of a web server.
    ///
    /// ## Example
    /// `tar cJf ANALYTICS-1.0-el8.parcel ANALYTICS-1.0`
    ///
    /// ## How to fix
    /// `tar czf ...`, or `parcelctl build --tree ANALYTICS-1.0 --distro el8`.
    ///
    /// ## Source
    /// Cloudera's validator: "Parcel is not compressed with gzip", then "Corrupted TAR archive".
    "T101" "not-gzip" Error [] => not_gzip;

    /// The file is cut off.
    ///
    /// ## What it checks
    /// That the archive can be read to its end.
    ///
    /// ## Why it matters
    /// A download or a copy stopped half-way, or the disk was full. What is missing is missing on
    /// every host.
    ///
    /// ## Example
    /// A parcel of 300 MB of which 200 MB arrived.
    ///
    /// ## How to fix
    /// Copy or build it again, and compare the checksum with that of the source.
    ///
    /// ## Source
    /// Cloudera's validator: `java.io.EOFException`.
    "T102" "truncated" Error [] => truncated;

    /// The compressed data is damaged.
    ///
    /// ## What it checks
    /// That the data can be unpacked and matches the checksum that gzip keeps of it.
    ///
    /// ## Why it matters
    /// A bit changed on the way or on the disk. Agents refuse the file, or unpack rubbish.
    ///
    /// ## Example
    /// A parcel that went through a transfer in text mode.
    ///
    /// ## How to fix
    /// Copy or build it again.
    ///
    /// ## Source
    /// Cloudera's validator: "Gzip-compressed data is corrupt (CRC32 error)".
    "T103" "corrupt-data" Error [] => corrupt;

    /// The archive lies in several gzip members.
    ///
    /// ## What it checks
    /// That one gzip member holds all data. Empty members are fine.
    ///
    /// ## Why it matters
    /// Cloudera's reader stops after the first member and calls the rest a truncated archive, though
    /// GNU tar and Python read all of them.
    ///
    /// ## Example
    /// An archive written by a compressor that works in parallel blocks (`bgzip`), or
    /// `cat part1.gz part2.gz`.
    ///
    /// ## How to fix
    /// Compress with `gzip` or `pigz`, which write one member; or `gunzip -c X | gzip > Y`.
    ///
    /// ## Source
    /// Experiments with Cloudera's validator: "Truncated TAR archive".
    "T104" "several-members" Error [] => several_members;

    /// Bytes that are not gzip follow the archive.
    ///
    /// ## What it checks
    /// That the file ends where the gzip data ends.
    ///
    /// ## Why it matters
    /// Readers ignore them, GNU tar with a warning and an exit code of its own; but they are in the
    /// checksum, so two parcels of the same content have different ones.
    ///
    /// ## Example
    /// A signature or a line end appended to the file.
    ///
    /// ## How to fix
    /// Build the parcel again; keep signatures in files beside it.
    ///
    /// ## Source
    /// RFC 1952; `gzip`: "decompression OK, trailing garbage ignored".
    "T105" "trailing-bytes" Warning [] => trailing_bytes;

    /// The data is not a tar archive.
    ///
    /// ## What it checks
    /// That each entry begins with a tar header whose checksum is right, and that no name or header
    /// is larger than any real one.
    ///
    /// ## Why it matters
    /// No reader gets past the place; what follows is lost.
    ///
    /// ## Example
    /// A zip file compressed with gzip and renamed.
    ///
    /// ## How to fix
    /// Build the parcel again with `tar` or `parcelctl`.
    ///
    /// ## Source
    /// POSIX `ustar`; GNU tar: "This does not look like a tar archive".
    "T106" "not-tar" Error [] => not_tar;

    /// Data follows the end of the archive.
    ///
    /// ## What it checks
    /// That only zeros, and not many, follow the block that ends a tar.
    ///
    /// ## Why it matters
    /// Readers stop at the end, so whatever follows is not installed; it makes the parcel larger and
    /// may be a second archive that was meant to be part of it.
    ///
    /// ## Example
    /// `cat a.tar b.tar | gzip > X.parcel`
    ///
    /// ## How to fix
    /// Put everything into one archive: `tar czf X.parcel NAME-VERSION`.
    ///
    /// ## Source
    /// POSIX `ustar`; GNU tar needs `--ignore-zeros` to see it.
    "T107" "data-after-end" Warning [] => after_end;

    /// The file is empty.
    ///
    /// ## What it checks
    /// That there is anything in the file, and any entry in the archive.
    ///
    /// ## Why it matters
    /// An empty file is what is left when a build or a download failed at once.
    ///
    /// ## Example
    /// `touch ANALYTICS-1.0-el8.parcel`, as image builds do on purpose to tell Cloudera Manager that
    /// a parcel is already on the hosts. Those are not for a repository.
    ///
    /// ## How to fix
    /// Build or copy the parcel again.
    ///
    /// ## Source
    /// Cloudera's validator: `java.io.EOFException`.
    "T108" "empty-file" Error [] => empty;

    /// The metadata stands far from the front of the archive.
    ///
    /// ## What it checks
    /// Whether files stand before `meta/parcel.json`.
    ///
    /// ## Why it matters
    /// Who wants to know what a parcel is must unpack all that comes before: minutes for
    /// `make_manifest.py` over a repository, instead of milliseconds.
    ///
    /// ## Example
    /// An archive in alphabetic order, in which `bin/`, `etc/` and `lib/` come first.
    ///
    /// ## How to fix
    /// `tar czf X.parcel NAME-1.0/meta NAME-1.0`, with `--exclude` for the second; `parcelctl build`
    /// does it by itself.
    ///
    /// ## Source
    /// The order of Cloudera's own parcels.
    "T109" "metadata-far" Note [] => metadata_far;

    /// The archive unpacks to far more than any parcel.
    ///
    /// ## What it checks
    /// That the archive does not unpack to more than 200 times its size where that is over 256 MiB,
    /// and has no more entries than anything can hold.
    ///
    /// ## Why it matters
    /// Every host unpacks the parcel; one that fills their disks stops the cluster. Real parcels
    /// unpack to two to five times their size.
    ///
    /// ## Example
    /// A file of 10 GiB of zeros, which compresses to 10 MiB.
    ///
    /// ## How to fix
    /// Leave the file out, or let the service make it.
    ///
    /// ## Source
    /// Sizes of published parcels.
    "T110" "unpacks-huge" Warning [] => huge;
}

fn archive<'a>(context: &'a Context<'_>) -> Option<&'a ArchiveFacts> {
    context.listing?.archive.as_ref()
}

fn damage<'a>(context: &'a Context<'_>) -> Option<&'a Damage> {
    archive(context)?.damage.as_ref()
}

fn not_gzip(context: &Context<'_>, found: &mut Findings<'_>) {
    if let Some(damage @ Damage::NotGzip { .. }) = damage(context) {
        found
            .report(damage.to_string())
            .hint("compress with gzip: tar czf X.parcel NAME-VERSION");
    }
}

fn truncated(context: &Context<'_>, found: &mut Findings<'_>) {
    if let Some(damage @ Damage::Truncated { .. }) = damage(context) {
        found
            .report(damage.to_string())
            .hint("copy or build the file again");
    }
}

fn corrupt(context: &Context<'_>, found: &mut Findings<'_>) {
    if let Some(damage @ Damage::Corrupt { .. }) = damage(context) {
        found
            .report(damage.to_string())
            .hint("copy or build the file again");
    }
}

fn several_members(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(archive) = archive(context) else {
        return;
    };
    let members = archive.gzip.data_members;
    if members > 1 {
        found
            .report(format!("the archive lies in {members} gzip members"))
            .hint("gunzip -c X | gzip > Y writes it as one");
    }
}

fn trailing_bytes(context: &Context<'_>, found: &mut Findings<'_>) {
    if archive(context).is_some_and(|archive| archive.gzip.trailing_bytes) {
        found.report("bytes that are not gzip follow the archive");
    }
}

fn not_tar(context: &Context<'_>, found: &mut Findings<'_>) {
    if let Some(damage @ (Damage::Header { .. } | Damage::Oversized { .. })) = damage(context) {
        found.report(damage.to_string());
    }
}

fn after_end(context: &Context<'_>, found: &mut Findings<'_>) {
    if let Some(damage @ Damage::AfterEnd { .. }) = damage(context) {
        found
            .report(damage.to_string())
            .hint("put everything into one archive");
    }
}

fn empty(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(listing) = context.listing else {
        return;
    };
    if let Some(damage @ Damage::Empty) = damage(context) {
        found.report(damage.to_string());
    } else if damage(context).is_none() && listing.entries.is_empty() {
        found.report("the archive holds nothing");
    }
}

fn metadata_far(context: &Context<'_>, found: &mut Findings<'_>) {
    let (Some(listing), Some(index), Some(_)) = (context.listing, &context.index, archive(context))
    else {
        return;
    };
    let mut files: u64 = 0;
    let mut bytes: u64 = 0;
    for entry in &listing.entries {
        let below = index.below(entry).unwrap_or_default();
        if below == b"meta/parcel.json" {
            if files > 0 {
                found
                    .report(format!(
                        "{files} files of {bytes} bytes stand before meta/parcel.json"
                    ))
                    .hint("write meta/ first; parcelctl build does");
            }
            return;
        }
        if entry.kind == RawKind::File && !below.starts_with(b"meta/") {
            files += 1;
            bytes = bytes.saturating_add(entry.size_bytes);
        }
    }
}

fn huge(context: &Context<'_>, found: &mut Findings<'_>) {
    const MOST_BYTES: u64 = 256 << 20;
    const MOST_TIMES: u64 = 200;
    let (Some(listing), Some(archive)) = (context.listing, archive(context)) else {
        return;
    };
    if let Some(damage @ Damage::TooManyEntries { .. }) = &archive.damage {
        found.report(damage.to_string());
    }
    let unpacked = listing.unpacked_bytes();
    let compressed = archive.digests.size_bytes.max(1);
    if unpacked > MOST_BYTES && unpacked / compressed > MOST_TIMES {
        let largest = listing.entries.iter().max_by_key(|entry| entry.size_bytes);
        let finding = found.report(format!(
            "{compressed} bytes unpack to {unpacked}, {} times as many",
            unpacked / compressed
        ));
        if let Some(largest) = largest {
            finding.hint(format!(
                "the largest file is {} with {} bytes",
                largest.display_name(),
                largest.size_bytes
            ));
        }
    }
}
