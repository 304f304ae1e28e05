//! Takes connections, reads a request from each, and sends the reply of a service.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use super::listener::{Listener, Stream};
use super::reply::Reply;
use super::request::{HEAD_BYTES, Method, Request, end_of_head, is_whole};

/// Maximum number of connections at a time: several Prometheus servers or scripts, and a person.
const CONNECTIONS: usize = 16;
/// Maximum time of a connection: the default time limit of a scrape.
const CONNECTION_LIMIT: Duration = Duration::from_secs(10);
/// Maximum time in which a head arrives, which a program of this machine sends at once. Idle connections would otherwise
/// hold all places for much longer, without a token even.
const HEAD_LIMIT: Duration = Duration::from_secs(1);
/// Time for which the rest of what the other side sends is read after the reply. Closing with unread bytes would reset
/// the connection, and the reply might be lost.
const LINGER: Duration = Duration::from_millis(500);
/// Pause before retrying a failed accept, for instance when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A reply in the making.
pub type Replying<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Replies to requests.
pub trait Service: Send + Sync {
    /// Returns the maximum bytes of a body; with 0 no body is read.
    fn body_bytes(&self) -> usize {
        0
    }

    /// Returns a refusal of a request whose body has not been read.
    fn refusal(&self, _head: &Request) -> Option<Reply> {
        None
    }

    /// Returns a reply that says that the bytes are no request that can be read.
    fn unreadable(&self, status: &'static str, why: &str) -> Reply {
        Reply::line(status, why)
    }

    /// Returns the reply to a request.
    fn reply<'a>(&'a self, request: &'a Request) -> Replying<'a>;
}

/// Serves connections forever: [`CONNECTIONS`] at a time, in one task. Polling all of them costs less than a task for
/// each.
pub async fn serve(listener: Listener, service: Arc<dyn Service>) {
    let slot = |_| Box::pin(take_connections(&listener, &*service));
    let mut slots: Vec<_> = (0..CONNECTIONS).map(slot).collect();
    poll_fn(|cx| {
        slots.iter_mut().for_each(|slot| _ = slot.as_mut().poll(cx));
        Poll::Pending
    })
    .await
}

/// Serves one connection after another.
async fn take_connections(listener: &Listener, service: &dyn Service) -> Infallible {
    loop {
        match listener.accept().await {
            // A connection that fails or takes too long is the client's loss.
            Ok(mut stream) => _ = timeout(CONNECTION_LIMIT, exchange(&mut *stream, service)).await,
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Reads a request and replies to it.
async fn exchange(stream: &mut dyn Stream, service: &dyn Service) -> io::Result<()> {
    let (reply, method) = match timeout(HEAD_LIMIT, read_head(stream)).await?? {
        None => {
            let why = "at most 8 KB of headers";
            (service.unreadable("431 Request Header Fields Too Large", why), Method::Get)
        }
        Some(bytes) => match Request::parse(&bytes) {
            None => (service.unreadable("400 Bad Request", "expected an HTTP/1.1 request"), Method::Get),
            Some(request) => {
                let method = request.method;
                (answer(stream, service, request, &bytes).await?, method)
            }
        },
    };
    let (bytes, once_sent) = reply.bytes(method);
    stream.write_all(&bytes).await?;
    once_sent.into_iter().for_each(|hook| hook());
    stream.shutdown().await?;
    let mut rest = [0; 4_096];
    let linger = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
    _ = timeout(LINGER, linger).await;
    Ok(())
}

/// Returns the reply to a request whose head is in `bytes`, perhaps with some of its body.
async fn answer(
    stream: &mut dyn Stream,
    service: &dyn Service,
    mut request: Request,
    bytes: &[u8],
) -> io::Result<Reply> {
    if let Some(refusal) = service.refusal(&request) {
        return Ok(refusal);
    }
    let most = service.body_bytes();
    if request.method == Method::Post && most > 0 {
        if request.header("transfer-encoding").is_some() {
            return Ok(service.unreadable("411 Length Required", "expected a body with Content-Length"));
        }
        let length = request.header("content-length").map_or(Ok(0), |length| length.parse::<usize>());
        let Ok(length) = length else {
            return Ok(service.unreadable("400 Bad Request", "Content-Length: expected a number"));
        };
        if length > most {
            let why = format!("expected a body of at most {most} bytes");
            return Ok(service.unreadable("413 Content Too Large", &why));
        }
        let begun = end_of_head(bytes).and_then(|end| bytes.get(end..)).unwrap_or_default();
        request.body.extend_from_slice(begun.get(..length).unwrap_or(begun));
        let begun = request.body.len();
        request.body.resize(length, 0);
        stream.read_exact(request.body.get_mut(begun..).unwrap_or_default()).await?;
    }
    Ok(service.reply(&request).await)
}

/// Reads the head of a request, and what has come with it; `None` if it is too large.
///
/// # Errors
/// The connection failed or ended before the head was whole.
async fn read_head(stream: &mut dyn Stream) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(1_024);
    let mut searched = 0;
    while !is_whole(head.get(searched..).unwrap_or_default()) {
        // The end of a head may be split between two reads.
        searched = head.len().saturating_sub(3);
        if head.len() >= HEAD_BYTES {
            return Ok(None);
        }
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::Instant;

    use super::*;

    /// Replies with the body of a request.
    struct Echo;

    impl Service for Echo {
        fn body_bytes(&self) -> usize {
            100
        }

        fn reply<'a>(&'a self, request: &'a Request) -> Replying<'a> {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            Box::pin(async move { Reply::line("200 OK", &body) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_little_time_and_a_body_that_of_the_connection() {
        for begun in ["", "GET / HTTP/1.1\r\nHost: h\r\n"] {
            let (mut client, mut server) = duplex(1_024);
            client.write_all(begun.as_bytes()).await.expect("sent");
            let start = Instant::now();
            let ended = timeout(CONNECTION_LIMIT, exchange(&mut server, &Echo)).await.expect("ended");
            assert_eq!(ended.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut), "{begun:?}");
            assert!(start.elapsed() < 2 * HEAD_LIMIT, "{begun:?}");
        }
        let (mut client, mut server) = duplex(1_024);
        let slow = async {
            client.write_all(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n").await.expect("sent");
            sleep(CONNECTION_LIMIT / 2).await;
            client.write_all(b"body").await.expect("sent");
            let mut reply = String::new();
            client.read_to_string(&mut reply).await.expect("a reply");
            drop(client);
            reply
        };
        let (reply, ended) = tokio::join!(slow, exchange(&mut server, &Echo));
        assert!(
            ended.is_ok() && reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.contains("body"),
            "{reply}"
        );
    }
}
