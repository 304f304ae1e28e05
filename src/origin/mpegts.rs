//! Segments as an MPEG-2 transport stream (ISO/IEC 13818-1): packets of 188 bytes with one program of one video
//! stream, which players can play.
//!
//! * A segment begins with PAT and PMT. An IDR frame follows, then repeats of it. The first packet of a frame carries
//!   the clock and the frame's time stamp.
//! * Each frame is padded with a NAL unit that decoders skip, so that the stream has its bitrate. The packets of that
//!   unit come from the shared block, whose continuity counters cycle through 0..=15. A segment enters the block
//!   where its predecessor left it.
//! * All segments of a variant share one template: only counters and times are stamped into each copy.

use bytes::Bytes;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::content::{Content, Heads, Noise};
use super::h264::{self, Pictures};

/// Size of a packet in bytes.
pub const PACKET: usize = 188;
/// Number of values of a continuity counter.
const COUNTER_VALUES: u64 = 16;
/// Cycles of the counter in the block: 66 kB, which stays in the processor's cache.
const BLOCK_ROUNDS: usize = 22;
/// Packets of the PAT and the PMT.
const TABLE_PACKETS: u64 = 2;

const PMT_PID: u16 = 0x1000;
/// PID of the video stream. Neither of its bytes is zero: fragmented MP4 has the same block, headers included, inside
/// of a NAL unit.
const MEDIA_PID: u16 = 0x0101;
const SYNC: u8 = 0x47;
const STREAM_TYPE_H264: u8 = 0x1b;
/// Flags of an adaptation field (section 2.4.3.4).
const DISCONTINUITY: u8 = 0x80;
const RANDOM_ACCESS: u8 = 0x40;
const CLOCK: u8 = 0x10;
/// Bytes of the header and the adaptation field of a packet with a clock.
const CLOCK_HEADER: usize = 12;
/// Offsets in the first packet of a frame: the flags of its adaptation field, its clock and its time stamp.
const FLAGS_AT: usize = 5;
const CLOCK_AT: usize = 6;
const STAMP_AT: usize = 21;
/// Ticks between the arrival of a frame's first packet and its display. The IDR frame of the smallest segment takes
/// most of that segment's half a second to arrive.
const DELAY: u64 = 90_000;
/// Ticks of the 27 MHz clock for each tick of the 90 kHz clock.
const CLOCK_TICKS: u64 = 300;

/// Creates the block that all segments share: packets of noise with running continuity counters. No byte is zero, so
/// the noise never looks like a start code.
pub fn block(seed: u64) -> Bytes {
    let mut random = SplitMix64::seed_from_u64(seed);
    let mut bytes = Vec::with_capacity(BLOCK_ROUNDS * COUNTER_VALUES as usize * PACKET);
    for _ in 0..BLOCK_ROUNDS {
        for counter in 0..COUNTER_VALUES {
            let mut packet = [0; PACKET];
            random.fill_bytes(&mut packet);
            let [pid_high, pid_low] = MEDIA_PID.to_be_bytes();
            bytes.extend_from_slice(&[SYNC, pid_high, pid_low, 0x10 | counter as u8]);
            bytes.extend(packet.into_iter().skip(4).map(|byte| byte.max(1)));
        }
    }
    Bytes::from(bytes)
}

/// Position of a segment in its stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Number of the segment.
    pub sequence: u64,
    /// Start of the segment, in ticks of the 90 kHz clock.
    pub ticks: u64,
    /// Set if the clock jumps before the segment.
    pub after_jump: bool,
}

/// Template for the segments of one variant, which differ only in counters and times.
#[derive(Debug)]
pub struct Template {
    block: Bytes,
    /// Tables and packets of the IDR frame, then the first packet of each repeat.
    own: Vec<u8>,
    /// Bytes of `own` before the repeats.
    head: usize,
    pictures: u64,
    /// Media packets of the segment, and of the IDR frame.
    packets: u64,
    first_packets: u64,
    /// Media packets of each repeat; the first `longer` of them have one more.
    repeat_packets: u64,
    longer: u64,
    duration_ticks: u64,
}

impl Template {
    /// Creates a template for segments of as many whole packets as `length` bytes hold, with up to `pictures` frames.
    /// The IDR frame is always whole. A segment has fewer frames if there is not one packet left for each repeat.
    pub fn new(block: &Bytes, video: &Pictures, length: u64, pictures: u64, duration_ticks: u64) -> Self {
        let mut own = Vec::new();
        push_table(&mut own, 0, &association_table());
        push_table(&mut own, PMT_PID, &map_table());
        let Pictures { sps, pps, first, repeats } = video;
        push_picture(&mut own, block, RANDOM_ACCESS | CLOCK, &[sps, pps, first]);
        let head = own.len();
        let least = (head / PACKET) as u64 - TABLE_PACKETS;
        let packets = (length / PACKET as u64).saturating_sub(TABLE_PACKETS).max(least);
        let pictures = pictures.clamp(1, packets - least + 1);
        let first_packets = if pictures == 1 { packets } else { least.max(packets / pictures) };
        let others = packets - first_packets;
        let [repeat_packets, longer] = [others.checked_div(pictures - 1), others.checked_rem(pictures - 1)]
            .map(Option::unwrap_or_default);
        for repeat in repeats.iter().cycle().skip(1).take(pictures as usize - 1) {
            push_picture(&mut own, block, CLOCK, &[repeat]);
        }
        let block = block.clone();
        Self { block, own, head, pictures, packets, first_packets, repeat_packets, longer, duration_ticks }
    }

    /// Returns the segment at `place`.
    pub fn segment(&self, place: Place) -> Content {
        let first_counter = place.sequence.wrapping_mul(self.packets) % COUNTER_VALUES;
        let mut own = self.own.clone();
        let (head, repeats) = own.split_at_mut(self.head);
        let (tables, first) = head.split_at_mut(TABLE_PACKETS as usize * PACKET);
        // Each table is one packet of a segment, so its counter is the segment's number.
        for packet in tables.chunks_exact_mut(PACKET) {
            set_counter(packet, place.sequence);
        }
        for (number, packet) in (first_counter..).zip(first.chunks_exact_mut(PACKET)) {
            set_counter(packet, number);
        }
        self.set_times(first, place, 0, 0);
        if let Some(flags) = first.get_mut(FLAGS_AT).filter(|_| place.after_jump) {
            *flags |= DISCONTINUITY;
        }
        // Only the first packet of each repeat is stamped: the block supplies the others, counters included.
        let mut start = self.first_packets;
        for (picture, packet) in (1..).zip(repeats.chunks_exact_mut(PACKET)) {
            set_counter(packet, first_counter + start);
            self.set_times(packet, place, picture, start);
            start += self.repeat_packets + u64::from(picture <= self.longer);
        }
        let mut head = Bytes::from(own);
        let heads = Heads {
            bytes: head.split_off(self.head),
            each: PACKET as u64,
            first: (TABLE_PACKETS + self.first_packets) * PACKET as u64,
            period: self.repeat_packets * PACKET as u64,
            longer: self.longer,
            extra: PACKET as u64,
        };
        // The block begins with counter 0, and the tables before the media packets do not use its counters.
        let entry = (first_counter + COUNTER_VALUES - TABLE_PACKETS) % COUNTER_VALUES;
        let noise = Noise { block: self.block.clone(), phase: entry * PACKET as u64 };
        Content::with_noise(head, heads, noise, (TABLE_PACKETS + self.packets) * PACKET as u64)
    }

    /// Stamps the clock and the time of a frame into its first packet, the media packet `start` of the segment.
    fn set_times(&self, packet: &mut [u8], place: Place, picture: u64, start: u64) {
        let Place { ticks, .. } = place;
        // The clock advances evenly with the bytes.
        let fine =
            self.duration_ticks * CLOCK_TICKS * (TABLE_PACKETS + start) / (TABLE_PACKETS + self.packets);
        put(packet, CLOCK_AT, &clock_reference(ticks, fine));
        put(packet, STAMP_AT, &time_stamp(ticks + DELAY + picture * self.duration_ticks / self.pictures));
    }
}

fn set_counter(packet: &mut [u8], number: u64) {
    if let Some(byte) = packet.get_mut(3) {
        *byte = (*byte & 0xf0) | (number % COUNTER_VALUES) as u8;
    }
}

fn put(packet: &mut [u8], at: usize, bytes: &[u8]) {
    packet.iter_mut().skip(at).zip(bytes).for_each(|(place, byte)| *place = *byte);
}

/// Builds the program association table (section 2.4.4.3): one program.
fn association_table() -> Vec<u8> {
    let [pid_high, pid_low] = (0xe000 | PMT_PID).to_be_bytes();
    with_checksum(vec![0x00, 0xb0, 13, 0x00, 0x01, 0xc1, 0, 0, 0x00, 0x01, pid_high, pid_low])
}

/// Builds the program map table (section 2.4.4.8): one elementary stream, which carries the clock too.
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

/// Computes the CRC of program tables (annex A): polynomial 0x04C11DB7, first bit first. A whole section gives 0.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000_0000 == 0 { shifted } else { shifted ^ 0x04c1_1db7 }
        })
    })
}

/// Appends one packet with a table section, padded with 0xff.
fn push_table(out: &mut Vec<u8>, pid: u16, section: &[u8]) {
    let end = out.len() + PACKET;
    let [pid_high, pid_low] = (0x4000 | pid).to_be_bytes();
    let pointer = 0;
    out.extend_from_slice(&[SYNC, pid_high, pid_low, 0x10, pointer]);
    out.extend_from_slice(section);
    out.resize(end, 0xff);
}

/// Appends the packets of a frame that hold its NAL `units`. The unit that decoders skip begins in the rest of the
/// last packet.
fn push_picture(out: &mut Vec<u8>, block: &Bytes, flags: u8, units: &[&Vec<u8>]) {
    // A video stream of unbounded length that begins with a NAL unit, with a presentation time stamp of five bytes.
    let mut payload = vec![0, 0, 1, 0xe0, 0, 0, 0x84, 0x80, 5];
    payload.extend_from_slice(&time_stamp(0));
    let units = [h264::DELIMITER.as_slice()].into_iter().chain(units.iter().map(|unit| unit.as_slice()));
    for unit in units.chain([[h264::SKIPPED].as_slice()]) {
        payload.extend_from_slice(&[0, 0, 0, 1]);
        payload.extend_from_slice(unit);
    }
    let mut payload = payload.as_slice();
    let [pid_high, pid_low] = MEDIA_PID.to_be_bytes();
    let mut header = vec![SYNC, 0x40 | pid_high, pid_low, 0x30, (CLOCK_HEADER - 5) as u8, flags];
    header.extend_from_slice(&clock_reference(0, 0));
    while !payload.is_empty() {
        let end = out.len() + PACKET;
        out.append(&mut header);
        let (now, later) = payload.split_at(payload.len().min(end - out.len()));
        out.extend_from_slice(now);
        out.extend(block.iter().skip(4).take(end - out.len()));
        payload = later;
        header = vec![SYNC, pid_high, pid_low, 0x10];
    }
}

/// Encodes a program clock reference (section 2.4.3.5), `fine` ticks of 27 MHz after `ticks` of 90 kHz: 33 bits of 90
/// kHz, 6 reserved, 9 of 27 MHz.
fn clock_reference(ticks: u64, fine: u64) -> [u8; 6] {
    let base = ticks + fine / CLOCK_TICKS;
    let [_, _, bytes @ ..] = (((base & 0x1_ffff_ffff) << 15) | 0x7e00 | (fine % CLOCK_TICKS)).to_be_bytes();
    bytes
}

/// Encodes a presentation time stamp (section 2.4.3.7): 33 bits in three groups with marker bits.
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
    use bytes::Buf as _;

    use super::*;

    const DURATION: u64 = 180_000;

    fn template(length: u64) -> Template {
        Template::new(&block(1), &Pictures::new(640, 360, 30), length, 50, DURATION)
    }

    fn segment(template: &Template, sequence: u64) -> Vec<u8> {
        let place = Place { sequence, ticks: sequence * DURATION, after_jump: false };
        bytes_of(&template.segment(place))
    }

    fn bytes_of(content: &Content) -> Vec<u8> {
        let mut part = content.part(0, u64::MAX);
        part.copy_to_bytes(part.remaining()).to_vec()
    }

    fn pid(packet: &[u8]) -> u16 {
        u16::from_be_bytes([packet[1] & 0x1f, packet[2]])
    }

    /// Returns the packets that begin a frame.
    fn pictures(bytes: &[u8]) -> Vec<&[u8]> {
        bytes.chunks(PACKET).filter(|packet| pid(packet) == MEDIA_PID && packet[1] & 0x40 != 0).collect()
    }

    /// Returns the clock of a packet in ticks of 27 MHz.
    fn clock(packet: &[u8]) -> u64 {
        let value = packet[6..12].iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        (value >> 15) * 300 + (value & 0x1ff)
    }

    fn stamp(packet: &[u8]) -> u64 {
        let stamp = &packet[21..26];
        u64::from(stamp[0] >> 1 & 7) << 30
            | u64::from(stamp[1]) << 22
            | u64::from(stamp[2] >> 1) << 15
            | u64::from(stamp[3]) << 7
            | u64::from(stamp[4] >> 1)
    }

    #[test]
    fn a_segment_is_whole_packets_of_at_most_the_length_asked() {
        for length in [150_000, 149_999, 10_000] {
            let bytes = segment(&template(length), 7);
            assert!(bytes.len() as u64 <= length && bytes.len() + PACKET > length as usize);
            assert!(bytes.chunks(PACKET).all(|packet| packet.len() == PACKET && packet[0] == SYNC));
        }
    }

    #[test]
    fn it_begins_with_tables_whose_checksums_are_right() {
        let bytes = segment(&template(100_000), 7);
        for (place, expected_pid) in [(0, 0), (1, PMT_PID)] {
            let packet = &bytes[place * PACKET..(place + 1) * PACKET];
            assert_eq!(pid(packet), expected_pid);
            let length = 3 + usize::from(packet[7]);
            assert_eq!(checksum(&packet[5..5 + length]), 0);
        }
        // Well-known checksum of the ASCII digits under this CRC.
        assert_eq!(checksum(b"123456789"), 0x0376_e6e7);
    }

    #[test]
    fn continuity_counters_run_on_across_segments() {
        let template = template(50_000);
        let mut next = std::collections::HashMap::new();
        for sequence in 100..104 {
            for packet in segment(&template, sequence).chunks(PACKET) {
                let counter = packet[3] & 0x0f;
                assert_eq!(*next.entry(pid(packet)).or_insert(counter), counter);
                next.insert(pid(packet), (counter + 1) % 16);
            }
        }
    }

    #[test]
    fn pictures_are_evenly_apart_across_segments() {
        let template = template(150_000);
        let bytes = [segment(&template, 3), segment(&template, 4)].concat();
        let stamps: Vec<u64> = pictures(&bytes).into_iter().map(stamp).collect();
        assert_eq!(stamps.len(), 100);
        assert_eq!(stamps[0], 3 * DURATION + DELAY);
        assert!(stamps.windows(2).all(|pair| pair[1] - pair[0] == 3_600), "{stamps:?}");
    }

    #[test]
    fn the_clock_runs_with_the_bytes_and_every_picture_is_there_in_time() {
        for length in [150_000, 20_000, 10_000] {
            let template = template(length);
            let bytes = [segment(&template, 0), segment(&template, 1)].concat();
            let rate = (template.packets + TABLE_PACKETS) as f64 / DURATION as f64 / 300.0;
            let mut pictures = Vec::new();
            for (number, packet) in bytes.chunks(PACKET).enumerate() {
                if pid(packet) == MEDIA_PID && packet[1] & 0x40 != 0 {
                    assert!((clock(packet) as f64 * rate - number as f64).abs() < 0.01, "{number}");
                    pictures.push((clock(packet), stamp(packet)));
                }
            }
            for pair in pictures.windows(2) {
                assert!(pair[0].1 * 300 >= pair[1].0, "its last packet comes before its time");
            }
        }
    }

    #[test]
    fn a_segment_that_is_too_small_for_all_pictures_has_fewer() {
        let template = template(2_500);
        let bytes = segment(&template, 3);
        assert!(bytes.len() <= 2_500);
        let stamps: Vec<u64> = pictures(&bytes).into_iter().map(stamp).collect();
        assert_eq!(stamps.len(), 6);
        assert_eq!(stamps[5] - stamps[0], DURATION * 5 / 6);
    }

    #[test]
    fn a_jump_of_the_clock_is_announced() {
        for after_jump in [false, true] {
            let bytes = bytes_of(&template(50_000).segment(Place { after_jump, ..Place::default() }));
            let announced: Vec<bool> =
                pictures(&bytes).iter().map(|packet| packet[5] & DISCONTINUITY != 0).collect();
            assert_eq!(announced[0], after_jump);
            assert!(!announced[1..].contains(&true));
        }
    }

    #[test]
    fn nothing_but_the_pictures_looks_like_a_start_code() {
        let bytes = segment(&template(150_000), 3);
        let mut stream = Vec::new();
        for packet in bytes.chunks(PACKET).filter(|packet| pid(packet) == MEDIA_PID) {
            let header = if packet[3] & 0x20 != 0 { 5 + usize::from(packet[4]) } else { 4 };
            let pes = if packet[1] & 0x40 != 0 { 14 } else { 0 };
            stream.extend_from_slice(&packet[header + pes..]);
        }
        let starts: Vec<usize> = (3..stream.len()).filter(|at| stream[at - 3..*at] == [0, 0, 1]).collect();
        let types: Vec<u8> = starts.iter().map(|at| stream[*at] & 0x1f).collect();
        assert_eq!(types[..8], [9, 7, 8, 5, 31, 9, 1, 31]);
        assert_eq!(types.len(), 5 + 49 * 3);
    }

    #[test]
    fn the_same_segment_has_the_same_bytes_and_another_seed_others() {
        let bytes = |seed, sequence| {
            let video = Pictures::new(640, 360, 30);
            segment(&Template::new(&block(seed), &video, 20_000, 50, DURATION), sequence)
        };
        assert_eq!(bytes(1, 5), bytes(1, 5));
        assert_ne!(bytes(1, 5), bytes(1, 6));
        assert_ne!(bytes(1, 5), bytes(2, 5));
    }
}
