//! The dynamic segment: where the linker finds symbols, relocations and
//! constructors. It believes every word of it, so each address is held against
//! the section that it should be.

use std::collections::BTreeMap;

use object::elf::{self, Dyn64, DynamicTag, Rela64, SectionType};
use object::read::elf::Dyn;
use object::{Endianness, ReadRef};

use super::segments::{Map, Section};
use super::{InspectError, wrong};

/// A plugin needs a handful of libraries; their names go into errors.
const MOST_NEEDED: usize = 64;
const LONGEST_NAME: u64 = 255;

/// Entries of the segment, strings and relocations that are looked at, in bytes.
const LARGEST_SEGMENT: u64 = 64 << 10;
const LARGEST_RELOCATIONS: u64 = 64 << 20;

/// Tables: the tag of the address, the tag of the size, the section that it is.
const TABLES: &[(DynamicTag, Option<DynamicTag>, SectionType)] = &[
    (elf::DT_STRTAB, Some(elf::DT_STRSZ), elf::SHT_STRTAB),
    (elf::DT_SYMTAB, None, elf::SHT_DYNSYM),
    (elf::DT_HASH, None, elf::SHT_HASH),
    (elf::DT_GNU_HASH, None, elf::SHT_GNU_HASH),
    (elf::DT_RELA, Some(elf::DT_RELASZ), elf::SHT_RELA),
    (elf::DT_JMPREL, Some(elf::DT_PLTRELSZ), elf::SHT_RELA),
    (elf::DT_RELR, Some(elf::DT_RELRSZ), elf::SHT_RELR),
    (elf::DT_INIT, None, elf::SHT_PROGBITS),
    (elf::DT_FINI, None, elf::SHT_PROGBITS),
    (
        elf::DT_INIT_ARRAY,
        Some(elf::DT_INIT_ARRAYSZ),
        elf::SHT_INIT_ARRAY,
    ),
    (
        elf::DT_FINI_ARRAY,
        Some(elf::DT_FINI_ARRAYSZ),
        elf::SHT_FINI_ARRAY,
    ),
    (elf::DT_VERSYM, None, elf::SHT_GNU_VERSYM),
    (elf::DT_VERNEED, None, elf::SHT_GNU_VERNEED),
    (elf::DT_VERDEF, None, elf::SHT_GNU_VERDEF),
];

/// If the first is there, the second must have this value; glibc asserts it.
const ENTRIES: &[(DynamicTag, DynamicTag, u64)] = &[
    (elf::DT_SYMTAB, elf::DT_SYMENT, 24),
    (elf::DT_RELA, elf::DT_RELAENT, 24),
    (elf::DT_RELR, elf::DT_RELRENT, 8),
    (elf::DT_JMPREL, elf::DT_PLTREL, elf::DT_RELA.0 as u64),
];

/// The entries, each tag once, but for the needed libraries.
struct Dynamic<'m> {
    map: &'m Map,
    values: BTreeMap<i64, u64>,
    needed: Vec<u64>,
}

/// Checks the dynamic segment; the needed libraries.
pub(super) fn needed<'a>(
    map: &Map,
    endian: Endianness,
    data: impl ReadRef<'a>,
) -> Result<Vec<String>, InspectError> {
    let dynamic = Dynamic::read(map, endian, data)?;
    if dynamic.get(elf::DT_FLAGS_1).unwrap_or(0) & elf::DF_1_PIE.0 != 0 {
        return Err(InspectError::Executable);
    }
    dynamic.tables_are_sections()?;
    dynamic.companions_are_there()?;
    dynamic.relocations_are_sound(endian, data)?;
    dynamic.names(data)
}

impl<'m> Dynamic<'m> {
    fn read<'a>(
        map: &'m Map,
        endian: Endianness,
        data: impl ReadRef<'a>,
    ) -> Result<Self, InspectError> {
        let (offset, size) = (map.dynamic.offset, map.dynamic.file);
        if size > LARGEST_SEGMENT {
            return Err(wrong("its dynamic segment is too large"));
        }
        let entries: &[Dyn64<Endianness>] = data
            .read_slice_at(offset, size as usize / size_of::<Dyn64<Endianness>>())
            .map_err(|()| wrong("its dynamic segment cannot be read"))?;
        let mut dynamic = Dynamic {
            map,
            values: BTreeMap::new(),
            needed: Vec::new(),
        };
        let mut strings = Vec::new();
        for entry in entries {
            let (tag, value) = (entry.d_tag(endian), entry.d_val(endian));
            if tag == elf::DT_NULL {
                let length = dynamic.get(elf::DT_STRSZ).unwrap_or(0);
                return if strings.iter().all(|at| *at < length) {
                    Ok(dynamic)
                } else {
                    Err(wrong("a name outside its strings"))
                };
            }
            if entry.is_string(endian) {
                strings.push(value);
            }
            if tag == elf::DT_NEEDED {
                dynamic.needed.push(value);
            } else if dynamic.values.insert(tag.0, value).is_some() {
                return Err(wrong("an entry twice in its dynamic segment"));
            }
        }
        Err(wrong("its dynamic segment has no end"))
    }

    fn get(&self, tag: DynamicTag) -> Option<u64> {
        self.values.get(&tag.0).copied()
    }

    fn has(&self, tag: DynamicTag) -> bool {
        self.values.contains_key(&tag.0)
    }

    fn tables_are_sections(&self) -> Result<(), InspectError> {
        for (tag, size_tag, kind) in TABLES {
            let size = size_tag.map(|tag| self.get(tag));
            let alike = || {
                self.map
                    .sections
                    .iter()
                    .filter(move |section| section.kind == *kind && section.has(elf::SHF_ALLOC))
            };
            let Some(address) = self.get(*tag) else {
                // Two tags share SHT_RELA, and SHT_PROGBITS is anything.
                let shared = [elf::SHT_RELA, elf::SHT_PROGBITS].contains(kind);
                if size.flatten().is_some() || !shared && alike().next().is_some() {
                    return Err(wrong("a table that its dynamic segment does not name"));
                }
                continue;
            };
            let code = [elf::DT_INIT, elf::DT_FINI].contains(tag);
            let starts = alike().any(|section| {
                section.address == address && (!code || section.has(elf::SHF_EXECINSTR))
            });
            // Some linkers let one entry span two sections of a kind.
            let ends = size.is_none_or(|size| {
                let end = size.and_then(|size| address.checked_add(size));
                alike().any(|section| Some(section.range().end) == end)
            });
            if !starts || !ends {
                return Err(wrong("its dynamic segment and its sections disagree"));
            }
        }
        Ok(())
    }

    fn companions_are_there(&self) -> Result<(), InspectError> {
        let required = [elf::DT_STRTAB, elf::DT_SYMTAB];
        let hashed = self.has(elf::DT_HASH) || self.has(elf::DT_GNU_HASH);
        if !hashed || !required.iter().all(|tag| self.has(*tag)) {
            return Err(wrong("no symbols in its dynamic segment"));
        }
        for (tag, size, expected) in ENTRIES {
            if self.has(*tag) && self.get(*size) != Some(*expected) {
                return Err(wrong("the size of a table's entries"));
            }
        }
        let flags = self.get(elf::DT_FLAGS).unwrap_or(0);
        if self.has(elf::DT_TEXTREL) || flags & elf::DF_TEXTREL.0 != 0 {
            return Err(wrong("relocations in its code"));
        }
        let got = self.get(elf::DT_PLTGOT);
        if self.has(elf::DT_REL)
            || got.is_some_and(|got| !self.map.maps(&(got..got.saturating_add(1)), elf::PF_R))
        {
            return Err(wrong("its relocations"));
        }
        Ok(())
    }

    /// Each writes eight bytes where it says; those counted as relative are not looked at again.
    fn relocations_are_sound<'a>(
        &self,
        endian: Endianness,
        data: impl ReadRef<'a>,
    ) -> Result<(), InspectError> {
        let relative = match std::env::consts::ARCH {
            "x86_64" => Some(elf::R_X86_64_RELATIVE),
            "aarch64" => Some(elf::R_AARCH64_RELATIVE),
            "riscv64" => Some(elf::R_RISCV_RELATIVE),
            _ => None,
        };
        let counted = self.get(elf::DT_RELACOUNT).unwrap_or(0);
        let tables = [
            (elf::DT_RELA, elf::DT_RELASZ, counted),
            (elf::DT_JMPREL, elf::DT_PLTRELSZ, 0),
        ];
        for (tag, size_tag, counted) in tables {
            let (Some(address), Some(size)) = (self.get(tag), self.get(size_tag)) else {
                continue;
            };
            if size > LARGEST_RELOCATIONS {
                return Err(wrong("too many relocations"));
            }
            let count = size as usize / size_of::<Rela64<Endianness>>();
            let entries: &[Rela64<Endianness>] =
                data.read_slice_at(self.offset(address)?, count)
                    .map_err(|()| wrong("its relocations cannot be read"))?;
            let sound = entries.iter().zip(0..).all(|(entry, index): (_, u64)| {
                let (place, kind) = (entry.r_offset.get(endian), entry.r_type(endian, false));
                let writes = place..place.saturating_add(8);
                (index >= counted || relative.is_none_or(|relative| kind == relative))
                    && (kind.0 == 0 || self.map.maps(&writes, elf::PF_W))
            });
            if !sound {
                return Err(wrong("a relocation outside its data"));
            }
        }
        Ok(())
    }

    fn names<'a>(&self, data: impl ReadRef<'a>) -> Result<Vec<String>, InspectError> {
        if self.needed.len() > MOST_NEEDED {
            return Err(wrong("it needs too many libraries"));
        }
        let strings = self.offset(self.get(elf::DT_STRTAB).unwrap_or(0))?;
        let length = self.get(elf::DT_STRSZ).unwrap_or(0);
        let name = |at: &u64| {
            let longest = (LONGEST_NAME + 1).min(length - at);
            let bytes = data.read_bytes_at(strings + at, longest).ok()?;
            let name = &bytes[..bytes.iter().position(|byte| *byte == 0)?];
            let printable = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
            printable.then(|| String::from_utf8_lossy(name).into_owned())
        };
        self.needed
            .iter()
            .map(|at| name(at).ok_or_else(|| wrong("the name of a library that it needs")))
            .collect()
    }

    /// Where in the file a table's address is; the tables are sections.
    fn offset(&self, address: u64) -> Result<u64, InspectError> {
        let at = |section: &&Section| section.address == address && section.has(elf::SHF_ALLOC);
        self.map
            .sections
            .iter()
            .find(at)
            .map(|section| section.offset)
            .ok_or_else(|| wrong("a table outside its sections"))
    }
}
