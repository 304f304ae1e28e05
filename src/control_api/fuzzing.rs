//! Entry point for fuzzing the requests of the control API; see [`crate::fuzzing`].

use super::order::{self, Order};
use crate::local_http::{Method, Request};
use crate::vocabulary::Steer;

/// Reads bytes as a request: its head, and what follows as its body. An order that is read has numbers in their ranges,
/// and a refusal repeats nothing that a terminal would obey.
pub fn control(data: &[u8]) {
    let Some(request) = Request::parse(data) else { return };
    let refused = match order::refusal(&request) {
        Some(refused) => refused,
        // The body of a seed is what follows the first empty line.
        None => {
            let place =
                data.windows(4).position(|four| four == b"\r\n\r\n").map_or(data.len(), |place| place + 4);
            let body = data.get(place..).unwrap_or_default();
            match order::order(&request.path, body) {
                Err(refused) => refused,
                Ok(order) => {
                    let changes = !matches!(order, Order::Status | Order::Sample);
                    assert_eq!(changes, request.method == Method::Post, "{order:?}");
                    if let Order::Steer(Steer::Adjust(by)) = order {
                        assert!(by.unsigned_abs() <= 1_000_000_000, "{by}");
                    }
                    return;
                }
            }
        }
    };
    assert!(!refused.why.chars().any(char::is_control), "{refused:?}");
}
