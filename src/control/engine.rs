//! Interface of the engine that makes the load: all that a controller and a run know of clients.

/// Set of clients that a controller can admit and remove.
pub trait Engine {
    /// Clients that stay listed in samples for as long as this value is kept.
    type Clients;

    /// Returns the number of clients that were admitted and not removed, including those that have finished, unless
    /// [`Self::forget_ended`] has forgotten them.
    fn admitted(&self) -> u32;

    /// Returns the number of clients that are still running.
    fn running(&self) -> u64;

    /// Forgets the clients that have ended by themselves, if this engine replaces none of them: others arrive.
    fn forget_ended(&mut self) {}

    /// Admits one client.
    fn admit(&mut self) -> impl Future<Output = ()>;

    /// Removes the client that was admitted last; it leaves at once.
    fn remove_newest(&mut self) -> impl Future<Output = ()>;

    /// Lets no new request start. Each client leaves when its requests have ended.
    fn drain(&self) -> impl Future<Output = ()>;

    /// Makes all clients leave at once.
    fn cut(&self) -> impl Future<Output = ()>;

    /// Cuts what is left and waits for the threads of the engine. Returns the clients that were listed at
    /// the end, and the number of threads that were lost to a panic or a hang.
    fn join(self) -> (Self::Clients, usize);
}
