//! The interface of whatever makes the load: all that a controller knows of clients.

/// Clients that can be admitted and taken away.
pub trait Engine {
    /// Clients that were admitted and have not been removed, those that have finished included.
    fn admitted(&self) -> u32;

    /// Clients whose life goes on.
    fn running(&self) -> u64;

    /// Admits one client.
    fn admit(&mut self) -> impl Future<Output = ()>;

    /// Removes the client that was admitted last: it leaves at once.
    fn remove_newest(&mut self) -> impl Future<Output = ()>;

    /// No new request starts; clients leave when theirs have ended.
    fn drain(&self) -> impl Future<Output = ()>;

    /// All clients leave at once.
    fn cut(&self) -> impl Future<Output = ()>;
}
