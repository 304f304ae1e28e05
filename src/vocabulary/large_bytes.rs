//! Many bytes, whose memory returns to the system when they are dropped.
//!
//! glibc maps a large allocation of its own and unmaps it when it is freed. But each one that is freed raises the size
//! from which it does so, up to 32 MiB (mallopt(3), `M_MMAP_THRESHOLD`). From then on bodies that grow leave holes in
//! its heaps, and the process holds almost twice the memory that the budget allows. Memory that is shrunk before it is
//! freed raises nothing, and costs one system call.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Capacity from which on memory is shrunk: half of the size from which on glibc maps it at first.
const LARGE_BYTES: usize = 64 * 1024;

/// Bytes that may be many, such as those of a body. Its `Debug` shows no byte of it.
#[derive(Default)]
pub struct LargeBytes(Vec<u8>);

impl From<Vec<u8>> for LargeBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for LargeBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for LargeBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for LargeBytes {
    fn drop(&mut self) {
        self.0.clear();
        self.0.shrink_to(LARGE_BYTES);
    }
}

impl fmt::Debug for LargeBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
