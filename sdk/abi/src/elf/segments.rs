//! The program headers: what the dynamic linker maps, and where. They are held
//! against the section headers, which the linker never reads: two tables that
//! tell the same story were hardly damaged both.

use std::ops::Range;

use object::elf::{self, FileHeader64, ProgramFlags, ProgramType, SectionFlags, SectionType};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, ReadRef};

use super::{InspectError, damaged, wrong};

/// No linker writes more; each costs a comparison with every other.
const MOST_SEGMENTS: usize = 64;
const MOST_SECTIONS: usize = 1024;

/// From the first mapped byte to the last.
const LARGEST_SPAN: u64 = 1 << 32;

/// Thread-local data of one library; glibc ends the process when it cannot have it.
const LARGEST_TLS: u64 = 1 << 20;

/// Beyond the page sizes of every machine.
const LARGEST_ALIGN: u64 = 1 << 24;

/// glibc protects whole pages; the smallest there are.
const PAGE: u64 = 4096;

/// One program header.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) kind: ProgramType,
    pub(super) flags: ProgramFlags,
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) file: u64,
    pub(super) memory: u64,
    align: u64,
}

/// One section header.
pub(super) struct Section {
    pub(super) name: Vec<u8>,
    pub(super) kind: SectionType,
    pub(super) flags: SectionFlags,
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) size: u64,
}

/// Both tables, found to agree.
pub(super) struct Map {
    segments: Vec<Segment>,
    pub(super) sections: Vec<Section>,
    pub(super) dynamic: Segment,
}

impl Map {
    /// Reads both tables and compares them.
    pub(super) fn read<'a>(
        header: &FileHeader64<Endianness>,
        endian: Endianness,
        data: impl ReadRef<'a>,
    ) -> Result<Self, InspectError> {
        if usize::from(header.e_phnum(endian)) > MOST_SEGMENTS
            || usize::from(header.e_shnum(endian)) > MOST_SECTIONS
        {
            return Err(wrong("too many program or section headers"));
        }
        if header.e_shnum(endian) == 0 {
            return Err(InspectError::NoSection);
        }
        let segments: Vec<_> = header
            .program_headers(endian, data)
            .map_err(damaged)?
            .iter()
            .map(|segment| Segment {
                kind: segment.p_type(endian),
                flags: segment.p_flags(endian),
                offset: segment.p_offset(endian),
                address: segment.p_vaddr(endian),
                file: segment.p_filesz(endian),
                memory: segment.p_memsz(endian),
                align: segment.p_align(endian),
            })
            .collect();
        let table = header.sections(endian, data).map_err(damaged)?;
        let sections = table
            .iter()
            .map(|section| {
                Ok(Section {
                    name: table
                        .section_name(endian, section)
                        .map_err(damaged)?
                        .to_vec(),
                    kind: section.sh_type(endian),
                    flags: section.sh_flags(endian),
                    offset: section.sh_offset(endian),
                    address: section.sh_addr(endian),
                    size: section.sh_size(endian),
                })
            })
            .collect::<Result<_, InspectError>>()?;
        let dynamic = one(&segments, elf::PT_DYNAMIC)?
            .ok_or_else(|| wrong("no dynamic segment"))?
            .clone();
        let map = Map {
            segments,
            sections,
            dynamic,
        };
        map.loads_are_sound()?;
        map.others_lie_in_loads()?;
        map.sections_lie_in_loads()?;
        map.thread_local_data_is_whole()?;
        map.protection_spares_data()?;
        Ok(map)
    }

    /// The loaded segments.
    pub(super) fn loads(&self) -> impl Iterator<Item = &Segment> {
        self.of(elf::PT_LOAD)
    }

    /// Is `range` of the address space mapped, with these permissions?
    pub(super) fn maps(&self, range: &Range<u64>, flags: ProgramFlags) -> bool {
        self.loads()
            .any(|load| inside(range, &load.in_memory()) && load.flags.0 & flags.0 == flags.0)
    }

    fn of(&self, kind: ProgramType) -> impl Iterator<Item = &Segment> {
        self.segments
            .iter()
            .filter(move |segment| segment.kind == kind)
    }

    fn loads_are_sound(&self) -> Result<(), InspectError> {
        let first = self.loads().next().map_or(0, |load| load.address);
        let mut end = first;
        for load in self.loads() {
            let aligned = load.align <= LARGEST_ALIGN
                && (load.align == 0 || load.align.is_power_of_two())
                && load
                    .address
                    .wrapping_sub(load.offset)
                    .is_multiple_of(load.align.max(1));
            if !aligned || load.file > load.memory {
                return Err(wrong("a loaded segment's size or alignment"));
            }
            if load.address < end {
                return Err(wrong("loaded segments out of order"));
            }
            end = load.in_memory().end;
            if end - first > LARGEST_SPAN || end == u64::MAX {
                return Err(wrong("a loaded segment far from the others"));
            }
        }
        Ok(())
    }

    /// What the linker and the unwinder read is a part of what is mapped.
    fn others_lie_in_loads(&self) -> Result<(), InspectError> {
        for segment in &self.segments {
            let read = [
                elf::PT_DYNAMIC,
                elf::PT_TLS,
                elf::PT_NOTE,
                elf::PT_PHDR,
                elf::PT_GNU_EH_FRAME,
                elf::PT_GNU_PROPERTY,
                elf::PT_GNU_RELRO,
            ]
            .contains(&segment.kind);
            if read && segment.memory > 0 {
                let held = self
                    .loads()
                    .any(|load| load.holds(segment.offset, segment.address, segment.file));
                if !held || segment.file > segment.memory {
                    return Err(wrong("a segment outside what is loaded"));
                }
            }
            if segment.kind == elf::PT_GNU_STACK && segment.flags.0 & elf::PF_X.0 != 0 {
                return Err(wrong("it asks for an executable stack"));
            }
        }
        Ok(())
    }

    fn sections_lie_in_loads(&self) -> Result<(), InspectError> {
        for section in self.sections.iter().filter(|section| section.is_mapped()) {
            let mut flags = elf::PF_R.0;
            if section.has(elf::SHF_WRITE) {
                flags |= elf::PF_W.0;
            }
            if section.has(elf::SHF_EXECINSTR) {
                flags |= elf::PF_X.0;
            }
            let held = section.is_empty()
                || self
                    .loads()
                    .any(|load| load.holds(section.offset, section.address, section.size));
            if !held || !self.maps(&section.range(), ProgramFlags(flags)) {
                return Err(wrong("a section outside what is loaded"));
            }
        }
        Ok(())
    }

    fn thread_local_data_is_whole(&self) -> Result<(), InspectError> {
        let tls = one(&self.segments, elf::PT_TLS)?;
        let sound = tls.is_none_or(|tls| {
            tls.memory <= LARGEST_TLS
                && tls.align <= PAGE
                && (tls.align == 0 || tls.align.is_power_of_two())
        });
        let whole = self
            .sections
            .iter()
            .filter(|section| section.has(elf::SHF_TLS))
            .all(|section| {
                tls.is_some_and(|tls| {
                    let place = if section.is_empty() {
                        tls.in_memory()
                    } else {
                        tls.address..tls.address.saturating_add(tls.file)
                    };
                    inside(&section.range(), &place)
                })
            });
        if sound && whole {
            Ok(())
        } else {
            Err(wrong("its thread-local data"))
        }
    }

    /// What is made read-only after relocation must not reach into the data.
    fn protection_spares_data(&self) -> Result<(), InspectError> {
        let Some(relro) = one(&self.segments, elf::PT_GNU_RELRO)? else {
            return Ok(());
        };
        let end = relro.in_memory().end;
        let mapped = self.loads().any(|load| {
            let last = load
                .in_memory()
                .end
                .checked_next_multiple_of(load.align.max(1));
            load.in_memory().contains(&relro.address) && last.is_some_and(|last| end <= last)
        });
        let data = self
            .sections
            .iter()
            .filter(|section| [&b".data"[..], b".bss"].contains(&section.name.as_slice()))
            .map(|section| section.address)
            .min();
        if relro.memory == 0 || mapped && data.is_none_or(|data| end / PAGE * PAGE <= data) {
            Ok(())
        } else {
            Err(wrong("its relocation-only segment"))
        }
    }
}

impl Segment {
    fn in_memory(&self) -> Range<u64> {
        self.address..self.address.saturating_add(self.memory)
    }

    /// Do these bytes of the file come to this address through this segment?
    fn holds(&self, offset: u64, address: u64, size: u64) -> bool {
        let file = self.offset..self.offset.saturating_add(self.file);
        inside(&(offset..offset.saturating_add(size)), &file)
            && address.checked_sub(self.address) == Some(offset - self.offset)
    }
}

impl Section {
    pub(super) fn has(&self, flag: SectionFlags) -> bool {
        self.flags.0 & flag.0 != 0
    }

    pub(super) fn range(&self) -> Range<u64> {
        self.address..self.address.saturating_add(self.size)
    }

    /// Has it no bytes in the file (`.bss`)?
    fn is_empty(&self) -> bool {
        self.kind == elf::SHT_NOBITS
    }

    /// Zeroed thread-local data has an address, but no place there.
    fn is_mapped(&self) -> bool {
        self.has(elf::SHF_ALLOC) && self.size > 0 && !(self.has(elf::SHF_TLS) && self.is_empty())
    }
}

/// The one segment of this kind, if there is any.
fn one(segments: &[Segment], kind: ProgramType) -> Result<Option<&Segment>, InspectError> {
    let mut found = segments.iter().filter(|segment| segment.kind == kind);
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        _ => Err(wrong("two segments of a kind that is unique")),
    }
}

fn inside(inner: &Range<u64>, outer: &Range<u64>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
