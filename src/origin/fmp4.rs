//! Segments as fragmented MP4 (ISO/IEC 14496-12, -15) with one video track, which players can play.
//!
//! * An initialization section is `ftyp` + `moov`; a segment is `styp` + `moof` + `mdat`.
//! * Each sample is a frame, padded with a NAL unit that decoders skip. The padding is noise from the shared block.
//!   The samples fill the media data exactly.
//! * All segments of a variant share one template: only the number and the time are stamped into each copy.

use bytes::Bytes;

use super::content::{Content, Heads, Noise};
use super::h264::{self, Pictures};

/// Ticks per second of the media clock.
const TIMESCALE: u32 = 90_000;
const TRACK: u32 = 1;
/// Bytes of a box's size and type.
const BOX_HEADER: usize = 8;
/// Sample flags (section 8.8.3.1): a sync sample depends on no other sample; the others do, and playback cannot begin
/// at them.
const SYNC_SAMPLE: u32 = 0x0200_0000;
const OTHER_SAMPLE: u32 = 0x0101_0000;
/// The unity matrix of movie and track headers: 16.16 and 2.30 fixed point.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Builds a box: size, type, payload.
fn boxed(name: &[u8; 4], payload: &[&[u8]]) -> Vec<u8> {
    let size = BOX_HEADER + payload.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(&(size as u32).to_be_bytes());
    bytes.extend_from_slice(name);
    payload.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// Builds a full box: version and flags, then the fields as 32-bit numbers.
fn full_box(name: &[u8; 4], version: u8, flags: u32, fields: &[u32]) -> Vec<u8> {
    boxed(name, &[&(u32::from(version) << 24 | flags).to_be_bytes(), &words(fields)])
}

fn words(fields: &[u32]) -> Vec<u8> {
    fields.iter().flat_map(|field| field.to_be_bytes()).collect()
}

/// Builds the initialization section of a video track of this size.
pub fn init(width: u16, height: u16, video: &Pictures) -> Content {
    let brands: [&[u8]; 4] = [b"iso6", &[0; 4], b"iso6", b"mp41"];
    let movie_header =
        [&[0, 0, TIMESCALE, 0, 0x1_0000, 0x0100_0000, 0, 0][..], &MATRIX, &[0; 6], &[TRACK + 1]].concat();
    let sample_defaults = full_box(b"trex", 0, 0, &[TRACK, 1, 0, 0, 0]);
    let movie = boxed(
        b"moov",
        &[
            &full_box(b"mvhd", 0, 0, &movie_header),
            &track(width, height, video),
            &boxed(b"mvex", &[&sample_defaults]),
        ],
    );
    Content::whole([boxed(b"ftyp", &brands), movie].concat())
}

fn track(width: u16, height: u16, video: &Pictures) -> Vec<u8> {
    let size = [u32::from(width) << 16, u32::from(height) << 16];
    let header = [&[0, 0, TRACK, 0, 0, 0, 0, 0, 0][..], &MATRIX, &size].concat();
    let language_undetermined = 0x55c4_0000;
    let handler = boxed(b"hdlr", &[&[0; 8], b"vide", &[0; 12], b"hlswarm\0"]);
    let reference = full_box(b"dref", 0, 0, &[1]);
    let data_in_this_file = full_box(b"url ", 0, 1, &[]);
    let reference = boxed(b"dref", &[reference.get(BOX_HEADER..).unwrap_or_default(), &data_in_this_file]);
    let information = boxed(
        b"minf",
        &[
            &full_box(b"vmhd", 0, 1, &[0, 0]),
            &boxed(b"dinf", &[&reference]),
            &sample_table(width, height, video),
        ],
    );
    let media_header = full_box(b"mdhd", 0, 0, &[0, 0, TIMESCALE, 0, language_undetermined]);
    let media = boxed(b"mdia", &[&media_header, &handler, &information]);
    let enabled_in_movie = 3;
    boxed(b"trak", &[&full_box(b"tkhd", 0, enabled_in_movie, &header), &media])
}

/// Builds the sample table: one sample description and no samples, since all samples are in fragments.
fn sample_table(width: u16, height: u16, video: &Pictures) -> Vec<u8> {
    let [width, height] = [width.to_be_bytes(), height.to_be_bytes()];
    let resolution_72_dpi = words(&[0x0048_0000, 0x0048_0000, 0]);
    let entry = boxed(
        b"avc1",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 16],
            &width,
            &height,
            &resolution_72_dpi,
            &[0, 1],
            &[0; 32],
            &[0, 0x18, 0xff, 0xff],
            &configuration(video),
        ],
    );
    let description = boxed(b"stsd", &[&words(&[0, 1]), &entry]);
    let no_samples = [
        full_box(b"stts", 0, 0, &[0]),
        full_box(b"stsc", 0, 0, &[0]),
        full_box(b"stsz", 0, 0, &[0, 0]),
        full_box(b"stco", 0, 0, &[0]),
    ];
    boxed(b"stbl", &[&description, &no_samples.concat()])
}

/// Builds the decoder configuration (14496-15 section 5.3.3.1): four-byte lengths, one parameter set of each kind.
fn configuration(Pictures { sps, pps, .. }: &Pictures) -> Vec<u8> {
    let [profile, compatibility, level] = h264::profile_and_level(sps);
    let [sps_length, pps_length] = [sps, pps].map(|unit| (unit.len() as u16).to_be_bytes());
    let head = [1, profile, compatibility, level, 0xff, 0xe1];
    // 4:2:0, 8 bits for luma and chroma, no extensions.
    let tail = [0xfd, 0xf8, 0xf8, 0];
    boxed(b"avcC", &[&head, &sps_length, sps, &[1], &pps_length, pps, &tail])
}

/// Prefixes a NAL unit with its length.
fn with_length(unit: &[u8]) -> Vec<u8> {
    [&(unit.len() as u32).to_be_bytes(), unit].concat()
}

/// Builds the start of a sample: a frame and the beginning of the NAL unit that pads it to `size` bytes.
fn sample(picture: &[u8], size: u64) -> Vec<u8> {
    let mut bytes = with_length(picture);
    let filling = size.saturating_sub(bytes.len() as u64 + 4);
    bytes.extend_from_slice(&(filling as u32).to_be_bytes());
    bytes.push(h264::SKIPPED);
    bytes
}

/// Template for the segments of one variant, which differ only in number and time.
#[derive(Debug)]
pub struct Template {
    noise: Bytes,
    /// All boxes up to the noise of the first sample.
    head: Vec<u8>,
    /// Offsets of the fragment's number and time in `head`.
    sequence_at: usize,
    ticks_at: usize,
    repeats: Heads,
    length: u64,
}

impl Template {
    /// Creates a template for segments of `length` bytes with `samples` frames over `duration_ticks`.
    pub fn new(noise: &Bytes, video: &Pictures, length: u64, samples: u64, duration_ticks: u64) -> Self {
        let samples = samples.max(1);
        let brands = boxed(b"styp", &[b"msdh", &[0; 4], b"msdh", b"msix"]);
        // Sample sizes have a fixed width, so build the boxes once to learn their length, then with the real sizes.
        let boxes = |first, each| fragment(samples, duration_ticks, first, each);
        let own = (brands.len() + boxes(0, 0).0.len() + BOX_HEADER) as u64;
        let first_least = sample(&video.first, 0).len() as u64;
        let each_least = video.repeats.iter().map(|repeat| sample(repeat, 0).len()).max().unwrap_or(0) as u64;
        let payload = length.saturating_sub(own).max(first_least + (samples - 1) * each_least);
        // The first sample gets the bytes that the others leave, always enough for its frame.
        let others = (payload - first_least).checked_div(samples - 1).unwrap_or(0);
        let each = others.min(payload / samples).max(each_least);
        let first = payload - (samples - 1) * each;

        let (movie_fragment, [sequence_at, ticks_at]) = boxes(first, each);
        let [sequence_at, ticks_at] = [sequence_at, ticks_at].map(|at| brands.len() + at);
        let mut head = [brands, movie_fragment].concat();
        head.extend_from_slice(&((BOX_HEADER as u64 + payload) as u32).to_be_bytes());
        head.extend_from_slice(b"mdat");
        head.extend_from_slice(&sample(&video.first, first));
        let repeats = video.repeats.iter().cycle().skip(1).take(samples as usize - 1);
        let bytes: Vec<u8> = repeats.flat_map(|repeat| sample(repeat, each)).collect();
        let repeats = Heads {
            bytes: bytes.into(),
            each: each_least,
            first: own + first,
            period: each,
            ..Heads::default()
        };
        Self { noise: noise.clone(), head, sequence_at, ticks_at, repeats, length: own + payload }
    }

    /// Returns segment `sequence`, which begins at `ticks`.
    pub fn segment(&self, sequence: u64, ticks: u64) -> Content {
        let mut head = self.head.clone();
        let mut put = |at: usize, bytes: &[u8]| {
            head.iter_mut().skip(at).zip(bytes).for_each(|(place, byte)| *place = *byte);
        };
        put(self.sequence_at, &(sequence.wrapping_add(1) as u32).to_be_bytes());
        put(self.ticks_at, &ticks.to_be_bytes());
        let noise = Noise { block: self.noise.clone(), phase: 0 };
        Content::with_noise(head, self.repeats.clone(), noise, self.length)
    }
}

/// Builds the movie fragment for a first sample of `first` bytes and others of `each`. Also returns the offsets of
/// its number and its time.
fn fragment(samples: u64, duration_ticks: u64, first: u64, each: u64) -> (Vec<u8>, [usize; 2]) {
    let header = full_box(b"mfhd", 0, 0, &[0]);
    // The default flags are present; offsets count from the start of this fragment.
    let defaults = full_box(b"tfhd", 0, 0x2_0020, &[TRACK, OTHER_SAMPLE]);
    let decode_time = full_box(b"tfdt", 1, 0, &[0, 0]);
    let run = |offset: u32| {
        let mut fields = vec![samples as u32, offset, SYNC_SAMPLE];
        for number in 0..samples {
            let begin = |number| duration_ticks * number / samples;
            let size = if number == 0 { first } else { each };
            fields.extend([(begin(number + 1) - begin(number)) as u32, size as u32]);
        }
        // Present: the data offset, the first sample's flags, and the duration and size of each sample.
        full_box(b"trun", 0, 0x305, &fields)
    };
    let whole = |run: &[u8]| boxed(b"moof", &[&header, &boxed(b"traf", &[&defaults, &decode_time, run])]);
    let offset = whole(&run(0)).len() + BOX_HEADER;
    let after_version = BOX_HEADER + 4;
    let sequence_at = BOX_HEADER + after_version;
    let ticks_at = BOX_HEADER + header.len() + BOX_HEADER + defaults.len() + after_version;
    (whole(&run(offset as u32)), [sequence_at, ticks_at])
}

#[cfg(test)]
mod tests {
    use bytes::Buf as _;

    use super::*;

    fn bytes_of(content: &Content) -> Vec<u8> {
        let mut part = content.part(0, u64::MAX);
        part.copy_to_bytes(part.remaining()).to_vec()
    }

    fn video() -> Pictures {
        Pictures::new(640, 360, 30)
    }

    fn segment(length: u64, ticks: u64) -> Vec<u8> {
        let noise = Bytes::from_static(b"noise");
        bytes_of(&Template::new(&noise, &video(), length, 50, 180_000).segment(3, ticks))
    }

    /// Splits `bytes` into boxes, which must fill it exactly.
    fn boxes(mut bytes: &[u8]) -> Vec<(String, &[u8])> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let size = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            found.push((String::from_utf8(bytes[4..8].to_vec()).unwrap(), &bytes[8..size]));
            bytes = &bytes[size..];
        }
        found
    }

    fn names(bytes: &[u8]) -> Vec<String> {
        boxes(bytes).into_iter().map(|(name, _)| name).collect()
    }

    fn child<'a>(bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
        path.iter()
            .fold(bytes, |bytes, name| boxes(bytes).into_iter().find(|(found, _)| found == name).unwrap().1)
    }

    fn word(bytes: &[u8], place: usize) -> u32 {
        u32::from_be_bytes(bytes[place * 4..place * 4 + 4].try_into().unwrap())
    }

    #[test]
    fn a_segment_is_three_boxes_of_exactly_the_length_asked() {
        for length in [3_000, 750_000, 749_999] {
            let bytes = segment(length, 540_000);
            assert_eq!(bytes.len() as u64, length);
            assert_eq!(names(&bytes), ["styp", "moof", "mdat"]);
            assert_eq!(names(child(&bytes, &["moof"])), ["mfhd", "traf"]);
        }
    }

    #[test]
    fn the_samples_fill_the_media_data_and_the_time() {
        let bytes = segment(100_003, 1 << 33);
        let run = child(&bytes, &["moof", "traf", "trun"]);
        let samples = word(run, 1) as usize;
        assert_eq!(samples, 50);
        let sum =
            |from: usize| (0..samples).map(|sample| word(run, from + 2 * sample) as usize).sum::<usize>();
        assert_eq!(sum(4), 180_000);
        assert_eq!(sum(5), child(&bytes, &["mdat"]).len());
        // The data offset counts from the start of `moof` to the first byte of the media data.
        let before_fragment = BOX_HEADER + child(&bytes, &["styp"]).len();
        assert_eq!(before_fragment + word(run, 2) as usize + sum(5), bytes.len());
        let decode_time = child(&bytes, &["moof", "traf", "tfdt"]);
        assert_eq!((word(decode_time, 1), word(decode_time, 2)), (2, 0));
        assert_eq!(word(child(&bytes, &["moof", "mfhd"]), 1), 4);
    }

    #[test]
    fn each_sample_is_a_picture_and_a_unit_that_fills_it() {
        for length in [3_000, 100_003] {
            let bytes = segment(length, 0);
            let run = child(&bytes, &["moof", "traf", "trun"]);
            let mut media = child(&bytes, &["mdat"]);
            for number in 0..50 {
                let (sample, rest) = media.split_at(word(run, 5 + 2 * number) as usize);
                media = rest;
                let (picture, filling) = sample[4..].split_at(word(sample, 0) as usize);
                let Pictures { first, repeats, .. } = video();
                assert_eq!(picture, if number == 0 { first.as_slice() } else { &repeats[number % 16] });
                assert_eq!(word(filling, 0) as usize, filling.len() - 4);
                assert_eq!(filling[4], h264::SKIPPED);
            }
        }
    }

    #[test]
    fn the_initialization_section_describes_one_video_track() {
        let bytes = bytes_of(&init(1920, 1080, &video()));
        assert_eq!(names(&bytes), ["ftyp", "moov"]);
        assert_eq!(names(child(&bytes, &["moov"])), ["mvhd", "trak", "mvex"]);
        assert_eq!(child(&bytes, &["moov", "mvhd"]).len(), 100);
        let header = child(&bytes, &["moov", "trak", "tkhd"]);
        assert_eq!(header.len(), 84);
        assert_eq!((word(header, 19), word(header, 20)), (1920 << 16, 1080 << 16));
        let table = child(&bytes, &["moov", "trak", "mdia", "minf", "stbl"]);
        assert_eq!(names(table), ["stsd", "stts", "stsc", "stsz", "stco"]);
        let description = child(table, &["stsd"]);
        assert_eq!(names(&description[8..]), ["avc1"]);
        let entry = &description[16..];
        let configuration = child(&entry[78..], &["avcC"]);
        assert_eq!(configuration[..6], [1, 100, 0, 30, 0xff, 0xe1]);
        let sps = video().sps;
        assert_eq!(configuration[8..8 + sps.len()], sps);
    }
}
