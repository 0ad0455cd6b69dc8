//! Arguments of a Redis command, as the protocol has them: `$LENGTH CR LF BYTES CR LF`.

/// At most so many are in one command, pairs together: Lua's `unpack` ends at 8,000.
const MAX_ARGUMENTS: usize = 3_900;

/// Arguments of one or more commands that are equal but for these: (how many, their bytes).
#[derive(Default)]
pub struct Arguments {
    done: Vec<(usize, Vec<u8>)>,
    count: usize,
    bytes: Vec<u8>,
}

impl Arguments {
    /// With room for so many bytes.
    pub fn sized(bytes: usize) -> Self {
        Arguments { bytes: Vec::with_capacity(bytes), ..Arguments::default() }
    }

    pub fn put(&mut self, argument: &[u8]) {
        self.bytes.push(b'$');
        self.digits(argument.len() as u64);
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes.extend_from_slice(argument);
        self.bytes.extend_from_slice(b"\r\n");
        self.count += 1;
    }

    pub fn put_int(&mut self, number: i64) {
        self.put(number.to_string().as_bytes());
    }

    /// The end of a group that stays together.
    pub fn cut(&mut self) {
        if self.count >= MAX_ARGUMENTS - 1 {
            self.done.push((std::mem::take(&mut self.count), std::mem::take(&mut self.bytes)));
        }
    }

    pub fn finish(mut self) -> Vec<(usize, Vec<u8>)> {
        if self.count > 0 {
            self.done.push((self.count, self.bytes));
        }
        self.done
    }

    fn digits(&mut self, number: u64) {
        let mut digits = [0; 20];
        let (mut at, mut left) = (digits.len(), number);
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
    }
}
