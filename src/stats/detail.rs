//! Details of failures and findings, made safe to print before they are stored: one line without control characters
//! and without anything that looks like a secret.

use std::sync::Arc;

use crate::vocabulary::{Untrusted, secret_shape};

/// Detail of a failure or a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Any text: what looks like a token in it is masked.
    Text(String),
    /// A text of our own about a host, with nothing else of a URL. A host is no secret, and the names that clouds
    /// give look like tokens: masked, the advice to allow one of them would be useless.
    Host(String),
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Detail {
    /// Returns the detail as reports print it. A text is at most `columns` wide; one about a host is cut only where
    /// every untrusted text is.
    pub(super) fn shown_in(&self, columns: usize) -> Arc<str> {
        match self {
            Self::Text(text) => Untrusted::new(&secret_shape::shown_text(text)).shown_in(columns),
            Self::Host(text) => Untrusted::new(text).shown(),
        }
        .into()
    }
}
