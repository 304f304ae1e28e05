//! Video that decodes (ITU-T H.264): one grey IDR picture, then pictures that repeat it.
//!
//! * The IDR picture predicts every macroblock from its neighbours and codes no residual, so a macroblock takes 8
//!   bits and the picture is mid-grey. A repeat skips all its macroblocks and takes a few bytes.
//! * Profile High with CAVLC, one slice, no reordering: decoding order is output order.
//! * NAL units have no start code and already contain their emulation prevention bytes.

/// Number of values of `frame_num`; the repeats of a segment cycle through them.
const FRAME_NUMBERS: usize = 1 << FRAME_NUMBER_BITS;
const FRAME_NUMBER_BITS: u32 = 4;
/// Delimiter that begins an access unit; any type of slice may follow.
pub const DELIMITER: [u8; 2] = [0x09, 0xf0];
/// Header of a NAL unit that decoders skip: type 31 is left to applications (table 7-1). The bytes of the unit are
/// free, unlike those of filler data, which are all ones.
pub const SKIPPED: u8 = 0x1f;

/// `profile_idc` of High.
const PROFILE: u8 = 100;
const MACROBLOCK: u16 = 16;
const SPS: u8 = 0x67;
const PPS: u8 = 0x68;
const IDR_SLICE: u8 = 0x65;
const SLICE: u8 = 0x41;
/// `slice_type` if all slices of the picture have this type.
const ALL_I: u32 = 7;
const ALL_P: u32 = 5;
/// `mb_type` `I_16x16_2_0_0`: predict from the mean of the neighbours, code no coefficients.
const PREDICTED: u32 = 3;
/// Ticks per second: 25 frames of two fields.
const TIME_SCALE: u32 = 50;
/// Maximum length of motion vectors (log2): the default of the standard.
const LOG2_MOTION: u32 = 16;

/// The NAL units of a variant.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// The sequence parameter set.
    pub sps: Vec<u8>,
    /// The picture parameter set.
    pub pps: Vec<u8>,
    /// The IDR picture.
    pub first: Vec<u8>,
    /// Repeats of the IDR picture, by `frame_num`; all of one length.
    pub repeats: [Vec<u8>; FRAME_NUMBERS],
}

impl Pictures {
    /// Creates the NAL units for frames of this size (even, not zero) at this level.
    pub fn new(width: u16, height: u16, level: u8) -> Self {
        let across = width.div_ceil(MACROBLOCK);
        let down = height.div_ceil(MACROBLOCK);
        let macroblocks = u32::from(across) * u32::from(down);
        Self {
            sps: sequence_parameters(width, height, level),
            pps: picture_parameters(),
            first: first(macroblocks),
            repeats: std::array::from_fn(|number| repeat(macroblocks, number as u32)),
        }
    }
}

/// Returns `profile_idc`, the constraint flags and `level_idc` of a sequence parameter set.
pub fn profile_and_level(sps: &[u8]) -> [u8; 3] {
    sps.get(1..4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
}

/// Builds the sequence parameter set (section 7.3.2.1.1).
fn sequence_parameters(width: u16, height: u16, level: u8) -> Vec<u8> {
    let mut bits = Bits::new(SPS);
    bits.number(8, u32::from(PROFILE));
    bits.number(8, 0);
    bits.number(8, u32::from(level));
    // Number 0; 4:2:0 with 8 bits per sample; no transform bypass, no scaling matrix.
    bits.golombs(&[0, 1, 0, 0]);
    bits.number(2, 0);
    // Output order is decoding order (type 2); one reference picture, no gaps in `frame_num`.
    bits.golombs(&[FRAME_NUMBER_BITS - 4, 2, 1]);
    bits.number(1, 0);
    bits.golombs(&[u32::from(width.div_ceil(MACROBLOCK)) - 1, u32::from(height.div_ceil(MACROBLOCK)) - 1]);
    // Frames only, 8x8 inference.
    bits.number(2, 0b11);
    let cropped = |size: u16| u32::from(size.next_multiple_of(MACROBLOCK) - size) / 2;
    bits.number(1, 1);
    bits.golombs(&[0, cropped(width), 0, cropped(height)]);
    usability(&mut bits);
    bits.finish()
}

/// Writes the usability information (section E.1.1): the frame rate, and that nothing is reordered.
fn usability(bits: &mut Bits) {
    // Usability information present; no aspect ratio, overscan, signal type or chroma location; timing present.
    bits.number(6, 0b10_0001);
    bits.number(32, 1);
    bits.number(32, TIME_SCALE);
    // The frame rate is not fixed: low bitrates have fewer frames. No HRD, no picture structure; restrictions
    // present.
    bits.number(6, 0b00_0011);
    bits.golombs(&[0, 0, LOG2_MOTION, LOG2_MOTION, 0, 1]);
}

/// Builds the picture parameter set (section 7.3.2.2).
fn picture_parameters() -> Vec<u8> {
    let mut bits = Bits::new(PPS);
    bits.golombs(&[0, 0]);
    // CAVLC, no field order.
    bits.number(2, 0);
    // One slice group, one reference picture in each list.
    bits.golombs(&[0, 0, 0]);
    // No weighted prediction.
    bits.number(3, 0);
    // Default quantizers; a signed 0 has the same code.
    bits.golombs(&[0, 0, 0]);
    // Slices control deblocking; intra prediction is unconstrained, no redundant pictures.
    bits.number(3, 0b100);
    bits.finish()
}

/// Builds the IDR picture.
fn first(macroblocks: u32) -> Vec<u8> {
    let mut bits = Bits::new(IDR_SLICE);
    bits.golombs(&[0, ALL_I, 0]);
    bits.number(FRAME_NUMBER_BITS, 0);
    // `idr_pic_id`; earlier pictures are output, no long-term reference; quantizer; no deblocking.
    bits.golombs(&[0]);
    bits.number(2, 0);
    bits.golombs(&[0, 1]);
    for _ in 0..macroblocks {
        // Chroma is predicted from the mean too; the same quantizer; no coefficient of the luma's mean.
        bits.golombs(&[PREDICTED, 0, 0]);
        bits.number(1, 1);
    }
    bits.finish()
}

/// Builds a picture that skips all its macroblocks.
fn repeat(macroblocks: u32, frame_number: u32) -> Vec<u8> {
    let mut bits = Bits::new(SLICE);
    bits.golombs(&[0, ALL_P, 0]);
    bits.number(FRAME_NUMBER_BITS, frame_number);
    // Default number and order of reference pictures, the oldest is dropped first; quantizer; no deblocking.
    bits.number(3, 0);
    bits.golombs(&[0, 1, macroblocks]);
    bits.finish()
}

/// Writes a NAL unit bit by bit.
struct Bits {
    bytes: Vec<u8>,
    last: u8,
    used: u32,
}

impl Bits {
    fn new(header: u8) -> Self {
        Self { bytes: vec![header], last: 0, used: 0 }
    }

    /// Writes the lowest `count` bits of `value`, highest first.
    fn number(&mut self, count: u32, value: u32) {
        for place in (0..count).rev() {
            self.last = self.last << 1 | u8::from(value >> place & 1 == 1);
            self.used += 1;
            if self.used == u8::BITS {
                self.push(self.last);
                (self.last, self.used) = (0, 0);
            }
        }
    }

    /// Writes unsigned Exp-Golomb codes (section 9.1).
    fn golombs(&mut self, values: &[u32]) {
        for value in values {
            let code = value + 1;
            let length = code.ilog2();
            self.number(length, 0);
            self.number(length + 1, code);
        }
    }

    /// Appends a byte. Inserts an emulation prevention byte if it could complete a start code (section 7.4.1.1).
    fn push(&mut self, byte: u8) {
        if byte <= 3 && self.bytes.ends_with(&[0, 0]) {
            self.bytes.push(3);
        }
        self.bytes.push(byte);
    }

    /// Appends the stop bit and returns the NAL unit.
    fn finish(mut self) -> Vec<u8> {
        self.number(1, 1);
        while self.used != 0 {
            self.number(1, 0);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_become_bytes_with_emulation_prevention() {
        let mut bits = Bits::new(SPS);
        bits.number(32, 1);
        bits.golombs(&[0, 1, 2, 3, 7]);
        // 1 010 011 00100 0001000, stop bit.
        assert_eq!(bits.finish(), [SPS, 0, 0, 3, 0, 1, 0b1010_0110, 0b0100_0001, 0b0001_0000]);
    }

    #[test]
    fn a_picture_is_a_byte_a_macroblock_and_a_repeat_a_few_bytes() {
        let pictures = Pictures::new(1920, 1080, 40);
        assert!((8_160..8_170).contains(&pictures.first.len()));
        assert!(pictures.repeats.iter().all(|repeat| repeat.len() == pictures.repeats[0].len()));
        assert!(pictures.repeats[0].len() < 16);
    }

    #[test]
    fn no_unit_contains_a_start_code() {
        for (width, height) in [(1920, 1080), (1280, 720), (640, 360)] {
            let Pictures { sps, pps, first, repeats } = Pictures::new(width, height, 40);
            for unit in [sps, pps, first].iter().chain(&repeats) {
                assert!(
                    unit.windows(3)
                        .all(|bytes| bytes[0] != 0 || bytes[1] != 0 || bytes[2] > 2 && bytes[2] != 0)
                );
                assert_ne!(unit.last(), Some(&0));
            }
        }
    }
}
