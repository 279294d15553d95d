//! A search on a connection: bounded, paged where the server can (RFC 2696), references to
//! other servers left out.

use std::time::Duration;

use ldap3::asn1::StructureTag;
use ldap3::controls::{Control, PagedResults, RawControl};
use ldap3::{LdapResult, Scope, SearchOptions};

use super::ber::Reader;
use super::failure::{self, Failure};
use super::session::{Query, Reach};
use super::wire::Wire;
use crate::entry::Entry;
use crate::trouble::Trouble;

/// Entries asked for at once; servers seldom give more than 1,000.
const PAGE: usize = 500;

impl Wire {
    /// All entries that match. `pages`: does the server know RFC 2696?
    pub(super) async fn search(
        &self,
        query: &Query<'_>,
        pages: bool,
        limit: Duration,
    ) -> Result<Vec<Entry>, Failure> {
        if !pages || query.most <= PAGE || query.depth == Reach::Base {
            let bound = i32::try_from(query.most.saturating_add(1)).unwrap_or(0);
            let found = self.part(query, query.most, bound, None, limit).await?;
            return Ok(found.0);
        }
        let _one_at_a_time = self.paging.lock().await;
        let mut entries = Vec::new();
        let mut cookie = Vec::new();
        loop {
            let size = i32::try_from(PAGE).unwrap_or(i32::MAX);
            let page = RawControl::from(PagedResults { size, cookie });
            let left = query.most - entries.len();
            let (found, controls) = self.part(query, left, 0, Some(page), limit).await?;
            entries.extend(found);
            cookie = next_page(&controls).ok_or_else(|| {
                self.give_up();
                Failure::Lost("it does not say whether there are more pages".to_owned())
            })?;
            if cookie.is_empty() {
                return Ok(entries);
            }
        }
    }

    /// One search request and its answers, at most so many.
    async fn part(
        &self,
        query: &Query<'_>,
        most: usize,
        bound: i32,
        page: Option<RawControl>,
        limit: Duration,
    ) -> Result<(Vec<Entry>, Vec<Control>), Failure> {
        let scope = match query.depth {
            Reach::Base => Scope::Base,
            Reach::One => Scope::OneLevel,
            Reach::Subtree => Scope::Subtree,
        };
        let seconds = i32::try_from(limit.as_secs().max(1)).unwrap_or(0);
        let mut ldap = self.ldap();
        let options = SearchOptions::new().sizelimit(bound).timelimit(seconds);
        ldap.with_search_options(options)
            .with_controls(Vec::from_iter(page));
        let attributes = query.attributes.to_vec();
        let operation = async {
            let mut stream = ldap
                .streaming_search(query.base, scope, query.filter.as_str(), attributes)
                .await?;
            let mut found = Vec::new();
            while let Some(item) = stream.next().await? {
                if item.is_ref() || item.is_intermediate() {
                    continue;
                }
                found.push(item.0);
                if found.len() > most {
                    let id = stream.ldap_handle().last_id();
                    stream.finish().await;
                    ldap.abandon(id).await?;
                    return Ok((found, None));
                }
            }
            Ok((found, Some(stream.finish().await)))
        };
        let (found, result) = self.ask(limit, operation).await?;
        let controls = self.ended(query, most, result)?;
        let entries: Option<Vec<_>> = found.into_iter().map(entry).collect();
        let entries = entries.ok_or_else(|| {
            self.give_up();
            Failure::Lost("an entry that it sent is not LDAP".to_owned())
        })?;
        Ok((entries, controls))
    }

    /// Controls of a result that is a success.
    fn ended(
        &self,
        query: &Query<'_>,
        most: usize,
        result: Option<LdapResult>,
    ) -> Result<Vec<Control>, Failure> {
        match result {
            Some(result) if result.rc == 0 => Ok(result.ctrls),
            // Our own bound, which the server counted for us.
            Some(result) if result.rc != 4 || most < query.most => {
                Err(failure::of_result(result, None, self.server()))
            }
            _ => Err(Failure::Final(Trouble::TooMuch(format!(
                "{}: {} below {:?} finds more than {}, or than the server gives out",
                self.server(),
                query.filter,
                query.base,
                query.most
            )))),
        }
    }
}

/// The cookie for the rest: `SEQUENCE { size INTEGER, cookie OCTET STRING }`. Empty where nothing is
/// left, or where the server took no notice of pages; none where it cannot be read.
fn next_page(controls: &[Control]) -> Option<Vec<u8>> {
    let paging = |control: &&Control| control.1.ctype == "1.2.840.113556.1.4.319";
    let Some(control) = controls.iter().find(paging) else {
        return Some(Vec::new());
    };
    let mut parts = Reader::new(Reader::new(control.1.val.as_deref()?).expect(0x30)?);
    // How many there are in all is anybody's guess.
    parts.expect(0x02)?;
    parts.expect(0x04).map(<[u8]>::to_vec)
}

/// `[APPLICATION 4] { name, SEQUENCE OF { type, SET OF value } }`; ldap3's own reading would
/// sort values by what they look like.
fn entry(tag: StructureTag) -> Option<Entry> {
    let mut parts = tag.match_id(4)?.expect_constructed()?.into_iter();
    let dn = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
    let mut attributes = Vec::new();
    for attribute in parts.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let name = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
        let values = parts.next()?.expect_constructed()?.into_iter();
        let values: Option<Vec<_>> = values.map(StructureTag::expect_primitive).collect();
        attributes.push((name, values?));
    }
    Some(Entry::new(dn, attributes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_that_does_not_say_what_follows_is_not_the_last() {
        let control = |value: &[u8]| {
            let ctype = "1.2.840.113556.1.4.319".to_owned();
            let val = Some(value.to_vec());
            let raw = RawControl {
                ctype,
                crit: false,
                val,
            };
            next_page(&[Control(None, raw)])
        };
        let more = [0x30, 7, 0x02, 1, 0, 0x04, 2, b'a', b'b'];
        assert_eq!(control(&more), Some(b"ab".to_vec()));
        let negative = [0x30, 6, 0x02, 1, 0xff, 0x04, 1, b'a'];
        assert_eq!(control(&negative), Some(b"a".to_vec()));
        assert_eq!(control(&[0x30, 5, 0x02, 1, 0, 0x04, 0]), Some(Vec::new()));
        assert_eq!(next_page(&[]), Some(Vec::new()));
        for broken in [&[][..], &[0x30, 0], &[0x30, 3, 0x02, 1, 0], &more[..7]] {
            assert_eq!(control(broken), None);
        }
    }
}
