//! Why the kernel gives a step back undone.

/// `Bad`: the bytes are not what they should be. `Lacks`: the interpreted core can do it, the kernel can't.
/// Nothing has changed in either case, so the interpreted core is asked instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    Bad(&'static str),
    Lacks(&'static str),
}

impl Halt {
    /// What can't be read, or is lacking.
    pub fn what(self) -> &'static str {
        match self {
            Halt::Bad(what) | Halt::Lacks(what) => what,
        }
    }
}

pub type Result<T> = std::result::Result<T, Halt>;
