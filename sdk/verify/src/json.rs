//! JSON as RFC 7493 (I-JSON) has it: no name twice, since two readers of one token
//! must never see two values; bounded in depth and in the number of values.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// What others than tokens may hold: answers of an issuer's server.
const DOCUMENT: Limits = Limits {
    depth: 32,
    values: 16_384,
};

/// Reads one object as I-JSON has it (RFC 7493), where a name that occurs twice is a fault: for
/// answers on which a decision rests, such as those of introspection. At most 32 levels and
/// 16,384 values; the caller bounds the bytes.
///
/// # Errors
/// What is wrong with it.
pub fn strict_object(bytes: &[u8]) -> Result<Map<String, Value>, Fault> {
    object(bytes, DOCUMENT)
}

/// How large a document may be, beside its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Objects and arrays inside each other.
    pub(crate) depth: usize,
    /// Values in all.
    pub(crate) values: usize,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not JSON in UTF-8, or a number that is none.
    #[error("not JSON in UTF-8")]
    Syntax,
    /// An array, a string, …
    #[error("JSON, but no object")]
    NotObject,
    /// A name occurs twice in one object.
    #[error("JSON that names a member twice")]
    Duplicate,
    /// Deeper than allowed.
    #[error("JSON that is nested too deeply")]
    Depth,
    /// More values than allowed.
    #[error("JSON with too many values")]
    Values,
}

/// Parses one object and nothing after it.
pub(crate) fn object(bytes: &[u8], limits: Limits) -> Result<Map<String, Value>, Fault> {
    let budget = Budget {
        left: Cell::new(limits.values),
        fault: Cell::new(Fault::Syntax),
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Element {
        budget: &budget,
        depth: limits.depth,
    };
    let value = seed
        .deserialize(&mut reader)
        .map_err(|_| budget.fault.get())?;
    reader.end().map_err(|_| Fault::Syntax)?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Fault::NotObject),
    }
}

struct Budget {
    left: Cell<usize>,
    /// What to call the error that serde carries as text.
    fault: Cell<Fault>,
}

impl Budget {
    fn refuse<E: Error>(&self, fault: Fault) -> E {
        self.fault.set(fault);
        E::custom("refused")
    }
}

#[derive(Clone, Copy)]
struct Element<'a> {
    budget: &'a Budget,
    /// How many levels may still open.
    depth: usize,
}

impl Element<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Element { depth, ..self }),
            None => Err(self.budget.refuse(Fault::Depth)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        match self.budget.left.get().checked_sub(1) {
            Some(left) => self.budget.left.set(left),
            None => return Err(self.budget.refuse(Fault::Values)),
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number
            .map(Value::Number)
            .ok_or_else(|| self.budget.refuse(Fault::Syntax))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Entry::Vacant(place) = object.entry(name) else {
                return Err(self.budget.refuse(Fault::Duplicate));
            };
            place.insert(members.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        depth: 4,
        values: 12,
    };

    #[test]
    fn object_is_read_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,1.5,"\u00e9",null,true],"b":{"c":{}}}"#;
        let read = object(text.as_bytes(), LIMITS).map(Value::Object);
        assert_eq!(read, Ok(serde_json::from_str(text).unwrap_or_default()));
    }

    #[test]
    fn each_fault_is_told_from_the_others() {
        for (text, fault) in [
            (r#"{"a":1,"a":1}"#, Fault::Duplicate),
            (r#"{"x":{"a":1,"\u0061":2}}"#, Fault::Duplicate),
            (r#"{"a":[[[[]]]]}"#, Fault::Depth),
            ("{\"a\":[1,2,3,4,5,6,7,8,9,10,11]}", Fault::Values),
            ("[]", Fault::NotObject),
            ("\"a\"", Fault::NotObject),
            ("", Fault::Syntax),
            ("{}{}", Fault::Syntax),
            ("\u{feff}{}", Fault::Syntax),
            (r#"{"a":1e400}"#, Fault::Syntax),
            (r#"{"a":"\ud800"}"#, Fault::Syntax),
            (r#"{"a":01}"#, Fault::Syntax),
            (r#"{"a":NaN}"#, Fault::Syntax),
        ] {
            assert_eq!(object(text.as_bytes(), LIMITS), Err(fault), "{text}");
        }
        assert_eq!(object(b"{\"\xff\":1}", LIMITS), Err(Fault::Syntax));
    }
}
