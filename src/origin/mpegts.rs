//! Segments in the shape of an MPEG-2 transport stream (ISO/IEC 13818-1): packets of 188 bytes, program tables with
//! right checksums, continuity counters, a clock and a time stamp; the pictures are noise.
//!
//! * A segment begins with PAT, PMT and the packet that carries clock and time stamp; only these three are its own.
//! * What follows is the shared block: packets whose continuity counters run through 0..=15 again and again. A
//!   segment enters it where its predecessor has left it, so the counters run on across segments.

use bytes::Bytes;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::content::Content;

/// The size of a packet.
pub const PACKET: usize = 188;
/// A continuity counter has this many values.
const COUNTER_VALUES: u64 = 16;
/// How often the block repeats the counter: 66 kB, which stays in the processor's cache.
const BLOCK_ROUNDS: usize = 22;
/// Packets of a segment before the shared block.
const OWN_PACKETS: u64 = 3;

const PMT_PID: u16 = 0x1000;
const MEDIA_PID: u16 = 0x0100;
const SYNC: u8 = 0x47;
const STREAM_TYPE_H264: u8 = 0x1b;

/// The block that all segments share: packets of noise with running continuity counters.
pub fn block(seed: u64) -> Bytes {
    let mut random = SplitMix64::seed_from_u64(seed);
    let mut bytes = Vec::with_capacity(BLOCK_ROUNDS * COUNTER_VALUES as usize * PACKET);
    for _ in 0..BLOCK_ROUNDS {
        for counter in 0..COUNTER_VALUES {
            let mut packet = [0; PACKET];
            random.fill_bytes(&mut packet);
            let [pid_high, pid_low] = MEDIA_PID.to_be_bytes();
            bytes.extend_from_slice(&[SYNC, pid_high, pid_low, 0x10 | counter as u8]);
            bytes.extend(packet.into_iter().skip(4));
        }
    }
    Bytes::from(bytes)
}

/// The segment `sequence`: as many whole packets as `length` bytes hold (at least three), beginning at `ticks` of the
/// 90 kHz clock.
pub fn segment(block: &Bytes, sequence: u64, length: u64, ticks: u64) -> Content {
    let packets = (length / PACKET as u64).max(OWN_PACKETS);
    let media_packets = packets - 2;
    let counter = sequence.wrapping_mul(media_packets) % COUNTER_VALUES;
    let mut head = Vec::with_capacity(OWN_PACKETS as usize * PACKET);
    push_table(&mut head, 0, sequence, &association_table());
    push_table(&mut head, PMT_PID, sequence, &map_table());
    push_first_media_packet(&mut head, block, counter, ticks);
    let phase = ((counter + 1) % COUNTER_VALUES) as usize * PACKET;
    Content::with_noise(head, block.clone(), phase, packets * PACKET as u64)
}

/// The program association table (section 2.4.4.3): one program.
fn association_table() -> Vec<u8> {
    let [pid_high, pid_low] = (0xe000 | PMT_PID).to_be_bytes();
    with_checksum(vec![0x00, 0xb0, 13, 0x00, 0x01, 0xc1, 0, 0, 0x00, 0x01, pid_high, pid_low])
}

/// The program map table (section 2.4.4.8): one elementary stream, which carries the clock too.
fn map_table() -> Vec<u8> {
    let [pid_high, pid_low] = (0xe000 | MEDIA_PID).to_be_bytes();
    let head = [0x02, 0xb0, 18, 0x00, 0x01, 0xc1, 0, 0, pid_high, pid_low, 0xf0, 0];
    let stream = [STREAM_TYPE_H264, pid_high, pid_low, 0xf0, 0];
    with_checksum([head.as_slice(), &stream].concat())
}

fn with_checksum(mut section: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&section);
    section.extend_from_slice(&checksum.to_be_bytes());
    section
}

/// The CRC of program tables (annex A): polynomial 0x04C11DB7, first bit first, over a whole section it gives 0.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000_0000 == 0 { shifted } else { shifted ^ 0x04c1_1db7 }
        })
    })
}

/// One packet with a table section, filled up with 0xff.
fn push_table(out: &mut Vec<u8>, pid: u16, sequence: u64, section: &[u8]) {
    let end = out.len() + PACKET;
    let [pid_high, pid_low] = (0x4000 | pid).to_be_bytes();
    let pointer = 0;
    out.extend_from_slice(&[SYNC, pid_high, pid_low, 0x10 | (sequence % COUNTER_VALUES) as u8, pointer]);
    out.extend_from_slice(section);
    out.resize(end, 0xff);
}

/// The first media packet: adaptation field with the clock, PES header with the time stamp, then noise.
fn push_first_media_packet(out: &mut Vec<u8>, block: &Bytes, counter: u64, ticks: u64) {
    let end = out.len() + PACKET;
    let [pid_high, pid_low] = (0x4000 | MEDIA_PID).to_be_bytes();
    out.extend_from_slice(&[SYNC, pid_high, pid_low, 0x30 | counter as u8]);
    // Seven bytes follow; random access point, and a clock is present.
    out.extend_from_slice(&[7, 0x50]);
    out.extend_from_slice(&clock_reference(ticks));
    // A video stream of open length with a presentation time stamp of five bytes.
    out.extend_from_slice(&[0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5]);
    out.extend_from_slice(&time_stamp(ticks));
    // The delimiter with which every access unit of H.264 begins.
    out.extend_from_slice(&[0, 0, 0, 1, 0x09, 0xf0]);
    out.extend(block.iter().skip(4).take(end.saturating_sub(out.len())));
}

/// A program clock reference (section 2.4.3.5): 33 bits of 90 kHz, 6 reserved, 9 of 27 MHz.
fn clock_reference(ticks: u64) -> [u8; 6] {
    let [_, _, bytes @ ..] = (((ticks & 0x1_ffff_ffff) << 15) | 0x7e00).to_be_bytes();
    bytes
}

/// A presentation time stamp (section 2.4.3.7): 33 bits in three groups with marker bits.
fn time_stamp(ticks: u64) -> [u8; 5] {
    let group = |shift: u32, mask: u64| ((ticks >> shift) & mask) as u8;
    [
        0x21 | (group(30, 0x07) << 1),
        group(22, 0xff),
        (group(15, 0x7f) << 1) | 1,
        group(7, 0xff),
        (group(0, 0x7f) << 1) | 1,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(content: &Content) -> Vec<u8> {
        let mut all = Vec::new();
        while (all.len() as u64) < content.length() {
            all.extend_from_slice(&content.chunk(all.len() as u64, u64::MAX));
        }
        all
    }

    fn pid(packet: &[u8]) -> u16 {
        u16::from_be_bytes([packet[1] & 0x1f, packet[2]])
    }

    #[test]
    fn a_segment_is_whole_packets_of_at_most_the_length_asked() {
        let bytes = bytes_of(&segment(&block(1), 7, 750_000, 0));
        assert!(bytes.len() <= 750_000 && bytes.len() + PACKET > 750_000);
        assert!(bytes.chunks(PACKET).all(|packet| packet.len() == PACKET && packet[0] == SYNC));
    }

    #[test]
    fn it_begins_with_tables_whose_checksums_are_right() {
        let bytes = bytes_of(&segment(&block(1), 7, 100_000, 0));
        for (place, expected_pid) in [(0, 0), (1, PMT_PID)] {
            let packet = &bytes[place * PACKET..(place + 1) * PACKET];
            assert_eq!(pid(packet), expected_pid);
            let length = 3 + usize::from(packet[7]);
            assert_eq!(checksum(&packet[5..5 + length]), 0);
        }
        // The well-known checksum of the ASCII digits under this CRC.
        assert_eq!(checksum(b"123456789"), 0x0376_e6e7);
    }

    #[test]
    fn continuity_counters_run_on_across_segments() {
        let block = block(1);
        let mut expected = None;
        for sequence in 100..104 {
            for packet in bytes_of(&segment(&block, sequence, 50_000, 0)).chunks(PACKET) {
                if pid(packet) == MEDIA_PID {
                    let counter = packet[3] & 0x0f;
                    assert_eq!(*expected.get_or_insert(counter), counter);
                    expected = Some((counter + 1) % 16);
                }
            }
        }
    }

    #[test]
    fn the_first_media_packet_carries_the_time() {
        let ticks = 0x1_2345_6789;
        let bytes = bytes_of(&segment(&block(1), 0, 10_000, ticks));
        let packet = &bytes[2 * PACKET..3 * PACKET];
        let clock = packet[6..12].iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        assert_eq!(clock >> 15, ticks);
        let stamp = &packet[21..26];
        let value = u64::from(stamp[0] >> 1 & 7) << 30
            | u64::from(stamp[1]) << 22
            | u64::from(stamp[2] >> 1) << 15
            | u64::from(stamp[3]) << 7
            | u64::from(stamp[4] >> 1);
        assert_eq!(value, ticks);
    }

    #[test]
    fn the_same_segment_has_the_same_bytes_and_another_seed_others() {
        let bytes = |seed, sequence| bytes_of(&segment(&block(seed), sequence, 20_000, sequence * 180_000));
        assert_eq!(bytes(1, 5), bytes(1, 5));
        assert_ne!(bytes(1, 5), bytes(1, 6));
        assert_ne!(bytes(1, 5), bytes(2, 5));
    }
}
