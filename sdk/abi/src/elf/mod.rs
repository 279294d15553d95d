//! Inspection before loading: reads the ELF file's tables without mapping it and
//! without running any of its code. What dlopen would answer with a wrong text
//! ("No such file" for another architecture) or with SIGBUS (a half-copied file)
//! is refused here: what the linker reads before any code runs is whole, lies in
//! what is mapped, and agrees with the section headers, which it does not read.
//!
//! A hole inside code, data or symbols looks like any other content: only the
//! operator's sha256 pin, or a child process that tries the file, can tell.

mod dynamic;
mod segments;

use std::fs::File;

use object::elf::{self, FileHeader64};
use object::read::ReadCache;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, ReadRef};

use self::segments::{Map, Section};
use crate::info::{self, ABI_VERSION, Info, SECTION, numbers};

/// Of the section that we write ourselves; the SDK's has 512 bytes.
const LARGEST_SECTION: u64 = 4096;

/// Why a file is no plugin for this host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum InspectError {
    #[error("not an ELF file")]
    NotElf,
    #[error("built for {found}, but this host is {expected}")]
    OtherTarget { found: String, expected: String },
    #[error("an executable, not a shared library")]
    Executable,
    #[error("truncated: the file has {found} bytes, its tables need {needed}")]
    Truncated { found: u64, needed: u64 },
    #[error("its ELF tables are damaged: {0}")]
    Damaged(String),
    #[error("a shared library, but no Countersign plugin: it has no {SECTION} section")]
    NoSection,
    #[error("its {SECTION} section cannot be read")]
    BadSection,
    #[error("built for ABI {found}, but this host has ABI {expected}")]
    OtherAbi { found: String, expected: String },
    #[error("built with panic = \"abort\": any panic in it would end the whole server")]
    PanicAbort,
}

/// What inspection found in a good file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What the file says of itself.
    pub info: Info,
    /// The libraries that it needs at load time (DT_NEEDED).
    pub needed: Vec<String>,
}

impl InspectError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            InspectError::NotElf => {
                "name the `.so` file that cargo built from a crate with crate-type = [\"cdylib\"]"
            }
            InspectError::OtherTarget { .. } => {
                "build the plugin for this machine's target, or take the release file for it"
            }
            InspectError::Executable => "build the plugin with crate-type = [\"cdylib\"]",
            InspectError::Truncated { .. } => {
                "the copy was interrupted: copy the file again, to a temporary name, and rename it"
            }
            InspectError::Damaged(_) => "copy or build the file again",
            InspectError::NoSection => {
                "build it with the SDK's `export_plugin!`, and do not strip sections"
            }
            InspectError::BadSection => "build it again with a released SDK",
            InspectError::OtherAbi { .. } => {
                "build the plugin with an SDK of this host's ABI major, or take a host of the plugin's"
            }
            InspectError::PanicAbort => {
                "remove `panic = \"abort\"` from the plugin's release profile"
            }
        }
    }
}

/// Inspects an open file. Never maps it, never runs its code.
pub(crate) fn inspect(file: &File) -> Result<Inspection, InspectError> {
    let length = file
        .metadata()
        .map_err(|error| InspectError::Damaged(error.to_string()))?
        .len();
    let cache = ReadCache::new(file);
    let data = &cache;

    let mut ident = [0; 20];
    let start = data
        .read_bytes_at(0, 20)
        .map_err(|()| InspectError::NotElf)?;
    ident.copy_from_slice(start);
    target(&ident)?;

    let header = FileHeader64::<Endianness>::parse(data).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    whole(header, endian, data, length)?;
    if header.e_type(endian) != elf::ET_DYN {
        return Err(InspectError::Executable);
    }
    let map = Map::read(header, endian, data)?;
    let needed = dynamic::needed(&map, endian, data)?;
    let info = section(&map, data)?;
    compatible(&info)?;
    Ok(Inspection { info, needed })
}

/// Class, byte order and machine, from the first 20 bytes that every ELF file shares.
fn target(ident: &[u8; 20]) -> Result<(), InspectError> {
    if ident[..4] != elf::ELFMAG {
        return Err(InspectError::NotElf);
    }
    let little = ident[5] == elf::ELFDATA2LSB.0;
    let machine = if little {
        u16::from_le_bytes([ident[18], ident[19]])
    } else {
        u16::from_be_bytes([ident[18], ident[19]])
    };
    let expected = match std::env::consts::ARCH {
        "x86_64" => elf::EM_X86_64.0,
        "aarch64" => elf::EM_AARCH64.0,
        "riscv64" => elf::EM_RISCV.0,
        _ => machine,
    };
    if ident[4] != elf::ELFCLASS64.0 || !little || machine != expected {
        let bits = if ident[4] == elf::ELFCLASS32.0 {
            "32-bit "
        } else {
            ""
        };
        let order = if little { "" } else { ", big-endian" };
        return Err(InspectError::OtherTarget {
            found: format!("{bits}{}{order}", machine_name(machine)),
            expected: std::env::consts::ARCH.to_owned(),
        });
    }
    Ok(())
}

/// Every table and segment must lie inside the file: mapping past its end is SIGBUS.
fn whole<'a>(
    header: &FileHeader64<Endianness>,
    endian: Endianness,
    data: impl ReadRef<'a>,
    length: u64,
) -> Result<(), InspectError> {
    let table = |offset: u64, entries: u16, size: u16| {
        offset.saturating_add(u64::from(entries) * u64::from(size))
    };
    let mut needed = table(
        header.e_phoff(endian),
        header.e_phnum(endian),
        header.e_phentsize(endian),
    );
    needed = needed.max(table(
        header.e_shoff(endian),
        header.e_shnum(endian),
        header.e_shentsize(endian),
    ));
    if needed <= length {
        for segment in header.program_headers(endian, data).map_err(damaged)? {
            needed = needed.max(
                segment
                    .p_offset(endian)
                    .saturating_add(segment.p_filesz(endian)),
            );
        }
    }
    if needed > length {
        return Err(InspectError::Truncated {
            found: length,
            needed,
        });
    }
    Ok(())
}

fn section<'a>(map: &Map, data: impl ReadRef<'a>) -> Result<Info, InspectError> {
    let named = |section: &&Section| section.name == SECTION.as_bytes();
    let section = map
        .sections
        .iter()
        .find(named)
        .ok_or(InspectError::NoSection)?;
    if section.size > LARGEST_SECTION {
        return Err(InspectError::BadSection);
    }
    data.read_bytes_at(section.offset, section.size)
        .ok()
        .and_then(Info::parse)
        .ok_or(InspectError::BadSection)
}

fn compatible(info: &Info) -> Result<(), InspectError> {
    let major = |numbers: Option<(u64, u64)>| numbers.map(|(major, _)| major);
    if major(info.abi_numbers()) != major(numbers(ABI_VERSION)) {
        return Err(InspectError::OtherAbi {
            found: info.abi.clone(),
            expected: ABI_VERSION.to_owned(),
        });
    }
    if !info.is_for_this_target() {
        return Err(InspectError::OtherTarget {
            found: info.target.clone(),
            expected: info::target(),
        });
    }
    if info.panic != "unwind" {
        return Err(InspectError::PanicAbort);
    }
    Ok(())
}

fn damaged(error: object::Error) -> InspectError {
    InspectError::Damaged(error.to_string())
}

fn wrong(what: &str) -> InspectError {
    InspectError::Damaged(what.to_owned())
}

fn machine_name(machine: u16) -> String {
    match elf::Machine(machine) {
        elf::EM_X86_64 => "x86_64".into(),
        elf::EM_386 => "x86".into(),
        elf::EM_AARCH64 => "aarch64".into(),
        elf::EM_ARM => "arm".into(),
        elf::EM_RISCV => "riscv64".into(),
        elf::EM_S390 => "s390x".into(),
        elf::EM_PPC64 => "powerpc64".into(),
        elf::Machine(other) => format!("machine {other}"),
    }
}
