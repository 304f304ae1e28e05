//! Interface of the engine that makes the load: all that a controller knows of clients.

/// Set of clients that a controller can admit and remove.
pub trait Engine {
    /// Returns the number of clients that were admitted and not removed, including those that have finished.
    fn admitted(&self) -> u32;

    /// Returns the number of clients that are still running.
    fn running(&self) -> u64;

    /// Admits one client.
    fn admit(&mut self) -> impl Future<Output = ()>;

    /// Removes the client that was admitted last; it leaves at once.
    fn remove_newest(&mut self) -> impl Future<Output = ()>;

    /// Lets no new request start. Each client leaves when its requests have ended.
    fn drain(&self) -> impl Future<Output = ()>;

    /// Makes all clients leave at once.
    fn cut(&self) -> impl Future<Output = ()>;
}
