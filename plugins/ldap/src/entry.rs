//! An entry of a directory. Names of attributes are the same in any case (RFC 4512
//! section 2.5), and servers write them as they like.

use std::collections::HashMap;

/// One entry that a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entry {
    /// Its name, as the server writes it.
    pub(crate) dn: String,
    /// Lower-case names; options as in `member;range=0-1499` belong to the name.
    attributes: HashMap<String, Vec<Vec<u8>>>,
}

impl Entry {
    /// An entry with these attributes.
    pub(crate) fn new(
        dn: String,
        attributes: impl IntoIterator<Item = (String, Vec<Vec<u8>>)>,
    ) -> Self {
        let mut entry = Entry {
            dn,
            ..Entry::default()
        };
        for (name, values) in attributes {
            let name = name.to_ascii_lowercase();
            entry.attributes.entry(name).or_default().extend(values);
        }
        entry
    }

    /// All values, as bytes.
    pub(crate) fn bytes(&self, name: &str) -> &[Vec<u8>] {
        let found = self.attributes.get(&name.to_ascii_lowercase());
        found.map_or(&[], Vec::as_slice)
    }

    /// All values that are text and not empty.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let texts = self
            .bytes(name)
            .iter()
            .filter_map(|value| std::str::from_utf8(value).ok());
        texts.filter(|text| !text.is_empty())
    }

    /// The first of them.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Names of all attributes that came, in lower case.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attribute_is_found_in_any_case() {
        let values = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        let entry = Entry::new(
            "uid=ada".to_owned(),
            [
                ("memberOf".to_owned(), values(&["a", ""])),
                ("MEMBEROF".to_owned(), values(&["b"])),
                ("raw".to_owned(), vec![vec![0xff], b"text".to_vec()]),
            ],
        );
        assert_eq!(entry.all("memberof").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(entry.first("RAW"), Some("text"));
        assert_eq!(entry.bytes("raw").len(), 2);
        assert_eq!(entry.first("absent"), None);
    }
}
