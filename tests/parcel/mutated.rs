//! No bytes make reading panic, and none that a checksum covers are taken for others.

use flate2::read::GzDecoder;
use parcel::Tree;
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::Read as _;

use crate::support::{Tar, gzip, list_bytes, long, sign};

/// Reads as far as it goes; what comes out does not matter here.
fn read(bytes: &[u8]) {
    let listing = list_bytes(bytes);
    let _ = listing.unpacked_bytes();
    let _ = Tree::try_from(&listing);
    for entry in &listing.entries {
        let _ = entry.display_name();
    }
}

/// A tar with everything in it, extensions included.
fn tar() -> Vec<u8> {
    let mut tar = Vec::new();
    GzDecoder::new(long().pack().0.as_slice())
        .read_to_end(&mut tar)
        .unwrap();
    tar.truncate(tar.len() - 1024);
    let pax = Tar::new()
        .pax(&[("path", "A-1.0/pax"), ("size", "3"), ("mtime", "1.5")])
        .file("A-1.0/x", b"abc");
    [tar, pax.end()].concat()
}

/// Where to change a tar, and to what: mostly in fields that mean something.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, u8)>> {
    let place = prop_oneof![
        4 => prop::sample::select(vec![0_usize, 99, 100, 107, 124, 125, 135, 136, 156, 157, 257, 263, 265, 345, 482]),
        1 => 0..512_usize,
    ];
    let byte = prop_oneof![
        4 => prop::sample::select(b"\0 /.1234567LKxgS\x7f\x80\xff".to_vec()),
        1 => any::<u8>(),
    ];
    vec((any::<prop::sample::Index>(), place, byte), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_reading_panic(bytes in vec(any::<u8>(), 0..2048)) {
        read(&bytes);
        read(&[&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], bytes.as_slice()].concat());
        read(&gzip(&bytes));
    }

    #[test]
    fn no_records_make_reading_panic(records in "[0-9]{0,3} ?(path|size|linkpath|GNU.sparse.x)?=?[\\PC\n]{0,12}\n?") {
        read(&Tar::new().entry(b"p", b'x', records.as_bytes(), b"").file("A-1.0/x", b"").parcel());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_changed_header_makes_reading_panic(changes in changes(), resign in any::<bool>()) {
        thread_local! {
            static TAR: Vec<u8> = tar();
        }
        let mut tar = TAR.with(Clone::clone);
        for (block, place, byte) in changes {
            let start = block.index(tar.len() / 512) * 512;
            tar[start + place] = byte;
            if resign {
                let block: [u8; 512] = tar[start..start + 512].try_into().unwrap();
                tar[start..start + 512].copy_from_slice(&sign(block));
            }
        }
        read(&gzip(&tar));
    }

    #[test]
    fn no_changed_parcel_makes_reading_panic(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        thread_local! {
            static PARCEL: Vec<u8> = long().pack().0;
        }
        let mut parcel = PARCEL.with(Clone::clone);
        let at = at.index(parcel.len());
        parcel[at] = byte;
        read(&parcel);
        read(&parcel[..cut.index(parcel.len())]);
    }
}
