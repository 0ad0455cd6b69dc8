//! MessagePack as the core writes it: every number in its shortest form.

use crate::halt::{Halt, Result};
use crate::value::Value;

const DEEPEST: usize = 64;

#[derive(Clone)]
pub struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Reader { data, at: 0 }
    }

    pub fn done(&self) -> bool {
        self.at == self.data.len()
    }

    /// What may be reserved for `count` items: each of them takes a byte at least.
    pub fn room(&self, count: usize) -> usize {
        count.min(self.data.len() - self.at)
    }

    pub fn peek(&self) -> Result<u8> {
        self.data.get(self.at).copied().ok_or(Halt::Bad("ends too soon"))
    }

    pub fn is_nil(&self) -> bool {
        self.data.get(self.at) == Some(&0xc0)
    }

    fn byte(&mut self) -> Result<u8> {
        let found = self.peek()?;
        self.at += 1;
        Ok(found)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let rest = &self.data[self.at..];
        let found = rest.get(..count).ok_or(Halt::Bad("ends too soon"))?;
        self.at += count;
        Ok(found)
    }

    fn unsigned(&mut self, bytes: usize) -> Result<u64> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn size(&mut self, bytes: usize) -> Result<usize> {
        Ok(self.unsigned(bytes)? as usize)
    }

    pub fn array(&mut self) -> Result<usize> {
        match self.byte()? {
            head @ 0x90..=0x9f => Ok(usize::from(head & 15)),
            0xdc => self.size(2),
            0xdd => self.size(4),
            _ => Err(Halt::Bad("is not an array")),
        }
    }

    pub fn array_of(&mut self, count: usize) -> Result<()> {
        if self.array()? == count { Ok(()) } else { Err(Halt::Bad("has another number of fields")) }
    }

    pub fn map(&mut self) -> Result<usize> {
        match self.byte()? {
            head @ 0x80..=0x8f => Ok(usize::from(head & 15)),
            0xde => self.size(2),
            0xdf => self.size(4),
            _ => Err(Halt::Bad("is not a map")),
        }
    }

    /// How many bytes were read.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn is_int(&self) -> bool {
        matches!(self.data.get(self.at), Some(0..=0x7f | 0xcc..=0xcf | 0xd0..=0xd3 | 0xe0..=0xff))
    }

    pub fn is_str(&self) -> bool {
        matches!(self.data.get(self.at), Some(0xa0..=0xbf | 0xd9..=0xdb))
    }

    pub fn is_array(&self) -> bool {
        matches!(self.data.get(self.at), Some(0x90..=0x9f | 0xdc | 0xdd))
    }

    pub fn is_bin(&self) -> bool {
        matches!(self.data.get(self.at), Some(0xc4..=0xc6))
    }

    pub fn str(&mut self) -> Result<&'a str> {
        let count = match self.byte()? {
            head @ 0xa0..=0xbf => usize::from(head & 31),
            0xd9 => self.size(1)?,
            0xda => self.size(2)?,
            0xdb => self.size(4)?,
            _ => return Err(Halt::Bad("is not a text")),
        };
        std::str::from_utf8(self.take(count)?).map_err(|_| Halt::Bad("is not UTF-8"))
    }

    pub fn bin(&mut self) -> Result<&'a [u8]> {
        let count = match self.byte()? {
            0xc4 => self.size(1)?,
            0xc5 => self.size(2)?,
            0xc6 => self.size(4)?,
            _ => return Err(Halt::Bad("is not bytes")),
        };
        self.take(count)
    }

    pub fn int(&mut self) -> Result<i64> {
        match self.byte()? {
            head @ 0..=0x7f => Ok(i64::from(head)),
            head @ 0xe0..=0xff => Ok(i64::from(head as i8)),
            0xcc => Ok(self.unsigned(1)? as i64),
            0xcd => Ok(self.unsigned(2)? as i64),
            0xce => Ok(self.unsigned(4)? as i64),
            0xcf => i64::try_from(self.unsigned(8)?).map_err(|_| Halt::Lacks("whole numbers of more than 63 bits")),
            0xd0 => Ok(i64::from(self.unsigned(1)? as i8)),
            0xd1 => Ok(i64::from(self.unsigned(2)? as i16)),
            0xd2 => Ok(i64::from(self.unsigned(4)? as i32)),
            0xd3 => Ok(self.unsigned(8)? as i64),
            _ => Err(Halt::Bad("is not a whole number")),
        }
    }

    pub fn int_or_nil(&mut self) -> Result<Option<i64>> {
        if self.is_nil() {
            self.at += 1;
            return Ok(None);
        }
        self.int().map(Some)
    }

    pub fn bool(&mut self) -> Result<bool> {
        match self.byte()? {
            0xc2 => Ok(false),
            0xc3 => Ok(true),
            _ => Err(Halt::Bad("is neither true nor false")),
        }
    }

    pub fn nil(&mut self) -> Result<()> {
        if self.byte()? == 0xc0 { Ok(()) } else { Err(Halt::Bad("is not nil")) }
    }

    /// The bytes of whatever comes next.
    pub fn raw(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        let mut left = 1_usize;
        while left > 0 {
            left -= 1;
            match self.peek()? {
                0x80..=0x8f | 0xde | 0xdf => left = left.saturating_add(self.map()?.saturating_mul(2)),
                0x90..=0x9f | 0xdc | 0xdd => left = left.saturating_add(self.array()?),
                0xa0..=0xbf | 0xd9..=0xdb => {
                    self.str()?;
                }
                0xc0 | 0xc2 | 0xc3 => self.at += 1,
                0xc4..=0xc6 => {
                    self.bin()?;
                }
                0xca => {
                    self.take(5)?;
                }
                0xcb | 0xcf | 0xd3 => {
                    self.take(9)?;
                }
                0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => return Err(Halt::Lacks("extension types")),
                _ => {
                    self.int()?;
                }
            }
        }
        Ok(&self.data[start..self.at])
    }

    /// As `raw`, of what is only copied: neither are texts looked at nor numbers read. Whoever reads it later does so.
    pub fn passed(&mut self) -> Result<&'a [u8]> {
        let (data, start) = (self.data, self.at);
        let (mut at, mut left) = (start, 1_usize);
        let number = |at: usize, bytes: usize| -> Result<usize> {
            let found = data.get(at + 1..at + 1 + bytes).ok_or(Halt::Bad("ends too soon"))?;
            Ok(found.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
        };
        while left > 0 {
            left -= 1;
            let (taken, more) = match *data.get(at).ok_or(Halt::Bad("ends too soon"))? {
                0..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (1, 0),
                head @ 0x80..=0x8f => (1, 2 * usize::from(head & 15)),
                head @ 0x90..=0x9f => (1, usize::from(head & 15)),
                head @ 0xa0..=0xbf => (1 + usize::from(head & 31), 0),
                0xcc | 0xd0 => (2, 0),
                0xcd | 0xd1 => (3, 0),
                0xce | 0xd2 | 0xca => (5, 0),
                0xcf | 0xd3 | 0xcb => (9, 0),
                0xc4 | 0xd9 => (2 + number(at, 1)?, 0),
                0xc5 | 0xda => (3 + number(at, 2)?, 0),
                0xc6 | 0xdb => (5 + number(at, 4)?, 0),
                0xdc => (3, number(at, 2)?),
                0xdd => (5, number(at, 4)?),
                0xde => (3, 2 * number(at, 2)?),
                0xdf => (5, 2 * number(at, 4)?),
                0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => return Err(Halt::Lacks("extension types")),
            };
            at += taken;
            left = left.saturating_add(more);
        }
        let found = data.get(start..at).ok_or(Halt::Bad("ends too soon"))?;
        self.at = at;
        Ok(found)
    }

    pub fn value(&mut self) -> Result<Value<'a>> {
        self.value_in(0)
    }

    fn value_in(&mut self, depth: usize) -> Result<Value<'a>> {
        if depth > DEEPEST {
            return Err(Halt::Lacks("values so deep"));
        }
        match self.peek()? {
            0xc0 => self.nil().map(|()| Value::Nil),
            0xc2 | 0xc3 => self.bool().map(Value::Bool),
            0xcb => {
                self.at += 1;
                let number = f64::from_bits(self.unsigned(8)?);
                if number.is_finite() { Ok(Value::Float(number)) } else { Err(Halt::Lacks("numbers that are not finite")) }
            }
            0xa0..=0xbf | 0xd9..=0xdb => self.str().map(Value::Str),
            0x90..=0x9f | 0xdc | 0xdd => {
                let count = self.array()?;
                let mut items = Vec::with_capacity(self.room(count));
                for _ in 0..count {
                    items.push(self.value_in(depth + 1)?);
                }
                Ok(Value::List(items))
            }
            0x80..=0x8f | 0xde | 0xdf => self.members(depth).map(Value::Map),
            0xca | 0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => Err(Halt::Lacks("values of other types")),
            _ => self.int().map(Value::Int),
        }
    }

    fn members(&mut self, depth: usize) -> Result<Vec<(&'a str, Value<'a>)>> {
        let count = self.map()?;
        let mut members = Vec::with_capacity(self.room(count));
        for _ in 0..count {
            members.push((self.str()?, self.value_in(depth + 1)?));
        }
        distinct(members.iter().map(|member| member.0))?;
        Ok(members)
    }
}

/// So few names are compared each with each.
pub const FEW: usize = 8;

/// The names of a map's members stand there once.
pub fn distinct<'n>(names: impl ExactSizeIterator<Item = &'n str> + Clone) -> Result<()> {
    let again = if names.len() <= FEW {
        names.clone().enumerate().any(|(at, name)| names.clone().take(at).any(|other| other == name))
    } else {
        let mut sorted: Vec<&str> = names.collect();
        sorted.sort_unstable();
        sorted.windows(2).any(|pair| pair[0] == pair[1])
    };
    if again { Err(Halt::Lacks("a key that stands twice")) } else { Ok(()) }
}

pub fn put_int(out: &mut Vec<u8>, number: i64) {
    match number {
        0..=0x7f => out.push(number as u8),
        0x80..=0xff => out.extend([0xcc, number as u8]),
        0x100..=0xffff => put_sized(out, 0xcd, &(number as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => put_sized(out, 0xce, &(number as u32).to_be_bytes()),
        0x1_0000_0000.. => put_sized(out, 0xcf, &(number as u64).to_be_bytes()),
        -32..=-1 => out.push(number as i8 as u8),
        -0x80..=-33 => out.extend([0xd0, number as i8 as u8]),
        -0x8000..=-0x81 => put_sized(out, 0xd1, &(number as i16).to_be_bytes()),
        -0x8000_0000..=-0x8001 => put_sized(out, 0xd2, &(number as i32).to_be_bytes()),
        _ => put_sized(out, 0xd3, &number.to_be_bytes()),
    }
}

/// A whole number of 64 bits that `put_int` can't take.
pub fn put_large(out: &mut Vec<u8>, number: u64) {
    put_sized(out, 0xcf, &number.to_be_bytes());
}

pub fn put_int_or_nil(out: &mut Vec<u8>, number: Option<i64>) {
    match number {
        Some(number) => put_int(out, number),
        None => out.push(0xc0),
    }
}

fn put_sized(out: &mut Vec<u8>, head: u8, bytes: &[u8]) {
    out.push(head);
    out.extend_from_slice(bytes);
}

pub fn put_float(out: &mut Vec<u8>, number: f64) {
    put_sized(out, 0xcb, &number.to_bits().to_be_bytes());
}

pub fn put_bool(out: &mut Vec<u8>, flag: bool) {
    out.push(if flag { 0xc3 } else { 0xc2 });
}

pub fn put_array(out: &mut Vec<u8>, count: usize) {
    match count {
        0..=15 => out.push(0x90 | count as u8),
        16..=0xffff => put_sized(out, 0xdc, &(count as u16).to_be_bytes()),
        _ => put_sized(out, 0xdd, &(count as u32).to_be_bytes()),
    }
}

pub fn put_map(out: &mut Vec<u8>, count: usize) {
    match count {
        0..=15 => out.push(0x80 | count as u8),
        16..=0xffff => put_sized(out, 0xde, &(count as u16).to_be_bytes()),
        _ => put_sized(out, 0xdf, &(count as u32).to_be_bytes()),
    }
}

pub fn put_str(out: &mut Vec<u8>, text: &str) {
    let count = text.len();
    match count {
        0..=31 => out.push(0xa0 | count as u8),
        32..=0xff => out.extend([0xd9, count as u8]),
        0x100..=0xffff => put_sized(out, 0xda, &(count as u16).to_be_bytes()),
        _ => put_sized(out, 0xdb, &(count as u32).to_be_bytes()),
    }
    out.extend_from_slice(text.as_bytes());
}

pub fn put_bin(out: &mut Vec<u8>, bytes: &[u8]) {
    let count = bytes.len();
    match count {
        0..=0xff => out.extend([0xc4, count as u8]),
        0x100..=0xffff => put_sized(out, 0xc5, &(count as u16).to_be_bytes()),
        _ => put_sized(out, 0xc6, &(count as u32).to_be_bytes()),
    }
    out.extend_from_slice(bytes);
}

/// Items that lie one after the other, as an array.
pub fn counted(count: usize, items: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.len() + 5);
    put_array(&mut out, count);
    out.extend_from_slice(items);
    out
}

pub fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Nil => out.push(0xc0),
        Value::Bool(flag) => put_bool(out, *flag),
        Value::Int(number) => put_int(out, *number),
        Value::Float(number) => put_float(out, *number),
        Value::Str(text) => put_str(out, text),
        Value::List(items) => {
            put_array(out, items.len());
            items.iter().for_each(|item| put_value(out, item));
        }
        Value::Map(members) => {
            put_map(out, members.len());
            for (name, member) in members {
                put_str(out, name);
                put_value(out, member);
            }
        }
    }
}
