//! Segments in the shape of fragmented MP4 (ISO/IEC 14496-12): boxes with right sizes, one video track, samples that
//! fill the media data box exactly; the pictures are noise.
//!
//! * An initialization section is `ftyp` + `moov`, a segment is `styp` + `moof` + `mdat`.
//! * Only what stands before the media data is a segment's own; the media data is the shared block.

use bytes::Bytes;

use super::content::Content;

/// Ticks per second of the media clock.
const TIMESCALE: u32 = 90_000;
/// Ticks of one picture: 25 per second.
const TICKS_PER_SAMPLE: u64 = TIMESCALE as u64 / 25;
const TRACK: u32 = 1;
/// Size and type.
const BOX_HEADER: usize = 8;
/// The unity matrix of movie and track headers: 16.16 and 2.30 fixed point.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// A box: size, type, payload.
fn boxed(name: &[u8; 4], payload: &[&[u8]]) -> Vec<u8> {
    let size = BOX_HEADER + payload.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(&(size as u32).to_be_bytes());
    bytes.extend_from_slice(name);
    payload.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// A full box: version and flags before the fields, each a 32-bit number.
fn full_box(name: &[u8; 4], version: u8, flags: u32, fields: &[u32]) -> Vec<u8> {
    boxed(name, &[&(u32::from(version) << 24 | flags).to_be_bytes(), &words(fields)])
}

fn words(fields: &[u32]) -> Vec<u8> {
    fields.iter().flat_map(|field| field.to_be_bytes()).collect()
}

/// The initialization section of a video track of this size.
pub fn init(width: u16, height: u16) -> Content {
    let brands: [&[u8]; 4] = [b"iso6", &[0; 4], b"iso6", b"mp41"];
    let movie_header =
        [&[0, 0, TIMESCALE, 0, 0x1_0000, 0x0100_0000, 0, 0][..], &MATRIX, &[0; 6], &[TRACK + 1]].concat();
    let sample_defaults = full_box(b"trex", 0, 0, &[TRACK, 1, 0, 0, 0]);
    let movie = boxed(
        b"moov",
        &[
            &full_box(b"mvhd", 0, 0, &movie_header),
            &track(width, height),
            &boxed(b"mvex", &[&sample_defaults]),
        ],
    );
    Content::whole([boxed(b"ftyp", &brands), movie].concat())
}

fn track(width: u16, height: u16) -> Vec<u8> {
    let size = [u32::from(width) << 16, u32::from(height) << 16];
    let header = [&[0, 0, TRACK, 0, 0, 0, 0, 0, 0][..], &MATRIX, &size].concat();
    let language_undetermined = 0x55c4_0000;
    let handler = boxed(b"hdlr", &[&[0; 8], b"vide", &[0; 12], b"hlswarm\0"]);
    let reference = full_box(b"dref", 0, 0, &[1]);
    let data_in_this_file = full_box(b"url ", 0, 1, &[]);
    let reference = boxed(b"dref", &[reference.get(BOX_HEADER..).unwrap_or_default(), &data_in_this_file]);
    let information = boxed(
        b"minf",
        &[&full_box(b"vmhd", 0, 1, &[0, 0]), &boxed(b"dinf", &[&reference]), &sample_table(width, height)],
    );
    let media_header = full_box(b"mdhd", 0, 0, &[0, 0, TIMESCALE, 0, language_undetermined]);
    let media = boxed(b"mdia", &[&media_header, &handler, &information]);
    let enabled_in_movie = 3;
    boxed(b"trak", &[&full_box(b"tkhd", 0, enabled_in_movie, &header), &media])
}

/// The sample table: one description, no samples, since all are in fragments.
fn sample_table(width: u16, height: u16) -> Vec<u8> {
    let [width, height] = [width.to_be_bytes(), height.to_be_bytes()];
    // Profile High, level 4.0, lengths of four bytes, parameter sets within the stream.
    let configuration = boxed(b"avcC", &[&[1, 0x64, 0, 0x28, 0xff, 0xe0, 0]]);
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
            &configuration,
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

/// The segment `sequence`, `length` bytes in all, of pictures from `ticks` on for `duration_ticks`.
pub fn segment(noise: &Bytes, sequence: u64, length: u64, ticks: u64, duration_ticks: u64) -> Content {
    let samples = (duration_ticks / TICKS_PER_SAMPLE).max(1);
    let brands = boxed(b"styp", &[b"msdh", &[0; 4], b"msdh", b"msix"]);
    // The sizes of samples have a fixed width: the boxes are made once to learn their length, then with the sizes.
    let own = brands.len() + fragment(sequence, ticks, duration_ticks, samples, 0).len() + BOX_HEADER;
    let payload = length.saturating_sub(own as u64);
    let mut head = brands;
    head.extend_from_slice(&fragment(sequence, ticks, duration_ticks, samples, payload));
    head.extend_from_slice(&((BOX_HEADER as u64 + payload) as u32).to_be_bytes());
    head.extend_from_slice(b"mdat");
    let length = head.len() as u64 + payload;
    Content::with_noise(head, noise.clone(), 0, length)
}

/// The movie fragment of `payload` bytes in `samples` samples.
fn fragment(sequence: u64, ticks: u64, duration_ticks: u64, samples: u64, payload: u64) -> Vec<u8> {
    let header = full_box(b"mfhd", 0, 0, &[sequence.wrapping_add(1) as u32]);
    // Default duration is present; offsets count from the beginning of this fragment.
    let defaults = full_box(b"tfhd", 0, 0x2_0008, &[TRACK, (duration_ticks / samples) as u32]);
    let decode_time = full_box(b"tfdt", 1, 0, &[(ticks >> 32) as u32, ticks as u32]);
    let run = |offset: u32| {
        let each = payload / samples;
        let last = payload - each * (samples - 1);
        let mut fields = vec![samples as u32, offset];
        fields.extend((1..samples).map(|_| each as u32));
        fields.push(last as u32);
        // Data offset and the size of each sample are present.
        full_box(b"trun", 0, 0x201, &fields)
    };
    let whole = |run: &[u8]| boxed(b"moof", &[&header, &boxed(b"traf", &[&defaults, &decode_time, run])]);
    let offset = whole(&run(0)).len() + BOX_HEADER;
    whole(&run(offset as u32))
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

    /// The boxes of `bytes`, which must be filled by them exactly.
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
        let noise = Bytes::from(vec![7; 1_000]);
        for length in [3_000, 750_000, 749_999] {
            let bytes = bytes_of(&segment(&noise, 3, length, 540_000, 180_000));
            assert_eq!(bytes.len() as u64, length);
            assert_eq!(names(&bytes), ["styp", "moof", "mdat"]);
            assert_eq!(names(child(&bytes, &["moof"])), ["mfhd", "traf"]);
        }
    }

    #[test]
    fn the_samples_fill_the_media_data() {
        let bytes = bytes_of(&segment(&Bytes::from_static(b"noise"), 3, 100_003, 1 << 33, 180_000));
        let run = child(&bytes, &["moof", "traf", "trun"]);
        let samples = word(run, 1) as usize;
        assert_eq!(samples, 50);
        let sizes: usize = (0..samples).map(|sample| word(run, 3 + sample) as usize).sum();
        assert_eq!(sizes, child(&bytes, &["mdat"]).len());
        // The offset leads from the beginning of `moof` to the first byte of the media data.
        let before_fragment = BOX_HEADER + child(&bytes, &["styp"]).len();
        assert_eq!(before_fragment + word(run, 2) as usize + sizes, bytes.len());
        let decode_time = child(&bytes, &["moof", "traf", "tfdt"]);
        assert_eq!((word(decode_time, 1), word(decode_time, 2)), (2, 0));
    }

    #[test]
    fn the_initialization_section_describes_one_video_track() {
        let bytes = bytes_of(&init(1920, 1080));
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
    }
}
