//! A program for 64-bit Linux of a few hundred bytes: just the headers that say what it needs.

/// What the program says of itself.
pub(crate) struct Program {
    /// `e_machine`: 62 is x86-64.
    pub(crate) machine: u16,
    /// The version of the C library that `memcpy` is taken from.
    pub(crate) glibc: &'static str,
    /// `DT_RUNPATH`.
    pub(crate) run_path: &'static str,
}

impl Program {
    /// The bytes of the file, which is mapped at the address 0.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let version = format!("GLIBC_{}", self.glibc);
        let mut strings = vec![0u8];
        let mut add = |text: &str| {
            let at = strings.len() as u64;
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            at
        };
        let (symbol, library, version, run_path) = (
            add("memcpy"),
            add("libc.so.6"),
            add(&version),
            add(self.run_path),
        );
        let headers = 64 + 2 * 56;
        let (symbols, versions) = (headers, headers + 48);
        let needs = versions + 8;
        let strings_at = needs + 32;
        let dynamic = (strings_at + strings.len() as u64).next_multiple_of(8);
        let entries: [(u64, u64); 7] = [
            (5, strings_at),
            (6, symbols),
            (29, run_path),
            (0x6fff_fff0, versions),
            (0x6fff_fffe, needs),
            (0x6fff_ffff, 1),
            (0, 0),
        ];
        let end = dynamic + 16 * entries.len() as u64;

        let mut out = Vec::new();
        out.extend(b"\x7fELF\x02\x01\x01");
        out.resize(16, 0);
        let mut put = |bytes: &[u8]| out.extend_from_slice(bytes);
        put(&3u16.to_le_bytes());
        put(&self.machine.to_le_bytes());
        put(&1u32.to_le_bytes());
        for word in [0u64, 64, 0] {
            put(&word.to_le_bytes());
        }
        put(&0u32.to_le_bytes());
        for half in [64u16, 56, 2, 64, 0, 0] {
            put(&half.to_le_bytes());
        }
        for (kind, at, size) in [(1u32, 0, end), (2, dynamic, end - dynamic)] {
            put(&kind.to_le_bytes());
            put(&4u32.to_le_bytes());
            for word in [at, at, at, size, size, 8] {
                put(&word.to_le_bytes());
            }
        }
        // Two symbols: the empty one, and memcpy.
        put(&[0; 24]);
        put(&u32::try_from(symbol).unwrap().to_le_bytes());
        put(&[0; 20]);
        for half in [0u16, 2, 0, 0] {
            put(&half.to_le_bytes());
        }
        // One library, of which one version is needed.
        put(&1u16.to_le_bytes());
        put(&1u16.to_le_bytes());
        for word in [u32::try_from(library).unwrap(), 16, 0] {
            put(&word.to_le_bytes());
        }
        put(&0u32.to_le_bytes());
        put(&0u16.to_le_bytes());
        put(&2u16.to_le_bytes());
        for word in [u32::try_from(version).unwrap(), 0] {
            put(&word.to_le_bytes());
        }
        put(&strings);
        out.resize(usize::try_from(dynamic).unwrap(), 0);
        for (tag, value) in entries {
            out.extend_from_slice(&tag.to_le_bytes());
            out.extend_from_slice(&value.to_le_bytes());
        }
        out
    }
}
