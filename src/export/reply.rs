//! Replies: status, headers and text.

use super::exposition::Format;
use super::request::Method;

/// A reply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

impl Reply {
    /// Creates the reply with these metrics.
    pub(super) fn metrics(format: Format, body: String) -> Self {
        Self { status: "200 OK", content_type: format.content_type(), body }
    }

    /// Creates a reply of one line, which is `why`.
    pub(super) fn line(status: &'static str, why: &str) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: format!("{why}\n") }
    }

    /// Returns the bytes on the wire. The connection closes after them: a scrape a second needs no other.
    pub(super) fn bytes(self, method: Method) -> Vec<u8> {
        let Self { status, content_type, body } = self;
        let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{allow}Connection: close\r\n\r\n",
            body.len()
        );
        let body = if method == Method::Head { String::new() } else { body };
        (head + &body).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_to_head_has_the_length_and_no_body() {
        let reply = Reply::line("405 Method Not Allowed", "no");
        let head = "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\
                    Allow: GET, HEAD\r\nConnection: close\r\n\r\n";
        assert_eq!(reply.clone().bytes(Method::Head), head.as_bytes());
        assert_eq!(reply.bytes(Method::Other), format!("{head}no\n").as_bytes());
    }
}
