//! Properties of an event as the archive has them, in JSON, made what a record would carry.

use crate::halt::{Halt, Result};
use crate::msgpack;

const DEEPEST: usize = 64;
const BAD: Halt = Halt::Bad("is not JSON");

/// The value of a text, in msgpack. Whole numbers of more than 63 bits are lacking.
pub fn packed(text: &str) -> Result<Vec<u8>> {
    let mut reading = Reading { text, at: 0 };
    let mut out = Vec::with_capacity(text.len() + 8);
    reading.value(&mut out, 0)?;
    reading.space();
    if reading.at == text.len() { Ok(out) } else { Err(BAD) }
}

struct Reading<'t> {
    text: &'t str,
    at: usize,
}

impl Reading<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn next_is(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.next_is(byte) { Ok(()) } else { Err(BAD) }
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(Halt::Lacks("values so deep"));
        }
        self.space();
        match self.peek().ok_or(BAD)? {
            b'{' => self.items(b'}', out, msgpack::put_map, |reading, out| {
                reading.space();
                reading.string(out)?;
                reading.expect(b':')?;
                reading.value(out, depth + 1)
            }),
            b'[' => self.items(b']', out, msgpack::put_array, |reading, out| reading.value(out, depth + 1)),
            b'"' => self.string(out),
            b't' => self.word("true", 0xc3, out),
            b'f' => self.word("false", 0xc2, out),
            b'n' => self.word("null", 0xc0, out),
            _ => self.number(out),
        }
    }

    fn items(
        &mut self, end: u8, out: &mut Vec<u8>, head: impl Fn(&mut Vec<u8>, usize),
        mut item: impl FnMut(&mut Self, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        self.at += 1;
        let (mut count, mut items) = (0, Vec::new());
        if !self.next_is(end) {
            loop {
                item(self, &mut items)?;
                count += 1;
                if self.next_is(end) {
                    break;
                }
                self.expect(b',')?;
            }
        }
        head(out, count);
        out.extend_from_slice(&items);
        Ok(())
    }

    fn word(&mut self, word: &str, head: u8, out: &mut Vec<u8>) -> Result<()> {
        if !self.text[self.at..].starts_with(word) {
            return Err(BAD);
        }
        self.at += word.len();
        out.push(head);
        Ok(())
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let rest = &self.text[self.at..];
        let end = rest.find(|each: char| !matches!(each, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let digits = &rest[..end];
        self.at += end;
        if digits.contains(['.', 'e', 'E']) {
            let number: f64 = digits.parse().map_err(|_| BAD)?;
            if !number.is_finite() {
                return Err(Halt::Lacks("numbers that are not finite"));
            }
            msgpack::put_float(out, number);
        } else if digits.trim_start_matches('-').is_empty() {
            return Err(BAD);
        } else {
            let number: i64 = digits.parse().map_err(|_| Halt::Lacks("whole numbers of more than 63 bits"))?;
            msgpack::put_int(out, number);
        }
        Ok(())
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.peek() != Some(b'"') {
            return Err(BAD);
        }
        self.at += 1;
        let rest = &self.text[self.at..];
        let end = rest.find(['"', '\\']).ok_or(BAD)?;
        if rest.as_bytes()[end] == b'"' {
            self.at += end + 1;
            msgpack::put_str(out, &rest[..end]);
            return Ok(());
        }
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let end = rest.find(['"', '\\']).ok_or(BAD)?;
            text.push_str(&rest[..end]);
            self.at += end + 1;
            if rest.as_bytes()[end] == b'"' {
                msgpack::put_str(out, &text);
                return Ok(());
            }
            let escape = self.peek().ok_or(BAD)?;
            self.at += 1;
            text.push(match escape {
                b'"' | b'\\' | b'/' => char::from(escape),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.escaped()?,
                _ => return Err(BAD),
            });
        }
    }

    /// Behind `\u`: four digits, or a pair of surrogates.
    fn escaped(&mut self) -> Result<char> {
        let first = self.unit()?;
        if let Some(found) = char::from_u32(first) {
            return Ok(found);
        }
        if !self.text[self.at..].starts_with("\\u") {
            return Err(BAD);
        }
        self.at += 2;
        let second = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
            return Err(BAD);
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(BAD)
    }

    fn unit(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(BAD)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| BAD)
    }
}
