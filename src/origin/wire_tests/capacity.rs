//! Origins of limited capacity.

use super::*;

#[tokio::test]
async fn bodies_share_the_capacity_of_the_origin() {
    let origin = Running::start(Settings { capacity: Some(8_000_000), ..Settings::default() }).await;
    let (mut one, mut other) = (origin.client().await, origin.client().await);
    let begun = Instant::now();
    // 400,000 bytes each, at 8 Mb/s together: 800 ms for both.
    let half = "Range: bytes=0-399999\r\n";
    let bodies = tokio::join!(one.get_with(SEGMENT, half), other.get_with(SEGMENT, half));
    assert_eq!([bodies.0.body.len(), bodies.1.body.len()], [400_000; 2]);
    assert!(begun.elapsed() >= Duration::from_millis(700), "{:?}", begun.elapsed());
    drop((one, other));
    origin.finish().await;
}

#[tokio::test]
async fn a_connection_beyond_the_number_is_answered_503_and_closed() {
    let origin = Running::start(Settings { connections: Some(1), ..Settings::default() }).await;
    let mut first = origin.client().await;
    assert_eq!(first.get("/vod/fmp4/v0/init.mp4").await.status, 200);
    let mut second = origin.client().await;
    let full = second.get("/vod/fmp4/v0/init.mp4").await;
    assert_eq!((full.status, full.header("connection")), (503, Some("close")));
    assert_eq!(first.get("/vod/fmp4/v0/init.mp4").await.status, 200, "the first one has its place");
    drop((first, second));
    let counts = origin.finish().await;
    assert_eq!(counts.by_status.get("503").copied(), Some(1));
}
