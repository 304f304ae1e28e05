//! Reads the head of a request: method, path and headers.

/// Maximum bytes of a head. Prometheus sends about 600.
pub const HEAD_BYTES: usize = 8 * 1024;

/// Method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `POST`.
    Post,
    /// Any other method.
    Other,
}

/// A request: its head, and its body if the service accepts one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method of the request.
    pub method: Method,
    /// Path without the query.
    pub path: String,
    /// Names, in small letters, and values of the headers.
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Reports whether these bytes contain a whole head, which ends with an empty line.
pub fn is_whole(bytes: &[u8]) -> bool {
    end_of_head(bytes).is_some()
}

/// Returns the place at which the body begins; `None` while the head is not whole.
pub(super) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let place = |end: &[u8]| Some(bytes.windows(end.len()).position(|part| part == end)? + end.len());
    let ends = [place(b"\r\n\r\n"), place(b"\n\n")];
    ends.into_iter().flatten().min()
}

impl Request {
    /// Reads a head; `None` if it is not that of an HTTP/1 request.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
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
            "POST" => Method::Post,
            _ => Method::Other,
        };
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let lines = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
        let headers =
            lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Some(Self { method, path, headers, body: Vec::new() })
    }

    /// Returns the values of all headers of a name, in small letters, with commas between them; `None` without any. So a
    /// header that is given twice is not taken for the one value that is expected.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value).collect();
        (!values.is_empty()).then(|| values.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_path_and_headers_are_read_and_the_rest_is_not() {
        let head = b"HEAD /metrics?a=b HTTP/1.1\r\nHost: h\r\nAccept: a/b;q=1\r\nX: accept: z\r\naccept:c/d\r\n\r\nAccept: e";
        assert!(is_whole(head) && !is_whole(&head[..40]));
        assert_eq!(end_of_head(head), Some(head.len() - b"Accept: e".len()));
        let request = Request::parse(head).expect("a request");
        assert_eq!((request.method, &*request.path), (Method::Head, "/metrics"));
        assert_eq!(request.header("accept").as_deref(), Some("a/b;q=1,c/d"));
        assert_eq!((request.header("host").as_deref(), request.header("origin")), (Some("h"), None));
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
