//! A small HTTP/1.1 server for this machine: one request a connection, bounded in every direction.
//!
//! * Every connection has a time limit, and there are only a few at a time: the others wait in the kernel. So a client
//!   that sends slowly, sends too much or never reads holds up other clients for that time, and nothing else. A head has
//!   less time than the rest, so that connections on which nothing is asked leave soon.
//! * A [`Service`] chooses the replies. It sees the head first, so that it can refuse a body before it is read.
//! * It is not hyper: `Connection: close` after one reply leaves no pipelining, no keep-alive and no upgrade, so a page of
//!   code that can be read and fuzzed is all that bytes from outside reach.

mod address;
mod listener;
mod reply;
mod request;
mod server;

pub use address::Address;
pub use listener::Listener;
pub use reply::Reply;
#[cfg(any(test, fuzzing))]
pub use request::{HEAD_BYTES, is_whole};
pub use request::{Method, Request};
pub use server::{Replying, Service, serve};
