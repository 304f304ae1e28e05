//! Reads the head of a request: method, path and accepted formats; everything else is ignored.

/// Maximum bytes of a head. Prometheus sends about 600.
pub(super) const HEAD_BYTES: usize = 8 * 1024;

/// Method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Other,
}

/// Head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Path without the query.
    pub(super) path: String,
    /// Values of all `Accept` lines.
    pub(super) accept: String,
}

/// Reports whether these bytes contain a whole head, which ends with an empty line.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|four| four == b"\r\n\r\n") || bytes.windows(2).any(|two| two == b"\n\n")
}

impl Request {
    /// Reads a head; `None` if it is not that of an HTTP/1 request.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return None;
        }
        let method = match method {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            _ => Method::Other,
        };
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
        let accept = headers.filter(|(name, _)| name.eq_ignore_ascii_case("accept"));
        let accept: Vec<_> = accept.map(|(_, value)| value.trim()).collect();
        Some(Self { method, path, accept: accept.join(",") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_path_and_formats_are_read_and_the_rest_is_not() {
        let head = b"HEAD /metrics?a=b HTTP/1.1\r\nHost: h\r\nAccept: a/b;q=1\r\nX: accept: z\r\naccept:c/d\r\n\r\nAccept: e";
        assert!(is_whole(head) && !is_whole(&head[..40]));
        let request =
            Request { method: Method::Head, path: "/metrics".to_owned(), accept: "a/b;q=1,c/d".to_owned() };
        assert_eq!(Request::parse(head), Some(request));
        assert_eq!(Request::parse(b"PUT / HTTP/1.0\n\n").map(|request| request.method), Some(Method::Other));
    }

    #[test]
    fn other_bytes_are_no_request() {
        for head in [
            &b""[..],
            b"\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/2\r\n\r\n",
            b"GET http://h/metrics HTTP/1.1\r\n\r\n",
            b"GET / / HTTP/1.1\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\r\n\r\n",
        ] {
            assert_eq!(Request::parse(head), None, "{head:?}");
        }
    }
}
