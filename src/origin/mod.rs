//! The built-in test origin.
