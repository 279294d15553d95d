//! LDAP's messages (RFC 4511), read and written by ldap3's own BER.

use std::io::{Read, Write};

use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag, write};

/// The control of results by pages (RFC 2696).
pub(super) const PAGED: &str = "1.2.840.113556.1.4.319";

/// Reads one message; none at the end of the connection.
pub(super) fn read(stream: &mut impl Read) -> Option<StructureTag> {
    let mut bytes = vec![0; 2];
    stream.read_exact(&mut bytes).ok()?;
    let mut length = usize::from(bytes[1]);
    if length > 127 {
        let mut long = vec![0; length - 128];
        stream.read_exact(&mut long).ok()?;
        length = long
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        bytes.extend(long);
    }
    let start = bytes.len();
    bytes.resize(start + length, 0);
    stream.read_exact(&mut bytes[start..]).ok()?;
    Some(parse_tag(&bytes).unwrap().1)
}

/// Writes messages; a client that has gone is no error.
pub(super) fn send(stream: &mut impl Write, messages: Vec<StructureTag>) {
    let mut buffer = Default::default();
    for message in messages {
        write::encode_into(&mut buffer, message).unwrap();
    }
    let _ = stream.write_all(&buffer);
}

pub(super) fn message(
    id: &StructureTag,
    operation: StructureTag,
    controls: Vec<StructureTag>,
) -> StructureTag {
    let mut parts = vec![id.clone(), operation];
    if !controls.is_empty() {
        parts.push(constructed(TagClass::Context, 0, controls));
    }
    sequence(parts)
}

/// An LDAPResult in the given response.
pub(super) fn result(response: u64, code: u32, text: &str, referrals: &[String]) -> StructureTag {
    let mut parts = vec![
        primitive(TagClass::Universal, 10, number(code)),
        octets(""),
        octets(text),
    ];
    if !referrals.is_empty() {
        let referrals = referrals.iter().map(octets).collect();
        parts.push(constructed(TagClass::Context, 3, referrals));
    }
    constructed(TagClass::Application, response, parts)
}

pub(super) fn sequence(parts: Vec<StructureTag>) -> StructureTag {
    constructed(TagClass::Universal, 16, parts)
}

pub(super) fn set(parts: Vec<StructureTag>) -> StructureTag {
    constructed(TagClass::Universal, 17, parts)
}

pub(super) fn octets(text: impl AsRef<[u8]>) -> StructureTag {
    primitive(TagClass::Universal, 4, text.as_ref().to_vec())
}

pub(super) fn constructed(class: TagClass, id: u64, parts: Vec<StructureTag>) -> StructureTag {
    let payload = PL::C(parts);
    StructureTag { class, id, payload }
}

fn primitive(class: TagClass, id: u64, bytes: Vec<u8>) -> StructureTag {
    let payload = PL::P(bytes);
    StructureTag { class, id, payload }
}

/// The results of a page (RFC 2696): no total, and where the next one starts.
pub(super) fn page(next: Option<usize>) -> StructureTag {
    let cookie = next.map(|next| next.to_string()).unwrap_or_default();
    let zero = primitive(TagClass::Universal, 2, vec![0]);
    let mut value = Default::default();
    write::encode_into(&mut value, sequence(vec![zero, octets(cookie)])).unwrap();
    sequence(vec![octets(PAGED), octets(&value)])
}

pub(super) fn parts(tag: &StructureTag) -> &[StructureTag] {
    match &tag.payload {
        PL::C(parts) => parts,
        PL::P(_) => panic!("expected parts: {tag:?}"),
    }
}

pub(super) fn bytes(tag: &StructureTag) -> &[u8] {
    match &tag.payload {
        PL::P(bytes) => bytes,
        PL::C(_) => panic!("expected bytes: {tag:?}"),
    }
}

pub(super) fn text(tag: &StructureTag) -> String {
    String::from_utf8_lossy(bytes(tag)).into_owned()
}

pub(super) fn unsigned(tag: &StructureTag) -> usize {
    let bytes = bytes(tag).iter();
    bytes.fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// The fewest bytes of a number that keep its sign.
fn number(number: u32) -> Vec<u8> {
    let bytes = i64::from(number).to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(7);
    let from = if bytes[zeros] > 127 { zeros - 1 } else { zeros };
    bytes[from..].to_vec()
}
