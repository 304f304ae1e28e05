//! What the clients of one worker thread share: settings, names, the read buffer.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::Settings;
use super::kept::Bodies;
use super::resolve::Resolver;

/// The read buffer that all clients of a worker share. A quarter of a megabyte is where fewer system calls stop
/// paying for the cache that they miss.
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// What the clients of one worker thread share: settings, names, the read buffer.
pub struct Net {
    pub(super) settings: Settings,
    pub(super) resolver: Resolver,
    pub(super) bodies: Bodies,
    pub(super) buffer: RefCell<Box<[u8]>>,
}

impl Net {
    /// The network of one worker thread.
    pub fn new(settings: Settings) -> Rc<Self> {
        let resolver = Resolver::new(&settings.resolve);
        let bodies = Bodies::new(Arc::clone(&settings.budget));
        Rc::new(Self {
            settings,
            resolver,
            bodies,
            buffer: RefCell::new(vec![0; READ_BUFFER_BYTES].into_boxed_slice()),
        })
    }
}
