//! Replies: status, headers and text.

use super::request::Method;

/// Function that is called once a reply has been sent.
pub(super) type SentHook = Box<dyn FnOnce() + Send>;

/// A reply to a request.
pub struct Reply {
    status: &'static str,
    content_type: &'static str,
    /// Further headers, each with its line end.
    headers: String,
    body: String,
    once_sent: Option<SentHook>,
}

impl Reply {
    /// Creates a reply of the given content type.
    pub fn new(status: &'static str, content_type: &'static str, body: String) -> Self {
        Self { status, content_type, headers: String::new(), body, once_sent: None }
    }

    /// Creates a reply of one line, which is `why`.
    pub fn line(status: &'static str, why: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", format!("{why}\n"))
    }

    /// Returns the reply with further headers, each with its line end.
    #[must_use]
    pub fn with(mut self, headers: &'static str) -> Self {
        self.headers += headers;
        self
    }

    /// Returns the reply, which calls `hook` once all of it has been sent.
    #[must_use]
    pub fn once_sent(self, hook: impl FnOnce() + Send + 'static) -> Self {
        Self { once_sent: Some(Box::new(hook)), ..self }
    }

    /// Returns the bytes on the wire, and the hook to call once they have been sent. The connection closes after them: a
    /// scrape a second needs no other.
    pub(super) fn bytes(self, method: Method) -> (Vec<u8>, Option<SentHook>) {
        let Self { status, content_type, headers, body, once_sent } = self;
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{headers}Connection: close\r\n\r\n",
            body.len()
        );
        let body = if method == Method::Head { String::new() } else { body };
        ((head + &body).into_bytes(), once_sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_to_head_has_the_length_and_no_body() {
        let reply = || Reply::line("405 Method Not Allowed", "no").with("Allow: GET, HEAD\r\n");
        let head = "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\
                    Allow: GET, HEAD\r\nConnection: close\r\n\r\n";
        assert_eq!(reply().bytes(Method::Head).0, head.as_bytes());
        assert_eq!(reply().bytes(Method::Other).0, format!("{head}no\n").as_bytes());
    }
}
