//! Python's string literals (The Python Language Reference, section 2.4.1): all quotings, all
//! prefixes, all escapes.

use super::tokens::{Kind, Reader};

/// Can a text have this prefix?
pub(super) fn is_prefix(name: &str) -> bool {
    let known = ["r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt"];
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Reads a text from its opening quote on; the prefix, in lower case, was read.
pub(super) fn read(reader: &mut Reader, prefix: &str) -> Kind {
    let quote = reader.next().unwrap_or('"');
    let two: String = [quote; 2].iter().collect();
    let long = reader.take(&two);
    let end: String = std::iter::repeat_n(quote, if long { 3 } else { 1 }).collect();
    let (raw, bytes) = (prefix.contains('r'), prefix.contains('b'));
    let mut text = Ok(String::new());
    loop {
        if reader.take(&end) {
            return finished(prefix, text);
        }
        let piece = match reader.peek() {
            None => return Kind::Broken("a text without an end"),
            Some('\n') if !long => return Kind::Broken("a text without an end"),
            Some('\\') if raw => {
                reader.next();
                // The next one is no end, whatever it is, and both stay.
                Ok(reader
                    .next()
                    .map_or(Piece::Nothing, |next| Piece::Two('\\', next)))
            }
            Some('\\') => {
                reader.next();
                escape(reader, bytes)
            }
            Some(c) => {
                reader.next();
                Ok(Piece::One(c))
            }
        };
        match (&mut text, piece) {
            (Ok(text), Ok(Piece::One(c))) => text.push(c),
            (Ok(text), Ok(Piece::Two(a, b))) => text.extend([a, b]),
            (Ok(_), Ok(Piece::Nothing)) | (Err(_), _) => {}
            (Ok(_), Err(why)) => text = Err(why),
        }
    }
}

fn finished(prefix: &str, text: Result<String, &'static str>) -> Kind {
    match text {
        _ if prefix.contains(['f', 't']) => Kind::Format,
        Ok(text) => Kind::Text(text),
        Err(why) => Kind::Broken(why),
    }
}

enum Piece {
    Nothing,
    One(char),
    Two(char, char),
}

/// What follows a backslash.
fn escape(reader: &mut Reader, bytes: bool) -> Result<Piece, &'static str> {
    let Some(c) = reader.next() else {
        return Ok(Piece::Nothing);
    };
    let number = match c {
        '\n' => return Ok(Piece::Nothing),
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => 0x0a,
        'r' => 0x0d,
        't' => 0x09,
        'v' => 0x0b,
        '\\' | '\'' | '"' => u32::from(c),
        '0'..='7' => {
            let mut number = c.to_digit(8).unwrap_or_default();
            for _ in 0..2 {
                let Some(digit) = reader.peek().and_then(|c| c.to_digit(8)) else {
                    break;
                };
                number = number * 8 + digit;
                reader.next();
            }
            number
        }
        'x' => hexadecimal(reader, 2)?,
        'u' if !bytes => hexadecimal(reader, 4)?,
        'U' if !bytes => hexadecimal(reader, 8)?,
        'N' if !bytes => return Err("a text with a character by its name (\\N{…})"),
        other => return Ok(Piece::Two('\\', other)),
    };
    let c = char::from_u32(number).ok_or("a text with an escape that is no character")?;
    Ok(Piece::One(c))
}

fn hexadecimal(reader: &mut Reader, digits: usize) -> Result<u32, &'static str> {
    let mut number = 0u32;
    for _ in 0..digits {
        let digit = reader.peek().and_then(|c| c.to_digit(16));
        let digit = digit.ok_or("a text with an escape that is not whole")?;
        number = number.wrapping_mul(16).wrapping_add(digit);
        reader.next();
    }
    Ok(number)
}
