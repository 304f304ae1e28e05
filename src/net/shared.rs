//! State that the clients of one worker thread share.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::Settings;
use super::kept::Bodies;
use super::resolve::Resolver;
use super::scope::Scope;

/// Size of the read buffer that all clients of a worker share. Beyond a quarter of a megabyte, the cache misses cost
/// more than the saved system calls.
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// State that the clients of one worker thread share: settings, names, kept bodies and the read buffer.
pub struct Net {
    pub(super) settings: Settings,
    pub(super) resolver: Resolver,
    pub(super) bodies: Bodies,
    pub(super) buffer: RefCell<Box<[u8]>>,
}

impl Net {
    /// Returns the scope of the run.
    pub fn scope(&self) -> &Scope {
        &self.settings.scope
    }

    /// Creates the shared state of one worker thread.
    pub fn new(settings: Settings) -> Rc<Self> {
        let resolver = Resolver::new(&settings.resolve, settings.transport.family);
        let bodies = Bodies::new(Arc::clone(&settings.budget));
        Rc::new(Self {
            settings,
            resolver,
            bodies,
            buffer: RefCell::new(vec![0; READ_BUFFER_BYTES].into_boxed_slice()),
        })
    }
}
