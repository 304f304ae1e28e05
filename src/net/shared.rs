//! State that the clients of one worker thread share.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::Settings;
use super::headers::Headers;
use super::kept::Bodies;
use super::resolve::Resolver;
use super::scope::Scope;

/// Size of the read buffer that all clients of a worker share. Beyond a quarter of a megabyte, the cache misses cost
/// more than the saved system calls.
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// State that the clients of one worker thread share: settings, names, kept bodies and the read buffer.
pub struct Net {
    pub(super) settings: Settings,
    pub(super) resolver: Rc<Resolver>,
    pub(super) bodies: Rc<Bodies>,
    pub(super) buffer: Rc<RefCell<Box<[u8]>>>,
}

impl Net {
    /// Returns the scope of the run.
    pub fn scope(&self) -> &Scope {
        &self.settings.scope
    }

    /// Returns the same state for a client with headers of its own.
    #[must_use]
    pub fn with_headers(&self, headers: Headers) -> Rc<Self> {
        self.with(Settings { headers, ..self.settings.clone() })
    }

    /// Reports whether requests for playlists offer gzip.
    pub fn offers_gzip(&self) -> bool {
        self.settings.offers_gzip()
    }

    /// Creates the shared state of one worker thread.
    pub fn new(settings: Settings) -> Rc<Self> {
        let resolver = Resolver::new(&settings.resolve, settings.transport.family);
        let bodies = Bodies::new(Arc::clone(&settings.budget));
        Rc::new(Self {
            settings,
            resolver: Rc::new(resolver),
            bodies: Rc::new(bodies),
            buffer: Rc::new(RefCell::new(vec![0; READ_BUFFER_BYTES].into_boxed_slice())),
        })
    }

    /// Returns the same state for clients with other settings: other headers, another target.
    #[must_use]
    pub fn with(&self, settings: Settings) -> Rc<Self> {
        Rc::new(Self {
            settings,
            resolver: Rc::clone(&self.resolver),
            bodies: Rc::clone(&self.bodies),
            buffer: Rc::clone(&self.buffer),
        })
    }
}
